// Reading string content by code points.
//
// A row asks a leaf about the same few products over and over. They are numbered here in order of
// discovery; each keeps the ranges of code points that its automata tell apart and where each range
// leads, looked up once.
//
// Example: for ^[a-z]{1,3}$ the products are 0 = start, 1, 2, 3 letters read; from 0 the ranges
// are [0, `], [a, z], [{, 10FFFF], and only the second is alive.
//
// Whole subtrees of texts are survived where a product *runs*: most code points lead it to one
// product, the same ones lead that to one, and so on. In the example 0 runs three letters far, and
// so no subtree of letters that is less than four deep need be entered; a loop runs for ever.
//
// Cost: a known step is a table look-up below U+0080 and a binary search above; a run is followed
// once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/content_lifetimes.h"
#include "engine/content_trie.h"
#include "grammar/content_leaf.h"

namespace espalier {

/// The products of a content leaf that its rows need. Not thread-safe; see ContentProductsCache.
class ContentProducts {
 public:
  static constexpr uint32_t kDead = UINT32_MAX;

  explicit ContentProducts(const ContentLeaf& leaf)
      : leaf_(leaf), remembers_(leaf.remembers()), everlasting_(leaf.everlasting()) {}

  size_t size() const { return products_.size(); }
  size_t memory_bytes() const {
    return sizeof *this + products_.capacity() * sizeof(Product) + range_bytes_ +
           products_.size() * 32 + lifetimes_.size() * 40;
  }

  /// The number of a product.
  uint32_t number(uint32_t product) { return number(product, false); }
  /// The number of a product that ContentLeaf::distant() gave.
  uint32_t distant_number(uint32_t product) { return number(product, true); }
  /// Does it matter after all how distant products are? Then answers about these are doubtful.
  bool distances_matter() const { return distances_matter_; }
  bool universal(uint32_t number) const { return products_[number].universal; }

  /// So many code points of plain text at least, whichever they are, are survived; 0 where that is
  /// not known.
  uint32_t lifetime(uint32_t number) {
    if (everlasting_) return UINT32_MAX;
    if (remembers_) return 0;
    if (products_[number].lifetime == kUnknown) {
      const uint32_t steps = lifetimes_.find(
          number,
          [this](uint32_t from, std::vector<uint32_t>* next) { return expand(from, next); });
      products_[number].lifetime = steps;
    }
    return products_[number].lifetime;
  }

  /// The number of the next product, or kDead.
  uint32_t step(uint32_t number, uint32_t codepoint) {
    if (remembers_) return step_alone(number, codepoint);
    find_ranges(number);
    Product& at = products_[number];
    if (codepoint >= 0x80) return resolve(number, range_at(number, codepoint));
    Range* const range = &at.ranges[at.range_of[codepoint]];
    return range->next != kUnknown ? range->next : resolve(number, range);
  }
  /// Where a code point above U+007F leads, and the last one that shares its fate.
  struct Fate {
    uint32_t next, last;
  };
  Fate fate(uint32_t number, uint32_t codepoint) {
    find_ranges(number);
    const uint32_t next = step(number, codepoint);
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
  /// Which texts of the code points in `below` does a product survive? All: they lead it to one
  /// product, that one to one, and so on; see run(). Those without some letters: all others do, and
  /// these are fatal wherever they stand. Not known: nothing of the kind.
  enum class Survival : uint8_t { kAll, kWithout, kNotKnown };
  Survival survival(uint32_t number, const ContentTrie::Below& below, ContentTrie::Letters* fatal) {
    if (!products_[number].run_known) {
      if (!same_fate(number, below)) return Survival::kNotKnown;
      find_run(number);
    }
    const Product& at = products_[number];
    *fatal = {below.ascii[0] & ~at.run[0], below.ascii[1] & ~at.run[1]};
    if (below.high_lo <= below.high_hi) {
      const auto range = std::partition_point(at.high_run.begin(), at.high_run.end(),
                                              [&](const Range& r) { return r.hi < below.high_lo; });
      if (range == at.high_run.end() || range->lo > below.high_lo || range->hi < below.high_hi)
        fatal->bits[0] |= ContentTrie::Letters::kHigh;
    }
    // With more fatal letters than others a walk meets little that is alive.
    const auto count = [](uint64_t a, uint64_t b) { return std::popcount(a) + std::popcount(b); };
    if (!at.dead.has(*fatal) ||
        count(fatal->bits[0], fatal->bits[1]) >
            count(below.ascii[0] & at.run[0], below.ascii[1] & at.run[1]) ||
        !runs(number, below.depth)) {
      return Survival::kNotKnown;
    }
    if (!fatal->any()) return Survival::kAll;
    return products_[number].fatal.has(*fatal) ? Survival::kWithout : Survival::kNotKnown;
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
    uint32_t lo, hi;
    uint32_t next;     // number; kUnknown until it is asked for
    uint32_t product;  // that `lo` leads to, dead or alive
  };
  struct Product {
    uint32_t id = 0;
    uint32_t quote = kUnknown;
    uint32_t lifetime = kUnknown;
    bool universal = false;
    bool distant = false;
    // The code points that lead to `run_next`, where most lead. Any `run_steps` of them are known
    // to be survived, and lead to `run_at`.
    bool run_known = false, run_ended = false;
    uint32_t run_next = kDead, run_at = 0, run_steps = 0;
    std::array<uint64_t, 2> run{};
    std::vector<Range> high_run;       // joined
    ContentTrie::Letters dead, fatal;  // here; and to all products on the way
    std::vector<Range> ranges;
    std::array<uint8_t, 128> range_of;  // ASCII characters, once there are ranges
    std::vector<uint32_t> alone;        // where ASCII characters lead that share nothing
  };

  uint32_t number(uint32_t product, bool distant) {
    const auto [it, inserted] = numbers_.try_emplace(uint64_t{distant} << 32 | product,
                                                     static_cast<uint32_t>(products_.size()));
    if (inserted) {
      products_.emplace_back();
      products_.back().id = product;
      products_.back().distant = distant;
      products_.back().universal = leaf_.universal(product);
    }
    return it->second;
  }
  /// Where a code point leads that no other shares its product with.
  uint32_t step_alone(uint32_t number, uint32_t codepoint) {
    if (codepoint < 0x80 && products_[number].alone.empty()) {
      products_[number].alone.assign(0x80, kUnknown);
      range_bytes_ += 0x80 * sizeof(uint32_t);
    }
    if (codepoint < 0x80 && products_[number].alone[codepoint] != kUnknown) {
      return products_[number].alone[codepoint];
    }
    const uint32_t product = leaf_.step_content(products_[number].id, codepoint);
    const uint32_t next = product == ContentLeaf::kNoProduct ? kDead : this->number(product);
    if (codepoint < 0x80) products_[number].alone[codepoint] = next;
    return next;
  }
  /// Where the code points of a range lead.
  uint32_t resolve(uint32_t number, Range* range) {
    if (range->next != kUnknown) return range->next;
    const bool distant = products_[number].distant;
    uint32_t next = range->product;
    if (!distant) {
      if (!leaf_.alive(next)) next = ContentLeaf::kNoProduct;
    } else if (const auto far = leaf_.after_distant(next)) {
      next = *far;
    } else {
      distances_matter_ = true;
      next = ContentLeaf::kNoProduct;
    }
    // The ranges do not move when products are added.
    return range->next = next == ContentLeaf::kNoProduct ? kDead : this->number(next, distant);
  }
  void find_ranges(uint32_t number) {
    if (!products_[number].ranges.empty()) return;
    std::vector<Range> ranges;
    leaf_.ranges(products_[number].id, [&](uint32_t lo, uint32_t hi, uint32_t next) {
      ranges.push_back({lo, hi, kUnknown, next});
    });
    ranges.shrink_to_fit();
    range_bytes_ += ranges.size() * sizeof(Range);
    Product& at = products_[number];
    at.ranges = std::move(ranges);
    size_t range = 0;
    for (uint32_t c = 0; c < 0x80; ++c) {
      if (at.ranges[range].hi < c) ++range;
      at.range_of[c] = static_cast<uint8_t>(range);
    }
  }
  /// Appends what plain code points lead to; false if one is fatal.
  bool expand(uint32_t number, std::vector<uint32_t>* next) {
    find_ranges(number);
    for (size_t i = 0; i < products_[number].ranges.size(); ++i) {
      const Range range = products_[number].ranges[i];
      uint32_t c = range.lo;
      while (c <= range.hi && (c < 0x20 || c == '"' || c == '\\')) ++c;
      if (c > range.hi || (c >= 0xD800 && range.hi <= 0xDFFF)) continue;
      const uint32_t to = step(number, c);
      if (to == kDead) return false;
      if (!universal(to) && std::find(next->begin(), next->end(), to) == next->end()) {
        next->push_back(to);
      }
    }
    return true;
  }
  /// Do the first characters of `below` that are not fatal lead to one product? Nearly all that do
  /// not run differ here.
  bool same_fate(uint32_t number, const ContentTrie::Below& below) {
    uint32_t next = kDead, seen = 0;
    for (uint32_t word = 0; word < 2; ++word) {
      for (uint64_t bits = below.ascii[word]; bits != 0 && seen < 3; bits &= bits - 1) {
        const uint32_t to = step(number, 64 * word + static_cast<uint32_t>(std::countr_zero(bits)));
        if (to == kDead) continue;
        if (seen++ > 0 && to != next) return false;
        next = to;
      }
    }
    return true;
  }
  /// Finds the code points that lead where most of those in plain ASCII text do.
  void find_run(uint32_t number) {
    std::vector<std::pair<uint32_t, uint32_t>> counts;  // (next, code points)
    std::array<uint32_t, 128> next;
    next.fill(kDead);
    const auto count = [&](uint32_t to) {
      if (to == kDead) return;
      const auto it = std::find_if(counts.begin(), counts.end(),
                                   [to](const auto& each) { return each.first == to; });
      if (it == counts.end()) {
        counts.emplace_back(to, 1);
      } else {
        ++it->second;
      }
    };
    for (uint32_t c = 0x20; c < 0x80; ++c) {
      if (c == '"' || c == '\\') continue;
      next[c] = step(number, c);
      count(next[c]);
    }
    find_ranges(number);
    const size_t num_ranges = products_[number].ranges.size();
    const auto high = [&](size_t i) {
      const Range& range = products_[number].ranges[i];
      // Surrogates are never in plain text.
      return range.hi >= 0x80 && !(range.lo >= 0xD800 && range.hi <= 0xDFFF);
    };
    const auto high_next = [&](size_t i) {
      return step(number, std::max(products_[number].ranges[i].lo, 0x80u));
    };
    if (counts.empty()) {
      for (size_t i = 0; i < num_ranges; ++i) {
        if (high(i)) count(high_next(i));
      }
    }
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const uint32_t run_next = most == counts.end() ? kDead : most->first;
    std::array<uint64_t, 2> run{};
    std::vector<Range> high_run;
    for (uint32_t c = 0x20; c < 0x80 && run_next != kDead; ++c) {
      if (next[c] == run_next) run[c / 64] |= uint64_t{1} << c % 64;
    }
    for (size_t i = 0; !remembers_ && i < num_ranges && run_next != kDead; ++i) {
      Range range = products_[number].ranges[i];
      if (range.hi < 0x80 || (high(i) && high_next(i) != run_next)) continue;
      range.lo = std::max(range.lo, 0x80u);
      if (!high_run.empty() && high_run.back().hi + 1 == range.lo) {
        high_run.back().hi = range.hi;
      } else {
        high_run.push_back(range);
      }
    }
    bool high_dead = high_run.empty();
    for (size_t i = 0; i < num_ranges && high_dead; ++i) {
      high_dead = !high(i) || high_next(i) == kDead;
    }
    high_run.shrink_to_fit();
    range_bytes_ += high_run.size() * sizeof(Range);
    Product& at = products_[number];
    at.run = run;
    at.high_run = std::move(high_run);
    at.run_next = run_next;
    at.run_at = number;
    at.run_known = true;
    for (uint32_t c = 0x20; c < 0x80; ++c) {
      if (next[c] == kDead) at.dead.bits[c / 64] |= uint64_t{1} << c % 64;
    }
    if (high_dead) at.dead.bits[0] |= ContentTrie::Letters::kHigh;
    at.fatal = at.dead;
  }
  /// Are `steps` code points of a product's run survived, whichever they are? Goes on from product
  /// to product while the code points of the first are among those of the next.
  bool runs(uint32_t number, uint32_t steps) {
    while (products_[number].run_steps < steps && !products_[number].run_ended) {
      const uint32_t at = products_[number].run_at;
      if (!products_[at].run_known) find_run(at);
      Product& first = products_[number];
      const Product& last = products_[at];
      first.fatal.keep(last.dead);
      if (last.run_next == kDead || !covers(last, first)) {
        first.run_ended = true;
      } else if (last.run_next == at) {
        first.run_steps = UINT32_MAX;
      } else if (products_[last.run_next].universal) {
        first.run_steps = UINT32_MAX;
        first.fatal = {};
      } else {
        ++first.run_steps;
        first.run_at = last.run_next;
      }
    }
    return products_[number].run_steps >= steps;
  }
  /// Are the code points of `inner`'s run among those of `outer`'s?
  static bool covers(const Product& outer, const Product& inner) {
    if ((inner.run[0] & ~outer.run[0]) || (inner.run[1] & ~outer.run[1])) return false;
    auto range = outer.high_run.begin();
    return std::all_of(inner.high_run.begin(), inner.high_run.end(), [&](const Range& each) {
      while (range != outer.high_run.end() && range->hi < each.hi) ++range;
      return range != outer.high_run.end() && range->lo <= each.lo;
    });
  }
  Range* range_at(uint32_t number, uint32_t codepoint) {
    std::vector<Range>& ranges = products_[number].ranges;
    return &*std::partition_point(ranges.begin(), ranges.end(),
                                  [&](const Range& range) { return range.hi < codepoint; });
  }

  const ContentLeaf& leaf_;
  const bool remembers_, everlasting_;
  bool distances_matter_ = false;
  std::vector<Product> products_;
  std::unordered_map<uint64_t, uint32_t> numbers_;
  ContentLifetimes lifetimes_;
  size_t range_bytes_ = 0;
};

}  // namespace espalier
