// A matcher walked at random with everything that a matcher can do, for tests that compare what
// different matchers of one grammar see.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine_support.h"
#include "espalier/grammar.h"
#include "espalier/matcher.h"

namespace espalier::testing {

inline const char* const kWalkedSchemas[] = {
    R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 6},
        "tags": {"type": "array", "items": {"enum": ["a", "b", 12, true]}, "maxItems": 3},
        "size": {"type": "number", "minimum": -2.5, "maximum": 120, "multipleOf": 0.5}},
        "required": ["name"], "additionalProperties": false})",
    R"({"type": "object", "patternProperties": {"^a[a-z]*$": {"type": "integer", "minimum": 1},
        "n": {"type": "number"}}, "additionalProperties": {"type": "string", "pattern": "^[x-z]+$"},
        "minProperties": 1, "maxProperties": 4})",
    R"({"oneOf": [{"properties": {"kind": {"const": "a"}, "a": {"type": "integer"}}, "required": ["kind", "a"]},
        {"properties": {"kind": {"const": "b"}, "b": {"type": "array", "items": {"type": "boolean"},
        "contains": {"const": true}}}, "required": ["kind", "b"]}], "type": "object"})",
    R"({"$defs": {"tree": {"type": "object", "properties": {"v": {"type": ["string", "null"]},
        "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "required": ["v"]}},
        "$ref": "#/$defs/tree"})",
    R"({"not": {"type": "string"}, "anyOf": [{"type": "object", "propertyNames": {"maxLength": 3}},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string", "format": "date"}]},
        {"type": "number", "exclusiveMinimum": 0}]})",
    "true"};

inline std::shared_ptr<const Vocabulary> json_vocabulary() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* text :
       {"{\"",   "\":",       "\": ", "\",",  "\"}",     " \"", "\", \"", "name", "kind",
        "true",  "null",      "12",   "1.5",  "[1",      "]}",  "}}",     "},",   ": \"",
        ": [",   "e1",        "\\u",  "00",   "ab",      "xyz", "2024-",  "-1",   "kids",
        "v\": ", "tags\": [", "\n  ", "[{\"", "\": {\"", "a\"", "b\", ",  "size"}) {
    tokens.emplace_back(text);
  }
  tokens.emplace_back("<eos>");
  auto made = Vocabulary::from_tokens(tokens, {static_cast<TokenId>(tokens.size() - 1)});
  EXPECT_TRUE(made.ok());
  return *made;
}

inline std::vector<std::shared_ptr<const Grammar>> compile_walked(const SchemaOptions& options) {
  std::vector<std::shared_ptr<const Grammar>> grammars;
  for (const char* schema : kWalkedSchemas) {
    auto grammar = Grammar::from_json_schema(schema, options);
    EXPECT_TRUE(grammar.ok()) << grammar.status().to_string() << " in " << schema;
    if (grammar.ok()) grammars.push_back(*grammar);
  }
  return grammars;
}

/// What a walk saw: masks by the tokens accepted so far. Equal seeds walk alike.
using Seen = std::map<std::vector<TokenId>, MaskRow>;

class Walker {
 public:
  Walker(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const Vocabulary> vocabulary,
         uint64_t seed, const MatcherOptions& options = {})
      : matcher_(std::move(grammar), std::move(vocabulary), options), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const MaskRow row = mask_of(matcher_);
      seen_[path_] = row;
      const std::vector<TokenId> tokens = tokens_of(row);
      const auto other = static_cast<TokenId>(random_() % matcher_.vocabulary().size());
      EXPECT_EQ(matcher_.is_allowed(other), has_bit(row, other));
      const uint64_t choice = random_() % 8;
      if (tokens.empty() || choice == 0) {
        const size_t n = random_() % (path_.size() + 1);
        ASSERT_TRUE(matcher_.rollback(n).ok());
        path_.resize(path_.size() - n);
        continue;
      }
      if (choice == 1) matcher_ = matcher_.clone();
      const TokenId token = tokens[random_() % tokens.size()];
      if (choice == 2) {
        Matcher clone = matcher_.clone();
        ASSERT_TRUE(clone.accept(token).ok());
        continue;
      }
      ASSERT_TRUE(matcher_.accept(token).ok());
      path_.push_back(token);
      if (choice == 3) {
        matcher_.forced_tokens();
        matcher_.completes_within(-1, 20);
      }
    }
  }

  Matcher& matcher() { return matcher_; }
  const Seen& seen() const { return seen_; }

 private:
  Matcher matcher_;
  std::mt19937_64 random_;
  std::vector<TokenId> path_;
  Seen seen_;
};

}  // namespace espalier::testing
