#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "recognizer.h"

namespace espalier {

/// Steps that a recognizer has computed before: (state, label) -> state, where a label is a byte or
/// whatever else the owner distinguishes. States name content, so an entry stays right for as long
/// as the recognizer lives. Readers take no lock; one writer at a time (the owner's mutex).
///
/// An open hash table whose entries are written once and then published by their label. A table
/// that is two thirds full is copied into one four times as large; the old one stays, as readers
/// may be in it, and adds at most a third. Beyond the budget nothing more is remembered.
class StepMemo {
 public:
  static constexpr size_t kDefaultBudget = size_t{16} << 20;

  StepMemo() = default;
  StepMemo(const StepMemo&) = delete;
  StepMemo& operator=(const StepMemo&) = delete;

  bool find(const State& from, uint32_t label, State* to) const {
    const Table* table = table_.load(std::memory_order_acquire);
    if (table == nullptr) return false;
    for (size_t i = hash(from, label) & table->mask;; i = (i + 1) & table->mask) {
      const Entry& entry = table->entries[i];
      const uint32_t tag = entry.tag.load(std::memory_order_acquire);
      if (tag == 0) return false;
      if (tag == label + 1 && entry.from == from) {
        *to = entry.to;
        return true;
      }
    }
  }

  /// Does nothing when the step is known or the budget is used up.
  void insert(const State& from, uint32_t label, const State& to) {
    State known;
    if (find(from, label, &known)) return;
    if (tables_.empty() || size_ * 3 >= (tables_.back()->mask + 1) * 2) {
      if (!grow()) return;
    }
    put(tables_.back().get(), from, label, to);
    ++size_;
  }

  size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

  /// The most bytes that each memo of the process may hold.
  static void set_budget(size_t bytes) { budget_.store(bytes, std::memory_order_relaxed); }

 private:
  struct Entry {
    std::atomic<uint32_t> tag{0};  // label + 1; 0 = empty
    State from, to;
  };
  struct Table {
    size_t mask;
    std::unique_ptr<Entry[]> entries;
  };
  static constexpr size_t kFirst = 64;

  static size_t hash(const State& s, uint32_t label) {
    uint64_t h = (uint64_t{s.frame} << 32 | s.state) * 0x9E3779B97F4A7C15u;
    h ^= (uint64_t{s.text} << 32 | (s.leaf << 12 ^ label)) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 32;
    return static_cast<size_t>(h * 0xD6E8FEB86659FD93u >> 20);
  }
  static void put(Table* table, const State& from, uint32_t label, const State& to) {
    size_t i = hash(from, label) & table->mask;
    while (table->entries[i].tag.load(std::memory_order_relaxed) != 0) i = (i + 1) & table->mask;
    table->entries[i].from = from;
    table->entries[i].to = to;
    table->entries[i].tag.store(label + 1, std::memory_order_release);
  }
  bool grow() {
    const size_t size = tables_.empty() ? kFirst : (tables_.back()->mask + 1) * 4;
    const size_t bytes = memory_bytes() + size * sizeof(Entry);
    if (bytes > budget_.load(std::memory_order_relaxed)) return false;
    auto table = std::make_unique<Table>(Table{size - 1, std::make_unique<Entry[]>(size)});
    if (!tables_.empty()) {
      for (size_t i = 0; i <= tables_.back()->mask; ++i) {
        const Entry& entry = tables_.back()->entries[i];
        const uint32_t tag = entry.tag.load(std::memory_order_relaxed);
        if (tag != 0) put(table.get(), entry.from, tag - 1, entry.to);
      }
    }
    tables_.push_back(std::move(table));
    table_.store(tables_.back().get(), std::memory_order_release);
    bytes_.store(bytes, std::memory_order_relaxed);
    return true;
  }

  static inline std::atomic<size_t> budget_{kDefaultBudget};

  std::atomic<const Table*> table_{nullptr};
  std::vector<std::unique_ptr<Table>> tables_;
  size_t size_ = 0;
  std::atomic<size_t> bytes_{0};
};

}  // namespace espalier
