// Which names may come next in an object.
//
// The idea. A name is possible if what it does to the object's formulas, and some value of it,
// leave an object that can be completed: property_slot says so, at the cost of two frames. That is
// asked for each name after each other name, so most answers are had more cheaply:
//
// - Where names come in order, a name is not possible if what the formulas demand comes earlier and
//   has not been written: the greatest rank that a name may have is found once for a formula
//   (last_rank), and what was passed is false in the formulas from then on (property_slot).
// - Where an object asks for nothing but certain names, at least so many, and each name's own
//   schema (outlives_name), a name is possible if its value is, the same in every such object of a
//   shape.
// - The listed names that may come are bits of a set (name_set.h). Those below a node of the
//   machine's trie are a range of them, so whether a name may begin so is a look at a range of
//   bits.
// - Names that are not listed fall into classes, and how one of certain classes may begin is the
//   same in every object of a shape.
//
// The last two are read without a lock, and no step is remembered for them.
//
// Example: {"properties": {"a": A, "b": B}, "patternProperties": {"^x": X}, "additionalProperties":
// false} after "b": the bits are a; the class is "^x, not listed". A name may begin with "a" or
// "x".
//
// Invariants: name_live(object, id) == (property_slot(object, id, kUnseen) != 0); open objects, in
// which a name of any class may come, have no bits.
// Cost: a set has two bits for each listed name, once for each object frame.
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/leaves/name_leaf.h"
#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

constexpr uint32_t kNameCountBudget = 32;  // products that one count looks at for the first time

uint64_t stored_in(CodepointRange range, const std::vector<uint32_t>& stored) {
  return static_cast<uint64_t>(std::count_if(
      stored.begin(), stored.end(), [&](uint32_t c) { return range.lo <= c && c <= range.hi; }));
}

}  // namespace

// ---- One name ----------------------------------------------------------------------------------

// What a conjunction of required names, least counts and nodes for all names asks for, beside
// conditions on which names are present. Invalid where it is something else.
const SchemaMachine::PlainObject& SchemaMachine::plain_object(const Frame& object) {
  const auto [it, inserted] = plain_objects_.try_emplace(pack(object.formulas, object.shape));
  PlainObject& out = it->second;
  if (!inserted) return out;
  using Op = FormulaPool::Op;
  const FormulaId f = formula_lists_[object.formulas][0];
  if (ordered_) out.last = last_rank(f, *shapes_[object.shape]);
  if (formula_lists_[object.formulas].size() > 1) return out;
  std::vector<FormulaId> parts{f};
  if (pool_.op(f) == Op::kAnd) parts = pool_.parts(f);
  if (f == FormulaPool::kTrue) parts.clear();
  const KeyShape& shape = *shapes_[object.shape];
  std::vector<uint32_t> nodes;
  for (const FormulaId part : parts) {
    const bool alone = pool_.op(part) == Op::kAtom;
    for (const FormulaId atom : std::vector<FormulaId>(pool_.atoms(part))) {
      const Atom& a = pool_.atom_of(atom);
      if (a.kind == Atom::Kind::kRequired && !alone && !ordered_) {
        out.conditions.push_back(a.index);
      } else if (a.kind == Atom::Kind::kRequired && alone) {
        out.required.push_back(a.index);
      } else if (a.kind == Atom::Kind::kProperties && alone) {
        nodes.push_back(static_cast<uint32_t>(shape.node_index(a.index)));
      } else if (a.kind != Atom::Kind::kMoreProperties || !alone || ordered_) {
        return out;
      }
    }
  }
  std::sort(out.conditions.begin(), out.conditions.end());
  out.names = &plain_names_[{object.shape, nodes}];
  out.names->nodes = std::move(nodes);
  return out;
}

// Where names are in order: the greatest rank of a name that may come next, as far as the names
// that it would leave behind tell: what is left of the formula when they are missing for good must
// not be false.
uint32_t SchemaMachine::last_rank(FormulaId f, const KeyShape& shape) {
  using Ternary = FormulaPool::Ternary;
  std::vector<uint32_t> ranks;
  for (const FormulaId atom : pool_.atoms(f)) {
    const Atom& a = pool_.atom_of(atom);
    if (a.kind == Atom::Kind::kRequired) ranks.push_back(shape.rank_of(a.index));
  }
  sort_unique(&ranks);
  const auto may_pass = [&](uint32_t rank) {
    return pool_.evaluate_partly(f, [&](const Atom& a) {
      return a.kind == Atom::Kind::kRequired && shape.rank_of(a.index) <= rank ? Ternary::kFalse
                                                                               : Ternary::kUnknown;
    }) != Ternary::kFalse;
  };
  const auto last = std::partition_point(ranks.begin(), ranks.end(), may_pass);
  return last != ranks.end() ? *last : UINT32_MAX;
}

// Is an object that can be completed sure to remain so after this name, whatever its value? So it
// is where the name's own schema is all that speaks of it: a rest of the object, less the name, is
// a rest of what follows it.
bool SchemaMachine::outlives_name(const Frame& object, const KeyClass& key) {
  if (object.forbidden != 0 || frames_[object.parent].bindings != 0) return false;
  const PlainObject& plain = plain_object(object);
  if (plain.names == nullptr || key.order > plain.last) return false;
  return key.string == StringSignature::kOther ||
         !std::binary_search(plain.conditions.begin(), plain.conditions.end(), key.text);
}

// Is it known at once whether the name may come next?
std::optional<bool> SchemaMachine::plainly_live(FrameId object, uint32_t id) {
  const Frame& frame = frames_[object];
  const KeyClass& key = shapes_[frame.shape]->key_class(id);
  const bool listed = key.string != StringSignature::kOther;
  if (listed && (sets_.contains(frame.seen, key.text) || (ordered_ && key.order < frame.order)))
    return false;
  if (ordered_ && key.order > plain_object(frame).last) return false;
  if (frame.depth >= options_.limits.max_nesting || !outlives_name(frame, key)) return std::nullopt;
  PlainNames& names = *plain_object(frame).names;
  if (names.possible.size() <= id) names.possible.resize(id + 1);
  if (names.possible[id] == 0) {
    const bool possible = value_possible(names.nodes, key);
    names.possible[id] = possible ? kYes : kNo;
  }
  if (names.possible[id] == kYes && !frame_live(object)) return std::nullopt;
  return names.possible[id] == kYes;
}

bool SchemaMachine::name_live(FrameId object, uint32_t id) {
  if (const auto plainly = plainly_live(object, id)) return *plainly;
  const Frame& frame = frames_[object];
  const KeyShape& shape = *shapes_[frame.shape];
  const KeyClass& key = shape.key_class(id);
  const bool compared = (frame.forbidden | frames_[frame.parent].remember) != 0;
  const bool named = key.string != StringSignature::kOther || (shape.only_listed() && !ordered_);
  return (named && !compared && frame.depth < options_.limits.max_nesting &&
          example_rest(object, key.text, key.order)) ||
         property_slot(object, id, TextStore::kUnseen) != 0;
}

// Has a name of this class some value that these nodes, all of which must hold, allow?
bool SchemaMachine::value_possible(const std::vector<uint32_t>& nodes, const KeyClass& key) {
  Goal goal;
  for (const uint32_t i : nodes) {
    const KeyEffect& effect = key.effects[i];
    if (effect.violates) return false;
    goal.must.insert(goal.must.end(), effect.children.begin(), effect.children.end());
  }
  std::sort(goal.must.begin(), goal.must.end());
  goal.must.erase(std::unique(goal.must.begin(), goal.must.end()), goal.must.end());
  return existence_.value(goal) != kNever;
}

// ---- Sets of names -----------------------------------------------------------------------------

// Open: a name of any unlisted class may be used, so any string is the beginning of one.
bool SchemaMachine::open_object(FrameId object) {
  if (const uint8_t known = open_memo_.get(object)) return known == kYes;
  KeyShape& shape = *shapes_[frames_[object].shape];
  const std::vector<uint32_t> others = shape.other_classes();
  const bool open =
      !others.empty() && shape.other_classes_known() &&
      std::all_of(others.begin(), others.end(), [&](uint32_t id) { return name_live(object, id); });
  open_memo_.set(object, open ? kYes : kNo);
  return open;
}

// The names that may come, as far as known.
NameSet& SchemaMachine::names(FrameId object) {
  if (NameSet* known = name_sets_.get(object)) return *known;
  const uint32_t shape_id = frames_[object].shape;
  KeyShape& shape = *shapes_[shape_id];
  const bool open = open_object(object);
  OtherNames* others = nullptr;
  if (!shape.other_classes_known()) {
    others = &other_names_[{shape_id, object, {}}];
  } else {
    std::vector<uint32_t> classes = shape.other_classes();
    std::erase_if(classes, [&](uint32_t id) { return !name_live(object, id); });
    if (open ? classes.size() > 1 : !classes.empty()) {
      others = &other_names_[{shape_id, 0, classes}];
      others->classes = std::move(classes);
    }
  }
  const std::vector<uint32_t> classes = open ? std::vector<uint32_t>() : shape.listed_classes();
  auto set = std::make_unique<NameSet>(classes.size(), others);
  const Frame& frame = frames_[object];
  const bool inherits = frame.depth < options_.limits.max_nesting && frame.forbidden == 0 &&
                        plain_object(frame).names != nullptr && frame_live(object);
  for (uint32_t i = 0; i < classes.size(); ++i) {
    const KeyClass& key = shape.key_class(classes[i]);
    const PlainNames* known = inherits ? plain_object(frame).names : nullptr;
    if (sets_.contains(frame.seen, key.text) || (ordered_ && key.order < frame.order)) {
      set->set(i, false);
    } else if (known != nullptr && classes[i] < known->possible.size() &&
               known->possible[classes[i]] != 0 && outlives_name(frame, key)) {
      set->set(i, known->possible[classes[i]] == kYes);
    }
  }
  owned_name_sets_.push_back(std::move(set));
  name_sets_.set(object, owned_name_sets_.back().get());
  return *owned_name_sets_.back();
}

// Is one of these listed names possible?
bool SchemaMachine::listed_live(FrameId object, NameSet& names, uint32_t first, uint32_t last) {
  const std::vector<uint32_t>& classes = shapes_[frames_[object].shape]->listed_classes();
  NameSet::Any any = names.any(first, last);
  for (uint32_t i = first; any == NameSet::Any::kUnknown && i < last; ++i) {
    if (names.known(i)) continue;
    names.set(i, name_live(object, classes[i]));
    any = names.any(first, last);
  }
  return any == NameSet::Any::kSome;
}

// Can a name of these classes begin with what led to the product? A search must leave out the
// listed names; but if no name at all begins so, or more of them than the list has, there is none
// to do.
bool SchemaMachine::others_live(FrameId object, OtherNames& others, uint32_t product) {
  using Answer = LiveProducts::Answer;
  if (const Answer known = others.products.known(product); known != Answer::kUnknown)
    return known == Answer::kLive;
  KeyShape& shape = *shapes_[frames_[object].shape];
  const LiveProducts::Acceptable acceptable = [&](const StringSignature& signature) {
    const uint32_t id = shape.class_of(signature);
    return shape.other_classes_known()
               ? std::binary_search(others.classes.begin(), others.classes.end(), id)
               : name_live(object, id);
  };
  const auto search = [&] {
    return shape.machine().search_unlisted(product, acceptable) !=
           StringMachine::Search::kExhausted;
  };
  const auto [first, last] = shape.machine().listed_below(product);
  bool live;
  if (first == last) {
    const Answer found = shape.other_classes_known()
                             ? others.products.find(shape.machine(), product, acceptable)
                             : Answer::kUnknown;
    live = found == Answer::kLive || (found == Answer::kUnknown && search());
  } else {
    const uint32_t any = shape.machine().unlisted(product);
    live = others_live(object, others, any) &&
           (many_others(object, others, any, last - first + 1) || search());
  }
  others.products.set(product, live ? Answer::kLive : Answer::kDead);
  return live;
}

bool SchemaMachine::others_live_after(FrameId object, OtherNames& others, uint32_t state) {
  if (const uint8_t known = others.states.get(state)) return known == kYes;
  const StringMachine& machine = shapes_[frames_[object].shape]->machine();
  const bool live =
      others_live(object, others, machine.product(state)) &&
      machine.live(state, [&](uint32_t product) { return others_live(object, others, product); });
  others.states.set(state, live ? kYes : kNo);
  return live;
}

// How many names of these classes begin with what led to the product? Some of them, as many as are
// `wanted` if that is quickly seen; 1 where it is not, as the product is live.
uint32_t SchemaMachine::count_others(FrameId object, OtherNames& others, uint32_t product,
                                     uint32_t wanted, uint32_t* budget) {
  const uint64_t key = uint64_t{1} << 32 | product;
  if (const OtherNames::Room room = others.rooms[key]; room.known >= wanted || room.all)
    return room.known;
  if (*budget == 0) return 1;
  --*budget;
  others.rooms[key] = {1, true};  // where a name leads back here
  uint64_t known = 0;
  shapes_[frames_[object].shape]->machine().successors(
      product, [&](uint32_t lo, uint32_t hi, uint32_t next) {
        if (known >= wanted || !others_live(object, others, next)) return;
        const uint64_t size = hi - lo + 1, left = (wanted - known + size - 1) / size;
        known += size * count_others(object, others, next, static_cast<uint32_t>(left), budget);
      });
  OtherNames::Room& room = others.rooms[key];
  room.known = static_cast<uint32_t>(std::clamp<uint64_t>(known, 1, UINT32_MAX));
  room.all = known < wanted && *budget != 0;
  return room.known;
}

bool SchemaMachine::many_others(FrameId object, OtherNames& others, uint32_t product,
                                uint32_t wanted) {
  uint32_t budget = kNameCountBudget;
  return count_others(object, others, product, wanted, &budget) >= wanted;
}

// The same of a byte state, in which a code point may be pending.
bool SchemaMachine::many_others_after(FrameId object, OtherNames& others, uint32_t state,
                                      uint32_t wanted) {
  const StringMachine& machine = shapes_[frames_[object].shape]->machine();
  if (machine.between(state)) return many_others(object, others, machine.product(state), wanted);
  OtherNames::Room& room = others.rooms[state];
  if (room.known >= wanted || room.all) return room.known >= wanted;
  std::vector<std::pair<uint64_t, uint32_t>> next;
  machine.live_after(state, [&](uint32_t product, CodepointRange read) {
    next.emplace_back(read.hi - read.lo + 1, product);
    return false;
  });
  uint32_t budget = kNameCountBudget;
  uint64_t known = 0;
  for (const auto& [size, product] : next) {
    if (known >= wanted) break;
    if (!others_live(object, others, product)) continue;
    const auto left = static_cast<uint32_t>((wanted - known + size - 1) / size);
    known += size * count_others(object, others, product, left, &budget);
  }
  others.rooms[state] = {static_cast<uint32_t>(std::min<uint64_t>(known, UINT32_MAX)),
                         known < wanted && budget != 0};
  return known >= wanted;
}

// What stands for a byte state in the machine without the list, 0 where only listed names begin so.
// Asked without the lock.
uint32_t SchemaMachine::unlisted_position(FrameId object, OtherNames& others, uint32_t state) {
  if (others.states.get(state) == kNo) return 0;
  if (const uint32_t known = others.positions.get(state)) return known;
  const std::lock_guard lock(mutex_);
  if (!others_live_after(object, others, state)) return 0;
  const uint32_t position =
      others.machine->unlisted_position(shapes_[frames_[object].shape]->machine(), state);
  others.positions.set(state, position);
  return position;
}

// What is known about the names of an object that are not listed.
SchemaMachine::Names SchemaMachine::names_of(FrameId object) {
  if (const uint8_t known = names_memo_.get(object)) return static_cast<Names>(known);
  const std::lock_guard lock(mutex_);
  OtherNames* others = names(object).others();
  KeyShape& shape = *shapes_[frames_[object].shape];
  Names kind = open_object(object) ? Names::kFree : Names::kListed;
  if (others != nullptr && shape.other_classes_known()) {
    kind = Names::kSome;
    if (others->leaf == nullptr) {
      std::vector<StringSignature> acceptable;
      for (const uint32_t id : others->classes) acceptable.push_back(shape.signature_of(id));
      others->machine = shape.unlisted_machine();
      others->leaf = name_leaf(others->machine, std::move(acceptable),
                               open_object(object) ? NameBeginnings::kAny : NameBeginnings::kSome);
    }
  }
  names_memo_.set(object, static_cast<uint8_t>(kind));
  return kind;
}

// ---- Beginnings of names -----------------------------------------------------------------------

bool SchemaMachine::name_possible(FrameId object) {
  if (const uint8_t known = name_memo_.get(object)) return known == kYes;
  const StringMachine& machine = shapes_[frames_[object].shape]->machine();
  const bool possible =
      open_object(object) || name_left(object, machine.product(machine.start()), TextStore::kEmpty);
  name_memo_.set(object, possible ? kYes : kNo);
  return possible;
}

bool SchemaMachine::product_live(FrameId object, uint32_t product) {
  if (open_object(object)) return true;
  NameSet& set = names(object);
  const auto [first, last] = shapes_[frames_[object].shape]->machine().listed_below(product);
  return listed_live(object, set, first, last) ||
         (set.others() != nullptr && others_live(object, *set.others(), product));
}

bool SchemaMachine::key_state_live(FrameId object, uint32_t state, uint32_t text) {
  if (open_object(object)) return true;
  NameSet& set = names(object);
  const StringMachine& machine = shapes_[frames_[object].shape]->machine();
  const bool live = machine.any_listed(state, [&](uint32_t first, uint32_t last) {
    return listed_live(object, set, first, last);
  }) || (set.others() != nullptr && others_live_after(object, *set.others(), state));
  if (!live || set.others() == nullptr || frames_[object].open_names == 0 ||
      text == TextStore::kUnseen) {
    return live;
  }
  const uint32_t used = sets_.size(frames_[object].seen);
  if (many_others_after(object, *set.others(), state, used + 1)) return true;
  std::vector<uint32_t> stored;
  texts_.for_each_used_child(text, [&](uint32_t codepoint) { stored.push_back(codepoint); });
  return machine.live_after(state, [&](uint32_t product, CodepointRange read) {
    return read.lo > read.hi ? name_left(object, product, text)
                             : name_left_after(object, product, text, read, stored);
  });
}

// May the names that begin with what led to this byte state all have been used, by the token that
// is looked at among others?
bool SchemaMachine::may_lack_names(FrameId object, uint32_t state) {
  if (frames_[object].open_names != Frame::kLookedAhead || open_object(object)) return false;
  NameSet& set = names(object);
  if (set.others() == nullptr) return false;
  const bool listed = shapes_[frames_[object].shape]->machine().any_listed(
      state, [&](uint32_t first, uint32_t last) { return listed_live(object, set, first, last); });
  const uint32_t used = sets_.size(frames_[object].seen);
  return !listed && !many_others_after(object, *set.others(), state, used + 1);
}

// Is a name left that begins with `text`, which led to this product? Where not any string is a
// name, those that are may have been used up: {"": 1, "0": 1} under propertyNames {"maxLength": 1}
// leaves `"1` but not `"0`. Text by text, only prefixes of used names are in question.
bool SchemaMachine::name_left(FrameId object, uint32_t product, uint32_t text) {
  if (!product_live(object, product)) return false;
  const Frame& frame = frames_[object];
  if (frame.open_names == 0 || text == TextStore::kUnseen || names(object).others() == nullptr)
    return true;
  const uint32_t used = sets_.size(frame.seen);
  if (many_others(object, *names(object).others(), product, used + 1)) return true;
  const uint64_t key = pack(object, text);
  if (const auto known = left_memo_.find(key); known != left_memo_.end()) return known->second;
  const bool left = find_name_left(object, product, text);
  left_memo_[key] = left;
  return left;
}

bool SchemaMachine::find_name_left(FrameId object, uint32_t product, uint32_t text) {
  const Frame& frame = frames_[object];
  KeyShape& shape = *shapes_[frame.shape];
  const StringMachine& machine = shape.machine();
  const uint32_t seen = frame.seen;  // the frame may move
  if (!sets_.contains(seen, text) &&
      name_live(object, shape.class_of(machine.signature(product)))) {
    return true;
  }
  std::vector<uint32_t> stored;
  texts_.for_each_used_child(text, [&](uint32_t codepoint) { stored.push_back(codepoint); });
  std::vector<std::pair<CodepointRange, uint32_t>> next;
  machine.successors(product, [&](uint32_t lo, uint32_t hi, uint32_t to) {
    next.push_back({{lo, hi}, to});
  });
  // Where more code points lead on than begin used names, the first that may do will do.
  std::stable_partition(next.begin(), next.end(), [&](const auto& each) {
    return stored_in(each.first, stored) < uint64_t{each.first.hi} - each.first.lo + 1;
  });
  return std::any_of(next.begin(), next.end(), [&](const auto& each) {
    return name_left_after(object, each.second, text, each.first, stored);
  });
}

// The same after one more code point of a range that leads to this product.
bool SchemaMachine::name_left_after(FrameId object, uint32_t product, uint32_t text,
                                    CodepointRange range, const std::vector<uint32_t>& stored) {
  if (!product_live(object, product)) return false;
  return stored_in(range, stored) < uint64_t{range.hi} - range.lo + 1 ||
         std::any_of(stored.begin(), stored.end(), [&](uint32_t c) {
           return range.lo <= c && c <= range.hi &&
                  name_left(object, product, texts_.find(text, c));
         });
}

}  // namespace espalier
