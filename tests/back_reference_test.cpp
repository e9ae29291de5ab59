// Patterns with back-references: the predicate, and what masks say of tokens inside of it.
#include "grammar/regex/back_reference.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine_support.h"
#include "espalier/sampler.h"

namespace espalier::testing {
namespace {

struct Case {
  const char* pattern;
  std::function<bool(const std::string&)> matches;
};

bool some_doubled(const std::string& text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == text[i + 1]) return true;
  }
  return false;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"(.)\\1", some_doubled},
      {"^(a+)-\\1$",
       [](const std::string& s) {
         const size_t half = s.size() / 2;
         return s.size() % 2 == 1 && half > 0 &&
                s == std::string(half, 'a') + "-" + std::string(half, 'a');
       }},
      {"^(?<q>[ab])-*\\k<q>$",
       [](const std::string& s) {
         return s.size() >= 2 && s.front() != '-' && s.front() == s.back() &&
                s.find_first_not_of('-', 1) == s.size() - 1;
       }},
      // A group that took no part stands for nothing.
      {"^(a)?b\\1$", [](const std::string& s) { return s == "b" || s == "aba"; }},
      {"^\\1(a)$", [](const std::string& s) { return s == "a"; }},
      {"^(?!(.)\\1)[ab-]{2,3}$",
       [](const std::string& s) { return (s.size() == 2 || s.size() == 3) && s[0] != s[1]; }},
  };
  return all;
}

std::vector<std::string> texts(size_t longest) {
  std::vector<std::string> all{""};
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == longest) break;
    for (const char c : {'a', 'b', '-'}) all.push_back(all[i] + c);
  }
  return all;
}

TEST(BackReference, AcceptsWhatThePatternMatches) {
  for (const Case& one : cases()) {
    const auto automaton = compile_pattern(one.pattern);
    ASSERT_TRUE(automaton.ok()) << one.pattern << ": " << automaton.status().to_string();
    ASSERT_NE((*automaton)->relaxed(), nullptr);
    for (const std::string& text : texts(6)) {
      EXPECT_EQ((*automaton)->matches(text), one.matches(text)) << one.pattern << " on " << text;
      if (one.matches(text)) {
        EXPECT_TRUE((*automaton)->relaxed()->matches(text)) << one.pattern << " on " << text;
      }
    }
    EXPECT_TRUE((*automaton)->status().ok());
  }
}

TEST(BackReference, NoTextThatMatchesGoesThroughADeadState) {
  for (const Case& one : cases()) {
    const auto automaton = *compile_pattern(one.pattern);
    for (const std::string& text : texts(6)) {
      if (!one.matches(text)) continue;
      uint32_t state = automaton->start();
      for (const char c : text) state = automaton->step(state, static_cast<uint8_t>(c));
      EXPECT_NE(state, 0u) << one.pattern << " on " << text;
    }
  }
  // Partial matching rules out what the relaxed automaton does not.
  const auto automaton = *compile_pattern("^(a|b)\\1$");
  EXPECT_EQ(automaton->step(automaton->step(automaton->start(), 'a'), 'b'), 0u);
}

TEST(BackReference, WhatCannotBeSaidIsRefused) {
  EXPECT_EQ(compile_pattern("(?i:a)(b)\\1").status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(compile_pattern("(?<=a+)(b)\\1").status().code(), StatusCode::kUnsupported);
}

// Known tokens are right, and no token is neither allowed nor unknown although it may come.
TEST(BackReference, MasksTellKnownFromUnknown) {
  std::mt19937_64 random(test_seed());
  const auto vocabulary =
      random_vocabulary(random, {"a", "b", "-", "\"", "\"}", "a-", "ab", ",", "{\""}, 60, true);
  const char* const schemas[] = {
      R"({"type": "string", "pattern": "^(a+)-\\1$"})",
      R"({"type": "object", "properties": {"a": {"pattern": "^([ab])-*\\1$", "minLength": 3}},
          "required": ["a"], "additionalProperties": false})",
      R"({"type": "string", "not": {"pattern": "(.)\\1"}, "maxLength": 5})",
      R"({"oneOf": [{"type": "string", "pattern": "(a)\\1"}, {"type": "string", "pattern": "b"}]})",
  };
  size_t unknowns = 0;
  for (const char* schema : schemas) {
    for (const Profile profile : {Profile::kExact, Profile::kGeneration}) {
      SchemaOptions options;
      options.profile = profile;
      const auto grammar = Grammar::from_json_schema(schema, options);
      ASSERT_TRUE(grammar.ok()) << schema << ": " << grammar.status().to_string();
      for (const bool use_caches : {true, false}) {
        Matcher matcher(*grammar, vocabulary, {.use_caches = use_caches});
        for (int step = 0; step < 12 && !matcher.is_terminated(); ++step) {
          std::vector<int32_t> row(vocabulary->row_words()), known(row), unknown(row);
          ASSERT_TRUE(matcher.fill_mask(known, unknown).ok());
          ASSERT_TRUE(matcher.fill_mask(row).ok());
          std::vector<TokenId> allowed;
          for (TokenId token = 0; token < static_cast<TokenId>(vocabulary->size()); ++token) {
            const bool may = matcher.is_allowed(token);
            const auto bit = [token](const std::vector<int32_t>& r) {
              return (static_cast<uint32_t>(r[token / 32]) >> (token % 32) & 1) != 0;
            };
            ASSERT_EQ(bit(row), may) << schema << " after " << matcher.text() << ": " << token;
            ASSERT_FALSE(bit(known) && bit(unknown));
            ASSERT_TRUE(may || !bit(known)) << schema << " after " << matcher.text();
            ASSERT_TRUE(!may || bit(known) || bit(unknown)) << schema << " " << matcher.text();
            unknowns += bit(unknown);
            if (may) allowed.push_back(token);
          }
          if (allowed.empty()) break;
          ASSERT_TRUE(matcher.accept(allowed[random() % allowed.size()]).ok());
        }
      }
    }
  }
  EXPECT_GT(unknowns, 100u);
}

TEST(BackReference, SamplesMatch) {
  std::mt19937_64 random(test_seed());
  const auto vocabulary = random_vocabulary(random, {"a", "b", "-", "\"", "aa", "b-"}, 20, true);
  const auto grammar =
      Grammar::from_json_schema(R"({"type": "string", "pattern": "^([ab]{2})-+\\1$"})");
  ASSERT_TRUE(grammar.ok());
  int complete = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SamplingOptions options;
    options.uniform = true;
    options.seed = seed;
    options.max_tokens = 40;
    const auto sample = generate(*grammar, vocabulary, nullptr, options);
    ASSERT_TRUE(sample.ok()) << sample.status().to_string();
    if (sample->finish_reason != FinishReason::kComplete) continue;
    ++complete;
    const std::string& text = sample->text;
    EXPECT_EQ(text.substr(1, 2), text.substr(text.size() - 3, 2)) << text;
  }
  EXPECT_GT(complete, 10);
}

}  // namespace
}  // namespace espalier::testing
