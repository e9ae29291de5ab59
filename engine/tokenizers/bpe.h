#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/tokenizers/bpe_merge.h"
#include "engine/tokenizers/piece_encoder.h"
#include "engine/tokenizers/piece_table.h"

namespace espalier {

/// The merges of a BPE model: (left id, right id) -> (rank, merged id), 16 bytes a slot.
class MergeTable {
 public:
  MergeTable() = default;
  explicit MergeTable(size_t expected);
  /// The first merge of a pair stays.
  void add(TokenId left, TokenId right, uint32_t rank, TokenId merged);
  std::optional<BpeMerge> find(TokenId left, TokenId right) const;
  size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    TokenId left = -1;
    TokenId right = -1;
    uint32_t rank = 0;
    TokenId merged = -1;
  };
  size_t slot_of(TokenId left, TokenId right) const;
  void grow();

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

/// Byte-level BPE by rank: two runs merge where their concatenation is a token, and a token's rank
/// is its id (tiktoken files, espalier's own models).
class RankedBpe final : public PieceEncoder {
 public:
  explicit RankedBpe(PieceTable pieces);
  Status encode(std::string_view piece, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override { return sizeof(*this) + pieces_.memory_bytes(); }

 private:
  PieceTable pieces_;
  std::array<TokenId, 256> byte_ids_;
};

/// Byte-level BPE by an explicit list of merges (GPT-2, Hugging Face and GGUF files).
class MergedBpe final : public PieceEncoder {
 public:
  /// With `whole_pieces`, a piece that is itself a token is not merged ("ignore_merges").
  MergedBpe(PieceTable pieces, MergeTable merges, bool whole_pieces);
  Status encode(std::string_view piece, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override {
    return sizeof(*this) + pieces_.memory_bytes() + merges_.memory_bytes();
  }

 private:
  PieceTable pieces_;
  MergeTable merges_;
  std::array<TokenId, 256> byte_ids_;
  bool whole_pieces_;
};

/// GPT-2's printable spelling of bytes: each byte is written as one code point, so that a token
/// file can be text. Returns nullopt where `text` holds a code point that stands for no byte.
std::optional<std::string> decode_byte_level(std::string_view text);

}  // namespace espalier
