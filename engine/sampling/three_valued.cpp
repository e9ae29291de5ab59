// The three-valued step.
//
// A three-valued mask names the tokens that are surely allowed (mass S), those surely refused, and
// the unknown. An adaptive step on the unknown alone gives a token y with weight W'; then
//
//   weight = S + W',   token = i of the known with probability w_i / (S + W'), else y
//
// which is properly weighted: (S + W') w_i / (S + W') = w_i for the known, and W' for y. The
// variance is that of the unknown part alone; with none of it the weight is S, exactly.

#include "engine/sampling/awrs.h"

namespace espalier {

WeightedToken draw_three_valued(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                                Chance* chance, const AwrsBounds& bounds) {
  const WeightedToken other = awrs_recursive(unknown, evaluator, chance, bounds);
  const bool stopped =
      other.outcome == StepOutcome::kBudget || other.outcome == StepOutcome::kFailed;
  if (known->empty() || stopped) return other;
  const double log_mass = known->log_total();
  const double log_weight = log_add(log_mass, other.log_weight);
  if (other.outcome != StepOutcome::kAccepted || chance->coin(log_mass - log_weight)) {
    return WeightedToken::accepted(chance->draw(*known), log_weight);
  }
  return WeightedToken::accepted(other.token, log_weight);
}

}  // namespace espalier
