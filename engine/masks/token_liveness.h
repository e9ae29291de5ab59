#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/hash.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// Completions in tokens, and whether there is one: for vocabularies in which some byte is no token
/// by itself, a state that bytes can complete may be one that tokens cannot. One object per
/// recognizer and vocabulary; it remembers what it found. Thread-safe.
class TokenLiveness {
 public:
  /// How far one search may go.
  static constexpr size_t kMaxStates = 20'000;
  static constexpr size_t kMaxEdges = 4'000'000;
  static constexpr size_t kMaxTokens = 1'000;
  static constexpr size_t kMaxRemembered = 1'000'000;
  /// How far one may go that looks for fewer tokens than the shortest bytes need. Over a trie of
  /// more nodes than kSmallTrie it goes less far, and past no state that remembers a text.
  static constexpr size_t kSmallTrie = 1024;
  static constexpr size_t kMaxFewerEdges = 50'000;
  static constexpr size_t kMaxFewerEdgesOfMany = 3'000;

  /// Must masks of this vocabulary be filtered at all?
  static bool needed(const Vocabulary& vocabulary) { return !vocabulary.has_all_bytes(); }

  /// Can tokens complete `state`? When the search exceeds its budget the answer is yes, as bytes
  /// can.
  bool live(Recognizer& recognizer, const Vocabulary& vocabulary, State state);

  /// The tokens of a completion of `state` in at most `max_tokens` tokens: the spelling of the
  /// recognizer's shortest completion if that fits, else the fewest, found by search. kRejected
  /// when there is none, kBudgetExceeded when none was found in time.
  Result<std::vector<TokenId>> completion(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state, size_t max_tokens = SIZE_MAX);
  /// The fewest tokens that complete `state`; errors as above.
  Result<size_t> fewest(Recognizer& recognizer, const Vocabulary& vocabulary, State state);
  /// Is there a completion in at most `tokens` tokens, as far as can be told?
  bool completes_within(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                        size_t tokens);
  /// `tokens` complete `state`: holds for what is asked later about the states on their way.
  void remember_path(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                     std::span<const TokenId> tokens);
  size_t memory_bytes() const;

 private:
  /// What is known of the fewest tokens that complete a state.
  struct Fewest {
    size_t at_least = 1;
    size_t at_most = SIZE_MAX;
    TokenId next = -1;  ///< the first of `at_most` tokens
  };
  struct SearchLimits {
    bool any_live_state = false;  ///< a state known to be live is good enough
    size_t max_tokens = kMaxTokens;
    size_t max_edges = kMaxEdges;
    bool skip_texts = false;  ///< states that remember a text are not looked at
  };

  /// As `completion`, given the recognizer's shortest one.
  Result<std::vector<TokenId>> completion_like(Recognizer& recognizer, const Vocabulary& vocabulary,
                                               State state, const Result<std::string>& text,
                                               size_t max_tokens);
  bool known(const State& state, bool* live) const;
  void remember(const State& state, bool live);
  Fewest known_fewest(const State& state) const;
  /// The tokens of a completion that is remembered, at most `max_tokens` of them.
  std::optional<std::vector<TokenId>> remembered(Recognizer& recognizer,
                                                 const Vocabulary& vocabulary, State state,
                                                 size_t max_tokens) const;
  template <typename Change>
  void remember_fewest(const State& state, const Change& change);
  Result<std::vector<TokenId>> search(Recognizer& recognizer, const Vocabulary& vocabulary,
                                      State state, const SearchLimits& limits);

  mutable std::mutex mutex_;
  std::unordered_map<State, bool, StateHash> known_;
  std::unordered_map<State, Fewest, StateHash> fewest_;
};

}  // namespace espalier
