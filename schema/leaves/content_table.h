#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace espalier {

/// A process-wide table of shared objects by content, within a budget that several tables may
/// share. What nobody else uses may go when the budget is exceeded.
///
/// Objects grow after they were inserted, and dropping one frees thousands of small blocks, so
/// neither measuring nor dropping may be done for all at once: whoever inserts moves a hand a few
/// entries on. An entry under the hand is measured; over budget it is dropped, unless it is in use
/// or was found more often than the hand has passed it (the clock algorithm, Corbato 1968, with a
/// count in place of its bit: what one request in a hundred needs is worth keeping, what one needed
/// is not). Thread-safe.
template <typename T>
class ContentTable {
 public:
  using Value = std::shared_ptr<const T>;
  using Measure = size_t (*)(const std::string& key, const T& value);
  /// `budget` and `held` (what the tables hold, as last measured) may be shared with other tables.
  ContentTable(Measure measure, const std::atomic<size_t>* budget, std::atomic<size_t>* held)
      : measure_(measure), budget_(*budget), held_(*held) {}

  /// The value of a key, if `fit` says it may be handed out again; otherwise it is dropped here,
  /// and those who have it keep it.
  template <typename Fit>
  Value find(const std::string& key, Fit&& fit) {
    Value value;  // freed after the lock
    const std::lock_guard lock(mutex_);
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return nullptr;
    value = it->second->value;
    if (fit(*value)) {
      if (it->second->found < kMostFound) ++it->second->found;
      return value;
    }
    erase(it->second);
    return nullptr;
  }

  /// Keeps `value`, unless another thread was faster; returns the one that is kept.
  Value insert(std::string key, Value value) {
    std::list<Entry> dropped;  // freed after the lock
    const std::lock_guard lock(mutex_);
    if (const auto it = by_key_.find(key); it != by_key_.end()) return it->second->value;
    const size_t bytes = measure_(key, *value);
    held_.fetch_add(bytes, std::memory_order_relaxed);
    entries_.push_back({std::move(key), value, bytes, 0});
    by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
    move_hand(kEntriesPerInsertion, kBytesPerInsertion, &dropped);
    return value;
  }

  /// Drops everything that nobody else uses while the budget is exceeded.
  void trim() {
    std::list<Entry> dropped;
    const std::lock_guard lock(mutex_);
    move_hand(2 * entries_.size(), SIZE_MAX, &dropped);
  }

  /// What `measure` says now.
  size_t memory_bytes() {
    const std::lock_guard lock(mutex_);
    size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += measure_(entry.key, *entry.value);
    return bytes;
  }

 private:
  static constexpr size_t kEntriesPerInsertion = 4;  // each is looked up in cold memory
  static constexpr size_t kBytesPerInsertion = size_t{1} << 20;
  static constexpr uint32_t kMostFound = 64;
  struct Entry {
    std::string key;
    Value value;
    size_t bytes;    // as last measured
    uint32_t found;  // so often, less the times that the hand has passed
  };
  using Place = typename std::list<Entry>::iterator;

  void erase(Place at) {
    held_.fetch_sub(at->bytes, std::memory_order_relaxed);
    if (hand_ == at) ++hand_;
    by_key_.erase(at->key);
    entries_.erase(at);
  }

  void move_hand(size_t entries, size_t bytes, std::list<Entry>* dropped) {
    for (size_t gone = 0; entries > 0 && gone < bytes && !entries_.empty(); --entries) {
      if (hand_ == entries_.end()) hand_ = entries_.begin();
      const Place at = hand_++;
      const size_t now = measure_(at->key, *at->value);
      held_.fetch_add(now - at->bytes, std::memory_order_relaxed);  // modulo 2^64
      at->bytes = now;
      const bool over = held_.load(std::memory_order_relaxed) > budget_.load();
      if (!over || at->value.use_count() > 1) continue;
      if (at->found > 0) {
        --at->found;
        continue;
      }
      gone += now;
      held_.fetch_sub(now, std::memory_order_relaxed);
      by_key_.erase(at->key);
      dropped->splice(dropped->end(), entries_, at);
    }
  }

  const Measure measure_;
  const std::atomic<size_t>& budget_;
  std::atomic<size_t>& held_;
  std::mutex mutex_;
  std::list<Entry> entries_;
  Place hand_ = entries_.end();
  std::unordered_map<std::string_view, Place> by_key_;
};

}  // namespace espalier
