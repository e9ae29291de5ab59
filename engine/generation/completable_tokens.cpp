// Masks under a token budget.
//
// Whether a token fits a budget is a question about the state after it: what completes that state
// in the fewest tokens? Asked of each token of a mask it would make thousands of states nobody
// visits. But far from the bound nearly any completion will do, and few are needed:
//
//   {"name": "Al            `"}` completes the text, and still does after `ice`, `an`, `\u`, ...
//   {"name": "Alice"        `}` completes it; not after `, "`, but `x": 0}` does, and so after `,
//   "a`
//
// So texts are kept that completed the state, or a state after one of its tokens. A token's bytes
// and then a text are probed, which remembers nothing, and once for each state that tokens lead to.
// Only where no text completes a token within the budget TokenLiveness is asked, and what it finds
// becomes a text. Over large vocabularies its refusals hold for all tokens that lead to an equal
// probed state: they differ in names that were not remembered at most.
//
// Invariant: a token that is kept can be completed in time, by one of the texts or by what
// TokenLiveness knows. Cost: a token's bytes and a table
// look-up; the length of a few texts for each state reached; searches near the bound.

#include "engine/generation/completable_tokens.h"

#include <algorithm>

#include "engine/tokens/segmentation.h"
#include "engine/tokens/token_trie.h"

namespace espalier {

CompletableTokens::CompletableTokens(Recognizer* recognizer, const Vocabulary* vocabulary,
                                     TokenLiveness* liveness, State state)
    : recognizer_(recognizer), vocabulary_(vocabulary), liveness_(liveness), state_(state) {
  auto text = recognizer_->shortest_completion(state_);
  add(text.ok() ? std::move(text).value() : "");
}

/// Texts are never dropped, as tokens are kept by them.
void CompletableTokens::add(std::string bytes) {
  if (texts_.size() == kMostTexts) return;
  std::vector<size_t> tokens = fewest_tokens(vocabulary_->trie(), bytes);
  texts_.push_back({std::move(bytes), std::move(tokens)});
  seen_.clear();
}

State CompletableTokens::probe(State s, std::string_view bytes) const {
  for (const char c : bytes) {
    if (s.dead()) break;
    s = recognizer_->probe(s, static_cast<uint8_t>(c));
  }
  return s;
}

/// The fewest tokens of a known text that completes `next`, to which `length` bytes led.
size_t CompletableTokens::seen(State next, size_t length) {
  const auto [known, fresh] = seen_.try_emplace(next, SIZE_MAX);
  if (!fresh) return known->second;
  const auto read = [&](const CompletingText& text, size_t skipped) {
    if (text.tokens[skipped] >= known->second) return;
    const State s = probe(next, std::string_view(text.bytes).substr(skipped));
    if (!s.dead() && !s.doubtful() && recognizer_->accepting(s)) {
      known->second = text.tokens[skipped];
    }
  };
  const CompletingText& own = texts_.front();
  read(own, std::min(length, own.bytes.size()));
  for (const CompletingText& text : texts_) read(text, 0);
  return known->second;
}

bool CompletableTokens::searched(TokenId token, size_t tokens) {
  State s = state_;
  for (const char c : vocabulary_->bytes(token)) {
    s = recognizer_->step(s, static_cast<uint8_t>(c));
    if (s.dead()) return false;
  }
  if (!liveness_->completes_within(*recognizer_, *vocabulary_, s, tokens)) return false;
  auto text = recognizer_->shortest_completion(s);
  if (text.ok()) add(std::move(text).value());
  return true;
}

bool CompletableTokens::completes(TokenId token, size_t tokens) {
  const std::string_view bytes = vocabulary_->bytes(token);
  const State next = probe(state_, bytes);
  if (next.dead()) return false;
  if (next.doubtful()) return searched(token, tokens);
  if (seen(next, bytes.size()) <= tokens) return true;
  if (too_long_.contains(next)) return false;
  if (searched(token, tokens)) return true;
  if (vocabulary_->trie().size() > TokenLiveness::kSmallTrie) too_long_.insert(next);
  return false;
}

void CompletableTokens::keep(std::span<MaskWord> mask, size_t tokens) {
  too_long_.clear();
  for_each_mask_bit(mask, [&](TokenId token) {
    if (!vocabulary_->is_eos(token) && !completes(token, tokens)) clear_mask_bit(mask, token);
    return true;
  });
}

}  // namespace espalier
