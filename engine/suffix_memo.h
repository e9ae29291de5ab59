#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/content_index.h"
#include "engine/hash.h"
#include "engine/mask_walk.h"
#include "grammar/recognizer.h"

namespace espalier {

/// A set of a vocabulary's suffixes: bit i for suffix i.
using SuffixSet = std::vector<uint64_t>;

/// What may follow a string that ends in a state.
struct SuffixSets {
  SuffixSet allowed;
  SuffixSet doubtful;  ///< of which looking ahead cannot tell; empty when there is none
};

/// The suffix sets of one recognizer's states under one vocabulary. Many states end in the same
/// one: all positions inside a value, all prefixes of a name. Bounded as MaskMemo is. Thread-safe.
class SuffixMemo {
 public:
  static constexpr size_t kBudget = size_t{4} << 20;

  /// Writes the suffixes that may be read from `after`, a live state. `stack` is scratch space.
  void find(Recognizer& recognizer, const ContentIndex& index, const State& after,
            std::vector<WalkItem>* stack, SuffixSets* out);
  size_t memory_bytes() const;

 private:
  static constexpr size_t kShards = 8;
  struct Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<State, SuffixSets, StateHash> sets;
    size_t bytes = 0;
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace espalier
