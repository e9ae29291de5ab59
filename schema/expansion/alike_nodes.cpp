// Nodes that are written alike.
//
// The idea. Schemas say the same thing in many places: each property that is a string has a node of
// its own. Two nodes with the same assertions, whose subschemas are alike in turn, accept the same
// values, so that a mask of one is a mask of the other. Only nodes of few parts are compared; an
// object with properties of its own is like itself alone.
//
// Example: {"type": "array", "items": {"$ref": "#/$defs/name"}} and {"type": "array", "items":
// {"type": "string"}, "description": "..."} are alike if the definition is {"type": "string"}.
//
// Invariants: alike nodes accept the same values. A node that is asked about while its own
// subschemas are looked at is like itself, so cycles end.
//
// Cost: each node is hashed once, and compared with one like it.
#include "schema/expansion/alike_nodes.h"

#include <algorithm>
#include <functional>

namespace espalier {
namespace {

constexpr int kMaxDepth = 4;
constexpr size_t kMaxValues = 64;  // of an enumeration

bool scalar(const JsonValue& value) { return value.kind < JsonValue::Kind::kArray; }

// Are its keywords such that alike() compares?
bool comparable(const SchemaNode& node) {
  return node.properties.empty() && node.pattern_properties.empty() &&
         node.property_names == kNoNode && node.unevaluated_properties == kNoNode &&
         !node.omitted && node.dependent_required.empty() && node.dependent_schemas.empty() &&
         node.property_dependencies.empty() && node.prefix_items.empty() &&
         node.unevaluated_items == kNoNode && node.contains == kNoNode &&
         node.not_schema == kNoNode && node.if_schema == kNoNode &&
         (!node.const_value || scalar(*node.const_value)) &&
         (!node.enum_values || (node.enum_values->size() <= kMaxValues &&
                                std::ranges::all_of(*node.enum_values, scalar)));
}

template <typename Visit>
void for_each_subschema(const SchemaNode& node, const Visit& visit) {
  for (const NodeId id : {node.ref, node.items, node.additional_properties}) {
    if (id != kNoNode) visit(id);
  }
  for (const auto* list : {&node.all_of, &node.any_of, &node.one_of})
    std::for_each(list->begin(), list->end(), visit);
}

bool same(const JsonValue& a, const JsonValue& b) {
  return a.kind == b.kind && a.integer_spelling == b.integer_spelling && a.number == b.number &&
         a.string == b.string;
}
bool same(const std::vector<JsonValue>& a, const std::vector<JsonValue>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const JsonValue& x, const JsonValue& y) { return same(x, y); });
}
bool same(const Decimal& a, const Decimal& b) { return a == b; }
template <typename T>
bool same(const Boxed<T>& a, const Boxed<T>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

bool same_assertions(const SchemaNode& a, const SchemaNode& b) {
  return a.kind == b.kind && a.dialect == b.dialect && a.types == b.types &&
         a.min_length == b.min_length && a.max_length == b.max_length &&
         a.pattern_automaton == b.pattern_automaton && a.format == b.format &&
         a.format_automaton == b.format_automaton && a.content_automaton == b.content_automaton &&
         a.min_items == b.min_items && a.max_items == b.max_items &&
         a.min_contains == b.min_contains && a.max_contains == b.max_contains &&
         a.unique_items == b.unique_items && a.required == b.required &&
         a.min_properties == b.min_properties && a.max_properties == b.max_properties &&
         same(a.minimum, b.minimum) && same(a.maximum, b.maximum) &&
         same(a.exclusive_minimum, b.exclusive_minimum) &&
         same(a.exclusive_maximum, b.exclusive_maximum) && same(a.multiple_of, b.multiple_of) &&
         same(a.const_value, b.const_value) && same(a.enum_values, b.enum_values);
}

// A reference and nothing beside it?
bool only_refers(const SchemaNode& node) {
  SchemaNode bare;
  bare.dialect = node.dialect;
  return node.ref != kNoNode && node.kind == bare.kind && node.items == kNoNode &&
         node.additional_properties == kNoNode && node.all_of.empty() && node.any_of.empty() &&
         node.one_of.empty() && same_assertions(node, bare);
}

}  // namespace

NodeId AlikeNodes::first_like(NodeId id, int depth) {
  if (const auto found = first_.find(id); found != first_.end()) return found->second;
  const SchemaNode& node = expansion_.node(id);
  if (depth > kMaxDepth) return id;
  first_[id] = id;
  if (!comparable(node)) return id;
  for_each_subschema(node, [&](NodeId below) { first_like(below, depth + 1); });
  if (only_refers(node)) return first_[id] = known(node.ref);
  const uint64_t code = hash(node);
  const NodeId like =
      nodes_.find(code, [&](NodeId other) { return alike(node, expansion_.node(other)); });
  if (like == IdTable::kNone) {
    nodes_.insert(code, id);
    return id;
  }
  return first_[id] = like;
}

NodeId AlikeNodes::known(NodeId id) const {
  const auto found = first_.find(id);
  return found != first_.end() ? found->second : id;
}

bool AlikeNodes::alike(const SchemaNode& a, const SchemaNode& b) const {
  if (!same_assertions(a, b)) return false;
  const auto alike_lists = [&](const std::vector<NodeId>& x, const std::vector<NodeId>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [&](NodeId i, NodeId j) { return known(i) == known(j); });
  };
  return known(a.ref) == known(b.ref) && known(a.items) == known(b.items) &&
         known(a.additional_properties) == known(b.additional_properties) &&
         alike_lists(a.all_of, b.all_of) && alike_lists(a.any_of, b.any_of) &&
         alike_lists(a.one_of, b.one_of);
}

uint64_t AlikeNodes::hash(const SchemaNode& node) const {
  uint64_t code = hash_append(static_cast<uint64_t>(node.kind), node.types);
  const auto add = [&](uint64_t number) { code = hash_append(code, number); };
  const auto add_value = [&](const JsonValue& value) {
    add(static_cast<uint64_t>(value.kind));
    add(std::hash<std::string>()(value.string));
  };
  add(node.min_length.value_or(UINT64_MAX));
  add(node.max_length.value_or(UINT64_MAX));
  add(node.min_items.value_or(UINT64_MAX));
  add(reinterpret_cast<uintptr_t>(node.pattern_automaton.get()));
  add(reinterpret_cast<uintptr_t>(node.format_automaton.get()));
  if (node.const_value) add_value(*node.const_value);
  if (node.enum_values) {
    add(node.enum_values->size());
    if (!node.enum_values->empty()) add_value(node.enum_values->front());
  }
  for_each_subschema(node, [&](NodeId below) { add(known(below)); });
  return code;
}

}  // namespace espalier
