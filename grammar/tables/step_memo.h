#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "grammar/recognizer.h"

namespace espalier {

/// Steps that a recognizer has computed before: (state, label) -> state, where a label is a byte or
/// whatever else the owner distinguishes. States name content, so an entry stays right for as long
/// as the recognizer lives. Readers take no lock; one writer at a time (the owner's mutex).
///
/// Extendible hashing (Fagin et al., 1979), so that no insertion waits for a large table to be
/// copied: a directory, by the first bits of the hash, of small open hash tables. One that is two
/// thirds full is replaced by two, by one more bit; it stays, as readers may be in it. Entries are
/// written once and then published by their label. Beyond the budget nothing more is remembered.
class StepMemo {
 public:
  static constexpr size_t kDefaultBudget = size_t{16} << 20;

  StepMemo() = default;
  StepMemo(const StepMemo&) = delete;
  StepMemo& operator=(const StepMemo&) = delete;

  bool find(const State& from, uint32_t label, State* to) const {
    const Directory* directory = directory_.load(std::memory_order_acquire);
    if (directory == nullptr) return false;
    const uint64_t key = hash(from, label);
    const Table& table = *directory->at(key).load(std::memory_order_acquire);
    for (size_t i = place(key);; i = (i + 1) % kEntries) {
      const Entry& entry = table.entries[i];
      const uint32_t tag = entry.tag.load(std::memory_order_acquire);
      if (tag == 0) return false;
      if (tag == label + 1 && entry.from == from) {
        *to = entry.to;
        return true;
      }
    }
  }

  /// Adds a step that find() did not know; does nothing when the budget is used up. One that
  /// another thread has added meanwhile is there twice, which does no harm.
  void insert(const State& from, uint32_t label, const State& to) {
    if (directories_.empty() && !begin()) return;
    const uint64_t key = hash(from, label);
    while (directories_.back()->at(key).load(std::memory_order_relaxed)->full()) {
      if (!split(key)) return;
    }
    directories_.back()->at(key).load(std::memory_order_relaxed)->put(key, from, label, to);
  }

  size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

  /// The most bytes that each memo of the process may hold.
  static void set_budget(size_t bytes) { budget_.store(bytes, std::memory_order_relaxed); }

 private:
  static constexpr size_t kEntries = 64;  // of a table
  static constexpr uint32_t kMostBits = 30;

  struct Entry {
    std::atomic<uint32_t> tag{0};  // label + 1; 0 = empty
    State from, to;
  };
  struct Table {
    uint32_t bits = 0;  // first bits of the hash that all entries share
    uint32_t size = 0;
    std::array<Entry, kEntries> entries;

    bool full() const { return size * 3 >= kEntries * 2; }
    void put(uint64_t key, const State& from, uint32_t label, const State& to) {
      size_t i = place(key);
      while (entries[i].tag.load(std::memory_order_relaxed) != 0) i = (i + 1) % kEntries;
      entries[i].from = from;
      entries[i].to = to;
      entries[i].tag.store(label + 1, std::memory_order_release);
      ++size;
    }
  };
  using Cell = std::atomic<Table*>;
  struct Directory {
    explicit Directory(uint32_t b) : bits(b), cells(std::make_unique<Cell[]>(size_t{1} << b)) {}
    Cell& at(uint64_t key) const { return cells[first_bits(key, bits)]; }

    uint32_t bits;
    std::unique_ptr<Cell[]> cells;
  };

  static uint64_t hash(const State& s, uint32_t label) {
    uint64_t h = (uint64_t{s.frame} << 32 | s.state) * 0x9E3779B97F4A7C15u;
    h ^= (uint64_t{s.text} << 32 | (s.leaf << 12 ^ label)) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 32;
    return h * 0xD6E8FEB86659FD93u;
  }
  static size_t place(uint64_t key) { return key >> 20 & (kEntries - 1); }
  static size_t first_bits(uint64_t key, uint32_t bits) { return (key >> 1) >> (63 - bits); }

  bool spend(size_t bytes) {
    const size_t total = memory_bytes() + bytes;
    if (total > budget_.load(std::memory_order_relaxed)) return false;
    bytes_.store(total, std::memory_order_relaxed);
    return true;
  }
  Table* new_table(uint32_t bits) {
    tables_.push_back(std::make_unique<Table>());
    tables_.back()->bits = bits;
    return tables_.back().get();
  }
  void publish(std::unique_ptr<Directory> directory) {
    directories_.push_back(std::move(directory));
    directory_.store(directories_.back().get(), std::memory_order_release);
  }
  bool begin() {
    if (!spend(sizeof(Table) + sizeof(Cell))) return false;
    auto directory = std::make_unique<Directory>(0);
    directory->cells[0].store(new_table(0), std::memory_order_relaxed);
    publish(std::move(directory));
    return true;
  }
  /// Replaces the table of a hash by two.
  bool split(uint64_t key) {
    const Table& old = *directories_.back()->at(key).load(std::memory_order_relaxed);
    const bool wider = old.bits == directories_.back()->bits;
    const size_t cells = wider ? size_t{2} << old.bits : 0;
    if (old.bits == kMostBits || !spend(2 * sizeof(Table) + cells * sizeof(Cell))) return false;
    if (wider) {
      auto next = std::make_unique<Directory>(old.bits + 1);
      for (size_t i = 0; i < cells; ++i) {
        next->cells[i].store(directories_.back()->cells[i / 2].load(std::memory_order_relaxed),
                             std::memory_order_relaxed);
      }
      publish(std::move(next));
    }
    Table* const halves[] = {new_table(old.bits + 1), new_table(old.bits + 1)};
    for (const Entry& entry : old.entries) {
      const uint32_t tag = entry.tag.load(std::memory_order_relaxed);
      if (tag == 0) continue;
      const uint64_t own = hash(entry.from, tag - 1);
      halves[first_bits(own, old.bits + 1) & 1]->put(own, entry.from, tag - 1, entry.to);
    }
    const Directory& directory = *directories_.back();
    const size_t half = size_t{1} << (directory.bits - old.bits - 1);
    const size_t first = first_bits(key, old.bits) * half * 2;
    for (size_t i = 0; i < 2 * half; ++i)
      directory.cells[first + i].store(halves[i / half], std::memory_order_release);
    return true;
  }

  static inline std::atomic<size_t> budget_{kDefaultBudget};

  std::atomic<const Directory*> directory_{nullptr};
  std::vector<std::unique_ptr<Directory>> directories_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace espalier
