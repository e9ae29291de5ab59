// Token co-reachability.
//
// Every byte-live state is token-live when each byte is a token by itself, as it is in byte-level
// BPE. Over a vocabulary such as {[, ]], a, ,} it need not be: after `[a` the byte `]` completes
// the text, and no sequence of tokens does. Such states are dead ends and their tokens do not
// belong into masks.
//
// The set of token-live states is the least fixpoint of "accepting, or some token leads to a live
// state". It is explored forward from the state that is asked, breadth first, so that
//   - the first accepting state met gives a shortest completion in tokens, and all states on the
//   way
//     to it are live;
//   - when the search runs dry, no state it met can be completed, and all of them are dead;
//   - when it exceeds its budget nothing is concluded, and the state counts as live.
// Before any search the recognizer's own shortest completion is spelled in tokens, which nearly
// always succeeds. The fewest bytes are not always the fewest tokens, so over a small vocabulary a
// search then looks for less: there the count is exact, and so is what a token budget cuts off.
//
// Tokens lead to states by `step`, as memos need interned states; a trie node is stepped once for
// all tokens below it. Cost: the live trie edges of each state met, once for each state.

#include "engine/token_liveness.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/segmentation.h"
#include "engine/token_trie.h"

namespace espalier {

bool TokenLiveness::known(const State& state, bool* live) const {
  const std::lock_guard lock(mutex_);
  const auto it = known_.find(state);
  if (it == known_.end()) return false;
  *live = it->second;
  return true;
}

void TokenLiveness::remember(const State& state, bool live) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxRemembered) known_.clear();
  known_.emplace(state, live);
}

bool TokenLiveness::live(Recognizer& recognizer, const Vocabulary& vocabulary, State state) {
  if (state.dead()) return false;
  bool answer = true;
  if (known(state, &answer)) return answer;
  if (recognizer.accepting(state)) {
    answer = true;
  } else {
    const Result<std::string> text = recognizer.shortest_completion(state);
    answer = (text.ok() && shortest_segmentation(vocabulary.trie(), *text).has_value()) ||
             search(recognizer, vocabulary, state, {.any_live_state = true}).status().code() !=
                 StatusCode::kRejected;
  }
  remember(state, answer);
  return answer;
}

std::optional<size_t> TokenLiveness::known_length(const State& state) const {
  const std::lock_guard lock(mutex_);
  const auto it = lengths_.find(state);
  return it == lengths_.end() ? std::nullopt : std::optional(it->second);
}

size_t TokenLiveness::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  constexpr size_t kEntry = 48;
  return (known_.size() + lengths_.size()) * kEntry +
         (known_.bucket_count() + lengths_.bucket_count()) * sizeof(void*);
}

Result<std::vector<TokenId>> TokenLiveness::completion(Recognizer& recognizer,
                                                       const Vocabulary& vocabulary, State state) {
  Result<std::vector<TokenId>> tokens = find(recognizer, vocabulary, state);
  const std::lock_guard lock(mutex_);
  if (lengths_.size() >= kMaxRemembered) lengths_.clear();
  lengths_.emplace(state, tokens.ok() ? tokens->size() : SIZE_MAX);
  return tokens;
}

Result<std::vector<TokenId>> TokenLiveness::find(Recognizer& recognizer,
                                                 const Vocabulary& vocabulary, State state) {
  if (state.dead()) return Status(StatusCode::kRejected, "The state has no completion.");
  if (recognizer.accepting(state)) return std::vector<TokenId>();
  const Result<std::string> text = recognizer.shortest_completion(state);
  if (text.ok()) {
    if (auto tokens = shortest_segmentation(vocabulary.trie(), *text)) {
      if (vocabulary.trie().size() > kSmallTrie || tokens->size() <= 1) return *std::move(tokens);
      auto fewer = search(recognizer, vocabulary, state,
                          {.max_tokens = tokens->size() - 1, .max_edges = kSmallTrieEdges});
      return fewer.ok() ? std::move(fewer) : *std::move(tokens);
    }
  }
  if (!text.ok() && !needed(vocabulary)) return text.status();
  bool live = true;
  if (known(state, &live) && !live) {
    return Status(StatusCode::kRejected, "No sequence of tokens completes the text.");
  }
  return search(recognizer, vocabulary, state, {});
}

/// Breadth-first search for an accepting state (or one that is known to be live: the returned
/// tokens then end there).
Result<std::vector<TokenId>> TokenLiveness::search(Recognizer& recognizer,
                                                   const Vocabulary& vocabulary, State state,
                                                   const SearchLimits& limits) {
  struct Visit {
    State state;
    uint32_t parent;
    TokenId token;
    uint32_t depth;
  };
  constexpr uint32_t kNone = UINT32_MAX;
  const TokenTrie& trie = vocabulary.trie();
  std::vector<Visit> visits{{state, kNone, -1, 0}};
  std::unordered_map<State, uint32_t, StateHash> index{{state, 0}};
  std::vector<std::pair<State, uint32_t>> stack;
  std::optional<uint32_t> goal;
  size_t edges = 0;
  bool exhausted = true;

  const auto discover = [&](const State& next, uint32_t parent, TokenId token) {
    const auto at = static_cast<uint32_t>(visits.size());
    if (!index.try_emplace(next, at).second) return;
    bool live = true;
    const bool is_known = known(next, &live);
    if (is_known && !live) return;
    visits.push_back({next, parent, token, visits[parent].depth + 1});
    if ((limits.any_live_state && is_known) || recognizer.accepting(next)) goal = at;
  };

  for (uint32_t at = 0; at < visits.size() && !goal; ++at) {
    if (visits.size() > kMaxStates || edges > limits.max_edges ||
        visits[at].depth >= limits.max_tokens || !recognizer.status().ok()) {
      exhausted = false;
      break;
    }
    if (trie.size() == 0) break;
    stack.assign(1, {visits[at].state, 0});
    while (!stack.empty() && !goal) {
      const auto [here, node_index] = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(node_index);
      if (node.token >= 0) discover(here, at, node.token);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const State next = recognizer.step(here, trie.node(child).byte);
        ++edges;
        if (!next.dead()) stack.emplace_back(next, child);
      }
    }
  }

  if (!goal) {
    if (!exhausted) {
      return Status(StatusCode::kBudgetExceeded,
                    "The search for a completion in tokens exceeded its budget.");
    }
    for (const Visit& visit : visits) remember(visit.state, false);
    return Status(StatusCode::kRejected, "No sequence of tokens completes the text.");
  }
  std::vector<TokenId> tokens;
  for (uint32_t at = *goal; at != kNone; at = visits[at].parent) {
    remember(visits[at].state, true);
    if (visits[at].token >= 0) tokens.push_back(visits[at].token);
  }
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

}  // namespace espalier
