// Rows to draw from, against sums in the obvious order.
#include "engine/sampling/token_row.h"

#include <cmath>
#include <map>
#include <set>

#include "engine/sampling/row_kernels.h"
#include "engine_support.h"

namespace espalier::testing {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct RandomRow {
  std::vector<float> row;
  std::vector<MaskWord> support;
  std::set<TokenId> tokens;
};

RandomRow random_row(std::mt19937_64& rng, size_t size, double density) {
  RandomRow made{std::vector<float>(size), std::vector<MaskWord>((size + 31) / 32), {}};
  for (size_t i = 0; i < size; ++i) {
    made.row[i] = static_cast<float>(-std::exponential_distribution<>(0.05)(rng));
    if (rng() % 16 == 0) made.row[i] = -kInf;
    if (!std::bernoulli_distribution(density)(rng)) continue;
    set_mask_bit(made.support, static_cast<TokenId>(i));
    if (made.row[i] > -kInf) made.tokens.insert(static_cast<TokenId>(i));
  }
  return made;
}

double log_sum(const RandomRow& made) {
  double max = -kInf;
  for (const TokenId token : made.tokens)
    max = std::max<double>(max, made.row[static_cast<size_t>(token)]);
  double sum = 0;
  for (const TokenId token : made.tokens)
    sum += std::exp(made.row[static_cast<size_t>(token)] - max);
  return made.tokens.empty() ? -kInf : max + std::log(sum);
}

// The bound on single-precision exponentials that the samplers rely on.
TEST(RowKernels, ExponentialsAreWithinTwoUlps) {
  std::mt19937_64 rng(test_seed());
  double worst = 0;
  for (int round = 0; round < 2000; ++round) {
    const size_t size = round % 5 == 0 ? 1 + rng() % kBlockTokens : kBlockTokens;
    const RandomRow made = random_row(rng, size, 0.7);
    const BlockSum block = sum_block(made.row.data(), made.support.data(), size);
    ASSERT_TRUE(block.valid);
    std::array<float, kBlockTokens> weights;
    weigh_block(made.row.data(), made.support.data(), size, block.max, weights);
    double sum = 0;
    for (size_t i = 0; i < size; ++i) {
      const double difference = double{made.row[i]} - double{block.max};
      const bool in = mask_bit(made.support, static_cast<TokenId>(i));
      const double exact = in && difference > -87 ? std::exp(difference) : 0;
      // The difference is rounded to a float, which moves its exponential by as much again.
      const double rounding = exact > 0 ? 6e-8 * (2 + std::abs(difference)) : 0;
      ASSERT_NEAR(weights[i], exact, exact * rounding + 1e-37) << i;
      if (exact > 0) worst = std::max(worst, std::abs(weights[i] - exact) / exact);
      sum += double{weights[i]};
    }
    ASSERT_NEAR(block.sum, sum, 1e-6 * sum);
    if (made.tokens.empty()) {
      ASSERT_EQ(block.max, -kInf);
    } else {
      ASSERT_NEAR(std::log(block.sum) + double{block.max}, log_sum(made), 1e-6);
    }
  }
  printf("largest relative error of a weight: %.2g\n", worst);
}

TEST(TokenRow, TotalsFollowExclusions) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 60; ++round) {
    const size_t size = 1 + rng() % 3000;
    RandomRow made = random_row(rng, size, round % 3 == 0 ? 0.01 : 0.6);
    TokenRow row;
    ASSERT_TRUE(row.start(made.row, made.support).ok());
    const double first_total = row.log_total();
    const std::set<TokenId> all = made.tokens;
    Random random(rng());
    while (!made.tokens.empty()) {
      ASSERT_FALSE(row.empty());
      ASSERT_NEAR(row.log_total(), log_sum(made), 2e-6);
      const TokenId token = row.draw(&random);
      ASSERT_TRUE(made.tokens.count(token)) << token;
      row.exclude(token);
      made.tokens.erase(token);
    }
    ASSERT_TRUE(row.empty());
    ASSERT_EQ(row.log_total(), -std::numeric_limits<double>::infinity());
    row.restore();
    ASSERT_EQ(row.log_total(), first_total);
    const std::vector<TokenId> tokens = row.tokens();
    ASSERT_EQ(std::set<TokenId>(tokens.begin(), tokens.end()), all);
  }
}

// Every token keeps its share, the rare ones too, in blocks and groups far apart.
TEST(TokenRow, DrawsByWeight) {
  std::mt19937_64 rng(test_seed());
  constexpr size_t kSize = 20'000;
  std::vector<float> logs(kSize, -kInf);
  std::vector<MaskWord> support(kSize / 32, ~MaskWord{0});
  const std::vector<std::pair<TokenId, double>> share = {
      {0, 0.3}, {511, 0.2}, {512, 0.1}, {9'000, 0.25}, {9'001, 0.05}, {19'999, 0.1}};
  for (const auto& [token, p] : share)
    logs[static_cast<size_t>(token)] = static_cast<float>(std::log(p) + 3);
  TokenRow row;
  ASSERT_TRUE(row.start(logs, support).ok());
  EXPECT_NEAR(row.log_total(), 3, 1e-6);
  Random random(rng());
  std::map<TokenId, double> counts;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) counts[row.draw(&random)] += 1.0 / kDraws;
  ASSERT_EQ(counts.size(), share.size());
  for (const auto& [token, p] : share) {
    EXPECT_NEAR(counts[token], p, 6 * std::sqrt(p * (1 - p) / kDraws)) << token;
  }
}

}  // namespace
}  // namespace espalier::testing
