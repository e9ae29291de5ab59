// uniqueItems: what the machine must remember of values, and which values may not come.
//
// The idea. While it matters whether an array's items differ (a kUnique atom is open in its
// formulas), its item slots *remember*: strings and numbers carry what was spelled in State::text,
// containers below such a slot carry their content so far, and when the value ends it has an id
// (canonical_value.h). The array's frame holds the set of ids used. A repeated item turns kUnique
// false, in whatever combination the atom stands.
//
// Where a repetition could not be made good, the used values are *forbidden* to the next item
// before it is read: the slot carries them as a set. A forbidden literal is not offered, a number
// or a string leaf is built without the forbidden ones, and a container carries those that agree
// with its content so far: {"a": 1 can only become one of the used objects whose "a" is 1, so after
// "a": 2 the set is empty and nothing is checked any more. While it is not, each step asks whether
// the container can still become something else, and a part is forbidden in turn when it cannot.
//
// Example: {"uniqueItems": true, "items": {"enum": ["x", "y"]}, "minItems": 2} after ["x", : the
// leaf of the second item is that of {"enum": ["x", "y"]} and not "x".
//
// An enumeration of strings is one machine, and each item's leaf that machine with a bit for each
// string that is left (listed_leaf.h).
//
// Where an outcome of the item is acceptable only if the item repeats a used one, the slot tracks
// whether it does: {"oneOf": [{"items": N, "uniqueItems": true}, {}]} after [1, takes a 1, or what
// is not N.
//
// Strings that can always be made longer (ScalarLeaf::endless) keep their leaf, which all arrays
// share, and a repetition is refused at the closing quote alone.
//
// Looking ahead remembers no text: a value with a text that was never stored equals none that is
// stored, but two of them in one token may be equal; then the answer is State::doubt().
//
// Invariants: a value that is not forbidden leaves its container completable, as far as
// value_ways.cpp decides; kUnseen occurs in frames reached by looking ahead only.
//
// Cost: a byte of a remembered scalar is one hash look-up more. An item is compared by id. Asking
// whether a container can differ is one comparison of a count with the number of forbidden values,
// except where that many values do not exist.
// Reference: JSON Schema Validation 2020-12 section 6.4.3; Core section 4.2.2 (equality).
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/leaves/listed_leaf.h"
#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

constexpr uint32_t kMaxListed = 512;     // forbidden strings for which a leaf is built
constexpr uint32_t kMaxCandidates = 64;  // forbidden containers that are compared in full
constexpr uint64_t kMaxOtherStrings = 1u << 20;

uint32_t binding_width(const std::vector<Binding>& bindings) {
  uint32_t width = 0;
  for (const Binding& binding : bindings) width = std::max(width, binding.bit + 1);
  return width;
}

Outcome outcome_of(uint32_t width, uint32_t bits) {
  Outcome outcome(width);
  for (uint32_t i = 0; i < width; ++i) outcome[i] = bits >> i & 1;
  return outcome;
}

// What a value does that has this outcome.
Goal goal_of(const Ask& ask, uint32_t width, uint32_t bits) {
  Goal goal{ask[0], {}};
  for (uint32_t i = 0; i < width; ++i) {
    const std::vector<NodeId>& list = ask[i + 1];
    if (bits >> i & 1) {
      goal.must.insert(goal.must.end(), list.begin(), list.end());
    } else {
      goal.fail.push_back(list);
    }
  }
  sort_unique(&goal.must);
  std::sort(goal.fail.begin(), goal.fail.end());
  return goal;
}

}  // namespace

bool SchemaMachine::unique_pending(const std::vector<FormulaId>& formulas) {
  if (!compares_items_) return false;
  return std::any_of(formulas.begin(), formulas.end(), [&](FormulaId f) {
    return std::binary_search(pool_.atoms(f).begin(), pool_.atoms(f).end(), unique_);
  });
}

uint32_t SchemaMachine::keep(uint32_t values, const std::function<bool(uint32_t)>& wanted) {
  std::vector<uint32_t> kept;
  sets_.for_each(values, [&](uint32_t v) {
    if (v != ValueStore::kUnseen && wanted(v)) kept.push_back(v);
  });
  if (kept.size() == sets_.size(values)) return values;
  uint32_t out = SetStore::kEmpty;
  for (const uint32_t v : kept) out = sets_.insert(out, v);
  return out;
}

// Are the values of this class that the slot asks for few, and all forbidden?
bool SchemaMachine::all_forbidden(const Frame& slot, ValueClass value_class) {
  if (slot.forbidden == SetStore::kEmpty) return false;
  const auto few = existence_.few_values({asks_[slot.ask][0], {}},
                                         std::min(sets_.size(slot.forbidden), kMaxCandidates));
  return few && std::all_of(few->begin(), few->end(), [&](uint32_t v) {
           return values_.class_of(v) != value_class || sets_.contains(slot.forbidden, v);
         });
}

uint32_t SchemaMachine::forbidden_of_class(uint32_t values, ValueClass value_class) {
  if (values == SetStore::kEmpty) return values;
  return keep(values, [&](uint32_t v) { return values_.class_of(v) == value_class; });
}

// ---- Before a value ----------------------------------------------------------------------------

// The frame after one more item, its value still open.
void SchemaMachine::prepare_item(Frame* array, std::vector<FormulaId> formulas,
                                 std::vector<Binding>* bindings, Ask* ask) {
  if (!compares_items_) return;
  if (!unique_pending(formulas)) array->seen = SetStore::kEmpty;
  if (array->forbidden != SetStore::kEmpty) {
    array->forbidden = keep(array->forbidden, [&](uint32_t v) {
      return values_.items(v).size() > values_.length(array->content);
    });
  }
  if (array->seen == SetStore::kEmpty || forced(formulas[0], unique_)) return;
  // Where a value that was not used leads nowhere, it must be one that was.
  Frame fresh = *array;
  fresh.forbidden = SetStore::kEmpty;
  if (live_with(fresh, *ask, *bindings, 0, ValueStore::kUnseen, Outcomes::kOfAny)) {
    if (!repetition_helps(fresh, *ask, *bindings)) return;
    ask->push_back({one_of(array->seen)});
    bindings->push_back({Atom::Kind::kUnique, 0, static_cast<uint32_t>(ask->size() - 2)});
    std::sort(bindings->begin(), bindings->end());
    return;
  }
  (*ask)[0].push_back(one_of(array->seen));
  std::sort((*ask)[0].begin(), (*ask)[0].end());
  violate_unique(&formulas);
  array->formulas = formula_lists_.intern(formulas);
  array->seen = SetStore::kEmpty;
}

// Is there an outcome that only a used value may have? Then it is tracked whether the item is one.
bool SchemaMachine::repetition_helps(const Frame& array, const Ask& ask,
                                     const std::vector<Binding>& bindings) {
  const uint32_t width = binding_width(bindings);
  if (width == 0 || width >= kMaxJointBits || sets_.contains(array.seen, ValueStore::kUnseen))
    return false;
  uint32_t used = ValueStore::kUnseen;
  sets_.for_each(array.seen, [&](uint32_t v) { used = v; });
  for (uint32_t bits = 0; bits < 1u << width; ++bits) {
    Goal goal = goal_of(ask, width, bits);
    goal.must.insert(std::lower_bound(goal.must.begin(), goal.must.end(), one_of(array.seen)),
                     one_of(array.seen));
    const Outcome outcome = outcome_of(width, bits);
    if (!live_after(array, bindings, outcome, 0, ValueStore::kUnseen) &&
        live_after(array, bindings, outcome, 0, used) && existence_.value(goal) != kNever) {
      return true;
    }
  }
  return false;
}

// Can the container be completed after a member with this value, for some outcome of its bindings
// that the value, or some value, has? Where these are too many to enumerate, it is taken for
// granted.
bool SchemaMachine::live_with(const Frame& container, const Ask& ask,
                              const std::vector<Binding>& bindings, uint32_t name, uint32_t value,
                              Outcomes outcomes) {
  const uint32_t width = binding_width(bindings);
  if (width > kMaxJointBits) return true;
  const bool repeats = value != ValueStore::kUnseen && sets_.contains(container.seen, value);
  for (uint32_t bits = 0; bits < 1u << width; ++bits) {
    const Outcome outcome = outcome_of(width, bits);
    if (std::ranges::any_of(bindings, [&](const Binding& binding) {
          return binding.kind == Atom::Kind::kUnique && outcome[binding.bit] != repeats;
        })) {
      continue;
    }
    const Goal goal = goal_of(ask, width, bits);
    const bool had =
        width == 0 || (outcomes == Outcomes::kOfValue ? existence_.admits(goal, value)
                                                      : existence_.value(goal) != kNever);
    if (!had) continue;
    if (live_after(container, bindings, outcome, name, value)) return true;
  }
  return false;
}

bool SchemaMachine::live_after(const Frame& container, const std::vector<Binding>& bindings,
                               const Outcome& outcome, uint32_t name, uint32_t value) {
  Frame after = container;
  std::vector<FormulaId> left = formula_lists_[container.formulas];
  bind(bindings, outcome, &left);
  take_value(&after, &left, name, value);
  if (left[0] == FormulaPool::kFalse) return false;
  after.formulas = formula_lists_.intern(left);
  return frame_live(frames_.intern(after));
}

void SchemaMachine::violate_unique(std::vector<FormulaId>* formulas) {
  for (FormulaId& f : *formulas) {
    f = pool_.substitute(
        f, [&](FormulaId atom) { return atom == unique_ ? FormulaPool::kFalse : atom; });
  }
}

NodeId SchemaMachine::one_of(uint32_t values) {
  const auto [it, inserted] = one_of_memo_.try_emplace(values, kNoNode);
  if (!inserted) return it->second;
  std::vector<JsonValue> list;
  sets_.for_each(keep(values, [](uint32_t) { return true; }),
                 [&](uint32_t v) { list.push_back(values_.json(v)); });
  return it->second = expansion_.enum_node(std::move(list));
}

void SchemaMachine::prepare_slot(Frame* slot, uint32_t name) {
  if (!compares_items_) return;
  const Frame container = frames_[slot->parent];
  const bool unique =
      container.kind == Frame::Kind::kArray && unique_pending(formula_lists_[container.formulas]);
  if (!unique && frames_[container.parent].remember == 0) return;
  slot->remember = 1;
  slot->content = name;
  if (unique) slot->forbidden = forbidden_items(container, *slot);
  if (container.forbidden == SetStore::kEmpty) return;
  sets_.for_each(forbidden_parts(container, *slot),
                 [&](uint32_t v) { slot->forbidden = sets_.insert(slot->forbidden, v); });
}

// Items after which the array could not be completed because they repeat one, or because they take
// a value that a later item needs.
uint32_t SchemaMachine::forbidden_items(const Frame& array, const Frame& slot) {
  Frame bare = array;
  bare.forbidden = SetStore::kEmpty;
  const std::vector<FormulaId> formulas = formula_lists_[array.formulas];
  const std::vector<Binding> bindings = bindings_[slot.bindings];
  const Ask ask = asks_[slot.ask];
  const auto leads_nowhere = [&](uint32_t value, Outcomes outcomes) {
    return !live_with(bare, ask, bindings, 0, value, outcomes);
  };
  uint32_t out = SetStore::kEmpty;
  if (array.seen != SetStore::kEmpty) {
    uint32_t any = 0;
    sets_.for_each(array.seen, [&](uint32_t v) { any = v; });
    if (forced(formulas[0], unique_) || any == ValueStore::kUnseen ||
        leads_nowhere(any, Outcomes::kOfAny)) {
      out = array.seen;
    } else if (!bindings.empty() && sets_.size(array.seen) <= kMaxCandidates) {
      out = keep(array.seen, [&](uint32_t v) { return leads_nowhere(v, Outcomes::kOfValue); });
    }
  }
  for (const uint32_t v : existence_.tight_values(formulas[0], array.index, array.seen)) {
    if (!sets_.contains(array.seen, v) && leads_nowhere(v, Outcomes::kOfValue))
      out = sets_.insert(out, v);
  }
  // Of the few values that may come, some may have an outcome after which nothing fits, or leave
  // no other that can repeat.
  if (bindings.empty() && !forced(formulas[0], pool_.negate(unique_))) return out;
  const uint32_t width = binding_width(bindings);
  const auto few = existence_.few_values({ask[0], {}}, kMaxCandidates);
  if (!few || width > kMaxJointBits) return out;
  for (const uint32_t v : *few) {
    Outcome outcome(width);
    for (uint32_t i = 0; i < width; ++i) outcome[i] = existence_.admits({ask[i + 1], {}}, v);
    if (!live_after(bare, bindings, outcome, 0, v)) out = sets_.insert(out, v);
  }
  return out;
}

// Values of this member (of the next item) with which the container could only become one of those
// it must not be.
uint32_t SchemaMachine::forbidden_parts(const Frame& container, const Frame& slot) {
  const std::vector<FormulaId> formulas = formula_lists_[container.formulas];
  const bool object = container.kind == Frame::Kind::kObject;
  const uint64_t ways =
      object ? existence_.object_ways(
                   formulas[0], {shapes_[container.shape].get(), container.seen, container.order})
             : existence_.array_ways(formulas[0], container.index, container.seen);
  if (ways > sets_.size(container.forbidden)) return SetStore::kEmpty;
  std::vector<uint32_t> parts;
  sets_.for_each(container.forbidden, [&](uint32_t v) {
    parts.push_back(object ? values_.member(v, slot.content)
                           : values_.item(v, values_.length(container.content)));
  });
  sort_unique(&parts);
  uint32_t out = SetStore::kEmpty;
  const std::vector<Binding> bindings = bindings_[slot.bindings];
  const Ask ask = asks_[slot.ask];
  for (const uint32_t part : parts) {
    const Outcomes outcomes = part != 0 ? Outcomes::kOfValue : Outcomes::kOfAny;
    if (!live_with(container, ask, bindings, slot.content, part, outcomes))
      out = sets_.insert(out, part);
  }
  return out;
}

// Can what is around a value be completed after one that is like no other?
bool SchemaMachine::rest_live(FrameId container) {
  const bool unique = frames_[container].kind == Frame::Kind::kArray &&
                      unique_pending(formula_lists_[frames_[container].formulas]);
  if (!unique && frames_[container].forbidden == SetStore::kEmpty) return frame_live(container);
  Frame bare = frames_[container];
  bare.forbidden = SetStore::kEmpty;  // whether it can differ is asked value by value
  if (unique) {
    std::vector<FormulaId> after = formula_lists_[bare.formulas];
    take_value(&bare, &after, 0, ValueStore::kUnseen);
    bare.formulas = formula_lists_.intern(after);
  }
  return frame_live(frames_.intern(bare));
}

// Can what is around a scalar in this container, as far as it compares values, tell a text apart
// from any other that was never complete? Not if all values there can be told from all others
// whatever was used: no value is forbidden, and every array with different items can always be
// made longer.
bool SchemaMachine::indifferent(FrameId container) {
  if (const uint8_t known = indifferent_memo_.get(container)) return known == kYes;
  const std::lock_guard lock(mutex_);
  return indifferent_locked(container);
}

bool SchemaMachine::indifferent_locked(FrameId container) {
  if (const uint8_t known = indifferent_memo_.get(container)) return known == kYes;
  const bool result = compute_indifferent(frames_[container]);
  indifferent_memo_.set(container, result ? kYes : kNo);
  return result;
}

bool SchemaMachine::compute_indifferent(const Frame& container) {
  if (container.forbidden != SetStore::kEmpty) return false;
  if (container.kind == Frame::Kind::kArray) {
    const std::vector<FormulaId>& formulas = formula_lists_[container.formulas];
    if (unique_pending(formulas) &&
        !existence_.always_extensible(formulas[0], ValueClass::kArray)) {
      return false;
    }
  }
  const Frame& slot = frames_[container.parent];
  return slot.remember == 0 || indifferent_locked(slot.parent);
}

// ---- A remembered value ------------------------------------------------------------------------

uint32_t SchemaMachine::remember_byte(const Leaf& leaf, State s, uint8_t byte, Mode mode) {
  uint32_t codepoints[2];
  const size_t count = static_cast<const ScalarLeaf&>(leaf).completed(s.state, byte, codepoints);
  for (size_t i = 0; i < count; ++i) {
    s.text = mode == Mode::kStep ? texts_.append(s.text, codepoints[i])
                                 : texts_.find(s.text, codepoints[i]);
  }
  return s.text;
}

// The id of a scalar that ends in s; 0 if it cannot be known. Looking ahead stores nothing: a value
// that no stored value is, or has in this member, is unseen, so that all of them lead to one state.
uint32_t SchemaMachine::scalar_value(State s, Mode mode) {
  const uint32_t id = s.leaf - kFirstLeaf;
  for (int i = 0; i < 3; ++i) {
    if (id == literal_leaves_[i]) return values_.literal(static_cast<ValueClass>(i));
  }
  if (leaves_[id]->walked())
    return values_.string(static_cast<const ListedLeaf&>(*leaves_[id]).text(s.state));
  const bool is_string = leaves_[id]->is_final(s.state);
  const Frame& slot = frames_[s.frame];
  if (mode == Mode::kStep || (is_string && !indifferent_locked(slot.parent))) {
    return is_string ? values_.string(s.text) : values_.spelled_number(s.text);
  }
  if (!is_string && s.text == ValueStore::kUnseen) return 0;
  const uint32_t value = is_string ? values_.find_string(s.text) : values_.spelled_number(s.text);
  const bool member = frames_[slot.parent].kind == Frame::Kind::kObject;
  return member && !values_.knows_member(slot.content, value) ? ValueStore::kUnseen : value;
}

uint32_t SchemaMachine::content_value(const Frame& container) {
  return container.kind == Frame::Kind::kObject ? values_.object(container.content)
                                                : values_.array(container.content);
}

bool SchemaMachine::in_doubt(FrameId slot, uint32_t value) {
  const Frame& container = frames_[frames_[slot].parent];
  return value == 0 || (container.kind == Frame::Kind::kArray &&
                        sets_.contains(container.seen, ValueStore::kUnseen));
}

void SchemaMachine::take_value(Frame* container, std::vector<FormulaId>* formulas, uint32_t name,
                               uint32_t value) {
  const bool array = container->kind == Frame::Kind::kArray;
  if (array && !unique_pending(*formulas)) container->seen = SetStore::kEmpty;
  if (array && unique_pending(*formulas)) {
    if (value != ValueStore::kUnseen && sets_.contains(container->seen, value)) {
      violate_unique(formulas);
      container->seen = SetStore::kEmpty;
    } else {
      container->seen = sets_.insert(container->seen, value);
    }
  }
  if (frames_[container->parent].remember == 0) return;
  const uint32_t before = container->content;
  container->content =
      array ? values_.append_item(before, value) : values_.add_member(before, name, value);
  if (container->forbidden == SetStore::kEmpty) return;
  container->forbidden = container->content == ValueStore::kUnseen
                             ? SetStore::kEmpty
                             : keep(container->forbidden, [&](uint32_t v) {
                                 return (array ? values_.item(v, values_.length(before))
                                               : values_.member(v, name)) == value;
                               });
}

// ---- Avoiding values ---------------------------------------------------------------------------

// Can the container still become a value that is not forbidden?
bool SchemaMachine::can_differ(FrameId container) {
  if (closeable(container)) return true;
  const Frame frame = frames_[container];
  const uint32_t count = sets_.size(frame.forbidden);
  const FormulaId f = formula_lists_[frame.formulas][0];
  const bool object = frame.kind == Frame::Kind::kObject;
  const uint64_t ways =
      object ? existence_.object_ways(f, {shapes_[frame.shape].get(), frame.seen, frame.order})
             : existence_.array_ways(f, frame.index, frame.seen);
  if (ways > count || count > kMaxCandidates) return true;
  std::vector<FormulaId> parts{f};
  std::vector<uint32_t> values;
  sets_.for_each(frame.forbidden, [&](uint32_t v) { values.push_back(v); });
  for (const uint32_t v : values) parts.push_back(pool_.negate(rest_of(frame, v)));
  const FormulaId other = pool_.conjunction(std::move(parts));
  if (!object) return existence_.array(other, frame.index, frame.seen) != kNever;
  KeyShape* shape = shapes_[shape_id({other})].get();
  return existence_.object(other, {shape, frame.seen, frame.order}) != kNever;
}

// "What follows makes the container this value", which agrees with its content so far.
FormulaId SchemaMachine::rest_of(const Frame& container, uint32_t value) {
  SchemaNode nothing;
  nothing.kind = SchemaNode::Kind::kFalse;
  SchemaNode node;
  const auto constant = [&](uint32_t v) { return expansion_.enum_node({values_.json(v)}); };
  std::vector<FormulaId> parts;
  if (container.kind == Frame::Kind::kObject) {
    for (const auto& [name, member] :
         std::vector<std::pair<uint32_t, uint32_t>>(values_.members(value))) {
      if (sets_.contains(container.seen, name)) continue;
      std::string utf8;
      for (const char32_t c : texts_.text(name)) append_wtf8(&utf8, c);
      node.properties.emplace_back(utf8, constant(member));
      parts.push_back(pool_.atom({Atom::Kind::kRequired, name, 0}));
    }
    node.additional_properties = expansion_.add_node(nothing);
    parts.push_back(pool_.atom({Atom::Kind::kProperties, expansion_.add_node(node), 0}));
    return pool_.conjunction(std::move(parts));
  }
  SchemaNode anything;
  anything.kind = SchemaNode::Kind::kTrue;
  node.prefix_items.assign(container.index, expansion_.add_node(anything));
  const std::vector<uint32_t> items = values_.items(value);
  const size_t length = values_.length(container.content);
  for (size_t i = length; i < items.size(); ++i) node.prefix_items.push_back(constant(items[i]));
  node.items = expansion_.add_node(nothing);
  parts.push_back(pool_.atom({Atom::Kind::kItems, expansion_.add_node(node), 0}));
  parts.push_back(pool_.atom({Atom::Kind::kMoreItems, 0, items.size() - length}));
  return pool_.conjunction(std::move(parts));
}

// The slot's formulas with "and none of the forbidden scalars". With Avoid::kWhereNeeded only where
// the leaf could otherwise lead to nothing else.
const std::vector<FormulaId>& SchemaMachine::formulas_avoiding(FrameId slot, ValueClass c,
                                                               Avoid avoid) {
  const Frame at = frames_[slot];
  const uint32_t list = typed_id(at.ask, c);
  const uint64_t key = pack(slot, static_cast<uint32_t>(c) << 1 | (avoid == Avoid::kAlways));
  const auto it = avoiding_memo_.find(key);
  if (it != avoiding_memo_.end()) return formula_lists_[it->second];
  uint32_t& result = avoiding_memo_[key];
  result = list;
  const uint32_t values = forbidden_of_class(at.forbidden, c);
  if (values == SetStore::kEmpty) return formula_lists_[list];
  std::vector<FormulaId> formulas = formula_lists_[list];
  if (avoid == Avoid::kWhereNeeded && c == ValueClass::kString) {
    if (sets_.size(values) > kMaxListed) return formula_lists_[list];
    if (at.bindings == 0 &&
        string_leaf(pool_, formulas, expansion_.atoms(), strings_, nullptr)->endless()) {
      return formula_lists_[list];
    }
  }
  std::vector<std::u32string> strings;
  std::vector<Decimal> numbers;
  sets_.for_each(values, [&](uint32_t v) {
    if (c == ValueClass::kString) strings.push_back(values_.codepoints(v));
    if (c == ValueClass::kNumber) numbers.push_back(values_.decimal(v));
  });
  const FormulaId used = c == ValueClass::kString ? expansion_.strings_atom(std::move(strings))
                                                  : expansion_.numbers_atom(std::move(numbers));
  formulas[0] = pool_.conjunction({formulas[0], pool_.negate(used)});
  result = formula_lists_.intern(formulas);
  return formula_lists_[result];
}

// The leaf of a remembered slot that asks for one of a list of strings: those not forbidden. Null
// where it asks for something else.
std::shared_ptr<const ScalarLeaf> SchemaMachine::listed_leaf(const Frame& slot,
                                                             const std::vector<FormulaId>& asked) {
  if (slot.remember == 0 || slot.bindings != 0 || pool_.op(asked[0]) != FormulaPool::Op::kAtom ||
      pool_.atom_of(asked[0]).kind != Atom::Kind::kOneOfStrings) {
    return nullptr;
  }
  const auto [it, inserted] = listed_strings_.try_emplace(asked[0]);
  ListedStrings& list = it->second;
  if (inserted) {
    StringSpec spec;
    spec.strings.append(expansion_.atoms().string_sets[pool_.atom_of(asked[0]).index]);
    spec.spelling = strings_;
    list.machine = string_machine(std::move(spec));
  }
  const StringList& strings = list.machine->spec().strings;
  NameSet allowed(strings.size(), nullptr);
  sets_.for_each(slot.forbidden, [&](uint32_t v) {
    if (v == ValueStore::kUnseen || values_.class_of(v) != ValueClass::kString) return;
    const auto [at, unknown] = list.index.try_emplace(v, ListedStrings::kNone);
    if (unknown) {
      const std::u32string text = values_.codepoints(v);
      const size_t found = strings.lower_bound(text);
      if (found < strings.size() && strings[found] == text)
        at->second = static_cast<uint32_t>(found);
    }
    if (at->second != ListedStrings::kNone) allowed.set(at->second, false);
  });
  for (uint32_t i = 0; i < strings.size(); ++i) {
    if (!allowed.known(i)) allowed.set(i, true);
  }
  return std::make_shared<ListedLeaf>(list.machine, std::move(allowed));
}

// Appends a shortest end of a string, or, if that makes it a forbidden one, a longer end.
bool SchemaMachine::append_other_string(std::string exit, State* s, std::string* out) {
  exit.pop_back();
  for (uint64_t i = 0; i < kMaxOtherStrings; ++i) {
    std::string more;
    for (uint64_t rest = i; rest != 0; rest = (rest - 1) / 26)
      more += static_cast<char>('a' + (rest - 1) % 26);
    State end = *s;
    std::string text;
    if (append(exit + more + "\"", &end, &text)) {
      *s = end;
      *out += text;
      return true;
    }
  }
  return false;
}

}  // namespace espalier
