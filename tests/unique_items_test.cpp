// uniqueItems over small domains, against enumeration: an array's text is live exactly when some
// valid array begins with it.
//
// All arrays of at most kLongest of a few values are listed and judged by the reference validator.
// After each item, and after the comma behind it, the byte machine must be alive iff a valid array
// continues so: a value that is used up is refused before it ends, and one that a later place needs
// is left for it.

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "grammar/recognizer.h"
#include "tests/reference_validator.h"
#include "tests/test_seed.h"

namespace espalier {
namespace {

using reference::ReferenceValidator;

constexpr size_t kLongest = 4;

// Spelled twice: what the schema lists, and another text of the same value.
struct Value {
  const char* listed;
  const char* spelled;
};
constexpr Value kValues[] = {{"1", "1.0"},
                             {"12", "1.2e1"},
                             {"true", "true"},
                             {"null", "null"},
                             {"\"a\"", "\"\\u0061\""},
                             {"\"ab\"", "\"ab\""},
                             {"{\"a\":1,\"b\":[]}", "{ \"b\":[], \"\\u0061\": 10e-1 }"},
                             {"{\"a\":1}", "{\"a\":1}"},
                             {"[1,\"a\"]", "[ 1e0 , \"a\" ]"},
                             {"[1]", "[1]"}};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return static_cast<size_t>(engine_() % n); }
  bool one_in(size_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

std::string enum_of(Random& random, const std::vector<size_t>& domain, std::set<size_t>* used) {
  std::string text;
  const size_t count = 1 + random.below(domain.size());
  for (size_t i = 0; i < count; ++i) {
    const size_t value = domain[(random.below(2) + i) % domain.size()];
    if (text.find(std::string(",") + kValues[value].listed) != std::string::npos) continue;
    used->insert(value);
    text += std::string(",") + kValues[value].listed;
  }
  return "{\"enum\":[" + text.substr(1) + "]}";
}

State run(Recognizer& recognizer, State state, const std::string& text) {
  for (const char byte : text) {
    if (state.dead()) break;
    state = recognizer.step(state, static_cast<uint8_t>(byte));
  }
  return state;
}

struct Case {
  std::string schema;
  std::unique_ptr<ReferenceValidator> judge;
  std::shared_ptr<Recognizer> recognizer;
  std::vector<size_t> values;
  size_t live = 0, dead = 0;
};

// A live state has a completion that is known.
void complete(Case& c, const std::string& text, State state) {
  const auto rest = c.recognizer->shortest_completion(state);
  ASSERT_TRUE(rest.ok()) << rest.status().to_string() << "\n" << c.schema << "\n" << text;
  EXPECT_TRUE(c.recognizer->accepting(run(*c.recognizer, state, *rest)) &&
              c.judge->valid(text + *rest))
      << c.schema << "\n"
      << text << *rest;
}

// Compares below this beginning; returns whether a valid array has it.
bool compare(Case& c, const std::string& text, State state, size_t length) {
  const bool valid = c.judge->valid(text + "]");
  bool continued = false;
  for (const size_t value : c.values) {
    if (length == kLongest) break;
    for (const char* spelling : {kValues[value].listed, kValues[value].spelled}) {
      const std::string more = (length > 0 ? "," : "") + std::string(spelling);
      const State next = run(*c.recognizer, state, more);
      // A number may end or go on: its end is judged with the byte behind it.
      const bool found = compare(c, text + more, next, length + 1);
      continued = continued || found;
      const bool ends =
          !run(*c.recognizer, next, "]").dead() || !run(*c.recognizer, next, ",").dead();
      EXPECT_EQ(ends, found) << c.schema << "\n" << text + more;
      if (found) complete(c, text + more, next);
      if (::testing::Test::HasFailure()) return true;
      ++(found ? c.live : c.dead);
    }
  }
  EXPECT_EQ(c.recognizer->accepting(run(*c.recognizer, state, "]")), valid) << c.schema << "\n"
                                                                            << text << "]";
  EXPECT_EQ(!run(*c.recognizer, state, ",").dead() && length > 0, continued && length > 0)
      << c.schema << "\n"
      << text << ",";
  return valid || continued;
}

TEST(UniqueItems, IsLiveExactlyWhereAValidArrayGoesOn) {
  Random random(testing::test_seed());
  size_t live = 0, dead = 0, schemas = 0;
  for (int round = 0; round < 150 && !HasFailure(); ++round) {
    Case c;
    std::vector<size_t> domain;
    for (size_t i = 0; i < 3; ++i) domain.push_back(random.below(std::size(kValues)));
    std::set<size_t> used;
    std::string prefix;
    for (size_t i = random.below(3); i > 0; --i) prefix += "," + enum_of(random, domain, &used);
    std::string schema = "\"type\":\"array\",\"items\":" + enum_of(random, domain, &used) +
                         ",\"maxItems\":" + std::to_string(kLongest - random.below(2)) +
                         ",\"minItems\":" + std::to_string(random.below(4));
    if (!prefix.empty()) schema += ",\"prefixItems\":[" + prefix.substr(1) + "]";
    switch (random.below(10)) {
      case 0:
        schema += R"(,"not":{"uniqueItems":true})";
        break;
      case 1:
        schema += R"(,"anyOf":[{"uniqueItems":true},{"maxItems":2}])";
        break;
      case 2:
        schema += R"(,"if":{"minItems":3},"then":{"uniqueItems":true})";
        break;
      case 3:
        schema += R"(,"not":{"uniqueItems":true,"items":{}})";
        break;
      case 4:
        schema += R"(,"not":{"uniqueItems":true,"items":)" + enum_of(random, domain, &used) + "}";
        break;
      case 5:
        schema +=
            R"(,"oneOf":[{"uniqueItems":true,"items":)" + enum_of(random, domain, &used) + "},{}]";
        break;
      default:
        schema += ",\"uniqueItems\":true";
        break;
    }
    const auto contains = [&] {
      std::string text = "\"contains\":" + enum_of(random, domain, &used);
      if (random.one_in(3)) text += ",\"minContains\":" + std::to_string(random.below(4));
      if (random.one_in(3)) text += ",\"maxContains\":" + std::to_string(random.below(3));
      return "{" + text + "}";
    };
    if (random.one_in(2)) {
      schema += ",\"allOf\":[";
      for (size_t i = random.below(3); i > 0; --i) schema += contains() + ",";
      schema += "{\"if\":" + contains() + ",\"then\":" + contains();
      if (random.one_in(2)) schema += ",\"else\":" + contains();
      schema += "}]";
    }
    c.schema = "{" + schema + "}";
    std::string error;
    c.judge = ReferenceValidator::create(c.schema, {}, &error);
    ASSERT_NE(c.judge, nullptr) << error;
    SchemaOptions options;
    options.profile = Profile::kExact;
    auto grammar = Grammar::from_json_schema(c.schema, options);
    ASSERT_TRUE(grammar.ok()) << grammar.status().to_string();
    c.recognizer = grammar.value()->recognizer();
    c.values.assign(used.begin(), used.end());
    const State start = run(*c.recognizer, c.recognizer->start(), "[");
    const bool any = compare(c, "[", start, 0);
    EXPECT_EQ(!start.dead(), any) << c.schema;
    ++schemas;
    live += c.live;
    dead += c.dead;
  }
  std::printf("%zu schemas, %zu live beginnings, %zu dead ones\n", schemas, live, dead);
  EXPECT_GT(live, 0u);
  EXPECT_GT(dead, 0u);
}

// What `contains` counts has to be there often enough, in places that take it.
TEST(UniqueItems, NeedsAsManyValuesAsAreCounted) {
  const auto live = [](const char* schema, const char* prefix) {
    const auto grammar = Grammar::from_json_schema(schema, {.profile = Profile::kExact});
    EXPECT_TRUE(grammar.ok()) << schema;
    const std::shared_ptr<Recognizer> recognizer = (*grammar)->recognizer();
    const State state = run(*recognizer, recognizer->start(), prefix);
    return !state.dead() && recognizer->shortest_completion(state).ok();
  };
  const char* one = R"({"type": "array", "uniqueItems": true, "contains": {"const": 0.01},
                        "minContains": 2})";
  EXPECT_FALSE(live(one, ""));
  const char* two = R"({"type": "array", "uniqueItems": true, "contains": {"enum": [1, 2]},
                        "minContains": 2, "prefixItems": [{"not": {"const": 1}}]})";
  EXPECT_TRUE(live(two, "["));
  EXPECT_TRUE(live(two, "[3,"));
  EXPECT_TRUE(live(two, "[2,"));
  const char* late = R"({"type": "array", "uniqueItems": true, "contains": {"enum": [1, 2]},
                         "minContains": 2, "items": {"not": {"const": 1}}})";
  EXPECT_FALSE(live(late, ""));
}

// Arrays and objects of which there are few are told one by one, whatever says so.
TEST(UniqueItems, LeavesNoContainersThatWereUsed) {
  const auto dead = [](const std::string& items, const std::string& prefix) {
    const std::string schema =
        R"({"type": "array", "uniqueItems": true, "items": )" + items + ", \"minItems\": 2}";
    const auto grammar = Grammar::from_json_schema(schema, {.profile = Profile::kExact});
    EXPECT_TRUE(grammar.ok()) << schema;
    const std::shared_ptr<Recognizer> recognizer = (*grammar)->recognizer();
    const State state = run(*recognizer, recognizer->start(), prefix);
    EXPECT_TRUE(state.dead() || recognizer->accepting(state) ||
                recognizer->shortest_completion(state).ok())
        << schema << " after " << prefix;
    return state.dead();
  };
  const std::string empty = R"({"type": "array", "maxItems": 0})";
  EXPECT_TRUE(dead(empty, "["));
  const std::string flags = R"({"type": "object", "properties": {"a": {"type": "boolean"}},
                                "additionalProperties": false})";
  EXPECT_FALSE(dead(flags, R"([{},{"a":true},{"a":f)"));
  EXPECT_TRUE(dead(flags, R"([{},{"a":true},{"a":t)"));
  EXPECT_TRUE(dead(flags, R"([{},{"a":true},{"a":false},)"));
  const std::string pairs = R"({"type": "array", "prefixItems": [{"enum": [1, 2]}, {"const": 0}],
                                "items": false, "minItems": 1})";
  EXPECT_FALSE(dead(pairs, "[[1],[2,0],[1,0],[2"));
  EXPECT_TRUE(dead(pairs, "[[1],[2,0],[1,0],[2,"));
  EXPECT_TRUE(dead(pairs, "[[1],[2,0],[1,0],[2],"));
  // Only one of these begins so.
  const std::string listed = R"({"enum": [[false], ["b", "aab"], {"c": [1]}]})";
  EXPECT_TRUE(dead(listed, R"([["b","aab"],["b)"));
  EXPECT_FALSE(dead(listed, R"([["b","aab"],{"c":[)"));
  // Endlessly many, and yet one with this number that was not used.
  const std::string numbered = R"({"type": "object", "properties": {"n": {"type": "integer"}},
                                   "additionalProperties": false})";
  EXPECT_FALSE(dead(numbered, R"([{"n":3},{"n":3)"));
  EXPECT_TRUE(dead(numbered, R"([{"n":3},{"n":3})"));
}

TEST(UniqueItems, ComparesLongArraysByValue) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  auto grammar = Grammar::from_json_schema(R"({"uniqueItems": true})", options);
  ASSERT_TRUE(grammar.ok());
  const std::shared_ptr<Recognizer> recognizer = grammar.value()->recognizer();
  std::string text = "[";
  for (int i = 0; i < 200; ++i) {
    text += (i > 0 ? "," : "") + std::to_string(i) + ",\"" + std::to_string(i) +
            "\",{\"k\":" + std::to_string(i) + "},[" + std::to_string(i) + "]";
  }
  const State state = run(*recognizer, recognizer->start(), text);
  ASSERT_FALSE(state.dead());
  EXPECT_FALSE(run(*recognizer, state, ",200]").dead());
  EXPECT_TRUE(run(*recognizer, state, ",199]").dead());
  EXPECT_TRUE(run(*recognizer, state, ",19.9e1]").dead());
  EXPECT_TRUE(run(*recognizer, state, ",\"0\"").dead());
  EXPECT_TRUE(run(*recognizer, state, ",\"\\u0030\"").dead());
  EXPECT_TRUE(run(*recognizer, state, ",{\"k\":5}").dead());
  EXPECT_FALSE(run(*recognizer, state, ",{\"k\":5,\"l\":5}").dead());
  EXPECT_TRUE(run(*recognizer, state, ",[7]").dead());
  EXPECT_FALSE(run(*recognizer, state, ",[7,7]").dead());
}

}  // namespace
}  // namespace espalier
