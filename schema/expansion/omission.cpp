// Optional properties that are left out by policy: a name that a subschema lists is there only
// where some subschema that applies to the same object, and holds, requires it.
//
// The idea: a subschema that lists a name and does not require it asserts
//
//   Or(Not(kRequired name), kDemanded name),
//
// and what kDemanded means is put in where the subschemas of an object come together, in whatever
// subschemas of its parents they stand: the disjunction, over all that require the name in place,
// of the conditions under which they apply. A list that is only tracked counts where it holds.
//
// Example: {"properties": {"a": A, "b": B}, "anyOf": [{"required": ["a"]}, {"minProperties": 1}]}
// is Or(Not(kRequired a), kRequired a), which is true, and Not(kRequired b): "a" may be there,
// since the first branch then holds and requires it, "b" may not.
//
// Invariant: conditions are those of the schema as it is written, without the policy, so they do
// not go in circles. Cost: one walk in place for each node that is asked of an object.
#include "schema/expansion/expansion.h"

namespace espalier {

// Without the policy.
FormulaId Expansion::as_written(FormulaId f) {
  return pool_->substitute(f, [this](FormulaId atom) {
    return pool_->atom_of(atom).kind == Atom::Kind::kDemanded ? FormulaPool::kTrue : atom;
  });
}

const std::vector<Expansion::Demand>& Expansion::demands(NodeId id) {
  const auto [it, inserted] = demands_.try_emplace(id);
  if (!inserted) return it->second;
  const auto text_of = [this](const std::string& name) {
    return texts_->intern(to_codepoints(name));
  };
  std::vector<Demand> found;
  for (const auto& [reached, when] : reached_in_place(id, ValueClass::kObject, Ways::kAsserting)) {
    const FormulaId holds = as_written(when);
    const SchemaNode& node = this->node(reached);
    for (const std::string& name : node.required) found.emplace_back(text_of(name), holds);
    for (const auto& [name, others] : node.dependent_required) {
      const FormulaId present = required_atom(name);
      for (const std::string& other : others)
        found.emplace_back(text_of(other), pool_->conjunction({holds, present}));
    }
  }
  return demands_[id] = std::move(found);
}

std::vector<FormulaId> Expansion::expand_demanding(const std::vector<std::vector<NodeId>>& lists) {
  std::vector<FormulaId> formulas;
  std::map<uint32_t, std::vector<FormulaId>> when;  // by name
  for (const auto& list : lists) {
    std::vector<FormulaId> parts;
    for (const NodeId id : list) parts.push_back(expand(id, ValueClass::kObject));
    formulas.push_back(pool_->conjunction(std::move(parts)));
    const bool tracked = formulas.size() > 1;
    const FormulaId holds = tracked ? as_written(formulas.back()) : FormulaPool::kTrue;
    for (const NodeId id : list) {
      for (const auto& [text, condition] : demands(id))
        when[text].push_back(pool_->conjunction({holds, condition}));
    }
  }
  for (FormulaId& f : formulas) {
    f = pool_->substitute(f, [&](FormulaId atom) {
      const Atom a = pool_->atom_of(atom);
      return a.kind == Atom::Kind::kDemanded ? pool_->disjunction(when[a.index]) : atom;
    });
  }
  return formulas;
}

}  // namespace espalier
