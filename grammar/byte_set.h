#pragma once

#include <cstdint>

namespace espalier {

/// A set of bytes.
struct ByteSet {
  uint64_t words[4] = {0, 0, 0, 0};
  void insert(uint8_t b) { words[b >> 6] |= uint64_t{1} << (b & 63); }
  bool contains(uint8_t b) const { return (words[b >> 6] >> (b & 63)) & 1; }
  void erase(uint8_t b) { words[b >> 6] &= ~(uint64_t{1} << (b & 63)); }
  bool intersects(const ByteSet& other) const {
    return ((words[0] & other.words[0]) | (words[1] & other.words[1]) |
            (words[2] & other.words[2]) | (words[3] & other.words[3])) != 0;
  }
  void fill() { words[0] = words[1] = words[2] = words[3] = ~uint64_t{0}; }
  bool empty() const { return (words[0] | words[1] | words[2] | words[3]) == 0; }
};

}  // namespace espalier
