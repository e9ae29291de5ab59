// The names of an object location.
//
// The idea: all nodes that look at the properties of one object read its names together. A name is
// read by one string machine over the listed names and the patterns; at its closing quote the
// signature (which listed name, which patterns accept) fixes, for every node, which subschemas the
// value must satisfy. Names with the same signature form a class, described once.
//
// Example: {"properties": {"a": A}, "patternProperties": {"^x": X}, "additionalProperties": false}
// has classes "a" -> {A}, other names matching ^x -> {X}, other names -> violates.
//
// Reference: JSON Schema Core 2020-12 section 10.3.2.
#include "schema/satisfiability/key_shape.h"

#include <algorithm>
#include <forward_list>
#include <map>
#include <set>

#include "grammar/tables/sort_unique.h"
#include "schema/leaves/scalar_domain.h"
#include "schema/loading/schema_options.h"

namespace espalier {

KeyShape::KeyShape(std::vector<NodeId> nodes, const std::vector<uint32_t>& required,
                   Alternatives alternatives, const SchemaOptions& options, Expansion* expansion,
                   const FormulaPool& pool, TextStore* texts)
    : nodes_(std::move(nodes)), expansion_(expansion), pool_(&pool), texts_(texts) {
  StringSpec spec;
  spec.spelling = string_spelling(options);
  const Spelling::PropertyOrder order = options.spelling.property_order;
  const bool tells_apart =
      alternatives == Alternatives::kSeveral && order == Spelling::PropertyOrder::kProfile;
  std::map<std::string_view, int> constants;  // name -> nodes in which it has a constant value
  struct Listed {
    std::string_view name;  // WTF-8, which sorts as code points do
    uint32_t rank;          // when
    uint32_t node = 0;
    NodeId child = kNoNode;  // of the node, where it is a property
    bool demanded = false;
  };
  std::vector<Listed> listed;
  std::forward_list<std::string> spelled;  // names that the schema does not hold in WTF-8
  std::u32string codepoints;               // of the name at hand
  const auto list = [&](std::string_view name, uint32_t node = 0, NodeId child = kNoNode) {
    if (spec.spelling != StringSpelling::kJson && !spellable(to_codepoints(name), spec.spelling))
      return;
    listed.push_back({name, static_cast<uint32_t>(listed.size()), node, child});
  };
  const auto list_text = [&](std::u32string_view name) {
    std::string& wtf8 = spelled.emplace_front();
    for (const char32_t c : name) append_wtf8(&wtf8, c);
    list(wtf8);
  };
  const auto add_automaton = [&](const std::shared_ptr<const CodepointAutomaton>& automaton) {
    if (automaton_index_.try_emplace(automaton.get(), static_cast<uint32_t>(spec.automata.size()))
            .second) {
      spec.automata.push_back(automaton);
    }
  };
  if (order == Spelling::PropertyOrder::kGiven) {
    for (const std::string& name : options.spelling.property_names) list(name);
  }
  size_t properties = 0;
  for (const NodeId node : nodes_) properties += expansion->node(node).properties.size();
  listed.reserve(listed.size() + properties + required.size());
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const SchemaNode& node = expansion->node(nodes_[i]);
    for (const auto& [name, child] : node.properties) {
      const SchemaNode& value = expansion->node(child);
      if (tells_apart &&
          (value.const_value || (value.enum_values && value.enum_values->size() == 1))) {
        ++constants[name];
      }
      list(name, i, child);
    }
    for (const PatternProperty& property : node.pattern_properties)
      add_automaton(property.automaton);
    FormulaId names = FormulaPool::kTrue;
    if (node.property_names != kNoNode)
      names = expansion->expand(node.property_names, ValueClass::kString);
    name_formulas_.push_back(names);
  }
  for (const uint32_t text : required) {
    const size_t before = listed.size();
    list_text(texts->text(text));
    if (listed.size() != before) listed.back().demanded = true;
  }
  for (const FormulaId f : name_formulas_) {
    std::vector<FormulaId> stack{f};
    while (!stack.empty()) {
      const FormulaId g = stack.back();
      stack.pop_back();
      stack.insert(stack.end(), pool.parts(g).begin(), pool.parts(g).end());
      if (pool.op(g) != FormulaPool::Op::kAtom) continue;
      const Atom& atom = pool.atom_of(g);
      if (atom.kind == Atom::Kind::kPattern) add_automaton(expansion->atoms().automata[atom.index]);
      if (atom.kind == Atom::Kind::kLength) spec.lengths.push_back(atom.bound);
      if (atom.kind == Atom::Kind::kOneOfStrings) {
        for (const auto& s : expansion->atoms().string_sets[atom.index]) list_text(s);
      }
    }
  }
  sort_unique(&spec.lengths);
  if (tells_apart) {
    for (Listed& each : listed) {
      const auto it = constants.find(each.name);
      if (it == constants.end() || it->second < 2)
        each.rank += static_cast<uint32_t>(listed.size());
    }
  }
  std::sort(listed.begin(), listed.end(), [](const Listed& a, const Listed& b) {
    const int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.rank < b.rank;
  });
  size_t letters = 0;
  for (const Listed& each : listed) letters += each.name.size();
  texts->reserve(letters);
  std::vector<uint32_t> demanded, ranks;  // the strings that are listed for that alone
  std::string_view last;
  for (const Listed& each : listed) {
    if (spec.strings.empty() || last != each.name) {
      last = each.name;
      codepoints.clear();
      append_codepoints(&codepoints, each.name);
      if (each.demanded) {
        demanded.push_back(static_cast<uint32_t>(order_of_string_.size()));
        ranks.push_back(each.rank);
      }
      text_of_string_.push_back(texts->intern(codepoints));
      order_of_string_.push_back(each.rank);
      string_of_text_.try_emplace(text_of_string_.back(),
                                  static_cast<uint32_t>(spec.strings.size()));
      spec.strings.push_back(codepoints);
    }
    if (each.child == kNoNode) continue;
    properties_.push_back({static_cast<uint32_t>(spec.strings.size() - 1), each.node, each.child});
  }
  if (demanded.size() > 1) order_demanded(demanded, std::move(ranks), spec.strings);
  std::sort(properties_.begin(), properties_.end());
  class_of_string_.assign(spec.strings.size(), kNoClass);
  machine_ = std::make_unique<const StringMachine>(std::move(spec));
}

// Gives the ranks to the strings that no node lists, in the order in which the schema demands them.
// That of their texts would tell what was read before.
void KeyShape::order_demanded(const std::vector<uint32_t>& demanded, std::vector<uint32_t> ranks,
                              const StringList& strings) {
  std::vector<std::pair<uint32_t, uint32_t>> order;
  for (const uint32_t i : demanded) {
    std::string name;
    for (const char32_t c : strings[i]) append_wtf8(&name, c);
    order.emplace_back(expansion_->demand_rank(name), i);
  }
  std::sort(order.begin(), order.end());
  std::sort(ranks.begin(), ranks.end());
  for (size_t i = 0; i < ranks.size(); ++i) order_of_string_[order[i].second] = ranks[i];
}

size_t KeyShape::node_index(NodeId id) const {
  return static_cast<size_t>(std::lower_bound(nodes_.begin(), nodes_.end(), id) - nodes_.begin());
}

uint32_t KeyShape::class_of(const StringSignature& signature) {
  const auto next = static_cast<uint32_t>(classes_.size());
  uint32_t* known = nullptr;
  if (signature.string != StringSignature::kOther) {
    known = &class_of_string_[signature.string];
  } else {
    std::string key(reinterpret_cast<const char*>(&signature.length_rank),
                    sizeof signature.length_rank);
    for (const bool bit : signature.accepted) key.push_back(bit ? '1' : '0');
    known = &class_ids_.try_emplace(std::move(key), kNoClass).first->second;
  }
  if (*known == kNoClass) {
    *known = next;
    classes_.push_back(describe(signature));
    signatures_.push_back(signature);
  }
  return *known;
}

std::optional<uint32_t> KeyShape::class_of_text(uint32_t text) {
  const auto* const string = string_of_text_.find(text);
  if (string == nullptr) return std::nullopt;
  return listed_classes()[string->second];
}

const std::vector<uint32_t>& KeyShape::listed_classes() {
  if (listed_classes_.empty()) {
    machine_->search_listed(machine_->product(machine_->start()),
                            [&](const StringSignature& signature) {
                              listed_classes_.push_back(class_of(signature));
                              return false;
                            });
  }
  return listed_classes_;
}

uint32_t KeyShape::rank_of(std::u32string_view name) const {
  const auto& strings = machine_->spec().strings;
  const size_t i = strings.lower_bound(name);
  return i < strings.size() && strings[i] == name ? order_of_string_[i] : UINT32_MAX;
}

uint32_t KeyShape::class_of_name(std::u32string_view name) {
  uint32_t product = machine_->product(machine_->start());
  for (const char32_t c : name) product = machine_->step_codepoint(product, c);
  return class_of(machine_->signature(product));
}

uint64_t KeyShape::names_left(uint32_t id, const SetStore& sets, uint32_t seen) {
  if (only_listed()) return ScalarDomain::kMany;
  const auto [it, inserted] = name_counts_.try_emplace(id, ScalarDomain::kMany);
  if (inserted) {
    if (!name_graph_) name_graph_.emplace(*machine_);
    it->second = name_graph_->count([&](uint32_t product) {
      const StringSignature& signature = machine_->signature(product);
      return signature.string == StringSignature::kOther && class_of(signature) == id;
    });
  }
  if (it->second >= ScalarDomain::kMany) return it->second;
  uint64_t left = it->second;
  sets.for_each(seen, [&](uint32_t text) {
    if (left == 0 || text == TextStore::kUnseen) return;
    const uint32_t unseen = TextStore::kUnseen - 1 - text;
    left -= (unseen < kUnseenNames ? unseen : class_of_name(texts_->text(text))) == id ? 1 : 0;
  });
  return left;
}

const std::vector<uint32_t>& KeyShape::other_classes() {
  if (!other_classes_) {
    std::set<uint32_t> found;
    const auto result = machine_->search_unlisted(machine_->product(machine_->start()),
                                                  [&](const StringSignature& signature) {
                                                    found.insert(class_of(signature));
                                                    return false;
                                                  });
    const bool predicates = std::ranges::any_of(
        machine_->spec().automata, [](const auto& a) { return a->relaxed() != nullptr; });
    other_classes_known_ = result != StringMachine::Search::kOverBudget && !predicates;
    other_classes_.emplace(found.begin(), found.end());
  }
  return *other_classes_;
}

bool KeyShape::other_classes_known() {
  other_classes();
  return other_classes_known_;
}

KeyClass KeyShape::describe(const StringSignature& signature) {
  KeyClass result;
  const StringSpec& spec = machine_->spec();
  std::optional<std::u32string_view> name;
  if (signature.string != StringSignature::kOther) {
    result.string = signature.string;
    result.text = text_of_string_[signature.string];
    result.order = order_of_string_[signature.string];
    name = spec.strings[signature.string];
  }
  // Of nodes in order.
  auto property = name ? std::lower_bound(properties_.begin(), properties_.end(),
                                          Property{signature.string, 0, 0})
                       : properties_.end();
  const auto accepted = [&](const CodepointAutomaton* automaton) {
    return static_cast<bool>(signature.accepted[automaton_index_.at(automaton)]);
  };
  const auto truth = [&](const Atom& atom) {
    switch (atom.kind) {
      case Atom::Kind::kPattern:
        return accepted(expansion_->atoms().automata[atom.index].get());
      case Atom::Kind::kOneOfStrings: {
        const auto& set = expansion_->atoms().string_sets[atom.index];
        return name && std::binary_search(set.begin(), set.end(), *name);
      }
      default:
        return signature.length_rank >
               static_cast<size_t>(
                   std::lower_bound(spec.lengths.begin(), spec.lengths.end(), atom.bound) -
                   spec.lengths.begin());
    }
  };
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const SchemaNode& node = expansion_->node(nodes_[i]);
    KeyEffect effect;
    bool matched = false;
    const auto ask = [&](NodeId child) {
      matched = true;
      if (expansion_->trivially_false(child)) effect.violates = true;
      if (!expansion_->trivially_true(child)) effect.children.push_back(child);
    };
    for (; property != properties_.end() && property->string == signature.string &&
           property->node == i;
         ++property) {
      ask(property->child);
    }
    for (const PatternProperty& pattern : node.pattern_properties) {
      if (accepted(pattern.automaton.get())) ask(pattern.node);
    }
    effect.evaluates = matched;
    if (!matched && node.additional_properties != kNoNode) ask(node.additional_properties);
    if (!pool_->evaluate(name_formulas_[i], truth)) effect.violates = true;
    std::sort(effect.children.begin(), effect.children.end());
    result.effects.push_back(std::move(effect));
  }
  return result;
}

size_t KeyShape::memory_bytes() const {
  return sizeof *this + machine_->memory_bytes() +
         classes_.size() * (sizeof(KeyClass) + 48 * nodes_.size()) + text_of_string_.size() * 64 +
         properties_.capacity() * sizeof(Property);
}

}  // namespace espalier
