#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace espalier {

/// Mixes one more number into a hash.
constexpr uint64_t hash_append(uint64_t hash, uint64_t number) {
  hash = (hash ^ number) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}

/// The look-up side of interning: finds ids by the hash of what they stand for, which the owner
/// keeps and compares. An open hash table of (hash, id), with no allocation for each entry. Not
/// thread-safe.
class IdTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The id with this hash for which `equals(id)` holds, or kNone.
  template <typename Equals>
  uint32_t find(uint64_t hash, Equals&& equals) const {
    if (slots_.empty()) return kNone;
    const size_t mask = slots_.size() - 1;
    const auto tag = static_cast<uint32_t>(hash);
    for (size_t i = start(hash) & mask; slots_[i].id != kNone; i = (i + 1) & mask) {
      if (slots_[i].tag == tag && equals(slots_[i].id)) return slots_[i].id;
    }
    return kNone;
  }
  /// Adds an id that is not there.
  void insert(uint64_t hash, uint32_t id) {
    if (size_ * 4 >= slots_.size() * 3) grow();
    put({static_cast<uint32_t>(hash), id});
    ++size_;
  }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t id = kNone;
  };
  static constexpr size_t kFirst = 16;

  static size_t start(uint64_t hash) {
    return static_cast<uint32_t>(hash) * uint64_t{0xD6E8FEB86659FD93u} >> 32;
  }
  void put(Slot slot) {
    const size_t mask = slots_.size() - 1;
    size_t i = start(slot.tag) & mask;
    while (slots_[i].id != kNone) i = (i + 1) & mask;
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? kFirst : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != kNone) put(slot);
    }
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

/// A map from 64-bit keys, any but the largest, to small values: an open hash table. References
/// into it hold until the next insertion. Not thread-safe.
template <typename Value>
class FlatMap {
 public:
  struct Entry {
    uint64_t first = kEmpty;
    Value second{};
  };
  using iterator = Entry*;

  iterator end() { return nullptr; }
  iterator find(uint64_t key) {
    if (entries_.empty()) return nullptr;
    Entry& entry = entries_[place(key)];
    return entry.first == key ? &entry : nullptr;
  }
  const Entry* end() const { return nullptr; }
  const Entry* find(uint64_t key) const { return const_cast<FlatMap*>(this)->find(key); }
  std::pair<iterator, bool> try_emplace(uint64_t key, Value value) {
    if (size_ * 4 >= entries_.size() * 3) grow();
    Entry& entry = entries_[place(key)];
    if (entry.first == key) return {&entry, false};
    entry = {key, std::move(value)};
    ++size_;
    return {&entry, true};
  }
  Value& operator[](uint64_t key) { return try_emplace(key, Value()).first->second; }
  /// Makes room for so many entries at once.
  void reserve(size_t size) {
    size_t slots = kFirst;
    while (size * 4 > slots * 3) slots *= 2;
    if (slots > entries_.size()) resize(slots);
  }
  size_t size() const { return size_; }
  size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;
  static constexpr size_t kFirst = 16;

  size_t place(uint64_t key) const {
    const size_t mask = entries_.size() - 1;
    size_t i = hash_append(0, key) >> 16 & mask;
    while (entries_[i].first != key && entries_[i].first != kEmpty) i = (i + 1) & mask;
    return i;
  }
  void grow() { resize(entries_.empty() ? kFirst : entries_.size() * 2); }
  void resize(size_t slots) {
    std::vector<Entry> old(slots);
    old.swap(entries_);
    for (Entry& entry : old) {
      if (entry.first != kEmpty) entries_[place(entry.first)] = std::move(entry);
    }
  }

  std::vector<Entry> entries_;
  size_t size_ = 0;
};

}  // namespace espalier
