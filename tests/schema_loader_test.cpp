// The schema loader: documents, identifiers and references, dialects, bad input, real schemas, and
// the JSON-Schema-Test-Suite read through the graph by a slow reference validator.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "graph_validator.h"
#include "schema/json/json_document.h"
#include "schema/schema_graph.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::GraphValidator;

constexpr size_t kBytes = 16u << 20;
constexpr size_t kDepth = 512;

Result<std::shared_ptr<const SchemaGraph>> load(std::string_view text,
                                                const SchemaOptions& options = {}) {
  return load_schema(text, options);
}

std::string in_draft(std::string_view draft, std::string_view members) {
  const std::string uri =
      draft.starts_with("draft-") ? "http://json-schema.org/" + std::string(draft) + "/schema#"
      : draft == "v1"             ? "https://json-schema.org/v1"
                      : "https://json-schema.org/draft/" + std::string(draft) + "/schema";
  return "{\"$schema\": \"" + uri + "\"" + (members.empty() ? "" : ", ") + std::string(members) +
         "}";
}

/// Loads the schema and validates the instance; a load failure is a test failure.
bool accepts(std::string_view schema, std::string_view instance) {
  const auto graph = load(schema);
  EXPECT_TRUE(graph.ok()) << schema << "\n" << graph.status().to_string();
  const auto document = JsonDocument::parse(instance, kBytes, kDepth);
  EXPECT_TRUE(document.ok()) << instance;
  if (!graph.ok() || !document.ok()) return false;
  return GraphValidator(**graph).valid((*document)->value((*document)->root()));
}

TEST(SchemaLoader, ReadsEveryKeyword) {
  const auto loaded = load(R"json({
    "type": ["string", "number", "object", "array"],
    "enum": [1.50, "x", null, {"k": [true]}], "const": 1e400,
    "minimum": 0.1, "maximum": 1e400, "exclusiveMinimum": -3, "exclusiveMaximum": 7,
    "multipleOf": 0.01, "minLength": 2, "maxLength": 5000000000, "pattern": "^a", "format": "date",
    "properties": {"b": true, "a": false}, "patternProperties": {"^x": {"type": "null"}},
    "additionalProperties": {"type": "integer"}, "propertyNames": {"maxLength": 3},
    "required": ["a", "z", "a"], "minProperties": 1, "maxProperties": 4.0,
    "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"b": {}},
    "prefixItems": [true, {}], "items": {"type": "boolean"}, "minItems": 1, "maxItems": 9,
    "contains": {"const": 1}, "minContains": 0, "maxContains": 2, "uniqueItems": true,
    "allOf": [{}], "anyOf": [{}, {}], "oneOf": [{}], "not": {"type": "null"},
    "if": {}, "then": {}, "else": {}, "$ref": "#/$defs/d", "$defs": {"d": {}, "unused": 5}
  })json");
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  const SchemaGraph& graph = **loaded;
  const SchemaNode& node = graph[graph.root];
  EXPECT_EQ(node.pointer, "");
  EXPECT_EQ(node.dialect, Dialect::k2020_12);
  EXPECT_EQ(node.types, kTypeString | kTypeNumber | kTypeInteger | kTypeObject | kTypeArray);
  ASSERT_EQ(node.enum_values->size(), 4u);
  EXPECT_EQ((*node.enum_values)[0].number, *Decimal::parse("1.5"));
  EXPECT_EQ((*node.enum_values)[3].members[0].first, "k");
  EXPECT_EQ(node.const_value->number, *Decimal::parse("1e400"));
  EXPECT_EQ(*node.minimum, *Decimal::parse("0.1"));
  EXPECT_EQ(*node.maximum, *Decimal::parse("1e400"));
  EXPECT_EQ(*node.exclusive_minimum, *Decimal::parse("-3"));
  EXPECT_EQ(*node.exclusive_maximum, *Decimal::parse("7"));
  EXPECT_EQ(*node.multiple_of, *Decimal::parse("0.01"));
  EXPECT_EQ(node.min_length, 2u);
  EXPECT_EQ(node.max_length, uint64_t{1} << 32);
  EXPECT_NE(node.pattern_automaton, nullptr);
  EXPECT_EQ(node.format, "date");
  EXPECT_NE(node.format_automaton, nullptr);
  ASSERT_EQ(node.properties.size(), 2u);
  EXPECT_EQ(node.properties[0].first, "b");
  EXPECT_EQ(graph[node.properties[0].second].kind, SchemaNode::Kind::kTrue);
  EXPECT_EQ(graph[node.properties[1].second].kind, SchemaNode::Kind::kFalse);
  EXPECT_EQ(graph[node.properties[1].second].pointer, "/properties/a");
  ASSERT_EQ(node.pattern_properties.size(), 1u);
  EXPECT_EQ(graph[node.pattern_properties[0].node].types, kTypeNull);
  EXPECT_EQ(graph[node.additional_properties].types, kTypeInteger);
  EXPECT_EQ(graph[node.property_names].max_length, 3u);
  EXPECT_EQ(node.required, (std::vector<std::string>{"a", "z"}));
  EXPECT_EQ(node.min_properties, 1u);
  EXPECT_EQ(node.max_properties, 4u);
  ASSERT_EQ(node.dependent_required.size(), 1u);
  EXPECT_EQ(node.dependent_required[0].second, (std::vector<std::string>{"b"}));
  EXPECT_EQ(node.dependent_schemas.size(), 1u);
  EXPECT_EQ(node.prefix_items.size(), 2u);
  EXPECT_EQ(graph[node.items].types, kTypeBoolean);
  EXPECT_EQ(node.min_items, 1u);
  EXPECT_EQ(node.max_items, 9u);
  EXPECT_NE(node.contains, kNoNode);
  EXPECT_EQ(node.min_contains, 0u);
  EXPECT_EQ(node.max_contains, 2u);
  EXPECT_TRUE(node.unique_items);
  EXPECT_EQ(node.all_of.size(), 1u);
  EXPECT_EQ(node.any_of.size(), 2u);
  EXPECT_EQ(node.one_of.size(), 1u);
  EXPECT_NE(node.not_schema, kNoNode);
  EXPECT_NE(node.if_schema, kNoNode);
  EXPECT_NE(node.then_schema, kNoNode);
  EXPECT_NE(node.else_schema, kNoNode);
  EXPECT_EQ(graph[node.ref].pointer, "/$defs/d");
}

TEST(SchemaLoader, ReportsEveryKeywordOnce) {
  const auto loaded = load(R"({"title": "t", "type": "string", "format": "color", "x-y": 1,
      "$defs": {"unreachable": {"type": "x"}}, "then": {}})");
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  std::map<std::string, KeywordReport::Status> found;
  for (const KeywordReport& entry : (*loaded)->report) {
    EXPECT_EQ(entry.pointer, "/" + entry.keyword);
    EXPECT_TRUE(found.emplace(entry.keyword, entry.status).second);
    EXPECT_EQ(entry.reason.empty(), entry.status == KeywordReport::Status::kEnforced);
  }
  EXPECT_EQ(found.size(), 6u);
  EXPECT_EQ(found["type"], KeywordReport::Status::kEnforced);
  for (const char* name : {"title", "format", "x-y", "$defs", "then"}) {
    EXPECT_EQ(found[name], KeywordReport::Status::kAnnotation) << name;
  }
}

TEST(SchemaLoader, FormatsByPolicy) {
  SchemaOptions options;
  options.formats = FormatPolicy::kAnnotate;
  const auto loaded = load(R"({"format": "date"})", options);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((**loaded)[0].format, "");
  EXPECT_EQ((**load(R"({"format": "date"})"))[0].format, "date");
  EXPECT_EQ((**load(R"({"format": "no-such-format"})"))[0].format, "");
  EXPECT_EQ((**load(R"({"type": "integer", "format": "date"})"))[0].format, "");
}

TEST(SchemaLoader, ChoosesTheDialect) {
  const auto dialect = [](std::string_view text) {
    const auto loaded = load(text);
    EXPECT_TRUE(loaded.ok()) << text << loaded.status().to_string();
    return loaded.ok() ? (**loaded)[0].dialect : Dialect::kV1;
  };
  EXPECT_EQ(dialect("{}"), Dialect::k2020_12);
  EXPECT_EQ(dialect("true"), Dialect::k2020_12);
  EXPECT_EQ(dialect(R"({"$schema": "http://json-schema.org/draft-04/schema"})"), Dialect::kDraft4);
  EXPECT_EQ(dialect(R"({"$schema": "https://json-schema.org/draft-04/schema#"})"),
            Dialect::kDraft4);
  EXPECT_EQ(dialect(R"({"$schema": "http://json-schema.org/draft-04/hyper-schema#"})"),
            Dialect::kDraft4);
  EXPECT_EQ(dialect(in_draft("draft-06", "")), Dialect::kDraft6);
  EXPECT_EQ(dialect(in_draft("draft-07", "")), Dialect::kDraft7);
  EXPECT_EQ(dialect(in_draft("2019-09", "")), Dialect::k2019_09);
  EXPECT_EQ(dialect(in_draft("2020-12", "")), Dialect::k2020_12);
  EXPECT_EQ(dialect(in_draft("v1", "")), Dialect::kV1);
  EXPECT_EQ(dialect(R"({"$schema": "http://example.com/my-schema"})"), Dialect::k2020_12);
}

TEST(SchemaLoader, EmbeddedResourcesMayDeclareTheirDialect) {
  const std::string schema = R"json({"$id": "http://h/root", "properties": {
      "old": {"$id": "old", "$schema": "http://json-schema.org/draft-07/schema#",
              "items": [{"type": "string"}], "additionalItems": false},
      "same": {"$schema": "http://json-schema.org/draft-07/schema#",
               "prefixItems": [false]}}})json";
  EXPECT_TRUE(accepts(schema, R"({"old": ["a"]})"));
  EXPECT_FALSE(accepts(schema, R"({"old": [1]})"));
  EXPECT_FALSE(accepts(schema, R"({"old": ["a", "b"]})"));
  EXPECT_FALSE(accepts(schema, R"({"same": [1]})"));
}

struct DraftCase {
  const char* draft;
  const char* members;
  const char* instance;
  bool valid;
};

TEST(SchemaLoader, FollowsTheDraft) {
  const DraftCase cases[] = {
      // An integer with a fraction of zero.
      {"draft-04", R"("type": "integer")", "1.0", false},
      {"draft-06", R"("type": "integer")", "1.0", true},
      // Exclusive bounds.
      {"draft-04", R"("minimum": 1, "exclusiveMinimum": true)", "1", false},
      {"draft-04", R"("exclusiveMinimum": false, "minimum": 1)", "1", true},
      {"draft-04", R"("exclusiveMaximum": true, "maximum": 1)", "1", false},
      {"draft-04", R"("exclusiveMinimum": true)", "1", true},
      {"draft-06", R"("exclusiveMinimum": 1)", "1", false},
      // Keywords that came later are unknown before.
      {"draft-04", R"("const": 1)", "2", true},
      {"draft-06", R"("const": 1)", "2", false},
      {"draft-04", R"("contains": false)", "[1]", true},
      {"draft-06", R"("contains": false)", "[1]", false},
      {"draft-04", R"("propertyNames": false)", R"({"a": 1})", true},
      {"draft-06", R"("propertyNames": false)", R"({"a": 1})", false},
      {"draft-06", R"("if": true, "then": false)", "1", true},
      {"draft-07", R"("if": true, "then": false)", "1", false},
      {"draft-07", R"("dependentRequired": {"a": ["b"]})", R"({"a": 1})", true},
      {"2019-09", R"("dependentRequired": {"a": ["b"]})", R"({"a": 1})", false},
      {"draft-07", R"("contains": true, "minContains": 2)", "[1]", true},
      {"2019-09", R"("contains": true, "minContains": 2)", "[1]", false},
      {"2019-09", R"("prefixItems": [false])", "[1]", true},
      {"2020-12", R"("prefixItems": [false])", "[1]", false},
      // Array items.
      {"draft-07", R"("items": [{"type": "string"}], "additionalItems": false)", R"(["a"])", true},
      {"draft-07", R"("items": [{"type": "string"}], "additionalItems": false)", R"(["a", 1])",
       false},
      {"2019-09", R"("items": [{"type": "string"}], "additionalItems": {"type": "null"})",
       R"(["a", 1])", false},
      {"2019-09", R"("additionalItems": false)", "[1]", true},
      {"2019-09", R"("items": true, "additionalItems": false)", "[1]", true},
      {"2020-12", R"("prefixItems": [true], "items": false)", "[1, 2]", false},
      {"2020-12", R"("additionalItems": false)", "[1]", true},
      // Dependencies, kept for compatibility later on.
      {"draft-04", R"("dependencies": {"a": ["b"]})", R"({"a": 1})", false},
      {"draft-07", R"("dependencies": {"a": {"required": ["b"]}})", R"({"a": 1})", false},
      {"2020-12", R"("dependencies": {"a": ["b"]})", R"({"a": 1})", false},
      // Siblings of $ref.
      {"draft-07", R"("properties": {"x": {"$ref": "#/definitions/s", "maxLength": 1}},
                      "definitions": {"s": {"type": "string"}})",
       R"({"x": "ab"})", true},
      {"2019-09", R"("properties": {"x": {"$ref": "#/definitions/s", "maxLength": 1}},
                     "definitions": {"s": {"type": "string"}})",
       R"({"x": "ab"})", false},
      {"draft-04", R"("$ref": "#/definitions/s", "definitions": {"s": {"type": "string"}})", "1",
       false},
      // Recursive and dynamic references.
      {"2019-09", R"("properties": {"x": {"$recursiveRef": "#"}}, "additionalProperties": false)",
       R"({"x": {"x": {"y": 1}}})", false},
      {"draft-07", R"("properties": {"x": {"$recursiveRef": "#"}}, "additionalProperties": false)",
       R"({"x": {"x": {"y": 1}}})", true},
      {"2020-12", R"("properties": {"x": {"$dynamicRef": "#"}}, "additionalProperties": false)",
       R"({"x": {"x": {"y": 1}}})", false},
  };
  for (const DraftCase& c : cases) {
    EXPECT_EQ(accepts(in_draft(c.draft, c.members), c.instance), c.valid)
        << c.draft << " " << c.members << " " << c.instance;
  }
}

TEST(SchemaLoader, ResolvesReferences) {
  const DraftCase cases[] = {
      {"2020-12", R"("$ref": "#/$defs/a~1b~0c%25d/items", "$defs": {"a/b~c%d": {"items": false}})",
       "1", false},
      {"2020-12", R"("$ref": "#/allOf/1", "allOf": [true, false])", "1", false},
      {"2020-12", R"("$ref": "#x", "$defs": {"d": {"$anchor": "x", "type": "null"}})", "1", false},
      {"draft-07",
       R"("allOf": [{"$ref": "#x"}], "definitions": {"d": {"$id": "#x", "type": "null"}})", "1",
       false},
      {"draft-04",
       R"("allOf": [{"$ref": "#x"}], "definitions": {"d": {"id": "#x", "type": "null"}})", "1",
       false},
      {"2020-12",
       R"("$id": "http://h/a/b", "$ref": "c#/$defs/e", "$defs":
          {"d": {"$id": "/a/c", "$defs": {"e": {"type": "null"}}}})",
       "1", false},
      {"2020-12",
       R"("$id": "http://h/a/b", "$ref": "http://h/a/c#t", "$defs":
          {"d": {"$id": "c", "items": {"$anchor": "t", "type": "null"}}})",
       "1", false},
      {"2020-12", R"("$ref": "#/unknown/0/deep", "unknown": [{"deep": {"type": "null"}}])", "1",
       false},
      {"2020-12", R"("$ref": "#/examples/0", "examples": [{"type": "null"}])", "1", false},
      {"2020-12", R"("$id": "urn:example:root", "$ref": "urn:example:root#/$defs/x",
                     "$defs": {"x": {"type": "null"}})",
       "1", false},
      {"2020-12", R"("properties": {"$ref": {"type": "null"}})", R"({"$ref": 1})", false},
      {"2020-12", R"("items": {"$ref": "#"}, "type": "array")", "[[], [[1]]]", false},
      {"2020-12", R"("items": {"$ref": "#"}, "type": "array")", "[[], [[]]]", true},
      {"2020-12", R"("$ref": "#/$defs/%C3%A9", "$defs": {"é": {"type": "null"}})", "1", false},
      // An identifier inside enum or const is data.
      {"draft-07", R"("allOf": [{"enum": [{"$id": "http://h/x", "type": "null"}, 1]},
                               {"$ref": "http://h/x"}],
                      "definitions": {"x": {"$id": "http://h/x", "type": "number"}})",
       "1", true},
      // Beside $ref an identifier is ignored up to draft-07.
      {"draft-07", R"("$id": "http://h/root", "allOf": [{"$id": "http://g/", "$ref": "x"}],
                      "definitions": {"x": {"$id": "http://h/x", "type": "null"},
                                      "y": {"$id": "http://g/x"}})",
       "1", false},
  };
  for (const DraftCase& c : cases) {
    EXPECT_EQ(accepts(in_draft(c.draft, c.members), c.instance), c.valid)
        << c.draft << " " << c.members << " " << c.instance;
  }
}

TEST(SchemaLoader, BuildsOneNodePerReachableSchema) {
  const auto loaded =
      load(R"({"properties": {"a": {"$ref": "#/$defs/t"}, "b": {"$ref": "#/$defs/t"}},
      "$defs": {"t": {"items": {"$ref": "#/$defs/t"}}, "u": {"type": "null"}}})");
  ASSERT_TRUE(loaded.ok());
  std::vector<std::string> pointers;
  for (const SchemaNode& node : (*loaded)->nodes) pointers.push_back(node.pointer);
  std::sort(pointers.begin(), pointers.end());
  EXPECT_EQ(pointers, (std::vector<std::string>{"", "/$defs/t", "/$defs/t/items", "/properties/a",
                                                "/properties/b"}));
}

TEST(SchemaLoader, AcceptsInPlaceCycles) {
  EXPECT_TRUE(load(R"({"$ref": "#"})").ok());
  EXPECT_TRUE(load(R"({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#"}}})").ok());
}

TEST(SchemaLoader, DynamicReferencesFollowTheScope) {
  const std::string schema = R"json({
    "$id": "http://h/strings", "$ref": "list",
    "$defs": {
      "mine": {"$dynamicAnchor": "item", "type": "string"},
      "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"},
               "$defs": {"any": {"$dynamicAnchor": "item"}}}}})json";
  EXPECT_TRUE(accepts(schema, R"(["a"])"));
  EXPECT_FALSE(accepts(schema, "[1]"));
  const std::string both = R"json({
    "$id": "http://h/both",
    "properties": {"plain": {"$ref": "list"}, "strings": {"$ref": "strings"}},
    "$defs": {
      "strings": {"$id": "strings", "$ref": "list",
                  "$defs": {"mine": {"$dynamicAnchor": "item", "type": "string"}}},
      "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"},
               "$defs": {"any": {"$dynamicAnchor": "item"}}}}})json";
  EXPECT_TRUE(accepts(both, R"({"plain": [1], "strings": ["a"]})"));
  EXPECT_FALSE(accepts(both, R"({"plain": [1], "strings": [1]})"));
}

TEST(SchemaLoader, UnevaluatedWithoutApplicatorsIsPlain) {
  EXPECT_FALSE(
      accepts(R"({"properties": {"a": {}}, "unevaluatedProperties": false})", R"({"b": 1})"));
  EXPECT_TRUE(
      accepts(R"({"properties": {"a": {}}, "unevaluatedProperties": false})", R"({"a": 1})"));
  EXPECT_TRUE(
      accepts(R"({"additionalProperties": {}, "unevaluatedProperties": false})", R"({"a": 1})"));
  EXPECT_FALSE(accepts(R"({"prefixItems": [{}], "unevaluatedItems": false})", "[1, 2]"));
  EXPECT_TRUE(accepts(R"({"items": {}, "unevaluatedItems": false})", "[1, 2]"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{}], "unevaluatedItems": true})", "[1, 2]"));
}

struct BadCase {
  const char* schema;
  StatusCode code;
  const char* place;
};

TEST(SchemaLoader, NamesWhatIsWrong) {
  constexpr StatusCode kParse = StatusCode::kParseError;
  const BadCase cases[] = {
      {"", kParse, "1:1"},
      {"{\"a\" 1}", kParse, "1:6"},
      {"3", kParse, ""},
      {"null", kParse, ""},
      {R"({"items": 1})", kParse, "/items"},
      {R"({"items": []})", kParse, "/items"},
      {R"({"properties": {"a": [1]}})", kParse, "/properties/a"},
      {R"({"properties": []})", kParse, "/properties"},
      {R"({"type": "strnig"})", kParse, "/type"},
      {R"({"type": []})", kParse, "/type"},
      {R"({"type": ["string", 1]})", kParse, "/type/1"},
      {R"({"enum": 1})", kParse, "/enum"},
      {R"({"minLength": -1})", kParse, "/minLength"},
      {R"({"minLength": 1.5})", kParse, "/minLength"},
      {R"({"maxItems": "3"})", kParse, "/maxItems"},
      {R"({"minimum": "3"})", kParse, "/minimum"},
      {R"({"exclusiveMinimum": true})", kParse, "/exclusiveMinimum"},
      {R"({"multipleOf": 0})", kParse, "/multipleOf"},
      {R"({"multipleOf": -1})", kParse, "/multipleOf"},
      {R"({"required": true})", kParse, "/required"},
      {R"({"required": ["a", 1]})", kParse, "/required/1"},
      {R"({"uniqueItems": "yes"})", kParse, "/uniqueItems"},
      {R"({"pattern": 1})", kParse, "/pattern"},
      {R"({"pattern": "("})", kParse, "/pattern"},
      {R"({"patternProperties": {"(": {}}})", kParse, "/patternProperties/("},
      {R"({"pattern": "(?i:a)(b)\\1"})", StatusCode::kUnsupported, "/pattern"},
      {R"({"format": 1})", kParse, "/format"},
      {R"({"allOf": []})", kParse, "/allOf"},
      {R"({"anyOf": {}})", kParse, "/anyOf"},
      {R"({"not": []})", kParse, "/not"},
      {R"({"dependentRequired": {"a": [1]}})", kParse, "/dependentRequired/a/0"},
      {R"({"dependencies": {"a": 1}})", kParse, "/dependencies/a"},
      {R"({"minContains": -1})", kParse, "/minContains"},
      {R"({"$ref": 1})", kParse, "/$ref"},
      {R"({"$id": 1})", kParse, "/$id"},
      {R"({"$defs": 1})", kParse, "/$defs"},
      {R"({"a": 1, "b": {"c": 1, "c": 2}})", kParse, "/b/c"},
      {R"({"$ref": "#/title", "title": "t"})", kParse, "/$ref"},
      {R"({"$ref": "#/nowhere"})", StatusCode::kUnresolved, "/$ref"},
      {R"({"$ref": "#nowhere"})", StatusCode::kUnresolved, "/$ref"},
      {R"({"$ref": "#/a~2"})", StatusCode::kUnresolved, "/$ref"},
      {R"({"$ref": "#/allOf/01", "allOf": [{}, {}]})", StatusCode::kUnresolved, "/$ref"},
      {R"({"$ref": "#/%zz"})", StatusCode::kUnresolved, "/$ref"},
      {R"({"$ref": "http://example.com/x"})", StatusCode::kUnresolved, "/$ref"},
      {R"({"items": {"$ref": "other.json"}})", StatusCode::kUnresolved, "/items/$ref"},
  };
  for (const BadCase& c : cases) {
    const auto loaded = load(c.schema);
    ASSERT_FALSE(loaded.ok()) << c.schema;
    EXPECT_EQ(loaded.status().code(), c.code) << c.schema << " " << loaded.status().to_string();
    EXPECT_EQ(loaded.status().place(), c.place) << c.schema << " " << loaded.status().to_string();
    EXPECT_TRUE(loaded.status().message().ends_with('.')) << loaded.status().message();
  }
  const Status remote = load(R"({"$ref": "http://example.com/x#/a"})").status();
  EXPECT_NE(remote.message().find("http://example.com/x"), std::string::npos);
}

TEST(SchemaLoader, BudgetsAreStatuses) {
  std::string deep;
  for (int i = 0; i < 600; ++i) deep += "{\"not\":";
  deep += "{}" + std::string(600, '}');
  EXPECT_EQ(load(deep).status().code(), StatusCode::kBudgetExceeded);
  SchemaOptions options;
  options.limits.max_schema_depth = 601;
  EXPECT_TRUE(load(deep, options).ok());
  options.limits.max_schema_bytes = 100;
  EXPECT_EQ(load(deep, options).status().code(), StatusCode::kBudgetExceeded);
}

TEST(SchemaLoader, HostileSizesAreBounded) {
  // A long name far up would be repeated in the pointer of each of many keywords below.
  std::string names;
  for (int i = 0; i < 20'000; ++i) {
    names += (i ? ",\"" : "\"") + std::to_string(i) + "\":{\"type\":\"null\"}";
  }
  const std::string long_name(200'000, 'n');
  EXPECT_EQ(load("{\"properties\":{\"" + long_name + "\":{\"properties\":{" + names + "}}}}")
                .status()
                .code(),
            StatusCode::kBudgetExceeded);
  std::string members;
  for (int i = 0; i < 20'000; ++i) members += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
  EXPECT_EQ(load("{\"properties\":{\"" + long_name + "\":{" + members + "}}}").status().code(),
            StatusCode::kBudgetExceeded);
  std::string many = "{\"anyOf\":[{}";
  for (int i = 0; i < 260'000; ++i) many += ",{}";
  EXPECT_EQ(load(many + "]}").status().code(), StatusCode::kBudgetExceeded);
  // Many references into one large object.
  std::string uses;
  for (int i = 0; i < 20'000; ++i) {
    uses += (i ? ",{\"$ref\":\"#/$defs/" : "{\"$ref\":\"#/$defs/") + std::to_string(i) + "\"}";
  }
  EXPECT_TRUE(load("{\"$defs\":{" + names + "},\"allOf\":[" + uses + "]}").ok());
}

class SchemaDir : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("espalier-schema-dir-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "sub");
    write("sub/int.json", R"({"type": "integer"})");
    write("named.json", R"({"$id": "http://names.example/thing",
                           "properties": {"i": {"$ref": "http://h/sub/int.json"}}})");
    write("bad.json", "{\"type\": }");
    write("wrong.json", R"({"properties": {"a": {"minLength": -1}}})");
    write("old.json", R"({"$schema": "http://json-schema.org/draft-04/schema#", "const": 1})");
    options_.schema_dir = folder_.string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  Status status(const std::string& reference) {
    return load("{\"$ref\": \"" + reference + "\"}", options_).status();
  }

  fs::path folder_;
  SchemaOptions options_;
};

TEST_F(SchemaDir, ServesReferencesByPathAndIdentifier) {
  EXPECT_TRUE(status("http://h/sub/int.json").ok());
  EXPECT_TRUE(status("sub/int.json").ok());
  EXPECT_TRUE(status("http://names.example/thing#/properties/i").ok());
  const auto loaded = load(R"({"$ref": "http://names.example/thing"})", options_);
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  ASSERT_EQ((*loaded)->nodes.size(), 4u);
  EXPECT_EQ((**loaded)[1].pointer, "http://names.example/thing#");
  EXPECT_EQ((**loaded)[3].pointer, "http://h/sub/int.json#");
}

TEST_F(SchemaDir, DocumentsHaveTheirOwnDialect) {
  const auto loaded = load(R"({"$ref": "old.json"})", options_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE((**loaded)[1].const_value.has_value());
}

TEST_F(SchemaDir, NamesWhatIsWrong) {
  EXPECT_EQ(status("bad.json").code(), StatusCode::kParseError);
  EXPECT_EQ(status("bad.json").place(), "/$ref");
  EXPECT_NE(status("bad.json").message().find("bad.json"), std::string::npos);
  EXPECT_NE(status("bad.json").message().find("1:10"), std::string::npos);
  EXPECT_EQ(status("wrong.json").place(), "wrong.json#/properties/a/minLength");
  EXPECT_EQ(status("none.json").code(), StatusCode::kUnresolved);
  EXPECT_EQ(status("../../../../../../etc/passwd").code(), StatusCode::kUnresolved);
  EXPECT_EQ(status("http://h/%2e%2e/%2e%2e/%2e%2e/etc/passwd").code(), StatusCode::kUnresolved);
}

TEST(SchemaLoader, KnowsTheMetaschemas) {
  for (const char* draft : {"draft-04", "draft-06", "draft-07"}) {
    const std::string uri = "http://json-schema.org/" + std::string(draft) + "/schema#";
    const auto loaded = load("{\"$ref\": \"" + uri + "/properties/minLength\"}");
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
    EXPECT_TRUE(accepts("{\"$ref\": \"" + uri + "/properties/minLength\"}", "1"));
    EXPECT_FALSE(accepts("{\"$ref\": \"" + uri + "/properties/minLength\"}", "-1"));
  }
}

}  // namespace
}  // namespace espalier
