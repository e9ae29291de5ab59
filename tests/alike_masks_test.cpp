// Masks of states that stand for each other: objects that differ in the names that were used,
// properties whose schemas are written alike. One grammar reads many texts, so that masks are
// shared; the reference is a machine of its own for each text, which steps every token's bytes.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/tokens/content_index.h"
#include "engine_support.h"

namespace espalier::testing {
namespace {

const char* const kSchemas[] = {
    // Any name may come, and some are listed.
    R"({"properties": {"a": {"type": "null"}, "id": {"type": "integer"}, "ab": {}},
        "required": ["id"]})",
    R"({"additionalProperties": {"enum": [1, "a"]}, "maxProperties": 4})",
    // Listed names alone.
    R"({"properties": {"a": {"type": "null"}, "id": {"enum": [1, null]}, "ab": {}, "\"": {}},
        "additionalProperties": false, "required": ["a"], "minProperties": 2})",
    // Some names.
    R"({"properties": {"a": {}}, "patternProperties": {"^(id|ab?)$": {}},
        "additionalProperties": false})",
    R"({"propertyNames": {"maxLength": 1}, "properties": {"id": {}}})",
    // The same value for many names, in several places.
    R"({"properties": {"a": {"type": "string"}, "ab": {"type": "string", "title": "t"},
        "id": {"$ref": "#/$defs/id"}}, "$defs": {"id": {"type": "string"}}, "required": ["ab"],
        "additionalProperties": {"properties": {"a": {"enum": ["a", "b"]}, "b": {"enum": ["a", "b"]}},
        "required": ["b"]}})",
    R"({"properties": {"a": {"type": "array", "items": {"maximum": 5}}, "b": {"type": "array",
        "items": {"$ref": "#/$defs/five"}}}, "$defs": {"five": {"maximum": 5}}})",
    R"({"properties": {"a": {"anyOf": [{"type": "null"}, {"const": "a"}]}, "b": {"anyOf": [{"type":
        "null"}, {"const": "b"}]}, "id": {"anyOf": [{"type": "null"}, {"const": "a"}]}}})",
    // Scalars of several schemas in one container, and containers that end in one.
    R"({"properties": {"a": {"type": "string"}, "ab": {"type": ["string", "null"], "maxLength": 1},
        "b": {"enum": [1, 17, "b"]}, "id": {"type": ["integer", "string"]}, "x": {"items": {"maximum":
        5}, "maxItems": 1, "required": ["b"]}, "idx": {"type": ["array", "object"]}},
        "additionalProperties": false, "required": ["id"]})",
    R"({"type": "object", "anyOf": [{"properties": {"a": {"type": "integer"}, "b": {}}},
        {"required": ["b"]}], "additionalProperties": {"properties": {"a": {"type": "string"}, "id":
        {"minimum": 2}, "b": {"type": "string", "maxLength": 2}}, "maxProperties": 2}})",
    // What remembers whole objects, and what depends on names.
    R"({"items": {"properties": {"a": {}}}, "uniqueItems": true, "type": "array"})",
    R"({"items": {"properties": {"a": {}, "id": {}}, "additionalProperties": false},
        "uniqueItems": true, "type": "array"})",
    R"({"not": {"const": {"a": 1, "id": null}}, "type": "object"})",
    R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"})",
    R"({"dependentRequired": {"a": ["id"]}, "additionalProperties": {"type": ["null", "integer"]}})",
};

const char* const kNames[] = {"a", "b", "ab", "id", "idx", "x", "\\u0061", "\\\"", ""};
const char* const kValues[] = {"1", "null", "\"a\"", "\"b\"", "[1]", "7", "{\"b\":\"a\"}"};

class AlikeMasks : public ::testing::TestWithParam<Profile> {
 protected:
  static std::string object(std::mt19937_64& random, int depth) {
    std::string text = "{";
    for (size_t n = random() % 5; n > 0; --n) {
      if (text.size() > 1) text += random() % 2 ? "," : ", ";
      text += '"' + std::string(kNames[random() % std::size(kNames)]) + "\":";
      text += random() % 2 ? " " : "";
      text += depth > 0 && random() % 4 == 0 ? object(random, depth - 1)
                                             : kValues[random() % std::size(kValues)];
    }
    return text + "}";
  }
};

TEST_P(AlikeMasks, EqualTheCheckOfEveryToken) {
  std::mt19937_64 random(test_seed() + static_cast<uint64_t>(GetParam()));
  size_t states = 0;
  size_t shared = 0;
  for (int round = 0; round < 4; ++round) {
    std::vector<std::string> pieces = {"a",  "b", "id", "x",      "\"",      "\"",   ":",
                                       ": ", "{", "}",  "null",   "\\u0061", "\\\"", "[",
                                       "]",  "1", " ",  "\"id\"", "\"a\":",  "\"\":"};
    // With tokens that spell names after a comma, objects with other names left are not alike.
    if (round == 0) pieces.insert(pieces.end(), {",", ", ", "\"id\":1,"});
    const auto vocabulary = random_vocabulary(random, pieces, 700, true);
    const NameHeads& heads = vocabulary->content()->name_heads();
    for (const char* const schema : kSchemas) {
      const bool array = std::string_view(schema).find("\"array\"})") != std::string_view::npos ||
                         std::string_view(schema).find("uniqueItems") != std::string_view::npos;
      const auto grammar = Grammar::from_json_schema(schema, {.profile = GetParam()});
      ASSERT_TRUE(grammar.ok()) << schema;
      for (int i = 0; i < 12; ++i) {
        std::string text = object(random, 1);
        if (array) text = "[" + text + "," + object(random, 0) + "," + object(random, 0) + "]";
        const auto reference = Grammar::from_json_schema(schema, {.profile = GetParam()});
        ASSERT_TRUE(reference.ok());
        const auto slow = (*reference)->recognizer();
        Matcher matcher(*grammar, vocabulary);
        State s = slow->start();
        for (const char c : text) {
          const MaskRow expected = slow_mask(*slow, s, *vocabulary);
          const MaskRow mask = mask_of(matcher);
          ASSERT_EQ(mask == expected, true)
              << schema << "\nafter " << matcher.text() << "\nseed " << test_seed() << "\n"
              << difference(mask, expected, *vocabulary);
          ++states;
          const auto owner = (*grammar)->recognizer();
          State read = owner->start();
          for (const char before : matcher.text())
            read = owner->step(read, static_cast<uint8_t>(before));
          shared += owner->representative(read, heads).frame != read.frame ? 1 : 0;
          s = slow->step(s, static_cast<uint8_t>(c));
          ASSERT_EQ(matcher.accept_bytes(std::string(1, c)).ok(), !s.dead());
          if (s.dead()) break;
        }
      }
    }
  }
  EXPECT_GT(shared, states / 100) << "seed " << test_seed();
  printf("%zu masks equal, %zu shared, seed %llu\n", states, shared,
         static_cast<unsigned long long>(test_seed()));
}

INSTANTIATE_TEST_SUITE_P(Profiles, AlikeMasks,
                         ::testing::Values(Profile::kExact, Profile::kGeneration));

}  // namespace
}  // namespace espalier::testing
