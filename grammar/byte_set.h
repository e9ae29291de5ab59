#pragma once

#include <bit>
#include <cstdint>

namespace espalier {

/// A set of bytes.
struct ByteSet {
  uint64_t words[4] = {0, 0, 0, 0};
  ByteSet& operator|=(const ByteSet& other) {
    for (int i = 0; i < 4; ++i) words[i] |= other.words[i];
    return *this;
  }
  constexpr void insert(uint8_t b) { words[b >> 6] |= uint64_t{1} << (b & 63); }
  bool contains(uint8_t b) const { return (words[b >> 6] >> (b & 63)) & 1; }
  void erase(uint8_t b) { words[b >> 6] &= ~(uint64_t{1} << (b & 63)); }
  bool intersects(const ByteSet& other) const {
    return ((words[0] & other.words[0]) | (words[1] & other.words[1]) |
            (words[2] & other.words[2]) | (words[3] & other.words[3])) != 0;
  }
  void fill() { words[0] = words[1] = words[2] = words[3] = ~uint64_t{0}; }
  bool empty() const { return (words[0] | words[1] | words[2] | words[3]) == 0; }
};

/// Calls `visit(byte)` for each byte of the set, in ascending order.
template <typename Visit>
void for_each_byte(const ByteSet& bytes, Visit&& visit) {
  for (uint32_t word = 0; word < 4; ++word) {
    for (uint64_t bits = bytes.words[word]; bits != 0; bits &= bits - 1)
      visit(static_cast<uint8_t>(word * 64 + static_cast<uint32_t>(std::countr_zero(bits))));
  }
}

}  // namespace espalier
