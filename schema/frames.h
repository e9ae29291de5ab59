#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/stable_vector.h"
#include "schema/formula.h"
#include "schema/schema_graph.h"

namespace espalier {

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
  uint32_t seen = 0;      ///< object: names used so far, as a SetStore set of text ids
  uint32_t order = 0;     ///< object, generation profile: the next name's least rank
  uint32_t open_names = 0;  ///< object: were unlisted names used?
  uint32_t index = 0;       ///< array: index of the next item, up to the last that matters
  // uniqueItems (unique_rules.cpp); `seen` of an array: its items so far, as a set of value ids.
  uint32_t remember = 0;   ///< slot: 1 if the container must know the value
  uint32_t content = 0;    ///< container in such a slot: ValueStore content; slot: its name's text
  uint32_t forbidden = 0;  ///< set of values that the slot's value, or the container, must not be
};
static_assert(sizeof(Frame) == 14 * sizeof(uint32_t));

/// What is asked of a value: the first list must hold, the truth of each other list is tracked.
using Ask = std::vector<std::vector<NodeId>>;

/// Tracked list `bit` of a slot's ask feeds `atom` of the container: a kProperties or kItems atom
/// turns false when the list fails, a kContains count falls by one when it holds.
struct Binding {
  Atom::Kind kind;
  NodeId node;
  uint32_t bit;
  friend auto operator<=>(const Binding&, const Binding&) = default;
};

/// Interns values by content: equal values, equal ids. Id 0 is the default value.
template <typename T>
class Interner {
 public:
  Interner() { intern(T()); }
  uint32_t intern(const T& value) {
    const auto [it, inserted] = ids_.try_emplace(value, size_);
    if (inserted) values_.push_back(&it->first), ++size_;
    return it->second;
  }
  const T& operator[](uint32_t id) const { return *values_[id]; }
  size_t size() const { return size_; }

 private:
  std::map<T, uint32_t> ids_;
  std::vector<const T*> values_;
  uint32_t size_ = 0;
};

/// Interned frames; ids start at 1. Reads of known ids need no lock.
class FrameStore {
 public:
  FrameStore() { frames_.push_back({}); }
  FrameId intern(const Frame& frame) {
    const std::string_view bytes(reinterpret_cast<const char*>(&frame), sizeof frame);
    const auto it = ids_.find(bytes);
    if (it != ids_.end()) return it->second;
    const FrameId id = frames_.push_back(frame);
    ids_.emplace(std::string_view(reinterpret_cast<const char*>(&frames_[id]), sizeof frame), id);
    return id;
  }
  const Frame& operator[](FrameId id) const { return frames_[id]; }
  uint32_t size() const { return frames_.size(); }
  size_t memory_bytes() const { return frames_.memory_bytes() + ids_.size() * 48; }

 private:
  StableVector<Frame> frames_;
  std::unordered_map<std::string_view, FrameId> ids_;
};

}  // namespace espalier
