// How values begin.
//
// The idea: a mask in front of a value asks for each of the seventeen bytes that may begin one, and
// most of them mean the same. So what follows a first byte is kept for each slot by the class of
// values that it begins: from then on it is one look-up without a lock, whichever digit it is, and
// a walk over the vocabulary does not try the bytes of classes that are known to be impossible.
//
// Example: once a number was refused in a slot for {"type": "string"}, next_bytes no longer tells
// of digits; after the quote comes the start state of the slot's leaf.
//
// Invariant: what is known here is what begin_value would say. Slots whose values must be
// remembered (uniqueItems) are left to it, as their states depend on texts.
//
// Cost: one question for each class that comes up, once for each slot.
#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

ValueClass class_of_byte(uint8_t byte, bool* ok) {
  *ok = true;
  switch (byte) {
    case 'n':
      return ValueClass::kNull;
    case 'f':
      return ValueClass::kFalse;
    case 't':
      return ValueClass::kTrue;
    case '"':
      return ValueClass::kString;
    case '[':
      return ValueClass::kArray;
    case '{':
      return ValueClass::kObject;
    default:
      *ok = byte == '-' || (byte >= '0' && byte <= '9');
      return ValueClass::kNumber;
  }
}

}  // namespace

State SchemaMachine::begin_value(FrameId slot, uint8_t byte) {
  bool ok = false;
  const ValueClass value_class = class_of_byte(byte, &ok);
  if (!ok) return {};
  State after;
  if (class_live(slot, value_class)) {
    if (value_class == ValueClass::kObject || value_class == ValueClass::kArray) {
      const FrameId frame = container(slot, value_class);
      const Position at = value_class == ValueClass::kObject ? kObjectStart : kArrayStart;
      if (frame != 0) after = {frame, at, 0, 0};
    } else {
      const uint32_t id = leaf_of(slot, value_class);
      after = {slot, kFirstLeaf + id, leaves_[id]->start(), 0};
    }
  }
  const bool literal = !after.dead() && value_class <= ValueClass::kTrue;
  if (literal) after.state = leaves_[after.leaf - kFirstLeaf]->step(after.state, byte);
  note_start(slot, value_class, after);
  if (after.leaf < kFirstLeaf) return after;
  const Leaf& leaf = *leaves_[after.leaf - kFirstLeaf];
  if (value_class == ValueClass::kNumber) after.state = leaf.step(after.state, byte);
  if (after.state == 0) return {};
  if (frames_[slot].remember != 0) {
    if (value_class == ValueClass::kString && !leaf.walked()) after.text = values_.string_start();
    if (value_class == ValueClass::kNumber)
      after.text = texts_.append(values_.number_start(), byte);
  }
  return after;
}

void SchemaMachine::note_start(FrameId slot, ValueClass value_class, State after) {
  if (frames_[slot].remember != 0 || !status_.ok()) return;
  ValueStarts* starts = value_starts_.get(slot);
  if (starts == nullptr) {
    owned_value_starts_.push_back(std::make_unique<ValueStarts>());
    starts = owned_value_starts_.back().get();
    value_starts_.set(slot, starts);
  }
  const auto i = static_cast<size_t>(value_class);
  const uint8_t known = starts->known.load(std::memory_order_relaxed);
  if ((known >> i & 1) != 0) return;
  starts->after[i] = after;
  starts->known.store(static_cast<uint8_t>(known | 1u << i), std::memory_order_release);
}

bool SchemaMachine::begin_value_unlocked(FrameId slot, uint8_t byte, State* s) const {
  bool ok = false;
  const ValueClass value_class = class_of_byte(byte, &ok);
  const auto i = static_cast<size_t>(value_class);
  State after;
  if (ok) {
    const ValueStarts* starts = value_starts_.get(slot);
    if (starts == nullptr || (starts->known.load(std::memory_order_acquire) >> i & 1) == 0)
      return false;
    after = starts->after[i];
    if (value_class == ValueClass::kNumber && !after.dead()) {
      after.state = leaves_[after.leaf - kFirstLeaf]->step(after.state, byte);
      if (after.state == 0) after = {};
    }
  }
  *s = after;
  return true;
}

void SchemaMachine::first_bytes(FrameId slot, ByteSet* out) const {
  const ValueStarts* starts = value_starts_.get(slot);
  const uint32_t known = starts != nullptr ? starts->known.load(std::memory_order_acquire) : 0;
  for (const char first : std::string_view("\"-0123456789tfn{[")) {
    const auto byte = static_cast<uint8_t>(first);
    bool ok = false;
    const auto i = static_cast<size_t>(class_of_byte(byte, &ok));
    if ((known >> i & 1) == 0 || !starts->after[i].dead()) out->insert(byte);
  }
}

}  // namespace espalier
