// Byte-level byte-pair encoding.
//
// Idea: every byte is a token, so any text can be encoded; a piece starts as its bytes and merges
// (bpe_merge.h). Files say which pairs merge in one of two ways: as tokens in rank order, where a
// pair may merge if its concatenation is a token and the lower id goes first; or as a list of
// merges, where the position in the list decides. For vocabularies trained as one BPE both give the
// same ids.
//
// Files that list merges spell bytes as code points (GPT-2): printable Latin-1 stands for itself,
// the 68 others are U+0100, U+0101, ... in order; a space is U+0120.
//
// Example: in GPT-2, " hello" starts as U+0120 h e l l o and ends as the single token 23748.
//
// Invariants: symbols always are tokens, since all bytes are; a vocabulary without some byte
// reports the first place where it is needed.
//
// Cost: one table look-up per candidate pair; see bpe_merge.h.
//
// Reference: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019,
// section 2.2.
#include "engine/tokenizers/bpe.h"

#include <bit>
#include <utility>

#include "engine/tokenizers/tokenizer.h"
#include "engine/tokenizers/utf8.h"

namespace espalier {
namespace {

std::array<TokenId, 256> byte_tokens(const PieceTable& pieces) {
  std::array<TokenId, 256> ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    const char c = static_cast<char>(byte);
    ids[byte] = pieces.find(std::string_view(&c, 1));
  }
  return ids;
}

Status split_into_bytes(std::string_view piece, const std::array<TokenId, 256>& byte_ids,
                        std::vector<BpeSymbol>& symbols) {
  symbols.clear();
  for (size_t i = 0; i < piece.size(); ++i) {
    const TokenId id = byte_ids[static_cast<uint8_t>(piece[i])];
    if (id < 0) return uncovered_byte(piece, i);
    symbols.push_back({static_cast<uint32_t>(i), 1, id});
  }
  return Status();
}

template <typename Rules>
Status merge_bytes(std::string_view piece, const std::array<TokenId, 256>& byte_ids,
                   const Rules& rules, std::vector<TokenId>& ids) {
  thread_local std::vector<BpeSymbol> symbols;
  if (Status status = split_into_bytes(piece, byte_ids, symbols); !status.ok()) return status;
  bpe_merge(symbols, rules);
  for (const BpeSymbol& symbol : symbols) ids.push_back(symbol.id);
  return Status();
}

struct RankRules {
  std::string_view piece;
  const PieceTable& pieces;
  std::optional<BpeMerge> find(const BpeSymbol& left, const BpeSymbol& right) const {
    const TokenId id = pieces.find(piece.substr(left.begin, left.length + right.length));
    if (id < 0) return std::nullopt;
    return BpeMerge{static_cast<uint32_t>(id), id};
  }
};

struct MergeRules {
  const MergeTable& merges;
  std::optional<BpeMerge> find(const BpeSymbol& left, const BpeSymbol& right) const {
    return merges.find(left.id, right.id);
  }
};

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Code points below 0x144 -> byte, or -1.
std::array<int16_t, 0x144> make_byte_of_code() {
  std::array<int16_t, 0x144> table;
  table.fill(-1);
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    table[stands_for_itself(byte) ? byte : next++] = static_cast<int16_t>(byte);
  }
  return table;
}

}  // namespace

MergeTable::MergeTable(size_t expected) : slots_(std::bit_ceil(expected + expected / 2 + 16)) {}

size_t MergeTable::slot_of(TokenId left, TokenId right) const {
  const uint64_t key =
      static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  uint64_t hash = key * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 32;
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot].left >= 0 && (slots_[slot].left != left || slots_[slot].right != right)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void MergeTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.left >= 0) slots_[slot_of(slot.left, slot.right)] = slot;
  }
}

void MergeTable::add(TokenId left, TokenId right, uint32_t rank, TokenId merged) {
  if (4 * (used_ + 1) > 3 * slots_.size()) grow();
  Slot& slot = slots_[slot_of(left, right)];
  if (slot.left >= 0) return;
  slot = {left, right, rank, merged};
  ++used_;
}

std::optional<BpeMerge> MergeTable::find(TokenId left, TokenId right) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(left, right)];
  if (slot.left < 0) return std::nullopt;
  return BpeMerge{slot.rank, slot.merged};
}

RankedBpe::RankedBpe(PieceTable pieces)
    : pieces_(std::move(pieces)), byte_ids_(byte_tokens(pieces_)) {}

Status RankedBpe::encode(std::string_view piece, std::vector<TokenId>& ids) const {
  if (const TokenId whole = pieces_.find(piece); whole >= 0) {
    ids.push_back(whole);
    return Status();
  }
  return merge_bytes(piece, byte_ids_, RankRules{piece, pieces_}, ids);
}

MergedBpe::MergedBpe(PieceTable pieces, MergeTable merges, bool whole_pieces)
    : pieces_(std::move(pieces)),
      merges_(std::move(merges)),
      byte_ids_(byte_tokens(pieces_)),
      whole_pieces_(whole_pieces) {}

Status MergedBpe::encode(std::string_view piece, std::vector<TokenId>& ids) const {
  if (whole_pieces_) {
    if (const TokenId whole = pieces_.find(piece); whole >= 0) {
      ids.push_back(whole);
      return Status();
    }
  }
  return merge_bytes(piece, byte_ids_, MergeRules{merges_}, ids);
}

std::optional<std::string> decode_byte_level(std::string_view text) {
  static const std::array<int16_t, 0x144> kByteOfCode = make_byte_of_code();
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    if (!c.valid || c.code >= kByteOfCode.size() || kByteOfCode[c.code] < 0) return std::nullopt;
    bytes += static_cast<char>(kByteOfCode[c.code]);
    i += c.length;
  }
  return bytes;
}

}  // namespace espalier
