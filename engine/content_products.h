// Reading string content by code points.
//
// A row asks a leaf about the same few products over and over. They are numbered here in order of
// discovery; each keeps the ranges of code points that its automata tell apart and where each range
// leads, looked up once.
//
// Example: for ^[a-z]{1,3}$ the products are 0 = start, 1, 2, 3 letters read; from 0 the ranges
// are [0, `], [a, z], [{, 10FFFF], and only the second is alive.
//
// Cost: a known step is a table look-up below U+0080 and a binary search above.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/content_trie.h"
#include "grammar/content_leaf.h"

namespace espalier {

/// The products of a content leaf that its rows need. Not thread-safe; see ContentProductsCache.
class ContentProducts {
 public:
  static constexpr uint32_t kDead = UINT32_MAX;

  explicit ContentProducts(const ContentLeaf& leaf) : leaf_(leaf), remembers_(leaf.remembers()) {}

  size_t size() const { return products_.size(); }
  size_t memory_bytes() const {
    return sizeof *this + products_.capacity() * sizeof(Product) + range_bytes_ +
           products_.size() * 32;
  }

  /// The number of a product.
  uint32_t number(uint32_t product) {
    const auto [it, inserted] =
        numbers_.try_emplace(product, static_cast<uint32_t>(products_.size()));
    if (inserted) {
      products_.emplace_back();
      products_.back().id = product;
      products_.back().universal = leaf_.universal(product);
    }
    return it->second;
  }
  bool universal(uint32_t number) const { return products_[number].universal; }

  /// The number of the next product, or kDead.
  uint32_t step(uint32_t number, uint32_t codepoint) {
    if (codepoint >= 0x80) return step_high(number, codepoint);
    const uint32_t next = products_[number].next[codepoint];
    return next != kUnknown ? next : step_unknown(number, codepoint);
  }
  /// Where a code point above U+007F leads, and the last one that shares its fate.
  struct Fate {
    uint32_t next, last;
  };
  Fate fate(uint32_t number, uint32_t codepoint) {
    const uint32_t next = step_high(number, codepoint);
    const bool shared = next == kDead || !remembers_;
    return {next, shared ? range_at(number, codepoint)->hi : codepoint};
  }
  /// May some code point of [lo, hi] follow?
  bool any(uint32_t number, uint32_t lo, uint32_t hi) {
    find_ranges(number);
    for (uint32_t at = lo; at <= hi;) {
      if (step(number, at) != kDead) return true;
      const uint32_t last = range_at(number, at)->hi;
      if (last >= hi) return false;
      at = last + 1;
    }
    return false;
  }
  /// Does a product survive all texts of the code points in `below`, being led to itself, lengths
  /// aside, by each of them?
  bool loops(uint32_t number, const ContentTrie::Below& below) {
    if (!products_[number].loop_known) find_loop(number);
    const Product& at = products_[number];
    if ((below.ascii[0] & ~at.loop[0]) || (below.ascii[1] & ~at.loop[1])) return false;
    if (below.high_lo <= below.high_hi) {
      const auto range = std::partition_point(at.high_loops.begin(), at.high_loops.end(),
                                              [&](const Range& r) { return r.hi < below.high_lo; });
      if (range == at.high_loops.end() || range->lo > below.high_lo || range->hi < below.high_hi)
        return false;
    }
    // Death by length is for good: it is enough that the longest text survives.
    const uint32_t codepoint = at.looping;
    uint32_t reached = number;
    for (uint32_t i = 0; i < below.depth; ++i) {
      const uint32_t next = step(reached, codepoint);
      if (next == kDead) return false;
      if (next == reached) break;
      reached = next;
    }
    return true;
  }
  /// The leaf's final state after a closing quote, or 0.
  uint32_t quote(uint32_t number) {
    if (products_[number].quote == kUnknown) {
      products_[number].quote = leaf_.quote(products_[number].id);
    }
    return products_[number].quote;
  }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX - 1;
  struct Range {
    uint32_t lo, hi, next;
  };
  struct Product {
    Product() { next.fill(kUnknown); }
    std::array<uint32_t, 128> next;
    uint32_t id = 0;
    uint32_t quote = kUnknown;
    bool universal = false;
    bool loop_known = false;
    uint32_t looping = 0;  // one of the code points that loop
    std::array<uint64_t, 2> loop{};
    std::vector<Range> high_loops;  // joined
    std::vector<Range> ranges;
  };

  uint32_t compute(uint32_t number, uint32_t codepoint) {
    const uint32_t next = leaf_.step_content(products_[number].id, codepoint);
    return next == ContentLeaf::kNoProduct ? kDead : this->number(next);
  }
  uint32_t step_unknown(uint32_t number, uint32_t codepoint) {
    const uint32_t next = compute(number, codepoint);
    Product& at = products_[number];
    if (remembers_) return at.next[codepoint] = next;
    find_ranges(number);
    const Range& range = *range_at(number, codepoint);
    for (uint32_t c = range.lo; c <= range.hi && c < 0x80; ++c) at.next[c] = next;
    return next;
  }
  uint32_t step_high(uint32_t number, uint32_t codepoint) {
    find_ranges(number);
    if (remembers_) return compute(number, codepoint);
    Range* range = range_at(number, codepoint);
    if (range->next == kUnknown) {
      const uint32_t next = compute(number, codepoint);
      range = range_at(number, codepoint);
      range->next = next;
    }
    return range->next;
  }
  void find_ranges(uint32_t number) {
    if (!products_[number].ranges.empty()) return;
    std::vector<Range> ranges;
    leaf_.ranges(products_[number].id, [&](uint32_t lo, uint32_t hi) {
      ranges.push_back({lo, hi, kUnknown});
    });
    ranges.shrink_to_fit();
    range_bytes_ += ranges.size() * sizeof(Range);
    products_[number].ranges = std::move(ranges);
  }
  /// Is the next product this one, lengths aside?
  bool back(uint32_t number, uint32_t codepoint) {
    const uint32_t next = step(number, codepoint);
    return next == number ||
           (next != kDead && leaf_.alike(products_[next].id, products_[number].id));
  }
  void find_loop(uint32_t number) {
    std::array<uint64_t, 2> loop{};
    uint32_t looping = 0;
    for (uint32_t c = 0x20; c < 0x80; ++c) {
      if (c == '"' || c == '\\' || !back(number, c)) continue;
      loop[c / 64] |= uint64_t{1} << c % 64;
      looping = c;
    }
    find_ranges(number);
    std::vector<Range> high_loops;
    for (size_t i = 0; !remembers_ && i < products_[number].ranges.size(); ++i) {
      Range range = products_[number].ranges[i];
      range.lo = std::max(range.lo, 0x80u);
      if (range.hi < 0x80) continue;
      const bool surrogates = range.lo >= 0xD800 && range.hi <= 0xDFFF;  // never in plain text
      if (!surrogates && !back(number, range.lo)) continue;
      if (!surrogates && looping == 0) looping = range.lo;
      if (!high_loops.empty() && high_loops.back().hi + 1 == range.lo) {
        high_loops.back().hi = range.hi;
      } else {
        high_loops.push_back(range);
      }
    }
    Product& at = products_[number];
    at.loop = loop;
    at.looping = looping;
    at.high_loops = std::move(high_loops);
    at.loop_known = true;
  }
  Range* range_at(uint32_t number, uint32_t codepoint) {
    std::vector<Range>& ranges = products_[number].ranges;
    return &*std::partition_point(ranges.begin(), ranges.end(),
                                  [&](const Range& range) { return range.hi < codepoint; });
  }

  const ContentLeaf& leaf_;
  const bool remembers_;
  std::vector<Product> products_;
  std::unordered_map<uint32_t, uint32_t> numbers_;
  size_t range_bytes_ = 0;
};

}  // namespace espalier
