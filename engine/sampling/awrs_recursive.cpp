// Adaptive weighted rejection sampling, recursive estimator.
//
// Tokens are drawn without replacement until one, x, is allowed; then one more, y, is drawn from
// the rest and tested. With S the mass of the tokens not refused before x (x included),
//
//   weight = S          if y is allowed, or nothing is left to draw
//            w_x        if y is not
//
// Why: for any x, Z = q_x c_x + (1 - q_x) Z', with q_x = w_x / S and Z' the normalizer of the rest;
// whether y is allowed estimates Z' without bias. A refusal multiplies by 1 - q, and the product of
// these is the share of the mass that is left: no product has to be kept. The weight has mean Z
// given the refused tokens and x, whatever they were, which is more than being unbiased; with one
// allowed token it has no variance.
//
//   weights .4 .3 .2 .1, allowed 2nd and 4th: drawn 1st (no), 4th (yes), 3rd (no): weight .1
//
// Evaluations: 2 + sum over refused i of w_i / (w_i + Z) on average. With max_rejects = r, an
// accepted token after r - 1 refusals has weight S, and the r-th refusal ends with weight 0.
//
// Reference: "Fast Controlled Generation from Language Models with Adaptive Weighted Rejection
// Sampling", arXiv 2504.05410; the estimator is that of genlm-control.

#include "engine/sampling/awrs.h"

namespace espalier {

WeightedToken awrs_recursive(TokenRow* row, Evaluator* evaluator, Chance* chance,
                             const AwrsBounds& bounds) {
  size_t rejects = 0;
  TokenId token = -1;
  while (!row->empty() && rejects < bounds.max_rejects) {
    token = chance->draw(*row);
    const Evaluator::Answer answer = evaluator->test(token);
    if (answer == Evaluator::Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    const double log_mass = row->log_total();
    const double log_weight = row->log_weight(token);
    row->exclude(token);
    if (answer == Evaluator::Answer::kNo) {
      ++rejects;
      continue;
    }
    if (row->empty() || rejects + 1 == bounds.max_rejects) {
      return WeightedToken::accepted(token, log_mass);
    }
    const Evaluator::Answer next = evaluator->test(chance->draw(*row));
    if (next == Evaluator::Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    return WeightedToken::accepted(token, next == Evaluator::Answer::kYes ? log_mass : log_weight);
  }
  return WeightedToken::dead(token, token < 0 ? StepOutcome::kNoSupport : StepOutcome::kRejected);
}

}  // namespace espalier
