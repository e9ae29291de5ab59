// How long a machine survives, whatever it reads.
//
// The idea: in many states of a pattern no short text is fatal, because the pattern may match later
// on or because a counter is far from its bound. A breadth-first search from such a state meets no
// dead successor before some depth, and then every text up to that depth is survived: nearly all
// tokens, without reading one of them.
//
// Example: from the start of ^(\\S+\\s+){0,99}\\S+$ no text of fewer than 200 characters is fatal.
//
// A search of depth d also bounds what it met on the way: a state at depth i survives d - i more.
// So along a text the search is repeated only when the bound has worn off.
//
// Invariant: a bound is never greater than the lifetime. Cost: one expansion for each state met, up
// to kStates for each search; after kFailures searches that led to nothing there are no more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier {

/// Lower bounds of lifetimes by state. Not thread-safe.
class Lifetimes {
 public:
  /// Less is not worth knowing.
  static constexpr uint32_t kLong = 16;

  /// A number of steps that `state` survives, UINT32_MAX for any number, or 0 where it is short or
  /// unknown. `expand(state, &successors)` is false if a successor is dead.
  template <typename Expand>
  uint32_t find(uint32_t state, Expand&& expand) {
    if (const auto known = bounds_.find(state); known != bounds_.end()) {
      if (known->second >= kLong || known->second == kShort) return known->second;
    }
    if (failures_ >= kFailures) return 0;
    const uint32_t bound = search(state, expand);
    if (bound >= kLong) return bound;
    ++failures_;
    return bounds_[state] = kShort;
  }

 private:
  static constexpr uint32_t kShort = 0;
  static constexpr uint32_t kDeep = 128;  // more is as good as that
  static constexpr size_t kStates = 400;  // states that one search may meet
  static constexpr uint32_t kFailures = 64;

  template <typename Expand>
  uint32_t search(uint32_t state, Expand&& expand) {
    std::vector<std::pair<uint32_t, uint32_t>> met{{state, 0}};  // (state, depth)
    std::unordered_map<uint32_t, uint32_t> depths{{state, 0}};
    std::vector<uint32_t> successors;
    uint32_t bound = UINT32_MAX;
    for (size_t i = 0; i < met.size() && bound == UINT32_MAX; ++i) {
      const auto [at, depth] = met[i];
      successors.clear();
      if (depth >= kDeep || met.size() > kStates || !expand(at, &successors)) bound = depth;
      for (const uint32_t next : successors) {
        if (depths.try_emplace(next, depth + 1).second) met.emplace_back(next, depth + 1);
      }
    }
    if (bound < kLong) return bound;
    for (const auto& [at, depth] : met) {
      uint32_t& known = bounds_[at];
      known = std::max(known, bound == UINT32_MAX ? bound : bound - std::min(depth, bound));
    }
    return bound;
  }

  std::unordered_map<uint32_t, uint32_t> bounds_;
  uint32_t failures_ = 0;
};

}  // namespace espalier
