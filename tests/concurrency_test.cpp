// Many threads on one grammar: whatever they do at once, each sees the masks that a thread alone
// would see. Run under the thread sanitizer (the tsan preset), this is also the proof that the
// shared stores are read and filled without a race.
#include <gtest/gtest.h>

#include <atomic>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "engine_support.h"
#include "espalier/grammar.h"
#include "espalier/matcher.h"

namespace espalier::testing {
namespace {

constexpr size_t kThreads = 16;

const char* const kSchemas[] = {
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

std::shared_ptr<const Vocabulary> json_vocabulary() {
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

/// A random walk with all that a matcher can do; what it saw, by the tokens accepted so far.
class Walker {
 public:
  Walker(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const Vocabulary> vocabulary,
         uint64_t seed, const MatcherOptions& options)
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

  const std::map<std::vector<TokenId>, MaskRow>& seen() const { return seen_; }

 private:
  Matcher matcher_;
  std::mt19937_64 random_;
  std::vector<TokenId> path_;
  std::map<std::vector<TokenId>, MaskRow> seen_;
};

std::vector<std::shared_ptr<const Grammar>> compile_all(Profile profile) {
  std::vector<std::shared_ptr<const Grammar>> grammars;
  for (const char* schema : kSchemas) {
    SchemaOptions options;
    options.profile = profile;
    auto grammar = Grammar::from_json_schema(schema, options);
    EXPECT_TRUE(grammar.ok()) << grammar.status().to_string() << " in " << schema;
    if (grammar.ok()) grammars.push_back(*grammar);
  }
  return grammars;
}

void hammer(Profile profile) {
  const uint64_t seed = test_seed();
  const auto vocabulary = json_vocabulary();
  const auto shared = compile_all(profile);
  const auto alone = compile_all(profile);
  ASSERT_EQ(shared.size(), std::size(kSchemas));
  // All threads start on the same grammar, and meet again on each.
  std::vector<std::vector<Walker>> walkers(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    for (size_t g = 0; g < shared.size(); ++g) {
      walkers[t].emplace_back(shared[g], vocabulary, seed + t / 2 + 100 * g, MatcherOptions{});
    }
  }
  std::atomic<size_t> ready{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (Walker& walker : walkers[t]) walker.run(60);
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (size_t g = 0; g < shared.size(); ++g) {
    for (size_t t = 0; t < kThreads; t += 2) {
      // Two threads had the same seed; a third walk is alone and remembers nothing.
      EXPECT_EQ(walkers[t][g].seen(), walkers[t + 1][g].seen()) << kSchemas[g];
      Walker fresh(alone[g], vocabulary, seed + t / 2 + 100 * g, {.use_caches = false});
      fresh.run(60);
      EXPECT_EQ(walkers[t][g].seen(), fresh.seen()) << kSchemas[g];
    }
  }
}

TEST(Concurrency, SixteenThreadsOnOneGrammarExact) { hammer(Profile::kExact); }
TEST(Concurrency, SixteenThreadsOnOneGrammarGeneration) { hammer(Profile::kGeneration); }

TEST(Concurrency, ThreadsCompileAndUseTheirOwnGrammars) {
  const auto vocabulary = json_vocabulary();
  std::vector<std::thread> threads;
  std::vector<std::map<std::vector<TokenId>, MaskRow>> seen(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (const auto& grammar : compile_all(Profile::kExact)) {
        Walker walker(grammar, vocabulary, 7, {});
        walker.run(20);
        seen[t].insert(walker.seen().begin(), walker.seen().end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 1; t < kThreads; ++t) EXPECT_EQ(seen[t], seen[0]);
}

}  // namespace
}  // namespace espalier::testing
