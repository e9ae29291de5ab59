// Step samplers over small vocabularies, by Monte Carlo: the wiring. The exact tests are in
// awrs_enumeration_test.cpp.
#include "espalier/step_sampler.h"

#include <cmath>
#include <map>

#include "engine_support.h"

namespace espalier::testing {
namespace {

std::shared_ptr<const Vocabulary> letters() {
  auto vocabulary = Vocabulary::from_tokens({"a", "b", "c", "d", ""}, {4});
  EXPECT_TRUE(vocabulary.ok()) << vocabulary.status().to_string();
  return vocabulary.value();
}

TEST(StepSampler, EachMethodIsProperlyWeighted) {
  const auto vocabulary = letters();
  const std::vector<float> row = {std::log(0.4f), std::log(0.3f), std::log(0.2f), std::log(0.06f),
                                  std::log(0.04f)};
  const auto potential = predicate_potential(
      {.prefix = [](std::string_view text) { return text == "b" || text == "d"; },
       .complete = [](std::string_view) { return true; }},
      vocabulary);
  const std::map<TokenId, double> truth = {{1, 0.3}, {3, 0.06}, {4, 0.04}};
  for (const StepMethod method :
       {StepMethod::kNormalizer, StepMethod::kThreeValued, StepMethod::kAwrs,
        StepMethod::kAwrsGeometric, StepMethod::kAwrsTwoLoop, StepMethod::kAwrsWithReplacement}) {
    PotentialCursor cursor(potential);
    StepSampler sampler({.method = method, .max_accepts = 3});
    ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
    std::map<TokenId, double> mean;
    constexpr uint64_t kDraws = 200'000;
    const uint64_t seed = test_seed();
    for (uint64_t i = 0; i < kDraws; ++i) {
      const StepDraw draw = sampler.draw({seed, i, 0});
      ASSERT_EQ(draw.outcome, StepOutcome::kAccepted);
      mean[draw.token] += std::exp(draw.log_weight) / kDraws;
    }
    for (const auto& [token, mass] : truth) {
      EXPECT_NEAR(mean[token], mass, 6 * std::sqrt(mass / kDraws)) << to_string(method);
    }
    EXPECT_EQ(mean.size(), truth.size());
  }
}

}  // namespace
}  // namespace espalier::testing
