// How long a machine survives, whatever it reads.
//
// The idea: in many states of a pattern no short text is fatal, because the pattern may match later
// on or because a counter is far from its bound. A breadth-first search from such a state meets no
// dead successor before some depth, and then every text up to that depth is survived: most tokens,
// without reading one of them.
//
// Example: from the start of ^(\\S+\\s+){0,99}\\S+$ no text of fewer than 200 characters is fatal.
//
// One search tells about all states it meets: the distance of each to the next one with a fatal
// successor is exact unless a state that was not expanded is nearer. So along a text the search is
// repeated only when a bound that is not exact has worn off.
//
// Invariant: a bound is never greater than the lifetime. Cost: one expansion for each state met, up
// to kStates for each search; after kFailures searches that led to nothing there are no more.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier {

/// Lower bounds of lifetimes by state. Not thread-safe.
class ContentLifetimes {
 public:
  /// Less is not worth asking for.
  static constexpr uint32_t kLong = 16;

  /// A number of steps that `state` survives, UINT32_MAX for any number, or 0 where it is short or
  /// unknown. `expand(state, &successors)` appends them; false if one is dead.
  template <typename Expand>
  uint32_t find(uint32_t state, Expand&& expand) {
    const auto known = bounds_.find(state);
    if (known != bounds_.end() && (known->second.settled || known->second.steps >= kEnough)) {
      return known->second.steps;
    }
    if (failures_ >= kFailures) return known == bounds_.end() ? 0 : known->second.steps;
    return search(state, expand);
  }
  size_t size() const { return bounds_.size(); }

 private:
  static constexpr uint32_t kEnough = 64;
  static constexpr uint32_t kDeep = 128;  // more is as good as that
  static constexpr size_t kStates = 400;  // states that one search may meet
  static constexpr uint32_t kFailures = 64;
  struct Bound {
    uint32_t steps = 0;
    bool settled = false;  // exact, or as good as it gets
  };
  struct Met {
    uint32_t state, depth;
    std::vector<uint32_t> before;  // indices of those it succeeds
    Bound bound{UINT32_MAX, true};
  };

  template <typename Expand>
  uint32_t search(uint32_t root, Expand&& expand) {
    std::vector<Met> met;
    std::unordered_map<uint32_t, uint32_t> index{{root, 0}};
    std::vector<uint32_t> successors, dying, open;
    met.push_back({root, 0, {}});
    for (uint32_t i = 0; i < met.size(); ++i) {
      successors.clear();
      const uint32_t depth = met[i].depth;
      if (depth >= kDeep || met.size() > kStates) {
        open.push_back(i);
      } else if (!expand(met[i].state, &successors)) {
        if (depth < kLong) {
          ++failures_;
          bounds_[root] = {depth, true};
          return depth;
        }
        dying.push_back(i);
        continue;
      }
      for (const uint32_t next : successors) {
        const auto [it, inserted] = index.try_emplace(next, static_cast<uint32_t>(met.size()));
        if (inserted) met.push_back({next, depth + 1, {}});
        met[it->second].before.push_back(i);
      }
    }
    // Backwards, from where a text may end first: exact bounds win over others.
    std::vector<uint32_t> queue;
    const auto enter = [&](uint32_t i, Bound bound) {
      if (met[i].bound.steps != UINT32_MAX) return;
      met[i].bound = bound;
      queue.push_back(i);
    };
    for (const uint32_t i : dying) enter(i, {0, true});
    for (const uint32_t i : open) enter(i, {0, false});
    for (size_t k = 0; k < queue.size(); ++k) {
      const Bound next{met[queue[k]].bound.steps + 1, met[queue[k]].bound.settled};
      for (const uint32_t before : met[queue[k]].before) enter(before, next);
    }
    for (const Met& each : met) {
      Bound& known = bounds_[each.state];
      if (each.bound.settled || (!known.settled && each.bound.steps > known.steps))
        known = each.bound;
    }
    bounds_[root].settled = true;
    return bounds_[root].steps;
  }

  std::unordered_map<uint32_t, Bound> bounds_;
  uint32_t failures_ = 0;
};

}  // namespace espalier
