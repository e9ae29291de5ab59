#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "schema/formula.h"
#include "schema/leaves/scalar_leaf.h"

namespace espalier {

// The verdict shared by both kinds of leaf: formulas over atoms renumbered to the machine's.
class Verdict {
 public:
  Verdict(const FormulaPool& pool, const std::vector<FormulaId>& formulas,
          const std::function<Atom(Atom)>& rename, const std::vector<Outcome>* allowed)
      : restricted_(allowed != nullptr && formulas.size() > 1) {
    for (const FormulaId f : formulas) formulas_.push_back(pool_.copy(pool, f, rename));
    if (restricted_) allowed_.insert(allowed->begin(), allowed->end());
  }
  template <typename Value>
  Outcome outcome(const Value& value) const {
    Outcome out;
    for (size_t i = 1; i < formulas_.size(); ++i)
      out.push_back(pool_.evaluate(formulas_[i], value));
    return out;
  }
  // Does the first formula hold (fail) whatever the unknown atoms turn out to be? It also fails
  // where no outcome is left.
  FormulaPool::Ternary certain(
      const std::function<FormulaPool::Ternary(const Atom&)>& value) const {
    using Ternary = FormulaPool::Ternary;
    const Ternary first = pool_.evaluate_partly(formulas_[0], value);
    if (first == Ternary::kFalse || !restricted_) return first;
    std::vector<Ternary> outcome;
    for (size_t i = 1; i < formulas_.size(); ++i)
      outcome.push_back(pool_.evaluate_partly(formulas_[i], value));
    const bool possible =
        std::any_of(allowed_.begin(), allowed_.end(), [&](const Outcome& allowed) {
          for (size_t i = 0; i < outcome.size(); ++i) {
            if (outcome[i] == (allowed[i] ? Ternary::kFalse : Ternary::kTrue)) return false;
          }
          return true;
        });
    return possible ? first : Ternary::kFalse;
  }
  // The same verdict, where only this outcome is acceptable.
  Verdict with_outcome(const Outcome& outcome) const {
    Verdict out = *this;
    out.restricted_ = formulas_.size() > 1;
    out.allowed_ = {outcome};
    return out;
  }
  bool restricted() const { return restricted_; }
  // A guess at how much a string lacks until the first formula holds, from what it lacks until an
  // atom holds, and until it fails.
  struct Lack {
    uint32_t truth, falsity;
  };
  static constexpr uint32_t kFar = 1000;
  template <typename AtomLack>
  uint32_t lack(const AtomLack& atom) const {
    return lack_of_all<Bound::kSum>(atom);
  }
  // A lower bound on what a string lacks until the first formula holds, from such bounds of atoms.
  template <typename AtomLack>
  uint32_t least(const AtomLack& atom) const {
    return lack_of_all<Bound::kLeast>(atom);
  }
  // Does what is acceptable stay so, whichever of the atoms that `grows` names turn true?
  bool grows(const std::function<bool(const Atom&)>& grows) const {
    return !restricted_ && this->grows(formulas_[0], true, grows);
  }
  // Visits the atoms on which the verdict still depends, some twice.
  void relevant(const std::function<FormulaPool::Ternary(const Atom&)>& value,
                const std::function<void(const Atom&)>& visit) const {
    for (const FormulaId f : formulas_) {
      relevant(f, value, visit);
      if (!restricted_) break;
    }
  }
  template <typename Value>
  bool acceptable(const Value& value) const {
    return pool_.evaluate(formulas_[0], value) &&
           (!restricted_ || allowed_.contains(outcome(value)));
  }

 private:
  bool grows(FormulaId f, bool positive, const std::function<bool(const Atom&)>& which) const {
    using Op = FormulaPool::Op;
    const Op op = pool_.op(f);
    if (op == Op::kAtom) return positive || !which(pool_.atom_of(f));
    const bool may = op != Op::kExactlyOne;
    return std::all_of(pool_.parts(f).begin(), pool_.parts(f).end(), [&](FormulaId part) {
      return grows(part, (op != Op::kNot) == positive, which) &&
             (may || grows(part, (op != Op::kNot) != positive, which));
    });
  }
  void relevant(FormulaId f, const std::function<FormulaPool::Ternary(const Atom&)>& value,
                const std::function<void(const Atom&)>& visit) const {
    if (pool_.evaluate_partly(f, value) != FormulaPool::Ternary::kUnknown) return;
    if (pool_.op(f) == FormulaPool::Op::kAtom) return visit(pool_.atom_of(f));
    for (const FormulaId part : pool_.parts(f)) relevant(part, value, visit);
  }
  // What several parts that must all hold lack: as much as each, or as the one that lacks most.
  enum class Bound : uint8_t { kSum, kLeast };
  template <Bound bound>
  static uint32_t together(uint32_t a, uint32_t b) {
    return std::min(kFar, bound == Bound::kSum ? a + b : std::max(a, b));
  }
  // What the first formula lacks, and with it the outcome that lacks least.
  template <Bound bound, typename AtomLack>
  uint32_t lack_of_all(const AtomLack& atom) const {
    const uint32_t first = lack<bound>(formulas_[0], true, atom);
    if (!restricted_ || allowed_.size() > kFewOutcomes) return first;
    uint32_t least = kFar;
    for (const Outcome& outcome : allowed_) {
      uint32_t own = first;
      for (size_t i = 1; i < formulas_.size() && own < least; ++i)
        own = together<bound>(own, lack<bound>(formulas_[i], outcome[i - 1], atom));
      least = std::min(least, own);
    }
    return least;
  }
  template <Bound bound, typename AtomLack>
  uint32_t lack(FormulaId f, bool wanted, const AtomLack& atom) const {
    using Op = FormulaPool::Op;
    const Op op = pool_.op(f);
    if (op == Op::kTrue || op == Op::kFalse) return (op == Op::kTrue) == wanted ? 0 : kFar;
    if (op == Op::kAtom) {
      const Lack at = atom(pool_.atom_of(f));
      return wanted ? at.truth : at.falsity;
    }
    const auto& parts = pool_.parts(f);
    if (op == Op::kNot) return lack<bound>(parts[0], !wanted, atom);
    if (op == Op::kExactlyOne && !wanted && bound == Bound::kLeast) return 0;  // two hold, or none
    const bool all = (op == Op::kAnd) == wanted;
    uint32_t out = all ? 0 : kFar;
    for (const FormulaId part : parts) {
      const uint32_t own = lack<bound>(part, wanted, atom);
      out = all ? together<bound>(out, own) : std::min(out, own);
    }
    return out;
  }

  static constexpr size_t kFewOutcomes = 8;

  FormulaPool pool_;
  std::vector<FormulaId> formulas_;
  bool restricted_;
  std::set<Outcome> allowed_;
};

}  // namespace espalier
