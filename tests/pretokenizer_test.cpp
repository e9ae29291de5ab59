// Splitting: dialect details, behaviours, presets; no byte may be lost.
#include "engine/tokenizers/pretokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace espalier {
namespace {

using Pieces = std::vector<std::string>;

uint64_t test_seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

Pieces split(std::vector<SplitRule> rules, const std::string& text) {
  const Result<Pretokenizer> pretokenizer = Pretokenizer::create(std::move(rules));
  EXPECT_TRUE(pretokenizer.ok()) << pretokenizer.status().to_string();
  if (!pretokenizer) return {};
  std::vector<std::string_view> pieces;
  const Status status = pretokenizer->split(text, pieces);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return Pieces(pieces.begin(), pieces.end());
}

Pieces split_named(const char* name, const std::string& text) {
  const auto preset = pretokenizer_preset(name);
  EXPECT_TRUE(preset.has_value()) << name;
  return preset ? split(preset->rules, text) : Pieces();
}

TEST(Pretokenizer, KnowsTheModelsPatterns) {
  EXPECT_EQ(split_named("gpt2", "Hello  world's 1234"),
            (Pieces{"Hello", " ", " world", "'s", " 1234"}));
  EXPECT_EQ(split_named("llama3", "x1234 it'LL\r\n  y"),
            (Pieces{"x", "123", "4", " it", "'LL", "\r\n", " ", " y"}));
  EXPECT_EQ(split_named("qwen2", "12"), (Pieces{"1", "2"}));
  EXPECT_EQ(split_named("cl100k", "a  \n b   "), (Pieces{"a", "  \n", " b", "   "}));
  EXPECT_EQ(split_named("o200k", "HelloWorld's/n"), (Pieces{"Hello", "World's", "/n"}));
  EXPECT_EQ(split_named("llama-bpe", "a b"), split_named("llama3", "a b"));
  EXPECT_FALSE(pretokenizer_preset("no-such-model").has_value());
  EXPECT_FALSE(pretokenizer_preset("").has_value());
  EXPECT_EQ(pretokenizer_of_stem("o200k_base"), "o200k");
  EXPECT_EQ(pretokenizer_of_stem("something"), "");
}

TEST(Pretokenizer, WhiteSpaceIsUnicodes) {
  EXPECT_EQ(split({{R"(\s+)"}}, "a\u00a0\u3000b"), (Pieces{"a", "\u00a0\u3000", "b"}));
  EXPECT_EQ(split({{R"(\s+)"}},
                  "a\x1c\x1f"
                  "b"),
            (Pieces{"a\x1c\x1f"
                    "b"}));
  EXPECT_EQ(split({{R"(\S+)"}}, "a\x1c b"), (Pieces{"a\x1c", " ", "b"}));
  EXPECT_EQ(split({{R"([^\s]+)"}}, "a\u2028b"), (Pieces{"a", "\u2028", "b"}));
}

TEST(Pretokenizer, CategoriesWorkInAndOutsideSets) {
  const std::string text = "a\u4e2d\u0301+\u00bd";
  EXPECT_EQ(split({{R"(\p{L}+)"}}, text), (Pieces{"a\u4e2d", "\u0301+\u00bd"}));
  EXPECT_EQ(split({{R"([\p{L}\p{M}]+)"}}, text), (Pieces{"a\u4e2d\u0301", "+\u00bd"}));
  EXPECT_EQ(split({{R"([^\p{L}\p{M}]+)"}}, text), (Pieces{"a\u4e2d\u0301", "+\u00bd"}));
  EXPECT_EQ(split({{R"([\P{S}]+)"}}, text), (Pieces{"a\u4e2d\u0301", "+", "\u00bd"}));
  EXPECT_EQ(split({{R"(\p{S})"}}, text), (Pieces{"a\u4e2d\u0301", "+", "\u00bd"}));
  EXPECT_EQ(split({{R"(\pN|\p{^L}\PL)"}}, "1"), (Pieces{"1"}));
  EXPECT_EQ(split({{R"([\p{Lu}]+)"}}, "pLu{AB}"), (Pieces{"p", "L", "u{", "AB", "}"}));
}

TEST(Pretokenizer, CaseIsFolded) {
  EXPECT_EQ(split({{"(?i:'s)"}}, "a'\u017f'S"), (Pieces{"a", "'\u017f", "'S"}));
}

TEST(Pretokenizer, DollarIsTheEndOfTheText) {
  EXPECT_EQ(split({{R"(\s+$)"}}, "a\n\nb \n"), (Pieces{"a\n\nb", " \n"}));
}

TEST(Pretokenizer, BehavioursAreHuggingFaces) {
  const auto with = [](SplitBehavior behavior, bool invert = false) {
    return split({{"-", true, invert, behavior}}, "the-final--countdown-");
  };
  EXPECT_EQ(with(SplitBehavior::kIsolated),
            (Pieces{"the", "-", "final", "-", "-", "countdown", "-"}));
  EXPECT_EQ(with(SplitBehavior::kRemoved), (Pieces{"the", "final", "countdown"}));
  EXPECT_EQ(with(SplitBehavior::kRemoved, true), (Pieces{"-", "-", "-", "-"}));
  EXPECT_EQ(with(SplitBehavior::kMergedWithPrevious),
            (Pieces{"the-", "final-", "-", "countdown-"}));
  EXPECT_EQ(with(SplitBehavior::kMergedWithNext),
            (Pieces{"the", "-final", "-", "-countdown", "-"}));
  EXPECT_EQ(with(SplitBehavior::kContiguous),
            (Pieces{"the", "-", "final", "--", "countdown", "-"}));
}

TEST(Pretokenizer, RulesApplyInTurn) {
  EXPECT_EQ(split({{R"(\p{N}{1,3})"}, {R"( ?\p{L}+)"}}, "ab12345 c"),
            (Pieces{"ab", "123", "45", " c"}));
}

TEST(Pretokenizer, RefusesWhatItCannotRead) {
  EXPECT_EQ(Pretokenizer::create({{"(a"}}).status().code(), StatusCode::kParseError);
  EXPECT_EQ(Pretokenizer::create({{"[a&&b]"}}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Pretokenizer::create({{"[a[b]]"}}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Pretokenizer::create({{"\\p{Lu"}}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Pretokenizer::create({{"\xFF"}}).status().code(), StatusCode::kParseError);
  EXPECT_FALSE(Pretokenizer::create({{"\\p{NoSuchProperty}"}}).ok());
}

TEST(Pretokenizer, LosesNoByte) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const char* names[] = {"llama3", "cl100k", "gpt2", "o200k", "qwen2"};
  for (const char* name : names) {
    const Result<Pretokenizer> pretokenizer =
        Pretokenizer::create(pretokenizer_preset(name)->rules);
    ASSERT_TRUE(pretokenizer.ok()) << name << ": " << pretokenizer.status().to_string();
    for (int round = 0; round < 100; ++round) {
      std::string text(random() % 60, '\0');
      const unsigned range = random() % 2 == 0 ? 256 : 128;
      for (char& c : text) c = static_cast<char>(random() % range);
      std::vector<std::string_view> pieces;
      ASSERT_TRUE(pretokenizer->split(text, pieces).ok());
      std::string joined;
      for (const std::string_view piece : pieces) {
        EXPECT_FALSE(piece.empty());
        joined += piece;
      }
      ASSERT_EQ(joined, text) << name;
    }
  }
}

}  // namespace
}  // namespace espalier
