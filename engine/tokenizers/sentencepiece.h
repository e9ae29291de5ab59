#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokenizers/bpe.h"
#include "engine/tokenizers/piece_encoder.h"
#include "engine/tokenizers/piece_table.h"

namespace espalier {

/// U+2581, which SentencePiece writes for a space.
inline constexpr std::string_view kSentencePieceSpace = "\xE2\x96\x81";

/// The byte of a byte-fallback token's spelling "<0xXX>", or -1.
int byte_fallback_value(std::string_view spelling);
/// A piece's bytes: U+2581 becomes a space.
std::string decode_sentencepiece(std::string_view piece);

/// The pieces of a SentencePiece model as they are spelled in the file (U+2581 for a space), with
/// their scores and byte-fallback ids.
class SentencePieces {
 public:
  /// Adds the piece of the next id. One that the encoder must not produce (control, unused, byte
  /// tokens) is added with `usable` false.
  void add(std::string_view spelling, float score, bool usable);
  void set_byte(uint8_t byte, TokenId id) { byte_ids_[byte] = id; }
  /// Builds the table; nothing may be added, nor the object moved, afterwards.
  void seal();

  TokenId find(std::string_view piece) const { return table_.find(piece); }
  float score(TokenId id) const { return scores_[static_cast<size_t>(id)]; }
  float lowest_score() const { return lowest_score_; }
  size_t longest() const { return table_.longest(); }
  size_t size() const { return scores_.size(); }
  /// Appends the byte-fallback tokens of piece[begin, end).
  Status fall_back(std::string_view piece, size_t begin, size_t end,
                   std::vector<TokenId>& ids) const;
  size_t memory_bytes() const;

  SentencePieces() { byte_ids_.fill(-1); }
  SentencePieces(const SentencePieces&) = delete;
  SentencePieces& operator=(const SentencePieces&) = delete;

 private:
  std::string blob_;
  std::vector<uint32_t> offsets_{0};
  std::vector<bool> skip_;
  std::vector<float> scores_;
  std::array<TokenId, 256> byte_ids_;
  PieceTable table_;
  float lowest_score_ = 0;
};

/// Which pairs of neighbours merge in a SentencePiece BPE model.
enum class SentencePieceOrder : uint8_t {
  kScores,  ///< those whose concatenation is a piece, highest score first (GGUF)
  kMerges,  ///< those of a list, in its order (Hugging Face)
};

/// SentencePiece BPE: starts from code points, merges, and falls back to bytes where a code point
/// is no piece.
class SentencePieceBpe final : public PieceEncoder {
 public:
  /// `merges` is used with kMerges only; `whole_pieces` as in MergedBpe.
  SentencePieceBpe(std::unique_ptr<const SentencePieces> pieces, SentencePieceOrder order,
                   MergeTable merges = {}, bool whole_pieces = false);
  Status encode(std::string_view piece, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override {
    return sizeof(*this) + pieces_->memory_bytes() + merges_.memory_bytes();
  }

 private:
  std::unique_ptr<const SentencePieces> pieces_;
  SentencePieceOrder order_;
  MergeTable merges_;
  bool whole_pieces_;
};

/// SentencePiece Unigram: the segmentation with the highest sum of scores.
class SentencePieceUnigram final : public PieceEncoder {
 public:
  explicit SentencePieceUnigram(std::unique_ptr<const SentencePieces> pieces)
      : pieces_(std::move(pieces)) {}
  Status encode(std::string_view piece, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override { return sizeof(*this) + pieces_->memory_bytes(); }

 private:
  std::unique_ptr<const SentencePieces> pieces_;
};

}  // namespace espalier
