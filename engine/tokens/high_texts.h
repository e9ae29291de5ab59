#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/vocabulary.h"
#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

/// Which plain tokens have which code point above U+007F. Immutable once built.
class HighTexts {
 public:
  /// Adds a plain token.
  void add(std::string_view text, TokenId token);
  void build();

  /// Visits the tokens that have a code point of these sorted, disjoint ranges, some twice; those
  /// of cut() are left out.
  template <typename Visit>
  void for_each(std::span<const CodepointRange> ranges, Visit&& visit) const {
    auto at = entries_.begin();
    for (const CodepointRange& range : ranges) {
      at = std::lower_bound(at, entries_.end(), Entry{range.lo, 0});
      for (; at != entries_.end() && at->first <= range.hi; ++at) visit(at->second);
    }
  }
  /// Tokens that end within a code point.
  std::span<const TokenId> cut() const { return cut_; }
  size_t memory_bytes() const {
    return entries_.size() * sizeof(Entry) + cut_.size() * sizeof(TokenId);
  }

 private:
  using Entry = std::pair<uint32_t, TokenId>;
  std::vector<Entry> entries_;  // (code point, token), sorted
  std::vector<TokenId> cut_;
};

}  // namespace espalier
