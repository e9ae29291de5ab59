// What may follow a string.
//
// The idea: the tokens that end a string spell a few hundred different suffixes after its quote
// (`,`, `":`, `"}`). Which of them the structure accepts depends on the state after the quote
// alone, so the trie of suffixes is walked once for each such state, whatever string led there.
//
// Example: after a value of an object that may be closed or continued the set holds ``, `,`, `}`,
// `, "` and so on, for every value of that object's place.
//
// Cost: one probe for each live edge of the suffix trie, once for each state.
#include "engine/suffix_memo.h"

namespace espalier {

void SuffixMemo::find(Recognizer& recognizer, const ContentIndex& index, const State& after,
                      std::vector<WalkItem>* stack, SuffixSets* out) {
  Shard& shard = shards_[StateHash()(after) >> 59 & (kShards - 1)];
  {
    const std::shared_lock lock(shard.mutex);
    if (const auto it = shard.sets.find(after); it != shard.sets.end()) {
      *out = it->second;
      return;
    }
  }
  const size_t words = (index.num_suffixes() + 63) / 64;
  out->allowed.assign(words, 0);
  out->doubtful.clear();
  const auto take = [&](int32_t suffix, const State& end) {
    if (end.doubtful()) out->doubtful.resize(words);
    SuffixSet& set = end.doubtful() ? out->doubtful : out->allowed;
    set[static_cast<size_t>(suffix) / 64] |= uint64_t{1} << (suffix % 64);
  };
  take(ContentIndex::kNoSuffix, after);
  walk_trie(index.suffixes(), after, nullptr, recognizer, stack, take);
  if (!recognizer.status().ok()) return;
  const size_t entry = sizeof(State) + sizeof(SuffixSets) + 32 +
                       (out->allowed.size() + out->doubtful.size()) * sizeof(uint64_t);
  const std::unique_lock lock(shard.mutex);
  if (shard.bytes + entry > kBudget / kShards) shard.sets.clear(), shard.bytes = 0;
  if (shard.sets.try_emplace(after, *out).second) shard.bytes += entry;
}

size_t SuffixMemo::memory_bytes() const {
  size_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::shared_lock lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace espalier
