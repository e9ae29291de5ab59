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
// Conditions: allOf and $ref pass their parent's on; a branch of anyOf and oneOf, and an `if`, add
// that it holds; `then` adds that the `if` holds, `else` that it does not, dependentSchemas that
// the property is there; `not` passes nothing. A node reached in several ways holds its annotations
// when one of them is open.
//
// Invariants: every evaluator is listed once; reached in depth-first order, so a condition is
// complete before it is passed on (a cycle in place adds nothing). Cost: linear in the nodes
// reached, per node with the keyword.
// Reference: JSON Schema Core 2020-12 sections 7.7.1 and 11.
#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>

#include "schema/expansion.h"

namespace espalier {
namespace {

// A way in place from one node to another, and what opens it.
struct Passage {
  enum class When : uint8_t { kAlways, kHolds, kFails, kPresent };
  NodeId to;
  When when = When::kAlways;
  NodeId condition = kNoNode;
  const std::string* name = nullptr;
};

std::vector<Passage> passages(const SchemaNode& node,
                              const std::function<NodeId(const PropertyDependency&)>& condition) {
  using When = Passage::When;
  std::vector<Passage> out;
  if (node.ref != kNoNode) out.push_back({node.ref});
  for (const NodeId part : node.all_of) out.push_back({part});
  for (const NodeId part : node.any_of) out.push_back({part, When::kHolds, part});
  for (const NodeId part : node.one_of) out.push_back({part, When::kHolds, part});
  if (node.if_schema != kNoNode) {
    out.push_back({node.if_schema, When::kHolds, node.if_schema});
    if (node.then_schema != kNoNode)
      out.push_back({node.then_schema, When::kHolds, node.if_schema});
    if (node.else_schema != kNoNode)
      out.push_back({node.else_schema, When::kFails, node.if_schema});
  }
  for (const auto& [name, schema] : node.dependent_schemas)
    out.push_back({schema, When::kPresent, kNoNode, &name});
  for (const PropertyDependency& dependency : node.property_dependencies)
    out.push_back({dependency.node, When::kHolds, condition(dependency)});
  return out;
}

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
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
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

  const auto ways_from = [this](NodeId from) {
    return passages(node(from), [this](const PropertyDependency& d) { return condition_node(d); });
  };
  // Depth first, leaving a node after all that it leads to; what leads back is left out.
  enum class Mark : uint8_t { kOpen, kDone };
  struct Visit {
    NodeId node;
    std::vector<Passage> ways;
    size_t next = 0;
  };
  std::unordered_map<NodeId, Mark> marks{{id, Mark::kOpen}};
  std::vector<Visit> stack{{id, ways_from(id)}};
  std::vector<NodeId> left;  // in the order they were left
  std::set<std::pair<NodeId, NodeId>> back;
  while (!stack.empty()) {
    Visit& visit = stack.back();
    if (visit.next == visit.ways.size()) {
      marks[visit.node] = Mark::kDone;
      left.push_back(visit.node);
      stack.pop_back();
      continue;
    }
    const NodeId to = visit.ways[visit.next++].to;
    const auto [mark, fresh] = marks.try_emplace(to, Mark::kOpen);
    if (fresh) {
      stack.push_back({to, ways_from(to)});
    } else if (mark->second == Mark::kOpen) {
      back.emplace(visit.node, to);
    }
  }

  std::unordered_map<NodeId, std::vector<FormulaId>> ways_to;
  ways_to[id] = {FormulaPool::kTrue};
  std::vector<NodeId> nodes;
  std::vector<FormulaId> parts;
  for (auto it = left.rbegin(); it != left.rend(); ++it) {
    const FormulaId reached = pool_->disjunction(ways_to[*it]);
    const SchemaNode& node = this->node(*it);
    for (const Passage& way : ways_from(*it)) {
      if (back.contains({*it, way.to})) continue;
      FormulaId opens = FormulaPool::kTrue;
      if (way.condition != kNoNode) opens = expand(way.condition, c);
      if (way.when == Passage::When::kFails) opens = pool_->negate(opens);
      if (way.when == Passage::When::kPresent && c == ValueClass::kObject) {
        opens = pool_->atom({Atom::Kind::kRequired, texts_->intern(to_codepoints(*way.name)), 0});
      }
      if (way.when == Passage::When::kPresent && c != ValueClass::kObject) continue;
      ways_to[way.to].push_back(pool_->conjunction({reached, opens}));
    }
    const bool looks =
        evaluates_rest(atom, *it) || evaluates_matches(atom, *it) != kNoNode ||
        (is_properties(atom) ? !node.properties.empty() || !node.pattern_properties.empty()
                             : !node.prefix_items.empty());
    if (!looks) continue;
    if (reached == FormulaPool::kTrue && evaluates_rest(atom, *it)) return FormulaPool::kTrue;
    nodes.push_back(*it);
    parts.push_back(reached);
  }
  evaluators_[{id, atom.kind}] = std::move(nodes);
  return pool_->atom(atom, std::move(parts));
}

}  // namespace espalier
