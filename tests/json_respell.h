#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/reference_json.h"

namespace espalier::testing {

/// Spells a value at random: white space, escapes, number forms, member order. With `keep_integers`
/// a number spelled without fraction and exponent stays so, and no other becomes so (draft-04).
class JsonRespell {
 public:
  using Json = reference::Json;

  JsonRespell(std::mt19937_64& random, bool keep_integers)
      : random_(random), keep_integers_(keep_integers) {}
  std::string respell(const Json& value);

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  std::string space();
  std::string respell_string(const std::string& text);
  std::string respell_number(const Json& number);

  std::mt19937_64& random_;
  const bool keep_integers_;
};

inline std::string JsonRespell::space() {
  std::string text;
  while (one_in(6)) text += " \t\n\r"[below(4)];
  return text;
}

inline std::string JsonRespell::respell_string(const std::string& text) {
  static const char* kHex[2] = {"0123456789abcdef", "0123456789ABCDEF"};
  std::string out = "\"";
  auto unit = [&](uint32_t u) {
    out += "\\u";
    const char* hex = kHex[below(2)];
    for (int shift = 12; shift >= 0; shift -= 4) out += hex[(u >> shift) & 15];
  };
  for (uint32_t c : reference::code_points(text)) {
    static constexpr std::string_view kShort = "\"\\/\b\f\n\r\t";
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    const size_t index = c < 0x80 ? kShort.find(static_cast<char>(c)) : std::string_view::npos;
    const bool must = c < 0x20 || c == '"' || c == '\\' || (c >= 0xD800 && c < 0xE000);
    if (index != std::string_view::npos && (must ? !one_in(3) : one_in(2))) {
      out += '\\';
      out += kLetters[index];
    } else if (must || one_in(6)) {
      if (c >= 0x10000) unit(0xD800 + ((c - 0x10000) >> 10));
      unit(c >= 0x10000 ? 0xDC00 + (c & 0x3FF) : c);
    } else {
      reference::append_code_point(out, c);
    }
  }
  return out + "\"";
}

inline std::string JsonRespell::respell_number(const Json& number) {
  const bool plain = number.text.find_first_of(".eE") == std::string::npos;
  if ((keep_integers_ && plain) || one_in(2) || number.exponent > 30 || number.exponent < -30)
    return number.text;
  const bool negative = number.mantissa < 0 || (number.mantissa == 0 && one_in(3));
  std::string digits = boost::multiprecision::cpp_int(abs(number.mantissa)).str();
  int64_t exponent = number.exponent;
  for (int i = below(3); i > 0; --i) {
    digits += '0';
    --exponent;
  }
  std::string out = negative ? "-" : "";
  if (one_in(2)) {
    // A point somewhere, an exponent that makes up for it.
    const auto size = static_cast<int64_t>(digits.size());
    const int64_t whole = below(static_cast<int>(size) + 1);
    std::string left = digits.substr(0, static_cast<size_t>(whole)),
                right = digits.substr(static_cast<size_t>(whole));
    if (left.empty() || (left.size() > 1 && left[0] == '0')) {
      right = left + right;
      left = "0";
    }
    exponent += static_cast<int64_t>(right.size());
    out += left + (right.empty() ? "" : "." + right);
  } else {
    if (digits.size() > 1 && digits[0] == '0') digits = "0";
    out += digits;
  }
  if (exponent != 0 || (one_in(3) && !keep_integers_) ||
      (keep_integers_ && out.find('.') == std::string::npos)) {
    out += one_in(2) ? "e" : "E";
    if (exponent < 0) out += '-';
    if (exponent >= 0 && one_in(2)) out += '+';
    if (one_in(4)) out += '0';
    out += std::to_string(exponent < 0 ? -exponent : exponent);
  }
  return out;
}

inline std::string JsonRespell::respell(const Json& value) {
  std::string out = space();
  switch (value.kind) {
    case Json::Kind::kNumber:
      out += respell_number(value);
      break;
    case Json::Kind::kString:
      out += respell_string(value.text);
      break;
    case Json::Kind::kArray:
      out += "[";
      for (size_t i = 0; i < value.items.size(); ++i)
        out += (i > 0 ? "," : "") + respell(value.items[i]);
      out += (value.items.empty() ? space() : "") + "]";
      break;
    case Json::Kind::kObject: {
      std::vector<size_t> order(value.members.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      if (!one_in(3)) std::shuffle(order.begin(), order.end(), random_);
      out += "{";
      for (size_t i = 0; i < order.size(); ++i) {
        const auto& [key, member] = value.members[order[i]];
        out += (i > 0 ? "," : "") + space() + respell_string(key) + space() + ":" + respell(member);
      }
      out += (value.members.empty() ? space() : "") + "}";
      break;
    }
    default:
      out += reference::print_json(value);
  }
  return out + space();
}

}  // namespace espalier::testing
