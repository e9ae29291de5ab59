// Random numbers that are the same everywhere.
//
// The i-th number is a mix of (seed, i): SplitMix64, counter-based, so a stream is a pair of words
// and its values do not depend on the standard library. Steele, Lea, Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014.
#pragma once

#include <cstdint>

#include "engine/hash.h"

namespace espalier {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(mix64(seed + kGoldenGamma)) {}

  uint64_t next() { return mix64(state_ += kGoldenGamma); }

  /// Uniform in [0, 1): a multiple of 2^-53.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Uniform in [0, n), exactly; n > 0. (Lemire, "Fast random integer generation in an interval",
  /// ACM TOMACS 2019.)
  uint64_t below(uint64_t n) {
    for (;;) {
      const unsigned __int128 product = static_cast<unsigned __int128>(next()) * n;
      const auto low = static_cast<uint64_t>(product);
      if (low >= n || low >= -n % n) return static_cast<uint64_t>(product >> 64);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace espalier
