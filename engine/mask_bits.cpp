// Rows combined and counted, for the vector instructions that the processor has.
//
// Highway compiles this file once for each instruction set it knows, plain C++ among them, and
// picks one at the first call. Rows are tens of kilobytes and streams of independent words, so the
// loops are as wide as the registers; what is left at the end is one partial vector. Copies are
// memcpy's, which chooses by itself.
//
// Cost: a row of 128k tokens is combined in about a microsecond from the second-level cache.

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/mask_bits.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// The order matters: the targets come before what is compiled for each.
#include "engine/mask_bits.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Words = hn::ScalableTag<MaskWord>;

/// row[i] = combine(row[i], other[i]).
template <typename Combine>
HWY_INLINE void combine_rows(MaskWord* HWY_RESTRICT row, const MaskWord* HWY_RESTRICT other,
                             size_t size, Combine&& combine) {
  const Words tag;
  const size_t lanes = hn::Lanes(tag);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(combine(hn::LoadU(tag, row + i), hn::LoadU(tag, other + i)), tag, row + i);
  }
  const hn::CappedTag<MaskWord, 1> one;
  for (; i < size; ++i) {
    hn::StoreU(combine(hn::LoadU(one, row + i), hn::LoadU(one, other + i)), one, row + i);
  }
}

void or_rows(MaskWord* row, const MaskWord* other, size_t size) {
  combine_rows(row, other, size, [](auto a, auto b) { return hn::Or(a, b); });
}
void and_rows(MaskWord* row, const MaskWord* other, size_t size) {
  combine_rows(row, other, size, [](auto a, auto b) { return hn::And(a, b); });
}
void and_not_rows(MaskWord* row, const MaskWord* other, size_t size) {
  combine_rows(row, other, size, [](auto a, auto b) { return hn::AndNot(b, a); });
}

size_t count_row(const MaskWord* row, size_t size) {
  const Words tag;
  const size_t lanes = hn::Lanes(tag);
  auto sum = hn::Zero(tag);  // 2^32 bits would overflow a lane; rows are far shorter
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    sum = hn::Add(sum, hn::PopulationCount(hn::LoadU(tag, row + i)));
  }
  size_t count = hn::GetLane(hn::SumOfLanes(tag, sum));
  for (; i < size; ++i) count += static_cast<size_t>(std::popcount(row[i]));
  return count;
}

}  // namespace HWY_NAMESPACE
}  // namespace espalier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(or_rows);
HWY_EXPORT(and_rows);
HWY_EXPORT(and_not_rows);
HWY_EXPORT(count_row);

void or_mask(std::span<MaskWord> row, std::span<const MaskWord> other) {
  HWY_DYNAMIC_DISPATCH(or_rows)(row.data(), other.data(), other.size());
}
void and_mask(std::span<MaskWord> row, std::span<const MaskWord> other) {
  HWY_DYNAMIC_DISPATCH(and_rows)(row.data(), other.data(), other.size());
}
void and_not_mask(std::span<MaskWord> row, std::span<const MaskWord> other) {
  HWY_DYNAMIC_DISPATCH(and_not_rows)(row.data(), other.data(), other.size());
}
size_t count_mask_bits(std::span<const MaskWord> row) {
  return HWY_DYNAMIC_DISPATCH(count_row)(row.data(), row.size());
}

}  // namespace espalier
#endif
