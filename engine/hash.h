#pragma once

#include <cstddef>
#include <cstdint>

#include "grammar/recognizer.h"

namespace espalier {

/// A bijective mixer of 64 bits (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, OOPSLA 2014; constants by Stafford).
constexpr uint64_t mix64(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline constexpr uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

struct StateHash {
  size_t operator()(const State& s) const {
    const uint64_t a = (uint64_t{s.frame} << 32) | s.leaf;
    const uint64_t b = (uint64_t{s.state} << 32) | s.text;
    return static_cast<size_t>(mix64(a * kGoldenGamma + mix64(b + kGoldenGamma)));
  }
};

}  // namespace espalier
