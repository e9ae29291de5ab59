#include "engine/sampling/smc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine_support.h"
#include "population_support.h"

namespace espalier {
namespace {

using testing::KnownWorld;

constexpr RandomWorldOptions kWorld = {.letters = 3, .states = 4, .max_tokens = 4};

struct SmcCase {
  Resampling resampling;
  size_t particles;
  Twist twist;
  bool deadly;
};

class SmcTest : public ::testing::TestWithParam<SmcCase> {};

std::vector<SmcCase> smc_cases() {
  std::vector<SmcCase> cases;
  for (const Resampling resampling : {Resampling::kMultinomial, Resampling::kStratified,
                                      Resampling::kSystematic, Resampling::kResidual}) {
    for (const size_t particles : {1, 2, 5}) {
      cases.push_back({resampling, particles, Twist::kNone, false});
      cases.push_back({resampling, particles, Twist::kNone, true});
      cases.push_back({resampling, particles, Twist::kLookAhead, false});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cases, SmcTest, ::testing::ValuesIn(smc_cases()), [](const auto& test) {
  return std::string(to_string(test.param.resampling)) + std::to_string(test.param.particles) +
         (test.param.twist == Twist::kLookAhead ? "Twisted" : "") +
         (test.param.deadly ? "Deadly" : "");
});

/// E[exp(log_z)] = Z, and E[mean weight 1{x}] = P(x) for every x.
TEST_P(SmcTest, EstimatesAreUnbiased) {
  const SmcCase& param = GetParam();
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 2; ++w) {
    KnownWorld known = param.deadly ? testing::deadly_world(seed + w, kWorld)
                                    : testing::lively_world(seed + w, kWorld);
    PrefixTree tree = known.tree();
    std::unique_ptr<LookAhead> look;
    SmcOptions options;
    if (param.twist == Twist::kLookAhead) {
      look = testing::look_ahead_of(known.world);
      options.look_ahead = look.get();
    }
    options.particles = param.particles;
    options.resampling = param.resampling;
    options.ess_threshold = 0.9;
    options.max_tokens = known.world.max_tokens;
    constexpr int kRuns = 6'000;
    double sum = 0;
    double squares = 0;
    std::map<std::vector<TokenId>, std::pair<double, double>> by_text;
    for (int run = 0; run < kRuns; ++run) {
      options.seed = seed + static_cast<uint64_t>(run) * 1'000'003;
      const auto population = run_smc(&tree, options);
      ASSERT_TRUE(population.ok()) << population.status().to_string();
      ASSERT_TRUE(population->first_failure.ok()) << population->first_failure.to_string();
      const double z = std::exp(population->log_z);
      sum += z;
      squares += z * z;
      std::map<std::vector<TokenId>, double> shares;
      for (const Particle& particle : population->particles) {
        if (std::isinf(particle.log_weight)) continue;
        ASSERT_TRUE(particle.ended);
        ASSERT_TRUE(known.truth.sequences.count(particle.tokens));
        shares[particle.tokens] +=
            std::exp(particle.log_weight) / static_cast<double>(param.particles);
      }
      for (const auto& [tokens, share] : shares) {
        by_text[tokens].first += share;
        by_text[tokens].second += share * share;
      }
    }
    testing::expect_mean(sum, squares, kRuns, known.truth.z, "Z");
    for (const auto& [tokens, probability] : known.truth.sequences) {
      const auto [total, total_squares] = by_text[tokens];
      if (probability < 0.02 * known.truth.z) continue;  // seen too seldom to have a variance
      testing::expect_mean(total, total_squares, kRuns, probability, "P(x)");
    }
  }
}

TEST(Smc, CriticsSteerAndChangeTheTargetOnlyAtTheEnd) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed, {.letters = 3, .states = 4, .max_tokens = 4});
  const auto count_a = [](std::string_view text) {
    return static_cast<double>(std::count(text.begin(), text.end(), 'a'));
  };
  double wanted = 0;
  for (const auto& [tokens, probability] : known.truth.sequences) {
    wanted += probability * std::exp(-count_a(known.world.model->vocabulary()->decode(tokens)));
  }
  PrefixTree tree = known.tree();
  SmcOptions options;
  options.particles = 4;
  options.ess_threshold = 0.9;
  options.max_tokens = known.world.max_tokens;
  options.critic.prefix = [&](std::string_view text) { return -0.7 * count_a(text); };
  options.critic.complete = [&](std::string_view text) { return -count_a(text); };
  double sum = 0;
  double squares = 0;
  constexpr int kRuns = 4'000;
  for (int run = 0; run < kRuns; ++run) {
    options.seed = seed + static_cast<uint64_t>(run) * 7'919;
    const auto population = run_smc(&tree, options);
    ASSERT_TRUE(population.ok());
    sum += std::exp(population->log_z);
    squares += std::exp(2 * population->log_z);
  }
  testing::expect_mean(sum, squares, kRuns, wanted, "Z under the critic");
}

TEST(Smc, CriticsThatFailKillOnlyTheirParticles) {
  KnownWorld known = testing::lively_world(testing::test_seed());
  PrefixTree tree = known.tree();
  SmcOptions options;
  options.max_tokens = known.world.max_tokens;
  options.critic.complete = [](std::string_view) -> double { throw std::runtime_error("no"); };
  const auto thrown = run_smc(&tree, options);
  ASSERT_TRUE(thrown.ok());
  EXPECT_TRUE(std::isinf(thrown->log_z));
  EXPECT_FALSE(thrown->first_failure.ok());
  options.critic.complete = [](std::string_view) { return std::nan(""); };
  const auto nan = run_smc(&tree, options);
  ASSERT_TRUE(nan.ok());
  EXPECT_TRUE(std::isinf(nan->log_z) && nan->log_z < 0);
}

/// Counts calls, to see that a step is one of them.
class CountingModel : public LanguageModel {
 public:
  explicit CountingModel(LanguageModel* inner) : inner_(inner) {}
  std::shared_ptr<const Vocabulary> vocabulary() const override { return inner_->vocabulary(); }
  std::string name() const override { return "counting"; }
  Result<SequenceId> open(std::span<const TokenId> prompt) override {
    ++open_sequences;
    return inner_->open(prompt);
  }
  Status extend(SequenceId sequence, std::span<const TokenId> tokens) override {
    return inner_->extend(sequence, tokens);
  }
  Result<SequenceId> fork(SequenceId sequence) override {
    ++open_sequences;
    return inner_->fork(sequence);
  }
  Status trim(SequenceId sequence, size_t length) override {
    return inner_->trim(sequence, length);
  }
  void release(SequenceId sequence) override {
    --open_sequences;
    inner_->release(sequence);
  }
  Status next_log_probs(std::span<const SequenceId> sequences, std::span<float> rows) override {
    ++calls;
    return inner_->next_log_probs(sequences, rows);
  }
  Status tree_log_probs(SequenceId sequence, const TokenTree& tree,
                        std::span<float> rows) override {
    return inner_->tree_log_probs(sequence, tree, rows);
  }
  size_t calls = 0;
  int open_sequences = 0;

 private:
  LanguageModel* inner_;
};

TEST(Smc, AsksTheModelOnceAStepAndClosesItsSequences) {
  KnownWorld known = testing::lively_world(testing::test_seed());
  CountingModel model(known.world.model.get());
  {
    PrefixTree tree(known.limited, &model);
    SmcOptions options;
    options.particles = 50;
    options.max_tokens = known.world.max_tokens;
    const auto population = run_smc(&tree, options);
    ASSERT_TRUE(population.ok());
    EXPECT_EQ(model.calls, population->ess_history.size());
    EXPECT_EQ(tree.cost().model_calls, model.calls);
    EXPECT_LE(tree.cost().model_rows, 50 * model.calls);
  }
  EXPECT_EQ(model.open_sequences, 0);
}

TEST(Smc, DoesNotDependOnWhatIsRemembered) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed);
  PrefixTree roomy = known.tree();
  SmcOptions options;
  options.particles = 20;
  options.max_tokens = known.world.max_tokens;
  options.seed = seed;
  static_cast<void>(run_smc(&roomy, options));  // now everything is known
  const auto warm = run_smc(&roomy, options);
  PrefixTree tight = known.tree(1);
  const auto cold = run_smc(&tight, options);
  ASSERT_TRUE(warm.ok() && cold.ok());
  EXPECT_EQ(warm->log_z, cold->log_z);
  EXPECT_EQ(warm->ess_history, cold->ess_history);
  for (size_t i = 0; i < options.particles; ++i) {
    EXPECT_EQ(warm->particles[i].tokens, cold->particles[i].tokens);
    EXPECT_EQ(warm->particles[i].log_weight, cold->particles[i].log_weight);
  }
}

TEST(Smc, ReportsADeadPopulation) {
  KnownWorld known = testing::lively_world(testing::test_seed());
  const auto nothing = predicate_potential(
      {[](std::string_view) { return false; }, [](std::string_view) { return false; }},
      known.world.model->vocabulary());
  PrefixTree tree(limit_tokens(nothing, 4), known.world.model.get());
  SmcOptions options;
  options.max_tokens = 4;
  const auto dead = run_smc(&tree, options);
  ASSERT_TRUE(dead.ok());
  EXPECT_TRUE(std::isinf(dead->log_z) && dead->log_z < 0);
  for (const Particle& particle : dead->particles) EXPECT_FALSE(particle.ended);
  options.particles = 0;
  EXPECT_EQ(run_smc(&tree, options).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace espalier
