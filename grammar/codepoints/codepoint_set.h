#pragma once

#include <cstdint>
#include <vector>

namespace espalier {

inline constexpr uint32_t kMaxCodepoint = 0x10FFFF;

struct CodepointRange {
  uint32_t lo;
  uint32_t hi;
  friend bool operator==(const CodepointRange&, const CodepointRange&) = default;
};

/// A set of code points (lone surrogates are members like any other), kept as sorted ranges that
/// neither overlap nor touch, so equal sets have equal ranges.
class CodepointSet {
 public:
  CodepointSet() = default;
  explicit CodepointSet(std::vector<CodepointRange> ranges);

  static CodepointSet all() { return CodepointSet({{0, kMaxCodepoint}}); }
  static CodepointSet of(uint32_t codepoint) { return CodepointSet({{codepoint, codepoint}}); }

  const std::vector<CodepointRange>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool contains(uint32_t codepoint) const;

  CodepointSet unite(const CodepointSet& other) const;
  CodepointSet complement() const;

  friend bool operator==(const CodepointSet&, const CodepointSet&) = default;

 private:
  std::vector<CodepointRange> ranges_;
};

}  // namespace espalier
