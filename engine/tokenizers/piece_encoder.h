#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// The last stage of a tokenizer: one piece of normalized, pre-tokenized text -> ids. Immutable,
/// thread-safe.
class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  /// Appends the ids of `piece`. The place of an error is an offset into `piece`.
  virtual Status encode(std::string_view piece, std::vector<TokenId>& ids) const = 0;
  virtual size_t memory_bytes() const = 0;
};

}  // namespace espalier
