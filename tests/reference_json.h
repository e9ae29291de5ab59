#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::reference {

/// A parsed JSON value for the reference validator. Strings are WTF-8 (a lone surrogate escape is
/// three bytes); numbers are exact: mantissa * 10^exponent, mantissa not ending in 0.
struct Json {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;  ///< a string's content, a number's spelling
  boost::multiprecision::cpp_int mantissa;
  int64_t exponent = 0;
  std::vector<Json> items;
  std::vector<std::pair<std::string, Json>> members;

  bool is(Kind k) const { return kind == k; }
  bool is_object() const { return kind == Kind::kObject; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_number() const { return kind == Kind::kNumber; }
  bool is_integer() const { return is_number() && (mantissa == 0 || exponent >= 0); }
  const Json* find(std::string_view name) const;
};

/// RFC 8259 says that names should be unique.
enum class DuplicateNames { kRefuse, kAllow };
/// RFC 8259, strictly; bytes that are not UTF-8 and trailing text are errors.
std::optional<Json> parse_json(std::string_view text, std::string* error,
                               DuplicateNames duplicates = DuplicateNames::kRefuse);
std::string print_json(const Json& value);

/// JSON Schema's equality: numbers by value, objects without order.
bool equal(const Json& a, const Json& b);
/// Order of two numbers.
int compare_numbers(const Json& a, const Json& b);
bool is_multiple(const Json& value, const Json& divisor);

/// Code points of a WTF-8 string.
std::vector<uint32_t> code_points(std::string_view wtf8);
void append_code_point(std::string& out, uint32_t code_point);

}  // namespace espalier::reference
