// Python's view of a JSON text, so that documents are spelled exactly as benchmarks spell them:
// json.dumps(json.loads(text), ensure_ascii=False).
//
//   {"b":1.50, "a" : [1e-6,"é\/"], "b": 2}   ->   {"b": 2, "a": [1e-06, "é/"]}
//
// Reading: RapidJSON tokenizes with numbers kept as text; a filter in front of the document turns
// each into what Python would hold. RapidJSON refuses two things that Python keeps: a surrogate
// escape that stands alone and a number beyond the range of a double. Both are rewritten
// beforehand, the former to its three WTF-8 bytes, the latter to a string behind a mark that no
// text can hold. Printing walks the value with a stack of its own: neither direction recurses, so
// nesting is bounded by memory alone.
//
// Floats follow repr(): the shortest digits that round-trip (std::to_chars), positional when the
// decimal exponent is in -4..15, else scientific with at least two exponent digits.

#include "backends/python_json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier {
namespace {

constexpr size_t kSurrogateEscapeLength = 6;  // \uXXXX
constexpr uint8_t kFirstInvalidLeadByte = 0xf8;

/// The value of a \uXXXX escape at `at`, or -1.
int32_t escape_at(std::string_view text, size_t at) {
  if (at + kSurrogateEscapeLength > text.size() || text[at] != '\\' || text[at + 1] != 'u')
    return -1;
  uint32_t unit = 0;
  const char* first = text.data() + at + 2;
  const char* last = text.data() + at + kSurrogateEscapeLength;
  const auto [end, error] = std::from_chars(first, last, unit, 16);
  return error == std::errc() && end == last ? static_cast<int32_t>(unit) : -1;
}

bool is_high(int32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low(int32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

/// Does the text spell a JSON number?
bool is_number(std::string_view text) {
  size_t i = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t first = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - first;
  };
  const size_t whole_at = i;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_at] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// RapidJSON refuses numbers outside the range of a double, even as text.
bool may_be_out_of_range(std::string_view number) {
  constexpr size_t kSafeLength = 300;
  constexpr size_t kSafeExponentLength = 2;
  const size_t e = number.find_first_of("eE");
  return number.size() >= kSafeLength ||
         (e != std::string_view::npos && number.size() - e - 1 > kSafeExponentLength);
}

/// The text with its few spellings replaced that RapidJSON refuses and Python takes.
class Rewriter {
 public:
  explicit Rewriter(std::string_view text) : text_(text) {}

  Result<std::string> run() {
    bool in_string = false;
    for (size_t i = 0; i < text_.size(); ++i) {
      const uint8_t byte = text_[i];
      if (byte == 0 || byte >= kFirstInvalidLeadByte) {
        return Status(StatusCode::kParseError, "a byte that no JSON text holds", std::to_string(i));
      }
      if (byte == '"') {
        in_string = !in_string;
      } else if (in_string && byte == '\\') {
        i += escape(i) - 1;
      } else if (!in_string && (byte == '-' || (byte >= '0' && byte <= '9'))) {
        i += number(i) - 1;
      }
    }
    out_.append(text_, copied_, text_.size() - copied_);
    return std::move(out_);
  }

  /// The offset in the text of an offset in the result.
  size_t original_offset(size_t offset) const {
    size_t shifted = offset;
    for (const auto& [place, shift] : shifts_) {
      if (place < offset) shifted += shift;
    }
    return shifted;
  }

 private:
  void replace(size_t at, size_t length, std::string_view bytes) {
    out_.append(text_, copied_, at - copied_);
    shifts_.emplace_back(out_.size(), static_cast<int64_t>(length - bytes.size()));
    out_ += bytes;
    copied_ = at + length;
  }

  /// Length of the escape at `at`.
  size_t escape(size_t at) {
    const int32_t unit = escape_at(text_, at);
    if (is_high(unit) && is_low(escape_at(text_, at + kSurrogateEscapeLength))) {
      return 2 * kSurrogateEscapeLength;
    }
    if (!is_high(unit) && !is_low(unit)) return 2;
    const char bytes[] = {static_cast<char>(0xe0 | (unit >> 12)),
                          static_cast<char>(0x80 | ((unit >> 6) & 0x3f)),
                          static_cast<char>(0x80 | (unit & 0x3f))};
    replace(at, kSurrogateEscapeLength, {bytes, sizeof bytes});
    return kSurrogateEscapeLength;
  }

  /// Length of the number-like run at `at`.
  size_t number(size_t at) {
    const size_t end = std::min(text_.find_first_not_of("0123456789+-.eE", at), text_.size());
    const std::string_view run = text_.substr(at, end - at);
    if (may_be_out_of_range(run) && is_number(run)) {
      replace(at, run.size(), "\"" + (kNumberMark + std::string(run)) + "\"");
    }
    return run.size();
  }

  std::string_view text_;
  std::string out_;
  size_t copied_ = 0;
  std::vector<std::pair<size_t, int64_t>> shifts_;
};

/// Is a number too large, rather than too small, for a double? Asked only of one that is either.
bool overflows(std::string_view number) {
  const size_t e = number.find_first_of("eE");
  int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (parsed.ec != std::errc()) return !negative;
    if (negative) exponent = -exponent;
  }
  const std::string_view mantissa = number.substr(0, e);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const size_t leading = mantissa.find_first_of("123456789");
  const int64_t magnitude = static_cast<int64_t>(point) - static_cast<int64_t>(leading);
  return exponent > -magnitude;
}

double python_float(std::string_view number) {
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec == std::errc()) return value;
  const double size = overflows(number) ? std::numeric_limits<double>::infinity() : 0.0;
  return number.front() == '-' ? -size : size;
}

/// Forwards SAX events to a document, numbers as Python holds them.
struct PythonFilter {
  using Ch = char;
  rapidjson::Document& document;

  bool Null() { return document.Null(); }
  bool Bool(bool value) { return document.Bool(value); }
  bool Int(int value) { return document.Int(value); }
  bool Uint(unsigned value) { return document.Uint(value); }
  bool Int64(int64_t value) { return document.Int64(value); }
  bool Uint64(uint64_t value) { return document.Uint64(value); }
  bool Double(double value) { return document.Double(value); }
  bool String(const char* text, rapidjson::SizeType length, bool copy) {
    if (length > 0 && text[0] == kNumberMark) return RawNumber(text + 1, length - 1, copy);
    return document.String(text, length, copy);
  }
  bool StartObject() { return document.StartObject(); }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) {
    return (length == 0 || text[0] != kNumberMark) && document.Key(text, length, copy);
  }
  bool EndObject(rapidjson::SizeType members) { return document.EndObject(members); }
  bool StartArray() { return document.StartArray(); }
  bool EndArray(rapidjson::SizeType items) { return document.EndArray(items); }

  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view number(text, length);
    if (number.find_first_of(".eE") != std::string_view::npos) {
      return document.Double(python_float(number));
    }
    int64_t small = 0;
    const char* end = text + length;
    if (std::from_chars(text, end, small).ec == std::errc()) return document.Int64(small);
    uint64_t large = 0;
    if (number.front() != '-' && std::from_chars(text, end, large).ec == std::errc()) {
      return document.Uint64(large);
    }
    const std::string marked = kNumberMark + std::string(number);
    return document.String(marked.data(), marked.size(), true);
  }
};

void append_string(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          *out += "\\u00";
          *out += kHex[static_cast<uint8_t>(c) >> 4];
          *out += kHex[c & 0xf];
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

void append_scalar(const rapidjson::Value& value, std::string* out) {
  if (value.IsNull()) {
    *out += "null";
  } else if (value.IsBool()) {
    *out += value.GetBool() ? "true" : "false";
  } else if (value.IsString()) {
    const std::string_view text = text_of(value);
    if (!text.empty() && text.front() == kNumberMark) {
      *out += text.substr(1);
    } else {
      append_string(text, out);
    }
  } else if (value.IsInt64()) {
    *out += std::to_string(value.GetInt64());
  } else if (value.IsUint64()) {
    *out += std::to_string(value.GetUint64());
  } else {
    *out += python_float_repr(value.GetDouble());
  }
}

using Entry = std::pair<const rapidjson::Value*, const rapidjson::Value*>;  // key (or null), value

/// The members of an object as a Python dict holds them, or the items of an array.
std::vector<Entry> entries_of(const rapidjson::Value& value) {
  std::vector<Entry> entries;
  if (value.IsArray()) {
    for (const auto& item : value.GetArray()) entries.emplace_back(nullptr, &item);
    return entries;
  }
  std::unordered_map<std::string_view, size_t> places;
  for (const auto& member : value.GetObject()) {
    const auto [found, fresh] = places.emplace(text_of(member.name), entries.size());
    if (fresh) {
      entries.emplace_back(&member.name, &member.value);
    } else {
      entries[found->second].second = &member.value;
    }
  }
  return entries;
}

struct OpenContainer {
  std::vector<Entry> entries;
  size_t next = 0;
  char close;
};

}  // namespace

Status python_json_loads(std::string_view text, rapidjson::Document* document) {
  Rewriter rewriter(text);
  const Result<std::string> clean = rewriter.run();
  if (!clean.ok()) return clean.status();
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(clean->data(), clean->size());
  rapidjson::Reader reader;
  auto generate = [&](rapidjson::Document& target) {
    PythonFilter filter{target};
    return !reader.Parse<kFlags>(stream, filter).IsError();
  };
  document->Populate(generate);
  if (!reader.HasParseError()) return {};
  const char* message = reader.GetParseErrorCode() == rapidjson::kParseErrorTermination
                            ? "Missing a name for object member."
                            : rapidjson::GetParseError_En(reader.GetParseErrorCode());
  return {StatusCode::kParseError, message,
          std::to_string(rewriter.original_offset(reader.GetErrorOffset()))};
}

std::string python_float_repr(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[64];
  const auto printed =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string_view text(buffer, printed.ptr - buffer);
  std::string out;
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const size_t skip = text[e + 1] == '+' ? 2 : 1;
  std::from_chars(text.data() + e + skip, text.data() + text.size(), exponent);

  constexpr int kFirstPositional = -4;
  constexpr int kFirstScientific = 16;
  if (exponent < kFirstPositional || exponent >= kFirstScientific) {
    out += digits[0];
    if (digits.size() > 1) out += "." + digits.substr(1);
    const std::string magnitude = std::to_string(std::abs(exponent));
    out += exponent < 0 ? "e-" : "e+";
    out += magnitude.size() < 2 ? "0" + magnitude : magnitude;
  } else if (exponent < 0) {
    out += "0." + std::string(-exponent - 1, '0') + digits;
  } else {
    const size_t whole = exponent + 1;
    if (digits.size() <= whole) {
      out += digits + std::string(whole - digits.size(), '0') + ".0";
    } else {
      out += digits.substr(0, whole) + "." + digits.substr(whole);
    }
  }
  return out;
}

std::string python_json_dumps(const rapidjson::Value& value) {
  std::string out;
  std::vector<OpenContainer> open;
  const rapidjson::Value* current = &value;
  while (true) {
    if (current->IsObject() || current->IsArray()) {
      out += current->IsObject() ? '{' : '[';
      open.push_back({entries_of(*current), 0, current->IsObject() ? '}' : ']'});
    } else {
      append_scalar(*current, &out);
    }
    while (!open.empty() && open.back().next == open.back().entries.size()) {
      out += open.back().close;
      open.pop_back();
    }
    if (open.empty()) return out;
    OpenContainer& container = open.back();
    if (container.next > 0) out += ", ";
    const auto& [key, child] = container.entries[container.next++];
    if (key != nullptr) {
      append_string(text_of(*key), &out);
      out += ": ";
    }
    current = child;
  }
}

}  // namespace espalier
