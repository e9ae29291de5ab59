// Local sampling: what is drawn, what the budget cuts off, and that it can be repeated.

#include "espalier/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "engine/generation/token_choice.h"
#include "engine/random.h"
#include "engine_support.h"
#include "toy_recognizer.h"

namespace espalier::testing {
namespace {

/// A model whose next-token distribution depends on the last token only.
class ChainModel : public LanguageModel {
 public:
  ChainModel(std::shared_ptr<const Vocabulary> vocabulary, uint64_t seed)
      : vocabulary_(std::move(vocabulary)), seed_(seed) {}

  std::shared_ptr<const Vocabulary> vocabulary() const override { return vocabulary_; }
  std::string name() const override { return "chain"; }
  Result<SequenceId> open(std::span<const TokenId> prompt) override {
    sequences_.emplace_back(prompt.begin(), prompt.end());
    ++open_;
    return static_cast<SequenceId>(sequences_.size() - 1);
  }
  Status extend(SequenceId sequence, std::span<const TokenId> tokens) override {
    sequences_[sequence].insert(sequences_[sequence].end(), tokens.begin(), tokens.end());
    return Status();
  }
  Result<SequenceId> fork(SequenceId) override { return Status(StatusCode::kUnsupported, "fork"); }
  Status trim(SequenceId, size_t) override { return Status(StatusCode::kUnsupported, "trim"); }
  void release(SequenceId) override { --open_; }
  Status next_log_probs(std::span<const SequenceId> sequences, std::span<float> rows) override {
    ++calls;
    last_context = sequences_[sequences[0]];
    const TokenId last = last_context.empty() ? -1 : last_context.back();
    const std::vector<double> p = distribution(last);
    for (size_t i = 0; i < p.size(); ++i) rows[i] = static_cast<float>(std::log(p[i]));
    return Status();
  }
  Status tree_log_probs(SequenceId, const TokenTree&, std::span<float>) override {
    return Status(StatusCode::kUnsupported, "tree");
  }

  std::vector<double> distribution(TokenId last) const {
    Random random(seed_ + static_cast<uint64_t>(last + 1));
    std::vector<double> p(vocabulary_->width());
    for (double& value : p) value = 0.05 + random.unit();
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) value /= total;
    return p;
  }
  int open_sequences() const { return open_; }

  size_t calls = 0;
  std::vector<TokenId> last_context;

 private:
  std::shared_ptr<const Vocabulary> vocabulary_;
  uint64_t seed_;
  std::vector<std::vector<TokenId>> sequences_;
  int open_ = 0;
};

std::shared_ptr<const Grammar> toy(uint32_t depth = 3) {
  return Grammar::from_recognizer(std::make_shared<ToyRecognizer>(depth));
}

std::shared_ptr<const Vocabulary> vocabulary_of(std::vector<std::string> tokens) {
  const auto eos = static_cast<TokenId>(tokens.size());
  tokens.emplace_back("<eos>");
  auto made = Vocabulary::from_tokens(std::move(tokens), {eos});
  EXPECT_TRUE(made.ok()) << made.status().to_string();
  return *made;
}

/// Does the text belong to the language?
bool valid(const std::string& text, uint32_t depth = 3) {
  ToyRecognizer recognizer(depth);
  State s = recognizer.start();
  for (const char c : text) s = recognizer.step(s, static_cast<uint8_t>(c));
  return recognizer.accepting(s);
}

TEST(Random, IsTheSameEverywhereAndUniform) {
  Random random(1);
  EXPECT_EQ(random.next(), mix64(mix64(1 + kGoldenGamma) + kGoldenGamma));
  std::vector<int> counts(5);
  for (int i = 0; i < 50'000; ++i) ++counts[random.below(5)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 600);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += random.unit();
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(TokenChoice, DrawsTheTruncatedDistributionWithoutReplacement) {
  const std::vector<float> log_probs = {std::log(0.1f),  std::log(0.4f),  std::log(0.2f),
                                        std::log(0.05f), std::log(0.25f), -INFINITY};
  const auto frequencies = [&](const SamplingOptions& options, MaskWord mask,
                               std::vector<TokenId> excluded) {
    std::map<TokenId, double> counts;
    Random random(7);
    TokenChoice choice(options);
    constexpr int kDraws = 40'000;
    for (int i = 0; i < kDraws; ++i) {
      std::vector<MaskWord> row = {mask};
      choice.start(row, log_probs);
      for (const TokenId token : excluded) {
        choice.draw(&random);
        choice.exclude(token);
      }
      const auto token = choice.draw(&random);
      counts[token ? *token : -1] += 1.0 / kDraws;
    }
    return counts;
  };
  const auto expect = [](const std::map<TokenId, double>& got,
                         const std::map<TokenId, double>& want) {
    for (const auto& [token, p] : want) {
      EXPECT_NEAR(got.count(token) ? got.at(token) : 0.0, p, 0.012) << token;
    }
    EXPECT_EQ(got.size(), want.size());
  };
  SamplingOptions plain;
  expect(frequencies(plain, 0b111111, {}), {{0, .1}, {1, .4}, {2, .2}, {3, .05}, {4, .25}});
  expect(frequencies(plain, 0b101101, {}), {{0, .1 / .35}, {2, .2 / .35}, {3, .05 / .35}});
  expect(frequencies(plain, 0b111111, {1}),
         {{0, .1 / .6}, {2, .2 / .6}, {3, .05 / .6}, {4, .25 / .6}});
  expect(frequencies(plain, 0b100000, {}), {{-1, 1.0}});
  expect(frequencies(plain, 0b000011, {0, 1}), {{-1, 1.0}});
  SamplingOptions top_k;
  top_k.top_k = 2;
  expect(frequencies(top_k, 0b111111, {}), {{1, .4 / .65}, {4, .25 / .65}});
  expect(frequencies(top_k, 0b111111, {1, 4}), {{0, .1 / .3}, {2, .2 / .3}});
  SamplingOptions top_p;
  top_p.top_p = 0.7;
  expect(frequencies(top_p, 0b111111, {}), {{1, .4 / .85}, {2, .2 / .85}, {4, .25 / .85}});
  SamplingOptions cold;
  cold.temperature = 0.5;
  expect(frequencies(cold, 0b000110, {}), {{1, .16 / .2}, {2, .04 / .2}});
  SamplingOptions greedy;
  greedy.temperature = 0;
  expect(frequencies(greedy, 0b111111, {}), {{1, 1.0}});
  expect(frequencies(greedy, 0b111111, {1}), {{4, 1.0}});
}

TEST(TokenChoice, UniformDrawsCoverTheMask) {
  SamplingOptions options;
  std::vector<int> counts(100);
  Random random(3);
  for (int i = 0; i < 30'000; ++i) {
    std::vector<MaskWord> row = {0x80000001u, 0u, 0x00010000u};
    TokenChoice choice(options);
    choice.start(row, {});
    ++counts[static_cast<size_t>(*choice.draw(&random))];
  }
  EXPECT_NEAR(counts[0], 10'000, 500);
  EXPECT_NEAR(counts[31], 10'000, 500);
  EXPECT_NEAR(counts[80], 10'000, 500);
}

TEST(Sampler, EveryOutputIsValidWithinItsBudgetAndRepeatable) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 40; ++round) {
    const auto vocabulary = random_vocabulary(random, toy_pieces(), 120 + random() % 400, true);
    ChainModel model(vocabulary, random());
    SamplingOptions options;
    options.seed = random();
    options.max_tokens = 1 + random() % 24;
    options.uniform = round % 2 == 0;
    options.temperature = round % 5 == 1 ? 0.0 : 1.3;
    options.top_k = round % 3 == 0 ? 5 : 0;
    options.top_p = round % 4 == 0 ? 0.8 : 1.0;
    std::string streamed;
    const auto result = generate(toy(), vocabulary, &model, options, [&](std::string_view bytes) {
      streamed += bytes;
      return true;
    });
    ASSERT_TRUE(result.ok()) << result.status().to_string();
    ASSERT_EQ(result->finish_reason, FinishReason::kComplete);
    EXPECT_TRUE(valid(result->text)) << result->text;
    EXPECT_EQ(result->text, streamed);
    EXPECT_EQ(result->text, vocabulary->decode(result->tokens));
    EXPECT_LE(result->tokens.size(), options.max_tokens);
    EXPECT_EQ(model.open_sequences(), 0);
    EXPECT_EQ(model.calls, result->model_calls);
    if (options.uniform) {
      EXPECT_EQ(result->model_calls, 0u);
    }

    const auto again = generate(toy(), vocabulary, &model, options);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->tokens, result->tokens);
  }
}

/// The exact local distribution over documents of at most `left` tokens: at each step the model
/// restricted to the tokens after which the document can still be closed in time.
class ExactLocal {
 public:
  ExactLocal(const ChainModel& model, std::shared_ptr<const Vocabulary> vocabulary, uint32_t depth)
      : model_(model), vocabulary_(std::move(vocabulary)), recognizer_(depth) {}

  std::map<std::string, double> run(size_t max_tokens) {
    spread(recognizer_.start(), "", -1, max_tokens, 1.0);
    return probability_;
  }

 private:
  bool closable(State s, size_t left) {
    if (s.dead()) return false;
    if (recognizer_.accepting(s)) return true;
    if (left == 0) return false;
    for (TokenId token = 0; token < static_cast<TokenId>(vocabulary_->size()); ++token) {
      if (!vocabulary_->is_special(token) && closable(after(s, token), left - 1)) return true;
    }
    return false;
  }
  State after(State s, TokenId token) {
    for (const char c : vocabulary_->bytes(token)) {
      s = recognizer_.step(s, static_cast<uint8_t>(c));
    }
    return s;
  }
  void spread(State s, const std::string& text, TokenId last, size_t left, double mass) {
    const std::vector<double> p = model_.distribution(last);
    const bool accepting = recognizer_.accepting(s);
    if (left == 0) {
      probability_[text] += mass;
      return;
    }
    double total = 0;
    std::vector<std::pair<TokenId, double>> choices;
    for (TokenId token = 0; token < static_cast<TokenId>(vocabulary_->size()); ++token) {
      const bool allowed = vocabulary_->is_special(token) ? accepting && vocabulary_->is_eos(token)
                                                          : closable(after(s, token), left - 1);
      if (!allowed) continue;
      choices.emplace_back(token, p[static_cast<size_t>(token)]);
      total += choices.back().second;
    }
    for (const auto& [token, weight] : choices) {
      const double share = mass * weight / total;
      if (vocabulary_->is_eos(token)) {
        probability_[text] += share;
      } else {
        spread(after(s, token), text + std::string(vocabulary_->bytes(token)), token, left - 1,
               share);
      }
    }
  }

  const ChainModel& model_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  ToyRecognizer recognizer_;
  std::map<std::string, double> probability_;
};

TEST(Sampler, DrawsTheLocalDistributionUnderABudget) {
  for (const auto& tokens : std::vector<std::vector<std::string>>{
           {"[", "]", "1", ",", "\"", "x", "]]"},  // not every byte is a token
           {"[", "1", "],", "\"]", "\"", ",", "2]"}}) {
    const auto vocabulary = vocabulary_of(tokens);
    ChainModel model(vocabulary, 11);
    constexpr size_t kBudget = 5;
    const std::map<std::string, double> exact = ExactLocal(model, vocabulary, 2).run(kBudget);
    double total = 0;
    for (const auto& [text, p] : exact) {
      total += p;
      ASSERT_TRUE(valid(text, 2)) << text;
    }
    ASSERT_NEAR(total, 1.0, 1e-9);

    const auto grammar = toy(2);
    std::map<std::string, int> counts;
    constexpr int kSamples = 20'000;
    for (int i = 0; i < kSamples; ++i) {
      SamplingOptions options;
      options.seed = static_cast<uint64_t>(i);
      options.max_tokens = kBudget;
      const auto result = generate(grammar, vocabulary, &model, options);
      ASSERT_TRUE(result.ok());
      ASSERT_EQ(result->finish_reason, FinishReason::kComplete);
      ++counts[result->text];
    }
    // Each count is binomial; five standard deviations and a little for the rarest texts.
    for (const auto& [text, p] : exact) {
      const double sigma = std::sqrt(kSamples * p * (1 - p));
      EXPECT_NEAR(counts[text], kSamples * p, 5 * sigma + 3) << text;
    }
    for (const auto& [text, count] : counts) EXPECT_TRUE(exact.count(text)) << text;
  }
}

TEST(Sampler, SmallBudgets) {
  const auto vocabulary = vocabulary_of({"[", "]", "\"", "a", "["});
  SamplingOptions options;
  options.uniform = true;
  for (options.max_tokens = 0; options.max_tokens < 6; ++options.max_tokens) {
    for (options.seed = 0; options.seed < 20; ++options.seed) {
      const auto result = generate(toy(), vocabulary, nullptr, options);
      ASSERT_TRUE(result.ok());
      if (options.max_tokens < 2) {
        EXPECT_EQ(result->finish_reason, FinishReason::kBudget);
        EXPECT_TRUE(result->tokens.empty());
      } else {
        EXPECT_EQ(result->finish_reason, FinishReason::kComplete);
        EXPECT_TRUE(valid(result->text)) << result->text;
        EXPECT_LE(result->tokens.size(), options.max_tokens);
      }
    }
  }
}

TEST(Sampler, TheModelIsAskedOnlyWhereThereIsAChoice) {
  // Depth 1 and these tokens: `[`, then `[`-lists cannot nest, so `]` is the only token, then the
  // end.
  const auto vocabulary = vocabulary_of({"[", "]"});
  ChainModel model(vocabulary, 5);
  SamplingOptions options;
  options.prompt = {1, 0};
  const auto result = generate(toy(1), vocabulary, &model, options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->text, "[]");
  EXPECT_EQ(result->model_calls, 0u);
  EXPECT_EQ(model.open_sequences(), 0);

  const auto wider = vocabulary_of({"[", "]", "1"});
  ChainModel other(wider, 5);
  const auto longer = generate(toy(1), wider, &other, options);
  ASSERT_TRUE(longer.ok());
  EXPECT_GE(longer->model_calls, 1u);
  // The model saw the prompt and what had been generated before its last call.
  EXPECT_EQ(std::vector<TokenId>(other.last_context.begin(), other.last_context.begin() + 2),
            options.prompt);
}

TEST(Sampler, NoCompletionInTokensIsUnsatisfiable) {
  const auto vocabulary = vocabulary_of({"[", ","});
  SamplingOptions options;
  options.uniform = true;
  const auto result = generate(toy(), vocabulary, nullptr, options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->finish_reason, FinishReason::kUnsatisfiable);
}

TEST(Sampler, TheCallbackCanStop) {
  const auto vocabulary = vocabulary_of({"[", "]", "1"});
  SamplingOptions options;
  options.uniform = true;
  const auto result =
      generate(toy(), vocabulary, nullptr, options, [](std::string_view) { return false; });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->finish_reason, FinishReason::kBudget);
  EXPECT_EQ(result->tokens.size(), 1u);
}

TEST(Sampler, BadOptionsAreNamed) {
  const auto vocabulary = vocabulary_of({"[", "]"});
  ChainModel model(vocabulary, 5);
  const auto place = [&](LanguageModel* m, auto&& change) {
    SamplingOptions options;
    change(options);
    const auto result = generate(toy(), vocabulary, m, options);
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
    return result.status().place();
  };
  EXPECT_EQ(place(&model, [](SamplingOptions& o) { o.temperature = -1; }), "temperature");
  EXPECT_EQ(place(&model, [](SamplingOptions& o) { o.temperature = NAN; }), "temperature");
  EXPECT_EQ(place(&model, [](SamplingOptions& o) { o.top_k = -1; }), "top_k");
  EXPECT_EQ(place(&model, [](SamplingOptions& o) { o.top_p = 0; }), "top_p");
  EXPECT_EQ(place(&model, [](SamplingOptions& o) { o.top_p = 1.5; }), "top_p");
  EXPECT_EQ(place(nullptr, [](SamplingOptions&) {}), "model");
  ChainModel wide(vocabulary_of({"[", "]", "1"}), 5);
  EXPECT_EQ(place(&wide, [](SamplingOptions&) {}), "vocabulary");
}

}  // namespace
}  // namespace espalier::testing
