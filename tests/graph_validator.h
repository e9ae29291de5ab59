#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/numbers/decimal.h"
#include "schema/json/json_value.h"
#include "schema/schema_graph.h"

namespace espalier::testing {

/// The slow, obvious reading of a schema graph: does the value at hand satisfy a node? One
/// recursive function per keyword group over a parsed instance; no bytes, no states, no sharing.
class GraphValidator {
 public:
  explicit GraphValidator(const SchemaGraph& graph) : graph_(graph) {}

  bool valid(const JsonValue& value) { return valid(graph_.root, value); }

  static bool equal(const JsonValue& a, const JsonValue& b) {
    if (a.kind != b.kind) return false;
    switch (a.kind) {
      case JsonValue::Kind::kNumber:
        return a.number == b.number;
      case JsonValue::Kind::kString:
        return a.string == b.string;
      case JsonValue::Kind::kArray:
        return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
      case JsonValue::Kind::kObject:
        return a.members.size() == b.members.size() &&
               std::all_of(a.members.begin(), a.members.end(), [&](const auto& member) {
                 const JsonValue* other = find(b, member.first);
                 return other != nullptr && equal(member.second, *other);
               });
      default:
        return true;
    }
  }

  static const JsonValue* find(const JsonValue& object, std::string_view name) {
    for (const auto& [key, value] : object.members) {
      if (key == name) return &value;
    }
    return nullptr;
  }

 private:
  using Kind = JsonValue::Kind;

  /// What the subschemas that hold have evaluated of one object or array.
  struct Evaluated {
    std::set<std::string> names;
    std::set<size_t> items;
  };

  bool valid(NodeId id, const JsonValue& value) {
    Evaluated ignored;
    return valid(id, value, &ignored);
  }

  bool valid(NodeId id, const JsonValue& value, Evaluated* out) {
    const SchemaNode& node = graph_[id];
    if (node.kind != SchemaNode::Kind::kKeywords) return node.kind == SchemaNode::Kind::kTrue;
    if (++depth_ > 300) {
      --depth_;
      return true;
    }
    Evaluated own;
    const bool result = in_place(node, value, &own) && type(node, value) && scalar(node, value) &&
                        (value.kind != Kind::kObject || object(node, value, &own)) &&
                        (value.kind != Kind::kArray || array(node, value, &own));
    --depth_;
    if (result) {
      out->names.insert(own.names.begin(), own.names.end());
      out->items.insert(own.items.begin(), own.items.end());
    }
    return result;
  }

  bool in_place(const SchemaNode& node, const JsonValue& value, Evaluated* out) {
    const auto holds = [&](NodeId id) { return valid(id, value, out); };
    const auto count = [&](const std::vector<NodeId>& ids) {
      return std::count_if(ids.begin(), ids.end(), holds);  // all are asked: all may evaluate
    };
    if (node.ref != kNoNode && !holds(node.ref)) return false;
    if (!std::all_of(node.all_of.begin(), node.all_of.end(), holds)) return false;
    if (!node.any_of.empty() && count(node.any_of) == 0) return false;
    if (!node.one_of.empty() && count(node.one_of) != 1) return false;
    if (node.not_schema != kNoNode && valid(node.not_schema, value)) return false;
    if (node.if_schema != kNoNode) {
      const NodeId then = holds(node.if_schema) ? node.then_schema : node.else_schema;
      if (then != kNoNode && !holds(then)) return false;
    }
    return true;
  }

  static bool type(const SchemaNode& node, const JsonValue& value) {
    switch (value.kind) {
      case Kind::kNull:
        return node.types & kTypeNull;
      case Kind::kFalse:
      case Kind::kTrue:
        return node.types & kTypeBoolean;
      case Kind::kNumber: {
        const bool integer =
            node.dialect == Dialect::kDraft4 ? value.integer_spelling : value.number.is_integer();
        return node.types & (integer ? kTypeInteger : kTypeNumber);
      }
      case Kind::kString:
        return node.types & kTypeString;
      case Kind::kArray:
        return node.types & kTypeArray;
      case Kind::kObject:
        return node.types & kTypeObject;
    }
    return false;
  }

  static size_t length(std::string_view text) {
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
  }

  static bool scalar(const SchemaNode& node, const JsonValue& value) {
    if (node.enum_values &&
        std::none_of(node.enum_values->begin(), node.enum_values->end(),
                     [&](const JsonValue& allowed) { return equal(allowed, value); })) {
      return false;
    }
    if (node.const_value && !equal(*node.const_value, value)) return false;
    if (value.kind == Kind::kNumber) {
      const Decimal& n = value.number;
      if (node.minimum && compare(n, *node.minimum) < 0) return false;
      if (node.maximum && compare(n, *node.maximum) > 0) return false;
      if (node.exclusive_minimum && compare(n, *node.exclusive_minimum) <= 0) return false;
      if (node.exclusive_maximum && compare(n, *node.exclusive_maximum) >= 0) return false;
      if (node.multiple_of && !is_multiple(n, *node.multiple_of)) return false;
    }
    if (value.kind == Kind::kString) {
      if (node.min_length && length(value.string) < *node.min_length) return false;
      if (node.max_length && length(value.string) > *node.max_length) return false;
      if (node.pattern_automaton && !node.pattern_automaton->matches(value.string)) return false;
      if (node.format_automaton && !node.format_automaton->matches(value.string)) return false;
    }
    return true;
  }

  bool object(const SchemaNode& node, const JsonValue& value, Evaluated* out) {
    if (node.min_properties && value.members.size() < *node.min_properties) return false;
    if (node.max_properties && value.members.size() > *node.max_properties) return false;
    const auto has = [&](std::string_view name) { return find(value, name) != nullptr; };
    if (!std::all_of(node.required.begin(), node.required.end(), has)) return false;
    for (const auto& [name, needed] : node.dependent_required) {
      if (has(name) && !std::all_of(needed.begin(), needed.end(), has)) return false;
    }
    for (const auto& [name, schema] : node.dependent_schemas) {
      if (has(name) && !valid(schema, value, out)) return false;
    }
    for (const PropertyDependency& dependency : node.property_dependencies) {
      const JsonValue* member = find(value, dependency.name);
      if (member != nullptr && member->kind == Kind::kString &&
          member->string == dependency.value && !valid(dependency.node, value, out)) {
        return false;
      }
    }
    for (const auto& [name, member] : value.members) {
      if (node.property_names != kNoNode) {
        JsonValue key;
        key.kind = Kind::kString;
        key.string = name;
        if (!valid(node.property_names, key)) return false;
      }
      bool covered = false;
      for (const auto& [known, schema] : node.properties) {
        if (known != name) continue;
        covered = true;
        if (!valid(schema, member)) return false;
      }
      for (const PatternProperty& pattern : node.pattern_properties) {
        if (!pattern.automaton->matches(name)) continue;
        covered = true;
        if (!valid(pattern.node, member)) return false;
      }
      if (!covered && node.additional_properties != kNoNode) {
        covered = true;
        if (!valid(node.additional_properties, member)) return false;
      }
      if (covered) out->names.insert(name);
    }
    if (node.unevaluated_properties == kNoNode) return true;
    for (const auto& [name, member] : value.members) {
      if (out->names.insert(name).second && !valid(node.unevaluated_properties, member))
        return false;
    }
    return true;
  }

  bool array(const SchemaNode& node, const JsonValue& value, Evaluated* out) {
    const std::vector<JsonValue>& items = value.items;
    if (node.min_items && items.size() < *node.min_items) return false;
    if (node.max_items && items.size() > *node.max_items) return false;
    size_t matching = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      const NodeId schema = i < node.prefix_items.size() ? node.prefix_items[i] : node.items;
      if (schema != kNoNode && !valid(schema, items[i])) return false;
      if (schema != kNoNode) out->items.insert(i);
      if (node.contains != kNoNode && valid(node.contains, items[i])) {
        ++matching;
        if (node.dialect >= Dialect::k2020_12) out->items.insert(i);
      }
      if (!node.unique_items) continue;
      for (size_t j = 0; j < i; ++j) {
        if (equal(items[i], items[j])) return false;
      }
    }
    if (node.contains != kNoNode && (matching < node.min_contains.value_or(1) ||
                                     (node.max_contains && matching > *node.max_contains))) {
      return false;
    }
    if (node.unevaluated_items == kNoNode) return true;
    for (size_t i = 0; i < items.size(); ++i) {
      if (out->items.insert(i).second && !valid(node.unevaluated_items, items[i])) return false;
    }
    return true;
  }

  const SchemaGraph& graph_;
  int depth_ = 0;
};

}  // namespace espalier::testing
