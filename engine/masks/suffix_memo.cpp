// What may follow a string.
//
// The idea: the tokens that end a string spell a few hundred different suffixes after its quote
// (`,`, `":`, `"}`). Which of them the structure accepts depends on the state after the quote
// alone, so the trie of suffixes is walked once for each such state, whatever string led there, and
// for states that the recognizer knows to be alike (Recognizer::representative) once. Few different
// sets come of it, in all grammars the same: each is kept once in the process, with the tokens that
// end a free string so.
//
// Example: after a value of an object that may be closed or continued the set holds ``, `,`, `}`,
// `, "` and so on, for every value of that object's place.
//
// Cost: one probe for each live edge of the suffix trie, once for each state.
#include "engine/masks/suffix_memo.h"

#include <algorithm>
#include <span>

namespace espalier {

SuffixSetStore& SuffixSetStore::process() {
  static SuffixSetStore* const store = new SuffixSetStore;
  return *store;
}

size_t SuffixSetStore::KeyHash::operator()(const Key& key) const {
  uint64_t h = key.index;
  for (const uint64_t word : key.allowed) h = mix64(h * kGoldenGamma + word);
  for (const uint64_t word : key.doubtful) h = mix64(h * kGoldenGamma + word);
  return static_cast<size_t>(h);
}

void SuffixSetStore::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
}

size_t SuffixSetStore::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::shared_ptr<const SuffixSets> SuffixSetStore::get(const ContentIndex& index,
                                                      const SuffixSet& allowed,
                                                      const SuffixSet& doubtful) {
  Key key{index.uid(), allowed, doubtful};
  const std::lock_guard lock(mutex_);
  if (const auto it = sets_.find(key); it != sets_.end()) return it->second;
  auto sets = std::make_shared<SuffixSets>();
  sets->allowed = allowed;
  sets->doubtful = doubtful;
  std::vector<TokenId> enders;
  for (uint32_t suffix = 0; suffix < index.num_suffixes(); ++suffix) {
    if (!sets->allows(suffix) && !sets->doubts(suffix)) continue;
    std::vector<TokenId>& tokens = sets->allows(suffix) ? enders : sets->doubtful_enders;
    for (const ContentIndex::Ender& ender : index.enders(suffix)) tokens.push_back(ender.token);
  }
  sets->enders = SparseMask(std::move(enders));
  const uint32_t bare = index.bare_node();
  const auto bare_enders =
      bare != 0 ? index.marked_enders(bare) : std::span<const ContentIndex::Ender>();
  for (const ContentIndex::Ender& ender : bare_enders) {
    if (sets->allows(ender.suffix)) sets->bare.push_back(ender.token);
    if (sets->doubts(ender.suffix)) sets->doubtful_bare.push_back(ender.token);
  }
  std::sort(sets->bare.begin(), sets->bare.end());
  if (bytes_ > budget_) sets_.clear(), bytes_ = 0;
  bytes_ += sets->memory_bytes() + sizeof(Key) + 64 + key.allowed.size() * sizeof(uint64_t);
  return sets_.try_emplace(std::move(key), std::move(sets)).first->second;
}

std::shared_ptr<const SuffixSets> SuffixMemo::find(Recognizer& recognizer,
                                                   const ContentIndex& index, State after,
                                                   std::vector<WalkItem>* stack) {
  after = recognizer.representative(after, index.name_heads());
  Shard& shard = shards_[StateHash()(after) >> 59 & (kShards - 1)];
  {
    const std::shared_lock lock(shard.mutex);
    if (const auto it = shard.sets.find(after); it != shard.sets.end()) return it->second;
  }
  thread_local SuffixSet allowed, doubtful;
  const size_t words = (index.num_suffixes() + 63) / 64;
  allowed.assign(words, 0);
  doubtful.clear();
  const auto take = [&](int32_t suffix, const State& end) {
    if (end.doubtful()) doubtful.resize(words);
    SuffixSet& set = end.doubtful() ? doubtful : allowed;
    set[static_cast<size_t>(suffix) / 64] |= uint64_t{1} << (suffix % 64);
  };
  take(ContentIndex::kNoSuffix, after);
  walk_trie(index.suffixes(), after, nullptr, recognizer, stack, take);
  std::shared_ptr<const SuffixSets> sets = SuffixSetStore::process().get(index, allowed, doubtful);
  if (!recognizer.status().ok()) return sets;
  constexpr size_t kEntry = sizeof(State) + sizeof(sets) + 32;
  const std::unique_lock lock(shard.mutex);
  if (shard.bytes + kEntry > kBudget / kShards) shard.sets.clear(), shard.bytes = 0;
  if (shard.sets.try_emplace(after, sets).second) shard.bytes += kEntry;
  return sets;
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
