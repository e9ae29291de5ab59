#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampling/look_ahead.h"
#include "engine/sampling/prefix_tree.h"
#include "jsonschemabench/fidelity_worlds.h"

namespace espalier::testing {

/// The world and its truth, with the budget applied.
struct KnownWorld {
  explicit KnownWorld(World made) : world(std::move(made)) {
    auto found = enumerate(world);
    EXPECT_TRUE(found.ok()) << found.status().to_string();
    if (found.ok()) truth = std::move(found).value();
    limited = limit_tokens(world.potential, world.max_tokens);
  }

  PrefixTree tree(size_t max_bytes = size_t{1} << 20) const {
    return PrefixTree(limited, world.model.get(), {{}, 1, max_bytes});
  }

  World world;
  Truth truth;
  std::shared_ptr<const Potential> limited;
};

/// The first random world from `seed` on with enough valid texts and mass for statistics.
inline KnownWorld lively_world(uint64_t seed, const RandomWorldOptions& options = {}) {
  for (;; seed += 1'000'003) {
    KnownWorld known(random_world(seed, options));
    if (known.truth.z > 0.05 && known.truth.sequences.size() >= 4) return known;
  }
}

/// A world with dead prefixes that no mask sees before they are met, so that particles die: valid
/// texts are of odd length, and "bb" is refused.
inline KnownWorld deadly_world(uint64_t seed, const RandomWorldOptions& options) {
  const auto odd = [](std::string_view text) { return text.size() % 2 == 1; };
  const auto no_bb = [](std::string_view text) { return text.find("bb") == text.npos; };
  for (;; seed += 17) {
    KnownWorld known = lively_world(seed, options);
    known.limited = limit_tokens(
        conjunction({known.world.potential,
                     predicate_potential({no_bb, odd}, known.world.model->vocabulary())}),
        known.world.max_tokens);
    known.truth.z = 0;
    std::erase_if(known.truth.sequences, [&](const auto& item) {
      const std::string text = known.world.model->vocabulary()->decode(item.first);
      const bool refused = !odd(text) || !no_bb(text);
      if (!refused) known.truth.z += item.second;
      return refused;
    });
    if (known.truth.z > 0.02) return known;
  }
}

inline std::unique_ptr<LookAhead> look_ahead_of(const World& world) {
  LookAheadOptions options;
  options.max_tokens = world.max_tokens;
  auto look = LookAhead::build(world.potential, world.model.get(), options);
  EXPECT_TRUE(look.ok()) << look.status().to_string();
  return std::move(look).value();
}

/// |mean - wanted| of `count` values given by their sums is within `sigmas` standard errors.
inline void expect_mean(double sum, double squares, double count, double wanted, const char* what,
                        double sigmas = 5.5) {
  const double mean = sum / count;
  const double variance = std::max(squares / count - mean * mean, 0.0);
  const double error = std::sqrt(variance / count) + 1e-9 * wanted;
  EXPECT_NEAR(mean, wanted, sigmas * error) << what << " after " << count << " runs";
}

}  // namespace espalier::testing
