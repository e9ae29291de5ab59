#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/mask_bits.h"

namespace espalier {

/// A set of tokens as those words of its mask that are not zero: what several masks have in common
/// is kept once and ORed in, some forty words for hundreds of tokens with neighbouring ids.
/// Immutable.
class SparseMask {
 public:
  SparseMask() = default;
  explicit SparseMask(std::vector<TokenId> tokens) : size_(tokens.size()) {
    std::sort(tokens.begin(), tokens.end());
    for (const TokenId token : tokens) {
      const uint32_t index = static_cast<uint32_t>(token) >> 5;
      if (words_.empty() || words_.back().index != index) words_.push_back({index, 0});
      words_.back().bits |= MaskWord{1} << (token & 31);
    }
    words_.shrink_to_fit();
  }

  bool empty() const { return words_.empty(); }
  size_t size() const { return size_; }

  void add_to(std::span<MaskWord> row) const {
    for (const Word& word : words_) row[word.index] |= word.bits;
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Word& word : words_) {
      for (MaskWord bits = word.bits; bits != 0; bits &= bits - 1) {
        visit(
            static_cast<TokenId>(word.index * 32 + static_cast<uint32_t>(std::countr_zero(bits))));
      }
    }
  }
  size_t memory_bytes() const { return sizeof *this + words_.capacity() * sizeof(Word); }

 private:
  struct Word {
    uint32_t index;
    MaskWord bits;
  };
  std::vector<Word> words_;
  size_t size_ = 0;
};

}  // namespace espalier
