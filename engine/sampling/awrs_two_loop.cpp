// Adaptive weighted rejection sampling, two-loop estimator.
//
// Loop 1 draws without replacement until a token x is allowed; n0 are refused, and S is the mass of
// the tokens that were not. Loop 2 draws from those, x among them, again taking out what it
// refuses, until one is allowed; n1 are refused. The weight is S / (n0 + n1 + 1).
//
// A bound on the refusals has no unbiased counterpart here, so there is none.
// Evaluations: 2 + sum over refused i of 1 - (Z / (Z + w_i))^2 on average.
//
// Reference: arXiv 2504.05410, definition 2 and proposition 3.

#include <cmath>

#include "engine/sampling/awrs.h"

namespace espalier {

WeightedToken awrs_two_loop(TokenRow* row, Evaluator* evaluator, Chance* chance) {
  TokenId first = -1;
  TokenId token = -1;
  double log_mass = 0;
  size_t rejects = 0;
  while (!row->empty()) {
    token = chance->draw(*row);
    const Evaluator::Answer answer = evaluator->test(token);
    if (answer == Evaluator::Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    if (answer == Evaluator::Answer::kNo) {
      row->exclude(token);
      ++rejects;
    } else if (first < 0) {
      first = token;
      log_mass = row->log_total();
    } else {
      return WeightedToken::accepted(first, log_mass - std::log(static_cast<double>(rejects + 1)));
    }
  }
  return WeightedToken::dead(token, token < 0 ? StepOutcome::kNoSupport : StepOutcome::kRejected);
}

}  // namespace espalier
