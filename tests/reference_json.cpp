#include "tests/reference_json.h"

#include <algorithm>

namespace espalier::reference {
namespace {

using boost::multiprecision::cpp_int;

constexpr int64_t kHugeExponent = 1'000'000'000'000'000;
constexpr size_t kMaxDepth = 2000;

class Parser {
 public:
  Parser(std::string_view text, DuplicateNames duplicates) : text_(text), duplicates_(duplicates) {}

  bool parse_document(Json& value) {
    return parse(value, 0) && (skip_space(), at_ == text_.size() || fail("text after the value"));
  }
  const std::string& error() const { return error_; }

 private:
  bool fail(const char* message) {
    if (error_.empty()) error_ = message + std::string(" at byte ") + std::to_string(at_);
    return false;
  }
  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return fail("unknown literal");
    at_ += expected.size();
    return true;
  }

  bool parse(Json& value, size_t depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    skip_space();
    switch (peek()) {
      case 'n':
        return word("null");
      case 't':
      case 'f':
        value.kind = Json::Kind::kBoolean;
        value.boolean = peek() == 't';
        return word(value.boolean ? "true" : "false");
      case '"':
        value.kind = Json::Kind::kString;
        return parse_string(value.text);
      case '[':
        return parse_array(value, depth);
      case '{':
        return parse_object(value, depth);
      default:
        return parse_number(value);
    }
  }

  bool parse_array(Json& value, size_t depth) {
    value.kind = Json::Kind::kArray;
    ++at_;
    skip_space();
    if (peek() == ']') {
      ++at_;
      return true;
    }
    while (true) {
      value.items.emplace_back();
      if (!parse(value.items.back(), depth + 1)) return false;
      skip_space();
      const int c = peek();
      ++at_;
      if (c == ']') return true;
      if (c != ',') return fail("expected , or ]");
    }
  }

  bool parse_object(Json& value, size_t depth) {
    value.kind = Json::Kind::kObject;
    ++at_;
    skip_space();
    if (peek() == '}') {
      ++at_;
      return true;
    }
    while (true) {
      skip_space();
      std::string name;
      if (peek() != '"') return fail("expected a member name");
      if (!parse_string(name)) return false;
      if (duplicates_ == DuplicateNames::kRefuse && value.find(name) != nullptr)
        return fail("duplicate member name");
      skip_space();
      if (peek() != ':') return fail("expected :");
      ++at_;
      value.members.emplace_back(std::move(name), Json());
      if (!parse(value.members.back().second, depth + 1)) return false;
      skip_space();
      const int c = peek();
      ++at_;
      if (c == '}') return true;
      if (c != ',') return fail("expected , or }");
    }
  }

  size_t digits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - start;
  }

  bool parse_number(Json& value) {
    const size_t start = at_;
    value.kind = Json::Kind::kNumber;
    const bool minus = peek() == '-';
    if (minus) ++at_;
    std::string all;
    const size_t whole = at_;
    const size_t count = digits();
    if (count == 0 || (count > 1 && text_[whole] == '0')) return fail("expected a value");
    all.append(text_, whole, count);
    if (peek() == '.') {
      ++at_;
      const size_t fraction = digits();
      if (fraction == 0) return fail("expected digits");
      all.append(text_, at_ - fraction, fraction);
      value.exponent -= static_cast<int64_t>(fraction);
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      const bool negative = peek() == '-';
      if (peek() == '-' || peek() == '+') ++at_;
      int64_t power = 0;
      const size_t first = at_;
      const size_t size = digits();
      if (size == 0) return fail("expected digits");
      for (size_t i = 0; i < size; ++i)
        power = std::min(kHugeExponent, power * 10 + (text_[first + i] - '0'));
      value.exponent += negative ? -power : power;
    }
    value.text = text_.substr(start, at_ - start);
    while (!all.empty() && all.back() == '0') {
      all.pop_back();
      ++value.exponent;
    }
    const size_t leading = all.find_first_not_of('0');
    if (leading == std::string::npos) {
      value.exponent = 0;
      return true;
    }
    value.mantissa = cpp_int(all.substr(leading));
    if (minus) value.mantissa = -value.mantissa;
    return true;
  }

  bool hex4(uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int c = peek();
      unit *= 16;
      if (c >= '0' && c <= '9') {
        unit += static_cast<uint32_t>(c - '0');
      } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
        unit += static_cast<uint32_t>((c | 32) - 'a' + 10);
      } else {
        return fail("expected four hexadecimal digits");
      }
    }
    return true;
  }

  bool parse_escape(std::string& out) {
    const int c = peek();
    ++at_;
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const size_t index = c < 0 ? std::string_view::npos : kFrom.find(static_cast<char>(c));
    if (index != std::string_view::npos) {
      out += kTo[index];
      return true;
    }
    if (c != 'u') return fail("unknown escape");
    uint32_t unit = 0;
    if (!hex4(unit)) return false;
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    if (high && text_.substr(at_, 2) == "\\u") {
      const size_t back = at_;
      at_ += 2;
      uint32_t low = 0;
      if (!hex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = back;
      }
    }
    append_code_point(out, unit);
    return true;
  }

  bool parse_string(std::string& out) {
    ++at_;
    while (true) {
      const int c = peek();
      if (c < 0x20) return fail("control character or end inside a string");
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        ++at_;
        if (!parse_escape(out)) return false;
        continue;
      }
      const int length = c < 0x80   ? 1
                         : c < 0xC2 ? 0
                         : c < 0xE0 ? 2
                         : c < 0xF0 ? 3
                         : c < 0xF5 ? 4
                                    : 0;
      if (length == 0 || at_ + static_cast<size_t>(length) > text_.size()) return fail("not UTF-8");
      uint32_t code =
          length == 1 ? static_cast<uint32_t>(c) : static_cast<uint32_t>(c) & (0x7Fu >> length);
      for (int i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text_[at_ + static_cast<size_t>(i)]);
        if ((next & 0xC0) != 0x80) return fail("not UTF-8");
        code = code << 6 | (next & 0x3Fu);
      }
      const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
      if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return fail("not UTF-8");
      out.append(text_, at_, static_cast<size_t>(length));
      at_ += static_cast<size_t>(length);
    }
  }

  std::string_view text_;
  DuplicateNames duplicates_;
  size_t at_ = 0;
  std::string error_;
};

void print_string(const std::string& text, std::string& out) {
  static const char* kHex = "0123456789abcdef";
  out += '"';
  for (uint32_t c : code_points(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || (c >= 0xD800 && c < 0xE000)) {
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 15];
    } else {
      append_code_point(out, c);
    }
  }
  out += '"';
}

int64_t digit_count(const cpp_int& value) {
  return static_cast<int64_t>(cpp_int(abs(value)).str().size());
}

cpp_int scaled(const Json& number, int64_t exponent) {
  return number.mantissa * pow(cpp_int(10), static_cast<unsigned>(number.exponent - exponent));
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<Json> parse_json(std::string_view text, std::string* error,
                               DuplicateNames duplicates) {
  Json value;
  Parser parser(text, duplicates);
  if (parser.parse_document(value)) return value;
  if (error != nullptr) *error = parser.error();
  return std::nullopt;
}

std::string print_json(const Json& value) {
  std::string out;
  switch (value.kind) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBoolean:
      return value.boolean ? "true" : "false";
    case Json::Kind::kNumber:
      return value.text;
    case Json::Kind::kString:
      print_string(value.text, out);
      return out;
    case Json::Kind::kArray:
      for (const Json& item : value.items) out += (out.empty() ? "[" : ",") + print_json(item);
      return out.empty() ? "[]" : out + "]";
    case Json::Kind::kObject:
      for (const auto& [name, member] : value.members) {
        out += out.empty() ? "{" : ",";
        print_string(name, out);
        out += ":" + print_json(member);
      }
      return out.empty() ? "{}" : out + "}";
  }
  return out;
}

bool equal(const Json& a, const Json& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Json::Kind::kNull:
      return true;
    case Json::Kind::kBoolean:
      return a.boolean == b.boolean;
    case Json::Kind::kNumber:
      return a.mantissa == b.mantissa && a.exponent == b.exponent;
    case Json::Kind::kString:
      return a.text == b.text;
    case Json::Kind::kArray:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
    case Json::Kind::kObject:
      return a.members.size() == b.members.size() &&
             std::all_of(a.members.begin(), a.members.end(), [&b](const auto& member) {
               const Json* other = b.find(member.first);
               return other != nullptr && equal(member.second, *other);
             });
  }
  return false;
}

int compare_numbers(const Json& a, const Json& b) {
  const int sign_a = a.mantissa.sign();
  const int sign_b = b.mantissa.sign();
  if (sign_a != sign_b) return sign_a < sign_b ? -1 : 1;
  if (sign_a == 0) return 0;
  const int64_t size_a = digit_count(a.mantissa) + a.exponent;
  const int64_t size_b = digit_count(b.mantissa) + b.exponent;
  if (size_a != size_b) return (size_a < size_b ? -1 : 1) * sign_a;
  const int64_t exponent = std::min(a.exponent, b.exponent);
  return scaled(a, exponent).compare(scaled(b, exponent));
}

bool is_multiple(const Json& value, const Json& divisor) {
  if (value.mantissa == 0) return true;
  if (divisor.mantissa == 0) return false;
  const int64_t shift = value.exponent - divisor.exponent;
  const cpp_int modulus = abs(divisor.mantissa);
  if (shift >= 0) {
    const cpp_int power = powm(cpp_int(10), cpp_int(shift), modulus);
    return value.mantissa % modulus * power % modulus == 0;
  }
  // The mantissa does not end in 0, so it is not a multiple of modulus * 10^-shift.
  return false;
}

std::vector<uint32_t> code_points(std::string_view wtf8) {
  std::vector<uint32_t> result;
  for (size_t i = 0; i < wtf8.size();) {
    const auto c = static_cast<unsigned char>(wtf8[i]);
    const size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? c : c & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k)
      code = code << 6 | (static_cast<unsigned char>(wtf8[i + k]) & 0x3Fu);
    result.push_back(code);
    i += length;
  }
  return result;
}

void append_code_point(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 63));
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

}  // namespace espalier::reference
