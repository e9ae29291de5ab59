// Draws from the allowed tokens themselves: local masking and the exact normalizer.
//
// Where the mask is full both are one draw from the tokens it allows; they differ in the weight,
// which is 1 for local masking (so what the mask took away is forgotten) and Z for the other. Where
// some tokens are unknown, local masking draws without replacement until one is allowed, which
// gives the same law; the normalizer has to test every unknown token.

#include "engine/sampling/awrs.h"

namespace espalier {
namespace {

using Answer = Evaluator::Answer;

/// Is the next draw from both rows one from the first?
bool from_first(const TokenRow& first, const TokenRow& second, Chance* chance) {
  if (first.empty() || second.empty()) return second.empty();
  return chance->coin(first.log_total() - log_add(first.log_total(), second.log_total()));
}

}  // namespace

WeightedToken draw_locally(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                           Chance* chance) {
  TokenId token = -1;
  while (!known->empty() || !unknown->empty()) {
    if (from_first(*known, *unknown, chance)) {
      return WeightedToken::accepted(chance->draw(*known), 0);
    }
    token = chance->draw(*unknown);
    const Answer answer = evaluator->test(token);
    if (answer == Answer::kYes) return WeightedToken::accepted(token, 0);
    if (answer == Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    unknown->exclude(token);
  }
  return WeightedToken::dead(token, token < 0 ? StepOutcome::kNoSupport : StepOutcome::kRejected);
}

WeightedToken draw_normalized(TokenRow* known, TokenRow* unknown, Evaluator* evaluator,
                              Chance* chance) {
  TokenId refused = -1;
  for (const TokenId token : unknown->tokens()) {
    const Answer answer = evaluator->test(token);
    if (answer == Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    if (answer == Answer::kYes) continue;
    unknown->exclude(token);
    refused = token;
  }
  if (known->empty() && unknown->empty()) {
    return WeightedToken::dead(refused,
                               refused < 0 ? StepOutcome::kNoSupport : StepOutcome::kRejected);
  }
  const double log_mass = log_add(known->log_total(), unknown->log_total());
  const TokenRow& row = from_first(*known, *unknown, chance) ? *known : *unknown;
  return WeightedToken::accepted(chance->draw(row), log_mass);
}

}  // namespace espalier
