// Can the rest of a container meet its kUnevaluated atoms? The part of satisfiability.cpp that
// knows them; unevaluated.cpp says what they are.
//
// The idea: once a case is down to literals, a kUnevaluated literal still speaks of its parts,
// the truths of its evaluators. Literals are put into the parts as into any formula. A part that
// stays open is taken at its worst: not evaluating where the atom must hold, evaluating where it
// must fail. If that leaves no way, the case is split on the first open part, so nothing is lost.
//
// Example: {"anyOf": [{"properties": {"a": {}}}, {}], "required": ["a"], "unevaluatedProperties":
// false}: the literals are kRequired a and the atom with one open part kProperties; at worst "a"
// is not evaluated; split on the part, where it holds "a" is.
//
// Cost: one more case per open part, within the budget of cases.
#include <algorithm>

#include "schema/satisfiability/satisfiability.h"

namespace espalier {

bool Satisfiability::has_parts(const Literals& literals) const {
  const auto parted = [&](FormulaId atom) { return !pool_->parts(atom).empty(); };
  return std::any_of(literals.positive.begin(), literals.positive.end(), parted) ||
         std::any_of(literals.negative.begin(), literals.negative.end(), parted);
}

// The truth of an atom with parts, whatever the parts have become: the node decides which it is.
FormulaId Satisfiability::parted_truth(const Literals& literals, FormulaId atom) const {
  const Atom wanted = pool_->atom_of(atom);
  const auto same = [&](FormulaId other) { return pool_->atom_of(other) == wanted; };
  if (std::any_of(literals.positive.begin(), literals.positive.end(), same))
    return FormulaPool::kTrue;
  if (std::any_of(literals.negative.begin(), literals.negative.end(), same))
    return FormulaPool::kFalse;
  return atom;
}

FormulaId Satisfiability::undecided_part(const Literals& literals) const {
  for (const auto* side : {&literals.positive, &literals.negative}) {
    for (const FormulaId atom : *side) {
      for (const FormulaId part : pool_->parts(atom)) {
        if (part != FormulaPool::kTrue && part != FormulaPool::kFalse) return part;
      }
    }
  }
  return FormulaPool::kFalse;
}

KeyEffect Satisfiability::unevaluated_effect(FormulaId atom, bool demanded, const KeyShape& shape,
                                             const KeyClass& key) const {
  const Atom& a = pool_->atom_of(atom);
  const std::vector<NodeId>& nodes = expansion_->evaluators(a);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const FormulaId part = pool_->parts(atom)[i];
    const bool counted = demanded ? part == FormulaPool::kTrue : part != FormulaPool::kFalse;
    if (counted && (key.effects[shape.node_index(nodes[i])].evaluates ||
                    expansion_->evaluates_rest(a, nodes[i]))) {
      return {};
    }
  }
  const NodeId rest = expansion_->unevaluated_node(a);
  if (expansion_->trivially_false(rest)) return {.violates = true, .children = {rest}};
  return {.children = {rest}};
}

// What item `index` must satisfy, or kNoNode.
NodeId Satisfiability::unevaluated_item(FormulaId atom, uint64_t index) {
  const Atom a = pool_->atom_of(atom);
  const std::vector<NodeId>& nodes = expansion_->evaluators(a);
  std::vector<NodeId> judges{expansion_->unevaluated_node(a)};
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (pool_->parts(atom)[i] != FormulaPool::kTrue) continue;
    if (expansion_->evaluates_item(a, nodes[i], index)) return kNoNode;
    const NodeId matches = expansion_->evaluates_matches(a, nodes[i]);
    if (matches != kNoNode) judges.push_back(matches);
  }
  return expansion_->any_of_node(std::move(judges));
}

bool Satisfiability::surely_evaluated(FormulaId atom, uint64_t index) const {
  const Atom& a = pool_->atom_of(atom);
  const std::vector<NodeId>& nodes = expansion_->evaluators(a);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (pool_->parts(atom)[i] != FormulaPool::kFalse &&
        expansion_->evaluates_item(a, nodes[i], index)) {
      return true;
    }
  }
  return false;
}

// The subschemas that an item must all fail to be left over.
std::vector<NodeId> Satisfiability::item_judges(FormulaId atom) const {
  const Atom& a = pool_->atom_of(atom);
  const std::vector<NodeId>& nodes = expansion_->evaluators(a);
  std::vector<NodeId> judges{expansion_->unevaluated_node(a)};
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeId matches = expansion_->evaluates_matches(a, nodes[i]);
    if (pool_->parts(atom)[i] != FormulaPool::kFalse && matches != kNoNode)
      judges.push_back(matches);
  }
  return judges;
}

}  // namespace espalier
