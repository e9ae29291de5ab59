// The byte-pair-encoding merge loop, shared by every model that joins neighbours by priority.
//
// Idea: a piece starts as a row of symbols; again and again the best neighbouring pair (lowest
// priority value, leftmost among equals) becomes one symbol, until no pair may merge. What differs
// between models is only which pairs merge and how early, so that is a `Rules` object with
//
//   std::optional<BpeMerge> find(const BpeSymbol& left, const BpeSymbol& right) const;
//
// Example: merges "l o" < "lo w" on l|o|w|l|o give lo|w|l|o, lo|w|lo, low|lo.
//
// Short pieces (nearly all) rescan a flat array of priorities: no allocation, best constants. Long
// ones (a base64 blob, a run of one letter) use a heap of candidates over a linked list; a
// candidate is stale when one of its symbols has changed since, which its length shows, since
// symbols only grow.
//
// Cost: O(n^2) trivial steps for n <= kScanLimit, else O(n log n) rule look-ups and heap steps.
//
// Reference: Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword
// Units", ACL 2016, section 3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <vector>

#include "espalier/vocabulary.h"

namespace espalier {

/// A run of the piece; `id` is -1 where the run is no token (yet).
struct BpeSymbol {
  uint32_t begin;
  uint32_t length;
  TokenId id;
};

struct BpeMerge {
  uint32_t priority;  ///< lower merges first
  TokenId id;         ///< the merged token
};

namespace bpe_internal {

inline constexpr size_t kScanLimit = 96;
inline constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();

template <typename Rules>
void merge_by_scan(std::vector<BpeSymbol>& symbols, const Rules& rules) {
  BpeMerge merges[kScanLimit];
  size_t n = symbols.size();
  const auto look_up = [&](size_t i) {
    if (i + 1 >= n) return BpeMerge{kNever, -1};
    return rules.find(symbols[i], symbols[i + 1]).value_or(BpeMerge{kNever, -1});
  };
  for (size_t i = 0; i < n; ++i) merges[i] = look_up(i);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; ++i) {
      if (merges[i].priority < merges[best].priority) best = i;
    }
    if (merges[best].id < 0) break;
    symbols[best].length += symbols[best + 1].length;
    symbols[best].id = merges[best].id;
    for (size_t i = best + 1; i + 1 < n; ++i) {
      symbols[i] = symbols[i + 1];
      merges[i] = merges[i + 1];
    }
    --n;
    merges[best] = look_up(best);
    if (best > 0) merges[best - 1] = look_up(best - 1);
  }
  symbols.resize(n);
}

template <typename Rules>
void merge_by_heap(std::vector<BpeSymbol>& symbols, const Rules& rules) {
  struct Candidate {
    uint32_t priority;
    uint32_t left;
    uint32_t right;
    uint32_t length;
    TokenId id;
    bool operator<(const Candidate& other) const {
      return priority != other.priority ? priority > other.priority : left > other.left;
    }
  };
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  const uint32_t n = static_cast<uint32_t>(symbols.size());
  std::vector<uint32_t> next(n);
  std::vector<uint32_t> previous(n);
  for (uint32_t i = 0; i < n; ++i) {
    next[i] = i + 1 < n ? i + 1 : kNone;
    previous[i] = i > 0 ? i - 1 : kNone;
  }
  std::priority_queue<Candidate> heap;
  const auto offer = [&](uint32_t left, uint32_t right) {
    if (left == kNone || right == kNone) return;
    const std::optional<BpeMerge> merge = rules.find(symbols[left], symbols[right]);
    if (!merge) return;
    heap.push(
        {merge->priority, left, right, symbols[left].length + symbols[right].length, merge->id});
  };
  for (uint32_t i = 0; i + 1 < n; ++i) offer(i, i + 1);
  while (!heap.empty()) {
    const Candidate top = heap.top();
    heap.pop();
    BpeSymbol& left = symbols[top.left];
    BpeSymbol& right = symbols[top.right];
    if (left.length == 0 || right.length == 0 || left.length + right.length != top.length) continue;
    left.length = top.length;
    left.id = top.id;
    right.length = 0;
    next[top.left] = next[top.right];
    if (next[top.right] != kNone) previous[next[top.right]] = top.left;
    offer(previous[top.left], top.left);
    offer(top.left, next[top.left]);
  }
  std::erase_if(symbols, [](const BpeSymbol& symbol) { return symbol.length == 0; });
}

}  // namespace bpe_internal

/// Merges until no pair of neighbours may merge.
template <typename Rules>
void bpe_merge(std::vector<BpeSymbol>& symbols, const Rules& rules) {
  if (symbols.size() <= bpe_internal::kScanLimit) {
    bpe_internal::merge_by_scan(symbols, rules);
  } else {
    bpe_internal::merge_by_heap(symbols, rules);
  }
}

}  // namespace espalier
