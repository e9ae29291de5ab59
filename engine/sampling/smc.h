#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/sampling/look_ahead.h"
#include "engine/sampling/prefix_tree.h"
#include "engine/sampling/resampling.h"
#include "espalier/population.h"
#include "espalier/step_sampler.h"

namespace espalier {

struct SmcOptions {
  size_t particles = 10;
  /// Resample when the effective sample size falls below this share of the particles; 0: never.
  double ess_threshold = 0.5;
  Resampling resampling = Resampling::kStratified;
  StepOptions step;
  Critic critic;
  /// With it, tokens are proposed by p h^temper and prefixes twisted by h^temper.
  const LookAhead* look_ahead = nullptr;
  double temper = 0.5;
  uint64_t seed = 0;
  /// Makes all choices, where tests walk through them; null: a random stream for each.
  Chance* chance = nullptr;
  /// A particle that has not ended after so many tokens is dead.
  size_t max_tokens = 256;
};

struct Particle {
  std::vector<TokenId> tokens;  ///< without the end of sequence
  double log_weight = 0;
  bool ended = false;  ///< with an end of sequence; else dead
};

struct SmcResult {
  std::vector<Particle> particles;
  double log_z = 0;                 ///< log of the mean weight
  std::vector<double> ess_history;  ///< after each step, before resampling
  size_t resamplings = 0;
  Status first_failure;  ///< why the first particle died of an error, or ok
};

/// One population from the root of `tree`. E[exp(log_z)] = Z, and E[mean of weight f(particle)] =
/// sum P(x) 1[x valid] f(x), for any number of particles, scheme, threshold, critic and look-ahead.
/// A status only when the model fails; particles die alone.
Result<SmcResult> run_smc(PrefixTree* tree, const SmcOptions& options);

}  // namespace espalier
