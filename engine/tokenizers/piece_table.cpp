#include "engine/tokenizers/piece_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>

namespace espalier {
namespace {

size_t hash_of(std::string_view piece) { return XXH3_64bits(piece.data(), piece.size()); }

}  // namespace

PieceTable::PieceTable(std::string_view blob, std::span<const uint32_t> offsets,
                       const std::vector<bool>& skip)
    : blob_(blob), offsets_(offsets) {
  const size_t count = offsets.empty() ? 0 : offsets.size() - 1;
  const size_t used = static_cast<size_t>(std::count(skip.begin(), skip.end(), false));
  slots_.assign(std::bit_ceil(std::max<size_t>(2 * used, 16)), -1);
  mask_ = slots_.size() - 1;
  for (size_t id = 0; id < count; ++id) {
    if (skip[id]) continue;
    const std::string_view piece = spelling(static_cast<int32_t>(id));
    if (piece.empty()) continue;
    size_t slot = hash_of(piece) & mask_;
    while (slots_[slot] >= 0 && spelling(slots_[slot]) != piece) slot = (slot + 1) & mask_;
    if (slots_[slot] < 0) slots_[slot] = static_cast<int32_t>(id);
    longest_ = std::max(longest_, piece.size());
  }
}

int32_t PieceTable::find(std::string_view piece) const {
  if (piece.empty() || piece.size() > longest_) return -1;
  size_t slot = hash_of(piece) & mask_;
  while (slots_[slot] >= 0) {
    if (spelling(slots_[slot]) == piece) return slots_[slot];
    slot = (slot + 1) & mask_;
  }
  return -1;
}

}  // namespace espalier
