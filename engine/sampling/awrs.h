#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/sampling/chance.h"
#include "engine/sampling/evaluator.h"
#include "engine/sampling/token_row.h"
#include "espalier/step_sampler.h"

namespace espalier {

/// A properly weighted token: E[exp(log_weight) 1{token = i}] = w_i c_i, w the row's weights.
struct WeightedToken {
  TokenId token = -1;
  double log_weight = -std::numeric_limits<double>::infinity();
  StepOutcome outcome = StepOutcome::kNoSupport;

  static WeightedToken accepted(TokenId token, double log_weight) {
    return {token, log_weight, StepOutcome::kAccepted};
  }
  static WeightedToken dead(TokenId token, StepOutcome outcome) {
    return {token, -std::numeric_limits<double>::infinity(), outcome};
  }
};

/// log(exp(a) + exp(b)).
inline double log_add(double a, double b) {
  const double high = std::max(a, b);
  if (std::isinf(high)) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

/// When an adaptive step ends; see StepOptions.
struct AwrsBounds {
  size_t max_accepts = 2;
  size_t max_rejects = kUnlimited;
};

// Adaptive weighted rejection sampling: each changes `row` by exclusions.
WeightedToken awrs_recursive(TokenRow* row, Evaluator* evaluator, Chance* chance,
                             const AwrsBounds& bounds);
WeightedToken awrs_two_loop(TokenRow* row, Evaluator* evaluator, Chance* chance);
WeightedToken awrs_geometric(TokenRow* row, Evaluator* evaluator, Chance* chance,
                             const AwrsBounds& bounds);
/// Plain weighted rejection sampling; many refusals on end are cut short, see awrs_geometric.cpp.
WeightedToken awrs_with_replacement(TokenRow* row, Evaluator* evaluator, Chance* chance,
                                    const AwrsBounds& bounds);

// From the allowed tokens, all of `known` and some of `unknown`: see exact_step.cpp.
/// Weight 1.
WeightedToken draw_locally(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                           Chance* chance);
/// Weight Z; tests every unknown token.
WeightedToken draw_normalized(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                              Chance* chance);

/// Exact on `known` (all allowed), adaptive on `unknown`: see three_valued.cpp.
WeightedToken draw_three_valued(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                                Chance* chance, const AwrsBounds& bounds);

}  // namespace espalier
