#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <vector>

#include "grammar/tables/id_table.h"
#include "grammar/tables/stable_vector.h"
#include "schema/formula.h"
#include "schema/schema_graph.h"

namespace espalier {

/// A key of two numbers.
constexpr uint64_t pack(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

using FrameId = uint32_t;

/// One element of the structural stack. A *slot* is a place where one value goes: what is asked of
/// it and what its outcome means to the container. An *object* or *array* is a container whose slot
/// is its parent. Frames are interned with their parent: equal content, equal id.
struct Frame {
  enum class Kind : uint32_t { kNone, kSlot, kObject, kArray };
  Kind kind = Kind::kNone;
  FrameId parent = 0;  ///< slot: its container (0 at the root); container: its slot
  uint32_t depth = 0;  ///< containers below this frame
  // Slots.
  uint32_t ask = 0;       ///< AskStore id
  uint32_t bindings = 0;  ///< what each tracked outcome feeds, BindingStore id; 0 = none
  // Containers.
  uint32_t formulas = 0;  ///< FormulaList id: first must hold at the close, the others are tracked
  uint32_t shape = 0;     ///< object: index of its KeyShape
  uint32_t seen = 0;      ///< object: names used so far, as a SetStore set of text ids; listed
                          ///< ones that `order` tells left out, unless the value is remembered
  uint32_t order = 0;     ///< object, generation profile: the next name's least rank
  uint32_t open_names = 0;  ///< object: were unlisted names used? kLookedAhead: not known which
  uint32_t index = 0;       ///< array: index of the next item, up to the last that matters
  // uniqueItems (unique_rules.cpp); `seen` of an array: its items so far, as a set of value ids.
  uint32_t remember = 0;   ///< slot: 1 if the container must know the value
  uint32_t content = 0;    ///< container in such a slot: ValueStore content; slot: its name's text
  uint32_t forbidden = 0;  ///< set of values that the slot's value, or the container, must not be

  static constexpr uint32_t kLookedAhead = 2;
};
static_assert(sizeof(Frame) == 14 * sizeof(uint32_t));

/// What is asked of a value: the first list must hold, the truth of each other list is tracked.
using Ask = std::vector<std::vector<NodeId>>;

/// Tracked list `bit` of a slot's ask feeds `atom` of the container: a kProperties or kItems atom
/// turns false when the list fails, a kContains count falls by one when it holds; kUnique turns
/// false when it holds, the list being that of the values used.
struct Binding {
  Atom::Kind kind;
  NodeId node;
  uint32_t bit;
  friend auto operator<=>(const Binding&, const Binding&) = default;
};

/// What Interner hashes by.
inline uint64_t content_hash(uint32_t number) { return number; }
inline uint64_t content_hash(const Binding& b) {
  return hash_append(hash_append(static_cast<uint64_t>(b.kind), b.node), b.bit);
}
template <typename T>
uint64_t content_hash(const std::vector<T>& list) {
  uint64_t hash = list.size();
  for (const T& element : list) hash = hash_append(hash, content_hash(element));
  return hash;
}

/// Interns values by content: equal values, equal ids. Id 0 is the default value. References stay
/// good.
template <typename T>
class Interner {
 public:
  Interner() { intern(T()); }
  uint32_t intern(const T& value) {
    const uint64_t hash = content_hash(value);
    uint32_t id = ids_.find(hash, [&](uint32_t known) { return values_[known] == value; });
    if (id == IdTable::kNone) {
      id = static_cast<uint32_t>(values_.size());
      values_.push_back(value);
      ids_.insert(hash, id);
    }
    return id;
  }
  const T& operator[](uint32_t id) const { return values_[id]; }
  size_t size() const { return values_.size(); }

 private:
  IdTable ids_;
  std::deque<T> values_;
};

/// Interned frames; ids start at 1. Reads of known ids need no lock.
class FrameStore {
 public:
  FrameStore() { frames_.push_back({}); }
  FrameId intern(const Frame& frame) {
    uint32_t words[sizeof(Frame) / sizeof(uint32_t)];
    std::memcpy(words, &frame, sizeof frame);
    uint64_t hash = 0;
    for (size_t i = 0; i < std::size(words); i += 2)
      hash = hash_append(hash, uint64_t{words[i]} << 32 | words[i + 1]);
    const auto same = [&](FrameId id) {
      return std::memcmp(&frames_[id], &frame, sizeof frame) == 0;
    };
    FrameId id = ids_.find(hash, same);
    if (id == IdTable::kNone) {
      id = frames_.push_back(frame);
      ids_.insert(hash, id);
    }
    return id;
  }
  const Frame& operator[](FrameId id) const { return frames_[id]; }
  uint32_t size() const { return frames_.size(); }
  size_t memory_bytes() const { return frames_.memory_bytes() + ids_.memory_bytes(); }

 private:
  StableVector<Frame> frames_;
  IdTable ids_;
};

}  // namespace espalier
