// The store of leaf rows; see leaf_row_builder.cpp for what a row is.
//
// Rows are shared by all grammars of the process, as leaves are. When the budget is exceeded, the
// rows that have not been asked for longest go, a few at a time, so that no mask waits for
// thousands of them to be freed; rows in use stay alive with their users.
#include "engine/rows/mask_leaf_rows.h"

#include <algorithm>

#include "engine/hash.h"
#include "engine/rows/content_products_cache.h"
#include "engine/rows/row_memo.h"
#include "engine/thread_cache.h"

namespace espalier {

// More are sorted by way of a bitmap.
constexpr size_t kFewTokens = 256;

void LeafRow::Tokens::set_inside(std::vector<TokenId> tokens, size_t words) {
  if (tokens.size() < kFewTokens) {
    std::sort(tokens.begin(), tokens.end());
    tokens.shrink_to_fit();
    sparse = std::move(tokens);
    return;
  }
  dense.assign(words, 0);
  for (const TokenId token : tokens) set_mask_bit(dense, token);
  if (tokens.size() >= words / 2) return;
  sparse.reserve(tokens.size());
  for_each_mask_bit(dense, [this](TokenId token) {
    sparse.push_back(token);
    return true;
  });
  dense = {};
}

void LeafRow::copy_inside(std::span<MaskWord> row) const {
  if (!tokens->dense.empty()) {
    copy_mask(tokens->dense, row);
    return;
  }
  std::memset(row.data(), 0, row.size_bytes());
  for (const TokenId token : tokens->sparse) set_mask_bit(row, token);
}

size_t LeafRow::Tokens::memory_bytes() const {
  size_t bytes = sizeof(Tokens) + dense.capacity() * sizeof(MaskWord) +
                 sparse.capacity() * sizeof(TokenId) + ends.capacity() * sizeof(Ends) +
                 exits.capacity() * sizeof(Exit) + group_begin.capacity() * sizeof(uint32_t) +
                 group_tokens.capacity() * sizeof(TokenId);
  for (const Ends& end : ends) bytes += end.enders.capacity() * sizeof(ContentIndex::Ender);
  for (const Exit& exit : exits) bytes += exit.suffixes.memory_bytes();
  return bytes;
}

size_t LeafRow::own_bytes() const {
  return sizeof(LeafRow) + end_states.capacity() * sizeof(uint32_t);
}

LeafRowCache& LeafRowCache::process() {
  static LeafRowCache* const cache = new LeafRowCache;
  return *cache;
}

size_t LeafRowCache::KeyHash::operator()(const Key& key) const {
  return static_cast<size_t>(mix64(key.leaf * kGoldenGamma + mix64(key.state) + key.vocabulary));
}

std::shared_ptr<const LeafRow> LeafRowCache::get(const Vocabulary& vocabulary, const Leaf& leaf,
                                                 uint32_t state) {
  const uint32_t asked = state;
  if (vocabulary.longest_token() <= Leaf::kRowHorizon) state = leaf.row_state(state);
  const Key key{vocabulary.uid(), leaf.uid(), state};
  thread_local ThreadCache<Key, LeafRow> recent;
  const size_t hash = KeyHash()(key);
  const uint64_t generation = generation_.load(std::memory_order_acquire);
  if (auto row = recent.find(key, hash, generation)) return row;
  {
    const std::lock_guard lock(mutex_);
    if (const auto* known = rows_.find(key)) {
      recent.insert(key, hash, generation, *known);
      return *known;
    }
  }
  std::shared_ptr<const LeafRow> row = build_leaf_row(vocabulary, leaf, state);
  if (state != asked && leaf.row_state(asked) != state) return get(vocabulary, leaf, asked);
  const size_t bytes = row->own_bytes() + rows_.entry_bytes();
  std::vector<std::shared_ptr<const LeafRow>> gone;  // freed after the lock
  const std::lock_guard lock(mutex_);
  const auto [kept, inserted] = rows_.insert(key, row, bytes);
  if (!inserted) return *kept;
  token_bytes_ += count_tokens(*row);
  if (held() > budget_) gone = evict();
  return row;
}

// Tokens count once, however many rows share them.
size_t LeafRowCache::count_tokens(const LeafRow& row) {
  return sharers_.try_emplace(row.tokens.get()).first->second++ == 0 ? row.tokens->memory_bytes()
                                                                     : 0;
}

size_t LeafRowCache::drop_tokens(const LeafRow& row) {
  if (--sharers_.find(row.tokens.get())->second != 0) return 0;
  sharers_.erase(row.tokens.get());
  return row.tokens->memory_bytes();
}

std::vector<std::shared_ptr<const LeafRow>> LeafRowCache::evict() {
  constexpr size_t kShare = 256;  // one part in so many goes at once
  std::vector<std::shared_ptr<const LeafRow>> gone;
  generation_.fetch_add(1, std::memory_order_release);
  const size_t target = budget_ - budget_ / kShare;
  while (held() > target && !rows_.empty()) {
    gone.push_back(rows_.drop_oldest());
    token_bytes_ -= drop_tokens(*gone.back());
  }
  return gone;
}

void LeafRowCache::set_budget(size_t bytes) {
  ContentProductsCache::process().set_budget(bytes / kProductsShare);
  RowMemo::process().set_budget(bytes / kMemoShare);
  std::vector<std::shared_ptr<const LeafRow>> gone;
  const std::lock_guard lock(mutex_);
  budget_ = bytes - bytes / kProductsShare - bytes / kMemoShare;
  if (held() > budget_) gone = evict();
}

size_t LeafRowCache::memory_bytes() const {
  const size_t others =
      ContentProductsCache::process().memory_bytes() + RowMemo::process().memory_bytes();
  const std::lock_guard lock(mutex_);
  return held() + others;
}

void LeafRowCache::clear() {
  const std::lock_guard lock(mutex_);
  rows_.clear();
  sharers_.clear();
  token_bytes_ = 0;
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace espalier
