// SentencePiece models with byte fallback.
//
// Idea: text is spelled with U+2581 for spaces and cut into code points. A BPE model merges
// neighbours (bpe_merge.h): by the score of the joined piece in GGUF files, by a list of merges in
// Hugging Face's. A Unigram model takes the best path through all segmentations instead (Viterbi).
// A code point that is no piece is spelled by the tokens <0x00>..<0xFF>, one for each of its bytes.
//
// Example (Llama-2 pieces): " Hello" -> U+2581 H e l l o -> "U+2581Hello"; U+1F999 -> <0xF0> <0x9F>
// <0xA6> <0x99>.
//
// Invariants: the ids' bytes, U+2581 read as a space, are the normalized text's. Bytes that are not
// UTF-8 are symbols of their own and always fall back.
//
// Cost: BPE as in bpe_merge.h, one hash look-up per candidate pair; Unigram O(n * longest piece).
//
// Reference: Kudo, Richardson, "SentencePiece", EMNLP 2018; Kudo, "Subword Regularization", ACL
// 2018, section 3.2 (Unigram).
#include "engine/tokenizers/sentencepiece.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "engine/tokenizers/tokenizer.h"
#include "engine/tokenizers/utf8.h"

namespace espalier {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Order-preserving: a higher score is a lower priority value.
uint32_t priority_of(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score);
  const uint32_t ascending = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

struct ScoreRules {
  std::string_view piece;
  const SentencePieces& pieces;
  std::optional<BpeMerge> find(const BpeSymbol& left, const BpeSymbol& right) const {
    const TokenId id = pieces.find(piece.substr(left.begin, left.length + right.length));
    if (id < 0) return std::nullopt;
    return BpeMerge{priority_of(pieces.score(id)), id};
  }
};

struct ListRules {
  const MergeTable& merges;
  std::optional<BpeMerge> find(const BpeSymbol& left, const BpeSymbol& right) const {
    if (left.id < 0 || right.id < 0) return std::nullopt;
    return merges.find(left.id, right.id);
  }
};

}  // namespace

int byte_fallback_value(std::string_view spelling) {
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling[5] != '>') return -1;
  const int high = hex_digit(spelling[3]);
  const int low = hex_digit(spelling[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string decode_sentencepiece(std::string_view piece) {
  std::string bytes;
  bytes.reserve(piece.size());
  for (size_t i = 0; i < piece.size();) {
    const bool space = piece.substr(i).starts_with(kSentencePieceSpace);
    bytes += space ? ' ' : piece[i];
    i += space ? kSentencePieceSpace.size() : 1;
  }
  return bytes;
}

void SentencePieces::add(std::string_view spelling, float score, bool usable) {
  blob_.append(spelling);
  offsets_.push_back(static_cast<uint32_t>(blob_.size()));
  scores_.push_back(score);
  skip_.push_back(!usable);
  if (usable) lowest_score_ = std::min(lowest_score_, score);
}

void SentencePieces::seal() {
  blob_.shrink_to_fit();
  table_ = PieceTable(blob_, offsets_, skip_);
}

Status SentencePieces::fall_back(std::string_view piece, size_t begin, size_t end,
                                 std::vector<TokenId>& ids) const {
  for (size_t i = begin; i < end; ++i) {
    const TokenId id = byte_ids_[static_cast<uint8_t>(piece[i])];
    if (id < 0) return uncovered_byte(piece, i);
    ids.push_back(id);
  }
  return Status();
}

size_t SentencePieces::memory_bytes() const {
  return sizeof(*this) + blob_.capacity() + offsets_.capacity() * sizeof(uint32_t) +
         scores_.capacity() * sizeof(float) + skip_.capacity() / 8 + table_.memory_bytes();
}

SentencePieceBpe::SentencePieceBpe(std::unique_ptr<const SentencePieces> pieces,
                                   SentencePieceOrder order, MergeTable merges, bool whole_pieces)
    : pieces_(std::move(pieces)),
      order_(order),
      merges_(std::move(merges)),
      whole_pieces_(whole_pieces) {}

Status SentencePieceBpe::encode(std::string_view piece, std::vector<TokenId>& ids) const {
  if (whole_pieces_) {
    if (const TokenId whole = pieces_->find(piece); whole >= 0) {
      ids.push_back(whole);
      return Status();
    }
  }
  std::vector<BpeSymbol> symbols;
  for (size_t i = 0; i < piece.size();) {
    const Utf8Char c = decode_utf8(piece, i);
    const TokenId id = pieces_->find(piece.substr(i, c.length));
    symbols.push_back({static_cast<uint32_t>(i), c.length, id});
    i += c.length;
  }
  if (order_ == SentencePieceOrder::kScores) {
    bpe_merge(symbols, ScoreRules{piece, *pieces_});
  } else {
    bpe_merge(symbols, ListRules{merges_});
  }
  for (const BpeSymbol& symbol : symbols) {
    if (symbol.id >= 0) {
      ids.push_back(symbol.id);
      continue;
    }
    const Status status =
        pieces_->fall_back(piece, symbol.begin, symbol.begin + symbol.length, ids);
    if (!status.ok()) return status;
  }
  return Status();
}

Status SentencePieceUnigram::encode(std::string_view piece, std::vector<TokenId>& ids) const {
  constexpr double kUnreached = -std::numeric_limits<double>::infinity();
  constexpr double kUnknownPenalty = 10.0;
  struct Best {
    double score = kUnreached;
    size_t begin = 0;
    TokenId id = -1;
  };
  std::vector<Best> best(piece.size() + 1);
  best[0].score = 0;
  for (size_t begin = 0; begin < piece.size();) {
    const size_t step = decode_utf8(piece, begin).length;
    const auto offer = [&](size_t end, double score, TokenId id) {
      const double total = best[begin].score + score;
      if (total > best[end].score) best[end] = {total, begin, id};
    };
    bool covered = false;
    const size_t limit = std::min(piece.size(), begin + pieces_->longest());
    for (size_t end = begin + step; end <= limit;) {
      const TokenId id = pieces_->find(piece.substr(begin, end - begin));
      if (id >= 0) {
        offer(end, pieces_->score(id), id);
        covered = covered || end == begin + step;
      }
      if (end == piece.size()) break;
      end += decode_utf8(piece, end).length;
    }
    if (!covered) offer(begin + step, pieces_->lowest_score() - kUnknownPenalty, -1);
    begin += step;
  }
  std::vector<std::pair<size_t, size_t>> path;
  for (size_t end = piece.size(); end > 0; end = best[end].begin) {
    path.emplace_back(best[end].begin, end);
  }
  std::reverse(path.begin(), path.end());
  for (const auto& [begin, end] : path) {
    if (best[end].id >= 0) {
      ids.push_back(best[end].id);
    } else if (Status status = pieces_->fall_back(piece, begin, end, ids); !status.ok()) {
      return status;
    }
  }
  return Status();
}

}  // namespace espalier
