// Random schemas: the byte machine (exact profile) against the reference validator.
//
// Four directions. Instances, mostly nearly valid, are spelled at random and must be accepted
// exactly when the reference says valid. Texts drawn byte by byte from the machine must be valid,
// and no live state may lack a completion. Where optional properties are omitted, what is drawn has
// none, and a valid instance without any is accepted. Schemas the machine refuses by name are
// counted, not compared.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "espalier/grammar.h"
#include "grammar/byte_set.h"
#include "grammar/recognizer.h"
#include "tests/optional_names.h"
#include "tests/reference_validator.h"
#include "tests/schema_random.h"

namespace espalier {
namespace {

using reference::Json;
using reference::ReferenceValidator;
using testing::SchemaRandom;

uint64_t seed(uint64_t usual) {
  const char* env = std::getenv("ESPALIER_SEED");
  const uint64_t value = env != nullptr ? std::strtoull(env, nullptr, 10) : usual;
  std::printf("seed: %llu\n", static_cast<unsigned long long>(value));
  return value;
}

int rounds(int usual) {
  const char* env = std::getenv("ESPALIER_ROUNDS");
  return env != nullptr ? std::atoi(env) : usual;
}

// Dead ends are allowed only where satisfiability is not decided cheaply: at most one in so many
// texts.
constexpr size_t kTextsPerDeadEnd = 100;

struct Case {
  std::string schema;
  Json parsed;
  std::unique_ptr<ReferenceValidator> judge;
  std::shared_ptr<const Grammar> grammar;  // nullptr: refused
};

Case make_case(SchemaRandom& random,
               OptionalProperties optional_properties = OptionalProperties::kSchema) {
  Case c;
  std::string error;
  c.schema = random.schema();
  auto parsed = reference::parse_json(c.schema, &error);
  EXPECT_TRUE(parsed) << error << "\n" << c.schema;
  if (!parsed) return c;
  c.parsed = std::move(*parsed);
  reference::ValidatorOptions options;
  options.assert_formats = true;
  options.assert_content = true;
  c.judge = ReferenceValidator::create(c.schema, options, &error);
  EXPECT_NE(c.judge, nullptr) << error << "\n" << c.schema;
  SchemaOptions machine;
  machine.profile = Profile::kExact;
  machine.content = ContentPolicy::kAssert;
  machine.optional_properties = optional_properties;
  auto grammar = Grammar::from_json_schema(c.schema, machine);
  if (grammar.ok()) {
    c.grammar = grammar.value();
  } else {
    const StatusCode code = grammar.status().code();
    EXPECT_TRUE(code == StatusCode::kUnsupported || code == StatusCode::kBudgetExceeded)
        << grammar.status().to_string() << "\n"
        << c.schema;
  }
  return c;
}

bool is_draft4(const Case& c) { return c.schema.find("draft-04") != std::string::npos; }

// How many bytes of the text the machine takes; text.size() + 1 when it accepts the whole.
size_t run(Recognizer& recognizer, const std::string& text) {
  State state = recognizer.start();
  for (size_t i = 0; i < text.size(); ++i) {
    if (state.dead()) return i;
    state = recognizer.step(state, static_cast<uint8_t>(text[i]));
  }
  if (state.dead()) return text.size() - 1;
  return text.size() + (recognizer.accepting(state) ? 1 : 0);
}

// With ESPALIER_DUMP=FILE: writes down what was compared, for other judges.
class Dump {
 public:
  Dump() {
    if (const char* path = std::getenv("ESPALIER_DUMP")) file_.open(path);
  }
  void add(const std::string& schema, const std::string& text, bool valid) {
    if (!file_.is_open()) return;
    file_ << "{\"schema\": " << quoted(schema) << ", \"text\": " << quoted(text)
          << ", \"valid\": " << (valid ? "true" : "false") << "}\n";
  }

 private:
  static std::string quoted(const std::string& text) {
    Json json;
    json.kind = Json::Kind::kString;
    json.text = text;
    return reference::print_json(json);
  }
  std::ofstream file_;
};

TEST(SchemaDifferential, SaysWhatTheReferenceSays) {
  Dump dump;
  SchemaRandom random(seed(std::random_device{}()));
  size_t compared = 0, valid = 0, refused = 0, schemas = 0;
  for (int round = rounds(1500); round > 0 && !HasFailure(); --round) {
    const Case c = make_case(random);
    if (c.judge == nullptr) break;
    ++schemas;
    if (c.grammar == nullptr) {
      ++refused;
      continue;
    }
    const std::shared_ptr<Recognizer> owner = c.grammar->recognizer();
    Recognizer& recognizer = *owner;
    for (int i = 0; i < 20 && !HasFailure(); ++i) {
      const Json value = random.instance(c.parsed);
      for (int spelling = 0; spelling < 2; ++spelling) {
        const std::string text =
            spelling == 0 ? reference::print_json(value) : random.respell(value, is_draft4(c));
        const bool expected = c.judge->valid(text);
        const size_t taken = run(recognizer, text);
        if (!recognizer.status().ok()) break;
        const bool accepted = taken > text.size();
        ++compared;
        valid += expected ? 1 : 0;
        EXPECT_EQ(accepted, expected)
            << "schema:   " << c.schema << "\ninstance: " << text << "\nbytes taken: " << taken;
        EXPECT_FALSE(expected && c.grammar->unsatisfiable()) << c.schema;
        dump.add(c.schema, text, accepted);
      }
    }
  }
  std::printf("%zu schemas (%zu refused), %zu texts, %zu of them valid\n", schemas, refused,
              compared, valid);
}

// A random text of the machine; empty when a state has no way on.
std::string draw(Recognizer& recognizer, SchemaRandom& random, std::string* stuck) {
  std::string text;
  State state = recognizer.start();
  while (true) {
    if (recognizer.accepting(state) && (text.size() > 40 || random.one_in(3))) return text;
    if (text.size() > 60) {
      auto rest = recognizer.shortest_completion(state);
      if (!rest.ok()) {
        *stuck = text;
        return {};
      }
      return text + rest.value();
    }
    std::vector<uint8_t> live;
    for (int byte = 0; byte < 256; ++byte) {
      if (!recognizer.step(state, static_cast<uint8_t>(byte)).dead())
        live.push_back(static_cast<uint8_t>(byte));
    }
    if (live.empty()) {
      if (recognizer.accepting(state)) return text;
      *stuck = text;
      return {};
    }
    uint8_t byte = live[static_cast<size_t>(random.below(static_cast<int>(live.size())))];
    // White space and long strings would eat the length: prefer what moves on.
    for (int tries = 0; tries < 3 && (byte <= ' ' || byte >= 0x80); ++tries) {
      byte = live[static_cast<size_t>(random.below(static_cast<int>(live.size())))];
    }
    if (random.one_in(3)) {
      static constexpr std::string_view kPreferred = "\"{[,:}]ab10";
      for (char c : kPreferred) {
        const State next = recognizer.step(state, static_cast<uint8_t>(c));
        if (!next.dead() && random.one_in(2)) byte = static_cast<uint8_t>(c);
      }
    }
    state = recognizer.step(state, byte);
    text += static_cast<char>(byte);
  }
}

TEST(SchemaDifferential, WhatTheMachineWritesIsValid) {
  SchemaRandom random(seed(1));
  size_t drawn = 0, stuck_count = 0;
  for (int round = rounds(600); round > 0 && !HasFailure(); --round) {
    const Case c = make_case(random);
    if (c.judge == nullptr) break;
    if (c.grammar == nullptr || c.grammar->unsatisfiable()) continue;
    const std::shared_ptr<Recognizer> owner = c.grammar->recognizer();
    Recognizer& recognizer = *owner;
    for (int i = 0; i < 6 && !HasFailure(); ++i) {
      std::string stuck;
      const std::string text = draw(recognizer, random, &stuck);
      if (!recognizer.status().ok()) break;
      if (text.empty()) {
        ++stuck_count;
        if (std::getenv("ESPALIER_LIST") != nullptr) {
          std::printf("no way on from: %s\nschema: %s\n", stuck.c_str(), c.schema.c_str());
        }
        continue;
      }
      ++drawn;
      EXPECT_TRUE(c.judge->valid(text)) << "schema: " << c.schema << "\nwritten: " << text;
    }
  }
  std::printf("%zu texts drawn, %zu stuck\n", drawn, stuck_count);
  EXPECT_LE(stuck_count * kTextsPerDeadEnd, drawn);
}

TEST(SchemaDifferential, OptionalPropertiesAreOmittedAndNoOthers) {
  SchemaRandom random(seed(std::random_device{}()));
  size_t drawn = 0, optional = 0, accepted = 0, pruned = 0;
  for (int round = rounds(1500); round > 0 && !HasFailure(); --round) {
    const Case c = make_case(random, OptionalProperties::kOmit);
    if (c.judge == nullptr) break;
    if (c.grammar == nullptr || !testing::OptionalNames::understands(c.parsed)) continue;
    const testing::OptionalNames names(c.parsed);
    const std::shared_ptr<Recognizer> owner = c.grammar->recognizer();
    Recognizer& recognizer = *owner;
    for (int i = 0; i < 10 && !HasFailure(); ++i) {
      const Json whole = random.instance(c.parsed);
      const Json value = names.without_optional(whole);
      const std::string text = random.respell(value, is_draft4(c));
      const bool valid = c.judge->valid(text);
      const bool taken = run(recognizer, text) > text.size();
      if (!recognizer.status().ok()) break;
      EXPECT_FALSE(taken && !valid) << "schema: " << c.schema << "\ninstance: " << text;
      EXPECT_TRUE(taken || !valid || names.maybe_optional(value))
          << "schema: " << c.schema << "\ninstance: " << text;
      EXPECT_FALSE(taken && c.grammar->unsatisfiable()) << c.schema;
      const std::string all = reference::print_json(whole);
      if (names.surely_optional(whole) && c.judge->valid(all)) {
        EXPECT_LE(run(recognizer, all), all.size())
            << "schema: " << c.schema << "\ninstance: " << all;
        ++optional;
      }
      accepted += taken ? 1 : 0;
      pruned += taken && !reference::equal(whole, value) ? 1 : 0;
    }
    for (int i = 0; i < 3 && !HasFailure() && !c.grammar->unsatisfiable(); ++i) {
      std::string stuck, error;
      const std::string text = draw(recognizer, random, &stuck);
      if (!recognizer.status().ok()) break;
      if (text.empty()) continue;
      ++drawn;
      EXPECT_TRUE(c.judge->valid(text)) << "schema: " << c.schema << "\nwritten: " << text;
      const auto value = reference::parse_json(text, &error);
      ASSERT_TRUE(value) << error << ": " << text;
      EXPECT_FALSE(names.surely_optional(*value))
          << "schema: " << c.schema << "\nwritten: " << text;
    }
  }
  std::printf(
      "%zu instances accepted (%zu had optional properties), %zu with some refused; %zu texts "
      "drawn\n",
      accepted, pruned, optional, drawn);
}

}  // namespace
}  // namespace espalier
