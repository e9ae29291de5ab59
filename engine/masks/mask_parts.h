#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/masks/joined_rows.h"
#include "engine/rows/mask_leaf_rows.h"
#include "engine/sparse_mask.h"

namespace espalier {

/// A mask as what it is put together from, in this order: the inside tokens of a leaf's row (or
/// nothing), shared pieces, less some tokens, and further ones. A full row is some 16 KB, the parts
/// a few pointers and ids.
struct MaskParts {
  std::shared_ptr<const LeafRow> base;
  /// The base and the first piece together, where they were joined.
  std::shared_ptr<const JoinedRow> joined;
  std::vector<std::shared_ptr<const SparseMask>> pieces;
  std::vector<TokenId> removed;
  std::vector<TokenId> tokens;

  void clear() {
    base.reset();
    joined.reset();
    pieces.clear();
    removed.clear();
    tokens.clear();
  }
  /// Overwrites the row.
  void write(std::span<MaskWord> row) const {
    if (joined != nullptr) {
      copy_mask(*joined, row);
    } else if (base != nullptr) {
      base->copy_inside(row);
    } else {
      std::fill(row.begin(), row.end(), 0);
    }
    for (size_t i = joined != nullptr ? 1 : 0; i < pieces.size(); ++i) pieces[i]->add_to(row);
    for (const TokenId token : removed) clear_mask_bit(row, token);
    for (const TokenId token : tokens) set_mask_bit(row, token);
  }
  /// The tokens besides those of the base.
  template <typename Visit>
  void for_each_addition(Visit&& visit) const {
    for (const auto& piece : pieces) piece->for_each(visit);
    for (const TokenId token : tokens) visit(token);
  }
  /// Bytes beside itself and what is shared.
  size_t memory_bytes() const {
    return pieces.capacity() * sizeof(pieces[0]) +
           (removed.capacity() + tokens.capacity()) * sizeof(TokenId);
  }
};

}  // namespace espalier
