// The two loops over a row of log-weights, for the vector instructions that the processor has.
//
// Highway compiles this file once for each instruction set and picks one at the first call.
// Exponentials are single precision, and so are sums of 128 of them, by lanes; what those add up to
// is double precision. The error of a weight, some 1e-7 of it, is bounded by a test. Both loops
// compute the same exponential of the same number, so a block's sum is that of the weights a draw
// sees.
//
// A word of the support covers 32 tokens; where it is zero nothing is computed. Cost: one pass over
// a block in the nearest cache to find its largest log-weight, one to add up.

#include <algorithm>
#include <array>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/sampling/row_kernels.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// The order matters: the targets come before what is compiled for each.
#include "engine/sampling/row_kernels.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using FloatVector = hn::Vec<Floats>;

/// A block's entries by vectors; its size is a multiple of 32.
class Reader {
 public:
  Reader(const float* row, const MaskWord* support) : row_(row), support_(support) {}

  MaskWord word(size_t i) const { return support_[i / 32]; }
  FloatVector load(size_t i) const { return hn::LoadU(tag_, row_ + i); }
  hn::Mask<Floats> supported(size_t i) const {
    const uint64_t bits = support_[i / 32] >> (i % 32);
    return hn::LoadMaskBits(tag_, reinterpret_cast<const uint8_t*>(&bits));
  }

 private:
  const Floats tag_;
  const float* row_;
  const MaskWord* support_;
};

/// exp(x - max) of the supported entries, zero for others and below exp(-87). With n = round(x log2
/// e) and f = x - n log 2 it is 2^n exp(f), the latter by the polynomial of Cephes' expf.
HWY_INLINE FloatVector weigh(const Reader& block, size_t i, FloatVector max) {
  const Floats tag;
  const hn::RebindToSigned<Floats> integers;
  const FloatVector x = hn::Sub(block.load(i), max);
  const auto kept = hn::And(block.supported(i), hn::Ge(x, hn::Set(tag, -87.0f)));
  const auto n = hn::NearestInt(hn::Mul(x, hn::Set(tag, 1.44269504088896341f)));
  const FloatVector rounded = hn::ConvertTo(tag, n);
  FloatVector f = hn::MulAdd(rounded, hn::Set(tag, -0.693359375f), x);
  f = hn::MulAdd(rounded, hn::Set(tag, 2.12194440e-4f), f);
  FloatVector p = hn::Set(tag, 1.9875691500e-4f);
  p = hn::MulAdd(p, f, hn::Set(tag, 1.3981999507e-3f));
  p = hn::MulAdd(p, f, hn::Set(tag, 8.3334519073e-3f));
  p = hn::MulAdd(p, f, hn::Set(tag, 4.1665795894e-2f));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.6666665459e-1f));
  p = hn::MulAdd(p, f, hn::Set(tag, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(f, f), f), hn::Set(tag, 1.0f));
  const auto scaled = hn::Add(hn::BitCast(integers, p), hn::ShiftLeft<23>(n));
  return hn::IfThenElseZero(kept, hn::BitCast(tag, scaled));
}

BlockSum sum_block(const float* row, const MaskWord* support, size_t size) {
  const Floats tag;
  const size_t lanes = hn::Lanes(tag);
  const Reader block(row, support);
  const FloatVector lowest = hn::Set(tag, -std::numeric_limits<float>::infinity());
  const FloatVector highest = hn::Set(tag, std::numeric_limits<float>::max());

  FloatVector max = lowest;
  auto valid = hn::Le(lowest, highest);
  for (size_t i = 0; i < size; i += lanes) {
    const FloatVector x = block.load(i);
    valid = hn::And(valid, hn::Le(x, highest));
    max = hn::Max(max, hn::IfThenElse(block.supported(i), x, lowest));
  }
  BlockSum result;
  result.valid = hn::AllTrue(tag, valid);
  result.max = hn::GetLane(hn::MaxOfLanes(tag, max));
  if (!result.valid || result.max == -std::numeric_limits<float>::infinity()) {
    result.max = -std::numeric_limits<float>::infinity();
    return result;
  }
  // The weights of four words are added as floats, a few in each lane; these sums as doubles.
  max = hn::Set(tag, result.max);
  const hn::RepartitionToWide<Floats> wide;
  const hn::Rebind<float, decltype(wide)> half;
  HWY_ALIGN float sums[16];
  auto even = hn::Zero(wide);
  auto odd = hn::Zero(wide);
  constexpr size_t kTogether = 128;
  for (size_t first = 0; first < size; first += kTogether) {
    FloatVector sum = hn::Zero(tag);
    for (size_t word = first; word < std::min(first + kTogether, size); word += 32) {
      if (block.word(word) == 0) continue;
      for (size_t i = 0; i < 32; i += lanes) sum = hn::Add(sum, weigh(block, word + i, max));
    }
    hn::Store(sum, tag, sums);
    even = hn::Add(even, hn::PromoteTo(wide, hn::Load(half, sums)));
    if (hn::Lanes(half) < lanes) {
      odd = hn::Add(odd, hn::PromoteTo(wide, hn::Load(half, sums + hn::Lanes(half))));
    }
  }
  result.sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(even, odd)));
  return result;
}

void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 float* weights) {
  const Floats tag;
  const size_t lanes = hn::Lanes(tag);
  const Reader block(row, support);
  const FloatVector maximum = hn::Set(tag, max);
  for (size_t i = 0; i < size; i += lanes) hn::StoreU(weigh(block, i, maximum), tag, weights + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace espalier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(sum_block);
HWY_EXPORT(weigh_block);

namespace {

/// Calls `kernel(row, size)` with a size that is a multiple of 32: a shorter block is copied and
/// filled up with entries that have no weight.
template <typename Kernel>
auto with_whole_words(const float* row, size_t size, const Kernel& kernel) {
  if (size % 32 == 0) return kernel(row, size);
  std::array<float, kBlockTokens> whole;
  whole.fill(-std::numeric_limits<float>::infinity());
  std::copy_n(row, size, whole.begin());
  return kernel(whole.data(), (size + 31) / 32 * 32);
}

}  // namespace

BlockSum sum_block(const float* row, const MaskWord* support, size_t size) {
  return with_whole_words(row, size, [&](const float* data, size_t count) {
    return HWY_DYNAMIC_DISPATCH(sum_block)(data, support, count);
  });
}
void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 std::span<float, kBlockTokens> weights) {
  with_whole_words(row, size, [&](const float* data, size_t count) {
    HWY_DYNAMIC_DISPATCH(weigh_block)(data, support, count, max, weights.data());
  });
}

}  // namespace espalier
#endif
