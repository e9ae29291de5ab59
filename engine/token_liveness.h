#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
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
  static constexpr size_t kMaxRemembered = 1'000'000;
  /// Over a trie of at most this many nodes, completions are searched for exactly, up to this many
  /// edges; over larger ones the spelling of the shortest bytes is good enough.
  static constexpr size_t kSmallTrie = 1024;
  static constexpr size_t kSmallTrieEdges = 50'000;

  /// Must masks of this vocabulary be filtered at all?
  static bool needed(const Vocabulary& vocabulary) { return !vocabulary.has_all_bytes(); }

  /// Can tokens complete `state`? When the search exceeds its budget the answer is yes, as bytes
  /// can.
  bool live(Recognizer& recognizer, const Vocabulary& vocabulary, State state);

  /// The tokens of a short completion of `state`: the fewest that spell the recognizer's shortest
  /// completion, else the fewest found by search. kRejected when there is none, kBudgetExceeded
  /// when none was found in time.
  Result<std::vector<TokenId>> completion(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state);

  /// The size of a completion that was found before, SIZE_MAX when none was found; nullopt when it
  /// was not asked.
  std::optional<size_t> known_length(const State& state) const;
  size_t memory_bytes() const;

 private:
  bool known(const State& state, bool* live) const;
  void remember(const State& state, bool live);
  Result<std::vector<TokenId>> find(Recognizer& recognizer, const Vocabulary& vocabulary,
                                    State state);
  struct SearchLimits {
    bool any_live_state = false;  ///< a state known to be live is good enough
    size_t max_tokens = SIZE_MAX;
    size_t max_edges = kMaxEdges;
  };
  Result<std::vector<TokenId>> search(Recognizer& recognizer, const Vocabulary& vocabulary,
                                      State state, const SearchLimits& limits);

  mutable std::mutex mutex_;
  std::unordered_map<State, bool, StateHash> known_;
  std::unordered_map<State, size_t, StateHash> lengths_;
};

}  // namespace espalier
