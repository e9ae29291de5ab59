#include "espalier/population.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "engine_support.h"
#include "population_support.h"

namespace espalier {
namespace {

using testing::KnownWorld;

constexpr PopulationMethod kMethods[] = {
    PopulationMethod::kSmc,  PopulationMethod::kAsap,           PopulationMethod::kCars,
    PopulationMethod::kMars, PopulationMethod::kTrieImportance, PopulationMethod::kMcmc,
    PopulationMethod::kAuto};

PopulationOptions options_for(const World& world, PopulationMethod method, uint64_t seed) {
  PopulationOptions options;
  options.method = method;
  options.max_tokens = world.max_tokens;
  options.seed = seed;
  options.samples = 4;
  return options;
}

TEST(SampleMany, EveryMethodGivesValidTextsReproducibly) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 5; ++w) {
    KnownWorld known = testing::lively_world(seed + w);
    for (const PopulationMethod method : kMethods) {
      const auto options = options_for(known.world, method, seed + w);
      const auto first = sample_many(known.world.potential, known.world.model.get(), options);
      ASSERT_TRUE(first.ok()) << first.status().to_string();
      EXPECT_FALSE(first->samples.empty());
      EXPECT_FALSE(first->policy.empty());
      EXPECT_GT(first->model_calls, 0u);
      for (const PopulationSample& sample : first->samples) {
        EXPECT_FALSE(sample.dead);
        EXPECT_TRUE(known.truth.sequences.count(sample.tokens));
        EXPECT_EQ(sample.text, known.world.model->vocabulary()->decode(sample.tokens));
        const bool weighted = first->method == PopulationMethod::kSmc ||
                              first->method == PopulationMethod::kTrieImportance;
        EXPECT_EQ(sample.log_weight.has_value(), weighted);
      }
      const auto second = sample_many(known.world.potential, known.world.model.get(), options);
      ASSERT_TRUE(second.ok());
      for (size_t i = 0; i < first->samples.size(); ++i) {
        EXPECT_EQ(first->samples[i].tokens, second->samples[i].tokens);
        EXPECT_EQ(first->samples[i].log_weight, second->samples[i].log_weight);
      }
    }
  }
}

/// What each method that is exact, or a long enough chain, says about P(x | valid), over seeds.
///
/// Of n independent draws from the target, the mean total variation distance to it is at most
/// sum sqrt(p / n) / 2, and one draw moves it by 1 / n at most: it is so much larger by t with
/// probability exp(-2 n t^2) at most (McDiarmid). A chain whose weights are at most 1, as those of
/// proposals from masked rows are, goes to the target with probability z at each step, wherever it
/// is, and so is within (1 - z)^steps of it.
TEST(SampleMany, FollowsTheTarget) {
  constexpr double kFalseAlarm = 1e-7, kBias = 0.01, kLeastZ = 0.2;
  constexpr size_t kSamples = 6'000;
  const uint64_t seed = testing::test_seed();
  const RandomWorldOptions shape{.letters = 2, .states = 4, .max_tokens = 4};
  KnownWorld known = testing::lively_world(seed, shape);
  for (uint64_t next = seed + 1; known.truth.z < kLeastZ; ++next)  // chains are short
    known = testing::lively_world(next, shape);
  const double z = known.truth.z;
  struct Case {
    PopulationMethod method;
    RestartSource source;
  };
  const std::vector<Case> cases{{PopulationMethod::kMars, RestartSource::kLocal},
                                {PopulationMethod::kCars, RestartSource::kLocal},
                                {PopulationMethod::kMcmc, RestartSource::kLocal},
                                {PopulationMethod::kMcmc, RestartSource::kLookAhead},
                                {PopulationMethod::kMcmc, RestartSource::kTrie},
                                {PopulationMethod::kMcmc, RestartSource::kSmc}};
  double mean = 0;
  for (const auto& [tokens, probability] : known.truth.sequences)
    mean += std::sqrt(probability / z / kSamples) / 2;
  const double above =
      std::sqrt(std::log(static_cast<double>(cases.size()) / kFalseAlarm) / (2.0 * kSamples));
  for (const Case& c : cases) {
    auto options = options_for(known.world, c.method, seed);
    const bool chain = c.method == PopulationMethod::kMcmc;
    options.samples = kSamples;
    options.source = c.source;
    if (chain) options.steps = static_cast<size_t>(std::log(kBias) / std::log1p(-z)) + 1;
    options.particles = 4;
    const auto drawn = sample_many(known.world.potential, known.world.model.get(), options);
    ASSERT_TRUE(drawn.ok()) << drawn.status().to_string();
    std::map<std::vector<TokenId>, double> counts;
    for (const PopulationSample& sample : drawn->samples) ++counts[sample.tokens];
    double distance = 0;
    for (const auto& [tokens, probability] : known.truth.sequences)
      distance += std::abs(counts[tokens] / kSamples - probability / z) / 2;
    EXPECT_LT(distance, mean + above + (chain ? kBias : 0))
        << to_string(c.method) << ", restarts from " << static_cast<int>(c.source) << ", z " << z;
    EXPECT_EQ(drawn->exact, !chain);
    if (chain) continue;
    EXPECT_NEAR(std::exp(*drawn->log_z), z, 0.2 * z);
  }
}

TEST(SampleMany, EndsAtTheBudget) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 5; ++w) {
    RandomWorldOptions shape{.letters = 3, .states = 5, .edges = 0.8, .max_tokens = 6};
    World world = random_world(seed + w, shape);
    for (size_t budget = 0; budget <= 6; ++budget) {
      world.max_tokens = budget;
      const KnownWorld known(world);
      for (const PopulationMethod method : kMethods) {
        const auto options = options_for(world, method, seed);
        const auto drawn = sample_many(world.potential, world.model.get(), options);
        ASSERT_TRUE(drawn.ok()) << drawn.status().to_string();
        for (const PopulationSample& sample : drawn->samples) {
          EXPECT_EQ(sample.dead, known.truth.sequences.empty());
          EXPECT_TRUE(sample.dead || known.truth.sequences.count(sample.tokens));
        }
      }
    }
  }
}

TEST(SampleMany, WorksWithoutMasks) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed);
  for (const PopulationMethod method : kMethods) {
    auto options = options_for(known.world, method, seed);
    const auto drawn =
        sample_many(without_masks(known.world.potential), known.world.model.get(), options);
    ASSERT_TRUE(drawn.ok());
    EXPECT_GT(drawn->constraint_evaluations, 0u);
    for (const PopulationSample& sample : drawn->samples) {
      EXPECT_TRUE(sample.dead || known.truth.sequences.count(sample.tokens));
    }
  }
}

TEST(SampleMany, KeepsItsTrieInAFile) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known(binary_world(8, 0.6));
  auto options = options_for(known.world, PopulationMethod::kMars, seed);
  options.samples = 60;
  options.constraint = "binary";
  options.trie_file = ::testing::TempDir() + "population.trie";
  std::remove(options.trie_file.c_str());
  const auto run = [&](size_t number, const std::string& file) {
    auto with = options;
    with.seed = seed + number;
    with.trie_file = file;
    auto drawn = sample_many(known.world.potential, known.world.model.get(), with);
    EXPECT_TRUE(drawn.ok()) << drawn.status().to_string();
    return drawn.ok() ? std::move(drawn).value() : Population();
  };
  run(0, options.trie_file);
  size_t fresh = 0;
  size_t kept = 0;
  for (size_t i = 1; i <= 10; ++i) {
    fresh += run(i, "").attempts;
    const Population again = run(i, options.trie_file);
    kept += again.attempts;
    EXPECT_NE(again.policy.find("the saved trie holds"), std::string::npos) << again.policy;
  }
  EXPECT_LT(kept, fresh);
  options.constraint = "another";
  EXPECT_EQ(sample_many(known.world.potential, known.world.model.get(), options).status().code(),
            StatusCode::kInvalidArgument);
  std::remove(options.trie_file.c_str());
}

/// Rows that a broken model might give.
class BrokenModel : public LanguageModel {
 public:
  BrokenModel(std::shared_ptr<const Vocabulary> vocabulary, float value)
      : vocabulary_(std::move(vocabulary)), value_(value) {}
  std::shared_ptr<const Vocabulary> vocabulary() const override { return vocabulary_; }
  std::string name() const override { return "broken"; }
  Result<SequenceId> open(std::span<const TokenId>) override { return SequenceId{1}; }
  Status extend(SequenceId, std::span<const TokenId>) override { return Status(); }
  Result<SequenceId> fork(SequenceId) override { return SequenceId{1}; }
  Status trim(SequenceId, size_t) override { return Status(); }
  void release(SequenceId) override {}
  Status next_log_probs(std::span<const SequenceId>, std::span<float> rows) override {
    std::fill(rows.begin(), rows.end(), value_);
    return Status();
  }
  Status tree_log_probs(SequenceId, const TokenTree&, std::span<float>) override {
    return Status();
  }

 private:
  std::shared_ptr<const Vocabulary> vocabulary_;
  float value_;
};

TEST(SampleMany, BrokenRowsAndPredicatesKillAndAreReported) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed);
  const auto vocabulary = known.world.model->vocabulary();
  BrokenModel nan(vocabulary, std::numeric_limits<float>::quiet_NaN());
  BrokenModel nothing(vocabulary, -std::numeric_limits<float>::infinity());
  const auto throwing = predicate_potential(
      {[](std::string_view) -> bool { throw std::runtime_error("no"); }, {}}, vocabulary);
  for (const PopulationMethod method : kMethods) {
    const auto options = options_for(known.world, method, seed);
    for (LanguageModel* model :
         {static_cast<LanguageModel*>(&nan), static_cast<LanguageModel*>(&nothing)}) {
      const auto drawn = sample_many(known.world.potential, model, options);
      if (!drawn.ok()) continue;  // a typed status is an answer too
      for (const PopulationSample& sample : drawn->samples) EXPECT_TRUE(sample.dead);
    }
    const auto drawn = sample_many(throwing, known.world.model.get(), options);
    if (!drawn.ok()) {
      EXPECT_EQ(drawn.status().code(), StatusCode::kInvalidArgument);
      continue;
    }
    for (const PopulationSample& sample : drawn->samples) EXPECT_TRUE(sample.dead);
  }
}

TEST(SampleMany, RefusesBadOptions) {
  KnownWorld known = testing::lively_world(1);
  const auto refused = [&](auto&& change) {
    PopulationOptions options;
    change(options);
    const auto drawn = sample_many(known.world.potential, known.world.model.get(), options);
    return drawn.status().code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](PopulationOptions& o) { o.samples = 0; }));
  EXPECT_TRUE(refused([](PopulationOptions& o) { o.particles = 0; }));
  EXPECT_TRUE(refused([](PopulationOptions& o) { o.temperature = 0; }));
  EXPECT_TRUE(refused([](PopulationOptions& o) { o.ess_threshold = 1.5; }));
  EXPECT_TRUE(refused([](PopulationOptions& o) { o.temper = -1; }));
  EXPECT_EQ(sample_many(known.world.potential, nullptr, {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Policy, ChoosesByWhatIsKnown) {
  PopulationOptions options;
  EXPECT_EQ(choose_population({Knowledge::kFull, 0, 100}, options).method, PopulationMethod::kMars);
  const auto twisted = choose_population({Knowledge::kFull, -5, 1}, options);
  EXPECT_EQ(twisted.method, PopulationMethod::kSmc);
  EXPECT_EQ(twisted.twist, Twist::kLookAhead);
  EXPECT_EQ(choose_population({Knowledge::kFull, -0.1, 1}, options).twist, Twist::kNone);
  EXPECT_EQ(choose_population({Knowledge::kPartial, 0, 100}, options).method,
            PopulationMethod::kSmc);
  EXPECT_EQ(choose_population({Knowledge::kNone, 0, 100}, options).method, PopulationMethod::kSmc);
}

TEST(Posterior, MergesEqualTexts) {
  constexpr double kDead = -std::numeric_limits<double>::infinity();
  const std::vector<PopulationSample> samples = {{{0}, "a", false, std::log(1.0)},
                                                 {{1}, "b", false, std::log(3.0)},
                                                 {{2}, "a", false, std::log(4.0)},
                                                 {{3}, "c", true, kDead}};
  const auto items = posterior(samples);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].text, "a");
  EXPECT_NEAR(items[0].probability, 5.0 / 8, 1e-12);
  EXPECT_EQ(items[0].count, 2u);
  EXPECT_NEAR(items[1].probability, 3.0 / 8, 1e-12);
}

/// Every budget ends a run with a typed outcome, whatever the method.
TEST(SampleMany, BudgetsEndRuns) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed);
  // Texts that never end, as no mask can tell.
  const auto hopeless = predicate_potential(
      {[](std::string_view) { return true; }, [](std::string_view) { return false; }},
      known.world.model->vocabulary());
  for (const PopulationMethod method : kMethods) {
    PopulationOptions options = options_for(known.world, method, seed);
    options.samples = 3;
    options.particles = 4;
    const auto expect_spent = [&](const Result<Population>& drawn) {
      ASSERT_TRUE(drawn.ok()) << drawn.status().to_string();
      EXPECT_EQ(drawn->first_failure.code(), StatusCode::kBudgetExceeded) << to_string(method);
      EXPECT_NE(drawn->policy.find("stopped"), std::string::npos);
      EXPECT_FALSE(drawn->exact);
      ASSERT_FALSE(drawn->samples.empty());
      for (const PopulationSample& sample : drawn->samples) {
        EXPECT_TRUE(sample.dead);
        EXPECT_TRUE(!sample.log_weight || std::isinf(*sample.log_weight));
      }
      EXPECT_FALSE(drawn->log_z && std::isnan(*drawn->log_z));
    };
    {
      PopulationOptions none = options;
      none.max_text_time = std::chrono::nanoseconds(1);
      expect_spent(sample_many(hopeless, known.world.model.get(), none));
    }
    options.max_tokens = 50;
    options.max_model_rows = 1;
    expect_spent(sample_many(hopeless, known.world.model.get(), options));
    options.max_model_rows = SIZE_MAX;
    options.max_evaluations = 3;
    expect_spent(sample_many(hopeless, known.world.model.get(), options));
  }
  for (const PopulationMethod method : {PopulationMethod::kCars, PopulationMethod::kMars}) {
    // Nothing is valid, which a few attempts do not find out.
    PopulationOptions options = options_for(known.world, method, seed);
    options.max_tokens = 3;
    options.max_attempts = 5;
    options.samples = 4;
    const auto drawn = sample_many(hopeless, known.world.model.get(), options);
    ASSERT_TRUE(drawn.ok());
    EXPECT_EQ(drawn->first_failure.code(), StatusCode::kBudgetExceeded);
    EXPECT_EQ(drawn->samples.size(), 4u);
    for (const PopulationSample& sample : drawn->samples) EXPECT_TRUE(sample.dead);
    EXPECT_FALSE(drawn->exact);
    EXPECT_EQ(drawn->attempts, 5u);  // a text that spends them ends the run
  }
}

}  // namespace
}  // namespace espalier
