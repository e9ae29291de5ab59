#include "engine/sampling/trie_sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>

#include "engine_support.h"
#include "population_support.h"

namespace espalier {
namespace {

using testing::KnownWorld;

constexpr TrieMethod kMethods[] = {TrieMethod::kAsap, TrieMethod::kCars, TrieMethod::kMars,
                                   TrieMethod::kImportance};

BoundTrie filled_trie(PrefixTree* tree, int draws, uint64_t seed, size_t max_bytes = 1 << 20) {
  BoundTrie trie({{}, 1, "m", "c"}, max_bytes);
  TrieSampler sampler(tree, &trie);
  Random random(seed);
  for (int i = 0; i < draws; ++i) {
    EXPECT_TRUE(sampler.attempt(kMethods[i % 4], &random).ok());
  }
  return trie;
}

/// Walks a text through a trie by its definition: the probability of choosing it, of not being
/// refused at a new prefix, and the worst violation of B(u) = sum p B on the way.
struct Walk {
  double chosen = 1;
  double new_mass = 1;
  double violation = 0;
};

Walk walk(PrefixTree* tree, const BoundTrie& trie, const std::vector<TokenId>& tokens) {
  Walk result;
  PrefixTree::Node node = PrefixTree::kRoot;
  BoundTrie::Node place = BoundTrie::kRoot;
  for (size_t i = 0;; ++i) {
    const MaskedRow& row = **tree->masked(node);
    double sum = 0;
    double taken = 0;
    BoundTrie::Node below = BoundTrie::kNone;
    for (size_t k = 0; k < row.tokens().size(); ++k) {
      const TokenId token = row.tokens()[k];
      const bool end = tree->vocabulary().is_eos(token);
      const BoundTrie::Node child =
          place == BoundTrie::kNone || end ? BoundTrie::kNone : trie.find(place, token);
      const double term = row.probability(k) * (child == BoundTrie::kNone ? 1 : trie.bound(child));
      sum += term;
      if (i < tokens.size() ? token == tokens[i] : end) {
        taken = term;
        below = child;
      }
    }
    if (place != BoundTrie::kNone) {
      result.violation = std::max(result.violation, std::abs(sum - trie.bound(place)));
    }
    result.chosen *= taken / sum;
    if (i == tokens.size()) return result;
    node = *tree->child(node, tokens[i]);
    if (below == BoundTrie::kNone) result.new_mass *= (*tree->masked(node))->mass();
    place = below;
  }
}

TEST(TrieSampling, AnyTrieGivesTheModelsProbabilities) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 12; ++w) {
    KnownWorld known = testing::lively_world(seed + w);
    PrefixTree tree = known.tree();
    for (const int draws : {1, 3, 30, 300}) {
      const BoundTrie trie = filled_trie(&tree, draws, seed + w);
      double accepted = 0;
      for (const auto& [tokens, probability] : known.truth.sequences) {
        const Walk path = walk(&tree, trie, tokens);
        EXPECT_LT(path.violation, 1e-9);
        // What CARS and MARS accept in one attempt, and E[weight 1{x}] of importance sampling.
        const double law = path.chosen * path.new_mass;
        EXPECT_NEAR(law * trie.bound(BoundTrie::kRoot), probability, 1e-9 * probability + 1e-12);
        accepted += law;
      }
      EXPECT_GE(trie.bound(BoundTrie::kRoot), known.truth.z - 1e-9);
      EXPECT_NEAR(accepted, known.truth.z / trie.bound(BoundTrie::kRoot), 1e-9);
    }
  }
}

TEST(TrieSampling, DrawsFollowThatLaw) {
  const uint64_t seed = testing::test_seed();
  for (const TrieMethod method : {TrieMethod::kCars, TrieMethod::kMars}) {
    KnownWorld known = testing::lively_world(seed);
    PrefixTree tree = known.tree();
    BoundTrie trie = filled_trie(&tree, 20, seed);
    TrieSampler sampler(&tree, &trie);
    Random random(seed);
    std::map<std::vector<TokenId>, double> counts;
    constexpr int kRuns = 30'000;
    for (int i = 0; i < kRuns; ++i) {
      const auto draw = sampler.attempt_frozen(method, &random);
      ASSERT_TRUE(draw.ok());
      if (draw->accepted) ++counts[draw->tokens];
    }
    for (const auto& [tokens, count] : counts) ASSERT_TRUE(known.truth.sequences.count(tokens));
    for (const auto& [tokens, probability] : known.truth.sequences) {
      const double share = probability / trie.bound(BoundTrie::kRoot);
      EXPECT_NEAR(counts[tokens] / kRuns, share, 6 * std::sqrt(share / kRuns) + 6.0 / kRuns);
    }
  }
}

TEST(TrieSampling, ImportanceWeightsTimesLawAreTheModel) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 6; ++w) {
    KnownWorld known = testing::lively_world(seed + w);
    PrefixTree tree = known.tree();
    BoundTrie trie = filled_trie(&tree, 15, seed + w);
    TrieSampler sampler(&tree, &trie);
    Random random(seed + w);
    for (int i = 0; i < 200; ++i) {
      const auto draw = sampler.attempt_frozen(TrieMethod::kImportance, &random);
      ASSERT_TRUE(draw.ok() && draw->accepted);
      const double law = walk(&tree, trie, draw->tokens).chosen;
      const double probability = known.truth.sequences.at(draw->tokens);
      EXPECT_NEAR(std::exp(draw->log_weight) * law, probability, 1e-9 * probability + 1e-13);
    }
  }
}

TEST(TrieSampling, FirstSamplesOfFreshTriesAreExact) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed + 1);
  for (const TrieMethod method : {TrieMethod::kCars, TrieMethod::kMars}) {
    std::map<std::vector<TokenId>, double> counts;
    constexpr int kRuns = 4'000;
    PrefixTree tree = known.tree();
    for (int run = 0; run < kRuns; ++run) {
      BoundTrie trie({{}, 1, "m", "c"});
      TrieSampler sampler(&tree, &trie);
      Random random(seed + static_cast<uint64_t>(run));
      // The second sample: its trie was shaped by the first one.
      for (int sample = 0; sample < 2;) {
        const auto draw = sampler.attempt(method, &random);
        ASSERT_TRUE(draw.ok());
        if (!draw->accepted) continue;
        if (++sample == 2) ++counts[draw->tokens];
      }
    }
    for (const auto& [tokens, probability] : known.truth.sequences) {
      const double share = probability / known.truth.z;
      EXPECT_NEAR(counts[tokens] / kRuns, share, 6 * std::sqrt(share / kRuns) + 6.0 / kRuns);
    }
  }
}

TEST(TrieSampling, AcceptanceRisesAndAsapConverges) {
  KnownWorld known(binary_world(5, 0.6));
  ASSERT_EQ(known.truth.sequences.size(), 17u);
  PrefixTree tree = known.tree();
  BoundTrie trie({{}, 1, "m", "c"});
  TrieSampler sampler(&tree, &trie);
  Random random(testing::test_seed());
  double last = 1;
  for (int i = 0; i < 3'000; ++i) {
    ASSERT_TRUE(sampler.attempt(TrieMethod::kAsap, &random).ok());
    EXPECT_LE(trie.bound(BoundTrie::kRoot), last + 1e-12);
    last = trie.bound(BoundTrie::kRoot);
  }
  EXPECT_NEAR(last, known.truth.z, 1e-3 * known.truth.z);
}

TEST(BoundTrie, KeepsBoundsWithinATinyBudget) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed + 2);
  PrefixTree tree = known.tree();
  const BoundTrie trie = filled_trie(&tree, 500, seed, 1'200);
  EXPECT_LE(trie.memory_bytes(), 1'200u);
  for (const auto& [tokens, probability] : known.truth.sequences) {
    const Walk path = walk(&tree, trie, tokens);
    EXPECT_LT(path.violation, 1e-9);
    EXPECT_NEAR(path.chosen * path.new_mass * trie.bound(BoundTrie::kRoot), probability,
                1e-9 * probability + 1e-12);
  }
}

TEST(BoundTrie, IsSavedAndLoaded) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known(binary_world(5, 0.6));
  PrefixTree tree = known.tree();
  const BoundTrie trie = filled_trie(&tree, 40, seed);
  ASSERT_GT(trie.size(), 3u);
  const std::string path = ::testing::TempDir() + "bounds.trie";
  ASSERT_TRUE(trie.save(path).ok());
  const auto loaded = BoundTrie::load(path, trie.key());
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  EXPECT_EQ(loaded->to_bytes(), trie.to_bytes());
  for (const auto& [tokens, probability] : known.truth.sequences) {
    const Walk before = walk(&tree, trie, tokens);
    const Walk after = walk(&tree, *loaded, tokens);
    EXPECT_DOUBLE_EQ(before.chosen, after.chosen);
    EXPECT_LT(after.violation, 1e-9);
  }
  // A smaller budget keeps what fits, and the sums stay right.
  const auto smaller = BoundTrie::from_bytes(trie.to_bytes(), trie.key(), 700);
  ASSERT_TRUE(smaller.ok());
  for (const auto& [tokens, probability] : known.truth.sequences) {
    EXPECT_LT(walk(&tree, *smaller, tokens).violation, 1e-9);
  }
}

TEST(BoundTrie, RefusesWhatIsNotItsFile) {
  const uint64_t seed = testing::test_seed();
  KnownWorld known = testing::lively_world(seed + 4);
  PrefixTree tree = known.tree();
  const BoundTrie trie = filled_trie(&tree, 20, seed);
  BoundTrieKey other = trie.key();
  other.temperature = 0.5;
  EXPECT_EQ(BoundTrie::from_bytes(trie.to_bytes(), other).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(BoundTrie::load("/nowhere/at/all", trie.key()).status().code(), StatusCode::kIoError);
  const std::string bytes = trie.to_bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(BoundTrie::from_bytes(bytes.substr(0, size), trie.key()).status().code(),
              StatusCode::kParseError);
  }
  Random random(seed);
  for (int i = 0; i < 2'000; ++i) {  // whatever it holds, it is read or refused
    std::string broken = bytes;
    broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    static_cast<void>(BoundTrie::from_bytes(broken, trie.key()).ok());
  }
}

}  // namespace
}  // namespace espalier
