#include "engine/sampling/look_ahead.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine_support.h"
#include "population_support.h"

namespace espalier {
namespace {

using testing::KnownWorld;

LookAheadOptions exact_options(const World& world) {
  LookAheadOptions options;
  options.order = world.model_order;
  options.max_tokens = world.max_tokens;
  options.smoothing = 0;
  return options;
}

TEST(LookAhead, OfTheModelItselfIsTheTruth) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 20; ++w) {
    KnownWorld known(random_world(seed + w));
    const auto look = LookAhead::build(known.world.potential, known.world.model.get(),
                                       exact_options(known.world));
    ASSERT_TRUE(look.ok()) << look.status().to_string();
    // Every budget, from every prefix of a valid text.
    for (size_t budget = 0; budget <= known.world.max_tokens; ++budget) {
      std::map<std::vector<TokenId>, double> after;
      for (const auto& [tokens, probability] : known.truth.sequences) {
        if (tokens.size() > budget) continue;
        for (size_t i = 0; i <= tokens.size(); ++i) {
          after[{tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(i)}] += probability;
        }
      }
      PrefixTree tree = known.tree();
      for (const auto& [prefix, mass] : after) {
        LookAhead::Node place = LookAhead::kRoot;
        PrefixTree::Node node = PrefixTree::kRoot;
        double log_prefix = 0;
        for (const TokenId token : prefix) {
          ASSERT_TRUE(tree.fetch(std::span(&node, 1)).ok());
          log_prefix += tree.row(node)[static_cast<size_t>(token)];
          node = *tree.child(node, token);
          place = (*look)->next(place, token);
        }
        EXPECT_NEAR(log_prefix + (*look)->log_h(place, budget - prefix.size()), std::log(mass),
                    1e-9);
      }
      EXPECT_EQ(std::isinf((*look)->log_h(LookAhead::kRoot, budget)), after.empty());
    }
  }
}

TEST(LookAhead, SmoothedKnowsExactlyWhatFits) {
  const uint64_t seed = testing::test_seed();
  for (uint64_t w = 0; w < 10; ++w) {
    KnownWorld known(random_world(seed + w, {.letters = 3, .states = 6, .edges = 0.4}));
    for (const size_t order : {0, 1}) {
      LookAheadOptions options;
      options.order = order;
      options.max_tokens = known.world.max_tokens;
      const auto look = LookAhead::build(known.world.potential, known.world.model.get(), options);
      ASSERT_TRUE(look.ok());
      std::function<void(PotentialCursor, LookAhead::Node, size_t)> visit =
          [&](PotentialCursor cursor, LookAhead::Node place, size_t left) {
            for (size_t budget = 0; budget <= left; ++budget) {
              EXPECT_EQ(cursor.completes_within(-1, budget),
                        !std::isinf((*look)->log_h(place, budget)));
            }
            if (left == 0) return;
            for (TokenId token = 0; token < 3; ++token) {
              PotentialCursor next = cursor;
              const bool allowed = next.accept(token).ok();
              EXPECT_EQ(allowed, (*look)->next(place, token) != LookAhead::kNone);
              if (allowed) visit(next, (*look)->next(place, token), left - 1);
            }
          };
      visit(PotentialCursor(known.world.potential), LookAhead::kRoot, known.world.max_tokens);
    }
  }
}

TEST(LookAhead, ReportsWhatItCannotDo) {
  uint64_t seed = testing::test_seed();
  while (KnownWorld(random_world(seed)).truth.sequences.size() < 2) ++seed;
  KnownWorld known(random_world(seed));
  LookAheadOptions options = exact_options(known.world);
  options.max_nodes = 1;
  EXPECT_EQ(
      LookAhead::build(known.world.potential, known.world.model.get(), options).status().code(),
      StatusCode::kBudgetExceeded);
  options = exact_options(known.world);
  options.max_edges = 1;
  EXPECT_EQ(
      LookAhead::build(known.world.potential, known.world.model.get(), options).status().code(),
      StatusCode::kBudgetExceeded);
  const auto nameless = predicate_potential({[](std::string_view) { return true; }, {}},
                                            known.world.model->vocabulary());
  options = exact_options(known.world);
  EXPECT_EQ(LookAhead::build(nameless, known.world.model.get(), options).status().code(),
            StatusCode::kUnsupported);
}

}  // namespace
}  // namespace espalier
