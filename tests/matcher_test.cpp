// The matcher's contract: accepting, refusing, undoing, cloning, completing.

#include "espalier/matcher.h"

#include <gtest/gtest.h>

#include "engine/generation/history.h"
#include "engine/mask_bits.h"
#include "engine/tokens/segmentation.h"
#include "engine_support.h"
#include "toy_recognizer.h"

namespace espalier::testing {
namespace {

class MatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
    for (const char* token : {"[[", "],", "abc\"", "12", "]]", "x\"", "<eos>", "<pad>"}) {
      tokens.emplace_back(token);
    }
    auto made = Vocabulary::from_tokens(tokens, {kEos}, {kPad}, 300);
    ASSERT_TRUE(made.ok()) << made.status().to_string();
    vocabulary_ = *made;
    grammar_ = Grammar::from_recognizer(std::make_shared<ToyRecognizer>());
  }
  Matcher matcher() const { return Matcher(grammar_, vocabulary_); }

  static constexpr TokenId kOpenTwo = 256;
  static constexpr TokenId kTwelve = 259;
  static constexpr TokenId kCloseTwo = 260;
  static constexpr TokenId kEos = 262;
  static constexpr TokenId kPad = 263;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::shared_ptr<const Grammar> grammar_;
};

TEST_F(MatcherTest, AcceptsADocumentAndTerminates) {
  Matcher m = matcher();
  EXPECT_FALSE(m.is_accepting());
  const std::vector<TokenId> tokens = {kOpenTwo, kTwelve, kCloseTwo, kEos};
  EXPECT_EQ(m.validate(tokens), 4u);
  EXPECT_EQ(m.num_accepted(), 0u);
  EXPECT_EQ(m.accept_n(tokens), 4u);
  EXPECT_EQ(m.text(), "[[12]]");
  EXPECT_TRUE(m.is_terminated());
  EXPECT_FALSE(m.is_accepting());
  EXPECT_FALSE(m.is_stuck());
  EXPECT_TRUE(tokens_of(mask_of(m)).empty());
  EXPECT_FALSE(m.is_allowed(kEos));
  EXPECT_EQ(m.accept(kEos).code(), StatusCode::kRejected);
  EXPECT_EQ(m.accept_bytes(" ").code(), StatusCode::kRejected);
  EXPECT_EQ(*m.tokens_to_complete(), 0u);
  EXPECT_TRUE(m.forced_bytes().empty());
}

TEST_F(MatcherTest, RollbackUndoesTermination) {
  Matcher m = matcher();
  ASSERT_EQ(m.accept_n(std::vector<TokenId>{kOpenTwo, kCloseTwo}), 2u);
  const MaskRow before = mask_of(m);
  EXPECT_TRUE(has_bit(before, kEos));
  ASSERT_TRUE(m.accept(kEos).ok());
  EXPECT_EQ(m.num_accepted(), 3u);
  ASSERT_TRUE(m.rollback(1).ok());
  EXPECT_FALSE(m.is_terminated());
  EXPECT_TRUE(m.is_accepting());
  EXPECT_EQ(mask_of(m), before);
  EXPECT_EQ(m.rollback(3).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(m.num_accepted(), 2u);
  EXPECT_TRUE(m.rollback(2).ok());
  EXPECT_EQ(m.text(), "");
}

TEST_F(MatcherTest, RefusalsLeaveTheStateAsItWas) {
  Matcher m = matcher();
  ASSERT_TRUE(m.accept('[').ok());
  const MaskRow before = mask_of(m);
  for (const TokenId token : {TokenId{','}, kEos, kPad, TokenId{'}'}, TokenId{270}}) {
    EXPECT_EQ(m.accept(token).code(), StatusCode::kRejected) << token;
    EXPECT_FALSE(m.is_allowed(token));
    EXPECT_FALSE(m.explain(token).sentence.empty());
  }
  EXPECT_EQ(m.accept(-1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(m.accept(300).code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(m.is_allowed(-1));
  EXPECT_FALSE(m.is_allowed(1 << 30));
  EXPECT_EQ(m.accept_bytes("1,,").code(), StatusCode::kRejected);
  EXPECT_EQ(mask_of(m), before);
  EXPECT_EQ(m.num_accepted(), 1u);
  EXPECT_EQ(m.accept_n(std::vector<TokenId>{kTwelve, ',', ',', ']'}), 2u);
}

TEST_F(MatcherTest, ShortRowsAreRefused) {
  Matcher m = matcher();
  MaskRow row(vocabulary_->row_words() - 1);
  EXPECT_EQ(m.fill_mask(row).code(), StatusCode::kInvalidArgument);
}

TEST_F(MatcherTest, RawBytesAreOneEntry) {
  Matcher m = matcher();
  ASSERT_TRUE(m.accept_bytes("[1, \"abc").ok());
  ASSERT_TRUE(m.accept('"').ok());
  EXPECT_EQ(m.num_accepted(), 2u);
  EXPECT_EQ(m.text(), "[1, \"abc\"");
  Matcher copy = m.clone();
  ASSERT_TRUE(m.rollback(2).ok());
  EXPECT_EQ(m.text(), "");
  EXPECT_EQ(copy.text(), "[1, \"abc\"");
}

TEST_F(MatcherTest, ClonesShareHistoryAndOutliveTheOriginal) {
  auto original = std::make_unique<Matcher>(matcher());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(original->accept('[').ok());
  Matcher a = original->clone();
  Matcher b = original->clone();
  original.reset();
  ASSERT_TRUE(a.accept(kCloseTwo).ok());
  ASSERT_TRUE(b.accept('1').ok());
  EXPECT_EQ(a.text(), "[[[]]");
  EXPECT_EQ(b.text(), "[[[1");
  b = a.clone();
  EXPECT_EQ(b.text(), "[[[]]");
}

TEST_F(MatcherTest, ALongHistoryIsReleasedWithoutRecursion) {
  Matcher m = matcher();
  ASSERT_TRUE(m.accept('"').ok());
  for (int i = 0; i < 300'000; ++i) ASSERT_TRUE(m.accept('a').ok());
  EXPECT_EQ(m.text().size(), 300'001u);
  Matcher copy = m.clone();
  ASSERT_TRUE(copy.rollback(299'999).ok());
  EXPECT_EQ(copy.text(), "\"a");
  EXPECT_LE(m.memory_bytes(), 4096u + 64u * 300'001u);
  EXPECT_LE(matcher().memory_bytes(), 4096u);
}

TEST_F(MatcherTest, CompletionsAreAcceptedAndCounted) {
  Matcher m = matcher();
  ASSERT_TRUE(m.accept_bytes("[[\"q").ok());
  const auto completion = m.completion();
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(m.validate(*completion), completion->size());
  EXPECT_EQ(*completion, (std::vector<TokenId>{'"', kCloseTwo}));
  EXPECT_EQ(*m.tokens_to_complete(), 2u);
  EXPECT_EQ(*m.tokens_to_complete('"'), 1u);
  EXPECT_EQ(*m.tokens_to_complete('a'), 2u);
  EXPECT_EQ(m.tokens_to_complete('}').status().code(), StatusCode::kRejected);
  EXPECT_TRUE(m.completes_within(-1, 2));
  EXPECT_FALSE(m.completes_within(-1, 1));
  EXPECT_FALSE(m.completes_within('}', 100));
}

// Which word is completed in the fewest tokens is not which needs the fewest bytes.
TEST_F(MatcherTest, TokensToCompleteEqualTheFewestOfAllWords) {
  std::mt19937_64 random(test_seed());
  const auto word = [&](size_t longest) {
    std::string text;
    for (uint64_t n = 1 + random() % longest; n > 0; --n) text += "abc"[random() % 3];
    return text;
  };
  for (int round = 0; round < 150; ++round) {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < (round % 2 == 0 ? 256 : 0); ++byte) {
      tokens.emplace_back(1, static_cast<char>(byte));
    }
    for (int i = 0; i < 6; ++i) tokens.push_back(word(4));
    tokens.emplace_back();
    const auto eos = static_cast<TokenId>(tokens.size() - 1);
    const auto vocabulary = *Vocabulary::from_tokens(tokens, {eos});
    std::vector<std::string> words;
    std::string pattern;
    for (int i = 0; i < 5; ++i) {
      words.push_back(word(9));
      pattern += (i == 0 ? "" : "|") + words.back();
    }
    Matcher m(*Grammar::from_regex(pattern), vocabulary, {.use_caches = round % 4 < 2});
    for (int step = 0; step < 9; ++step) {
      size_t fewest = SIZE_MAX;
      const std::string text = m.text();
      for (const std::string& whole : words) {
        if (whole.compare(0, text.size(), text) != 0) continue;
        const auto rest = shortest_segmentation(vocabulary->trie(), whole.substr(text.size()));
        if (rest) fewest = std::min(fewest, rest->size());
      }
      for (size_t tokens_left = 0; tokens_left < 7; ++tokens_left) {
        EXPECT_EQ(m.completes_within(-1, tokens_left), fewest <= tokens_left) << pattern << text;
        const auto completion = m.completion(tokens_left);
        ASSERT_EQ(completion.ok(), fewest <= tokens_left) << pattern << " after " << text;
        if (completion.ok()) {
          EXPECT_EQ(m.validate(*completion), completion->size());
        }
        MaskRow kept = mask_of(m);
        m.keep_completable(kept, tokens_left);
        Matcher other(m.clone());
        for (const TokenId token : tokens_of(mask_of(m))) {
          const bool fits = vocabulary->is_eos(token) || other.completes_within(token, tokens_left);
          EXPECT_EQ(mask_bit(as_mask_words(kept), token), fits) << pattern << " after " << text;
        }
      }
      const auto count = m.tokens_to_complete();
      ASSERT_EQ(count.ok(), fewest != SIZE_MAX) << pattern << " after " << text;
      if (!count.ok()) break;
      EXPECT_EQ(*count, fewest);
      const std::vector<TokenId> allowed = tokens_of(mask_of(m));
      ASSERT_FALSE(allowed.empty());
      if (!m.accept(allowed[random() % allowed.size()]).ok() || m.is_terminated()) break;
    }
  }
}

// What a mask keeps under a budget can be accepted, and leaves what can be completed: over a large
// vocabulary too, where free names are many.
TEST_F(MatcherTest, BudgetsEndNoWalk) {
  std::mt19937_64 random(test_seed());
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* token :
       {"\":", "\": ", "\"}", "}}", "{\"", ", \"", "null", "\": 0}", "true", "[]"}) {
    tokens.emplace_back(token);
  }
  while (tokens.size() < 1500) {
    tokens.emplace_back();
    for (uint64_t n = 2 + random() % 4; n > 0; --n) tokens.back() += "abcd\""[random() % 5];
  }
  tokens.emplace_back();
  const auto eos = static_cast<TokenId>(tokens.size() - 1);
  const auto vocabulary = *Vocabulary::from_tokens(tokens, {eos});
  ASSERT_GT(vocabulary->trie().size(), 1024u);
  for (
      const char* schema :
      {R"({"type": "object", "minProperties": 1})", R"({"type": ["object", "array"]})",
       R"({"type": "object", "required": ["a"], "properties": {"a": {"enum": ["abcdabcd", "dd"]}}})",
       R"({"anyOf": [{"const": {"abba": [null]}}, {"pattern": "^(ab|cd)+$", "type": "string"}]})"}) {
    const auto grammar = Grammar::from_json_schema(schema, {.profile = Profile::kGeneration});
    ASSERT_TRUE(grammar.ok());
    for (int walk = 0; walk < 20; ++walk) {
      Matcher m(*grammar, vocabulary);
      size_t left = *m.tokens_to_complete() + random() % 6;
      while (!m.is_terminated()) {
        MaskRow kept = mask_of(m);
        if (left == 0) {
          ASSERT_TRUE(m.is_accepting()) << schema << " after " << m.text();
          break;
        }
        m.keep_completable(kept, left - 1);
        const std::vector<TokenId> allowed = tokens_of(kept);
        ASSERT_FALSE(allowed.empty()) << schema << " after " << m.text();
        const TokenId token = allowed[random() % allowed.size()];
        if (!vocabulary->is_eos(token)) {
          ASSERT_TRUE(m.completes_within(token, left - 1)) << schema << " after " << m.text();
        }
        m = m.clone();
        ASSERT_TRUE(m.accept(token).ok());
        --left;
      }
    }
  }
}

// Schemas whose objects are finished only by a name and a value that decide an open branch: a name
// that changes nothing would look as cheap at each step.
TEST_F(MatcherTest, CompletionsDecideOpenBranches) {
  const char* const schemas[] = {
      R"({"type": "object", "oneOf": [
          {"patternProperties": {"a": {"multipleOf": 10, "maximum": 35}}},
          {"patternProperties": {"a": {"multipleOf": 10, "maximum": 40}}}]})",
      R"({"type": "object", "propertyNames": {"pattern": "^...$"}, "allOf": [
          {"not": {"patternProperties": {"ab": {"not": {"type": "string", "pattern": "A"}}}}},
          {"not": {"patternProperties": {"cd": {"not": {"type": "string", "pattern": "C"}}}}}]})",
  };
  for (const char* schema : schemas) {
    const auto grammar = Grammar::from_json_schema(schema);
    ASSERT_TRUE(grammar.ok()) << grammar.status().to_string();
    Matcher m(*grammar, vocabulary_);
    const auto tokens = m.completion();
    ASSERT_TRUE(tokens.ok()) << schema << ": " << tokens.status().to_string();
    EXPECT_LT(tokens->size(), 60u) << schema;
    EXPECT_EQ(m.accept_n(*tokens), tokens->size());
    EXPECT_TRUE(m.is_accepting()) << m.text();
  }
}

TEST_F(MatcherTest, ForcedTextIsWhatEveryCompletionStartsWith) {
  Matcher m = matcher();
  EXPECT_EQ(m.forced_bytes(), "");
  // After a string with an x only brackets can follow; the last one is certain as well.
  ASSERT_TRUE(m.accept_bytes("[\"x\"").ok());
  EXPECT_EQ(m.forced_bytes(), "]");
  EXPECT_EQ(m.forced_tokens(), std::vector<TokenId>{']'});
  // One level deeper `]` is certain, and so is nothing more: `,` or `]` may follow, and `]]` and
  // `],` are tokens.
  m.reset();
  ASSERT_TRUE(m.accept_bytes("[[\"x\"").ok());
  EXPECT_EQ(m.forced_bytes(), "]");
  EXPECT_TRUE(m.forced_tokens().empty());
}

TEST_F(MatcherTest, ExplainNamesTheByte) {
  Matcher m = matcher();
  ASSERT_TRUE(m.accept_bytes("[\"x\"").ok());
  const Refusal refusal = m.explain(257);  // `],`
  EXPECT_EQ(refusal.byte_offset, 1u);
  EXPECT_EQ(refusal.keyword, "syntax");
  EXPECT_FALSE(refusal.sentence.empty());
  EXPECT_TRUE(m.explain(']').sentence.empty());
  EXPECT_EQ(m.explain(kEos).sentence, "The text is not complete here.");
}

TEST_F(MatcherTest, GrammarsReportMemoryAndSatisfiability) {
  EXPECT_FALSE(grammar_->unsatisfiable());
  const size_t before = grammar_->memory_bytes();
  Matcher m = matcher();
  mask_of(m);
  EXPECT_GT(grammar_->memory_bytes(), before);
}

/// A machine that runs out of its budget after some states.
class FailingRecognizer : public ToyRecognizer {
 public:
  State step(State s, uint8_t byte) override {
    return ++steps_ > 5 ? State() : ToyRecognizer::step(s, byte);
  }
  State probe(State s, uint8_t byte) override { return step(s, byte); }
  Status status() const override {
    return steps_ > 5 ? Status(StatusCode::kBudgetExceeded, "The budget of 5 steps is exceeded.")
                      : Status();
  }

 private:
  int steps_ = 0;
};

TEST_F(MatcherTest, AnExceededBudgetIsAStatus) {
  Matcher m(Grammar::from_recognizer(std::make_shared<FailingRecognizer>()), vocabulary_);
  ASSERT_TRUE(m.accept('[').ok());
  MaskRow row(vocabulary_->row_words(), -1);
  EXPECT_EQ(m.fill_mask(row).code(), StatusCode::kBudgetExceeded);
  EXPECT_TRUE(tokens_of(row).empty());
  EXPECT_EQ(m.accept('[').code(), StatusCode::kBudgetExceeded);
  EXPECT_EQ(m.status().code(), StatusCode::kBudgetExceeded);
  EXPECT_EQ(m.text(), "[");
}

}  // namespace
}  // namespace espalier::testing
