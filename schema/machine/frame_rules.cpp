// What may come next in an object or an array, and whether it can be completed: the part of
// SchemaMachine that asks about frames rather than bytes.
//
// The idea. Before a value, the container's open assertions are sorted by what its failure would
// mean. A node whose kProperties (kItems) atom stands as a conjunct of the container's first
// formula is *forced*: the value must satisfy that node's subschemas. Any other node is *tracked*:
// the value may or may not satisfy them, and a binding says which atom learns of it. A container
// with tracked formulas of its own (it is itself a tracked value) is live if some combination of
// their truths is both reachable and acceptable to its slot.
//
// Example: under {"allOf": [A, B]} the value of "k" must satisfy A's and B's schema for "k" (one
// list); under {"anyOf": [A, B]} both are tracked and their outcomes are (true, true), (true,
// false) and (false, true).
//
// Invariants: property_slot and item_slot return 0 or a slot with a possible value after which the
// container can be closed. Counting assertions hold the number of *further* elements, so that a
// container that no longer cares how many there are is one frame.
#include <algorithm>
#include <set>

#include "grammar/tables/sort_unique.h"
#include "schema/leaves/name_leaf.h"
#include "schema/machine/schema_machine.h"
#include "schema/satisfiability/plain_values.h"

namespace espalier {
namespace {

// Of at most 32 formulas.
uint32_t bits_of(const Outcome& outcome) {
  uint32_t bits = 0;
  for (const bool holds : outcome) bits = bits << 1 | static_cast<uint32_t>(holds);
  return bits;
}

bool counts(Atom::Kind kind) {
  return kind == Atom::Kind::kMoreProperties || kind == Atom::Kind::kMoreItems;
}

}  // namespace

const std::vector<FormulaId>& SchemaMachine::typed(uint32_t ask, ValueClass value_class) {
  return formula_lists_[typed_id(ask, value_class)];
}

uint32_t SchemaMachine::typed_id(uint32_t ask, ValueClass value_class) {
  const uint64_t key = pack(ask, static_cast<uint32_t>(value_class));
  const auto it = typed_memo_.find(key);
  if (it != typed_memo_.end()) return it->second;
  std::vector<FormulaId> formulas = expansion_.expand_lists(asks_[ask], value_class);
  if (value_class == ValueClass::kNumber || value_class == ValueClass::kString) {
    for (FormulaId& f : formulas) f = pool_.propagate(f);
  }
  return typed_memo_[key] = formula_lists_.intern(formulas);
}

uint32_t SchemaMachine::shape_id(const std::vector<FormulaId>& formulas) {
  std::vector<NodeId> nodes;
  std::vector<uint32_t> required;
  size_t alternatives = 0;
  for (const FormulaId f : formulas) {
    for (const FormulaId atom : pool_.atoms(f)) {
      const Atom& a = pool_.atom_of(atom);
      if (a.kind == Atom::Kind::kProperties) {
        nodes.push_back(a.index);
        if (!forced(formulas[0], atom)) ++alternatives;
      }
      if (a.kind == Atom::Kind::kRequired) required.push_back(a.index);
      if (a.kind == Atom::Kind::kUnevaluatedProperties) {
        const std::vector<NodeId>& evaluators = expansion_.evaluators(a);
        nodes.insert(nodes.end(), evaluators.begin(), evaluators.end());
      }
    }
  }
  sort_unique(&nodes);
  sort_unique(&required);
  const auto [it, inserted] =
      shape_ids_.try_emplace({nodes, required}, static_cast<uint32_t>(shapes_.size()));
  if (inserted) {
    const auto open =
        alternatives > 1 ? KeyShape::Alternatives::kSeveral : KeyShape::Alternatives::kOne;
    shapes_.push_back(std::make_unique<KeyShape>(std::move(nodes), required, open, options_,
                                                 &expansion_, pool_, &texts_));
    key_machines_.push_back(&shapes_.back()->machine());
  }
  return it->second;
}

bool SchemaMachine::forced(FormulaId f, FormulaId atom) const {
  if (f == atom) return true;
  return pool_.op(f) == FormulaPool::Op::kAnd &&
         std::binary_search(pool_.parts(f).begin(), pool_.parts(f).end(), atom);
}

FormulaId SchemaMachine::count_one(FormulaId f) {
  return pool_.substitute(f, [this](FormulaId atom) {
    Atom a = pool_.atom_of(atom);
    if (!counts(a.kind)) return atom;
    --a.bound;
    return pool_.atom(a);
  });
}

Outcome SchemaMachine::outcome_now(const std::vector<FormulaId>& formulas) const {
  Outcome outcome;
  for (size_t i = 1; i < formulas.size(); ++i)
    outcome.push_back(pool_.evaluate(formulas[i], true_at_close));
  return outcome;
}

void SchemaMachine::fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
  failed_.store(true, std::memory_order_release);
}

// ---- Containers --------------------------------------------------------------------------------

FrameId SchemaMachine::container(FrameId slot, ValueClass value_class) {
  const uint64_t key = pack(slot, static_cast<uint32_t>(value_class));
  const auto it = container_memo_.find(key);
  if (it != container_memo_.end()) return it->second;
  const Frame at = frames_[slot];
  Frame frame;
  frame.parent = slot;
  frame.depth = at.depth + 1;
  frame.formulas = typed_id(at.ask, value_class);
  if (value_class == ValueClass::kObject) {
    frame.kind = Frame::Kind::kObject;
    frame.shape = shape_id(formula_lists_[frame.formulas]);
  } else {
    frame.kind = Frame::Kind::kArray;
  }
  if (at.remember != 0) {
    frame.open_names = 1;  // look-ahead must know the names
    // What can always grow can always differ: then the close alone is to be watched.
    if (at.forbidden != 0 &&
        !existence_.always_extensible(formula_lists_[frame.formulas][0], value_class)) {
      frame.forbidden = forbidden_of_class(at.forbidden, value_class);
    }
  }
  FrameId id = 0;
  if (frame.depth <= options_.limits.max_nesting) {
    if (frames_.size() > options_.limits.max_states) {
      fail({StatusCode::kBudgetExceeded, "more than " + std::to_string(options_.limits.max_states) +
                                             " structural states (max_states)"});
    } else {
      id = frames_.intern(frame);
    }
  }
  // What a value of this class exists for can be completed.
  if (id != 0 && at.bindings == 0 && frame.forbidden == 0 && frame_memo_.get(id) == 0 &&
      class_known(slot, value_class) == kYes) {
    frame_memo_.set(id, kYes);
  }
  return container_memo_[key] = id;
}

// What a container's formulas become after a value with this outcome. The bindings are sorted.
void SchemaMachine::bind(const std::vector<Binding>& bindings, const Outcome& outcome,
                         std::vector<FormulaId>* formulas) {
  if (bindings.empty()) return;
  const auto after = [&](FormulaId atom) {
    Atom a = pool_.atom_of(atom);
    const auto binding =
        std::lower_bound(bindings.begin(), bindings.end(), Binding{a.kind, a.index, 0});
    if (binding == bindings.end() || binding->kind != a.kind || binding->node != a.index)
      return atom;
    const bool holds = outcome[binding->bit];
    if (a.kind == Atom::Kind::kContains) {
      if (!holds) return atom;
      --a.bound;
      return pool_.atom(a);
    }
    if (a.kind == Atom::Kind::kValue) return holds ? FormulaPool::kTrue : FormulaPool::kFalse;
    if (a.kind == Atom::Kind::kUnique) return holds ? FormulaPool::kFalse : atom;
    return holds ? atom : FormulaPool::kFalse;
  };
  for (FormulaId& f : *formulas) f = pool_.substitute(f, std::cref(after));
}

// A disjunction less the parts that an outcome makes false: each of 400 tools is one, and with one
// name 399 of them go, without a look at them.
FormulaId SchemaMachine::without_failed(uint32_t bindings, const Outcome& outcome, FormulaId f) {
  using Op = FormulaPool::Op;
  constexpr size_t kManyParts = 8;
  const Op op = pool_.op(f);
  if (op == Op::kAnd) {
    std::vector<FormulaId> parts;  // those of f, once one of them has changed
    for (size_t i = 0; i < pool_.parts(f).size(); ++i) {
      const FormulaId part = pool_.parts(f)[i];
      if (pool_.op(part) != Op::kOr && pool_.op(part) != Op::kExactlyOne) continue;
      const FormulaId left = without_failed(bindings, outcome, part);
      if (left == part) continue;
      if (parts.empty()) parts = pool_.parts(f);
      parts[i] = left;
    }
    return parts.empty() ? f : pool_.conjunction(std::move(parts));
  }
  if ((op != Op::kOr && op != Op::kExactlyOne) || pool_.parts(f).size() < kManyParts) return f;
  const auto [it, inserted] = branches_memo_.try_emplace(pack(bindings, f));
  Branches& branches = it->second;
  if (inserted) {
    std::unordered_map<FormulaId, uint32_t> bit_of;  // by what fails with it
    for (const Binding& binding : bindings_[bindings]) {
      if (binding.kind != Atom::Kind::kContains)
        bit_of[pool_.atom({binding.kind, binding.node, 0})] = binding.bit;
    }
    for (const FormulaId part : pool_.parts(f)) {
      std::vector<uint32_t> bits;
      const auto note = [&](FormulaId conjunct) {
        if (const auto bit = bit_of.find(conjunct); bit != bit_of.end())
          bits.push_back(bit->second);
      };
      note(part);
      if (pool_.op(part) == Op::kAnd)
        std::for_each(pool_.parts(part).begin(), pool_.parts(part).end(), note);
      if (bits.empty()) {
        branches.free.push_back(part);
      } else {
        branches.bound[bits[0]].emplace_back(part, bits);
      }
    }
  }
  std::vector<FormulaId> left = branches.free;
  for (size_t bit = 0; bit < outcome.size(); ++bit) {
    if (!outcome[bit]) continue;
    const auto found = branches.bound.find(static_cast<uint32_t>(bit));
    if (found == branches.bound.end()) continue;
    for (const auto& [part, bits] : found->second) {
      if (std::all_of(bits.begin(), bits.end(), [&](uint32_t b) { return outcome[b]; }))
        left.push_back(part);
    }
  }
  return op == Op::kOr ? pool_.disjunction(std::move(left)) : pool_.exactly_one(std::move(left));
}

FrameId SchemaMachine::apply(FrameId slot, const Outcome& outcome, uint32_t value) {
  const Frame at = frames_[slot];
  if (at.bindings == 0 && at.remember == 0) return at.parent;
  // A slot with bindings that does not remember its values tells them apart by their outcomes.
  const bool by_outcome = at.remember == 0 && outcome.size() <= 32;
  const uint64_t key = pack(slot, by_outcome ? bits_of(outcome) : value);
  const bool remembered = at.bindings == 0 || by_outcome;
  if (remembered) {
    const auto it = after_memo_.find(key);
    if (it != after_memo_.end()) return it->second;
  }
  Frame frame = frames_[at.parent];
  std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  if (at.bindings != 0) {
    for (FormulaId& f : formulas) f = without_failed(at.bindings, outcome, f);
    bind(bindings_[at.bindings], outcome, &formulas);
  }
  if (at.remember != 0) take_value(&frame, &formulas, at.content, value);
  FrameId after = 0;
  if (formulas[0] != FormulaPool::kFalse) {
    frame.formulas = formula_lists_.intern(formulas);
    after = frames_.intern(frame);
  }
  if (remembered) after_memo_[key] = after;
  return after;
}

bool SchemaMachine::acceptable(FrameId slot, const Outcome& outcome, uint32_t value) {
  if (frames_[slot].bindings == 0) return true;
  const FrameId parent = apply(slot, outcome, value);
  return parent != 0 && frame_live(parent);
}

bool SchemaMachine::closeable(FrameId container) {
  if (const uint8_t known = close_memo_.get(container)) return known == kYes;
  const Frame frame = frames_[container];
  const std::vector<FormulaId>& formulas = formula_lists_[frame.formulas];
  bool ok = pool_.evaluate(formulas[0], true_at_close);
  if (ok && frames_[frame.parent].remember != 0) {
    const uint32_t value = content_value(frame);
    ok =
        in_doubt(frame.parent, value) || (!sets_.contains(frames_[frame.parent].forbidden, value) &&
                                          acceptable(frame.parent, outcome_now(formulas), value));
  } else if (ok) {
    ok = acceptable(frame.parent, outcome_now(formulas));
  }
  close_memo_.set(container, ok ? kYes : kNo);
  return ok;
}

// ---- Slots -------------------------------------------------------------------------------------

FrameId SchemaMachine::make_slot(const Frame& container, Ask ask, std::vector<Binding> bindings,
                                 uint32_t name) {
  Frame slot;
  slot.kind = Frame::Kind::kSlot;
  slot.parent = frames_.intern(container);
  slot.depth = container.depth;
  slot.ask = asks_.intern(ask);
  std::sort(bindings.begin(), bindings.end());
  slot.bindings = bindings_.intern(bindings);
  prepare_slot(&slot, name);
  const FrameId id = frames_.intern(slot);
  return slot_live(id) ? id : 0;
}

bool SchemaMachine::slot_live(FrameId slot) {
  if (const uint8_t known = slot_memo_.get(slot)) return known == kYes;
  bool live = false;
  for (int c = 0; c < kValueClasses && !live; ++c)
    live = class_live(slot, static_cast<ValueClass>(c));
  slot_memo_.set(slot, live ? kYes : kNo);
  return live;
}

// What follows a value without bindings does not depend on it: the container is asked about once,
// the value once, and its formula is not built where its nodes answer by themselves.
bool SchemaMachine::value_live(const Frame& slot, ValueClass c) {
  const bool is_container = c == ValueClass::kArray || c == ValueClass::kObject;
  if (is_container && slot.depth >= options_.limits.max_nesting) return false;
  const std::vector<NodeId>& nodes = asks_[slot.ask][0];
  if (std::any_of(nodes.begin(), nodes.end(),
                  [&](NodeId id) { return plainly_excluded(expansion_.node(id), c); })) {
    return false;
  }
  const bool plain =
      nodes.empty() || (nodes.size() == 1 && plainly_possible(expansion_, nodes[0], c));
  return (plain || existence_.value_of_class(typed(slot.ask, c)[0], c) != kNever) &&
         (slot.parent == 0 || rest_live(slot.parent));
}

bool SchemaMachine::class_live(FrameId slot, ValueClass c) {
  if (const uint8_t known = class_known(slot, c)) return known == kYes;
  const bool live = find_class_live(slot, c);
  const uint32_t answer = uint32_t{live ? kYes : kNo} << 2 * static_cast<uint32_t>(c);
  class_memo_.set(slot, static_cast<uint16_t>(class_memo_.get(slot) | answer));
  return live;
}

bool SchemaMachine::find_class_live(FrameId slot, ValueClass c) {
  const Frame at = frames_[slot];
  if (at.bindings == 0 && at.forbidden == 0) return value_live(at, c);
  const std::vector<FormulaId> formulas = typed(at.ask, c);
  bool live = at.bindings == 0 ? value_live(at, c) : formulas[0] != FormulaPool::kFalse;
  if (live && at.forbidden != 0 && c <= ValueClass::kTrue)
    live = !sets_.contains(at.forbidden, values_.literal(c));
  const bool is_container = c == ValueClass::kArray || c == ValueClass::kObject;
  if (live && is_container && at.depth >= options_.limits.max_nesting) live = false;
  const bool known_by_example = live && c >= ValueClass::kNumber && at.bindings != 0 &&
                                (at.forbidden | at.remember) == 0 &&
                                example_value(slot, c, formulas);
  if (live && !known_by_example) {
    switch (c) {
      case ValueClass::kNull:
      case ValueClass::kFalse:
      case ValueClass::kTrue:
        live = acceptable(slot, outcome_now(formulas), values_.literal(c));
        break;
      case ValueClass::kNumber:
      case ValueClass::kString: {
        const uint32_t leaf = leaf_of(slot, c);
        live = leaf != UINT32_MAX && leaves_[leaf]->start() != 0;
        break;
      }
      default: {
        const FrameId frame = container(slot, c);
        live = frame != 0 && frame_live(frame) && !all_forbidden(at, c);
        break;
      }
    }
  }
  return live;
}

uint32_t SchemaMachine::leaf_of(FrameId slot, ValueClass c) {
  if (c == ValueClass::kNull) return literal_leaves_[0];
  if (c == ValueClass::kFalse) return literal_leaves_[1];
  if (c == ValueClass::kTrue) return literal_leaves_[2];
  const Frame at = frames_[slot];
  const uint32_t list = typed_id(at.ask, c);
  const bool tracked = (at.bindings | at.forbidden | at.remember) != 0;
  const uint64_t key = tracked ? pack(slot, 0x80000000u | static_cast<uint32_t>(c))
                               : pack(list, static_cast<uint32_t>(c));
  const auto it = leaf_memo_.find(key);
  if (it != leaf_memo_.end()) return it->second;
  std::shared_ptr<const ScalarLeaf> leaf;
  if (c == ValueClass::kString) leaf = listed_leaf(at, formula_lists_[list]);
  const std::vector<FormulaId>& formulas = at.forbidden == 0 || leaf != nullptr
                                               ? formula_lists_[list]
                                               : formulas_avoiding(slot, c, Avoid::kWhereNeeded);
  const auto build = [&](const std::vector<Outcome>* allowed) -> std::shared_ptr<const ScalarLeaf> {
    if (c == ValueClass::kString) {
      return string_leaf(pool_, formulas, expansion_.atoms(), strings_, allowed);
    }
    auto leaf = number_leaf(pool_, formulas, expansion_.atoms(), numbers_, allowed);
    if (!leaf.ok()) fail(leaf.status());
    return leaf.ok() ? *leaf : nullptr;
  };
  if (leaf == nullptr) leaf = build(nullptr);
  if (leaf != nullptr && at.bindings != 0) {
    // Where the outcomes are too many to list, acceptability is judged when the value ends.
    if (const auto outcomes = leaf->outcomes()) {
      std::vector<Outcome> allowed;
      for (const Outcome& outcome : *outcomes) {
        if (acceptable(slot, outcome)) allowed.push_back(outcome);
      }
      leaf = build(&allowed);
    }
  }
  uint32_t id = UINT32_MAX;
  if (leaf != nullptr) {
    if (!leaf->status().ok()) fail(leaf->status());
    const auto [entry, inserted] = leaf_ids_.try_emplace(leaf.get(), 0);
    if (inserted) entry->second = leaves_.push_back(leaf);
    id = entry->second;
  }
  return leaf_memo_[key] = id;
}

FrameId SchemaMachine::property_slot(FrameId object, uint32_t key_class, uint32_t text) {
  KeyShape& shape = *shapes_[frames_[object].shape];
  const KeyClass& key = shape.key_class(key_class);
  const bool listed = key.string != StringSignature::kOther;
  if (listed) text = key.text;
  Frame frame = frames_[object];
  if (sets_.contains(frame.seen, text) && text != TextStore::kUnseen) return 0;
  if (ordered_ && listed && key.order < frame.order) return 0;
  const bool by_class = listed || text == TextStore::kUnseen;  // the class says which name
  const uint64_t class_key = pack(object, key_class);
  const auto remember = [&](FrameId slot) {
    return by_class ? class_slots_[class_key] = slot
                    : named_slots_[{object, key_class, text}] = slot;
  };
  if (by_class) {
    if (const auto it = class_slots_.find(class_key); it != class_slots_.end()) return it->second;
  } else {
    const auto it = named_slots_.find({object, key_class, text});
    if (it != named_slots_.end()) return it->second;
  }

  std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  const auto& nodes = shape.nodes();
  bool unevaluated = false;
  for (FormulaId& f : formulas) {
    f = pool_.substitute(f, [&](FormulaId atom) {
      Atom a = pool_.atom_of(atom);
      if (a.kind == Atom::Kind::kRequired) {
        if (a.index == text) return FormulaPool::kTrue;
        return ordered_ && shape.rank_of(a.index) < key.order ? FormulaPool::kFalse : atom;
      }
      if (a.kind == Atom::Kind::kProperties && key.effects[shape.node_index(a.index)].violates) {
        return FormulaPool::kFalse;
      }
      if (a.kind == Atom::Kind::kUnevaluatedProperties) {
        unevaluated = true;
        return unevaluated_property(atom, shape, key);
      }
      if (!counts(a.kind)) return atom;
      --a.bound;
      return pool_.atom(a);
    });
  }
  if (formulas[0] == FormulaPool::kFalse) return remember(0);
  Ask ask(1);
  std::vector<Binding> bindings;
  if (unevaluated) ask_value(&formulas, &ask, &bindings);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const KeyEffect& effect = key.effects[i];
    if (effect.violates || effect.children.empty()) continue;
    const FormulaId atom = pool_.atom({Atom::Kind::kProperties, nodes[i], 0});
    if (forced(formulas[0], atom)) {
      ask[0].insert(ask[0].end(), effect.children.begin(), effect.children.end());
      continue;
    }
    const bool occurs = std::any_of(formulas.begin(), formulas.end(), [&](FormulaId f) {
      const auto& atoms = pool_.atoms(f);
      return std::binary_search(atoms.begin(), atoms.end(), atom);
    });
    if (!occurs) continue;
    auto same = std::find(ask.begin() + 1, ask.end(), effect.children);
    if (same == ask.end()) same = ask.insert(ask.end(), effect.children);
    bindings.push_back(
        {Atom::Kind::kProperties, nodes[i], static_cast<uint32_t>(same - ask.begin() - 1)});
  }
  sort_unique(&ask[0]);
  frame.formulas = formula_lists_.intern(formulas);
  // Where further names are demanded and few are left, it matters that one of this class is used.
  const bool counted = !listed && text == TextStore::kUnseen &&
                       std::any_of(formulas.begin(), formulas.end(), [&](FormulaId f) {
                         return std::ranges::any_of(pool_.atoms(f), [&](FormulaId atom) {
                           return pool_.atom_of(atom).kind == Atom::Kind::kMoreProperties;
                         });
                       });
  // Where names come in order, the order tells which listed ones cannot come again.
  if (!ordered_ || !listed || frames_[frame.parent].remember != 0) {
    frame.seen =
        sets_.insert(frame.seen, counted ? shape.unseen_name(key_class, sets_, frame.seen) : text);
  }
  // Listed names are told from others anyway, but not by what remembers whole objects.
  if (text != TextStore::kUnseen && (!listed || frame.open_names != 0)) texts_.mark_used(text);
  if (frame.forbidden != 0)
    frame.forbidden =
        keep(frame.forbidden, [&](uint32_t v) { return values_.member(v, text) != 0; });
  if (!listed && frame.open_names != Frame::kLookedAhead)
    frame.open_names = text == TextStore::kUnseen ? Frame::kLookedAhead : 1;
  if (ordered_) frame.order = listed ? key.order + 1 : UINT32_MAX;
  if (bindings.empty() && outlives_name(frames_[object], key)) {
    const FrameId after = frames_.intern(frame);
    if (frame_memo_.get(after) == 0 && frame_live(object)) frame_memo_.set(after, kYes);
  }
  // What nothing but an unlisted name was added to takes another one in the same way.
  const bool same = !listed && text == TextStore::kUnseen &&
                    frame.formulas == frames_[object].formulas &&
                    frame.forbidden == frames_[object].forbidden;
  const FrameId slot = make_slot(frame, std::move(ask), std::move(bindings), text);
  if (same) class_slots_[pack(frames_.intern(frame), key_class)] = slot;
  return remember(slot);
}

FrameId SchemaMachine::item_slot(FrameId array) {
  if (const FrameId known = item_memo_.get(array)) return known != kNoSlot ? known : 0;
  const auto remember = [&](FrameId slot) {
    item_memo_.set(array, slot != 0 ? slot : kNoSlot);
    return slot;
  };
  Frame frame = frames_[array];
  std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  for (FormulaId& f : formulas) f = count_one(f);
  std::set<FormulaId> atoms;
  for (const FormulaId f : formulas) atoms.insert(pool_.atoms(f).begin(), pool_.atoms(f).end());
  // Items that a node forbids decide it at once.
  bool unevaluated = false;
  for (const FormulaId atom : atoms) {
    const Atom a = pool_.atom_of(atom);
    unevaluated |= a.kind == Atom::Kind::kUnevaluatedItems;
    if (a.kind != Atom::Kind::kItems) continue;
    const NodeId child = existence_.item_node(a.index, frame.index);
    if (child == kNoNode || !expansion_.trivially_false(child)) continue;
    for (FormulaId& f : formulas) {
      f = pool_.substitute(f, [&](FormulaId g) { return g == atom ? FormulaPool::kFalse : g; });
    }
  }
  if (formulas[0] == FormulaPool::kFalse) return remember(0);
  Ask ask(1);
  std::vector<Binding> bindings;
  uint64_t prefix = unevaluated ? unevaluated_items(&formulas, frame.index) : 0;
  if (unevaluated) ask_value(&formulas, &ask, &bindings);
  if (formulas[0] == FormulaPool::kFalse) return remember(0);
  std::set<NodeId> contained;
  for (const FormulaId atom : atoms) {
    const Atom a = pool_.atom_of(atom);
    const bool occurs = std::any_of(formulas.begin(), formulas.end(), [&](FormulaId f) {
      return std::binary_search(pool_.atoms(f).begin(), pool_.atoms(f).end(), atom);
    });
    if (!occurs) continue;
    NodeId child = kNoNode;
    if (a.kind == Atom::Kind::kItems) {
      prefix = std::max<uint64_t>(prefix, expansion_.node(a.index).prefix_items.size());
      child = existence_.item_node(a.index, frame.index);
    } else if (a.kind == Atom::Kind::kContains && contained.insert(a.index).second) {
      child = a.index;
    }
    if (child == kNoNode || (a.kind == Atom::Kind::kItems && expansion_.trivially_true(child)))
      continue;
    if (a.kind == Atom::Kind::kItems && forced(formulas[0], atom)) {
      ask[0].push_back(child);
      continue;
    }
    const std::vector<NodeId> list{child};
    auto same = std::find(ask.begin() + 1, ask.end(), list);
    if (same == ask.end()) same = ask.insert(ask.end(), list);
    bindings.push_back({a.kind, a.index, static_cast<uint32_t>(same - ask.begin() - 1)});
  }
  sort_unique(&ask[0]);
  frame.formulas = formula_lists_.intern(formulas);
  frame.index = static_cast<uint32_t>(std::min<uint64_t>(frame.index + 1, prefix));
  std::sort(bindings.begin(), bindings.end());
  prepare_item(&frame, formulas, &bindings, &ask);
  return remember(make_slot(frame, std::move(ask), std::move(bindings), 0));
}

}  // namespace espalier
