// Weighted rejection sampling: with replacement, and simulated without asking twice.
//
// Independent draws from the whole row, until `max_accepts` were allowed or `max_rejects` refused;
// A and B count them. The token is the first allowed one. Its weight is the total mass times the
// share of the sequences with these counts that begin with an allowed draw,
//
//   min(max_accepts - 1, A) / (A + B - 1)
//
// (Rao and Blackwell: the first draw is allowed with probability Z, and the counts are a sufficient
// statistic; which token the first allowed draw was does not depend on them.)
//
// The geometric sampler has the same law. Once a share r of the mass is known to be refused, the
// number of draws that hit it before one that does not is geometric: k with probability
// r^k (1 - r). It is drawn at once and added to B, and only the draw that follows is tested. The
// mass that is left is summed, not subtracted, so r close to 1 loses nothing.
//
// With replacement, a step in which nothing is allowed would never end, and one of tiny Z not in a
// lifetime. So after kPatience refusals the rest of it is simulated: the law is the same.
//
// Evaluations with k = max_accepts and no bound on refusals: k / Z with replacement (while that is
// far below kPatience), and k + sum over refused i of 1 - (Z / (Z + w_i))^k in the geometric form.
//
// Reference: arXiv 2504.05410, definition 1; genlm-control's geometric sampler.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/sampling/awrs.h"

namespace espalier {
namespace {

constexpr size_t kPatience = 1000;

/// `bound` as a number to compare counts with.
double as_count(size_t bound) {
  return bound == kUnlimited ? std::numeric_limits<double>::infinity() : static_cast<double>(bound);
}

enum class Repeats : uint8_t { kTested, kSimulated };

WeightedToken sample(TokenRow* row, Evaluator* evaluator, Chance* chance, const AwrsBounds& bounds,
                     Repeats repeats) {
  const double max_accepts = as_count(bounds.max_accepts);
  const double max_rejects = as_count(bounds.max_rejects);
  const double log_mass = row->log_total();
  TokenId first = -1;
  TokenId token = -1;
  double accepts = 0;
  double rejects = 0;
  std::vector<TokenId> refused;  // while they stay in the row
  while (!row->empty() && accepts < max_accepts && rejects < max_rejects) {
    if (rejects > 0 && repeats == Repeats::kSimulated) {
      rejects += chance->repeats(row->log_total() - log_mass);
      if (rejects >= max_rejects) {
        rejects = max_rejects;
        break;
      }
    }
    token = chance->draw(*row);
    const Evaluator::Answer answer = evaluator->test(token);
    if (answer == Evaluator::Answer::kStop) return WeightedToken::dead(token, evaluator->outcome());
    if (answer == Evaluator::Answer::kYes) {
      if (first < 0) first = token;
      ++accepts;
    } else {
      ++rejects;
      refused.push_back(token);
      if (repeats == Repeats::kTested && refused.size() == kPatience) repeats = Repeats::kSimulated;
      if (repeats == Repeats::kSimulated) {
        for (const TokenId known : refused) row->exclude(known);
        refused.clear();
      }
    }
  }
  if (first < 0) {
    return WeightedToken::dead(token, token < 0 ? StepOutcome::kNoSupport : StepOutcome::kRejected);
  }
  const double share = std::min(max_accepts - 1, accepts) / (accepts + rejects - 1);
  return WeightedToken::accepted(first, log_mass + std::log(share));
}

}  // namespace

WeightedToken awrs_geometric(TokenRow* row, Evaluator* evaluator, Chance* chance,
                             const AwrsBounds& bounds) {
  return sample(row, evaluator, chance, bounds, Repeats::kSimulated);
}

WeightedToken awrs_with_replacement(TokenRow* row, Evaluator* evaluator, Chance* chance,
                                    const AwrsBounds& bounds) {
  return sample(row, evaluator, chance, bounds, Repeats::kTested);
}

}  // namespace espalier
