// Which keywords are enforced, which need nothing, and which are refused by name.
//
// `unevaluatedProperties` and `unevaluatedItems` depend on which branches of the in-place
// applicators beside them hold. Where there is no such applicator, all that is evaluated is known
// from the siblings, and the keyword means what `additionalProperties` (or `items` after the
// prefix) would mean:
//
//   {"properties": {"a": {}}, "unevaluatedProperties": false}    enforced, "a" alone is allowed
//   {"additionalProperties": {}, "unevaluatedProperties": false} trivial, nothing is left over
//   {"anyOf": [...], "unevaluatedProperties": false}             refused
#include "schema/schema_support.h"

#include <algorithm>
#include <initializer_list>

namespace espalier {
namespace {

using Names = std::initializer_list<std::string_view>;

bool has_any(const JsonDocument& json, JsonId schema, Names names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return json.find(schema, name) != kNoJson; });
}

bool has_in_place_applicator(const JsonDocument& json, JsonId schema) {
  return has_any(json, schema,
                 {"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if",
                  "dependentSchemas", "dependencies"});
}

KeywordSupport refused(std::string_view keyword, std::string_view reason) {
  return {KeywordSupport::Kind::kRefused,
          "The keyword \"" + std::string(keyword) + "\" is not supported " + std::string(reason)};
}

constexpr std::string_view kBesideApplicators =
    "beside $ref, allOf, anyOf, oneOf, if, dependentSchemas or dependencies.";

KeywordSupport unevaluated_properties(const JsonDocument& json, JsonId schema, JsonId value) {
  if (json[value].is_true()) return {KeywordSupport::Kind::kTrivial, "true asserts nothing"};
  if (has_any(json, schema, {"additionalProperties"})) {
    return {KeywordSupport::Kind::kTrivial, "additionalProperties leaves nothing unevaluated"};
  }
  if (has_in_place_applicator(json, schema)) {
    return refused("unevaluatedProperties", kBesideApplicators);
  }
  return {};
}

KeywordSupport unevaluated_items(const JsonDocument& json, JsonId schema, JsonId value,
                                 Dialect dialect) {
  if (json[value].is_true()) return {KeywordSupport::Kind::kTrivial, "true asserts nothing"};
  const JsonId items = json.find(schema, "items");
  const bool all_items = items != kNoJson && (!json[items].is_array() ||
                                              json.find(schema, "additionalItems") != kNoJson);
  if (all_items) return {KeywordSupport::Kind::kTrivial, "items leaves nothing unevaluated"};
  if (has_in_place_applicator(json, schema)) {
    return refused("unevaluatedItems", kBesideApplicators);
  }
  if (dialect >= Dialect::k2020_12 && json.find(schema, "contains") != kNoJson) {
    return refused("unevaluatedItems", "beside contains.");
  }
  return {};
}

}  // namespace

KeywordSupport keyword_support(const KeywordInfo& keyword, const JsonDocument& json, JsonId schema,
                               JsonId value, Dialect dialect) {
  switch (keyword.keyword) {
    case Keyword::kUnevaluatedProperties:
      return unevaluated_properties(json, schema, value);
    case Keyword::kUnevaluatedItems:
      return unevaluated_items(json, schema, value, dialect);
    default:
      return {};
  }
}

bool is_standard_format(std::string_view name) {
  static constexpr std::string_view kNames[] = {"date-time",
                                                "date",
                                                "time",
                                                "duration",
                                                "email",
                                                "idn-email",
                                                "hostname",
                                                "ipv4",
                                                "idn-hostname",
                                                "ipv6",
                                                "uri",
                                                "uri-reference",
                                                "iri",
                                                "iri-reference",
                                                "uuid",
                                                "uri-template",
                                                "json-pointer",
                                                "regex",
                                                "relative-json-pointer"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace espalier
