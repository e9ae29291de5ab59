#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/status.h"
#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/numbers/decimal.h"
#include "schema/boxed.h"
#include "schema/json/json_document.h"
#include "schema/json/json_value.h"

namespace espalier {

using NodeId = uint32_t;
inline constexpr NodeId kNoNode = UINT32_MAX;

/// JSON types as bits; an integer is also a number.
enum TypeBit : uint8_t {
  kTypeNull = 1,
  kTypeBoolean = 2,
  kTypeNumber = 4,
  kTypeInteger = 8,
  kTypeString = 16,
  kTypeArray = 32,
  kTypeObject = 64,
  kTypeAny = 127,
};

enum class Dialect : uint8_t { kDraft4, kDraft6, kDraft7, k2019_09, k2020_12, kV1 };

struct PatternProperty {
  std::string pattern;
  std::shared_ptr<const CodepointAutomaton> automaton;
  NodeId node = kNoNode;
};

/// A subschema that applies where the property `name` is the string `value`.
struct PropertyDependency {
  std::string name, value;
  NodeId node = kNoNode;
};

/// A value in one of the loaded documents; document 0 is the schema itself.
struct Location {
  uint32_t document = 0;
  JsonId json = 0;
  friend auto operator<=>(const Location&, const Location&) = default;
};

/// The documents a schema was read from.
class SchemaDocuments {
 public:
  /// `uri` is used where the document is not the first.
  void add(std::shared_ptr<const JsonDocument> json, std::string uri) {
    documents_.push_back({std::move(json), std::move(uri)});
  }
  const JsonDocument& operator[](uint32_t document) const { return *documents_[document].json; }
  uint32_t size() const { return static_cast<uint32_t>(documents_.size()); }
  /// A JSON pointer in document 0, "URI#pointer" elsewhere.
  std::string place(Location location) const {
    return place(location.document, (*this)[location.document].pointer(location.json));
  }
  std::string place(uint32_t document, std::string pointer) const {
    return document == 0 ? pointer : documents_[document].uri + "#" + pointer;
  }
  size_t memory_bytes() const;

 private:
  struct Document {
    std::shared_ptr<const JsonDocument> json;
    std::string uri;
  };
  std::vector<Document> documents_;
};

/// Where a schema was written, spelled out only when asked: as SchemaDocuments::place says.
class SchemaPointer {
 public:
  SchemaPointer() = default;
  SchemaPointer(const SchemaDocuments* documents, Location location)
      : documents_(documents), location_(location) {}
  std::string text() const { return documents_ ? documents_->place(location_) : std::string(); }
  operator std::string() const { return text(); }
  friend bool operator==(const SchemaPointer& a, std::string_view b) { return a.text() == b; }

 private:
  const SchemaDocuments* documents_ = nullptr;
  Location location_;
};

/// One schema (a Boolean or an object of keywords) with its references resolved to node ids.
/// Absent assertions are empty optionals, absent subschemas kNoNode.
struct SchemaNode {
  enum class Kind : uint8_t { kTrue, kFalse, kKeywords };
  Kind kind = Kind::kKeywords;
  SchemaPointer pointer;  ///< valid as long as the graph
  Dialect dialect = Dialect::k2020_12;

  uint8_t types = kTypeAny;  ///< the `type` keyword; kTypeAny when absent
  Boxed<std::vector<JsonValue>> enum_values;
  Boxed<JsonValue> const_value;

  Boxed<Decimal> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;

  std::optional<uint64_t> min_length, max_length;  ///< saturated to 2^32
  std::shared_ptr<const CodepointAutomaton> pattern_automaton;
  std::string format;  ///< asserted format's name, "" if none or an annotation
  std::shared_ptr<const CodepointAutomaton> format_automaton;
  std::shared_ptr<const CodepointAutomaton> content_automaton;  ///< of asserted content, else null
  const char* content_keyword = nullptr;  ///< contentMediaType, or contentEncoding alone

  std::vector<std::pair<std::string, NodeId>> properties;  ///< document order
  std::vector<PatternProperty> pattern_properties;
  NodeId additional_properties = kNoNode;
  NodeId property_names = kNoNode;
  NodeId unevaluated_properties = kNoNode;
  std::vector<std::string> required;
  /// By policy: listed names that may be there only where a subschema that holds requires them.
  Boxed<std::vector<std::string>> omitted;
  std::optional<uint64_t> min_properties, max_properties;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, NodeId>> dependent_schemas;
  std::vector<PropertyDependency> property_dependencies;

  std::vector<NodeId> prefix_items;  ///< also draft <= 2019-09's array-valued `items`
  NodeId items = kNoNode;  ///< for the rest; also `additionalItems` beside an array `items`
  NodeId unevaluated_items = kNoNode;
  std::optional<uint64_t> min_items, max_items;
  NodeId contains = kNoNode;
  std::optional<uint64_t> min_contains, max_contains;
  bool unique_items = false;

  std::vector<NodeId> all_of, any_of, one_of;
  NodeId not_schema = kNoNode;
  NodeId if_schema = kNoNode, then_schema = kNoNode, else_schema = kNoNode;
  NodeId ref = kNoNode;  ///< `$ref`'s target; siblings are dropped on load where the draft says so
};

/// A schema document as a graph of nodes; immutable after load.
struct SchemaGraph {
  std::vector<SchemaNode> nodes;
  NodeId root = 0;
  /// One entry per keyword occurrence at a reachable schema, if it was asked for.
  std::vector<KeywordReport> report;
  SchemaDocuments documents;  ///< what the nodes' pointers point into
  SchemaOptions options;      ///< the caller's, completed by the schema's own

  const SchemaNode& operator[](NodeId id) const { return nodes[id]; }
  size_t memory_bytes() const;
};

enum class KeywordReports : uint8_t { kNone, kAll };

/// Parses and resolves a schema. Errors: kParseError (not JSON: place line:column; a keyword of the
/// wrong type, a duplicate key, an invalid pattern: place JSON pointer), kUnresolved ($ref),
/// kUnsupported (a keyword that is not enforced, by name), kBudgetExceeded (depth, size).
Result<std::shared_ptr<const SchemaGraph>> load_schema(
    std::string_view text, const SchemaOptions& options,
    KeywordReports reports = KeywordReports::kAll);

}  // namespace espalier
