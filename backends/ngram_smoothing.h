#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/ngram_file.h"

namespace espalier {

/// What modified Kneser-Ney takes off a count.
inline double discount_of(const Discounts& discounts, uint32_t count) {
  return static_cast<double>(discounts[std::min<uint32_t>(count, 3) - 1]) / kDiscountUnit;
}

/// A context's counts as an interpolated distribution: continuation i has share(i) of its own, and
/// the next shorter context's distribution gets `backoff`. Shares and backoff add up to 1.
class ContextShares {
 public:
  ContextShares(const NgramTrie& trie, size_t node, size_t length)
      : counts_(trie.entry_count.data() + trie.first_entry[node]),
        discounts_(trie.discounts[length]) {
    const size_t entries = trie.first_entry[node + 1] - trie.first_entry[node];
    total_ = static_cast<double>(trie.residual[node]);
    double left = total_;
    for (size_t i = 0; i < entries; ++i) {
      total_ += counts_[i];
      left += discount_of(discounts_, counts_[i]);
    }
    backoff_ = left / total_;
  }
  double share(size_t i) const {
    return (counts_[i] - discount_of(discounts_, counts_[i])) / total_;
  }
  double backoff() const { return backoff_; }

 private:
  const uint32_t* counts_;
  const Discounts& discounts_;
  double total_ = 0;
  double backoff_ = 1;
};

}  // namespace espalier
