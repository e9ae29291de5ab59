#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <utility>

#include "engine/parted_map.h"

namespace espalier {

/// A map that knows how many bytes its entries take and which was not asked for longest. Not
/// thread-safe.
template <typename Key, typename Value, typename Hash, typename Equal = std::equal_to<Key>>
class AgedMap {
 public:
  /// The value of a key, which becomes the one that was asked for last; null where there is none.
  /// `key` as in PartedMap.
  template <typename Like>
  Value* find(const Like& key) {
    auto* const entry = slots_.find(key);
    if (entry == nullptr) return nullptr;
    by_age_.splice(by_age_.end(), by_age_, entry->second.age);
    return &entry->second.value;
  }
  /// The value of the key, and whether it is this one, which was added.
  std::pair<Value*, bool> insert(Key key, Value value, size_t bytes) {
    const auto [entry, inserted] = slots_.try_emplace(std::move(key));
    Slot& slot = entry->second;
    if (inserted) {
      slot = {std::move(value), bytes, by_age_.insert(by_age_.end(), &entry->first)};
      bytes_ += bytes;
    }
    return {&slot.value, inserted};
  }
  /// Takes out the value that was not asked for longest; there must be one.
  Value drop_oldest() {
    const Key& key = *by_age_.front();
    Slot& slot = slots_.find(key)->second;
    Value value = std::move(slot.value);
    bytes_ -= slot.bytes;
    by_age_.pop_front();
    slots_.erase(key);
    return value;
  }
  void clear() {
    slots_.clear();
    by_age_.clear();
    bytes_ = 0;
  }
  bool empty() const { return by_age_.empty(); }
  size_t bytes() const { return bytes_; }
  /// What an entry takes beside its value's bytes.
  static constexpr size_t entry_bytes() { return sizeof(Key) + sizeof(Slot); }

 private:
  struct Slot {
    Value value{};
    size_t bytes = 0;
    typename std::list<const Key*>::iterator age;
  };

  PartedMap<Key, Slot, Hash, Equal> slots_;
  std::list<const Key*> by_age_;  // that asked for longest ago first
  size_t bytes_ = 0;
};

}  // namespace espalier
