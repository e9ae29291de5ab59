// Which method for which situation.
//
//   what is known                         choice
//   full masks, many samples              MARS: exact draws, and the trie makes them cheap
//   full masks, little mass               SMC with the look-ahead twist
//   full masks, most of the mass          SMC of few particles: weights hardly differ
//   partial or no masks                   SMC over three-valued or AWRS steps
//
// "Little mass" is what the first mask leaves; it is a sign, not a proof, so the report says it.

#include <algorithm>

#include "espalier/population.h"

namespace espalier {
namespace {

/// More samples than this share enough prefixes to be worth a trie.
constexpr size_t kManySamples = 8;
constexpr double kLogLittleMass = -1.6;  // a fifth
constexpr size_t kFewParticles = 5;

}  // namespace

PopulationChoice choose_population(const PopulationFacts& facts, const PopulationOptions& options) {
  if (facts.knowledge == Knowledge::kFull) {
    if (facts.samples >= kManySamples) {
      return {
          PopulationMethod::kMars, Twist::kNone, 1,
          "mars: masks are known and " + std::to_string(facts.samples) + " samples share a trie"};
    }
    if (facts.log_mass < kLogLittleMass) {
      return {PopulationMethod::kSmc, Twist::kLookAhead, std::max(options.particles, kFewParticles),
              "smc with look-ahead: masks are known and leave little of the first token's "
              "probability"};
    }
    return {PopulationMethod::kSmc, options.twist, std::min(options.particles, kFewParticles),
            "smc: masks are known, so each step's mass is exact"};
  }
  if (facts.knowledge == Knowledge::kPartial) {
    return {PopulationMethod::kSmc, options.twist, options.particles,
            "smc over three-valued steps: masks are partly known"};
  }
  return {PopulationMethod::kSmc, Twist::kNone, options.particles,
          "smc over AWRS steps: there are no masks"};
}

}  // namespace espalier
