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
//     way to it are live;
//   - when the search runs dry, no state it met can be completed, and all of them are dead;
//   - when it exceeds its budget nothing is concluded, and the state counts as live (`5.55` where
//     only halves are allowed and the tokens are `5` and `.`: every further digit is a new state).
// Before any search the recognizer's own shortest completion is spelled in tokens, which nearly
// always succeeds.
//
// The fewest bytes are not always the fewest tokens: of `(zqxj|function)` the first is shorter in
// bytes, the second in tokens. So where a token budget is below what the shortest bytes need, a
// search as deep as the budget looks for less; what it found holds for the states on its way too,
// so that a text that was begun within a budget can be completed within it. Each byte of a text
// that is remembered (a property's free name) makes a state of its own; over large vocabularies
// such states are completed by their shortest bytes alone, and a search ends early: where so many
// tokens are allowed, the shortest bytes are one or two of them.
//
// Tokens lead to states by `step`, as memos need interned states; a trie node is stepped once for
// all tokens below it. Cost: the live trie edges of each state met, once for each state.

#include "engine/masks/token_liveness.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/tokens/segmentation.h"
#include "engine/tokens/token_trie.h"

namespace espalier {
namespace {

Status too_long() {
  return Status(StatusCode::kBudgetExceeded, "No completion fits the token budget.");
}

}  // namespace

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

TokenLiveness::Fewest TokenLiveness::known_fewest(const State& state) const {
  const std::lock_guard lock(mutex_);
  const auto it = fewest_.find(state);
  return it == fewest_.end() ? Fewest() : it->second;
}

template <typename Change>
void TokenLiveness::remember_fewest(const State& state, const Change& change) {
  const std::lock_guard lock(mutex_);
  if (fewest_.size() >= kMaxRemembered) fewest_.clear();
  change(&fewest_[state]);
}

void TokenLiveness::remember_path(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                                  std::span<const TokenId> tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const size_t rest = tokens.size() - i;
    bool better = false;
    remember_fewest(state, [&](Fewest* known) {
      better = rest < known->at_most;
      if (!better) return;
      known->at_most = rest;
      known->next = tokens[i];
    });
    if (!better) return;  // the rest of a way that is no longer has been remembered with it
    for (const char c : vocabulary.bytes(tokens[i])) {
      state = recognizer.step(state, static_cast<uint8_t>(c));
    }
  }
}

std::optional<std::vector<TokenId>> TokenLiveness::remembered(Recognizer& recognizer,
                                                              const Vocabulary& vocabulary,
                                                              State state,
                                                              size_t max_tokens) const {
  std::vector<TokenId> tokens;
  while (!state.dead() && !recognizer.accepting(state)) {
    const Fewest known = known_fewest(state);
    if (known.next < 0 || tokens.size() == max_tokens) return std::nullopt;
    tokens.push_back(known.next);
    for (const char c : vocabulary.bytes(known.next)) {
      state = recognizer.step(state, static_cast<uint8_t>(c));
    }
  }
  if (state.dead()) return std::nullopt;
  return tokens;
}

size_t TokenLiveness::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  constexpr size_t kEntry = 48;
  return (known_.size() + fewest_.size()) * kEntry +
         (known_.bucket_count() + fewest_.bucket_count()) * sizeof(void*);
}

bool TokenLiveness::completes_within(Recognizer& recognizer, const Vocabulary& vocabulary,
                                     State state, size_t tokens) {
  if (state.dead()) return false;
  if (recognizer.accepting(state)) return true;
  const Fewest fewest = known_fewest(state);
  if (fewest.at_most <= tokens) return true;
  if (fewest.at_least > tokens) return false;
  if (!needed(vocabulary)) {
    // Each byte is a token, and nothing has to be remembered far from the bound.
    const Result<std::string> text = recognizer.shortest_completion(state);
    if (!text.ok() || text->size() <= tokens) return text.ok();
    return completion_like(recognizer, vocabulary, state, text, tokens).ok();
  }
  return completion(recognizer, vocabulary, state, tokens).ok();
}

Result<size_t> TokenLiveness::fewest(Recognizer& recognizer, const Vocabulary& vocabulary,
                                     State state) {
  auto tokens = completion(recognizer, vocabulary, state);
  if (!tokens.ok()) return tokens.status();
  size_t count = tokens->size();
  while (count > 1) {
    tokens = completion(recognizer, vocabulary, state, count - 1);
    if (!tokens.ok()) break;
    count = tokens->size();
  }
  return count;
}

Result<std::vector<TokenId>> TokenLiveness::completion(Recognizer& recognizer,
                                                       const Vocabulary& vocabulary, State state,
                                                       size_t max_tokens) {
  if (state.dead()) return Status(StatusCode::kRejected, "The state has no completion.");
  if (recognizer.accepting(state)) return std::vector<TokenId>();
  if (known_fewest(state).at_least > max_tokens) return too_long();
  return completion_like(recognizer, vocabulary, state, recognizer.shortest_completion(state),
                         max_tokens);
}

Result<std::vector<TokenId>> TokenLiveness::completion_like(Recognizer& recognizer,
                                                            const Vocabulary& vocabulary,
                                                            State state,
                                                            const Result<std::string>& text,
                                                            size_t max_tokens) {
  if (text.ok()) {
    if (auto spelled = shortest_segmentation(vocabulary.trie(), *text)) {
      if (spelled->size() <= max_tokens) {
        remember_path(recognizer, vocabulary, state, *spelled);
        return *std::move(spelled);
      }
    }
  }
  if (auto known = remembered(recognizer, vocabulary, state, max_tokens)) return *std::move(known);
  if (!text.ok() && !needed(vocabulary)) return text.status();
  bool live = true;
  if (known(state, &live) && !live) {
    return Status(StatusCode::kRejected, "No sequence of tokens completes the text.");
  }
  SearchLimits limits;
  if (max_tokens != SIZE_MAX) {
    const bool many = vocabulary.trie().size() > kSmallTrie;
    limits = {.max_tokens = std::min(max_tokens, kMaxTokens),
              .max_edges = many ? kMaxFewerEdgesOfMany : kMaxFewerEdges,
              .skip_texts = many};
  }
  if (limits.skip_texts && state.text != 0) return too_long();
  auto found = search(recognizer, vocabulary, state, limits);
  if (found.ok()) {
    remember_path(recognizer, vocabulary, state, *found);
  } else if (max_tokens != SIZE_MAX) {
    remember_fewest(
        state, [&](Fewest* known) { known->at_least = std::max(known->at_least, max_tokens + 1); });
  }
  return found;
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

  const auto skipped = [&](const State& next) { return limits.skip_texts && next.text != 0; };
  for (uint32_t at = 0; at < visits.size() && !goal; ++at) {
    if (visits.size() > kMaxStates || edges > limits.max_edges ||
        visits[at].depth >= limits.max_tokens || !recognizer.status().ok()) {
      exhausted = false;
      break;
    }
    if (trie.size() == 0) break;
    stack.assign(1, {visits[at].state, 0});
    while (!stack.empty() && !goal && edges <= limits.max_edges) {
      const auto [here, node_index] = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(node_index);
      if (node.token >= 0) discover(here, at, node.token);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const State next = recognizer.step(here, trie.node(child).byte);
        ++edges;
        if (next.dead()) continue;
        if (skipped(next)) {
          exhausted = false;
        } else {
          stack.emplace_back(next, child);
        }
      }
    }
  }

  if (!goal) {
    if (!exhausted || edges > limits.max_edges) {
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
