// Reading string content by code points.
//
// A row asks a leaf about the same few products over and over. They are numbered here in order of
// discovery; each keeps the ranges of code points that its automata tell apart and where each range
// leads, looked up once.
//
// Example: for ^[a-z]{1,3}$ the products are 0 = start, 1, 2, 3 letters read; from 0 the ranges
// are [0, `], [a, z], [{, 10FFFF], and only the second is alive.
//
// Whole subtrees of texts are survived where all their letters lie in a product's region; see
// content_regions.h.
//
// Cost: a known step is a table look-up below U+0080 and a binary search above.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/tokens/content_letters.h"
#include "engine/tokens/content_regions.h"
#include "grammar/strings/content_leaf.h"
#include "grammar/tables/id_table.h"
#include "grammar/tables/sort_unique.h"

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
           products_.size() * 32 + regions_.size() * (sizeof(ContentRegion) + 32);
  }

  /// The number of a product.
  uint32_t number(uint32_t product) { return number(product, false); }
  /// The number of a product that ContentLeaf::distant() gave.
  uint32_t distant_number(uint32_t product) { return number(product, true); }
  /// Does it matter after all how distant products are? Then answers about these are doubtful.
  bool distances_matter() const { return distances_matter_; }
  bool universal(uint32_t number) const { return products_[number].universal; }

  /// The number of the next product, or kDead.
  uint32_t step_ascii(uint32_t number, uint32_t character) {
    note(number);
    const Product& at = products_[number];
    if (at.ranges.empty()) return step(number, character);
    const uint32_t next = at.ranges[at.range_of[character]].next;
    return next < kMixed || next == kDead ? next : step(number, character);
  }
  uint32_t step(uint32_t number, uint32_t codepoint) {
    note(number);
    if (alone(number)) return step_alone(number, codepoint);
    const uint32_t next = next_of_range(number, codepoint);
    return next != kMixed ? next : step_alone(number, codepoint);
  }
  /// Is a code point survived? It costs no product of its own where those of a range, which are
  /// survived alike, remember which of them was read.
  bool survives(uint32_t number, uint32_t codepoint) {
    note(number);
    if (alone(number))
      return leaf_.step_content(products_[number].id, codepoint) != ContentLeaf::kNoProduct;
    const uint32_t next = next_of_range(number, codepoint);
    if (next != kMixed) return next != kDead;
    return settles(number) || step_alone(number, codepoint) != kDead;
  }
  /// Where a code point above U+007F leads, and the last one that shares its fate.
  struct Fate {
    uint32_t next, last;
  };
  Fate fate(uint32_t number, uint32_t codepoint) {
    find_ranges(number);
    const uint32_t next = step(number, codepoint);
    const Range* const range = range_at(number, codepoint);
    return {next, range->next != kMixed ? range->hi : codepoint};
  }
  /// Is nothing above U+007F survived, by one range?
  bool ascii_only(uint32_t number) {
    note(number);
    find_ranges(number);
    Range* const last = &products_[number].ranges.back();
    return last->lo <= 0x80 && resolve(number, last) == kDead;
  }
  /// May some code point of [lo, hi] follow?
  bool any(uint32_t number, uint32_t lo, uint32_t hi) {
    note(number);
    find_ranges(number);
    for (uint32_t at = lo; at <= hi;) {
      if (step(number, at) != kDead) return true;
      const uint32_t last = range_at(number, at)->hi;
      if (last >= hi) return false;
      at = last + 1;
    }
    return false;
  }
  void begin_row(uint32_t number) {
    using Many = ContentRegions::Many;
    regions_.begin_row(settles(number) ? Many::kSettling : remembers_ ? Many::kAlike : Many::kNo);
    ++row_;
    asked_.clear();
    asked_quotes_.clear();
  }
  /// The products about which a row has learned where they lead, and whether the string may end
  /// there: nothing else in it depends on the leaf, but for universal() and everlasting().
  std::span<const uint32_t> asked() const { return asked_; }
  std::span<const uint32_t> asked_quotes() const { return asked_quotes_; }
  bool everlasting() const { return everlasting_; }
  bool remembers() const { return remembers_; }
  /// Visits ranges that together cover all code points by their last one and by the number that
  /// they lead to, or kDead. Not for leaves that remember what they have read.
  template <typename Visit>
  void for_each_step(uint32_t number, Visit&& visit) {
    find_ranges(number);
    for (size_t i = 0; i < products_[number].ranges.size(); ++i) {
      const uint32_t next = resolve(number, &products_[number].ranges[i]);
      visit(products_[number].ranges[i].hi, next);
    }
  }
  /// Where the letters lead.
  const LetterSteps& letter_steps(uint32_t number) {
    note(number);
    if (region_of_ != nullptr) region_of_->push_back(number);
    if (products_[number].letters == nullptr) find_letters(number);
    return *products_[number].letters;
  }
  /// What is survived in general, where so many texts depend on it. `counts` says what matters, and
  /// is always the same.
  const ContentRegion& region(uint32_t number, const LetterCounts& counts,
                              uint32_t texts = UINT32_MAX) {
    static const ContentRegion kAll{Letters::all(), {}, ContentRegion::kAnyDepth};
    if (everlasting_ || universal(number)) return kAll;
    if (products_[number].region_in == row_) return *products_[number].region;
    std::vector<uint32_t> met;
    region_of_ = &met;
    const ContentRegion& region = regions_.find(
        number, counts, texts, [this](uint32_t at) { return products_[at].letters != nullptr; },
        [this](uint32_t at) -> const LetterSteps& { return letter_steps(at); });
    region_of_ = nullptr;
    if (region.depth > 0) {
      products_[number].region = &region;
      products_[number].region_in = row_;
    }
    if (met.empty()) {
      if (const auto known = met_for_.find(number); known != met_for_.end()) {
        for (const uint32_t at : known->second) note(at);
      }
    } else if (!remembers_) {
      sort_unique(&met);
      range_bytes_ += met.size() * sizeof(uint32_t) + 64;
      met_for_[number] = std::move(met);
    }
    return region;
  }
  /// The leaf's final state after a closing quote, or 0.
  uint32_t quote(uint32_t number) {
    if (products_[number].quoted_in != row_) {
      products_[number].quoted_in = row_;
      asked_quotes_.push_back(number);
    }
    if (products_[number].quote == kUnknown) {
      products_[number].quote = leaf_.quote(products_[number].id);
    }
    return products_[number].quote;
  }

 private:
  static constexpr uint8_t kReadAlone = 16;
  static constexpr uint32_t kUnknown = UINT32_MAX - 1;
  static constexpr uint32_t kMixed = UINT32_MAX - 2;
  struct Range {
    uint32_t lo, hi;
    uint32_t next;     // number; kUnknown until it is asked for; kMixed where each leads elsewhere
    uint32_t product;  // that `lo` leads to, dead or alive
  };
  enum class Settles : uint8_t { kUnknown, kNo, kYes };
  struct Product {
    uint32_t id = 0;
    Settles settles = Settles::kUnknown;
    uint8_t read_alone = 0;  // code points, while there were no ranges
    uint32_t quote = kUnknown;
    uint32_t last_range = 0;                              // that was asked for
    uint64_t asked_in = 0, quoted_in = 0, region_in = 0;  // rows
    const ContentRegion* region = nullptr;                // found for that row
    bool universal = false;
    bool distant = false;
    std::vector<Range> ranges;
    std::array<uint8_t, 128> range_of;  // ASCII characters, once there are ranges
    std::vector<uint32_t> alone;        // where ASCII characters lead that share nothing
    std::unique_ptr<const LetterSteps> letters;
  };

  void note(uint32_t number) {
    if (products_[number].asked_in == row_) return;
    products_[number].asked_in = row_;
    asked_.push_back(number);
  }
  /// Is a code point to be read without the ranges, as few of them are asked for? Each of the
  /// products to which these lead, many if they remember, would be made.
  bool alone(uint32_t number) {
    Product& at = products_[number];
    return remembers_ && at.ranges.empty() && at.read_alone++ < kReadAlone;
  }
  /// Where the range of a code point leads.
  uint32_t next_of_range(uint32_t number, uint32_t codepoint) {
    if (products_[number].ranges.empty()) find_ranges(number);
    Product& at = products_[number];
    Range* const range =
        codepoint < 0x80 ? &at.ranges[at.range_of[codepoint]] : range_at(number, codepoint);
    return range->next != kUnknown ? range->next : resolve(number, range);
  }
  bool settles(uint32_t number) {
    Product& at = products_[number];
    if (at.settles == Settles::kUnknown) {
      const bool settles = remembers_ && leaf_.settled(at.id) != ContentLeaf::kNoProduct;
      at.settles = settles ? Settles::kYes : Settles::kNo;
    }
    return at.settles == Settles::kYes;
  }
  uint32_t number(uint32_t product, bool distant) {
    const auto [it, inserted] = numbers_.try_emplace(uint64_t{distant} << 32 | product,
                                                     static_cast<uint32_t>(products_.size()));
    const uint32_t own = it->second;
    if (inserted) {
      products_.emplace_back();
      products_.back().id = product;
      products_.back().distant = distant;
      products_.back().universal = leaf_.universal(product);
    }
    return own;
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
    const uint32_t next = reach(number, leaf_.step_content(products_[number].id, codepoint));
    if (codepoint < 0x80) products_[number].alone[codepoint] = next;
    return next;
  }
  /// The number of the product that a numbered one leads to, dead or alive; kDead if it is dead.
  uint32_t reach(uint32_t from, uint32_t next) {
    const bool distant = products_[from].distant;
    if (next == ContentLeaf::kNoProduct) return kDead;
    if (!distant) {
      if (!leaf_.alive(next)) return kDead;
    } else if (const auto far = leaf_.after_distant(next)) {
      next = *far;
    } else {
      distances_matter_ = true;
      return kDead;
    }
    return next == ContentLeaf::kNoProduct ? kDead : this->number(next, distant);
  }
  /// Where the code points of a range lead.
  uint32_t resolve(uint32_t number, Range* range) {
    if (range->next != kUnknown) return range->next;
    if (remembers_) {
      // All lead to one product if the first and the last do; else each is remembered.
      const uint32_t from = products_[number].id;
      const uint32_t first = leaf_.step_content(from, range->lo);
      const bool alike = first == ContentLeaf::kNoProduct || range->lo == range->hi ||
                         first == leaf_.step_content(from, range->hi);
      range->next = alike ? reach(number, first) : kMixed;
      return range->next;
    }
    // The ranges do not move when products are added.
    return range->next = reach(number, range->product);
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
    for (size_t i = 0; i < at.ranges.size() && at.ranges[i].lo < 0x80; ++i) {
      std::fill(at.range_of.begin() + at.ranges[i].lo,
                at.range_of.begin() + std::min(at.ranges[i].hi, 0x7Fu) + 1,
                static_cast<uint8_t>(i));
    }
  }
  using Leads = std::array<uint32_t, Letters::kCount>;
  /// Where the letters lead, given where range i does: kUnknown is nowhere, kMixed several
  /// products.
  template <typename NextOf>
  Leads leads(uint32_t number, NextOf&& next_of) {
    find_ranges(number);
    Leads leads;
    leads.fill(kUnknown);
    const auto lead = [&](uint32_t letter, uint32_t next) {
      leads[letter] = leads[letter] == kUnknown || leads[letter] == next ? next : kMixed;
    };
    const auto& blocks = Letters::kBlocks;
    const auto& spaces = Letters::kSpaces;
    size_t block = 0, space = 0;
    for (size_t i = 0; i < products_[number].ranges.size(); ++i) {
      const auto [lo, hi] =
          std::pair(products_[number].ranges[i].lo, products_[number].ranges[i].hi);
      if (hi < 0x20) continue;
      const uint32_t next = next_of(i);
      for (uint32_t c = std::max(lo, 0x20u); c <= std::min(hi, 0x7Fu); ++c) lead(c, next);
      for (; space < spaces.size() && spaces[space] <= hi; ++space) lead(Letters::kSpace, next);
      for (; block < blocks.size() && blocks[block].lo <= hi; ++block) {
        // A range of nothing but white space does not count.
        if (!only_spaces(std::max(lo, blocks[block].lo), std::min(hi, blocks[block].hi)))
          lead(Letters::kFirstBlock + static_cast<uint32_t>(block), next);
        if (blocks[block].hi > hi) break;
      }
    }
    const Letters high = Letters::high();
    high.for_each([&](uint32_t letter) {
      if (letter > Letters::kSpace) lead(Letters::kCut, leads[letter]);
    });
    if (leads[Letters::kCut] == kDead && leads[Letters::kSpace] != kDead)
      leads[Letters::kCut] = kMixed;
    return leads;
  }
  void find_letters(uint32_t number) {
    auto found = std::make_unique<LetterSteps>();
    if (const LetterSteps* settled = settled_letters(number)) {
      *found = *settled;
      found->steps[0].next = number;
    } else {
      const Leads leads = this->leads(
          number, [&](size_t i) { return resolve(number, &products_[number].ranges[i]); });
      size_t last = 0;  // neighbours mostly lead to the same product
      Letters::all().for_each([&](uint32_t letter) {
        const uint32_t next = leads[letter];
        if (next == kDead) {
          found->dead.add(letter);
        } else if (next != kMixed) {
          auto& steps = found->steps;
          if (last == steps.size() || steps[last].next != next) {
            const auto step = std::find_if(steps.begin(), steps.end(),
                                           [next](const auto& each) { return each.next == next; });
            last = static_cast<size_t>(step - steps.begin());
            if (step == steps.end()) steps.push_back({next, {}});
          }
          steps[last].letters.add(letter);
        }
      });
      found->steps.shrink_to_fit();
    }
    range_bytes_ += sizeof *found + found->steps.size() * sizeof(LetterSteps::Step);
    products_[number].letters = std::move(found);
  }
  /// Of a product that settles: one step, by the letters that the settled product loops on; as good
  /// as if they led the product to itself. Null if there are none.
  const LetterSteps* settled_letters(uint32_t number) {
    if (!remembers_) return nullptr;
    const uint32_t settled = leaf_.settled(products_[number].id);
    if (settled == ContentLeaf::kNoProduct) return nullptr;
    const auto [entry, inserted] = settled_.try_emplace(settled);
    LetterSteps& found = entry->second;
    if (inserted) {
      const uint32_t own = this->number(settled);
      const Leads leads = this->leads(own, [&](size_t i) {
        const uint32_t next = products_[own].ranges[i].product;
        if (next == ContentLeaf::kNoProduct || !leaf_.alive(next)) return kDead;
        return leaf_.settled(next) == settled ? own : kMixed;
      });
      Letters loops;
      Letters::all().for_each([&](uint32_t letter) {
        if (leads[letter] == own) loops.add(letter);
        if (leads[letter] == kDead) found.dead.add(letter);
      });
      if (loops.any()) found.steps.push_back({own, loops});
    }
    return found.steps.empty() ? nullptr : &found;
  }
  static bool only_spaces(uint32_t lo, uint32_t hi) {
    if (hi - lo >= Letters::kSpaces.size()) return false;
    for (uint32_t c = lo; c <= hi; ++c) {
      if (Letters::of(c) != Letters::kSpace) return false;
    }
    return true;
  }
  Range* range_at(uint32_t number, uint32_t codepoint) {
    Product& at = products_[number];
    // Texts that are neighbours have neighbouring code points, mostly.
    Range* const last = &at.ranges[at.last_range];
    if (last->lo <= codepoint && codepoint <= last->hi) return last;
    const auto range = std::partition_point(at.ranges.begin(), at.ranges.end(),
                                            [&](const Range& r) { return r.hi < codepoint; });
    at.last_range = static_cast<uint32_t>(range - at.ranges.begin());
    return &*range;
  }

  const ContentLeaf& leaf_;
  const bool remembers_, everlasting_;
  bool distances_matter_ = false;
  std::vector<Product> products_;
  FlatMap<uint32_t> numbers_;
  std::unordered_map<uint32_t, LetterSteps> settled_;  // by product
  ContentRegions regions_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> met_for_;  // the products met for a region
  std::vector<uint32_t>* region_of_ = nullptr;                   // where those go
  uint64_t row_ = 0;                                             // counts begin_row()
  std::vector<uint32_t> asked_, asked_quotes_;
  size_t range_bytes_ = 0;
};

}  // namespace espalier
