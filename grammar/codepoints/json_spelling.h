#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

// How JSON spells code points: UTF-8 (RFC 3629) and the escapes of RFC 8259 section 7.

/// Which spellings of a string are read.
enum class StringSpelling : uint8_t {
  kJson,     ///< every RFC 8259 escape; a lone surrogate escape is one code point (profile `exact`)
  kMinimal,  ///< only the escapes JSON needs, in one form; no surrogates (profile `generation`)
};

inline constexpr uint32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF;
inline bool is_surrogate(uint32_t c) { return c >= kFirstSurrogate && c <= kLastSurrogate; }
inline bool is_high(uint32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
inline bool is_low(uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }
inline uint32_t combine(uint32_t high, uint32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}
inline int hex_value(uint8_t b) {
  if (b >= '0' && b <= '9') return b - '0';
  if (b >= 'a' && b <= 'f') return b - 'a' + 10;
  if (b >= 'A' && b <= 'F') return b - 'A' + 10;
  return -1;
}
inline uint32_t simple_escape(uint8_t b) {
  switch (b) {
    case '"':
    case '\\':
    case '/':
      return b;
    case 'b':
      return 8;
    case 'f':
      return 12;
    case 'n':
      return 10;
    case 'r':
      return 13;
    case 't':
      return 9;
    default:
      return 0;
  }
}
// Control characters that kMinimal spells \u00XX: those without a short escape.
inline bool minimal_hex(uint32_t c) {
  return c < 0x20 && c != 8 && c != 9 && c != 10 && c != 12 && c != 13;
}

// Code points whose UTF-8 form of `total` bytes starts with bits `acc`, `left` bytes missing.
inline CodepointRange utf8_range(uint32_t total, uint32_t left, uint32_t acc) {
  const uint32_t lo = acc << (6 * left);
  const uint32_t hi = lo | ((1u << (6 * left)) - 1);
  const uint32_t least = total == 2 ? 0x80 : total == 3 ? 0x800 : 0x10000;
  const uint32_t most = total == 2 ? 0x7FF : total == 3 ? 0xFFFF : kMaxCodepoint;
  CodepointRange r{std::max(lo, least), std::min(hi, most)};
  if (r.lo >= 0xD800 && r.lo <= 0xDFFF) r.lo = 0xE000;
  if (r.hi >= 0xD800 && r.hi <= 0xDFFF) r.hi = 0xD7FF;
  return r;
}
inline CodepointRange hex_range(uint32_t digits, uint32_t value) {
  const uint32_t shift = 4 * (4 - digits);
  return {value << shift, (value << shift) | ((1u << shift) - 1)};
}

/// Has a string of these code points a spelling?
inline bool spellable(std::u32string_view text, StringSpelling spelling) {
  return spelling == StringSpelling::kJson || std::none_of(text.begin(), text.end(), is_surrogate);
}
/// Appends a code point in WTF-8: UTF-8, and a lone surrogate as three bytes.
void append_wtf8(std::string* out, uint32_t codepoint);
/// The first byte that append_wtf8 writes.
inline uint8_t first_wtf8_byte(uint32_t codepoint) {
  return static_cast<uint8_t>(codepoint < 0x80      ? codepoint
                              : codepoint < 0x800   ? 0xC0 | codepoint >> 6
                              : codepoint < 0x10000 ? 0xE0 | codepoint >> 12
                                                    : 0xF0 | codepoint >> 18);
}
/// The code points of a WTF-8 text.
std::u32string to_codepoints(std::string_view wtf8);
void append_codepoints(std::u32string* out, std::string_view wtf8);
/// Appends a code point as the inside of a JSON string, with an escape where JSON needs one or it
/// is a lone surrogate.
void append_json_codepoint(std::string* out, uint32_t codepoint);
/// Of the code points in [lo, hi] one that reads well.
uint32_t readable_codepoint(uint32_t lo, uint32_t hi);

}  // namespace espalier
