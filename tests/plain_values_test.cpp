// The quick answers about existence against witnesses: wherever plain_values.cpp says that a value
// of a class exists, the machine of that schema must write one, byte by byte; and a schema that
// compiles as satisfiable must have a completion.

#include "schema/satisfiability/plain_values.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "schema/machine/schema_machine.h"
#include "tests/schema_random.h"
#include "tests/test_seed.h"

namespace espalier {
namespace {

using testing::SchemaRandom;

constexpr std::string_view kFirstBytes[] = {"n", "f", "t", "-0123456789", "\"", "[", "{"};

bool writes_value(SchemaMachine& machine, ValueClass value_class) {
  for (const char byte : kFirstBytes[static_cast<size_t>(value_class)]) {
    const State state = machine.step(machine.start(), static_cast<uint8_t>(byte));
    if (state.dead()) continue;
    const auto rest = machine.shortest_completion(state);
    if (!rest.ok()) continue;
    State at = state;
    for (const char c : *rest) at = machine.step(at, static_cast<uint8_t>(c));
    if (machine.accepting(at)) return true;
  }
  return false;
}

void check_every_node(const std::string& schema, Profile profile, size_t* plain) {
  SchemaOptions options;
  options.profile = profile;
  options.content = ContentPolicy::kAssert;
  const auto graph = load_schema(schema, options);
  if (!graph.ok()) return;
  FormulaPool pool;
  TextStore texts;
  const Expansion expansion(**graph, &pool, &texts);
  for (NodeId id = 0; id < (*graph)->nodes.size(); ++id) {
    const auto rooted = std::make_shared<SchemaGraph>(**graph);
    rooted->root = id;
    SchemaMachine machine(rooted, options);
    if (!machine.status().ok()) continue;
    for (int c = 0; c < kValueClasses; ++c) {
      const auto value_class = static_cast<ValueClass>(c);
      if (!plainly_possible(expansion, id, value_class)) continue;
      ++*plain;
      EXPECT_TRUE(writes_value(machine, value_class) || !machine.status().ok())
          << schema << "\nnode " << (**graph)[id].pointer.text() << ", class " << c;
    }
  }
}

TEST(PlainValues, EveryYesHasAWitness) {
  SchemaRandom random(testing::test_seed());
  size_t plain = 0;
  for (int round = 0; round < 600 && !HasFailure(); ++round) {
    const std::string schema = random.schema();
    check_every_node(schema, round % 2 == 0 ? Profile::kExact : Profile::kGeneration, &plain);
  }
  std::printf("%zu plain answers\n", plain);
  EXPECT_GT(plain, 100u);
}

TEST(PlainValues, HandPicked) {
  const auto possible = [](const std::string& schema, ValueClass value_class) {
    const auto graph = load_schema(schema, {});
    EXPECT_TRUE(graph.ok()) << schema;
    FormulaPool pool;
    TextStore texts;
    const Expansion expansion(**graph, &pool, &texts);
    return plainly_possible(expansion, (*graph)->root, value_class);
  };
  EXPECT_TRUE(possible("{}", ValueClass::kObject));
  EXPECT_TRUE(possible(R"({"required": ["a"], "properties": {"a": {"type": "string"}}})",
                       ValueClass::kObject));
  EXPECT_FALSE(possible(R"({"required": ["a"], "properties": {"a": false}})", ValueClass::kObject));
  EXPECT_FALSE(
      possible(R"({"required": ["a"], "additionalProperties": false})", ValueClass::kObject));
  EXPECT_FALSE(possible(R"({"required": ["a", "b"], "maxProperties": 1})", ValueClass::kObject));
  EXPECT_FALSE(
      possible(R"({"required": ["a"], "properties": {"a": {"$ref": "#"}}, "type": "object"})",
               ValueClass::kObject));
  EXPECT_FALSE(possible(R"({"contains": false})", ValueClass::kArray));
  EXPECT_FALSE(possible(R"({"minimum": 2, "maximum": 1})", ValueClass::kNumber));
  EXPECT_FALSE(
      possible(R"({"type": "integer", "minimum": 0.5, "maximum": 0.75})", ValueClass::kNumber));
  EXPECT_TRUE(possible(R"({"minimum": 1, "maximum": 1})", ValueClass::kNumber));
  EXPECT_FALSE(possible(R"({"type": "null"})", ValueClass::kString));
  EXPECT_TRUE(
      possible(R"({"anyOf": [{"type": "null"}, {"type": "string"}]})", ValueClass::kString));
  EXPECT_FALSE(possible(R"({"type": "integer", "anyOf": [{"enum": [1.5]}]})", ValueClass::kNumber));
  // The empty enum of an in-place cycle.
  EXPECT_FALSE(possible(R"({"allOf": [{"$ref": "#"}]})", ValueClass::kNull));
}

// The generation profile writes no lone surrogates, so what needs one does not exist there.
TEST(PlainValues, WhatHasNoSpellingDoesNotExist) {
  struct Case {
    const char* schema;
    bool exists;
  };
  for (const auto& [schema, exists] : {
           Case{R"({"const": "\ud800"})", false},
           Case{R"({"const": {"\ud800": 1}})", false},
           Case{R"({"enum": ["\ud800", {"a": "\ud800"}, -2.5]})", true},
           Case{R"({"enum": [["\ud800"], "\ud800"]})", false},
           Case{R"({"required": ["\ud83d"], "type": "object"})", false},
           Case{R"({"required": ["\ud83d\ude00"], "type": "object"})", true},
           Case{R"({"properties": {"\ud83d": true, "a": false}, "additionalProperties": false,
                    "minProperties": 1, "type": "object"})",
                false},
           Case{R"({"type": "object", "propertyNames": {"enum": ["\ud800"]}, "minProperties": 1})",
                false},
           Case{R"({"type": "object", "if": {"required": ["\ud800"]}, "then": false})", true},
           Case{R"({"type": "string", "pattern": "[\\ud800-\\udbff]"})", false},
           Case{R"({"type": "string", "pattern": "\ud83d\ude00"})", true},
           Case{R"({"type": "string", "pattern": "^(\ud83d|ab)$", "minLength": 1})", true},
           Case{R"({"type": "string", "not": {"pattern": "^[^\ud83d]*$"}})", false},
           Case{R"({"type": "string", "pattern": "^[^a-\ud7ff\ue000-\\u{10ffff}]*$",
                    "minLength": 2})",
                true},
           Case{R"({"type": "object", "patternProperties": {"^[^\ud83d]*$": false},
                    "minProperties": 1})",
                false},
           Case{R"({"type": "array", "items": {"enum": ["\ud800", "a"]}, "minItems": 2,
                    "uniqueItems": true})",
                false},
       }) {
    const auto recognizer = make_schema_recognizer(schema, {.profile = Profile::kGeneration});
    ASSERT_TRUE(recognizer.ok()) << schema;
    const State start = (*recognizer)->start();
    EXPECT_EQ(!start.dead(), exists) << schema;
    EXPECT_EQ((*recognizer)->shortest_completion(start).ok(), exists) << schema;
    const auto exact = make_schema_recognizer(schema, {.profile = Profile::kExact});
    ASSERT_TRUE(exact.ok()) << schema;
    EXPECT_FALSE((*exact)->start().dead()) << schema;
  }
}

TEST(PlainValues, SatisfiableSchemasHaveCompletions) {
  SchemaRandom random(testing::test_seed());
  size_t schemas = 0, stuck = 0;
  for (int round = 0; round < 1000; ++round) {
    const std::string schema = random.schema();
    const auto recognizer = make_schema_recognizer(schema, {});
    if (!recognizer.ok() || (*recognizer)->start().dead()) continue;
    ++schemas;
    if ((*recognizer)->shortest_completion((*recognizer)->start()).ok()) continue;
    ++stuck;
    if (std::getenv("ESPALIER_LIST") != nullptr) std::printf("no completion: %s\n", schema.c_str());
  }
  std::printf("%zu satisfiable schemas, %zu without a completion\n", schemas, stuck);
  EXPECT_LE(stuck * 50, schemas);
}

}  // namespace
}  // namespace espalier
