// The byte machine of a JSON Schema, evaluated in lockstep.
//
// The idea. JSON's nesting is visible in the text, so all subschemas that apply at one place can
// read the same bytes together. A container's frame holds a list of formulas over the assertions
// that are still open there (formula.h); a value's slot says which nodes the value must satisfy
// (those whose failure would make the container's formula false) and which others are tracked,
// because the container can live with either outcome. When the value ends, its outcome is
// substituted in the container's formulas and the machine goes on. Nothing is translated to a
// grammar, and any Boolean combination of subschemas is just a formula.
//
// Example: {"oneOf": [{"properties": {"k": {"const": 1}}}, {"properties": {"k": {"const": 2}}}]}.
// The object's formula is ExactlyOne(kProperties A, kProperties B). At the value of "k" neither is
// forced, so both constants are tracked; a 1 gives the outcome (true, false), the formula becomes
// ExactlyOne(kProperties A), that is kProperties A, and from here on A is forced. A 3 would make it
// false: the leaf was built knowing which outcomes are acceptable, so the byte is refused.
//
// Invariants: frames, formulas, sets and leaves are interned, so a State names content; every frame
// in a live state can be completed (frame_live) as far as satisfiability.cpp decides;
// nothing is built before a text or a mask needs it.
//
// Cost: a byte inside a scalar is two table look-ups, a structural byte at most one hash look-up
// once it was seen in its state; neither takes a lock. New steps are computed under one mutex.
//
// References: JSON Schema Core 2020-12 section 10; Alur and Madhusudan, "Visibly pushdown
// languages" (STOC 2004) for why this is closed under Boolean operations; RFC 8259.
#include "schema/machine/schema_machine.h"

#include <string_view>

#include "schema/loading/schema_options.h"

namespace espalier {
namespace {

bool is_json_space(uint8_t b) { return b == ' ' || b == '\t' || b == '\n' || b == '\r'; }

}  // namespace

SchemaMachine::SchemaMachine(std::shared_ptr<const SchemaGraph> graph, const SchemaOptions& options)
    : graph_(std::move(graph)),
      options_(options),
      any_space_(allows_any_space(options)),
      ordered_(orders_properties(options)),
      strings_(string_spelling(options)),
      numbers_(number_spelling(options)),
      expansion_(*graph_, &pool_, &texts_),
      values_(&texts_, &sets_),
      existence_(make_satisfiability(Answer::kExistence)),
      alike_nodes_(&expansion_),
      unique_(pool_.atom({Atom::Kind::kUnique, 0, 0})) {
  for (const SchemaNode& node : graph_->nodes) compares_items_ |= node.unique_items;
  const std::string* given[] = {&options.spelling.item_separator, &options.spelling.key_separator};
  for (const Gap gap : {kAfterComma, kAfterColon}) {
    if (allows_optional_space(options)) gap_start_[gap] = 1;
    if (given[gap]->size() < 2) continue;
    gaps_[gap] = given[gap]->substr(1);
    gap_start_[gap] = static_cast<uint32_t>(gaps_[gap].size() << 1 | gap);
  }
  const FormulaId any[] = {FormulaPool::kTrue};
  free_string_ = string_leaf(pool_, {any[0]}, expansion_.atoms(), strings_, nullptr);
  const char* literals[] = {"null", "false", "true"};
  static const auto* shared = new std::vector<std::shared_ptr<const Leaf>>{
      std::make_shared<LiteralLeaf>("null"), std::make_shared<LiteralLeaf>("false"),
      std::make_shared<LiteralLeaf>("true")};
  for (size_t i = 0; i < std::size(literals); ++i) {
    literal_leaves_[i] = leaves_.push_back((*shared)[i]);
    leaf_ids_[(*shared)[i].get()] = literal_leaves_[i];
  }
  static const auto* space = new std::shared_ptr<const Leaf>(std::make_shared<SpaceLeaf>());
  space_ = *space;
  Frame root;
  root.kind = Frame::Kind::kSlot;
  root.ask = asks_.intern({{graph_->root}});
  const FrameId slot = frames_.intern(root);
  if (slot_live(slot)) start_ = {slot, kValue, 0, 0};
}

Satisfiability SchemaMachine::make_satisfiability(Answer answer) {
  return {answer,   &expansion_,
          &pool_,   &sets_,
          &values_, strings_,
          numbers_, [this](FormulaId f) { return shapes_[shape_id({f})].get(); }};
}

Satisfiability& SchemaMachine::costs() {
  if (costs_ == nullptr) {
    costs_ = std::make_unique<Satisfiability>(make_satisfiability(Answer::kCost));
  }
  return *costs_;
}

// ---- Bytes -------------------------------------------------------------------------------------

bool SchemaMachine::whitespace(State s, uint8_t byte) const {
  return any_space_ && is_json_space(byte) && !in_name(s);
}

// White space that a separator still demands.
std::string_view SchemaMachine::fixed_space(State s) const {
  if ((s.leaf != kValue && s.leaf != kKeyQuote) || s.state < 2) return {};
  const std::string_view all = gaps_[s.state & 1];
  return all.substr(all.size() - (s.state >> 1));
}

State SchemaMachine::step(State s, uint8_t byte) { return look_up(s, byte, Mode::kStep); }
State SchemaMachine::probe(State s, uint8_t byte) { return look_up(s, byte, Mode::kProbe); }

State SchemaMachine::look_up(State s, uint8_t byte, Mode mode) {
  if (gave_up()) return {};
  if (advance_unlocked(&s, byte, mode)) return s;
  // Only inside a name or a value to be remembered does it matter whether texts are.
  const bool spelling = s.leaf == kKey || s.text != 0;
  const uint32_t label = byte | (spelling && mode == Mode::kProbe ? kProbeLabel : 0u);
  State next;
  if (steps_.find(s, label, &next)) return next;
  const std::lock_guard lock(mutex_);
  next = advance(s, byte, mode);
  // What is known now by other means need not be remembered.
  if (State again = s; status_.ok() && !advance_unlocked(&again, byte, mode))
    steps_.insert(s, label, next);
  return next;
}

// The bytes that need nothing but leaves, frames and flags: inside a scalar; at the end of a value
// that feeds no binding; at the start of one if it is known how it begins; in white space; after
// ',' and '}' where the answer is known; and, when only looking ahead, inside a name of an object
// that takes listed names alone, or where no name that was used begins so. False: go on from *s
// with the same byte.
bool SchemaMachine::advance_unlocked(State* s, uint8_t byte, Mode mode) const {
  if (s->leaf >= kFirstLeaf) {
    if (s->doubtful()) return true;
    const Leaf& leaf = *leaves_[s->leaf - kFirstLeaf];
    const uint32_t next = leaf.step(s->state, byte);
    if (s->text != 0 && (s->text != ValueStore::kUnseen || next == 0)) return false;
    if (next != 0 && !leaf.is_final(next)) {
      s->state = next;
      return true;
    }
    if (next == 0 && !leaf.can_exit(s->state)) {
      *s = {};
      return true;
    }
    State after;
    if (!leave_unlocked(*s, next != 0 ? next : s->state, &after)) return false;
    *s = after;
    if (next != 0 || after.dead()) return true;
  }
  if (whitespace(*s, byte)) return true;
  switch (s->leaf) {
    case kListedName:
      return advance_listed_unlocked(s, byte);
    case kKey: {
      if (mode == Mode::kStep) return false;
      const bool open = open_memo_.get(s->frame) == kYes;
      const NameSet* names = name_sets_.get(s->frame);
      if (names == nullptr && !open) return false;
      if (!open && names->only_listed_after(s->state)) {
        if (const State listed = as_listed_name(*s); listed.leaf == kListedName) {
          *s = listed;
          return advance_listed_unlocked(s, byte);
        }
      }
      const Frame& frame = frames_[s->frame];
      if (frame.open_names != 0 && (open || names->others() != nullptr) &&
          s->text != TextStore::kUnseen && texts_.leads(s->text)) {
        return false;
      }
      if (frame.open_names == Frame::kLookedAhead && !open && names->others() != nullptr)
        return false;
      const StringMachine& machine = *key_machines_[frame.shape];
      const uint32_t next = machine.step(s->state, byte);
      if (next != 0 && machine.ended(next)) return false;
      NameSet::Any any = next == 0 ? NameSet::Any::kNone : NameSet::Any::kSome;
      if (next != 0 && !open) any = names->any_after(machine, next);
      if (any == NameSet::Any::kUnknown) return false;
      *s = any == NameSet::Any::kSome ? State{s->frame, kKey, next, TextStore::kUnseen} : State{};
      return true;
    }
    case kKeyQuote:
      if (byte != '"' || s->state > 1 || name_memo_.get(s->frame) != kYes) return false;
      *s = {s->frame, kKey, key_machines_[frames_[s->frame].shape]->start(), TextStore::kEmpty};
      return true;
    case kColon:
      *s = byte == ':' ? State{s->frame, kValue, gap_start_[kAfterColon], 0} : State{};
      return true;
    case kAfterValue: {
      const Frame& frame = frames_[s->frame];
      const bool object = frame.kind == Frame::Kind::kObject;
      if (byte == ',' && object && name_memo_.get(s->frame) == kYes &&
          (frame.open_names != Frame::kLookedAhead || open_memo_.get(s->frame) == kYes)) {
        *s = {s->frame, kKeyQuote, gap_start_[kAfterComma], 0};
        return true;
      }
      if (byte == (object ? '}' : ']') && close_memo_.get(s->frame) == kYes) {
        return finish_unlocked(frame.parent, s);
      }
      if (byte == ',' || byte == (object ? '}' : ']')) return false;
      *s = {};
      return true;
    }
    case kDone:
      *s = {};
      return true;
    case kValue:
      if (s->state > 1 || (s->state == 1 && byte == ' ')) return false;
      return begin_value_unlocked(s->frame, byte, s);
    case kArrayStart: {
      if (byte == ']') return false;
      const FrameId known = item_memo_.get(s->frame);
      if (known == 0) return false;
      if (known != kNoSlot) return begin_value_unlocked(known, byte, s);
      *s = {};
      return true;
    }
    default:
      return false;
  }
}

// What finish() and end_leaf() do where no outcome matters. False: ask them.
bool SchemaMachine::finish_unlocked(FrameId slot, State* s) const {
  const Frame& frame = frames_[slot];
  if ((frame.bindings | frame.remember) != 0) return false;
  *s = frame.parent == 0 ? State{slot, kDone, 0, 0} : State{frame.parent, kAfterValue, 0, 0};
  return true;
}

bool SchemaMachine::leave_unlocked(State s, uint32_t exit_state, State* after) const {
  return finish_unlocked(s.frame, after) ||
         ((s.text == 0 || s.text == ValueStore::kUnseen) &&
          steps_.find({s.frame, s.leaf, exit_state, 0}, kLeaveLabel, after));
}

State SchemaMachine::advance(State s, uint8_t byte, Mode mode) {
  if (s.dead() || !status_.ok()) return {};
  if (s.doubtful()) return s;
  if (s.leaf >= kFirstLeaf) return advance_leaf(s, byte, mode);
  if (whitespace(s, byte)) return s;
  if (const std::string_view space = fixed_space(s); !space.empty()) {
    if (byte != static_cast<uint8_t>(space[0])) return {};
    return {s.frame, s.leaf, space.size() == 1 ? 0 : s.state - 2, 0};
  }
  switch (s.leaf) {
    case kValue:
      if (byte == ' ' && s.state == 1) return {s.frame, kValue, 0, 0};
      return begin_value(s.frame, byte);
    case kObjectStart:
      if (byte == '}') return closeable(s.frame) ? close(s.frame) : State{};
      [[fallthrough]];
    case kKeyQuote: {
      if (byte == ' ' && s.leaf == kKeyQuote && s.state == 1) return {s.frame, kKeyQuote, 0, 0};
      if (byte != '"' || !name_possible(s.frame)) return {};
      const StringMachine& machine = shapes_[frames_[s.frame].shape]->machine();
      return {s.frame, kKey, machine.start(), TextStore::kEmpty};
    }
    case kKey:
      return advance_key(s, byte, mode);
    case kListedName:
      return advance_listed_name(s, byte);
    case kColon:
      return byte == ':' ? State{s.frame, kValue, gap_start_[kAfterColon], 0} : State{};
    case kArrayStart: {
      if (byte == ']') return closeable(s.frame) ? close(s.frame) : State{};
      const FrameId slot = item_slot(s.frame);
      return slot != 0 ? begin_value(slot, byte) : State{};
    }
    case kAfterValue: {
      const Frame& frame = frames_[s.frame];
      const bool object = frame.kind == Frame::Kind::kObject;
      if (byte == (object ? '}' : ']')) return closeable(s.frame) ? close(s.frame) : State{};
      if (byte != ',') return {};
      if (object) {
        if (!name_possible(s.frame)) return {};
        if (may_lack_names(s.frame, shapes_[frame.shape]->machine().start())) return State::doubt();
        return {s.frame, kKeyQuote, gap_start_[kAfterComma], 0};
      }
      const FrameId slot = item_slot(s.frame);
      return slot != 0 ? State{slot, kValue, gap_start_[kAfterComma], 0} : State{};
    }
    default:
      return {};
  }
}

State SchemaMachine::advance_leaf(State s, uint8_t byte, Mode mode) {
  const Leaf& leaf = *leaves_[s.leaf - kFirstLeaf];
  const uint32_t next = leaf.step(s.state, byte);
  if (next == 0 && !leaf.can_exit(s.state)) return {};
  if (next == 0) return advance(end_leaf(s, s.state, mode), byte, mode);
  if (s.text != 0) s.text = remember_byte(leaf, s, byte, mode);
  s.state = next;
  return leaf.is_final(next) ? end_leaf(s, next, mode) : s;
}

State SchemaMachine::end_leaf(State s, uint32_t exit_state, Mode mode) {
  const Frame& at = frames_[s.frame];
  const uint32_t value = at.remember != 0 ? scalar_value(s, mode) : 0;
  if (at.bindings == 0) return finish(s.frame, {}, value);
  const uint32_t id = s.leaf - kFirstLeaf;
  if (const auto* scalar = dynamic_cast<const ScalarLeaf*>(leaves_[id].get())) {
    return finish(s.frame, scalar->outcome(exit_state), value);
  }
  const auto value_class = id == literal_leaves_[0]   ? ValueClass::kNull
                           : id == literal_leaves_[1] ? ValueClass::kFalse
                                                      : ValueClass::kTrue;
  return finish(s.frame, outcome_now(typed(at.ask, value_class)), value);
}

State SchemaMachine::finish(FrameId slot, const Outcome& outcome, uint32_t value) {
  const Frame& at = frames_[slot];
  if (at.parent == 0) return {slot, kDone, 0, 0};
  if (at.remember != 0) {
    if (in_doubt(slot, value)) return State::doubt();
    if (sets_.contains(at.forbidden, value)) return {};
    if (at.bindings != 0 && !acceptable(slot, outcome, value)) return {};
  }
  const FrameId parent = apply(slot, outcome, value);
  return parent != 0 ? State{parent, kAfterValue, 0, 0} : State{};
}

State SchemaMachine::close(FrameId container) {
  const Frame& frame = frames_[container];
  const uint32_t value = frames_[frame.parent].remember != 0 ? content_value(frame) : 0;
  return finish(frame.parent, outcome_now(formula_lists_[frame.formulas]), value);
}

State SchemaMachine::advance_key(State s, uint8_t byte, Mode mode) {
  KeyShape& shape = *shapes_[frames_[s.frame].shape];
  const StringMachine& machine = shape.machine();
  const uint32_t next = machine.step(s.state, byte);
  if (next == 0) return {};
  uint32_t text = s.text;
  uint32_t codepoints[2];
  const size_t count = machine.completed(s.state, byte, codepoints);
  for (size_t i = 0; i < count; ++i) {
    text =
        mode == Mode::kStep ? texts_.append(text, codepoints[i]) : texts_.find(text, codepoints[i]);
  }
  // Looking ahead, no name that is not used yet differs from any other.
  if (mode == Mode::kProbe && text != TextStore::kUnseen && !texts_.matters(text))
    text = TextStore::kUnseen;
  if (machine.ended(next))
    return end_name(s.frame, shape.class_of(machine.signature(machine.product(next))), text);
  if (!key_state_live(s.frame, next, text)) return {};
  if (may_lack_names(s.frame, next)) return State::doubt();
  return {s.frame, kKey, next, text};
}

State SchemaMachine::end_name(FrameId object, uint32_t key_class, uint32_t text) {
  if (may_repeat(object, key_class)) return State::doubt();
  const FrameId slot = property_slot(object, key_class, text);
  return slot != 0 ? State{slot, kColon, 0, 0} : State{};
}

// ---- Looking ahead -----------------------------------------------------------------------------

bool SchemaMachine::accepting(State s) {
  if (s.dead() || gave_up()) return false;
  if (s.leaf == kDone) return true;
  if (s.leaf < kFirstLeaf || s.doubtful() || frames_[s.frame].parent != 0) return false;
  return leaves_[s.leaf - kFirstLeaf]->can_exit(s.state);
}

Bulk SchemaMachine::bulk(State s) {
  if (s.dead() || s.doubtful()) return {};
  if (s.leaf >= kFirstLeaf) {
    const Leaf& leaf = *leaves_[s.leaf - kFirstLeaf];
    if (leaf.walked()) return {};
    if (const Leaf::Relaxed relaxed = leaf.relaxed(s.state); relaxed.leaf != nullptr)
      return {.leaf = relaxed.leaf, .state = relaxed.state, .relaxed = true};
    if (s.text == 0) return {&leaf, s.state};
    // A string that was used before ends in another way; numbers are stepped.
    return static_cast<const ScalarLeaf&>(leaf).string_machine() != nullptr
               ? Bulk{&leaf, s.state, Bulk::Exceptions::kEnds}
               : Bulk{};
  }
  if (s.leaf == kListedName) return {};
  if (s.leaf != kKey) {
    if (!any_space_) return {};
    return {space_.get(), space_->start(), Bulk::Exceptions::kNone, true};
  }
  const StringMachine& machine = *key_machines_[frames_[s.frame].shape];
  switch (names_of(s.frame)) {
    case Names::kListed:
      return {};
    case Names::kFree:
      return {free_string_.get(), free_string_->string_machine()->same_position(machine, s.state),
              Bulk::Exceptions::kEnds};
    default: {
      OtherNames& others = *name_sets_.get(s.frame)->others();
      const uint32_t position = unlisted_position(s.frame, others, s.state);
      return position != 0 ? Bulk{others.leaf.get(), position, Bulk::Exceptions::kAll} : Bulk{};
    }
  }
}

void SchemaMachine::exceptional_bytes(State s, ByteSet* out, ByteSet* characters) {
  *out = *characters = ByteSet();
  const Frame& frame = frames_[s.frame];
  const bool key = s.leaf == kKey;
  if (!key && (s.leaf < kFirstLeaf || s.text == 0 || s.doubtful())) return;
  const StringMachine& machine =
      key ? *key_machines_[frame.shape]
          : *static_cast<const ScalarLeaf&>(*leaves_[s.leaf - kFirstLeaf]).string_machine();
  if (key) machine.trie_bytes(s.state, out, characters);
  if ((key && frame.open_names == 0) || s.text == TextStore::kUnseen) return;
  if (!machine.between(s.state)) {
    if (texts_.leads(s.text)) {
      out->fill();
      characters->fill();
    }
    return;
  }
  if (texts_.used(s.text) || (!key && !indifferent(frame.parent))) out->insert('"');
  if (!texts_.leads(s.text)) return;
  const std::lock_guard lock(mutex_);
  bool any = false;
  texts_.for_each_used_child(s.text, [&](uint32_t codepoint) {
    std::string first;
    append_wtf8(&first, codepoint);
    out->insert(static_cast<uint8_t>(first[0]));
    characters->insert(static_cast<uint8_t>(first[0]));
    any = true;
  });
  if (any) out->insert('\\');
}

State SchemaMachine::representative(State s, const NameHeads& heads) {
  if (s.dead() || s.doubtful()) return s;
  const Frame& frame = frames_[s.frame];
  if (s.text != 0 && s.text != TextStore::kUnseen) {
    if (s.leaf == kKey) {
      if (frame.open_names != 0 && texts_.matters(s.text)) return s;
    } else {
      const Leaf& leaf = *leaves_[s.leaf - kFirstLeaf];
      if (static_cast<const ScalarLeaf&>(leaf).string_machine() == nullptr ||
          leaf.relaxed(s.state).leaf != nullptr || texts_.matters(s.text) ||
          !indifferent(frame.parent)) {
        return s;
      }
    }
    s.text = TextStore::kUnseen;
  }
  if (s.leaf == kKeyQuote) return like_before_name(s, heads);
  if (s.leaf >= kFirstLeaf) {
    s.frame = like(s.frame, Place::kInside, heads);
  } else if (s.leaf == kValue || s.leaf == kColon || s.leaf == kAfterValue) {
    s.frame = like(s.frame, Place::kOutside, heads);
  }
  return s;
}

State SchemaMachine::leave(State s, uint32_t exit_state) {
  if (s.leaf < kFirstLeaf && s.leaf != kKey) return s;  // white space
  if (s.leaf != kKey && s.text != 0) s = {s.frame, s.leaf, exit_state, ValueStore::kUnseen};
  State after;
  if (s.leaf == kKey) {
    if (steps_.find({s.frame, kKey, exit_state, 0}, kLeaveLabel, &after)) return after;
  } else if (leave_unlocked(s, exit_state, &after)) {
    return after;
  }
  const std::lock_guard lock(mutex_);
  after = s.leaf == kKey ? end_unlisted_name(s.frame, exit_state)
                         : end_leaf(s, exit_state, Mode::kProbe);
  if (status_.ok()) steps_.insert({s.frame, s.leaf, exit_state, 0}, kLeaveLabel, after);
  return after;
}

void SchemaMachine::next_bytes(State s, ByteSet* out) {
  *out = ByteSet();
  if (s.dead()) return;
  const auto insert = [&](std::string_view bytes) {
    for (const char b : bytes) out->insert(static_cast<uint8_t>(b));
  };
  if (any_space_ && !in_name(s)) insert(" \t\n\r");
  if (const std::string_view space = fixed_space(s); !space.empty())
    return insert(space.substr(0, 1));
  if (s.state == 1 && (s.leaf == kValue || s.leaf == kKeyQuote)) insert(" ");
  switch (s.leaf) {
    case kValue:
      return first_bytes(s.frame, out);
    case kArrayStart:
      insert("]");
      if (const FrameId slot = item_memo_.get(s.frame); slot != kNoSlot) first_bytes(slot, out);
      return;
    case kObjectStart:
      insert("}\"");
      return;
    case kKeyQuote:
      insert("\"");
      return;
    case kColon:
      insert(":");
      return;
    case kAfterValue:
      insert(",}]");
      return;
    case kDone:
      return;
    case kListedName: {
      const auto place =
          s.state % 2 != 0 ? StringMachine::Place::kEscape : StringMachine::Place::kBetween;
      return key_machines_[frames_[s.frame].shape]->trie_bytes_at(s.state / 2, place, out);
    }
    case kKey: {
      const StringMachine& machine = *key_machines_[frames_[s.frame].shape];
      if (const NameSet* names = name_sets_.get(s.frame); names != nullptr &&
                                                          open_memo_.get(s.frame) != kYes &&
                                                          names->only_listed_after(s.state)) {
        ByteSet characters;
        machine.trie_bytes(s.state, out, &characters);
      } else if (object_is_open(s.frame) || !machine.listed_bytes(s.state, out)) {
        out->fill();
      }
      return;
    }
    default:
      break;
  }
  if (s.doubtful()) return out->fill();
  if (const Leaf& leaf = *leaves_[s.leaf - kFirstLeaf]; leaf.walked()) {
    ByteSet characters;
    *out = ByteSet();
    return static_cast<const ScalarLeaf&>(leaf).string_machine()->trie_bytes(s.state, out,
                                                                             &characters);
  }
  // Only a string ends by itself; a number's or a literal's end needs the container's bytes too.
  out->fill();
}

// The state after a name that is neither listed nor used.
State SchemaMachine::end_unlisted_name(FrameId object, uint32_t exit_state) {
  KeyShape& shape = *shapes_[frames_[object].shape];
  const OtherNames* others = names(object).others();
  uint32_t key_class;
  if (others == nullptr) {
    key_class = shape.other_classes().front();
  } else {
    const StringMachine& machine = *others->machine;
    key_class = shape.class_of(machine.signature(machine.product(exit_state)));
  }
  if (may_repeat(object, key_class)) return State::doubt();
  const FrameId slot = property_slot(object, key_class, TextStore::kUnseen);
  return slot != 0 ? State{slot, kColon, 0, 0} : State{};
}

// May an unlisted name that was not used when the token began have been used by the token itself?
bool SchemaMachine::may_repeat(FrameId object, uint32_t key_class) const {
  const Frame& frame = frames_[object];
  return shapes_[frame.shape]->key_class(key_class).string == StringSignature::kOther &&
         (sets_.contains(frame.seen, TextStore::kUnseen) ||
          sets_.contains(frame.seen, KeyShape::unseen_name(key_class)));
}

uint32_t SchemaMachine::name_rank(State s, std::u32string_view name) {
  if (!ordered_ || s.leaf != kObjectStart) return 0;
  const std::lock_guard lock(mutex_);
  return shapes_[frames_[s.frame].shape]->rank_of(name);
}

bool SchemaMachine::object_is_open(FrameId object) {
  if (const uint8_t known = open_memo_.get(object)) return known == kYes;
  const std::lock_guard lock(mutex_);
  return open_object(object);
}

bool SchemaMachine::admits(NodeId node) {
  const std::lock_guard lock(mutex_);
  return existence_.value({.must = {node}, .fail = {}}) != kNever;
}

}  // namespace espalier
