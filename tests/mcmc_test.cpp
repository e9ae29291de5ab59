#include "engine/sampling/mcmc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine_support.h"
#include "population_support.h"

namespace espalier {
namespace {

using testing::KnownWorld;

/// The text as a chain sees it, made by following its tokens.
ChainText follow(PrefixTree* tree, const std::vector<TokenId>& tokens) {
  ChainText text;
  text.tokens = tokens;
  PrefixTree::Node node = PrefixTree::kRoot;
  for (size_t i = 0; i <= tokens.size(); ++i) {
    const MaskedRow& row = **tree->masked(node);
    const TokenId token = i < tokens.size() ? tokens[i] : tree->vocabulary().eos_ids()[0];
    text.log_local.push_back(std::log(row.probability(*row.find(token)) / row.mass()));
    text.log_mass.push_back(std::log(row.mass()));
    double entropy = 0;
    for (size_t k = 0; k < row.tokens().size(); ++k) {
      const double p = row.probability(k) / row.mass();
      entropy -= p * std::log(p);
    }
    text.entropy.push_back(entropy);
    if (i < tokens.size()) node = *tree->child(node, token);
  }
  text.complete = true;
  return text;
}

class McmcTest : public ::testing::TestWithParam<McmcProposal> {};
INSTANTIATE_TEST_SUITE_P(Proposals, McmcTest,
                         ::testing::Values(McmcProposal::kUniform, McmcProposal::kPriority),
                         [](const auto& test) { return std::string(to_string(test.param)); });

/// The proposal's law, its kernel and where the kernel leads, all written out.
TEST_P(McmcTest, ProposalsAreALawAndTheKernelBalances) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 6; ++w) {
    KnownWorld known =
        testing::lively_world(seed + w, {.letters = 2, .states = 4, .max_tokens = 4});
    PrefixTree tree = known.tree();
    std::vector<ChainText> texts;
    std::vector<double> target;
    for (const auto& [tokens, probability] : known.truth.sequences) {
      texts.push_back(follow(&tree, tokens));
      target.push_back(probability / known.truth.z);
      EXPECT_NEAR(texts.back().log_probability(), std::log(probability), 1e-6);
    }
    const size_t count = texts.size();
    std::vector<std::vector<double>> kernel(count, std::vector<double>(count, 0));
    for (size_t x = 0; x < count; ++x) {
      double sum = 0;
      double moved = 0;
      for (size_t y = 0; y < count; ++y) {
        const double q = std::exp(log_cut_proposal(GetParam(), texts[x], texts[y]));
        const double back = std::exp(log_cut_proposal(GetParam(), texts[y], texts[x]));
        sum += q;
        if (y == x) continue;
        kernel[x][y] = q * std::min(1.0, target[y] * back / (target[x] * q));
        moved += kernel[x][y];
      }
      EXPECT_NEAR(sum, 1, 1e-9);  // no dead ends here: every proposal is a text
      kernel[x][x] = 1 - moved;
    }
    for (size_t x = 0; x < count; ++x) {
      for (size_t y = 0; y < count; ++y) {
        EXPECT_NEAR(target[x] * kernel[x][y], target[y] * kernel[y][x], 1e-12);
      }
    }
    // Chains after two steps follow local draws pushed through the kernel twice.
    std::vector<double> law(count, 0);
    for (size_t x = 0; x < count; ++x) {
      double log_local = 0;
      for (const double value : texts[x].log_local) log_local += value;
      law[x] = std::exp(log_local);
    }
    for (int step = 0; step < 2; ++step) {
      std::vector<double> next(count, 0);
      for (size_t x = 0; x < count; ++x) {
        for (size_t y = 0; y < count; ++y) next[y] += law[x] * kernel[x][y];
      }
      law = next;
    }
    std::map<std::vector<TokenId>, double> counts;
    constexpr int kChains = 4'000;
    for (uint64_t chain = 0; chain < kChains; ++chain) {
      McmcOptions options;
      options.proposal = GetParam();
      options.steps = 2;
      options.seed = seed + w;
      options.chain = chain;
      const auto end = run_mcmc(&tree, options);
      ASSERT_TRUE(end.ok() && end->alive);
      ++counts[end->tokens];
    }
    for (size_t x = 0; x < count; ++x) {
      EXPECT_NEAR(counts[texts[x].tokens] / kChains, law[x],
                  6 * std::sqrt(law[x] / kChains) + 6.0 / kChains);
    }
  }
}

TEST(Mcmc, RestartsConverge) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed, {.letters = 2, .states = 4, .max_tokens = 4});
  PrefixTree tree = known.tree();
  std::map<std::vector<TokenId>, double> counts;
  constexpr int kChains = 3'000;
  for (uint64_t chain = 0; chain < kChains; ++chain) {
    McmcOptions options;
    options.steps = 40;
    options.seed = seed;
    options.chain = chain;
    const auto end = run_mcmc(&tree, options);
    ASSERT_TRUE(end.ok() && end->alive);
    ++counts[end->tokens];
  }
  double distance = 0;
  for (const auto& [tokens, probability] : known.truth.sequences) {
    distance += std::abs(counts[tokens] / kChains - probability / known.truth.z) / 2;
  }
  EXPECT_LT(distance, 0.08);
}

TEST(Mcmc, ReportsWhenNothingIsAlive) {
  KnownWorld known = testing::lively_world(testing::test_seed());
  const auto nothing = predicate_potential(
      {[](std::string_view) { return false; }, [](std::string_view) { return false; }},
      known.world.model->vocabulary());
  PrefixTree tree(limit_tokens(nothing, 4), known.world.model.get());
  McmcOptions options;
  options.max_starts = 3;
  for (const auto proposal :
       {McmcProposal::kUniform, McmcProposal::kPriority, McmcProposal::kRestart}) {
    options.proposal = proposal;
    const auto end = run_mcmc(&tree, options);
    ASSERT_TRUE(end.ok());
    EXPECT_FALSE(end->alive);
  }
}

}  // namespace
}  // namespace espalier
