// Classes of letters: code points that no state of some automata tells apart.
//
// The sets that occur in a pattern decide alone what its states tell apart, as derivatives only
// combine them. `\w` has some 700 ranges, yet a pattern with it and `-` has three classes: word
// characters, the hyphen, all others. A search that tries one code point of each class meets
// everything that a search over ranges does.
//
// Invariant: ranges are sorted, cover all code points, and two of them share a label iff their code
// points are in one class. Cost: linear in the ranges for each set.
#include "grammar/codepoints/letter_classes.h"

#include <algorithm>
#include <unordered_map>

#include "grammar/tables/sort_unique.h"

namespace espalier {

// `part(i)`, below `parts`, tells the parts apart that start at starts[i]; starts[0] is 0.
template <typename Part>
void LetterClasses::split(const std::vector<uint32_t>& starts, size_t parts, const Part& part) {
  // The new label of each pair of an old one and a part, in a table if that is small.
  constexpr size_t kSmall = 4096;
  const bool small = classes_ * parts <= kSmall;
  std::vector<uint32_t> table(small ? classes_ * parts : 0, UINT32_MAX);
  std::unordered_map<uint64_t, uint32_t> map;
  uint32_t fresh = 0;
  const auto label_of = [&](uint64_t pair) {
    uint32_t& label = small ? table[pair] : map.try_emplace(pair, UINT32_MAX).first->second;
    if (label == UINT32_MAX) label = fresh++;
    return label;
  };
  std::vector<Range> out;
  out.reserve(ranges_.size() + starts.size());
  size_t range = 0, piece = 0;
  while (true) {
    const uint32_t lo = std::max(ranges_[range].lo, starts[piece]);
    const uint32_t label = label_of(uint64_t{ranges_[range].label} * parts + part(piece));
    if (out.empty() || out.back().label != label) out.push_back({lo, label});
    const uint32_t next_range = range + 1 < ranges_.size() ? ranges_[range + 1].lo : UINT32_MAX;
    const uint32_t next_piece = piece + 1 < starts.size() ? starts[piece + 1] : UINT32_MAX;
    if (next_range == UINT32_MAX && next_piece == UINT32_MAX) break;
    if (next_range <= next_piece) ++range;
    if (next_piece <= next_range) ++piece;
  }
  ranges_ = std::move(out);
  classes_ = fresh;
}

void LetterClasses::refine(const CodepointSet& set) {
  std::vector<uint32_t> starts{0};
  bool first_inside = false;
  for (const CodepointRange& range : set.ranges()) {
    if (range.lo == 0) {
      first_inside = true;
    } else {
      starts.push_back(range.lo);
    }
    if (range.hi < kMaxCodepoint) starts.push_back(range.hi + 1);
  }
  split(starts, 2, [&](size_t i) -> uint32_t { return (i % 2 == 0) == first_inside ? 1 : 0; });
}

void LetterClasses::refine_each(const std::vector<uint32_t>& letters) {
  std::vector<uint32_t> starts{0}, parts{0};
  for (const uint32_t letter : letters) {
    if (starts.back() == letter) {
      parts.back() = static_cast<uint32_t>(parts.size());
    } else {
      starts.push_back(letter);
      parts.push_back(static_cast<uint32_t>(parts.size()));
    }
    if (letter == kMaxCodepoint) break;
    starts.push_back(letter + 1);
    parts.push_back(0);
  }
  split(starts, parts.size() + 1, [&](size_t i) { return parts[i]; });
}

void LetterClasses::cut(std::vector<uint32_t> cuts) {
  cuts.push_back(0);
  sort_unique(&cuts);
  split(cuts, cuts.size(), [](size_t i) { return static_cast<uint32_t>(i); });
}

std::vector<uint32_t> LetterClasses::representatives() const {
  struct Class {
    uint32_t size = 0, letter = UINT32_MAX;
  };
  const auto surrogate = [](uint32_t c) { return c >= 0xD800 && c <= 0xDFFF; };
  std::vector<Class> classes(classes_);
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const uint32_t lo = ranges_[i].lo;
    const uint32_t end = i + 1 < ranges_.size() ? ranges_[i + 1].lo : kMaxCodepoint + 1;
    Class& at = classes[ranges_[i].label];
    at.size += end - lo;
    if (at.letter == UINT32_MAX || surrogate(at.letter)) {
      at.letter = surrogate(lo) && end > 0xE000 ? 0xE000 : lo;
    }
  }
  std::stable_sort(classes.begin(), classes.end(),
                   [](const Class& a, const Class& b) { return a.size > b.size; });
  std::vector<uint32_t> letters;
  for (const Class& each : classes) letters.push_back(each.letter);
  return letters;
}

}  // namespace espalier
