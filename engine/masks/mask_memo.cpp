// The memo of masks.
//
// A full row of a 128k vocabulary is 16 KB, and a schema has thousands of states, so rows are not
// what is stored but parts (mask_parts.h): inside a leaf a shared row, the tokens that leave it as
// shared pieces and some ids; elsewhere usually white space, a piece, and a handful of ids. Only a
// mask of very many ids is stored as a row.
//
// Entries keep their leaf row (or the joined one) alive, so the rows a shard refers to count
// against its budget too, each once. A shard over budget is emptied: what is still needed comes
// back within microseconds.

#include "engine/masks/mask_memo.h"

#include <mutex>

namespace espalier {

void MaskEntry::write(std::span<MaskWord> row) const {
  if (dense.empty()) return parts.write(row);
  copy_mask(dense, row);
}

size_t MaskEntry::memory_bytes() const {
  constexpr size_t kNodeOverhead = 32;
  return sizeof(State) + sizeof(MaskEntry) + kNodeOverhead + parts.memory_bytes() +
         dense.capacity() * sizeof(MaskWord);
}

void MaskMemo::set_budget(size_t bytes) { budget_.store(bytes, std::memory_order_relaxed); }

bool MaskMemo::fill(const State& state, std::span<MaskWord> row) const {
  const Shard& shard = shards_[shard_of(state)];
  const std::shared_lock lock(shard.mutex);
  const auto it = shard.entries.find(state);
  if (it == shard.entries.end()) return false;
  it->second.write(row);
  return true;
}

void MaskMemo::insert(const State& state, const MaskParts& parts, std::span<const MaskWord> row) {
  MaskEntry entry;
  if (parts.tokens.size() + parts.removed.size() <= row.size()) {
    entry.parts = parts;
    if (parts.joined != nullptr) entry.parts.base.reset();
  } else {
    entry.dense.assign(row.begin(), row.end());
  }
  const size_t bytes = entry.memory_bytes();
  const LeafRow* base = entry.parts.base.get();
  const JoinedRow* joined = entry.parts.joined.get();
  const void* shared_row = base != nullptr ? static_cast<const void*>(base->tokens.get()) : joined;
  const size_t row_bytes = base != nullptr     ? base->tokens->memory_bytes()
                           : joined != nullptr ? joined->capacity() * sizeof(MaskWord)
                                               : 0;
  const size_t share = budget() / kShards;
  if (bytes > share || row_bytes > share) return;

  Shard& shard = shards_[shard_of(state)];
  const std::unique_lock lock(shard.mutex);
  if (shard.bytes + bytes > share || shard.row_bytes + row_bytes > share) {
    shard.entries.clear();
    shard.rows.clear();
    shard.bytes = 0;
    shard.row_bytes = 0;
  }
  if (!shard.entries.try_emplace(state, std::move(entry)).second) return;
  shard.bytes += bytes;
  if (shared_row != nullptr && shard.rows.insert(shared_row).second) shard.row_bytes += row_bytes;
}

size_t MaskMemo::memory_bytes() const {
  size_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::shared_lock lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace espalier
