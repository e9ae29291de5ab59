#include "grammar/codepoints/codepoint_set.h"

#include <algorithm>
#include <utility>

namespace espalier {

CodepointSet::CodepointSet(std::vector<CodepointRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const CodepointRange& a, const CodepointRange& b) { return a.lo < b.lo; });
  for (const CodepointRange& range : ranges) {
    if (!ranges_.empty() && range.lo <= ranges_.back().hi + 1) {
      ranges_.back().hi = std::max(ranges_.back().hi, range.hi);
    } else {
      ranges_.push_back(range);
    }
  }
}

bool CodepointSet::contains(uint32_t codepoint) const {
  auto it = std::upper_bound(ranges_.begin(), ranges_.end(), codepoint,
                             [](uint32_t c, const CodepointRange& range) { return c < range.lo; });
  return it != ranges_.begin() && codepoint <= std::prev(it)->hi;
}

CodepointSet CodepointSet::unite(const CodepointSet& other) const {
  std::vector<CodepointRange> ranges = ranges_;
  ranges.insert(ranges.end(), other.ranges_.begin(), other.ranges_.end());
  return CodepointSet(std::move(ranges));
}

CodepointSet CodepointSet::complement() const {
  std::vector<CodepointRange> ranges;
  uint32_t next = 0;
  for (const CodepointRange& range : ranges_) {
    if (range.lo > next) ranges.push_back({next, range.lo - 1});
    next = range.hi + 1;
  }
  if (next <= kMaxCodepoint) ranges.push_back({next, kMaxCodepoint});
  return CodepointSet(std::move(ranges));
}

}  // namespace espalier
