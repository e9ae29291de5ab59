#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/masks/suffix_memo.h"
#include "engine/rows/mask_leaf_rows.h"

namespace espalier {

/// The inside tokens of a string's row and the enders of a suffix set, in one full row. Immutable.
using JoinedRow = std::vector<MaskWord>;

/// The process-wide store of joined rows, within a byte budget: the pairs that came first go first;
/// rows in use stay alive with their users. Thread-safe.
class JoinedRowCache {
 public:
  static constexpr size_t kDefaultBudget = size_t{8} << 20;

  static JoinedRowCache& process();

  /// The row of such a pair, or nullptr: the first time that it comes up, and where there is
  /// nothing to win.
  std::shared_ptr<const JoinedRow> get(const std::shared_ptr<const LeafRow::Tokens>& inside,
                                       const std::shared_ptr<const SuffixSets>& sets);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  struct Key {
    const LeafRow::Tokens* inside;
    const SuffixSets* sets;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  struct Slot {
    std::weak_ptr<const LeafRow::Tokens> inside;  // is it still the one that was at this address?
    std::weak_ptr<const SuffixSets> sets;
    std::shared_ptr<const JoinedRow> row;  // from the second time on
  };

  mutable std::mutex mutex_;
  std::unordered_map<Key, Slot, KeyHash> slots_;
  std::deque<Key> by_age_;
  size_t budget_ = kDefaultBudget;
  size_t bytes_ = 0;
};

}  // namespace espalier
