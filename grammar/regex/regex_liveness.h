#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "grammar/regex/regex_position.h"
#include "grammar/regex/regex_terms.h"

namespace espalier {

/// Decides whether any text is accepted from a position; see regex_liveness.cpp. Not thread-safe.
class Liveness {
 public:
  Liveness(TermStore* store, PositionStepper* stepper, size_t max_nodes)
      : store_(*store), stepper_(*stepper), max_nodes_(max_nodes) {}

  /// Exact, unless exhausted().
  bool is_live(Position position);
  /// Set once the searches visited more nodes than allowed.
  bool exhausted() const { return exhausted_; }
  size_t memory_bytes() const { return known_.size() * 48; }

 private:
  enum class Life : uint8_t { kUnknown, kLive, kDead };

  bool surely_live(Position position) const {
    return store_.surely_live(position.term) || stepper_.accepting(position);
  }
  Life& life_of(Position position);
  std::vector<Position> parts(Position position);
  bool any_live(Position position);
  bool search(Position from);

  TermStore& store_;
  PositionStepper& stepper_;
  const size_t max_nodes_;
  bool exhausted_ = false;
  std::unordered_map<uint64_t, Life> known_;
};

}  // namespace espalier
