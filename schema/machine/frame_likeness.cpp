// Which frames look alike to masks?
//
// The idea. After a value a token can spell what follows in its object, `,` and a quote, or close
// it and go on further out; it cannot tell two objects apart that differ in the names that were
// used, unless it spells the beginning of a name too. Vocabularies hardly have such tokens, and the
// few are known (NameHeads). So for masks an object is: may it be closed, may another name come,
// and the container that it is part of. A slot is what is asked of its value, as it is written
// (alike_nodes.cpp), and the container; within a scalar, whose leaf knows what is asked, the
// container alone.
//
// Example: in {"a": {"x": 1}, "b": ..} and {"a": {"x": 1, "y": 2}, "b": ..} all places after the
// values of x and y have one mask, if nothing is required and nothing forbidden.
//
// Invariants: alike frames have the same continuations as far as one token reaches. A frame whose
// outcome matters to its container, or whose value must be remembered, is alike to itself only.
// Arrays are compared by all their content.
//
// Cost: a look-up for each frame, and once for each frame the questions that masks ask anyway.

#include "grammar/tables/sort_unique.h"
#include "schema/machine/schema_machine.h"

namespace espalier {

// The first frame with this key, `frame` if there was none.
FrameId SchemaMachine::first_like(const Frame& key, FrameId frame) {
  const FrameId id = like_keys_.intern(key);
  if (id > like_frames_.size()) like_frames_.push_back(frame);
  return like_frames_[id - 1];
}

// What was found out is for the first vocabulary that asked.
bool SchemaMachine::heads_fit(const NameHeads& heads) const {
  return heads_known_.load(std::memory_order_acquire) && heads.uid == heads_.uid;
}

bool SchemaMachine::take_heads(const NameHeads& heads) {
  if (!heads_known_.load(std::memory_order_relaxed)) {
    heads_ = {.first = heads.first, .deep = heads.deep, .whole = nullptr, .uid = heads.uid};
    heads_known_.store(true, std::memory_order_release);
  }
  return heads_fit(heads);
}

// `frame` is a slot or a container; kInside is for the slot of a scalar that has begun.
FrameId SchemaMachine::like(FrameId frame, Place place, const NameHeads& heads) {
  if (heads.deep) return frame;
  if (heads_fit(heads)) {
    const auto& memo = place == Place::kInside ? inside_memo_ : like_memo_;
    if (const FrameId known = memo.get(frame)) return known;
  }
  const std::lock_guard lock(mutex_);
  if (!take_heads(heads) || !status_.ok()) return frame;
  if (place == Place::kInside) return like_inside(frame);
  return frames_[frame].kind == Frame::Kind::kSlot ? like_slot(frame) : like_container(frame);
}

// What was asked of the value is in the leaf that reads it.
FrameId SchemaMachine::like_inside(FrameId slot) {
  if (const FrameId known = inside_memo_.get(slot)) return known;
  const Frame at = frames_[slot];
  FrameId like = slot;
  if (at.parent != 0 && (at.bindings | at.remember | at.forbidden) == 0) {
    like = first_like(
        {.kind = Frame::Kind::kSlot, .parent = like_container(at.parent), .depth = at.depth}, slot);
  }
  inside_memo_.set(slot, like);
  return like;
}

FrameId SchemaMachine::like_slot(FrameId slot) {
  if (const FrameId known = like_memo_.get(slot)) return known;
  Frame key = frames_[slot];
  FrameId like = slot;
  if (key.parent != 0 && (key.bindings | key.remember | key.forbidden) == 0) {
    key.parent = like_container(key.parent);
    key.ask = like_ask(key.ask);
    like = first_like(key, slot);
  }
  like_memo_.set(slot, like);
  return like;
}

// What is asked of a value without tracked outcomes, by nodes that stand for all that are alike.
uint32_t SchemaMachine::like_ask(uint32_t ask) {
  const auto [it, inserted] = like_asks_.try_emplace(ask, ask);
  if (inserted && asks_[ask].size() == 1) {
    Ask like = asks_[ask];
    for (NodeId& node : like[0]) node = alike_nodes_.first_like(node);
    sort_unique(&like[0]);
    it->second = asks_.intern(like);
  }
  return it->second;
}

FrameId SchemaMachine::like_container(FrameId container) {
  if (const FrameId known = like_memo_.get(container)) return known;
  const Frame frame = frames_[container];
  const Frame& slot = frames_[frame.parent];
  const bool alone = (slot.bindings | slot.remember | slot.forbidden | frame.forbidden) != 0;
  FrameId like = container;
  Frame key = frame;
  if (frame.kind == Frame::Kind::kObject && !alone && heads_tell_nothing(container)) {
    key = Frame{.kind = Frame::Kind::kObject, .depth = frame.depth};
    key.shape = name_possible(container) ? (open_object(container) ? 2 : 1) : 0;
    key.index = closeable(container) ? 1 : 0;
  }
  if (!alone) {
    key.parent = slot.parent != 0 ? like_container(slot.parent) : 0;
    like = first_like(key, container);
  }
  like_memo_.set(container, like);
  return like;
}

// Do all names that may come look the same as far as tokens look into them? Names are all or none,
// besides those that are listed or used, and none of these begins like a token does.
bool SchemaMachine::heads_tell_nothing(FrameId object) {
  const auto clashes = [this](uint32_t c) {
    return c < 0x20 || c == '"' || c == '\\' || (c < 0x80 && heads_.first.contains(c));
  };
  texts_compared_ = texts_.for_each_child(TextStore::kEmpty, texts_compared_,
                                          [&](uint32_t c) { heads_clash_ |= clashes(c); });
  if (heads_clash_) return false;
  if (!name_possible(object)) return true;
  KeyShape& shape = *shapes_[frames_[object].shape];
  return shape.only_listed() ||
         (open_object(object) && shape.other_classes_known() && shape.other_classes().size() == 1);
}

}  // namespace espalier
