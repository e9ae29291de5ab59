// Which frames look alike to masks?
//
// The idea. After a value a token can spell what follows in its object, `,` and a quote, or close
// it and go on further out; it cannot tell two objects apart that differ in the names that were
// used, unless it spells the beginning of a name too. Vocabularies hardly have such tokens, and the
// few are known (NameHeads). So for masks an object is: may it be closed, may another name come,
// and what it is part of. A slot is what is asked of its value, and the container.
//
// Example: in {"a": {"x": 1}, "b": ..} and {"a": {"x": 1, "y": 2}, "b": ..} all places after the
// values of x and y have one mask, if nothing is required and nothing forbidden.
//
// Invariants: alike frames have the same continuations as far as one token reaches. A frame whose
// outcome matters to its container, or whose value must be remembered, is alike to itself only.
// Arrays are compared by all their content.
//
// Cost: a look-up for each frame, and once for each frame the questions that masks ask anyway.
#include "schema/schema_machine.h"

namespace espalier {
namespace {

// The first frame with this key, `frame` if there was none.
FrameId first_like(const Frame& key, FrameId frame, FrameStore* keys, std::vector<FrameId>* first) {
  const FrameId id = keys->intern(key);
  if (id > first->size()) first->push_back(frame);
  return (*first)[id - 1];
}

}  // namespace

// `frame` is a slot or a container.
FrameId SchemaMachine::like(FrameId frame, const NameHeads& heads) {
  if (heads.deep) return frame;
  const auto same_heads = [&] {
    return std::equal(heads.first.words, heads.first.words + 4, heads_.first.words);
  };
  if (heads_known_.load(std::memory_order_acquire)) {
    if (!same_heads()) return frame;
    if (const FrameId known = like_memo_.get(frame)) return known;
  }
  const std::lock_guard lock(mutex_);
  if (!heads_known_.load(std::memory_order_relaxed)) {
    heads_ = heads;
    heads_known_.store(true, std::memory_order_release);
  }
  if (!same_heads() || !status_.ok()) return frame;
  return frames_[frame].kind == Frame::Kind::kSlot ? like_slot(frame) : like_container(frame);
}

FrameId SchemaMachine::like_slot(FrameId slot) {
  if (const FrameId known = like_memo_.get(slot)) return known;
  Frame key = frames_[slot];
  FrameId like = slot;
  if (key.parent != 0 && (key.bindings | key.remember | key.forbidden) == 0) {
    key.parent = like_container(key.parent);
    like = first_like(key, slot, &like_keys_, &like_frames_);
  }
  like_memo_.set(slot, like);
  return like;
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
    key.parent = like_slot(frame.parent);
    like = first_like(key, container, &like_keys_, &like_frames_);
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
