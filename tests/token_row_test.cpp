// Rows to draw from, against sums in the obvious order.
#include "engine/sampling/token_row.h"

#include <hwy/targets.h>

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

/// The kernels as compiled for each instruction set of this processor.
class RowKernels : public ::testing::TestWithParam<int64_t> {
 protected:
  RowKernels() { use(GetParam()); }
  ~RowKernels() override { use(0); }

 private:
  static void use(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().DeInit();
  }
};

std::vector<int64_t> all_targets() {
  std::vector<int64_t> targets;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    targets.push_back(rest & -rest);
  }
  return targets;
}
INSTANTIATE_TEST_SUITE_P(Targets, RowKernels, ::testing::ValuesIn(all_targets()),
                         [](const auto& test) { return std::string(hwy::TargetName(test.param)); });

// The bound on single-precision exponentials that the samplers rely on.
TEST_P(RowKernels, ExponentialsAreWithinTheirBound) {
  std::mt19937_64 rng(test_seed());
  double worst = 0;
  for (int round = 0; round < 1000; ++round) {
    const size_t size = round % 5 == 0 ? 1 + rng() % kBlockTokens : kBlockTokens;
    const RandomRow made = random_row(rng, size, 0.7);
    std::vector<MaskWord> support = made.support;
    support.resize(kBlockTokens / 32);
    BlockSum block;
    sum_blocks(made.row, support.data(), Unsupported::kCheck, &block);
    ASSERT_FALSE(std::isnan(block.sum));
    std::array<float, kBlockTokens> weights;
    weigh_block(made.row.data(), made.support.data(), size, block.max, weights);
    double sum = 0;
    for (size_t i = 0; i < size; ++i) {
      const double difference = double{made.row[i]} - double{block.max};
      const bool in = mask_bit(made.support, static_cast<TokenId>(i));
      const double exact = in && difference > -87 ? std::exp(difference) : 0;
      // The difference, and again its product with log2 e, are rounded to floats, which moves the
      // exponential by as much; the rest is the polynomial.
      const double rounding = exact > 0 ? 2e-7 + 1.4e-7 * std::abs(difference) : 0;
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

TEST_P(RowKernels, BadEntriesAreFoundWhereverTheyAre) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 2000; ++round) {
    const size_t size = 1 + rng() % 1500;
    RandomRow made = random_row(rng, size, round % 4 == 0 ? 0 : round % 4 == 1 ? 1 : 0.5);
    if (round % 3 == 0) std::fill(made.row.begin(), made.row.end(), -kInf);
    TokenRow row;
    ASSERT_TRUE(row.start(made.row, made.support).ok());
    const size_t at = rng() % size;
    made.row[at] = rng() % 2 == 0 ? std::nanf("") : kInf;
    if (rng() % 2 == 0) made.row[at] = std::copysign(std::nanf(""), -1.0F);
    ASSERT_EQ(row.start(made.row, made.support).code(), StatusCode::kInvalidArgument);
    ASSERT_TRUE(row.empty());
    const size_t first = at / kBlockTokens * kBlockTokens;
    for (size_t i = first; i < std::min(size, first + kBlockTokens); ++i) {
      clear_mask_bit(made.support, static_cast<TokenId>(i));
    }
    ASSERT_TRUE(row.start(made.row, made.support, Unsupported::kSkip).ok());
  }
}

TEST_P(RowKernels, BlocksAreScaledInDoublePrecision) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 200; ++round) {
    std::vector<BlockSum> sums(1 + rng() % 40);
    for (BlockSum& block : sums) {
      if (rng() % 8 == 0) continue;
      block.max = static_cast<float>(std::uniform_real_distribution<>(-2000, 0)(rng));
      if (rng() % 2 == 0) block.max /= 100;
      block.sum = std::uniform_real_distribution<>(1, 512)(rng);
    }
    const double reference = rng() % 2 == 0 ? 0 : 0.7;
    std::vector<double> masses(sums.size(), -1);
    scale_blocks(sums, reference, masses.data());
    for (size_t i = 0; i < sums.size(); ++i) {
      const double exact = sums[i].sum * std::exp(double{sums[i].max} - reference);
      ASSERT_NEAR(masses[i], exact, 1e-14 * exact + 1e-300) << i;
    }
  }
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
