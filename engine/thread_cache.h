#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace espalier {

/// The entries of a shared store that one thread used last, so that asking for them again takes no
/// lock and touches nothing that other threads write. Direct-mapped. Entries are good for one
/// generation of the store, which it counts up when it drops any; now and then a hit is reported as
/// a miss, so that the store sees what is in use. Each thread keeps at most kSlots entries alive.
template <typename Key, typename Value, size_t kSlots = 64>
class ThreadCache {
 public:
  /// `key` is a Key or what compares with one.
  template <typename LikeKey>
  std::shared_ptr<const Value> find(const LikeKey& key, size_t hash, uint64_t generation) {
    Slot& slot = slots_[index(hash)];
    if (slot.value == nullptr || slot.generation != generation || !(slot.key == key))
      return nullptr;
    if (++hits_ % kRefresh == 0) return nullptr;
    return slot.value;
  }
  void insert(const Key& key, size_t hash, uint64_t generation,
              std::shared_ptr<const Value> value) {
    slots_[index(hash)] = {key, generation, std::move(value)};
  }

 private:
  static constexpr uint32_t kRefresh = 64;
  struct Slot {
    Key key{};
    uint64_t generation = 0;
    std::shared_ptr<const Value> value;
  };
  static size_t index(size_t hash) { return (hash ^ hash >> 32) % kSlots; }

  std::array<Slot, kSlots> slots_;
  uint32_t hits_ = 0;
};

}  // namespace espalier
