// Which keywords evaluate a property or an item: the static half of unevaluatedProperties and
// unevaluatedItems. unevaluated.cpp is the other half.
//
// The idea: annotations are collected from the subschemas that apply in place and hold. Whether
// one holds is a formula like any other, so nothing need be collected: for a node N with
// unevaluatedProperties, list the *evaluators*, the nodes reached in place from N whose own
// keywords look at properties, each with the condition under which its annotations reach N. They
// are the parts of N's kUnevaluatedProperties atom, are substituted as the text decides them, and
// "this property is evaluated" is the disjunction of the parts whose node looks at its name.
//
// Example: {"properties": {"a": {}}, "anyOf": [{"required": ["b"], "properties": {"b": {}}},
// {"properties": {"c": {}}}], "unevaluatedProperties": false} has the parts [N: kTrue, first
// branch: And(kRequired b, ...), second branch: kProperties ...]; a property "b" is evaluated if
// the first branch holds.
//
// in_place.cpp finds the nodes and the conditions. Invariant: every evaluator is listed once. Cost:
// linear in the nodes reached, per node with the keyword.
// Reference: JSON Schema Core 2020-12 sections 7.7.1 and 11.
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/expansion/expansion.h"

namespace espalier {
namespace {

bool is_properties(const Atom& atom) { return atom.kind == Atom::Kind::kUnevaluatedProperties; }

}  // namespace

const std::vector<NodeId>& Expansion::evaluators(const Atom& atom) const {
  return evaluators_.at({atom.index, atom.kind});
}

NodeId Expansion::unevaluated_node(const Atom& atom) const {
  const SchemaNode& node = this->node(atom.index);
  return is_properties(atom) ? node.unevaluated_properties : node.unevaluated_items;
}

bool Expansion::evaluates_rest(const Atom& atom, NodeId id) const {
  const SchemaNode& node = this->node(id);
  if (is_properties(atom)) {
    return node.additional_properties != kNoNode ||
           (id != atom.index && node.unevaluated_properties != kNoNode);
  }
  return node.items != kNoNode || (id != atom.index && node.unevaluated_items != kNoNode);
}

bool Expansion::evaluates_item(const Atom& atom, NodeId id, uint64_t index) const {
  return index < node(id).prefix_items.size() || evaluates_rest(atom, id);
}

NodeId Expansion::evaluates_matches(const Atom& atom, NodeId id) const {
  const SchemaNode& node = this->node(id);
  return is_properties(atom) || node.dialect < Dialect::k2020_12 ? kNoNode : node.contains;
}

NodeId Expansion::any_of_node(std::vector<NodeId> nodes) {
  sort_unique(&nodes);
  if (std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return trivially_true(id); }))
    return kNoNode;
  if (nodes.size() == 1) return nodes[0];
  const auto [it, inserted] = any_of_nodes_.try_emplace(nodes, kNoNode);
  if (inserted) {
    SchemaNode any;
    any.pointer = node(nodes[0]).pointer;
    any.any_of = std::move(nodes);
    it->second = add_node(std::move(any));
  }
  return it->second;
}

FormulaId Expansion::unevaluated(NodeId id, ValueClass c) {
  if (c != ValueClass::kObject && c != ValueClass::kArray) return FormulaPool::kTrue;
  const Atom atom{
      c == ValueClass::kObject ? Atom::Kind::kUnevaluatedProperties : Atom::Kind::kUnevaluatedItems,
      id, 0};
  const NodeId rest = unevaluated_node(atom);
  if (rest == kNoNode || trivially_true(rest)) return FormulaPool::kTrue;

  std::vector<NodeId> nodes;
  std::vector<FormulaId> parts;
  for (const auto& [reached, when] : reached_in_place(id, c, Ways::kAnnotating)) {
    const SchemaNode& node = this->node(reached);
    const bool looks =
        evaluates_rest(atom, reached) || evaluates_matches(atom, reached) != kNoNode ||
        (is_properties(atom) ? !node.properties.empty() || !node.pattern_properties.empty()
                             : !node.prefix_items.empty());
    if (!looks) continue;
    if (when == FormulaPool::kTrue && evaluates_rest(atom, reached)) return FormulaPool::kTrue;
    nodes.push_back(reached);
    parts.push_back(when);
  }
  evaluators_[{id, atom.kind}] = std::move(nodes);
  return pool_->atom(atom, std::move(parts));
}

}  // namespace espalier
