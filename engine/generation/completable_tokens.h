#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/masks/token_liveness.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// A text that completed a state, or a state after one of its tokens.
struct CompletingText {
  std::string bytes;
  std::vector<size_t> tokens;  ///< the fewest that spell the text from each byte on
};

/// Which tokens of one state's mask leave what few tokens can complete: the answers of
/// TokenLiveness::completes_within, for whole masks. See completable_tokens.cpp.
class CompletableTokens {
 public:
  CompletableTokens(Recognizer* recognizer, const Vocabulary* vocabulary, TokenLiveness* liveness,
                    State state);

  /// Clears the bits of ordinary tokens after which `tokens` tokens do not complete the text.
  void keep(std::span<MaskWord> mask, size_t tokens);

  /// The texts by which tokens were kept; the first completes the state itself.
  std::vector<CompletingText> take_texts() && { return std::move(texts_); }

 private:
  static constexpr size_t kMostTexts = 8;

  void add(std::string bytes);
  State probe(State s, std::string_view bytes) const;
  bool completes(TokenId token, size_t tokens);
  size_t seen(State next, size_t length);
  bool searched(TokenId token, size_t tokens);

  Recognizer* const recognizer_;
  const Vocabulary* const vocabulary_;
  TokenLiveness* const liveness_;
  const State state_;
  std::vector<CompletingText> texts_;
  /// The fewest tokens of a text that completes a probed state; SIZE_MAX: none of them does.
  std::unordered_map<State, size_t, StateHash> seen_;
  /// Probed states that are known not to be completed in time.
  std::unordered_set<State, StateHash> too_long_;
};

}  // namespace espalier
