#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

#include "espalier/status.h"

namespace espalier {

/// Parses a JSON text as Python's json.loads reads it: integers of any size keep their value, other
/// numbers become doubles (1e400 is infinite), lone surrogate escapes are kept (WTF-8), nesting is
/// bounded by memory only. An integer outside 64 bits is held as a string that starts with
/// kNumberMark; python_json_dumps knows it. kParseError carries the byte offset as its place.
Status python_json_loads(std::string_view text, rapidjson::Document* document);

/// A byte that no UTF-8 or WTF-8 text holds.
inline constexpr char kNumberMark = '\xff';

/// Prints a value as Python's json.dumps(value, ensure_ascii=False) does: separators ", " and ": ",
/// floats by repr, of equal keys the last value at the first one's place.
std::string python_json_dumps(const rapidjson::Value& value);

/// repr() of a Python float ("inf" and "nan" spelled as json.dumps does: Infinity, NaN).
std::string python_float_repr(double value);

}  // namespace espalier
