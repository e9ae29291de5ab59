// A JSON text as a flat array of nodes.
//
// RapidJSON does the parsing (in place, iteratively, numbers kept as their spelling); a pass before
// it over the raw bytes does what RapidJSON cannot be asked for:
//
//   - invalid UTF-8 and NUL bytes are refused with their place;
//   - an escaped lone surrogate ("\ud800"), which RapidJSON refuses, is written as the three bytes
//     of its WTF-8 form, so that schemas can speak about such strings;
//   - a number that RapidJSON finds too big for a double (1e400) is put aside and a "0" stands in
//     its place: schemas compare decimals exactly, whatever their size.
//
// Texts in which none of that can occur (plain_text.cpp), that is nearly all, do without.
//
// Example: {"a":[1,2]} becomes  0: 1 (parent 2)  1: 2 (parent 2)  2: [..] key "a" (parent 3)
// 3: {..}. Children are consecutive and come before their parent; the root is last.
//
// Invariants: all views point into buffer_ or long_numbers_, neither of which changes after
// parsing; keys of one object are distinct. Cost: linear in the text; the key check hashes only
// objects with more than a few members. Reference: RFC 8259, RFC 6901, the WTF-8 encoding.
#include "schema/json/json_document.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "schema/json/plain_text.h"
#include "schema/json/unicode.h"

namespace espalier {
namespace {

constexpr size_t kLongestPlainNumber = 300;
constexpr size_t kDepthCeiling = 5'000;
constexpr size_t kSmallObject = 12;

std::string line_and_column(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  size_t line = 1;
  size_t start = 0;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++line;
      start = i + 1;
    }
  }
  size_t column = 1;
  for (size_t i = start; i < offset; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) ++column;
  }
  return std::to_string(line) + ":" + std::to_string(column);
}

void append_escape(uint32_t unit, std::string* out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  *out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out->push_back(kDigits[(unit >> shift) & 15]);
}

/// A JSON string literal; what is not UTF-8 (lone surrogates only) becomes an escape.
void append_quoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = text[i];
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c));
    } else if (c < 0x20) {
      append_escape(c, out);
    } else if (c == 0xED && i + 2 < text.size() && static_cast<uint8_t>(text[i + 1]) >= 0xA0) {
      append_escape(0xD000 | (text[i + 1] & 0x3F) << 6 | (text[i + 2] & 0x3F), out);
      i += 2;
    } else {
      out->push_back(static_cast<char>(c));
    }
  }
  out->push_back('"');
}

/// The first byte of a string at or after `at` that is not plain ASCII: a quote, a backslash, NUL
/// or a byte above 0x7F. Eight bytes at a time; near the end of the text it may stop early.
size_t plain_end(std::string_view text, size_t at) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
  const auto zero_bytes = [](uint64_t v) { return (v - kOnes) & ~v & kHighs; };
  for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
    uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    const uint64_t special = (bytes & kHighs) | zero_bytes(bytes ^ kOnes * '"') |
                             zero_bytes(bytes ^ kOnes * '\\') | zero_bytes(bytes);
    if (special == 0) continue;
    if constexpr (std::endian::native != std::endian::little) return at;
    return at + static_cast<size_t>(std::countr_zero(special)) / 8;
  }
  return at;
}

/// The pass before RapidJSON: copies `text` to `out`, checking and rewriting as described above.
class Prescan {
 public:
  Prescan(std::string_view text, std::string* out,
          std::unordered_map<size_t, std::string>* long_numbers)
      : text_(text), out_(out), long_numbers_(long_numbers) {}

  Status run() {
    if (is_plain_json(text_)) {
      *out_ = text_;
      return {};
    }
    out_->reserve(text_.size() + 1);
    if (text_.starts_with("\xEF\xBB\xBF")) skip(3);
    while (at_ < text_.size()) {
      const uint8_t c = text_[at_];
      switch (kOutside[c]) {
        case Outside::kPlain:
          do {
            ++at_;
          } while (at_ < text_.size() &&
                   kOutside[static_cast<uint8_t>(text_[at_])] == Outside::kPlain);
          break;
        case Outside::kQuote:
          if (Status status = string(); !status.ok()) return status;
          break;
        case Outside::kNumber:
          number();
          break;
        case Outside::kForeign:
          return error(
              at_, c == 0 ? "A NUL byte is not JSON." : "A byte outside ASCII is not JSON here.");
      }
    }
    flush();
    return {};
  }

  /// The place in the original text of an offset into the rewritten one.
  std::string place(size_t offset) const {
    int64_t shift = 0;
    for (const auto& [at, total] : shifts_) {
      if (at > offset) break;
      shift = total;
    }
    return line_and_column(text_, static_cast<size_t>(static_cast<int64_t>(offset) + shift));
  }

 private:
  Status error(size_t offset, std::string message) const {
    return Status(StatusCode::kParseError, std::move(message), line_and_column(text_, offset));
  }

  /// Copies what was passed over since the last flush.
  void flush() {
    out_->append(text_, copied_, at_ - copied_);
    copied_ = at_;
  }

  /// Leaves out n bytes, for which a substitute was written if there is one.
  void skip(size_t n) {
    at_ += n;
    copied_ = at_;
    shifts_.emplace_back(out_->size(),
                         static_cast<int64_t>(at_) - static_cast<int64_t>(out_->size()));
  }

  int32_t escaped_unit(size_t at) const {
    if (at + 6 > text_.size() || text_[at] != '\\' || text_[at + 1] != 'u') return -1;
    int32_t unit = 0;
    for (size_t i = at + 2; i < at + 6; ++i) {
      const char c = text_[i];
      int digit = 0;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = c - 'A' + 10;
      } else {
        return -1;
      }
      unit = unit * 16 + digit;
    }
    return unit;
  }

  Status string() {
    ++at_;
    while (at_ < text_.size()) {
      const uint8_t c = text_[at_];
      switch (kInside[c]) {
        case Inside::kPlain:
          at_ = plain_end(text_, at_ + 1);
          break;
        case Inside::kQuote:
          ++at_;
          return {};
        case Inside::kEscape:
          escape();
          break;
        case Inside::kNul:
          return error(at_, "A NUL byte is not JSON.");
        case Inside::kUtf8: {
          const size_t length = utf8_sequence_length(text_.substr(at_));
          if (length == 0) return error(at_, "The text is not valid UTF-8.");
          at_ += length;
          break;
        }
      }
    }
    return {};
  }

  void escape() {
    const int32_t unit = escaped_unit(at_);
    if (unit < 0) {
      at_ += std::min<size_t>(2, text_.size() - at_);
    } else if (unit >= 0xD800 && unit <= 0xDFFF) {
      const int32_t next = unit <= 0xDBFF ? escaped_unit(at_ + 6) : -1;
      if (next >= 0xDC00 && next <= 0xDFFF) {
        at_ += 12;
      } else {
        flush();
        append_wtf8(out_, static_cast<uint32_t>(unit));
        skip(6);
      }
    } else {
      at_ += 6;
    }
  }

  void number() {
    size_t end = at_;
    bool exponent = false;
    while (end < text_.size()) {
      const char c = text_[end];
      if (c == 'e' || c == 'E') {
        exponent = true;
      } else if (!((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.')) {
        break;
      }
      ++end;
    }
    const size_t length = end - at_;
    const std::string_view spelling = text_.substr(at_, length);
    if ((exponent || length > kLongestPlainNumber) && Decimal::parse(spelling)) {
      flush();
      long_numbers_->emplace(out_->size(), std::string(spelling));
      out_->push_back('0');
      skip(length);
    } else {
      at_ = end;
    }
  }

  // What a byte means outside and inside of strings.
  enum class Outside : uint8_t { kPlain, kQuote, kNumber, kForeign };
  enum class Inside : uint8_t { kPlain, kQuote, kEscape, kUtf8, kNul };
  static constexpr std::array<Outside, 256> kOutside = [] {
    std::array<Outside, 256> table{};
    for (const uint8_t c : std::string_view("-0123456789")) table[c] = Outside::kNumber;
    table['"'] = Outside::kQuote;
    table[0] = Outside::kForeign;
    for (size_t c = 0x80; c < 256; ++c) table[c] = Outside::kForeign;
    return table;
  }();
  static constexpr std::array<Inside, 256> kInside = [] {
    std::array<Inside, 256> table{};
    table['"'] = Inside::kQuote;
    table['\\'] = Inside::kEscape;
    table[0] = Inside::kNul;
    for (size_t c = 0x80; c < 256; ++c) table[c] = Inside::kUtf8;
    return table;
  }();

  std::string_view text_;
  std::string* out_;
  std::unordered_map<size_t, std::string>* long_numbers_;
  size_t at_ = 0;
  size_t copied_ = 0;                               // everything before it is in *out_ or left out
  std::vector<std::pair<size_t, int64_t>> shifts_;  // rewritten offset -> original minus rewritten
};

}  // namespace

/// RapidJSON's events -> nodes. Values wait on a stack until their container closes.
class JsonBuilder {
 public:
  using Kind = JsonValue::Kind;
  using Ch = char;

  JsonBuilder(JsonDocument* document, size_t max_depth)
      : document_(*document), max_depth_(max_depth) {
    constexpr size_t kOpen = 32, kBytesPerNode = 16;  // mostly
    stack_.reserve(kOpen);
    document_.nodes_.reserve(document_.buffer_.size() / kBytesPerNode);
  }

  bool too_deep() const { return depth_ > max_depth_; }

  bool Null() { return push(Kind::kNull); }
  bool Bool(bool b) { return push(b ? Kind::kTrue : Kind::kFalse); }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    std::string_view spelling(text, length);
    if (!document_.long_numbers_.empty()) {
      const auto found = document_.long_numbers_.find(text - document_.buffer_.data());
      if (found != document_.long_numbers_.end()) spelling = found->second;
    }
    return push(Kind::kNumber, spelling);
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return push(Kind::kString, std::string_view(text, length));
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    key_ = std::string_view(text, length);
    return true;
  }
  bool StartObject() { return ++depth_ <= max_depth_ && push(Kind::kObject); }
  bool StartArray() { return ++depth_ <= max_depth_ && push(Kind::kArray); }
  bool EndObject(rapidjson::SizeType count) { return close(count); }
  bool EndArray(rapidjson::SizeType count) { return close(count); }

  void finish() {
    document_.nodes_.push_back(stack_.back());
    auto& nodes = document_.nodes_;
    for (JsonId id = 0; id < nodes.size(); ++id) {
      for (uint32_t i = 0; i < nodes[id].count; ++i) nodes[nodes[id].first + i].parent = id;
    }
  }

 private:
  bool push(Kind kind, std::string_view text = {}) {
    JsonNode& node = stack_.emplace_back();
    node.kind = kind;
    node.text = text;
    node.key = std::exchange(key_, {});
    return true;
  }

  bool close(size_t count) {
    --depth_;
    auto& nodes = document_.nodes_;
    const size_t begin = stack_.size() - count;
    stack_[begin - 1].first = static_cast<uint32_t>(nodes.size());
    stack_[begin - 1].count = static_cast<uint32_t>(count);
    nodes.insert(nodes.end(), stack_.begin() + begin, stack_.end());
    stack_.resize(begin);
    return true;
  }

  JsonDocument& document_;
  const size_t max_depth_;
  size_t depth_ = 0;
  std::vector<JsonNode> stack_;
  std::string_view key_;
};

Result<std::shared_ptr<const JsonDocument>> JsonDocument::parse(std::string_view text,
                                                                size_t max_bytes,
                                                                size_t max_depth) {
  if (text.size() > max_bytes || text.size() >= UINT32_MAX) {
    return Status(StatusCode::kBudgetExceeded,
                  "The text is longer than the limit of " + std::to_string(max_bytes) + " bytes.",
                  "1:1");
  }
  std::shared_ptr<JsonDocument> document(new JsonDocument);
  Prescan prescan(text, &document->buffer_, &document->long_numbers_);
  if (Status status = prescan.run(); !status.ok()) return status;

  max_depth = std::min(max_depth, kDepthCeiling);
  JsonBuilder builder(document.get(), max_depth);
  rapidjson::Reader reader;
  rapidjson::InsituStringStream stream(document->buffer_.data());
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  if (reader.Parse<kFlags>(stream, builder).IsError()) {
    if (builder.too_deep()) {
      return Status(
          StatusCode::kBudgetExceeded,
          "The text is nested deeper than the limit of " + std::to_string(max_depth) + ".",
          prescan.place(reader.GetErrorOffset()));
    }
    return Status(StatusCode::kParseError, rapidjson::GetParseError_En(reader.GetParseErrorCode()),
                  prescan.place(reader.GetErrorOffset()));
  }
  builder.finish();
  if (Status status = document->check_keys(); !status.ok()) return status;
  return std::shared_ptr<const JsonDocument>(std::move(document));
}

Status JsonDocument::check_keys() const {
  const auto duplicate = [this](JsonId id) {
    return Status(StatusCode::kParseError,
                  "The key \"" + std::string(nodes_[id].key) + "\" occurs twice in one object.",
                  pointer(id));
  };
  std::unordered_set<std::string_view> seen;
  for (const JsonNode& node : nodes_) {
    if (!node.is_object()) continue;
    const JsonId end = node.first + node.count;
    if (node.count <= kSmallObject) {
      for (JsonId i = node.first; i < end; ++i) {
        for (JsonId j = node.first; j < i; ++j) {
          if (nodes_[i].key == nodes_[j].key) return duplicate(i);
        }
      }
    } else {
      seen.clear();
      for (JsonId i = node.first; i < end; ++i) {
        if (!seen.insert(nodes_[i].key).second) return duplicate(i);
      }
    }
  }
  return {};
}

JsonId JsonDocument::find(JsonId object, std::string_view key) const {
  const JsonNode& node = nodes_[object];
  if (!node.is_object()) return kNoJson;
  for (JsonId i = node.first; i < node.first + node.count; ++i) {
    if (nodes_[i].key == key) return i;
  }
  return kNoJson;
}

void append_pointer_token(std::string* pointer, std::string_view token) {
  pointer->push_back('/');
  if (token.find_first_of("~/") == std::string_view::npos) {
    pointer->append(token);
    return;
  }
  for (const char c : token) {
    if (c == '~') {
      *pointer += "~0";
    } else if (c == '/') {
      *pointer += "~1";
    } else {
      pointer->push_back(c);
    }
  }
}

std::string JsonDocument::pointer(JsonId id) const {
  std::vector<JsonId> path;
  for (; nodes_[id].parent != kNoJson; id = nodes_[id].parent) path.push_back(id);
  std::string result;
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    const JsonNode& parent = nodes_[nodes_[*it].parent];
    if (parent.is_object()) {
      append_pointer_token(&result, nodes_[*it].key);
    } else {
      result += "/" + std::to_string(*it - parent.first);
    }
  }
  return result;
}

JsonValue JsonDocument::value(JsonId id) const {
  const JsonNode& node = nodes_[id];
  JsonValue result;
  result.kind = node.kind;
  switch (node.kind) {
    case JsonValue::Kind::kNumber:
      result.number = Decimal::parse(node.text).value_or(Decimal{});
      result.integer_spelling = node.text.find_first_of(".eE") == std::string_view::npos;
      break;
    case JsonValue::Kind::kString:
      result.string = std::string(node.text);
      break;
    case JsonValue::Kind::kArray:
      result.items.reserve(node.count);
      for (JsonId i = 0; i < node.count; ++i) result.items.push_back(value(node.first + i));
      break;
    case JsonValue::Kind::kObject:
      result.members.reserve(node.count);
      for (JsonId i = 0; i < node.count; ++i) {
        const JsonId child = node.first + i;
        result.members.emplace_back(std::string(nodes_[child].key), value(child));
      }
      break;
    default:
      break;
  }
  return result;
}

std::string JsonDocument::serialize(JsonId id) const {
  std::string out;
  serialize(id, &out);
  return out;
}

void JsonDocument::serialize(JsonId id, std::string* out) const {
  const JsonNode& node = nodes_[id];
  const auto children = [&](char open, char close) {
    out->push_back(open);
    for (JsonId i = node.first; i < node.first + node.count; ++i) {
      if (i != node.first) out->push_back(',');
      if (node.is_object()) {
        append_quoted(nodes_[i].key, out);
        out->push_back(':');
      }
      serialize(i, out);
    }
    out->push_back(close);
  };
  switch (node.kind) {
    case JsonValue::Kind::kNull:
      *out += "null";
      break;
    case JsonValue::Kind::kFalse:
      *out += "false";
      break;
    case JsonValue::Kind::kTrue:
      *out += "true";
      break;
    case JsonValue::Kind::kNumber:
      *out += node.text;
      break;
    case JsonValue::Kind::kString:
      append_quoted(node.text, out);
      break;
    case JsonValue::Kind::kArray:
      children('[', ']');
      break;
    case JsonValue::Kind::kObject:
      children('{', '}');
      break;
  }
}

std::string_view kind_name(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kFalse:
    case JsonValue::Kind::kTrue:
      return "a Boolean";
    case JsonValue::Kind::kNumber:
      return "a number";
    case JsonValue::Kind::kString:
      return "a string";
    case JsonValue::Kind::kArray:
      return "an array";
    case JsonValue::Kind::kObject:
      return "an object";
  }
  return "a value";
}

}  // namespace espalier
