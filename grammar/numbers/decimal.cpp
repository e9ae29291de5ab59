// Exact decimals.
//
// A number is kept as sign, significant digits and a power of ten: "-12.50e3" is {negative, "125",
// 2}. Because digits carry neither leading nor trailing zeros, equal values have equal
// representations, and two numbers compare by the position of their first digit (digits.size() +
// exponent), then by their digit strings as text: "1250" and "125" differ only by the position, and
// a proper prefix is the smaller one because a digit string never ends in 0.
//
// Divisibility never expands a power of ten. With a = N * 10^w and b = M * 10^k, a is a multiple of
// b iff M divides N * 10^(w - k). N is not divisible by 10, so w < k means no; otherwise the
// factors 2 and 5 of M that 10^(w - k) supplies are removed from M and N is reduced modulo the
// rest. Example: 0.75 / 0.25: N = 75, M = 25, w = k = -2, 25 | 75.
//
// Exponents beyond +-2^60 saturate there; such numbers still compare right against all others.
//
// Cost: linear in the number of digits; is_multiple takes one big-by-big reduction per 18 digits.
// Reference: RFC 8259, section 6 (grammar of numbers).

#include "grammar/numbers/decimal.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

namespace espalier {
namespace {

using boost::multiprecision::cpp_int;

constexpr int64_t kExponentLimit = int64_t{1} << 60;
constexpr size_t kPlainLength = 40;
constexpr size_t kChunk = 18;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int64_t position(const Decimal& d) { return static_cast<int64_t>(d.digits.size()) + d.exponent; }

std::strong_ordering compare_magnitude(const Decimal& a, const Decimal& b) {
  if (position(a) != position(b)) return position(a) <=> position(b);
  return a.digits.compare(b.digits) <=> 0;
}

cpp_int reduce(const std::string& digits, const cpp_int& modulus) {
  cpp_int rest = 0;
  for (size_t i = 0; i < digits.size(); i += kChunk) {
    const size_t length = std::min(kChunk, digits.size() - i);
    uint64_t chunk = 0;
    uint64_t scale = 1;
    for (size_t j = 0; j < length; ++j) {
      chunk = chunk * 10 + static_cast<uint64_t>(digits[i + j] - '0');
      scale *= 10;
    }
    rest = (rest * scale + chunk) % modulus;
  }
  return rest;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  size_t i = 0;
  const size_t size = text.size();
  Decimal result;
  if (i < size && text[i] == '-') {
    result.negative = true;
    ++i;
  }
  const size_t whole = i;
  while (i < size && is_digit(text[i])) ++i;
  if (i == whole || (text[whole] == '0' && i - whole > 1)) return std::nullopt;
  result.digits.assign(text, whole, i - whole);
  int64_t exponent = 0;
  if (i < size && text[i] == '.') {
    const size_t fraction = ++i;
    while (i < size && is_digit(text[i])) ++i;
    if (i == fraction) return std::nullopt;
    result.digits.append(text, fraction, i - fraction);
    exponent = -static_cast<int64_t>(i - fraction);
  }
  if (i < size && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    bool minus = false;
    if (i < size && (text[i] == '+' || text[i] == '-')) minus = text[i++] == '-';
    const size_t start = i;
    int64_t power = 0;
    for (; i < size && is_digit(text[i]); ++i) {
      power = power > kExponentLimit / 10 ? kExponentLimit
                                          : std::min(kExponentLimit, power * 10 + (text[i] - '0'));
    }
    if (i == start) return std::nullopt;
    exponent += minus ? -power : power;
  }
  if (i != size) return std::nullopt;
  const size_t first = result.digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  const size_t last = result.digits.find_last_not_of('0');
  exponent += static_cast<int64_t>(result.digits.size() - 1 - last);
  result.digits = result.digits.substr(first, last - first + 1);
  result.exponent = exponent;
  return result;
}

std::string Decimal::to_string() const {
  if (is_zero()) return "0";
  std::string text = negative ? "-" : "";
  const auto length = static_cast<int64_t>(digits.size());
  const auto limit = static_cast<int64_t>(kPlainLength);
  if (exponent >= 0 && length + exponent <= limit) {
    return text + digits + std::string(static_cast<size_t>(exponent), '0');
  }
  if (exponent < 0 && exponent > -limit && length <= limit) {
    const int64_t whole = length + exponent;
    if (whole > 0) {
      const auto split = static_cast<size_t>(whole);
      return text + digits.substr(0, split) + "." + digits.substr(split);
    }
    return text + "0." + std::string(static_cast<size_t>(-whole), '0') + digits;
  }
  text += digits[0];
  if (length > 1) text += "." + digits.substr(1);
  return text + "e" + std::to_string(exponent + length - 1);
}

std::string Decimal::key() const {
  if (is_zero()) return "0";
  return (negative ? "-" : "") + digits + "e" + std::to_string(exponent);
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
  const int sign_a = a.is_zero() ? 0 : (a.negative ? -1 : 1);
  const int sign_b = b.is_zero() ? 0 : (b.negative ? -1 : 1);
  if (sign_a != sign_b) return sign_a <=> sign_b;
  if (sign_a == 0) return std::strong_ordering::equal;
  return sign_a > 0 ? compare_magnitude(a, b) : compare_magnitude(b, a);
}

bool is_multiple(const Decimal& a, const Decimal& b) {
  if (a.is_zero()) return true;
  if (b.is_zero() || a.exponent < b.exponent) return false;
  if (b.digits == "1") return true;
  const int64_t shift = a.exponent - b.exponent;
  cpp_int modulus(b.digits);
  for (int64_t i = 0; i < shift && modulus % 2 == 0; ++i) modulus /= 2;
  for (int64_t i = 0; i < shift && modulus % 5 == 0; ++i) modulus /= 5;
  return reduce(a.digits, modulus) == 0;
}

}  // namespace espalier
