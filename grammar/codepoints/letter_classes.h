#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

/// A partition of the code points into classes that some automata do not tell apart; see
/// letter_classes.cpp. At first there is one class. Not thread-safe.
class LetterClasses {
 public:
  /// Tells the members of a set from all others.
  void refine(const CodepointSet& set);
  /// Tells letters (sorted, unique) from each other and from all others.
  void refine_each(const std::vector<uint32_t>& letters);
  /// Tells the ranges from one cut to the next from each other.
  void cut(std::vector<uint32_t> cuts);

  size_t size() const { return classes_; }
  /// One code point of each class, those of large classes first; no surrogate where there is a
  /// choice.
  std::vector<uint32_t> representatives() const;

 private:
  struct Range {
    uint32_t lo, label;
  };
  template <typename Part>
  void split(const std::vector<uint32_t>& starts, size_t parts, const Part& part);

  std::vector<Range> ranges_{{0, 0}};  // each ends where the next one starts
  uint32_t classes_ = 1;
};

}  // namespace espalier
