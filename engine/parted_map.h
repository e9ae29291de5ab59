#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace espalier {

/// A hash map in parts that grow one by one: an insertion waits for one part to be hashed anew, a
/// sixty-fourth of what a single map would make it wait for. All bits of the hash must be good.
/// Entries stay where they are. Not thread-safe.
template <typename Key, typename Value, typename Hash, typename Equal = std::equal_to<Key>>
class PartedMap {
 public:
  using Entry = std::pair<const Key, Value>;

  /// nullptr where there is none. `key` is a Key, or like one if Hash and Equal are transparent.
  template <typename Like>
  Entry* find(const Like& key) {
    auto& part = part_of(key);
    const auto it = part.find(key);
    return it != part.end() ? &*it : nullptr;
  }
  std::pair<Entry*, bool> try_emplace(Key key) {
    auto& part = part_of(key);
    const auto [it, inserted] = part.try_emplace(std::move(key));
    return {&*it, inserted};
  }
  /// `key` may be that of the entry itself.
  void erase(const Key& key) {
    auto& part = part_of(key);
    if (const auto it = part.find(key); it != part.end()) part.erase(it);
  }
  void clear() {
    for (auto& part : parts_) part.clear();
  }

 private:
  static constexpr uint32_t kPartBits = 6;
  using Part = std::unordered_map<Key, Value, Hash, Equal>;

  template <typename Like>
  Part& part_of(const Like& key) {
    return parts_[static_cast<uint64_t>(Hash()(key)) >> (64 - kPartBits)];
  }

  std::array<Part, size_t{1} << kPartBits> parts_;
};

}  // namespace espalier
