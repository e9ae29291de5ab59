#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "grammar/numbers/decimal.h"

namespace espalier {

/// An immutable JSON value as schemas hold them in `enum` and `const`. Strings are sequences of
/// code points in WTF-8 (a lone surrogate is three bytes); numbers are exact.
struct JsonValue {
  enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  Decimal number;
  bool integer_spelling = false;  ///< the number was spelled without fraction and exponent
  std::string string;
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;  ///< in document order
};

}  // namespace espalier
