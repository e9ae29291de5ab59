// From a schema node to a formula, one class of values at a time.
//
// The idea: the first byte of a value tells its class (object, array, string, number, true, false,
// null). Once it is known, most of a schema is decided: a `type` holds or not, string keywords say
// nothing about numbers. What is left is a formula whose atoms are the assertions about that class.
//
// Example: {"type": ["string", "null"], "maxLength": 3, "not": {"const": "x"}} is, for strings,
// And(Not(kLength 4), Not(kOneOfStrings {x})), for null kTrue, for all others kFalse.
//
// A `const` or `enum` value that is an array or an object becomes a synthetic node ({"type":
// "object", properties: each member's const, required: all, additionalProperties: false}).
//
// A node that refers to itself in place (a $ref cycle without a step into the instance) adds
// nothing to itself: the inner occurrence counts as true. In {"$defs": {"a": {"allOf": [{"$ref":
// "#/$defs/b"}, X]}, "b": {"allOf": [{"$ref": "#/$defs/a"}, Y]}}} both are And(X, Y). What was
// expanded inside such a cycle holds for its head alone and is forgotten when the head is done.
//
// Cost: each (node, class) is expanded once; inside a cycle, once for each node of it.
// Reference: JSON Schema Core 2020-12 section 10.2 (in-place applicators), Validation section 6.
#include "schema/expansion/expansion.h"

#include <algorithm>
#include <string_view>

#include "schema/loading/schema_options.h"

namespace espalier {
namespace {

// By code points: that is the order of WTF-8 texts too, and mostly their first bytes tell.
void sort_texts(std::vector<std::string_view>* texts) {
  if (std::is_sorted(texts->begin(), texts->end())) return;
  constexpr size_t kHead = sizeof(uint64_t);
  std::vector<std::pair<uint64_t, std::string_view>> keyed;
  keyed.reserve(texts->size());
  for (const std::string_view text : *texts) {
    uint64_t head = 0;
    for (size_t i = 0; i < kHead; ++i)
      head = head << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0);
    keyed.emplace_back(head, text);
  }
  std::sort(keyed.begin(), keyed.end());
  for (size_t i = 0; i < keyed.size(); ++i) (*texts)[i] = keyed[i].second;
}

}  // namespace

Expansion::Expansion(const SchemaGraph& graph, FormulaPool* pool, TextStore* texts)
    : graph_(&graph),
      omits_(graph.options.optional_properties == OptionalProperties::kOmit),
      spelling_(string_spelling(graph.options)),
      pool_(pool),
      texts_(texts) {}

FormulaId Expansion::expand(NodeId id, ValueClass value_class) {
  const uint64_t key = uint64_t{id} << 3 | static_cast<uint64_t>(value_class);
  const auto it = memo_.find(key);
  if (it != memo_.end()) {
    if (it->second != kInProgress) {
      if (const auto rests = provisional_.find(key); rests != provisional_.end())
        rest_on(rests->second);
      return it->second;
    }
    rest_on(static_cast<size_t>(
        std::find_if(open_.begin(), open_.end(), [&](const Open& o) { return o.key == key; }) -
        open_.begin()));
    return FormulaPool::kTrue;
  }
  memo_[key] = kInProgress;
  const size_t depth = open_.size();
  open_.push_back({key, depth});
  std::vector<FormulaId> parts;
  for (const Piece& piece : pieces(id, value_class)) parts.push_back(piece.formula);
  const FormulaId f = pool_->conjunction(std::move(parts));
  memo_[key] = f;
  const size_t lowest = open_.back().lowest;
  open_.pop_back();
  if (lowest < depth) {
    provisional_[key] = lowest;
    rest_on(lowest);
  } else if (!provisional_.empty()) {
    std::erase_if(provisional_, [&](const auto& entry) {
      return entry.second >= depth && memo_.erase(entry.first) > 0;
    });
  }
  return f;
}

// The node being expanded takes the one at this depth, which is open, for true.
void Expansion::rest_on(size_t depth) {
  if (!open_.empty()) open_.back().lowest = std::min(open_.back().lowest, depth);
}

FormulaId Expansion::expand_all(const std::vector<NodeId>& ids, ValueClass value_class) {
  if (omits_ && value_class == ValueClass::kObject) return expand_lists({ids}, value_class)[0];
  std::vector<FormulaId> parts;
  for (const NodeId id : ids) parts.push_back(expand(id, value_class));
  return pool_->conjunction(std::move(parts));
}

std::vector<FormulaId> Expansion::expand_lists(const std::vector<std::vector<NodeId>>& lists,
                                               ValueClass value_class) {
  if (omits_ && value_class == ValueClass::kObject) return expand_demanding(lists);
  std::vector<FormulaId> formulas;
  for (const auto& list : lists) formulas.push_back(expand_all(list, value_class));
  return formulas;
}

std::vector<Expansion::Piece> Expansion::pieces(NodeId id, ValueClass c) {
  const SchemaNode& node = this->node(id);
  std::vector<Piece> out;
  if (node.kind == SchemaNode::Kind::kTrue) return out;
  if (node.kind == SchemaNode::Kind::kFalse) return {{"false", FormulaPool::kFalse}};
  out.push_back({"type", type_formula(node, c)});
  if (out[0].formula == FormulaPool::kFalse) return out;
  if (node.const_value) out.push_back({"const", one_of_values(node, {&*node.const_value}, c)});
  if (node.enum_values) {
    std::vector<const JsonValue*> values;
    for (const JsonValue& value : *node.enum_values) values.push_back(&value);
    out.push_back({"enum", one_of_values(node, values, c)});
  }
  switch (c) {
    case ValueClass::kString:
      string_assertions(node, &out);
      break;
    case ValueClass::kNumber:
      number_assertions(node, &out);
      break;
    case ValueClass::kObject:
      object_assertions(id, node, &out);
      break;
    case ValueClass::kArray:
      array_assertions(id, node, &out);
      break;
    default:
      break;
  }
  in_place(node, c, &out);
  if (const FormulaId rest = unevaluated(id, c); rest != FormulaPool::kTrue) {
    const bool object = c == ValueClass::kObject;
    out.push_back({object ? "unevaluatedProperties" : "unevaluatedItems", rest});
  }
  return out;
}

void Expansion::in_place(const SchemaNode& node, ValueClass c, std::vector<Piece>* out) {
  if (node.ref != kNoNode) out->push_back({"$ref", expand(node.ref, c), node.ref});
  for (const NodeId part : node.all_of) out->push_back({"allOf", expand(part, c), part});
  const auto expanded = [&](const std::vector<NodeId>& ids) {
    std::vector<FormulaId> parts;
    for (const NodeId part : ids) parts.push_back(expand(part, c));
    return parts;
  };
  if (!node.any_of.empty()) out->push_back({"anyOf", pool_->disjunction(expanded(node.any_of))});
  if (!node.one_of.empty()) out->push_back({"oneOf", pool_->exactly_one(expanded(node.one_of))});
  if (node.not_schema != kNoNode)
    out->push_back({"not", pool_->negate(expand(node.not_schema, c))});
  if (node.if_schema != kNoNode && (node.then_schema != kNoNode || node.else_schema != kNoNode)) {
    const FormulaId condition = expand(node.if_schema, c);
    if (node.then_schema != kNoNode) {
      out->push_back(
          {"then", pool_->disjunction({pool_->negate(condition), expand(node.then_schema, c)})});
    }
    if (node.else_schema != kNoNode) {
      out->push_back({"else", pool_->disjunction({condition, expand(node.else_schema, c)})});
    }
  }
}

FormulaId Expansion::type_formula(const SchemaNode& node, ValueClass c) {
  uint8_t bit = 0;
  switch (c) {
    case ValueClass::kNull:
      bit = kTypeNull;
      break;
    case ValueClass::kFalse:
    case ValueClass::kTrue:
      bit = kTypeBoolean;
      break;
    case ValueClass::kNumber: {
      if (node.types & kTypeNumber) return FormulaPool::kTrue;
      if (!(node.types & kTypeInteger)) return FormulaPool::kFalse;
      return number_atom(node.dialect == Dialect::kDraft4 ? NumberAtom::Kind::kIntegerSpelling
                                                          : NumberAtom::Kind::kInteger,
                         Decimal());
    }
    case ValueClass::kString:
      bit = kTypeString;
      break;
    case ValueClass::kArray:
      bit = kTypeArray;
      break;
    case ValueClass::kObject:
      bit = kTypeObject;
      break;
  }
  return node.types & bit ? FormulaPool::kTrue : FormulaPool::kFalse;
}

FormulaId Expansion::one_of_values(const SchemaNode& node,
                                   const std::vector<const JsonValue*>& values, ValueClass c) {
  using Kind = JsonValue::Kind;
  std::vector<FormulaId> any;
  std::vector<std::string_view> strings;
  std::vector<Decimal> numbers;
  for (const JsonValue* value : values) {
    switch (value->kind) {
      case Kind::kNull:
        if (c == ValueClass::kNull) return FormulaPool::kTrue;
        break;
      case Kind::kFalse:
        if (c == ValueClass::kFalse) return FormulaPool::kTrue;
        break;
      case Kind::kTrue:
        if (c == ValueClass::kTrue) return FormulaPool::kTrue;
        break;
      case Kind::kNumber:
        if (c == ValueClass::kNumber) numbers.push_back(value->number);
        break;
      case Kind::kString:
        if (c == ValueClass::kString) strings.push_back(value->string);
        break;
      case Kind::kArray:
        if (c == ValueClass::kArray) any.push_back(expand(value_node(*value, node), c));
        break;
      case Kind::kObject:
        if (c == ValueClass::kObject) any.push_back(expand(value_node(*value, node), c));
        break;
    }
  }
  if (!strings.empty()) {
    sort_texts(&strings);
    std::vector<std::u32string> sorted;
    sorted.reserve(strings.size());
    for (const std::string_view text : strings) sorted.push_back(to_codepoints(text));
    any.push_back(strings_atom(std::move(sorted)));
  }
  if (!numbers.empty()) any.push_back(numbers_atom(std::move(numbers)));
  return pool_->disjunction(std::move(any));
}

NodeId Expansion::enum_node(std::vector<JsonValue> values) {
  SchemaNode node;
  node.enum_values = std::move(values);
  return add_node(std::move(node));
}

NodeId Expansion::add_node(SchemaNode node) {
  added_.push_back(std::move(node));
  return static_cast<NodeId>(graph_->nodes.size() + added_.size() - 1);
}

NodeId Expansion::value_node(const JsonValue& value, const SchemaNode& like) {
  if (const auto it = value_nodes_.find(&value); it != value_nodes_.end()) return it->second;
  SchemaNode node;
  node.pointer = like.pointer;
  node.dialect = like.dialect;
  const auto constant = [&](const JsonValue& v) {
    if (v.kind == JsonValue::Kind::kArray || v.kind == JsonValue::Kind::kObject)
      return value_node(v, like);
    SchemaNode scalar;
    scalar.pointer = like.pointer;
    scalar.dialect = like.dialect;
    scalar.const_value = v;
    return add_node(std::move(scalar));
  };
  SchemaNode nothing;
  nothing.kind = SchemaNode::Kind::kFalse;
  nothing.pointer = like.pointer;
  const NodeId none = add_node(std::move(nothing));
  if (value.kind == JsonValue::Kind::kArray) {
    node.types = kTypeArray;
    for (const JsonValue& item : value.items) node.prefix_items.push_back(constant(item));
    node.items = none;
    node.min_items = node.max_items = value.items.size();
  } else {
    node.types = kTypeObject;
    for (const auto& [name, member] : value.members) {
      node.properties.emplace_back(name, constant(member));
      node.required.push_back(name);
    }
    node.additional_properties = none;
  }
  return value_nodes_[&value] = add_node(std::move(node));
}

// A node that says "the property is there and is this string".
NodeId Expansion::condition_node(const PropertyDependency& dependency) {
  const auto [it, inserted] = condition_nodes_.try_emplace({dependency.name, dependency.value}, 0);
  if (!inserted) return it->second;
  SchemaNode value;
  JsonValue text;
  text.kind = JsonValue::Kind::kString;
  text.string = dependency.value;
  value.const_value = std::move(text);
  SchemaNode node;
  node.types = kTypeObject;
  node.properties.emplace_back(dependency.name, add_node(std::move(value)));
  node.required.push_back(dependency.name);
  return it->second = add_node(std::move(node));
}

FormulaId Expansion::pattern_atom(const std::shared_ptr<const CodepointAutomaton>& automaton) {
  const auto [it, inserted] =
      automaton_ids_.try_emplace(automaton.get(), static_cast<uint32_t>(atoms_.automata.size()));
  if (inserted) atoms_.automata.push_back(automaton);
  return pool_->atom({Atom::Kind::kPattern, it->second, 0});
}

uint32_t Expansion::demand_rank(const std::string& name) {
  if (demand_ranks_.empty()) {
    const auto add = [&](const std::string& each) {
      demand_ranks_.try_emplace(each, static_cast<uint32_t>(demand_ranks_.size()));
    };
    for (const SchemaNode& node : graph_->nodes) {
      for (const std::string& each : node.required) add(each);
      for (const auto& [each, others] : node.dependent_required) {
        add(each);
        for (const std::string& other : others) add(other);
      }
    }
  }
  const auto it = demand_ranks_.find(name);
  return it != demand_ranks_.end() ? it->second : UINT32_MAX;
}

FormulaId Expansion::required_atom(std::string_view name) {
  const std::u32string text = to_codepoints(name);
  if (!spellable(text, spelling_)) return FormulaPool::kFalse;
  return pool_->atom({Atom::Kind::kRequired, texts_->intern(text), 0});
}

FormulaId Expansion::strings_atom(std::vector<std::u32string> strings) {
  if (spelling_ != StringSpelling::kJson)
    std::erase_if(strings, [this](const auto& text) { return !spellable(text, spelling_); });
  if (strings.empty()) return FormulaPool::kFalse;
  if (!std::is_sorted(strings.begin(), strings.end())) std::sort(strings.begin(), strings.end());
  strings.erase(std::unique(strings.begin(), strings.end()), strings.end());
  uint64_t hash = strings.size();
  for (const std::u32string& text : strings) {
    hash = hash_append(hash, text.size());
    for (size_t i = 0; i + 1 < text.size(); i += 2)
      hash = hash_append(hash, uint64_t{text[i]} << 32 | text[i + 1]);
    if (text.size() % 2 != 0) hash = hash_append(hash, text.back());
  }
  uint32_t id =
      string_set_ids_.find(hash, [&](uint32_t i) { return atoms_.string_sets[i] == strings; });
  if (id == IdTable::kNone) {
    id = static_cast<uint32_t>(atoms_.string_sets.size());
    atoms_.string_sets.push_back(std::move(strings));
    string_set_ids_.insert(hash, id);
  }
  return pool_->atom({Atom::Kind::kOneOfStrings, id, 0});
}

FormulaId Expansion::number_atom(NumberAtom::Kind kind, const Decimal& operand) {
  const auto [it, inserted] = number_ids_.try_emplace({static_cast<int>(kind), operand.key()},
                                                      static_cast<uint32_t>(atoms_.numbers.size()));
  if (inserted) atoms_.numbers.push_back({kind, operand, {}});
  return pool_->atom({Atom::Kind::kNumber, it->second, 0});
}

FormulaId Expansion::numbers_atom(std::vector<Decimal> numbers) {
  std::sort(numbers.begin(), numbers.end(),
            [](const Decimal& a, const Decimal& b) { return compare(a, b) < 0; });
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.size() == 1) return number_atom(NumberAtom::Kind::kEqual, numbers[0]);
  std::string key;
  for (const Decimal& number : numbers) key += number.key() + "|";
  constexpr auto kKind = NumberAtom::Kind::kOneOf;
  const auto [it, inserted] = number_ids_.try_emplace({static_cast<int>(kKind), std::move(key)},
                                                      static_cast<uint32_t>(atoms_.numbers.size()));
  if (inserted) atoms_.numbers.push_back({kKind, {}, std::move(numbers)});
  return pool_->atom({Atom::Kind::kNumber, it->second, 0});
}

void Expansion::string_assertions(const SchemaNode& node, std::vector<Piece>* out) {
  if (node.min_length)
    out->push_back({"minLength", at_least(Atom::Kind::kLength, *node.min_length)});
  if (node.max_length) {
    out->push_back(
        {"maxLength", pool_->negate(at_least(Atom::Kind::kLength, *node.max_length + 1))});
  }
  if (node.pattern_automaton != nullptr)
    out->push_back({"pattern", pattern_atom(node.pattern_automaton)});
  if (node.format_automaton != nullptr)
    out->push_back({"format", pattern_atom(node.format_automaton)});
  if (node.content_automaton != nullptr)
    out->push_back({node.content_keyword, pattern_atom(node.content_automaton)});
}

void Expansion::number_assertions(const SchemaNode& node, std::vector<Piece>* out) {
  using Kind = NumberAtom::Kind;
  const auto less = [&](const Decimal& bound) { return number_atom(Kind::kLess, bound); };
  const auto at_most = [&](const Decimal& bound) {
    return pool_->disjunction({less(bound), number_atom(Kind::kEqual, bound)});
  };
  if (node.minimum) out->push_back({"minimum", pool_->negate(less(*node.minimum))});
  if (node.maximum) out->push_back({"maximum", at_most(*node.maximum)});
  if (node.exclusive_minimum)
    out->push_back({"exclusiveMinimum", pool_->negate(at_most(*node.exclusive_minimum))});
  if (node.exclusive_maximum) out->push_back({"exclusiveMaximum", less(*node.exclusive_maximum)});
  if (node.multiple_of)
    out->push_back({"multipleOf", number_atom(Kind::kMultipleOf, *node.multiple_of)});
}

void Expansion::object_assertions(NodeId id, const SchemaNode& node, std::vector<Piece>* out) {
  const auto asks = [&](NodeId child) { return child != kNoNode && !trivially_true(child); };
  bool any = asks(node.additional_properties) || asks(node.property_names);
  for (const auto& property : node.pattern_properties) any |= !trivially_true(property.node);
  // Names that are only listed are still worth knowing: they give the generation profile its order.
  if (any || !node.properties.empty()) {
    out->push_back({"properties", pool_->atom({Atom::Kind::kProperties, id, 0})});
  }
  for (const std::string& name : node.required) out->push_back({"required", required_atom(name)});
  if (node.omitted) {
    for (const std::string& name : *node.omitted) {
      const uint32_t text = texts_->intern(to_codepoints(name));
      out->push_back(
          {"properties", pool_->disjunction({pool_->negate(required_atom(name)),
                                             pool_->atom({Atom::Kind::kDemanded, text, 0})})});
    }
  }
  if (node.min_properties) {
    out->push_back({"minProperties", at_least(Atom::Kind::kMoreProperties, *node.min_properties)});
  }
  if (node.max_properties) {
    out->push_back({"maxProperties", pool_->negate(at_least(Atom::Kind::kMoreProperties,
                                                            *node.max_properties + 1))});
  }
  for (const auto& [name, names] : node.dependent_required) {
    for (const std::string& other : names) {
      out->push_back({"dependentRequired", pool_->disjunction({pool_->negate(required_atom(name)),
                                                               required_atom(other)})});
    }
  }
  for (const auto& [name, schema] : node.dependent_schemas) {
    out->push_back({"dependentSchemas", pool_->disjunction({pool_->negate(required_atom(name)),
                                                            expand(schema, ValueClass::kObject)})});
  }
  for (const PropertyDependency& dependency : node.property_dependencies) {
    const FormulaId applies = expand(condition_node(dependency), ValueClass::kObject);
    out->push_back({"propertyDependencies",
                    pool_->disjunction(
                        {pool_->negate(applies), expand(dependency.node, ValueClass::kObject)})});
  }
}

void Expansion::array_assertions(NodeId id, const SchemaNode& node, std::vector<Piece>* out) {
  bool any = node.items != kNoNode && !trivially_true(node.items);
  for (const NodeId item : node.prefix_items) any |= !trivially_true(item);
  if (any) out->push_back({"items", pool_->atom({Atom::Kind::kItems, id, 0})});
  if (node.min_items)
    out->push_back({"minItems", at_least(Atom::Kind::kMoreItems, *node.min_items)});
  if (node.max_items) {
    out->push_back(
        {"maxItems", pool_->negate(at_least(Atom::Kind::kMoreItems, *node.max_items + 1))});
  }
  if (node.unique_items) out->push_back({"uniqueItems", pool_->atom({Atom::Kind::kUnique, 0, 0})});
  if (node.contains != kNoNode) {
    const auto contains = [&](uint64_t bound) {
      return pool_->atom({Atom::Kind::kContains, node.contains, bound});
    };
    out->push_back({"contains", contains(node.min_contains.value_or(1))});
    if (node.max_contains)
      out->push_back({"maxContains", pool_->negate(contains(*node.max_contains + 1))});
  }
}

}  // namespace espalier
