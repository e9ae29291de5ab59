#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "espalier/vocabulary.h"

namespace espalier {

/// One word of a mask row. Servers own rows of int32; the bits are the same.
using MaskWord = uint32_t;

inline void set_mask_bit(std::span<MaskWord> row, TokenId token) {
  row[static_cast<uint32_t>(token) >> 5] |= MaskWord{1} << (token & 31);
}
inline void clear_mask_bit(std::span<MaskWord> row, TokenId token) {
  row[static_cast<uint32_t>(token) >> 5] &= ~(MaskWord{1} << (token & 31));
}
inline bool mask_bit(std::span<const MaskWord> row, TokenId token) {
  return (row[static_cast<uint32_t>(token) >> 5] >> (token & 31)) & 1;
}

/// Overwrites `row` with `other`, which is no longer; words beyond its end are cleared.
inline void copy_mask(std::span<const MaskWord> other, std::span<MaskWord> row) {
  std::memcpy(row.data(), other.data(), other.size_bytes());
  std::fill(row.begin() + static_cast<ptrdiff_t>(other.size()), row.end(), 0);
}

/// Whole rows at once, with vector instructions chosen at run time. `other` is no longer than
/// `row`, does not overlap it, and words beyond its end stay as they are.
void or_mask(std::span<MaskWord> row, std::span<const MaskWord> other);       ///< row |= other
void and_mask(std::span<MaskWord> row, std::span<const MaskWord> other);      ///< row &= other
void and_not_mask(std::span<MaskWord> row, std::span<const MaskWord> other);  ///< row &= ~other
size_t count_mask_bits(std::span<const MaskWord> row);

/// Calls `visit(token)` for every set bit in ascending order, until it returns false.
template <typename Visit>
void for_each_mask_bit(std::span<const MaskWord> row, Visit&& visit) {
  for (size_t word = 0; word < row.size(); ++word) {
    for (MaskWord bits = row[word]; bits != 0; bits &= bits - 1) {
      const int bit = std::countr_zero(bits);
      if (!visit(static_cast<TokenId>(word * 32 + static_cast<size_t>(bit)))) return;
    }
  }
}

/// A server's row seen as words (int32_t and uint32_t may alias).
inline std::span<MaskWord> as_mask_words(std::span<int32_t> row) {
  return {reinterpret_cast<MaskWord*>(row.data()), row.size()};
}

}  // namespace espalier
