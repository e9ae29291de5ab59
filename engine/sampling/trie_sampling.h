#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/random.h"
#include "engine/sampling/bound_trie.h"
#include "engine/sampling/prefix_tree.h"

namespace espalier {

/// What is done where a draw leaves the visited prefixes; u is the new prefix, z(u) the probability
/// that its next token is allowed.
enum class TrieMethod : uint8_t {
  kAsap,        ///< nothing: biased, less so as the trie fills
  kCars,        ///< draw from the model itself; start again when that is refused: exact
  kMars,        ///< go on with probability z(u), else start again: exact
  kImportance,  ///< multiply the weight by z(u): properly weighted, never starts again
};

struct TrieDraw {
  std::vector<TokenId> tokens;  ///< without the end of sequence; of a refused draw, its prefix
  bool accepted = false;
  /// kImportance: the sample's weight. Else log B(root) before the draw where it was accepted: its
  /// exponential, averaged over attempts, is unbiased for Z (not kAsap).
  double log_weight = 0;
};

/// Draws texts from one trie of bounds. Single-threaded.
class TrieSampler {
 public:
  TrieSampler(PrefixTree* tree, BoundTrie* trie) : tree_(tree), trie_(trie) {}

  /// One attempt. The trie learns from it, accepted or not.
  Result<TrieDraw> attempt(TrieMethod method, Random* random);
  /// The same with nothing learned: for importance draws from a fixed trie.
  Result<TrieDraw> attempt_frozen(TrieMethod method, Random* random);

 private:
  enum class Learning : uint8_t { kOn, kOff };
  Result<TrieDraw> descend(TrieMethod method, Learning learning, Random* random);
  std::optional<size_t> choose(const MaskedRow& row, BoundTrie::Node place, Random* random) const;

  PrefixTree* tree_;
  BoundTrie* trie_;
};

}  // namespace espalier
