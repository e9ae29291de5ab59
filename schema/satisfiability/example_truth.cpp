// Which formulas an example satisfies: the judge of examples.cpp.
//
// The idea: a formula about a class of values is evaluated like any other, each atom looked up in
// the value at hand; an atom about a part asks the same of the part. Where the value is not known,
// or an atom not looked into (different items, unevaluated properties), the truth is unknown.
//
// Example: kProperties B of {"name": "a"}, B's name being the constant "b": the string "a" is not
// among {"b"}, so it is false.
//
// Invariant: true and false are certain. Cost: linear in the formula and the value.
#include <algorithm>

#include "schema/json/unicode.h"
#include "schema/satisfiability/examples.h"

namespace espalier {
namespace {

using Ternary = FormulaPool::Ternary;

Ternary ternary(bool truth) { return truth ? Ternary::kTrue : Ternary::kFalse; }

// a and b.
Ternary both(Ternary a, Ternary b) {
  if (a == Ternary::kFalse || b == Ternary::kFalse) return Ternary::kFalse;
  return a == Ternary::kTrue ? b : a;
}

const Example kNull;
const std::u32string kUnlistedName = U"~unlisted~";

}  // namespace

const std::u32string& Examples::name(uint32_t text) {
  const auto [it, inserted] = names_.try_emplace(text);
  if (inserted) {
    it->second.first = text == TextStore::kUnseen ? kUnlistedName : texts_->text(text);
    for (const char32_t c : it->second.first) append_wtf8(&it->second.second, c);
  }
  return it->second.first;
}

const std::string& Examples::utf8_name(uint32_t text) {
  name(text);
  return names_[text].second;
}

Ternary Examples::satisfies(NodeId node, const Example* example) {
  const Example& value = example != nullptr ? *example : kNull;
  return truth(expansion_->expand(node, value.value_class), value);
}

Ternary Examples::truth(FormulaId f, const Example& example, uint64_t index) {
  using Op = FormulaPool::Op;
  const auto among_known = [&](FormulaId g) {
    return example.known == g || (pool_->op(example.known) == Op::kAnd &&
                                  std::binary_search(pool_->parts(example.known).begin(),
                                                     pool_->parts(example.known).end(), g));
  };
  return pool_->truth_by_parts(f, [&](FormulaId g) -> std::optional<Ternary> {
    const bool is_atom = pool_->op(g) == Op::kAtom;
    if (example.known == FormulaPool::kFalse)
      return is_atom ? std::optional(truth_of(Atom(pool_->atom_of(g)), example, index))
                     : std::nullopt;
    if (among_known(g)) return Ternary::kTrue;
    if (!is_atom) return std::nullopt;
    return among_known(pool_->negate(g)) ? Ternary::kFalse : Ternary::kUnknown;
  });
}

Ternary Examples::truth_of(const Atom& atom, const Example& example, uint64_t index) {
  switch (atom.kind) {
    case Atom::Kind::kProperties:
      return properties_truth(atom.index, example);
    case Atom::Kind::kRequired:
      return ternary(std::any_of(example.members.begin(), example.members.end(),
                                 [&](const auto& m) { return m.text == atom.index; }));
    case Atom::Kind::kMoreProperties:
      return ternary(example.members.size() >= atom.bound);
    case Atom::Kind::kItems:
      return items_truth(atom.index, example, index);
    case Atom::Kind::kMoreItems:
      return ternary(example.items.size() >= atom.bound);
    case Atom::Kind::kContains: {
      uint64_t sure = 0, possible = 0;
      for (const Example* item : example.items) {
        const Ternary found = satisfies(atom.index, item);
        sure += found == Ternary::kTrue ? 1 : 0;
        possible += found != Ternary::kFalse ? 1 : 0;
      }
      return sure >= atom.bound      ? Ternary::kTrue
             : possible < atom.bound ? Ternary::kFalse
                                     : Ternary::kUnknown;
    }
    case Atom::Kind::kUnevaluatedProperties:
    case Atom::Kind::kUnevaluatedItems:
    case Atom::Kind::kUnique:
      // Items that went before are not known, so that the first one may be a repetition.
      return example.members.empty() && example.items.empty() ? Ternary::kTrue : Ternary::kUnknown;
    case Atom::Kind::kValue:
    case Atom::Kind::kDemanded:
      return Ternary::kUnknown;
    case Atom::Kind::kNumber:
      return ternary(number_truth(atom, example));
    default:
      return string_truth(atom, example);
  }
}

Ternary Examples::string_truth(const Atom& atom, const Example& example) {
  const std::u32string& text = example.string;
  if (atom.kind == Atom::Kind::kLength) return ternary(text.size() >= atom.bound);
  if (atom.kind == Atom::Kind::kOneOfStrings) {
    const auto& set = expansion_->atoms().string_sets[atom.index];
    return ternary(std::binary_search(set.begin(), set.end(), text));
  }
  const CodepointAutomaton& automaton = *expansion_->atoms().automata[atom.index];
  if (automaton.relaxed() != nullptr) return Ternary::kUnknown;
  uint32_t state = automaton.start();
  for (const char32_t c : text) {
    if (state == 0) break;
    state = automaton.step(state, c);
  }
  return ternary(state != 0 && automaton.accepting(state));
}

bool Examples::number_truth(const Atom& atom, const Example& example) {
  using Kind = NumberAtom::Kind;
  const NumberAtom& number = expansion_->atoms().numbers[atom.index];
  switch (number.kind) {
    case Kind::kLess:
      return compare(example.number, number.operand) < 0;
    case Kind::kEqual:
      return example.number == number.operand;
    case Kind::kMultipleOf:
      return is_multiple(example.number, number.operand);
    case Kind::kInteger:
    case Kind::kIntegerSpelling:
      return example.number.is_integer();
    default:
      return std::find(number.members.begin(), number.members.end(), example.number) !=
             number.members.end();
  }
}

// Adds what a property of this name must satisfy for the node; `allowed`: is the name itself?
// False where the name cannot be looked up.
bool Examples::children(NodeId id, uint32_t text, std::vector<NodeId>* out, Ternary* allowed) {
  const SchemaNode& node = expansion_->node(id);
  bool matched = false;
  const auto ask = [&](NodeId child) {
    matched = true;
    if (expansion_->trivially_false(child)) *allowed = Ternary::kFalse;
    if (!expansion_->trivially_true(child)) out->push_back(child);
  };
  const std::string& utf8 = utf8_name(text);
  const bool unlisted = text == TextStore::kUnseen;
  if (unlisted && (!node.pattern_properties.empty() || node.property_names != kNoNode))
    return false;
  for (const auto& [listed, child] : node.properties) {
    if (listed != utf8) continue;
    if (unlisted) return false;
    ask(child);
  }
  for (const PatternProperty& property : node.pattern_properties) {
    if (property.automaton->relaxed() != nullptr) return false;
    uint32_t state = property.automaton->start();
    for (const char32_t c : name(text)) {
      if (state == 0) break;
      state = property.automaton->step(state, c);
    }
    if (state != 0 && property.automaton->accepting(state)) ask(property.node);
  }
  if (!matched && node.additional_properties != kNoNode) ask(node.additional_properties);
  if (node.property_names != kNoNode) {
    Example as_string;
    as_string.value_class = ValueClass::kString;
    as_string.string = name(text);
    *allowed = both(*allowed, satisfies(node.property_names, &as_string));
  }
  return true;
}

Ternary Examples::properties_truth(NodeId node, const Example& example) {
  Ternary result = Ternary::kTrue;
  std::vector<NodeId> asked;
  for (const Example::Member& member : example.members) {
    asked.clear();
    if (!children(node, member.text, &asked, &result)) return Ternary::kUnknown;
    for (const NodeId child : asked) {
      if (result == Ternary::kFalse) return result;
      result = both(result, satisfies(child, member.value));
    }
    if (result == Ternary::kFalse) return result;
  }
  return result;
}

Ternary Examples::items_truth(NodeId id, const Example& example, uint64_t index) {
  Ternary result = Ternary::kTrue;
  for (size_t i = 0; i < example.items.size() && result != Ternary::kFalse; ++i) {
    const SchemaNode& node = expansion_->node(id);
    const uint64_t at = index + i;
    const NodeId child = at < node.prefix_items.size() ? node.prefix_items[at] : node.items;
    if (child != kNoNode) result = both(result, satisfies(child, example.items[i]));
  }
  return result;
}

}  // namespace espalier
