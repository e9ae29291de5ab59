// The cache of grammars: what is shared, what is dropped, and that many threads compile once.

#include "espalier/grammar_cache.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/grammars/compact_json.h"
#include "schema/json/json_document.h"

namespace espalier {
namespace {

std::string schema(int i) {
  return R"({"type": "string", "maxLength": )" + std::to_string(i) + "}";
}

TEST(CompactJson, KeepsWhatMatters) {
  EXPECT_EQ(compact_json("  { \"a b\" :\t[ 1 , 2 ,\n\"\\\" \" ] }\r\n"),
            "{\"a b\":[1,2,\"\\\" \"]}");
  EXPECT_EQ(compact_json("[1 2]"), "[1 2]");
  EXPECT_EQ(compact_json("tr ue"), "tr ue");
  EXPECT_EQ(compact_json("\"open  "), "\"open  ");
  EXPECT_EQ(compact_json("\"end\\"), "\"end\\");
  EXPECT_EQ(compact_json(""), "");
}

// A text and its compact form are both JSON with the same compact spelling, or neither is.
TEST(CompactJson, AgreesWithTheParser) {
  std::mt19937 random(std::random_device{}());
  constexpr std::string_view kBytes = "{}[],:\"\"  \n0123-.e\\truefalsn";
  size_t valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(1 + random() % 7, ' ');
    for (char& c : text) c = kBytes[random() % kBytes.size()];
    const auto before = JsonDocument::parse(text, 100, 100);
    const auto after = JsonDocument::parse(compact_json(text), 100, 100);
    ASSERT_EQ(before.ok(), after.ok()) << text;
    if (!before.ok()) continue;
    ++valid;
    ASSERT_EQ((*before)->serialize((*before)->root()), (*after)->serialize((*after)->root()));
  }
  EXPECT_GT(valid, 100u);
}

TEST(GrammarCache, SharesByContent) {
  GrammarCache cache;
  const auto first = cache.json_schema(R"({"type": "string"})");
  const auto spaced = cache.json_schema("{\n  \"type\" : \"string\"\n}");
  const auto other = cache.json_schema(R"({"type": "number"})");
  SchemaOptions exact;
  exact.profile = Profile::kExact;
  const auto profile = cache.json_schema(R"({"type": "string"})", exact);
  ASSERT_TRUE(first.ok() && spaced.ok() && other.ok() && profile.ok());
  EXPECT_EQ(*first, *spaced);
  EXPECT_NE(*first, *other);
  EXPECT_NE(*first, *profile);
  const GrammarCache::Stats stats = cache.stats();
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.compiled, 3u);
  EXPECT_EQ(stats.grammars, 3u);
  EXPECT_GE(stats.bytes, (*first)->memory_bytes());
  cache.clear();
  EXPECT_EQ(cache.stats().grammars, 0u);
  EXPECT_EQ(cache.stats().bytes, 0u);
  EXPECT_NE(*cache.json_schema(R"({"type": "string"})"), *first);
}

TEST(GrammarCache, FailuresAreNotKept) {
  GrammarCache cache;
  EXPECT_EQ(cache.json_schema("[1 2]").status().code(), StatusCode::kParseError);
  EXPECT_EQ(cache.json_schema("\n[1 2]").status().place(), "2:4");
  EXPECT_EQ(cache.stats().grammars, 0u);
  EXPECT_EQ(cache.stats().compiled, 2u);
}

TEST(GrammarCache, DropsTheLeastRecentlyUsed) {
  const size_t one = (*Grammar::from_json_schema(schema(1)))->memory_bytes();
  GrammarCache cache(6 * one);
  const auto kept = cache.json_schema(schema(0));
  for (int i = 1; i < 40; ++i) {
    ASSERT_TRUE(cache.json_schema(schema(i)).ok());
    EXPECT_EQ(*cache.json_schema(schema(0)), *kept);  // used again and again, it stays
    EXPECT_LE(cache.stats().bytes, 6 * one);
  }
  EXPECT_GT(cache.stats().evicted, 30u);
  EXPECT_EQ(cache.stats().compiled, 40u);
  // A budget that nothing fits still answers, and keeps the last one only.
  GrammarCache tiny(1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(tiny.json_schema(schema(i)).ok());
  EXPECT_EQ(tiny.stats().grammars, 1u);
}

TEST(GrammarCache, ManyThreadsCompileOnce) {
  GrammarCache cache;
  constexpr int kThreads = 8, kSchemas = 20;
  std::vector<std::vector<std::shared_ptr<const Grammar>>> got(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kSchemas; ++i) got[t].push_back(*cache.json_schema(schema(i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(got[t], got[0]);
  EXPECT_EQ(cache.stats().compiled, static_cast<uint64_t>(kSchemas));
  EXPECT_EQ(cache.stats().hits, static_cast<uint64_t>(kSchemas * (kThreads - 1)));
}

TEST(GrammarCache, ThreadsUnderATinyBudget) {
  GrammarCache cache(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(cache.json_schema(schema((i * 7 + t) % 5)).ok());
        if (i % 25 == 24) cache.clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.stats().grammars, 5u);
}

}  // namespace
}  // namespace espalier
