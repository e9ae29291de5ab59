// Re-spelling: the same value as the grammar spells it, what differs, and only where it must.
#include "espalier/respell.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "engine_support.h"
#include "tests/reference_json.h"
#include "tests/schema_random.h"

namespace espalier::testing {
namespace {

std::shared_ptr<const Grammar> compile(const std::string& schema, const SchemaOptions& options) {
  const auto grammar = Grammar::from_json_schema(schema, options);
  EXPECT_TRUE(grammar.ok()) << grammar.status().to_string();
  return grammar.ok() ? *grammar : nullptr;
}

std::string respelled(const std::string& schema, const std::string& text,
                      const SchemaOptions& options = {}) {
  const auto result = respell(*compile(schema, options), text);
  if (!result.ok()) return result.status().to_string();
  return result->text + "  " + result->difference.to_string();
}

TEST(Respell, SaysWhatDiffers) {
  const std::string schema = R"({"properties": {"a": {}, "b": {}, "c": {}}})";
  EXPECT_EQ(respelled(schema, R"({"a": 1, "b": [2,3]})"), R"({"a": 1, "b": [2,3]}  )");
  EXPECT_EQ(respelled(schema, R"({"b": 1, "a": 2})"), R"({"a": 2, "b": 1}  property order)");
  EXPECT_EQ(respelled(schema, R"({"x": {"y": 0}, "c": 1, "a":2})"),
            R"({"a":2, "c": 1, "x": {"y": 0}}  property order)");
  EXPECT_EQ(respelled(schema, R"({"a": 1.50e1, "b": -0.0})"), R"({"a": 15.0, "b": 0.0}  numbers)");
  EXPECT_EQ(respelled(schema, "[1e-3, 25E2]"), "[0.001, 2500.0]  numbers");
  EXPECT_EQ(respelled(schema, R"({"a": "\u0041\/\n\"\u0001"})"),
            R"({"a": "A/\n\"\u0001"}  escapes)");
  EXPECT_EQ(respelled(schema, " [ 1 ,\n2]\n"), "[1,2]  whitespace");
  EXPECT_EQ(respelled(schema, R"({"c": [{"b":1, "a": "\u00e9"}] , "\u0062": 1e2})"),
            "{\"b\": 100.0, \"c\": [{\"b\":1, \"a\": \"é\"}]}  "
            "property order + whitespace + numbers + escapes");
}

TEST(Respell, FollowsTheOptions) {
  SchemaOptions options;
  options.spelling.item_separator = ",  ";
  options.spelling.key_separator = ": ";
  EXPECT_EQ(respelled("{}", R"({"b":[1,2],"a":{}})", options),
            R"({"b": [1,  2],  "a": {}}  whitespace)");
  options = {};
  options.spelling.property_order = Spelling::PropertyOrder::kGiven;
  options.spelling.property_names = {"z", "y"};
  EXPECT_EQ(respelled(R"({"properties": {"y": {}}})", R"({"x": 0, "y": 1, "z": 2})", options),
            R"({"z": 2, "y": 1, "x": 0}  property order)");
  const std::string draft4 = R"({"$schema": "http://json-schema.org/draft-04/schema#",
                                 "items": {"not": {"type": "integer"}}})";
  EXPECT_EQ(respelled(draft4, "[1e2, 2.5]"), "[100.0, 2.5]  numbers");
  options = {.profile = Profile::kExact};
  const std::string odd = " {\"b\" :1E2,\"\\u0061\":[ ] } ";
  EXPECT_EQ(respelled(R"({"properties": {"a": {}, "b": {}}})", odd, options), odd + "  ");
}

TEST(Respell, Errors) {
  const auto grammar = compile(R"({"properties": {"a": {"type": "string"}}})", {});
  EXPECT_EQ(respell(*grammar, "{").status().code(), StatusCode::kParseError);
  EXPECT_EQ(respell(*grammar, R"({"a": "", "a": ""})").status().code(), StatusCode::kParseError);
  const auto invalid = respell(*grammar, R"({"b": 1, "a": 2})");
  EXPECT_EQ(invalid.status().code(), StatusCode::kRejected);
  EXPECT_EQ(invalid.status().place(), "byte 6");
}

bool accepts(const Grammar& grammar, const std::string& text) {
  const auto recognizer = grammar.recognizer();
  State s = recognizer->start();
  for (const char c : text) s = recognizer->step(s, static_cast<uint8_t>(c));
  return recognizer->accepting(s);
}

// Is there a lone surrogate in a string or a name?
bool has_surrogate(const reference::Json& value) {
  const auto in = [](const std::string& text) {
    return std::ranges::any_of(reference::code_points(text),
                               [](uint32_t c) { return c >= 0xD800 && c < 0xE000; });
  };
  return (value.is_string() && in(value.text)) || std::ranges::any_of(value.items, has_surrogate) ||
         std::ranges::any_of(value.members, [&](const auto& member) {
           return in(member.first) || has_surrogate(member.second);
         });
}

// Every value that the profile `exact` accepts has a spelling in `generation`, but for those with
// lone surrogates, which it does not write; and no other has.
TEST(Respell, EveryValidValueHasASpelling) {
  SchemaRandom random(test_seed());
  int valid = 0, invalid = 0, differing = 0;
  for (int round = 0; round < 600; ++round) {
    const std::string schema = random.schema();
    const auto parsed = reference::parse_json(schema, nullptr);
    ASSERT_TRUE(parsed) << schema;
    const auto exact = Grammar::from_json_schema(schema, {.profile = Profile::kExact});
    const auto plain = Grammar::from_json_schema(schema, {.profile = Profile::kGeneration});
    ASSERT_TRUE(exact.ok() && plain.ok()) << schema << exact.status().to_string();
    for (int i = 0; i < 12; ++i) {
      const reference::Json value = random.instance(*parsed);
      const std::string text = random.respell(value, true);
      const auto result = respell(**plain, text);
      const bool accepted = accepts(**exact, text) && !has_surrogate(value);
      ASSERT_EQ(result.ok(), accepted) << schema << '\n'
                                       << text << '\n'
                                       << result.status().to_string();
      ++(accepted ? valid : invalid);
      if (!accepted) continue;
      ASSERT_TRUE(accepts(**plain, result->text)) << schema << '\n' << result->text;
      ASSERT_TRUE(accepts(**exact, result->text)) << schema << '\n' << result->text;
      ASSERT_EQ(accepts(**plain, text), !result->difference.any()) << schema << '\n' << text;
      const auto again = reference::parse_json(result->text, nullptr);
      ASSERT_TRUE(again && reference::equal(*again, value)) << text << '\n' << result->text;
      differing += result->difference.any();
    }
  }
  printf("[  VALUES  ] %d valid, %d of them respelled, %d invalid\n", valid, differing, invalid);
  EXPECT_GT(valid, 500);
  EXPECT_GT(differing, 300);
  EXPECT_GT(invalid, 500);
}

}  // namespace
}  // namespace espalier::testing
