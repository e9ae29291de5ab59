// Schemas at the edges of what one meets, mostly in the exact profile: each compiles, says what it
// should, can be completed from everywhere along a text, and holds no more than 64 MiB.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "espalier/grammar.h"
#include "grammar/recognizer.h"

namespace espalier {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

class Schema {
 public:
  explicit Schema(const std::string& text, Profile profile = Profile::kExact,
                  AdditionalProperties additional = AdditionalProperties::kSchema) {
    SchemaOptions options;
    options.profile = profile;
    options.additional_properties = additional;
    auto grammar = Grammar::from_json_schema(text, options);
    EXPECT_TRUE(grammar.ok()) << grammar.status().to_string();
    if (grammar.ok()) grammar_ = grammar.value();
  }
  ~Schema() {
    if (grammar_ == nullptr) return;
    EXPECT_LE(grammar_->memory_bytes(), kMostBytes);
  }

  State after(const std::string& text) {
    const auto recognizer = grammar_->recognizer();
    State s = recognizer->start();
    for (const char c : text) {
      if (!s.dead()) s = recognizer->step(s, static_cast<uint8_t>(c));
    }
    return s;
  }
  bool accepts(const std::string& text) {
    const State s = after(text);
    return !s.dead() && grammar_->recognizer()->accepting(s);
  }
  /// Does the shortest completion after this prefix complete it?
  bool completes(const std::string& prefix) {
    const auto rest = grammar_->recognizer()->shortest_completion(after(prefix));
    return rest.ok() && accepts(prefix + rest.value());
  }

 private:
  std::shared_ptr<const Grammar> grammar_;
};

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(SchemaLimits, NamesThatASearchDoesNotFindInTimeMayExist) {
  // Whether some name has a b after an a alone at its end is beyond what is looked at.
  Schema schema(
      R"({"type": "object",
          "patternProperties": {"(?<!a)b|^1": false, "\\p{L}$": {}, "a[ab]{13}c": true},
          "not": {"patternProperties": {"\\Bb\\b": false}}})");
  EXPECT_TRUE(schema.accepts(R"({"ab": 1})"));
  EXPECT_FALSE(schema.accepts(R"({"bb": 1})"));
  EXPECT_FALSE(schema.accepts(R"({"c": 1})"));
}

TEST(SchemaLimits, NamesThatASearchDoesNotFindInTimeMayExistBesideListedOnes) {
  Schema schema(
      R"({"anyOf": [{"propertyNames": {"pattern": "^(?=.*b)[^1]*$"}},
                    {"propertyNames": {"pattern": "^[ab]*$"},
                     "patternProperties": {"a[ab]{13}c": true, "\\p{L}$": {}},
                     "required": ["1"]}]})");
  EXPECT_TRUE(schema.accepts(R"({"a b": 1})"));
  EXPECT_TRUE(schema.accepts(R"({"cb": 1})"));
  EXPECT_FALSE(schema.accepts(R"({"c1": 1})"));
}

// Each of these patterns has hundreds of ranges, and together they have few classes of letters.
TEST(SchemaLimits, NamesOfManyRangesAreLookedThrough) {
  Schema empty(
      R"({"allOf": [{"type": "object", "maxProperties": 0,
                     "patternProperties": {"(?<=a)b": {"minItems": 1}, "\\bb": true}},
                    {"properties": {"ba": {}, "ab": {"minLength": 1}},
                     "patternProperties": {"\\p{L}$": {"unevaluatedProperties": false},
                                           "^(?=.*b)[^1]*$": {"maxProperties": 1}}}]})");
  EXPECT_TRUE(empty.accepts("{}"));
  EXPECT_TRUE(empty.after("{\"").dead());
  // What a predicate might say of a name is of no use where no name may come.
  Schema guessed(
      R"({"allOf": [{"type": "object", "additionalProperties": false,
                     "properties": {"aa": {}, "b": {}}},
                    {"patternProperties": {"^(a|b)\\1$": {"type": "integer"}}}]})");
  EXPECT_TRUE(guessed.accepts(R"({"aa":1})"));
  EXPECT_FALSE(guessed.accepts(R"({"aa":""})"));
  EXPECT_TRUE(guessed.after(R"({"ab)").dead());
  EXPECT_TRUE(guessed.after(R"({"c)").dead());
}

// In the generation profile a quote in a name has one spelling.
TEST(SchemaLimits, NamesEndAfterABackslash) {
  for (const Profile profile : {Profile::kExact, Profile::kGeneration}) {
    Schema schema(R"({"enum": [{"\"": 1, "\\": 2, "\ud83d\ude00": 3}]})", profile);
    for (const char* prefix : {R"({"\)", R"({"\"":1,"\)", "{\"\\\"\":1,\"\\\\\":2,\"\xf0\x9f"})
      EXPECT_TRUE(schema.completes(prefix)) << prefix;
  }
}

// The name that makes an object fail is longer than one that only goes on.
TEST(SchemaLimits, CompletionsFailWhatMustFail) {
  Schema schema(R"({"oneOf": [{}, {"additionalProperties": {"properties": {"ab": false}}}]})");
  for (const char* prefix : {"{", R"({"a":)", R"({"a":{)", R"({"a":1,"b":)"})
    EXPECT_TRUE(schema.completes(prefix)) << prefix;
  // One property must fail two subschemas at once.
  Schema both(
      R"({"maxProperties": 1, "unevaluatedProperties": {},
          "allOf": [{"not": {"properties": {"ab": {"type": "string"}}}},
                    {"not": {"properties": {"ab": {"maxLength": 3}}}}]})");
  EXPECT_TRUE(both.after("{").dead());
}

// The names of a class that come to mind first may all be used.
TEST(SchemaLimits, CompletionsUseNamesThatAreLeft) {
  Schema schema(
      R"({"type": "object", "minProperties": 12,
          "propertyNames": {"anyOf": [{"minLength": 2}, {"pattern": "\\d"}]}})");
  for (const char* prefix : {"{", R"({"0":1)", R"({"0":1,"1":2,")", R"({"a0":1,"3)"})
    EXPECT_TRUE(schema.completes(prefix)) << prefix;
}

// What stands under two conditions that come to the same is dead once one of them cannot hold.
TEST(SchemaLimits, ConditionsAreAskedForOnce) {
  Schema schema(
      R"({"type": "string", "if": {"oneOf": [{"format": "hostname"}, {"maxLength": 2}]},
          "then": {"pattern": "^[^-]*$"}, "else": false})");
  EXPECT_TRUE(schema.accepts(R"("abc.d")"));
  EXPECT_TRUE(schema.accepts(R"("a_")"));
  EXPECT_TRUE(schema.after(R"("abc-)").dead());
  EXPECT_FALSE(schema.accepts(R"("abc_")"));
}

// A format beside embedded JSON is beyond what is looked at, too, and its values are not counted.
TEST(SchemaLimits, StringsThatASearchDoesNotFindInTimeAreNotListed) {
  Schema schema(
      R"({"type": "array", "uniqueItems": true, "minItems": 1,
          "items": {"type": "string", "minLength": 2, "format": "hostname", "pattern": "\\bb",
                    "contentMediaType": "application/json"}})");
  EXPECT_FALSE(schema.accepts(R"(["b"])"));
  EXPECT_FALSE(schema.accepts(R"(["null"])"));
}

TEST(SchemaLimits, EnumOf5000Values) {
  std::string values;
  for (int i = 0; i < 5000; ++i) {
    if (i > 0) values += ',';
    values += i % 10 == 0 ? std::to_string(i * 7) : "\"value-" + std::to_string(i * 7919) + "\"";
  }
  Schema schema("{\"enum\":[" + values + "]}");
  EXPECT_TRUE(schema.accepts("\"value-7919\""));
  EXPECT_TRUE(schema.accepts("\"value-39587081\""));  // 4999 * 7919
  EXPECT_TRUE(schema.accepts("34930"));               // 4990 * 7
  EXPECT_TRUE(schema.accepts("3493e1"));
  EXPECT_FALSE(schema.accepts("\"value-7918\""));
  EXPECT_FALSE(schema.accepts("34931"));
  EXPECT_TRUE(schema.completes("\"val"));
  EXPECT_TRUE(schema.completes("349"));
}

TEST(SchemaLimits, ObjectOf600Properties) {
  std::string properties, required, instance;
  for (int i = 0; i < 600; ++i) {
    const std::string name = "\"property_" + std::to_string(i) + "\"";
    const std::string comma = i > 0 ? "," : "";
    properties += comma + name + ":{\"type\":\"" + (i % 2 == 0 ? "integer" : "string") + "\"}";
    if (i % 3 == 0) required += comma + name;
    // Last to first: the order is free.
    instance = name + ":" + (i % 2 == 0 ? "1" : "\"x\"") + (i > 0 ? "," : "") + instance;
  }
  for (const char* closed : {"additionalProperties", "unevaluatedProperties"}) {
    Schema schema("{\"type\":\"object\",\"allOf\":[{}],\"properties\":{" + properties +
                  "},\"required\":[" + required + "],\"" + closed + "\":false}");
    EXPECT_TRUE(schema.accepts("{" + instance + "}"));
    EXPECT_FALSE(schema.accepts("{" + instance + ",\"property_600\":1}"));
    EXPECT_FALSE(schema.accepts("{\"property_0\":1}"));
    EXPECT_TRUE(schema.completes("{"));
    EXPECT_TRUE(schema.completes("{\"property_5"));
  }
}

// Whether a rest exists is decided without a look at all combinations of branches.
TEST(SchemaLimits, OneOf40BranchesInOrder) {
  std::string branches;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    branches += std::string(i > 0 ? "," : "") + R"({"properties":{"type":{"const":"t)" + n +
                R"("},"k)" + n + R"(":{"type":"integer"}},"required":["type","k)" + n + "\"]}";
  }
  Schema schema("{\"oneOf\":[" + branches + "]}", Profile::kGeneration);
  EXPECT_TRUE(schema.accepts(R"({"type":"t7","k7":1})"));
  EXPECT_TRUE(schema.completes(R"({"type":"t3)"));
  EXPECT_TRUE(schema.completes(R"({"type":"t39",)"));
  EXPECT_TRUE(schema.after(R"({"k0)").dead());  // "type" comes first or not at all
  EXPECT_TRUE(schema.after(R"({"type":"t5","k6":1,"k7")").dead());
}

// A name after which what all branches demand could no longer come is refused, however many
// branches tell its values apart: no search runs out.
TEST(SchemaLimits, NamesThatTheOrderRulesOut) {
  for (const int count : {3, 9, 24}) {
    std::string branches;
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      branches += std::string(i > 0 ? "," : "") + R"({"properties":{"kind":{"const":"k)" + n +
                  R"("},"name":{"type":"string"},"detail":{"properties":{"x)" + n +
                  R"(":{"type":"integer"}}}},"required":["name")" + (i > 0 ? ",\"kind\"]}" : "]}");
    }
    Schema schema(R"({"type":"object","anyOf":[)" + branches + "]}", Profile::kGeneration);
    EXPECT_TRUE(schema.after(R"({"d)").dead());
    EXPECT_TRUE(schema.after(R"({"kind":"k1","d)").dead());
    EXPECT_TRUE(schema.accepts(R"({"name":"","detail":{"x1":""}})"));  // only the first may do
    EXPECT_FALSE(schema.accepts(R"({"name":"","detail":{"x0":""}})"));
    EXPECT_TRUE(schema.accepts(R"({"kind":"k1","name":"","detail":{"x0":""}})"));
    EXPECT_FALSE(schema.accepts(R"({"kind":"k1","name":"","detail":{"x1":""}})"));
    for (const char* prefix : {"{", R"({"n)", R"({"kind":"k2",)", R"({"name":"","detail":{"x0")"})
      EXPECT_TRUE(schema.completes(prefix)) << prefix;
  }
}

// Where names come in order, which of them were used is nothing to what follows, except where whole
// objects are compared.
TEST(SchemaLimits, NamesThatTheOrderTells) {
  Schema schema(R"({"properties":{"a":{},"b":{},"c":{}}})", Profile::kGeneration);
  EXPECT_EQ(schema.after(R"({"a":1,"c":2,)"), schema.after(R"({"b":1,"c":2,)"));
  EXPECT_TRUE(schema.accepts(R"({"a":1,"c":2,"x":3,"y":4})"));
  for (const char* dead : {R"({"a":1,"a")", R"({"a":1,"b":2,"a")", R"({"a":1,"c":2,"b")",
                           R"({"x":1,"a")", R"({"c":1,"x":2,"c")", R"({"c":1,"x":2,"x")"}) {
    EXPECT_TRUE(schema.after(dead).dead()) << dead;
  }
  Schema unique(R"({"uniqueItems":true,"items":{"additionalProperties":false,
      "type":"object","properties":{"a":{"const":1},"b":{"const":1}}}})",
                Profile::kGeneration);
  EXPECT_TRUE(unique.accepts(R"([{"a":1,"b":1},{"b":1},{"a":1},{}])"));
  EXPECT_TRUE(unique.completes(R"([{},{"b":1},{"a":1)"));
  for (const char* dead : {R"([{"a":1},{"a":1})", R"([{"b":1},{},{"b)", R"([{"a":1,"b":1},{"a":1,)",
                           R"([{"a":1,"b":1},{"b":1},{"a":1},{},)"}) {
    EXPECT_TRUE(unique.after(dead).dead()) << dead;
  }
}

TEST(SchemaLimits, ContainsInTwoBranches) {
  Schema schema(R"({"type": "array", "oneOf": [
      {"anyOf": [{"items": {"$ref": "#/$defs/a"}}, {"contains": {"$ref": "#/$defs/a"}}]},
      {"anyOf": [{"items": {"$ref": "#/$defs/b"}}, {"contains": {"$ref": "#/$defs/a"}}]}],
      "$defs": {"a": {"type": "array", "contains": {"type": "number", "minimum": 100}},
                "b": {"type": "array", "items": {"type": "number", "multipleOf": 4}}}})");
  // What contains an "a" satisfies both branches; so each item is a "b" and none an "a".
  EXPECT_TRUE(schema.accepts("[[]]"));
  EXPECT_TRUE(schema.accepts("[[4,-8],[]]"));
  EXPECT_TRUE(schema.completes("["));
  EXPECT_TRUE(schema.completes("[[4"));
  for (const char* dead : {"[n", "[1", "[[n", "[[]]]", "[[100,", "[[4],[\""})
    EXPECT_TRUE(schema.after(dead).dead()) << dead;
}

// Each value asks about others that fail several subschemas, and leads back to itself.
TEST(SchemaLimits, RecursionInOverlappingBranches) {
  Schema schema(R"({"properties": {"1": {}},
                    "oneOf": [{"properties": {"a b": {"$ref": "#"}}},
                              {"additionalProperties": {"additionalProperties": {}}}]})",
                Profile::kExact, AdditionalProperties::kForbid);
  // The second branch always holds, so the first one must fail.
  EXPECT_TRUE(schema.accepts(R"({"a b":1})"));
  EXPECT_FALSE(schema.accepts(R"({"a b":{"a b":1}})"));
  EXPECT_TRUE(schema.after("1").dead());
  EXPECT_TRUE(schema.after("{}").dead());
  EXPECT_TRUE(schema.completes(R"({"a b":{)"));
}

TEST(SchemaLimits, LengthOfAMillion) {
  constexpr int kLength = 1'000'000;
  Schema schema(R"({"type":"string","minLength":2,"maxLength":1000000})");
  EXPECT_TRUE(schema.accepts("\"" + std::string(kLength, 'x') + "\""));
  EXPECT_TRUE(schema.accepts("\"" + repeated("\xc3\xa9", kLength) + "\""));
  EXPECT_FALSE(schema.accepts("\"" + std::string(kLength + 1, 'x') + "\""));
  EXPECT_FALSE(schema.accepts("\"x\""));
  EXPECT_TRUE(schema.completes("\""));
  Schema least(R"({"type":"string","minLength":1000000,"pattern":"^[ab]*$"})");
  EXPECT_TRUE(least.accepts("\"" + std::string(kLength, 'a') + "\""));
  EXPECT_FALSE(least.accepts("\"" + std::string(kLength - 1, 'a') + "\""));
}

TEST(SchemaLimits, DepthOf60) {
  constexpr int kDepth = 60;
  const std::string open = "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":";
  const std::string shut =
      "},\"unevaluatedProperties\":false,\"anyOf\":[{},{\"required\":[\"b\"]}]}";
  Schema schema(repeated(open, kDepth) + "{\"type\":\"null\"}" + repeated(shut, kDepth));
  const std::string in = repeated("{\"a\":", kDepth);
  EXPECT_TRUE(schema.accepts(in + "null" + std::string(kDepth, '}')));
  EXPECT_FALSE(schema.accepts(in + "1" + std::string(kDepth, '}')));
  EXPECT_FALSE(schema.accepts(in + "null,\"b\":1" + std::string(kDepth, '}')));
  EXPECT_TRUE(schema.completes("{"));
  Schema recursive(R"({"type":"array","items":{"$ref":"#"}})");
  EXPECT_TRUE(recursive.accepts(std::string(kDepth, '[') + std::string(kDepth, ']')));
  EXPECT_TRUE(recursive.completes(std::string(kDepth, '[')));
}

// What a reference that leads to itself in place says is open; here it adds nothing, wherever the
// cycle is entered.
TEST(SchemaLimits, ReferenceCycleInPlace) {
  const std::string definitions =
      R"("$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"minLength":2}]},
                  "b":{"allOf":[{"$ref":"#/$defs/a"},{"maxLength":3}]}})";
  for (const char* entry : {R"("$ref":"#/$defs/a")", R"("$ref":"#/$defs/b")",
                            R"("allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}])",
                            R"("allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/a"}])",
                            R"("not":{"not":{"$ref":"#/$defs/b"}})"}) {
    Schema schema("{" + definitions + "," + entry + "}");
    EXPECT_TRUE(schema.accepts("\"xy\"")) << entry;
    EXPECT_FALSE(schema.accepts("\"x\"")) << entry;
    EXPECT_FALSE(schema.accepts("\"xyzw\"")) << entry;
  }
  // Both members of the cycle, asked one after the other.
  Schema pair("{" + definitions +
              R"(,"properties":{"p":{"$ref":"#/$defs/a"},"q":{"$ref":"#/$defs/b"}}})");
  EXPECT_TRUE(pair.accepts(R"({"p":"xy","q":"xy"})"));
  EXPECT_FALSE(pair.accepts(R"({"q":"x"})"));
  EXPECT_FALSE(pair.accepts(R"({"p":"xyzw"})"));
  EXPECT_FALSE(pair.accepts(R"({"p":"xy","q":"x"})"));
  Schema itself(R"({"$ref":"#","properties":{"a":{}},"unevaluatedProperties":false})");
  EXPECT_TRUE(itself.accepts(R"({"a":1})"));
  EXPECT_FALSE(itself.accepts(R"({"b":1})"));
}

}  // namespace
}  // namespace espalier
