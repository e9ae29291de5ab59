#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace espalier {

/// Spelling -> id, over spellings that someone else owns: piece i is blob[offsets[i], offsets[i +
/// 1]). Four bytes a slot, open addressing at a load of at most one half. Immutable, thread-safe.
class PieceTable {
 public:
  PieceTable() = default;
  /// Pieces with skip[i] and empty ones are left out; of equal spellings the first id stays. `blob`
  /// and `offsets` must outlive the table.
  PieceTable(std::string_view blob, std::span<const uint32_t> offsets,
             const std::vector<bool>& skip);

  /// The id of a spelling, or -1.
  int32_t find(std::string_view piece) const;
  /// Length of the longest piece.
  size_t longest() const { return longest_; }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(int32_t); }

 private:
  std::string_view spelling(int32_t id) const {
    const auto i = static_cast<size_t>(id);
    return blob_.substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

  std::string_view blob_;
  std::span<const uint32_t> offsets_;
  std::vector<int32_t> slots_;
  size_t mask_ = 0;
  size_t longest_ = 0;
};

}  // namespace espalier
