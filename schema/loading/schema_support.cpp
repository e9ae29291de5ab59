// What a keyword occurrence amounts to.
//
// `unevaluatedProperties` and `unevaluatedItems` depend on which branches of the in-place
// applicators beside them hold. Where there is no such applicator, all that is evaluated is known
// from the siblings, and the keyword means what `additionalProperties` (or `items` after the
// prefix) would mean:
//
//   {"properties": {"a": {}}, "unevaluatedProperties": false}    plain, "a" alone is allowed
//   {"additionalProperties": {}, "unevaluatedProperties": false} trivial, nothing is left over
//   {"anyOf": [...], "unevaluatedProperties": false}             enforced by evaluation.cpp
#include "schema/loading/schema_support.h"

#include <algorithm>
#include <initializer_list>

namespace espalier {
namespace {

using Kind = KeywordSupport::Kind;

bool has_any(const JsonDocument& json, JsonId schema,
             std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return json.find(schema, name) != kNoJson; });
}

bool has_in_place_applicator(const JsonDocument& json, JsonId schema) {
  return has_any(json, schema,
                 {"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if",
                  "dependentSchemas", "dependencies", "propertyDependencies"});
}

KeywordSupport unevaluated_properties(const JsonDocument& json, JsonId schema, JsonId value) {
  if (has_any(json, schema, {"additionalProperties"}))
    return {Kind::kTrivial, "additionalProperties leaves nothing unevaluated"};
  if (json[value].is_true()) return {Kind::kPlain, "true asserts nothing"};
  return {has_in_place_applicator(json, schema) ? Kind::kEnforced : Kind::kPlain, ""};
}

KeywordSupport unevaluated_items(const JsonDocument& json, JsonId schema, JsonId value,
                                 Dialect dialect) {
  const JsonId items = json.find(schema, "items");
  const bool all_items = items != kNoJson && (!json[items].is_array() ||
                                              json.find(schema, "additionalItems") != kNoJson);
  if (all_items) return {Kind::kTrivial, "items leaves nothing unevaluated"};
  if (json[value].is_true()) return {Kind::kPlain, "true asserts nothing"};
  const bool contains = dialect >= Dialect::k2020_12 && json.find(schema, "contains") != kNoJson;
  return {contains || has_in_place_applicator(json, schema) ? Kind::kEnforced : Kind::kPlain, ""};
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
