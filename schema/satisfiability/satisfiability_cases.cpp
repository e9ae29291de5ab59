// Splitting a formula into cases until only literals are left.
//
// The idea: literals that a conjunction contains hold in all of it, so they are substituted in the
// rest until nothing changes (unit propagation). What stays open is split: the part with fewest
// alternatives first, its easiest alternative first, as the first case with a witness is mostly
// enough. A question that takes long checks the literals before it splits what is left, as a case
// that is lost by its literals is lost however it is split.
//
// Example: a and (not a or b or c) becomes a and (b or c); its cases are {a, b} and {a, c}.
//
// Invariant: a conjunction of literals is checked as it stands; the cases together are the formula.
// Cost: exponential in the open parts at worst, bounded by the budget of cases; beyond it the
// answer is kUnknownCost. Reference: Davis, Logemann and Loveland, "A Machine Program for
// Theorem-Proving" (1962).
#include <algorithm>

#include "schema/satisfiability/satisfiability.h"

namespace espalier {
namespace {

constexpr int kEnough = 8;     // alternatives of one split that are costed once one is found
constexpr size_t kPairs = 12;  // parts up to which "at least two of these" is split into pairs

}  // namespace

// Takes the literals out of a conjunction and substitutes them in the rest until nothing changes.
FormulaId Satisfiability::propagate(FormulaId f, Literals* literals, std::vector<FormulaId>* open) {
  using Op = FormulaPool::Op;
  for (;;) {
    if (f == FormulaPool::kFalse || f == FormulaPool::kTrue) return f;
    literals->positive.clear();
    literals->negative.clear();
    open->clear();
    const std::vector<FormulaId> parts =
        pool_->op(f) == Op::kAnd ? pool_->parts(f) : std::vector{f};
    for (const FormulaId part : parts) {
      if (pool_->op(part) == Op::kAtom) {
        literals->positive.push_back(part);
      } else if (pool_->op(part) == Op::kNot && pool_->op(pool_->parts(part)[0]) == Op::kAtom) {
        literals->negative.push_back(pool_->parts(part)[0]);
      } else {
        open->push_back(part);
      }
    }
    const bool parted = has_parts(*literals);
    if (!parted && (open->empty() || (literals->positive.empty() && literals->negative.empty())))
      return f;
    const auto decided = [&](FormulaId atom) {
      if (parted && !pool_->parts(atom).empty()) return parted_truth(*literals, atom);
      if (std::binary_search(literals->positive.begin(), literals->positive.end(), atom))
        return FormulaPool::kTrue;
      if (std::find(literals->negative.begin(), literals->negative.end(), atom) !=
          literals->negative.end()) {
        return FormulaPool::kFalse;
      }
      return atom;
    };
    std::vector<FormulaId> all = {pool_->substitute(pool_->conjunction(*open), decided)};
    if (parted) {
      for (auto* side : {&literals->positive, &literals->negative}) {
        std::vector<FormulaId> fresh;
        for (const FormulaId atom : *side) fresh.push_back(pool_->substitute_parts(atom, decided));
        *side = std::move(fresh);
      }
    }
    all.insert(all.end(), literals->positive.begin(), literals->positive.end());
    for (const FormulaId atom : literals->negative) all.push_back(pool_->negate(atom));
    const FormulaId next = pool_->conjunction(std::move(all));
    if (next == f) return f;
    f = next;
  }
}

std::vector<FormulaId> Satisfiability::alternatives(FormulaId open) {
  using Op = FormulaPool::Op;
  std::vector<FormulaId> out;
  const std::vector<FormulaId> parts = pool_->parts(open);
  if (pool_->op(open) == Op::kOr) return parts;
  if (pool_->op(open) == Op::kExactlyOne) {
    for (const FormulaId chosen : parts) {
      std::vector<FormulaId> all{chosen};
      for (const FormulaId other : parts) {
        if (other != chosen) all.push_back(pool_->negate(other));
      }
      out.push_back(pool_->conjunction(std::move(all)));
    }
    return out;
  }
  // A negation: of a conjunction, a disjunction or exactly-one.
  const std::vector<FormulaId> inner = pool_->parts(parts[0]);
  if (pool_->op(parts[0]) == Op::kAnd) {
    for (const FormulaId part : inner) out.push_back(pool_->negate(part));
    return out;
  }
  std::vector<FormulaId> none;
  for (const FormulaId part : inner) none.push_back(pool_->negate(part));
  out.push_back(pool_->conjunction(std::move(none)));
  if (pool_->op(parts[0]) == Op::kExactlyOne) {
    for (size_t i = 0; i < std::min(inner.size(), kPairs); ++i) {
      for (size_t j = i + 1; j < inner.size(); ++j)
        out.push_back(pool_->conjunction({inner[i], inner[j]}));
    }
  }
  return out;
}

Cost Satisfiability::solve(FormulaId f, const Check& check, int depth, Cases* cases) {
  Literals literals;
  std::vector<FormulaId> open;
  f = propagate(f, &literals, &open);
  if (f == FormulaPool::kFalse) return kNever;
  FormulaId undecided = FormulaPool::kFalse;
  if (f == FormulaPool::kTrue || open.empty()) {
    const Cost cost = check(literals);
    if (cost != kNever || (undecided = undecided_part(literals)) == FormulaPool::kFalse)
      return cost;
  }
  if (--cases->left < 0) return kUnknownCost;
  // Literals that cannot hold together rule out all cases that have them.
  if (!open.empty() && --cases->unchecked < 0 && check(literals) == kNever) return kNever;
  const auto fewest = std::min_element(open.begin(), open.end(), [&](FormulaId a, FormulaId b) {
    return pool_->parts(a).size() < pool_->parts(b).size();
  });
  std::vector<FormulaId> rest;
  for (const FormulaId part : open) {
    if (part != *fewest) rest.push_back(part);
  }
  rest.insert(rest.end(), literals.positive.begin(), literals.positive.end());
  for (const FormulaId atom : literals.negative) rest.push_back(pool_->negate(atom));
  const FormulaId others = pool_->conjunction(std::move(rest));
  // Leaving a property out is the simplest way to fail, violating a node the hardest.
  const auto effort = [&](FormulaId f) {
    if (pool_->op(f) != FormulaPool::Op::kNot ||
        pool_->op(pool_->parts(f)[0]) != FormulaPool::Op::kAtom)
      return 1;
    const Atom::Kind kind = pool_->atom_of(pool_->parts(f)[0]).kind;
    return kind == Atom::Kind::kRequired                                   ? 0
           : kind == Atom::Kind::kProperties || kind == Atom::Kind::kItems ? 2
                                                                           : 1;
  };
  std::vector<FormulaId> choices = undecided == FormulaPool::kFalse
                                       ? alternatives(*fewest)
                                       : std::vector{undecided, pool_->negate(undecided)};
  std::stable_sort(choices.begin(), choices.end(),
                   [&](FormulaId a, FormulaId b) { return effort(a) < effort(b); });
  Cost best = kNever;
  int tried = 0;
  for (const FormulaId alternative : choices) {
    best =
        std::min(best, solve(pool_->conjunction({others, alternative}), check, depth + 1, cases));
    if (found(best) || (best != kNever && (depth > 0 || ++tried >= kEnough || best <= 1))) break;
  }
  return best;
}

}  // namespace espalier
