// The two loops over a row of log-weights.

#include "engine/sampling/row_kernels.h"

#include <cmath>
#include <limits>

namespace espalier {

BlockSum sum_block(const float* row, const MaskWord* support, size_t size) {
  BlockSum block{.max = -std::numeric_limits<float>::infinity()};
  for (size_t i = 0; i < size; ++i) {
    if (!(row[i] <= std::numeric_limits<float>::max())) block.valid = false;
    if ((support[i / 32] >> (i % 32)) & 1 && row[i] > block.max) block.max = row[i];
  }
  if (block.max == -std::numeric_limits<float>::infinity()) return block;
  float weights[kBlockTokens];
  weigh_block(row, support, size, block.max, weights);
  for (size_t i = 0; i < size; ++i) block.sum += static_cast<double>(weights[i]);
  return block;
}

void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 float* weights) {
  for (size_t i = 0; i < size; ++i) {
    weights[i] = (support[i / 32] >> (i % 32)) & 1 ? std::exp(row[i] - max) : 0.0f;
  }
}

}  // namespace espalier
