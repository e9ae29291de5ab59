// A quick "yes" to the question whether a value exists.
//
// The idea: before a schema's formulas are built and solved (satisfiability.cpp), most questions
// are answered by a witness that is plain to see: null, [] or {} where nothing asks for more, a
// string or number that nothing bounds, an object whose required properties have plain values of
// their own. Only schemas without applicators beside $ref are looked at.
//
// Example: {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}} has the
// witness {"a": ""}; no formula, name machine or leaf is needed to say so.
//
// Invariant: "yes" has a witness. A node that is asked about while it is being asked about counts
// as "not plain", so the witness is finite.
//
// Cost: one visit of each node on the way, at most kMaxVisits.
#include "schema/satisfiability/plain_values.h"

#include <algorithm>

namespace espalier {
namespace {

constexpr int kMaxVisits = 500;
constexpr int kMaxDepth = 32;

uint8_t type_bits_of(ValueClass c) {
  switch (c) {
    case ValueClass::kNull:
      return kTypeNull;
    case ValueClass::kFalse:
    case ValueClass::kTrue:
      return kTypeBoolean;
    case ValueClass::kNumber:
      return kTypeNumber | kTypeInteger;
    case ValueClass::kString:
      return kTypeString;
    case ValueClass::kArray:
      return kTypeArray;
    case ValueClass::kObject:
      return kTypeObject;
  }
  return 0;
}

// Lone surrogates cannot be spelled in every profile; in WTF-8 all of them contain this byte.
bool has_surrogate(const std::string& text) { return text.find('\xED') != std::string::npos; }

// At most one of these is present in what this search looks at.
int num_applicators(const SchemaNode& node) {
  return (node.ref != kNoNode) + !node.all_of.empty() + !node.any_of.empty() +
         !node.one_of.empty() + (node.not_schema != kNoNode) + (node.if_schema != kNoNode);
}

bool asserts_nothing(const SchemaNode& node, ValueClass c) {
  switch (c) {
    case ValueClass::kString:
      return !node.min_length && !node.max_length && node.pattern_automaton == nullptr &&
             node.format_automaton == nullptr && node.content_automaton == nullptr;
    case ValueClass::kNumber:
      return !node.minimum && !node.maximum && !node.exclusive_minimum && !node.exclusive_maximum &&
             !node.multiple_of;
    case ValueClass::kArray:
      return !node.min_items && !node.max_items && node.contains == kNoNode && !node.unique_items &&
             node.prefix_items.empty() && node.items == kNoNode &&
             node.unevaluated_items == kNoNode;
    case ValueClass::kObject:
      return node.properties.empty() && node.pattern_properties.empty() &&
             node.additional_properties == kNoNode && node.property_names == kNoNode &&
             node.unevaluated_properties == kNoNode && node.required.empty() &&
             !node.min_properties && !node.max_properties && node.dependent_required.empty() &&
             node.dependent_schemas.empty() && node.property_dependencies.empty();
    default:
      return true;
  }
}

// Some string: no bound, one bound, or a single automaton, which has a live start only if it
// accepts something.
bool plain_string(const SchemaNode& node) {
  const CodepointAutomaton* automaton = nullptr;
  for (const auto& one : {node.pattern_automaton, node.format_automaton, node.content_automaton}) {
    if (one == nullptr) continue;
    if (automaton != nullptr) return false;
    automaton = one.get();
  }
  if (automaton == nullptr) return !node.min_length || !node.max_length;
  return !node.min_length && !node.max_length && automaton->start() != 0;
}

// Some number: zero where only a divisor is given, a lower bound if it is itself a value, anything
// where one side is open.
bool plain_number(const SchemaNode& node) {
  const bool low = node.minimum || node.exclusive_minimum;
  const bool high = node.maximum || node.exclusive_maximum;
  if (!low && !high) return true;
  if (!node.multiple_of && !(low && high)) return true;
  if (!node.minimum || !node.maximum || node.exclusive_minimum || node.exclusive_maximum) {
    return false;
  }
  return compare(*node.minimum, *node.maximum) <= 0 &&
         ((node.types & kTypeNumber) || node.minimum->is_integer()) &&
         (!node.multiple_of || is_multiple(*node.minimum, *node.multiple_of));
}

bool plain_array(const SchemaNode& node) {
  return node.min_items.value_or(0) == 0 &&
         (node.contains == kNoNode || node.min_contains == uint64_t{0});
}

bool is_plain_constant(const JsonValue& value, const SchemaNode& node, ValueClass c) {
  using Kind = JsonValue::Kind;
  switch (c) {
    case ValueClass::kNull:
      return value.kind == Kind::kNull;
    case ValueClass::kFalse:
      return value.kind == Kind::kFalse;
    case ValueClass::kTrue:
      return value.kind == Kind::kTrue;
    case ValueClass::kString:
      return value.kind == Kind::kString && !has_surrogate(value.string);
    case ValueClass::kNumber:
      return value.kind == Kind::kNumber && (node.types & kTypeNumber);
    default:
      return false;
  }
}

bool plain_constant(const SchemaNode& node, ValueClass c) {
  if (!asserts_nothing(node, c) || (node.const_value && node.enum_values)) return false;
  if (node.const_value) return is_plain_constant(*node.const_value, node, c);
  return std::any_of(node.enum_values->begin(), node.enum_values->end(),
                     [&](const JsonValue& value) { return is_plain_constant(value, node, c); });
}

class PlainSearch {
 public:
  explicit PlainSearch(const Expansion& expansion) : expansion_(expansion) {}

  bool possible(NodeId id, int depth) {
    constexpr ValueClass kEasiestFirst[] = {
        ValueClass::kNull,   ValueClass::kTrue,  ValueClass::kFalse, ValueClass::kString,
        ValueClass::kNumber, ValueClass::kArray, ValueClass::kObject};
    return std::any_of(std::begin(kEasiestFirst), std::end(kEasiestFirst),
                       [&](ValueClass c) { return possible(id, c, depth); });
  }

  // A path that comes back to its beginning is as deep as kMaxDepth allows, and then not plain.
  bool possible(NodeId id, ValueClass c, int depth) {
    const SchemaNode& node = expansion_.node(id);
    if (node.kind == SchemaNode::Kind::kTrue) return true;
    if (plainly_excluded(node, c) || depth > kMaxDepth || ++visits_ > kMaxVisits) return false;
    if (const int applicators = num_applicators(node)) {
      return applicators == 1 && !node.const_value && !node.enum_values &&
             asserts_nothing(node, c) && applied(node, c, depth);
    }
    if (node.const_value || node.enum_values) return plain_constant(node, c);
    switch (c) {
      case ValueClass::kString:
        return plain_string(node);
      case ValueClass::kNumber:
        return plain_number(node);
      case ValueClass::kArray:
        return plain_array(node);
      case ValueClass::kObject:
        return object(node, depth);
      default:
        return true;
    }
  }

 private:
  // A node that only applies others to the value.
  bool applied(const SchemaNode& node, ValueClass c, int depth) {
    // An integer that the node asks for need not be one that the others allow.
    if (c == ValueClass::kNumber && !(node.types & kTypeNumber)) return false;
    const auto accepts = [&](NodeId id) { return possible(id, c, depth + 1); };
    if (node.ref != kNoNode) return accepts(node.ref);
    if (node.all_of.size() == 1) return accepts(node.all_of[0]);
    return std::any_of(node.any_of.begin(), node.any_of.end(), accepts);
  }

  // The object of the required properties alone.
  bool object(const SchemaNode& node, int depth) {
    const size_t needed = node.required.size();
    if (node.min_properties.value_or(0) > needed || node.max_properties.value_or(needed) < needed) {
      return false;
    }
    if (needed == 0) return true;
    if (node.property_names != kNoNode || !node.pattern_properties.empty() ||
        !node.dependent_required.empty() || !node.dependent_schemas.empty() ||
        !node.property_dependencies.empty() || node.unevaluated_properties != kNoNode) {
      return false;
    }
    return std::all_of(node.required.begin(), node.required.end(), [&](const std::string& name) {
      if (has_surrogate(name)) return false;
      const auto it = std::find_if(node.properties.begin(), node.properties.end(),
                                   [&](const auto& property) { return property.first == name; });
      const NodeId child = it != node.properties.end() ? it->second : node.additional_properties;
      return child == kNoNode || possible(child, depth + 1);
    });
  }

  const Expansion& expansion_;
  int visits_ = 0;
};

}  // namespace

bool plainly_excluded(const SchemaNode& node, ValueClass c) {
  return node.kind == SchemaNode::Kind::kFalse || !(node.types & type_bits_of(c));
}

bool plainly_possible(const Expansion& expansion, NodeId node, ValueClass c) {
  return PlainSearch(expansion).possible(node, c, 0);
}

bool plainly_possible(const Expansion& expansion, NodeId node) {
  return PlainSearch(expansion).possible(node, 0);
}

}  // namespace espalier
