#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "grammar/recognizer.h"

namespace espalier {

/// What is known about plain text inside a leaf without reading it byte by byte. *Plain* text is
/// well-formed UTF-8, the last code point possibly cut short, without control characters, quotes
/// and backslashes. About plain text T that is made of `bytes` only and has n <= kHorizon code
/// points (one cut short counts):
///   - T keeps the leaf alive iff n <= max_codepoints, and never ends it, provided that none of the
///     `exceptions` occurs in it as a whole;
///   - after such a T, a byte that is not in `bytes` kills the leaf unless it is in `others`.
struct LeafLoop {
  static constexpr uint64_t kHorizon = 256;
  static constexpr size_t kMaxExceptions = 31;

  ByteSet bytes;  ///< of the bytes above 0x7F: all or none
  ByteSet others;
  uint64_t max_codepoints = UINT64_MAX;
  /// Code points above U+007F that do not loop though all others do. They are few enough that
  /// every beginning of a code point has an end that loops.
  std::array<uint32_t, kMaxExceptions> exceptions;
  size_t num_exceptions = 0;
};

}  // namespace espalier
