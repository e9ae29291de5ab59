// Examples (schema/satisfiability/examples.cpp) against a validator that shares no code with them:
// whatever is found for a node must be valid, and what an example is said to satisfy or not must be
// so.
#include "schema/satisfiability/examples.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "schema/schema_graph.h"
#include "tests/reference_validator.h"
#include "tests/schema_random.h"
#include "tests/test_seed.h"

namespace espalier {
namespace {

using reference::ReferenceValidator;
using testing::SchemaRandom;

void append_string(const std::u32string& text, std::string* out) {
  *out += '"';
  for (const char32_t c : text) append_json_codepoint(out, c);
  *out += '"';
}

void append_value(const Example* example, const TextStore& texts, std::string* out) {
  if (example == nullptr) {
    *out += "null";
    return;
  }
  const char* separator = "";
  switch (example->value_class) {
    case ValueClass::kNull:
      *out += "null";
      return;
    case ValueClass::kFalse:
      *out += "false";
      return;
    case ValueClass::kTrue:
      *out += "true";
      return;
    case ValueClass::kNumber:
      *out += example->number.to_string();
      return;
    case ValueClass::kString:
      append_string(example->string, out);
      return;
    case ValueClass::kArray:
      *out += '[';
      for (const Example* item : example->items) {
        *out += separator;
        append_value(item, texts, out);
        separator = ",";
      }
      *out += ']';
      return;
    case ValueClass::kObject:
      *out += '{';
      for (const Example::Member& member : example->members) {
        *out += separator;
        append_string(texts.text(member.text), out);
        *out += ':';
        append_value(member.value, texts, out);
        separator = ",";
      }
      *out += '}';
  }
}

// One schema with its examples and its judge; no string or number is known by its formula alone.
struct Case {
  explicit Case(std::string schema) : text(std::move(schema)) {
    SchemaOptions options;
    options.content = ContentPolicy::kAssert;
    const auto loaded = load_schema(text, options);
    if (!loaded.ok()) return;
    graph = *loaded;
    reference::ValidatorOptions strict;
    strict.assert_formats = true;
    strict.assert_content = true;
    std::string error;
    judge = ReferenceValidator::create(text, strict, &error);
    expansion = std::make_unique<Expansion>(*graph, &pool, &texts);
    examples = std::make_unique<Examples>(expansion.get(), &pool, &texts, StringSpelling::kJson,
                                          [](FormulaId, ValueClass) { return false; });
  }
  bool usable() const { return graph != nullptr && judge != nullptr; }

  std::string text;
  std::shared_ptr<const SchemaGraph> graph;
  std::unique_ptr<ReferenceValidator> judge;
  FormulaPool pool;
  TextStore texts;
  std::unique_ptr<Expansion> expansion;
  std::unique_ptr<Examples> examples;
};

TEST(Examples, EveryExampleIsValid) {
  SchemaRandom random(testing::test_seed());
  size_t found = 0;
  for (int round = 0; round < 1500 && !HasFailure(); ++round) {
    Case c(random.schema());
    if (!c.usable()) continue;
    for (int k = 0; k < kValueClasses; ++k) {
      const auto example = c.examples->value_of_class({c.graph->root}, static_cast<ValueClass>(k));
      if (!example) continue;
      ++found;
      std::string value;
      append_value(*example, c.texts, &value);
      EXPECT_TRUE(c.judge->valid(value)) << c.text << "\n" << value;
    }
  }
  std::printf("%zu examples\n", found);
  EXPECT_GT(found, 1000u);
}

TEST(Examples, TruthsAreThoseOfTheValidator) {
  SchemaRandom random(testing::test_seed());
  size_t sure = 0;
  for (int round = 0; round < 5000 && !HasFailure(); ++round) {
    // Values of one schema under another. Neither may say what holds for a whole document.
    const std::string giver = random.schema(), taker = random.schema();
    const auto speaks_of_document = [](const std::string& schema) {
      return schema.find("$ref") != std::string::npos ||
             schema.find("$schema") != std::string::npos;
    };
    if (speaks_of_document(giver) || speaks_of_document(taker)) continue;
    Case both("{\"anyOf\": [" + taker + ", " + giver + "]}"), to(taker);
    if (!both.usable() || !to.usable()) continue;
    const std::vector<NodeId>& branches = (*both.graph)[both.graph->root].any_of;
    if (branches.size() != 2) continue;
    for (int k = 0; k < kValueClasses; ++k) {
      const auto example = both.examples->value_of_class({branches[1]}, static_cast<ValueClass>(k));
      if (!example) continue;
      const auto truth = both.examples->satisfies(branches[0], *example);
      if (truth == FormulaPool::Ternary::kUnknown) continue;
      ++sure;
      std::string value;
      append_value(*example, both.texts, &value);
      EXPECT_EQ(truth == FormulaPool::Ternary::kTrue, to.judge->valid(value)) << taker << "\n"
                                                                              << value;
    }
  }
  std::printf("%zu certain truths\n", sure);
  EXPECT_GT(sure, 200u);
}

// Which of 40 branches an object takes is told by a constant: the example has it.
TEST(Examples, OneOfManyBranches) {
  std::string schema = R"({"oneOf": [)";
  for (int i = 0; i < 40; ++i) {
    schema += std::string(i > 0 ? ", " : "") + R"({"type": "object", "required": ["kind"], )" +
              R"("properties": {"kind": {"const": "k)" + std::to_string(i) +
              R"("}, "x": true}, "additionalProperties": false})";
  }
  Case c(schema + "]}");
  ASSERT_TRUE(c.usable());
  const auto example = c.examples->value({c.graph->root});
  ASSERT_TRUE(example.has_value());
  std::string value;
  append_value(*example, c.texts, &value);
  EXPECT_EQ(value, R"({"kind":"k0"})");
}

}  // namespace
}  // namespace espalier
