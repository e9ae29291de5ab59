// unevaluatedProperties and unevaluatedItems while a text is read; evaluation.cpp says who
// evaluates what.
//
// The idea. Whether a branch holds may be decided long after the key it evaluates, so a key is
// never judged by itself: it adds a clause. While a container is read, its formula holds an atom
// "all that is still to come is evaluated, or satisfies the subschema", whose parts are the
// evaluators' truths as far as they are decided. A key of class k turns the atom into
//
//   And(atom, Or(the parts that evaluate k, kValue(subschema)))
//
// and the value's outcome then decides kValue. For an item the disjunction also has, for each
// evaluator with `contains`, And(its part, kValue(contains)). The clauses are formulas, so they
// shrink with everything else, equal ones are one, and at the close all of them must hold.
//
// Example: {"anyOf": [{"properties": {"a": A}}, {"properties": {"b": B}}], "unevaluatedProperties":
// false}: after the key "a" the formula demands that the first branch hold, so A is asked of the
// value of "a"; after "b" as well, both branches must.
//
// Invariants: in one formula all atoms of one node have the same parts (each is substituted
// alike), so a clause added early and one added late for the same class are the same formula;
// kValue atoms live from the key (or item) to the end of its value. Schemas without the keywords
// have no such atoms. Cost: one disjunction per key and node with the keyword.
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/machine/schema_machine.h"

namespace espalier {

FormulaId SchemaMachine::take_unevaluated(FormulaId atom,
                                          const std::function<bool(NodeId)>& evaluates) {
  const Atom a = pool_.atom_of(atom);
  const std::vector<NodeId>& nodes = expansion_.evaluators(a);
  const std::vector<FormulaId> parts = pool_.parts(atom);
  std::vector<FormulaId> any;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (parts[i] == FormulaPool::kTrue && expansion_.evaluates_rest(a, nodes[i]))
      return FormulaPool::kTrue;  // whatever comes is evaluated
    if (evaluates(nodes[i])) any.push_back(parts[i]);
    const NodeId matches = expansion_.evaluates_matches(a, nodes[i]);
    if (matches != kNoNode) any.push_back(pool_.conjunction({parts[i], this_value(matches)}));
  }
  any.push_back(this_value(expansion_.unevaluated_node(a)));
  return pool_.conjunction({atom, pool_.disjunction(std::move(any))});
}

FormulaId SchemaMachine::this_value(NodeId node) {
  if (expansion_.trivially_false(node)) return FormulaPool::kFalse;
  if (expansion_.trivially_true(node)) return FormulaPool::kTrue;
  return pool_.atom({Atom::Kind::kValue, node, 0});
}

FormulaId SchemaMachine::unevaluated_property(FormulaId atom, const KeyShape& shape,
                                              const KeyClass& key) {
  return take_unevaluated(atom, [&](NodeId id) {
    return key.effects[shape.node_index(id)].evaluates ||
           expansion_.evaluates_rest(pool_.atom_of(atom), id);
  });
}

uint64_t SchemaMachine::unevaluated_items(std::vector<FormulaId>* formulas, uint64_t index) {
  uint64_t prefix = 0;
  for (FormulaId& f : *formulas) {
    f = pool_.substitute(f, [&](FormulaId atom) {
      const Atom a = pool_.atom_of(atom);
      if (a.kind != Atom::Kind::kUnevaluatedItems) return atom;
      for (const NodeId id : expansion_.evaluators(a))
        prefix = std::max<uint64_t>(prefix, expansion_.node(id).prefix_items.size());
      return take_unevaluated(atom,
                              [&](NodeId id) { return expansion_.evaluates_item(a, id, index); });
    });
  }
  return prefix;
}

void SchemaMachine::ask_value(std::vector<FormulaId>* formulas, Ask* ask,
                              std::vector<Binding>* bindings) {
  std::vector<FormulaId> asked;
  for (const FormulaId f : *formulas) {
    for (const FormulaId atom : pool_.atoms(f)) {
      if (pool_.atom_of(atom).kind == Atom::Kind::kValue) asked.push_back(atom);
    }
  }
  sort_unique(&asked);
  for (const FormulaId atom : asked) {
    const NodeId node = pool_.atom_of(atom).index;
    if (forced((*formulas)[0], atom)) {
      (*ask)[0].push_back(node);
      for (FormulaId& f : *formulas) {
        f = pool_.substitute(f, [&](FormulaId g) { return g == atom ? FormulaPool::kTrue : g; });
      }
      continue;
    }
    const std::vector<NodeId> list{node};
    auto same = std::find(ask->begin() + 1, ask->end(), list);
    if (same == ask->end()) same = ask->insert(ask->end(), list);
    bindings->push_back({Atom::Kind::kValue, node, static_cast<uint32_t>(same - ask->begin() - 1)});
  }
}

bool SchemaMachine::leaves_unevaluated(const Frame& frame, const KeyClass& key, NodeId* holder) {
  const KeyShape& shape = *shapes_[frame.shape];
  const FormulaId f = formula_lists_[frame.formulas][0];
  for (const FormulaId atom : std::vector<FormulaId>(pool_.atoms(f))) {
    if (pool_.atom_of(atom).kind != Atom::Kind::kUnevaluatedProperties || !forced(f, atom))
      continue;
    *holder = pool_.atom_of(atom).index;
    if (unevaluated_property(atom, shape, key) == FormulaPool::kFalse) return true;
  }
  return false;
}

}  // namespace espalier
