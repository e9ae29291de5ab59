#include "engine/sampling/resampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "chance_enumeration.h"
#include "engine_support.h"

namespace espalier {
namespace {

constexpr Resampling kSchemes[] = {Resampling::kMultinomial, Resampling::kStratified,
                                   Resampling::kSystematic, Resampling::kResidual};

class ResamplingTest : public ::testing::TestWithParam<Resampling> {};
INSTANTIATE_TEST_SUITE_P(Schemes, ResamplingTest, ::testing::ValuesIn(kSchemes),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(ResamplingTest, EachItemIsExpectedByItsShare) {
  std::mt19937_64 random(testing::test_seed());
  for (int world = 0; world < 8; ++world) {
    std::vector<double> weights(1 + random() % 6);
    for (double& weight : weights)
      weight = random() % 4 == 0 ? 0 : std::exp((random() % 60) / 10.0);
    weights[random() % weights.size()] = 1;
    double total = 0;
    for (const double weight : weights) total += weight;
    const size_t count = 1 + random() % 7;
    constexpr int kRuns = 20'000;
    std::vector<double> sums(weights.size(), 0);
    std::vector<double> squares(weights.size(), 0);
    RandomChance draws{Random(random())};
    for (int run = 0; run < kRuns; ++run) {
      const auto ancestors = resample(GetParam(), weights, count, &draws);
      ASSERT_EQ(ancestors.size(), count);
      ASSERT_TRUE(std::is_sorted(ancestors.begin(), ancestors.end()));
      std::vector<int> copies(weights.size(), 0);
      for (const uint32_t ancestor : ancestors) ++copies[ancestor];
      for (size_t i = 0; i < weights.size(); ++i) {
        sums[i] += copies[i];
        squares[i] += copies[i] * copies[i];
        const double expected = static_cast<double>(count) * weights[i] / total;
        if (weights[i] == 0) {
          ASSERT_EQ(copies[i], 0);
        }
        if (GetParam() == Resampling::kSystematic) {
          ASSERT_LT(std::abs(copies[i] - expected), 1 + 1e-9);
        }
        if (GetParam() == Resampling::kStratified) {
          ASSERT_LT(std::abs(copies[i] - expected), 2 + 1e-9);
        }
        if (GetParam() == Resampling::kResidual) {
          ASSERT_GE(copies[i], std::floor(expected - 1e-9));
        }
      }
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      const double expected = static_cast<double>(count) * weights[i] / total;
      const double mean = sums[i] / kRuns;
      const double variance = std::max(squares[i] / kRuns - mean * mean, 0.0);
      EXPECT_NEAR(mean, expected, 6 * std::sqrt(variance / kRuns) + 1e-6);
    }
  }
}

/// Exactly, by walking through all intervals of the uniform numbers that decide alike.
TEST_P(ResamplingTest, EachItemHasExactlyItsShare) {
  std::mt19937_64 random(testing::test_seed());
  for (int world = 0; world < 200; ++world) {
    std::vector<double> shares(1 + random() % 5);
    for (double& share : shares) share = static_cast<double>(random() % 4) * 0.1;
    if (random() % 2 == 0) {
      for (double& share : shares) share *= std::exp(static_cast<double>(random() % 60) / 10 - 3);
    }
    shares[random() % shares.size()] = 1;
    const std::vector<double> weights = shares;
    double total = 0;
    for (const double weight : weights) total += weight;
    for (double& share : shares) share /= total;
    const size_t count = 1 + random() % 4;
    const auto n = static_cast<double>(count);
    double probability = 0;
    std::vector<double> sums(weights.size(), 0);
    std::vector<double> squares(weights.size(), 0);
    testing::Enumeration enumeration;
    do {
      const auto ancestors = resample(GetParam(), weights, count, &enumeration);
      ASSERT_EQ(ancestors.size(), count);
      ASSERT_TRUE(std::is_sorted(ancestors.begin(), ancestors.end()));
      probability += enumeration.probability;
      for (size_t i = 0; i < weights.size(); ++i) {
        const auto copies =
            static_cast<double>(std::count(ancestors.begin(), ancestors.end(), uint32_t(i)));
        sums[i] += enumeration.probability * copies;
        squares[i] += enumeration.probability * copies * copies;
        if (GetParam() == Resampling::kSystematic) {
          ASSERT_LT(std::abs(copies - n * shares[i]), 1 + 1e-9);
        }
        if (GetParam() == Resampling::kResidual) {
          ASSERT_GE(copies, std::floor(n * shares[i] - 1e-9));
        }
      }
    } while (enumeration.next());
    EXPECT_NEAR(probability, 1, 1e-12);
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(sums[i], n * shares[i], 1e-12) << "item " << i << " of world " << world;
      const double variance = squares[i] - sums[i] * sums[i];
      const double independent = n * shares[i] * (1 - shares[i]);
      EXPECT_LE(variance, independent + 1e-12);
      if (GetParam() == Resampling::kMultinomial) {
        EXPECT_NEAR(variance, independent, 1e-12);
      }
    }
  }
}

TEST_P(ResamplingTest, EqualWeightsSurviveAndNamesAreRead) {
  RandomChance chance{Random(1)};
  const std::vector<double> weights(7, 0.3);
  if (GetParam() == Resampling::kSystematic || GetParam() == Resampling::kStratified) {
    EXPECT_EQ(resample(GetParam(), weights, 7, &chance),
              (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(parse_resampling(to_string(GetParam())), GetParam());
  EXPECT_EQ(parse_resampling("none"), std::nullopt);
}

TEST(EffectiveSampleSize, CountsEqualWeights) {
  constexpr double kDead = -std::numeric_limits<double>::infinity();
  const double equal[] = {-700, -700, -700, kDead};
  EXPECT_NEAR(effective_sample_size(equal), 3, 1e-12);
  const double one[] = {kDead, -5, kDead};
  EXPECT_NEAR(effective_sample_size(one), 1, 1e-12);
  const double none[] = {kDead, kDead};
  EXPECT_EQ(effective_sample_size(none), 0);
  EXPECT_EQ(log_sum_exp(none), kDead);
  EXPECT_NEAR(log_sum_exp(equal), -700 + std::log(3), 1e-12);
}

}  // namespace
}  // namespace espalier
