// Drawing tokens from a row of log-weights without sorting it.
//
// The row is cut into blocks of 512. One pass gives each block its largest log-weight m and its sum
// s of exp(l - m); from then on a draw picks a group of blocks, a block and a token by inversion,
// and reads the row in that block only. Taking a token out sums its block anew. So the mass that is
// left is always a sum of what is left, never a difference: it cannot drift, and what remains after
// 1 - 1e-30 of the mass is gone is as accurate as at first.
//
//   weights .6 | .399995 | 5e-6:   total 1;  without the first two tokens total 5e-6, exactly
//
// Two scales keep everything in range. Inside a block weights are floats relative to its own
// largest one. Between blocks masses are doubles relative to exp(reference_), which follows the
// largest log-weight when that has fallen far below it. A weight below exp(-87) of its block's
// largest counts as zero, for as long as heavier ones are left in the block.
//
// Cost at 128k tokens: the pass, then per draw two short sums and one block, and the same per
// exclusion; memory: a copy of the support and 1% of the row.

#include "engine/sampling/token_row.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/sampling/row_kernels.h"
#include "grammar/tables/sort_unique.h"

namespace espalier {
namespace {

constexpr size_t kBlockWords = kBlockTokens / 32;
/// How far (as a logarithm) the largest weight may fall below the reference.
constexpr double kMaxFall = 300;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// The index where the running sum of `masses` passes `*point`, which becomes the rest inside it.
/// Rounding may carry the point past the end: then the last index with any mass.
template <typename Mass>
size_t find(std::span<const Mass> masses, double* point) {
  size_t last = 0;
  for (size_t i = 0; i < masses.size(); ++i) {
    const auto mass = static_cast<double>(masses[i]);
    if (mass <= 0) continue;
    if (*point < mass) return i;
    *point -= mass;
    last = i;
  }
  *point = static_cast<double>(masses[last]);
  return last;
}

}  // namespace

size_t TokenRow::block_size(size_t block) const {
  return std::min(kBlockTokens, row_.size() - block * kBlockTokens);
}

Status TokenRow::start(std::span<const float> row, std::span<const MaskWord> support,
                       Unsupported unsupported) {
  row_ = row;
  excluded_.clear();
  const size_t blocks = (row.size() + kBlockTokens - 1) / kBlockTokens;
  const size_t words = (row.size() + 31) / 32;
  support_.resize(blocks * kBlockWords);
  std::fill(std::copy_n(support.begin(), words, support_.begin()), support_.end(), 0);
  blocks_.resize(blocks);
  block_mass_.resize(blocks);
  group_mass_.resize((blocks + kGroupBlocks - 1) / kGroupBlocks);
  sum_blocks(row, support_.data(), unsupported, blocks_.data());
  const bool valid = std::none_of(blocks_.begin(), blocks_.end(),
                                  [](const BlockSum& block) { return std::isnan(block.sum); });
  if (!valid) std::fill(blocks_.begin(), blocks_.end(), BlockSum());
  rescale();
  if (valid) return Status();
  return Status(StatusCode::kInvalidArgument, "The row holds a NaN or +infinity.", "row");
}

void TokenRow::clear() {
  row_ = {};
  support_.clear();
  excluded_.clear();
  blocks_.clear();
  block_mass_.clear();
  group_mass_.clear();
  rescale();
}

void TokenRow::sum(size_t block) {
  sum_blocks(row_.subspan(block * kBlockTokens, block_size(block)),
             support_.data() + block * kBlockWords, Unsupported::kCheck, &blocks_[block]);
}

void TokenRow::rescale() {
  float max = kMinusInfinity;
  for (const BlockSum& block : blocks_) max = std::max(max, block.max);
  reference_ = max == kMinusInfinity ? kNothing : static_cast<double>(max);
  scale_blocks(blocks_, reference_, block_mass_.data());
  total_ = 0;
  for (size_t group = 0; group < group_mass_.size(); ++group) {
    const size_t first = group * kGroupBlocks;
    const size_t last = std::min(first + kGroupBlocks, blocks_.size());
    group_mass_[group] = std::accumulate(block_mass_.begin() + static_cast<ptrdiff_t>(first),
                                         block_mass_.begin() + static_cast<ptrdiff_t>(last), 0.0);
    total_ += group_mass_[group];
  }
}

/// After a block's sum has changed.
void TokenRow::refresh(size_t block) {
  float max = kMinusInfinity;
  for (const BlockSum& other : blocks_) max = std::max(max, other.max);
  const double log_max = static_cast<double>(max);
  if (max == kMinusInfinity || reference_ == kNothing || log_max > reference_ ||
      log_max < reference_ - kMaxFall) {
    rescale();
    return;
  }
  scale_blocks(std::span(blocks_).subspan(block, 1), reference_, &block_mass_[block]);
  const size_t group = block / kGroupBlocks;
  const size_t first = group * kGroupBlocks;
  const size_t last = std::min(first + kGroupBlocks, blocks_.size());
  group_mass_[group] = std::accumulate(block_mass_.begin() + static_cast<ptrdiff_t>(first),
                                       block_mass_.begin() + static_cast<ptrdiff_t>(last), 0.0);
  total_ = std::accumulate(group_mass_.begin(), group_mass_.end(), 0.0);
}

double TokenRow::log_total() const {
  return empty() ? -std::numeric_limits<double>::infinity() : reference_ + std::log(total_);
}

std::vector<TokenId> TokenRow::tokens() const {
  std::vector<TokenId> tokens;
  for_each_mask_bit(support_, [&](TokenId token) {
    if (row_[static_cast<size_t>(token)] > kMinusInfinity) tokens.push_back(token);
    return true;
  });
  return tokens;
}

TokenId TokenRow::draw(Random* random) const {
  double point = random->unit() * total_;
  const size_t group = find(std::span<const double>(group_mass_), &point);
  const size_t first = group * kGroupBlocks;
  const size_t count = std::min(kGroupBlocks, blocks_.size() - first);
  const size_t block =
      first + find(std::span<const double>(block_mass_).subspan(first, count), &point);
  point *= blocks_[block].sum / block_mass_[block];
  std::array<float, kBlockTokens> weights;
  const size_t size = block_size(block);
  weigh_block(row_.data() + block * kBlockTokens, support_.data() + block * kBlockWords, size,
              blocks_[block].max, weights);
  const size_t offset = find(std::span<const float>(weights).first(size), &point);
  return static_cast<TokenId>(block * kBlockTokens + offset);
}

void TokenRow::exclude(TokenId token) {
  if (!contains(token)) return;
  clear_mask_bit(support_, token);
  excluded_.push_back(token);
  const size_t block = static_cast<size_t>(token) / kBlockTokens;
  sum(block);
  refresh(block);
}

void TokenRow::restore() {
  std::vector<size_t> changed;
  for (const TokenId token : excluded_) {
    set_mask_bit(support_, token);
    changed.push_back(static_cast<size_t>(token) / kBlockTokens);
  }
  excluded_.clear();
  sort_unique(&changed);
  for (const size_t block : changed) sum(block);
  if (!changed.empty()) rescale();
}

}  // namespace espalier
