#include "grammar/codepoints/json_spelling.h"

#include <cstddef>

namespace espalier {

std::u32string to_codepoints(std::string_view s) {
  std::u32string out;
  append_codepoints(&out, s);
  return out;
}

void append_codepoints(std::u32string* out, std::string_view s) {
  const auto ascii = static_cast<size_t>(
      std::find_if(s.begin(), s.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; }) -
      s.begin());
  out->append(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(ascii));
  for (size_t i = ascii; i < s.size();) {
    const auto b = static_cast<uint8_t>(s[i]);
    const size_t n = b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? b : n == 2 ? b & 0x1F : n == 3 ? b & 0x0F : b & 0x07;
    for (size_t k = 1; k < n && i + k < s.size(); ++k)
      c = c << 6 | (static_cast<uint8_t>(s[i + k]) & 0x3F);
    out->push_back(c);
    i += n;
  }
}

void append_wtf8(std::string* out, uint32_t c) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

void append_json_codepoint(std::string* out, uint32_t c) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kShort = "\bb\ff\nn\rr\tt\"\"\\\\";
  for (size_t i = 0; i < kShort.size(); i += 2) {
    if (c == static_cast<uint8_t>(kShort[i])) {
      *out += '\\';
      *out += kShort[i + 1];
      return;
    }
  }
  if (c < 0x20 || (c >= 0xD800 && c <= 0xDFFF)) {
    *out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) *out += kHex[c >> shift & 15];
  } else {
    append_wtf8(out, c);
  }
}

uint32_t readable_codepoint(uint32_t lo, uint32_t hi) {
  for (const char32_t c : std::u32string_view(U"a0A_- .:/")) {
    if (c >= lo && c <= hi) return c;
  }
  if (lo < 0x20 && hi >= 0x20) return 0x20;
  return lo >= 0xD800 && lo <= 0xDFFF && hi > 0xDFFF ? 0xE000 : lo;
}

}  // namespace espalier
