#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

/// An exact decimal of any size: (-1)^negative * digits * 10^exponent, normalized (no leading or
/// trailing zeros in digits; zero is {false, "", 0}). Never expands 10^exponent; 1e400000 is cheap.
struct Decimal {
  bool negative = false;
  std::string digits;    ///< ASCII digits without leading or trailing zeros; empty for zero.
  int64_t exponent = 0;  ///< value = digits * 10^exponent.

  /// From a JSON number's spelling (RFC 8259); nullopt if it is not one.
  static std::optional<Decimal> parse(std::string_view json_number);

  bool is_zero() const { return digits.empty(); }
  bool is_integer() const { return is_zero() || exponent >= 0; }
  /// A plain JSON spelling where it is short (at most ~40 characters), else with an exponent.
  std::string to_string() const;
  /// A canonical key: equal values, equal strings.
  std::string key() const;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

std::strong_ordering compare(const Decimal& a, const Decimal& b);

/// Is `a` an exact integer multiple of `b` (b > 0)?
bool is_multiple(const Decimal& a, const Decimal& b);

}  // namespace espalier
