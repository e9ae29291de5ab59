#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "engine/mask_bits.h"

namespace espalier {

/// Tokens of one block of a row: a multiple of 32, so that a block has whole mask words.
inline constexpr size_t kBlockTokens = 512;

/// What one pass over a block finds.
struct BlockSum {
  /// Largest log-weight of the support; -infinity when there is none.
  float max = -std::numeric_limits<float>::infinity();
  /// Sum of exp(log-weight - max) over the support; NaN when an entry is NaN or +infinity.
  double sum = 0;
};

/// What becomes of blocks in which nothing is supported: their entries are checked, or not read.
enum class Unsupported : uint8_t { kCheck, kSkip };

/// Sums each block of a row over the tokens whose bit is set. `support` has the words of whole
/// blocks, and no bit beyond the row; `sums` one entry for each block.
void sum_blocks(std::span<const float> row, const MaskWord* support, Unsupported unsupported,
                BlockSum* sums);
/// masses[i] = sums[i].sum exp(sums[i].max - reference), 0 for empty blocks.
void scale_blocks(std::span<const BlockSum> sums, double reference, double* masses);
/// weights[i] = exp(row[i] - max) where the bit is set, else 0, for one block of `size` <=
/// kBlockTokens log-weights: the terms that sum_blocks added. Entries of `weights` beyond the block
/// are zero or not written.
void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 std::span<float, kBlockTokens> weights);

}  // namespace espalier
