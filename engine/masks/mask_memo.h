#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/masks/mask_parts.h"
#include "engine/rows/mask_leaf_rows.h"
#include "grammar/recognizer.h"

namespace espalier {

/// A mask in compact form: its parts, or a full row.
struct MaskEntry {
  MaskParts parts;
  std::vector<MaskWord> dense;

  void write(std::span<MaskWord> row) const;
  size_t memory_bytes() const;
};

/// The masks already computed for one recognizer and one vocabulary, by state. As states name
/// content and not history, an entry is right whenever its state comes up again. Bounded: a shard
/// that outgrows its share of the budget starts afresh. Thread-safe; a hit allocates nothing.
class MaskMemo {
 public:
  static constexpr size_t kDefaultBudget = size_t{16} << 20;

  /// The budget of every memo in the process, entries and the leaf rows they keep alive each.
  static void set_budget(size_t bytes);
  static size_t budget() { return budget_.load(std::memory_order_relaxed); }

  /// Writes the mask of `state` if it is known.
  bool fill(const State& state, std::span<MaskWord> row) const;
  /// Takes note of a mask: its parts and, the same, `row`.
  void insert(const State& state, const MaskParts& parts, std::span<const MaskWord> row);
  size_t memory_bytes() const;

 private:
  static constexpr size_t kShards = 8;
  struct Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<State, MaskEntry, StateHash> entries;
    std::unordered_set<const void*> rows;  // leaf rows and joined rows
    size_t bytes = 0;
    size_t row_bytes = 0;
  };

  static inline std::atomic<size_t> budget_{kDefaultBudget};
  static size_t shard_of(const State& state) { return StateHash()(state) >> 59 & (kShards - 1); }

  std::array<Shard, kShards> shards_;
};

}  // namespace espalier
