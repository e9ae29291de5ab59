#pragma once

#include <cstddef>
#include <span>

#include "engine/mask_bits.h"

namespace espalier {

/// Tokens of one block of a row: a multiple of 32, so that a block has whole mask words.
inline constexpr size_t kBlockTokens = 512;

/// What one pass over a block finds.
struct BlockSum {
  float max = 0;      ///< largest log-weight of the support; -infinity when there is none
  double sum = 0;     ///< sum of exp(log-weight - max) over the support
  bool valid = true;  ///< no entry, supported or not, is NaN or +infinity
};

/// Sums a block of `size` <= kBlockTokens log-weights over the tokens whose bit is set.
BlockSum sum_block(const float* row, const MaskWord* support, size_t size);
/// weights[i] = exp(row[i] - max) where the bit is set, else 0: the terms that sum_block added.
/// Entries of `weights` beyond the block are zero or not written.
void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 std::span<float, kBlockTokens> weights);

}  // namespace espalier
