// Which subschemas apply in place to the value that a node applies to, and when.
//
// The idea: from a node, passages lead to others: allOf and $ref are open always; a branch of anyOf
// and oneOf, and an `if`, where it holds; `then` where the `if` holds, `else` where it does not,
// dependentSchemas where the property is there; `not` leads nowhere. A node is reached when one of
// the ways to it is open, a way when all its passages are. Annotations come from all of them;
// assertions not from an `if`, but from the values of const and enum, which ask for their members.
//
// Example: in {"anyOf": [A, {"if": B, "then": C}]} A is reached where A holds, C where the second
// branch holds and B does.
//
// Invariants: nodes are listed once, in an order in which a condition is complete before it is
// passed on: depth first, a node before all that it leads to; what leads back into a cycle adds
// nothing. Cost: linear in the nodes and passages.
// Reference: JSON Schema Core 2020-12 section 10.2.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "schema/expansion/expansion.h"

namespace espalier {

/// A way in place from one node to another, and what opens it.
struct Expansion::Passage {
  enum class When : uint8_t { kAlways, kHolds, kFails, kPresent };
  NodeId to;
  When when = When::kAlways;
  NodeId condition = kNoNode;
  const std::string* name = nullptr;
};

std::vector<Expansion::Passage> Expansion::passages(NodeId from, Ways ways) {
  using When = Passage::When;
  const SchemaNode& node = this->node(from);
  std::vector<Passage> out;
  if (node.ref != kNoNode) out.push_back({node.ref});
  for (const NodeId part : node.all_of) out.push_back({part});
  for (const NodeId part : node.any_of) out.push_back({part, When::kHolds, part});
  for (const NodeId part : node.one_of) out.push_back({part, When::kHolds, part});
  if (node.if_schema != kNoNode) {
    if (ways == Ways::kAnnotating) out.push_back({node.if_schema, When::kHolds, node.if_schema});
    if (node.then_schema != kNoNode)
      out.push_back({node.then_schema, When::kHolds, node.if_schema});
    if (node.else_schema != kNoNode)
      out.push_back({node.else_schema, When::kFails, node.if_schema});
  }
  for (const auto& [name, schema] : node.dependent_schemas)
    out.push_back({schema, When::kPresent, kNoNode, &name});
  for (const PropertyDependency& dependency : node.property_dependencies)
    out.push_back({dependency.node, When::kHolds, condition_node(dependency)});
  if (ways == Ways::kAsserting) {
    const auto value = [&](const JsonValue& v) {
      if (v.kind != JsonValue::Kind::kObject) return;
      const NodeId to = value_node(v, node);
      out.push_back({to, When::kHolds, to});
    };
    if (node.const_value) value(*node.const_value);
    if (node.enum_values) std::for_each(node.enum_values->begin(), node.enum_values->end(), value);
  }
  return out;
}

std::vector<Expansion::Reached> Expansion::reached_in_place(NodeId from, ValueClass c, Ways ways) {
  // A node is left after all that it leads to.
  enum class Mark : uint8_t { kOpen, kDone };
  struct Visit {
    NodeId node;
    std::vector<Passage> ways;
    size_t next = 0;
  };
  std::unordered_map<NodeId, Mark> marks{{from, Mark::kOpen}};
  std::vector<Visit> stack;
  stack.push_back({from, passages(from, ways)});
  std::vector<Visit> left;  // in the order they were left
  std::set<std::pair<NodeId, NodeId>> back;
  while (!stack.empty()) {
    Visit& visit = stack.back();
    if (visit.next == visit.ways.size()) {
      marks[visit.node] = Mark::kDone;
      left.push_back(std::move(visit));
      stack.pop_back();
      continue;
    }
    const NodeId to = visit.ways[visit.next++].to;
    const auto [mark, fresh] = marks.try_emplace(to, Mark::kOpen);
    if (!fresh && mark->second == Mark::kOpen) back.emplace(visit.node, to);
    if (fresh) stack.push_back({to, passages(to, ways)});
  }

  std::unordered_map<NodeId, std::vector<FormulaId>> ways_to;
  ways_to[from] = {FormulaPool::kTrue};
  std::vector<Reached> reached;
  for (auto it = left.rbegin(); it != left.rend(); ++it) {
    reached.push_back({it->node, pool_->disjunction(ways_to[it->node])});
    for (const Passage& way : it->ways) {
      if (back.contains({it->node, way.to})) continue;
      FormulaId opens = FormulaPool::kTrue;
      if (way.condition != kNoNode) opens = expand(way.condition, c);
      if (way.when == Passage::When::kFails) opens = pool_->negate(opens);
      if (way.when == Passage::When::kPresent && c == ValueClass::kObject) {
        opens = required_atom(*way.name);
      }
      if (way.when == Passage::When::kPresent && c != ValueClass::kObject) continue;
      ways_to[way.to].push_back(pool_->conjunction({reached.back().when, opens}));
    }
  }
  return reached;
}

}  // namespace espalier
