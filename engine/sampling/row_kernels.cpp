// The loops over a row of log-weights, for the vector instructions that the processor has.
//
// Highway compiles this file once for each instruction set and picks one at the first call.
// Exponentials are single precision, and so are sums of 128 of them, by lanes; what those add up to
// is double precision. The error of a weight, some 1e-7 of it near the largest of its block and
// 1e-7 more for each power of e below it, is bounded by a test. All loops compute the same
// exponential of the same number, so a block's sum is that of the weights a draw sees.
//
// With y = x log2 e, n = floor(y) and f = y - n, exp(x) is 2^n times a polynomial in f that is 1 at
// 0 and within 1.3e-7 of 2^f on [0, 1). NaN goes through all of this, so a sum that is no number
// tells of one in the block, and only entries without support have to be looked at for it.
//
// A word of the support covers 32 tokens; where it is zero nothing is computed. Cost: one pass over
// a block in the nearest cache to find its largest log-weight, one to add up.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/sampling/row_kernels.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// The order matters: the targets come before what is compiled for each.
#include "engine/sampling/row_kernels.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using FloatVector = hn::Vec<Floats>;

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr size_t kWords = kBlockTokens / 32;
constexpr BlockSum kBroken{kLowest, std::numeric_limits<double>::quiet_NaN()};

/// A block's entries by vectors; its size is a multiple of 32.
class Reader {
 public:
  Reader(const float* row, const MaskWord* support) : row_(row), support_(support) {}

  MaskWord word(size_t i) const { return support_[i / 32]; }
  FloatVector load(size_t i) const { return hn::LoadU(tag_, row_ + i); }
  /// -infinity where there is no support.
  FloatVector supported(size_t i) const {
    const uint64_t bits = support_[i / 32] >> (i % 32);
    const auto mask = hn::LoadMaskBits(tag_, reinterpret_cast<const uint8_t*>(&bits));
    return hn::IfThenElse(mask, load(i), hn::Set(tag_, kLowest));
  }

 private:
  const Floats tag_;
  const float* row_;
  const MaskWord* support_;
};

/// exp(x) for x <= 0, zero from about exp(-87) on; NaN for NaN.
HWY_INLINE FloatVector exponential(FloatVector x) {
  const Floats tag;
  const FloatVector y = hn::Mul(x, hn::Set(tag, 1.44269504088896341f));
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const FloatVector f{_mm512_reduce_ps(y.raw, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
#else
  const FloatVector n = hn::Floor(y);
  const FloatVector f = hn::Sub(y, n);
#endif
  FloatVector p = hn::Set(tag, 1.8729503328e-3f);
  p = hn::MulAdd(p, f, hn::Set(tag, 9.0102188278e-3f));
  p = hn::MulAdd(p, f, hn::Set(tag, 5.5797659636e-2f));
  p = hn::MulAdd(p, f, hn::Set(tag, 2.4016872812e-1f));
  p = hn::MulAdd(p, f, hn::Set(tag, 6.9315035884e-1f));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0f));
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return FloatVector{_mm512_scalef_ps(p.raw, y.raw)};
#else
  const hn::RebindToSigned<Floats> integers;
  const auto exponent = hn::Add(hn::ConvertTo(integers, n), hn::Set(integers, 127));
  const auto scaled = hn::Mul(p, hn::BitCast(tag, hn::ShiftLeft<23>(exponent)));
  return hn::IfThenZeroElse(hn::Lt(y, hn::Set(tag, -126.0f)), scaled);
#endif
}

/// The largest supported log-weight of a block; NaN when an entry without support is NaN or
/// +infinity, or when there is no weight beside one that is NaN.
float largest(const Reader& block, size_t size) {
  const Floats tag;
  const size_t lanes = hn::Lanes(tag);
  const FloatVector highest = hn::Set(tag, std::numeric_limits<float>::max());
  const FloatVector lowest = hn::Set(tag, kLowest);
  FloatVector max = lowest;
  auto valid = hn::Eq(max, max);
  for (size_t word = 0; word < size; word += 32) {
    const MaskWord bits = block.word(word);
    for (size_t i = word; i < word + 32; i += lanes) {
      if (bits != ~MaskWord{0}) valid = hn::And(valid, hn::Le(block.load(i), highest));
      if (bits != 0) max = hn::Max(max, bits == ~MaskWord{0} ? block.load(i) : block.supported(i));
    }
  }
  const float found = hn::GetLane(hn::MaxOfLanes(tag, max));
  if (found == kLowest) {  // the larger of -infinity and NaN may be either
    for (size_t i = 0; i < size; i += lanes) {
      valid = hn::And(valid, hn::Eq(block.load(i), block.load(i)));
    }
  }
  return hn::AllTrue(tag, valid) ? found : std::numeric_limits<float>::quiet_NaN();
}

BlockSum sum_block(const float* row, const MaskWord* support, size_t size) {
  const Floats tag;
  const size_t lanes = hn::Lanes(tag);
  const Reader block(row, support);
  BlockSum result;
  const float max = largest(block, size);
  if (max == kLowest) return result;
  if (std::isnan(max)) return kBroken;
  // The weights of four words are added as floats, a few in each lane; these sums as doubles.
  const FloatVector maximum = hn::Set(tag, max);
  const hn::RepartitionToWide<Floats> wide;
  const hn::Rebind<float, decltype(wide)> half;
  HWY_ALIGN float sums[16];
  auto total = hn::Zero(wide);
  constexpr size_t kTogether = 128;
  for (size_t first = 0; first < size; first += kTogether) {
    FloatVector sum = hn::Zero(tag);
    for (size_t word = first; word < std::min(first + kTogether, size); word += 32) {
      const MaskWord bits = block.word(word);
      if (bits == 0) continue;
      if (bits == ~MaskWord{0}) {
        for (size_t i = word; i < word + 32; i += lanes) {
          sum = hn::Add(sum, exponential(hn::Sub(block.load(i), maximum)));
        }
        continue;
      }
      for (size_t i = word; i < word + 32; i += lanes) {
        sum = hn::Add(sum, exponential(hn::Sub(block.supported(i), maximum)));
      }
    }
    hn::Store(sum, tag, sums);
    for (size_t i = 0; i < lanes; i += hn::Lanes(half)) {
      total = hn::Add(total, hn::PromoteTo(wide, hn::Load(half, sums + i)));
    }
  }
  result.max = max;
  result.sum = hn::GetLane(hn::SumOfLanes(wide, total));
  if (!(result.sum < std::numeric_limits<double>::infinity())) {
    return kBroken;
  }
  return result;
}

void sum_blocks(const float* row, size_t size, const MaskWord* support, Unsupported unsupported,
                BlockSum* sums) {
  for (size_t first = 0; first < size; first += kBlockTokens, support += kWords, ++sums) {
    const bool skipped = unsupported == Unsupported::kSkip &&
                         std::all_of(support, support + kWords, [](MaskWord w) { return w == 0; });
    const size_t count = std::min(kBlockTokens, size - first);
    if (skipped) {
      *sums = BlockSum();
    } else if (count % 32 == 0) {
      *sums = sum_block(row + first, support, count);
    } else {
      // Filled up with entries that have no weight.
      std::array<float, kBlockTokens> whole;
      std::fill(std::copy_n(row + first, count, whole.begin()), whole.end(), kLowest);
      *sums = sum_block(whole.data(), support, (count + 31) / 32 * 32);
    }
  }
}

void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 float* weights) {
  const Floats tag;
  const size_t lanes = hn::Lanes(tag);
  const FloatVector maximum = hn::Set(tag, max == kLowest ? 0 : max);
  std::array<float, kBlockTokens> whole;
  if (size % 32 != 0) {
    std::fill(std::copy_n(row, size, whole.begin()), whole.end(), kLowest);
    row = whole.data();
    size = (size + 31) / 32 * 32;
  }
  const Reader block(row, support);
  for (size_t i = 0; i < size; i += lanes) {
    hn::StoreU(exponential(hn::Sub(block.supported(i), maximum)), tag, weights + i);
  }
}

void scale_blocks(const BlockSum* sums, size_t count, double reference, double* masses) {
  const hn::ScalableTag<double> tag;
  const size_t lanes = hn::Lanes(tag);
  HWY_ALIGN double logs[hn::MaxLanes(tag)];
  HWY_ALIGN double parts[hn::MaxLanes(tag)];
  for (size_t first = 0; first < count; first += lanes) {
    const size_t some = std::min(lanes, count - first);
    for (size_t i = 0; i < lanes; ++i) {
      const BlockSum& block = sums[first + std::min(i, some - 1)];
      logs[i] = static_cast<double>(block.max) - reference;
      parts[i] = block.sum;
    }
    const auto scale = hn::Exp(tag, hn::Max(hn::Load(tag, logs), hn::Set(tag, -800.0)));
    hn::Store(hn::Mul(scale, hn::Load(tag, parts)), tag, parts);
    std::copy_n(parts, some, masses + first);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace espalier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(sum_blocks);
HWY_EXPORT(weigh_block);
HWY_EXPORT(scale_blocks);

void sum_blocks(std::span<const float> row, const MaskWord* support, Unsupported unsupported,
                BlockSum* sums) {
  HWY_DYNAMIC_DISPATCH(sum_blocks)(row.data(), row.size(), support, unsupported, sums);
}
void weigh_block(const float* row, const MaskWord* support, size_t size, float max,
                 std::span<float, kBlockTokens> weights) {
  HWY_DYNAMIC_DISPATCH(weigh_block)(row, support, size, max, weights.data());
}
void scale_blocks(std::span<const BlockSum> sums, double reference, double* masses) {
  HWY_DYNAMIC_DISPATCH(scale_blocks)(sums.data(), sums.size(), reference, masses);
}

}  // namespace espalier
#endif
