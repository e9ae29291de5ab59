#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "engine/hash.h"
#include "engine/masks/mask_walk.h"
#include "engine/sparse_mask.h"
#include "engine/tokens/content_index.h"
#include "grammar/recognizer.h"

namespace espalier {

/// A set of a vocabulary's suffixes: bit i for suffix i.
using SuffixSet = std::vector<uint64_t>;

/// What may follow a string that ends in a state. Immutable.
struct SuffixSets {
  SuffixSet allowed;
  SuffixSet doubtful;  ///< of which looking ahead cannot tell; empty when there is none
  /// All of ContentIndex::enders() with such suffixes.
  SparseMask enders;
  std::vector<TokenId> doubtful_enders;
  /// Those of both that begin with the quote, sorted.
  std::vector<TokenId> bare, doubtful_bare;

  bool allows(uint32_t suffix) const { return (allowed[suffix / 64] >> (suffix % 64) & 1) != 0; }
  bool doubts(uint32_t suffix) const {
    return !doubtful.empty() && (doubtful[suffix / 64] >> (suffix % 64) & 1) != 0;
  }
  size_t memory_bytes() const {
    return sizeof *this + (allowed.capacity() + doubtful.capacity()) * sizeof(uint64_t) +
           enders.memory_bytes() +
           (doubtful_enders.capacity() + bare.capacity() + doubtful_bare.capacity()) *
               sizeof(TokenId);
  }
};

/// The process-wide store of suffix sets: the same few come up in all grammars. Within a byte
/// budget: a store that outgrows it starts afresh. Thread-safe.
class SuffixSetStore {
 public:
  static SuffixSetStore& process();
  std::shared_ptr<const SuffixSets> get(const ContentIndex& index, const SuffixSet& allowed,
                                        const SuffixSet& doubtful);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  struct Key {
    uint64_t index;
    SuffixSet allowed, doubtful;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  mutable std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<const SuffixSets>, KeyHash> sets_;
  size_t budget_ = size_t{4} << 20;
  size_t bytes_ = 0;
};

/// The suffix sets of one recognizer's states under one vocabulary. Many states end in the same
/// one: all positions inside a value, all prefixes of a name. Bounded as MaskMemo is. Thread-safe.
class SuffixMemo {
 public:
  static constexpr size_t kBudget = size_t{4} << 20;

  /// The suffixes that may be read from `after`, a live state. `stack` is scratch space.
  std::shared_ptr<const SuffixSets> find(Recognizer& recognizer, const ContentIndex& index,
                                         State after, std::vector<WalkItem>* stack);
  size_t memory_bytes() const;

 private:
  static constexpr size_t kShards = 8;
  struct Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<State, std::shared_ptr<const SuffixSets>, StateHash> sets;
    size_t bytes = 0;
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace espalier
