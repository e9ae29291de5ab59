// Patterns that tell code points above U+007F apart, one by one.
//
// The idea: a class such as [A-Za-z\u00AA\u00B5\u00C0-\u00D6] takes parts of many blocks, so that
// no letter above U+007F is inside its region (content_regions.h), and all tokens with one would be
// walked. Mostly, though, every state that texts lead to refuses the same code points: then these
// kill wherever they stand, all others nowhere.
//
// Example: from ^[a-z\u00E0-\u00F6]+$ two states are reached, and both refuse what is above U+007F
// but for [\u00E0-\u00F6].
//
// Cost: the ranges of each of the states, of which there may be few.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/rows/content_products.h"
#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

/// The code points above U+007F that kill in all products to which texts of such and of a region's
/// letters lead from the region's product, where they are the same in all and everything the region
/// says of its letters holds there, too; nullopt where that is not so. Not for leaves that remember
/// what they have read.
inline std::optional<std::vector<CodepointRange>> deadly_above_ascii(ContentProducts* products,
                                                                     uint32_t product,
                                                                     const ContentRegion& region) {
  constexpr size_t kFewProducts = 6;
  const bool anywhere = region.depth == ContentRegion::kAnyDepth && region.words.empty();
  if (!anywhere || !(Letters::high() - region.inside - region.fatal).any()) return std::nullopt;
  std::vector<uint32_t> met{product};
  const auto meet = [&](uint32_t next) {
    if (std::find(met.begin(), met.end(), next) == met.end()) met.push_back(next);
  };
  std::optional<std::vector<CodepointRange>> deadly;
  for (size_t i = 0; i < met.size() && met.size() <= kFewProducts; ++i) {
    const LetterSteps& steps = products->letter_steps(met[i]);
    Letters alive;
    for (const LetterSteps::Step& step : steps.steps) {
      alive = alive | step.letters;
      if (step.letters.meets(region.inside)) meet(step.next);
    }
    if (!region.inside.within(alive) || !region.fatal.within(steps.dead)) return std::nullopt;
    std::vector<CodepointRange> dead;
    uint32_t first = 0;
    products->for_each_step(met[i], [&](uint32_t last, uint32_t next) {
      const uint32_t lo = std::max(first, 0x80u);
      first = last + 1;
      if (last < lo) return;
      if (next != ContentProducts::kDead) {
        meet(next);
      } else if (!dead.empty() && dead.back().hi + 1 == lo) {
        dead.back().hi = last;
      } else {
        dead.push_back({lo, last});
      }
    });
    if (deadly && *deadly != dead) return std::nullopt;
    deadly = std::move(dead);
  }
  return met.size() <= kFewProducts ? deadly : std::nullopt;
}

}  // namespace espalier
