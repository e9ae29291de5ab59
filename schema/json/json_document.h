#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "espalier/status.h"
#include "schema/json/json_value.h"

namespace espalier {

/// Index of a value inside its JsonDocument.
using JsonId = uint32_t;
inline constexpr JsonId kNoJson = UINT32_MAX;

/// One value of a JSON text. The views point into the document's buffer.
struct JsonNode {
  JsonValue::Kind kind = JsonValue::Kind::kNull;
  uint32_t first = 0;       ///< first child (elements or member values are consecutive)
  uint32_t count = 0;       ///< number of children
  JsonId parent = kNoJson;  ///< kNoJson at the root
  std::string_view text;    ///< a string's content (WTF-8), a number's spelling
  std::string_view key;     ///< the member name, when the parent is an object

  bool is_object() const { return kind == JsonValue::Kind::kObject; }
  bool is_array() const { return kind == JsonValue::Kind::kArray; }
  bool is_string() const { return kind == JsonValue::Kind::kString; }
  bool is_number() const { return kind == JsonValue::Kind::kNumber; }
  bool is_true() const { return kind == JsonValue::Kind::kTrue; }
  bool is_boolean() const { return is_true() || kind == JsonValue::Kind::kFalse; }
};

/// A parsed JSON text: flat, immutable, member order and number spellings kept.
class JsonDocument {
 public:
  /// Errors: kParseError (place "line:column"; for a duplicate key the JSON pointer of its second
  /// occurrence), kBudgetExceeded (more than `max_bytes`, nested deeper than `max_depth`).
  static Result<std::shared_ptr<const JsonDocument>> parse(std::string_view text, size_t max_bytes,
                                                           size_t max_depth);

  JsonId root() const { return static_cast<JsonId>(nodes_.size() - 1); }
  size_t size() const { return nodes_.size(); }
  const JsonNode& operator[](JsonId id) const { return nodes_[id]; }

  /// The value of a member, or kNoJson.
  JsonId find(JsonId object, std::string_view key) const;
  /// The JSON pointer (RFC 6901) of a value; "" is the root.
  std::string pointer(JsonId id) const;
  /// A copy of a value as schemas keep it.
  JsonValue value(JsonId id) const;
  /// A JSON text of a value: compact, number spellings kept, lone surrogates as escapes.
  std::string serialize(JsonId id) const;

 private:
  friend class JsonBuilder;
  JsonDocument() = default;
  Status check_keys() const;
  void serialize(JsonId id, std::string* out) const;

  std::string buffer_;
  std::unordered_map<size_t, std::string> long_numbers_;  ///< buffer offset -> real spelling
  std::vector<JsonNode> nodes_;
};

/// Appends "/" and `token`, escaped as RFC 6901 asks.
void append_pointer_token(std::string* pointer, std::string_view token);

/// "a string", "an array", ...: for messages.
std::string_view kind_name(JsonValue::Kind kind);

}  // namespace espalier
