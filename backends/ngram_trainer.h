#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backends/ngram_file.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Every n-gram of a corpus with its raw and its Kneser-Ney count, and what each is worth.
class NgramTrainer {
 public:
  /// `documents` without end of sequence; `eos` begins and ends each. `usable_ids` is the number of
  /// ids that may come next (ordinary ones and ends of sequence). The order is
  /// within 1..kMaxNgramOrder.
  NgramTrainer(std::span<const std::vector<TokenId>> documents, TokenId eos, size_t usable_ids,
               int order);

  /// All n-grams; trie.entry_count holds Kneser-Ney counts.
  const NgramTrie& full() const { return trie_; }

  /// The n-grams worth at least `threshold` nats, the empty context's all.
  NgramTrie pruned(double threshold) const;
  /// Prunes as little as makes the model file fit; what cannot be pruned is kept however large.
  NgramTrie pruned_to(const NgramVocabulary& vocabulary, size_t max_bytes) const;

 private:
  void build(std::span<const std::vector<TokenId>> documents, TokenId eos);
  void add_entries(std::span<const uint32_t> positions);
  void count_continuations();
  void estimate_discounts();
  void score_entries(size_t usable_ids);
  size_t place_in_parent(size_t node, size_t entry) const;

  NgramTrie trie_;
  std::vector<uint32_t> raw_counts_;  // how often each entry's n-gram occurs in the corpus
  std::vector<uint32_t> parent_;
  std::vector<uint8_t> length_;
  std::vector<double> score_;

  std::vector<TokenId> text_;    // all documents, each between two ends of sequence
  std::vector<uint32_t> start_;  // by position in text_: where its document begins
};

}  // namespace espalier
