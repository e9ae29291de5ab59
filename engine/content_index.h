#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/token_trie.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// A vocabulary seen as pieces of JSON string content: bitmaps from which the rows of string leaves
/// are put together. Built when the vocabulary is loaded; see content_index.cpp.
class ContentIndex {
 public:
  /// Plain tokens are told apart by their number of code points up to here.
  static constexpr size_t kLengthRows = 64;

  explicit ContentIndex(const Vocabulary& vocabulary);
  /// The index of a vocabulary.
  static const std::shared_ptr<const ContentIndex>& of(const Vocabulary& vocabulary) {
    return vocabulary.content();
  }

  /// Plain tokens (see LeafLoop).
  std::span<const MaskWord> plain() const { return plain_; }
  /// Tokens that contain a byte above 0x7F.
  std::span<const MaskWord> high() const { return high_; }
  /// Tokens that contain `byte`; empty when there are none.
  std::span<const MaskWord> containing(uint8_t byte) const { return containing_[byte]; }
  /// Plain tokens of more than n code points, n < kLengthRows.
  std::span<const MaskWord> longer_than(size_t n) const { return longer_[n]; }
  /// Plain tokens of more than kLengthRows code points with their number.
  std::span<const std::pair<uint32_t, TokenId>> long_tokens() const { return long_; }
  /// Tokens that contain a quote or a backslash.
  const TokenTrie& marked() const { return marked_; }
  size_t memory_bytes() const;

 private:
  std::vector<MaskWord> plain_;
  std::vector<MaskWord> high_;
  std::array<std::vector<MaskWord>, 256> containing_;
  std::array<std::vector<MaskWord>, kLengthRows> longer_;
  std::vector<std::pair<uint32_t, TokenId>> long_;
  TokenTrie marked_;
};

}  // namespace espalier
