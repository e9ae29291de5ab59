#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace espalier {

/// The *letters* of plain text: each ASCII character is one, all others share a few by block. Which
/// letters occur in a text tells much about who survives it.
struct Letters {
  static constexpr uint32_t kCount = 128;
  /// A code point cut short that may become one of several letters.
  static constexpr uint32_t kCut = 0;
  /// White space and line terminators above U+007F, which patterns tell from their neighbours.
  static constexpr uint32_t kSpace = 1;

  std::array<uint64_t, 2> bits{};

  /// The letter of a code point of plain text.
  static uint32_t of(uint32_t codepoint) {
    if (codepoint < 0x80) return codepoint;
    if (std::binary_search(kSpaces.begin(), kSpaces.end(), codepoint)) return kSpace;
    return block_of(codepoint);
  }
  /// The letter of a code point of which only this much is known.
  static uint32_t of_cut(uint32_t lo, uint32_t hi) {
    const auto space = std::lower_bound(kSpaces.begin(), kSpaces.end(), lo);
    if (block_of(lo) != block_of(hi) || (space != kSpaces.end() && *space <= hi)) return kCut;
    return block_of(lo);
  }
  /// All letters that plain text may have.
  static constexpr Letters all() {
    Letters letters;
    for (uint32_t c = 0x20; c < 0x80; ++c) letters.add(c);
    letters.remove('"');
    letters.remove('\\');
    return letters | high();
  }
  /// Those above U+007F.
  static constexpr Letters high() {
    return {{(uint64_t{1} << (kFirstBlock + kBlocks.size())) - 1, 0}};
  }

  constexpr bool has(uint32_t letter) const { return bits[letter / 64] >> letter % 64 & 1; }
  constexpr void add(uint32_t letter) { bits[letter / 64] |= uint64_t{1} << letter % 64; }
  constexpr void remove(uint32_t letter) { bits[letter / 64] &= ~(uint64_t{1} << letter % 64); }
  constexpr bool any() const { return (bits[0] | bits[1]) != 0; }
  constexpr bool meets(const Letters& o) const { return (*this & o).any(); }
  constexpr bool within(const Letters& o) const { return !(*this - o).any(); }
  int count() const { return std::popcount(bits[0]) + std::popcount(bits[1]); }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (uint32_t word = 0; word < 2; ++word) {
      for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
        visit(64 * word + static_cast<uint32_t>(std::countr_zero(left)));
      }
    }
  }
  friend constexpr Letters operator|(const Letters& a, const Letters& b) {
    return {{a.bits[0] | b.bits[0], a.bits[1] | b.bits[1]}};
  }
  friend constexpr Letters operator&(const Letters& a, const Letters& b) {
    return {{a.bits[0] & b.bits[0], a.bits[1] & b.bits[1]}};
  }
  friend constexpr Letters operator-(const Letters& a, const Letters& b) {
    return {{a.bits[0] & ~b.bits[0], a.bits[1] & ~b.bits[1]}};
  }
  friend constexpr bool operator==(const Letters&, const Letters&) = default;

  /// What is above U+007F, in order, without surrogates: the letter of block i is kFirstBlock + i.
  /// Every beginning of an encoding covers parts of one block or of several.
  struct Block {
    uint32_t lo, hi;
  };
  static constexpr uint32_t kFirstBlock = 2;
  static constexpr std::array<Block, 17> kBlocks{{{0x80, 0xFF},
                                                  {0x100, 0x17F},
                                                  {0x180, 0x23F},
                                                  {0x240, 0x2FF},
                                                  {0x300, 0x37F},
                                                  {0x380, 0x3FF},
                                                  {0x400, 0x53F},
                                                  {0x540, 0x7FF},
                                                  {0x800, 0xFFF},
                                                  {0x1000, 0x1FFF},
                                                  {0x2000, 0x2FFF},
                                                  {0x3000, 0x3FFF},
                                                  {0x4000, 0x9FFF},
                                                  {0xA000, 0xD7FF},
                                                  {0xE000, 0xFFFF},
                                                  {0x10000, 0x1EFFF},
                                                  {0x1F000, 0x10FFFF}}};
  /// The code points of kSpace: those that \s takes and the dot does not (ECMA-262, 12.2 and 12.3),
  /// and U+0085.
  static constexpr std::array<uint32_t, 20> kSpaces{
      0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
      0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF};

 private:
  static uint32_t block_of(uint32_t codepoint) {
    const auto block = std::partition_point(kBlocks.begin(), kBlocks.end(),
                                            [&](const Block& each) { return each.hi < codepoint; });
    return kFirstBlock + static_cast<uint32_t>(block - kBlocks.begin());
  }
};

}  // namespace espalier
