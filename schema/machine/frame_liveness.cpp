// Can a container be completed, and how shortly?
//
// The idea. What the rest of a container must do is a formula, and satisfiability.cpp answers for
// it. A container that is itself a tracked value may close with any outcome that its slot accepts,
// so the combinations of its tracked formulas are tried, most true ones first.
//
// Example: an object with two tracked formulas whose slot accepts (true, false) alone is live if
// "first and not second" has a rest.
//
// The question comes up for every name that may follow, each time about another object. Mostly the
// answer is inherited (outlives_name in frame_names.cpp), or an example is at hand (examples.cpp).
//
// Invariant: no outcome that was enumerated is missed; beyond 2^kMaxJointBits of them the first
// formula alone decides.
// Cost: one question to satisfiability.cpp for each frame and outcome, once.
#include <algorithm>

#include "schema/machine/schema_machine.h"

namespace espalier {

bool SchemaMachine::frame_live(FrameId container) {
  if (const uint8_t known = frame_memo_.get(container)) return known == kYes;
  const bool live = best_rest(container, Answer::kExistence) != kNever;
  frame_memo_.set(container, live ? kYes : kNo);
  return live;
}

Cost SchemaMachine::rest_cost(const Frame& frame, FormulaId f, Answer answer) {
  Satisfiability& satisfiability = answer == Answer::kCost ? costs() : existence_;
  return frame.kind == Frame::Kind::kArray
             ? satisfiability.array(f, frame.index, frame.seen)
             : satisfiability.object(f, {shapes_[frame.shape].get(), frame.seen, frame.order});
}

// Visits what the tracked formulas of a container may turn out to be until `visit` returns true.
// False when there were too many to enumerate: none true and each alone are visited then.
bool SchemaMachine::visit_outcomes(const std::vector<FormulaId>& formulas,
                                   const std::function<bool(const Outcome&)>& visit) {
  std::vector<size_t> open;
  Outcome outcome(formulas.size() - 1);
  for (size_t i = 1; i < formulas.size(); ++i) {
    if (formulas[i] == FormulaPool::kTrue) outcome[i - 1] = true;
    if (formulas[i] != FormulaPool::kTrue && formulas[i] != FormulaPool::kFalse)
      open.push_back(i - 1);
  }
  if (open.size() <= kMaxJointBits) {
    for (uint32_t bits = 0; bits < 1u << open.size(); ++bits) {
      for (size_t k = 0; k < open.size(); ++k) outcome[open[k]] = !(bits >> k & 1);
      if (visit(outcome)) return true;
    }
    return true;
  }
  if (visit(outcome)) return true;
  for (const size_t i : open) {
    outcome[i] = true;
    if (visit(outcome)) return true;
    outcome[i] = false;
  }
  return false;
}

// "The container holds, with this outcome."
FormulaId SchemaMachine::joint(const std::vector<FormulaId>& formulas, const Outcome& outcome) {
  std::vector<FormulaId> parts{formulas[0]};
  for (size_t i = 1; i < formulas.size(); ++i)
    parts.push_back(outcome[i - 1] ? formulas[i] : pool_.negate(formulas[i]));
  return pool_.conjunction(std::move(parts));
}

// What an example makes of the tracked formulas, if that is known and accepted.
bool SchemaMachine::example_accepted(FrameId slot, const std::vector<FormulaId>& formulas,
                                     const Example& example, uint64_t index) {
  if (frames_[slot].bindings == 0) return true;
  Outcome outcome;
  for (size_t i = 1; i < formulas.size(); ++i) {
    const FormulaPool::Ternary truth = existence_.examples().truth(formulas[i], example, index);
    if (truth == FormulaPool::Ternary::kUnknown) return false;
    outcome.push_back(truth == FormulaPool::Ternary::kTrue);
  }
  return acceptable(slot, outcome);
}

// Does an example show that an object can be completed (with this name first, if one is given)?
// False: not known.
bool SchemaMachine::example_rest(FrameId object, std::optional<uint32_t> first, uint32_t order) {
  const Frame frame = frames_[object];
  const std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  const ObjectContext context{shapes_[frame.shape].get(), frame.seen, frame.order};
  const ObjectContext later{context.shape, context.seen, ordered_ ? order + 1 : 0};
  const auto allowed = [&](uint32_t text) {
    return existence_.may_follow(!first || text == *first ? context : later, text);
  };
  const auto accepted = [&](const Example& example) {
    return example_accepted(frame.parent, formulas, example, 0);
  };
  return existence_.examples().object(formulas[0], std::cref(allowed), first, std::cref(accepted));
}

// The same for a value of this class whose outcome matters.
bool SchemaMachine::example_value(FrameId slot, ValueClass c,
                                  const std::vector<FormulaId>& formulas) {
  Examples& examples = existence_.examples();
  const auto accepted = [&](const Example& example) {
    return example_accepted(slot, formulas, example, 0);
  };
  if (c == ValueClass::kObject) {
    return examples.object(
        formulas[0], [](uint32_t) { return true; }, std::nullopt, accepted);
  }
  if (c == ValueClass::kArray) {
    const auto example = examples.array(formulas[0], 0);
    return example && accepted(**example);
  }
  for (size_t i = 0; i < std::min<size_t>(formulas.size(), 4); ++i) {
    const auto example =
        examples.scalar(pool_.propagate(pool_.conjunction({formulas[0], formulas[i]})), c);
    if (example && accepted(**example)) return true;
  }
  return false;
}

Cost SchemaMachine::frame_cost(FrameId container) {
  const auto it = cost_memo_.find(container);
  if (it != cost_memo_.end()) return it->second;
  const Cost cost = best_rest(container, Answer::kCost);
  return cost_memo_[container] = cost;
}

Cost SchemaMachine::best_rest(FrameId container, Answer answer) {
  const Frame frame = frames_[container];
  const std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  const Cost enough = answer == Answer::kCost ? 1 : kNever - 1;
  Cost best = kNever;
  if (frames_[frame.parent].bindings == 0) {
    best = rest_cost(frame, formulas[0], answer);
  } else if (answer == Answer::kExistence && frame.kind == Frame::Kind::kObject &&
             frames_[frame.parent].remember == 0 && example_rest(container, std::nullopt, 0)) {
    best = 1;
  } else {
    const bool many = formulas.size() > kMaxJointBits + 1;
    const bool all = visit_outcomes(formulas, [&](const Outcome& outcome) {
      if (acceptable(frame.parent, outcome))
        best = std::min(best, rest_cost(frame, joint(formulas, outcome), answer));
      return best <= enough || (many && best != kNever);
    });
    // Where a combination may have been missed, the first formula alone decides.
    if (!all && best == kNever) best = rest_cost(frame, formulas[0], answer);
  }
  if (best != kNever && frame.forbidden != 0 && !can_differ(container)) best = kNever;
  return best;
}

}  // namespace espalier
