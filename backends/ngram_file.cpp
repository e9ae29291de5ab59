// The file format of n-gram models, version 1. Integers of the header are little-endian; all others
// are LEB128 varints ("v").
//
//   offset 0   "ESPLNGRM"
//          8   u32 version
//         12   u32 zero
//         16   u64 length of the file
//         24   u64 XXH64 (seed 0) of everything from offset 32
//         32   vocabulary: v padded width, v length + bytes of the pre-tokenizer's name,
//              v number of end-of-sequence ids + v each, v number of special ids + v gaps,
//              v number of tokens, then v length + bytes of each
//              n-grams: v order, order x 3 v discounts, then the nodes in breadth-first order
//
// A node:  v  entries * 4 + has_children * 2 + has_residual
//          v  residual                         if it has one
//          v  number of children, v gaps       if it has any (gap: token - previous - 1)
//          entries: v  gap * 4 + min(count, 4) - 1,  v count - 4 if the count is 4 or more
//
// An entry is named by its place among the parent's entries, not by its token: in the context "ab"
// only what followed "b" can follow. Most contexts have one or two continuations, so that an n-gram
// takes about two bytes. Example: a leaf context seen once, whose continuation is the parent's
// first: the two bytes 04 00.
//
// Decoding checks every length against what is left, so memory is bounded by a small multiple of
// the file's size, and rebuilds a trie that satisfies what NgramTrie promises, or fails.

#include "backends/ngram_file.h"

#include <algorithm>
#include <limits>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace espalier {
namespace {

constexpr std::string_view kMagic = "ESPLNGRM";
constexpr uint32_t kVersion = 1;
constexpr size_t kVersionOffset = 8;
constexpr size_t kLengthOffset = 16;
constexpr size_t kChecksumOffset = 24;
constexpr size_t kHeaderSize = 32;
constexpr uint64_t kFirstWideCount = 4;
constexpr uint64_t kMaxTokens = std::numeric_limits<int32_t>::max();
constexpr uint64_t kMaxWidthOverhead = 1u << 20;

void put_fixed(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) *out += static_cast<char>(value >> (8 * i));
}

uint64_t get_fixed(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  }
  return value;
}

void put(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}

void put_bytes(std::string_view bytes, std::string* out) {
  put(bytes.size(), out);
  *out += bytes;
}

/// Reads varints; after the first failure everything reads as zero.
class Reader {
 public:
  Reader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}

  uint64_t number(uint64_t most) {
    const size_t start = at_;
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && ok(); shift += 7) {
      if (at_ == bytes_.size()) return fail(at_, "the file ends inside a number");
      const uint8_t byte = bytes_[at_++];
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value <= most ? value : fail(start, "a number is out of its range");
      }
    }
    return fail(start, "a number is too long");
  }
  /// A count of things that take at least one byte each.
  uint64_t count() {
    const size_t start = at_;
    const uint64_t value = number(bytes_.size());
    return value <= bytes_.size() - at_ ? value : fail(start, "a count is more than what is left");
  }
  std::string_view bytes() {
    const size_t length = count();
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }
  /// `count` ascending numbers below `limit`, written as gaps.
  template <typename T>
  void ascending(uint64_t count, uint64_t limit, std::vector<T>* out) {
    uint64_t next = 0;
    for (uint64_t i = 0; i < count && ok(); ++i) {
      if (next >= limit) {
        fail(at_, "an index is out of its range");
        return;
      }
      const uint64_t value = next + number(limit - next - 1);
      out->push_back(static_cast<T>(value));
      next = value + 1;
    }
  }

  uint64_t fail(size_t at, const char* message) {
    if (ok()) {
      message_ = message;
      failed_at_ = at;
    }
    return 0;
  }
  bool ok() const { return message_ == nullptr; }
  size_t at() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }
  Status status(const std::string& name) const {
    if (ok()) return {};
    return {StatusCode::kParseError, message_, name + ":" + std::to_string(failed_at_)};
  }

 private:
  std::string_view bytes_;
  size_t at_;
  const char* message_ = nullptr;
  size_t failed_at_ = 0;
};

void put_vocabulary(const NgramVocabulary& vocabulary, std::string* out) {
  put(vocabulary.padded_width, out);
  put_bytes(vocabulary.pretokenizer, out);
  put(vocabulary.eos_ids.size(), out);
  for (const TokenId id : vocabulary.eos_ids) put(id, out);
  put(vocabulary.special.size(), out);
  TokenId next = 0;
  for (const TokenId id : vocabulary.special) {
    put(id - next, out);
    next = id + 1;
  }
  put(vocabulary.tokens.size(), out);
  for (const std::string& token : vocabulary.tokens) put_bytes(token, out);
}

NgramVocabulary get_vocabulary(Reader& reader) {
  NgramVocabulary vocabulary;
  const size_t width_at = reader.at();
  vocabulary.padded_width = reader.number(kMaxTokens);
  vocabulary.pretokenizer = reader.bytes();
  for (uint64_t n = reader.count(); n > 0 && reader.ok(); --n) {
    vocabulary.eos_ids.push_back(static_cast<TokenId>(reader.number(kMaxTokens)));
  }
  const uint64_t specials = reader.count();
  reader.ascending(specials, kMaxTokens, &vocabulary.special);
  const size_t ids_end = reader.at();
  for (uint64_t n = reader.count(); n > 0 && reader.ok(); --n) {
    vocabulary.tokens.emplace_back(reader.bytes());
  }
  const size_t size = vocabulary.tokens.size();
  const auto outside = [&](TokenId id) { return static_cast<size_t>(id) >= size; };
  if (std::any_of(vocabulary.eos_ids.begin(), vocabulary.eos_ids.end(), outside) ||
      std::any_of(vocabulary.special.begin(), vocabulary.special.end(), outside)) {
    reader.fail(ids_end, "an end-of-sequence or special id is not a token's");
  }
  if (vocabulary.eos_ids.empty()) reader.fail(ids_end, "there is no end-of-sequence id");
  if (vocabulary.padded_width != 0 &&
      (vocabulary.padded_width < size || vocabulary.padded_width > size + kMaxWidthOverhead)) {
    reader.fail(width_at, "the padded width does not suit the number of tokens");
  }
  return vocabulary;
}

void put_node(const NgramTrie& trie, size_t node, std::span<const TokenId> parent_tokens,
              std::string* out) {
  const uint32_t children = trie.first_child[node + 1] - trie.first_child[node];
  const std::span<const TokenId> tokens = trie.entry_tokens(node);
  const bool has_residual = trie.residual[node] != 0;
  put(tokens.size() * 4 + (children > 0 ? 2 : 0) + (has_residual ? 1 : 0), out);
  if (has_residual) put(trie.residual[node], out);
  if (children > 0) {
    put(children, out);
    TokenId next = 0;
    for (uint32_t child = trie.first_child[node]; child < trie.first_child[node + 1]; ++child) {
      put(trie.token[child] - next, out);
      next = trie.token[child] + 1;
    }
  }
  size_t next = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    size_t place = tokens[i];
    if (node != 0) {
      place = std::lower_bound(parent_tokens.begin() + next, parent_tokens.end(), tokens[i]) -
              parent_tokens.begin();
    }
    const uint64_t count = trie.entry_count[trie.first_entry[node] + i];
    put((place - next) * 4 + std::min(count, kFirstWideCount) - 1, out);
    if (count >= kFirstWideCount) put(count - kFirstWideCount, out);
    next = place + 1;
  }
}

class TrieReader {
 public:
  TrieReader(Reader& reader, size_t num_tokens) : reader_(reader), num_tokens_(num_tokens) {}

  NgramTrie run() {
    trie_.order = static_cast<int>(reader_.number(kMaxNgramOrder));
    if (trie_.order == 0) reader_.fail(reader_.at(), "the order is zero");
    for (int length = 0; length < trie_.order; ++length) {
      Discounts discounts;
      for (size_t i = 0; i < discounts.size(); ++i) {
        discounts[i] = static_cast<uint32_t>(reader_.number((i + 1) * kDiscountUnit));
        if (discounts[i] == 0) reader_.fail(reader_.at(), "a discount is zero");
      }
      trie_.discounts.push_back(discounts);
    }
    trie_.token.push_back(-1);
    parent_.push_back(0);
    length_.push_back(0);
    for (size_t node = 0; node < trie_.size() && reader_.ok(); ++node) read_node(node);
    trie_.first_child.push_back(static_cast<uint32_t>(trie_.size()));
    trie_.first_entry.push_back(static_cast<uint32_t>(trie_.entry_token.size()));
    if (reader_.ok() && !reader_.at_end())
      reader_.fail(reader_.at(), "bytes after the last context");
    return std::move(trie_);
  }

 private:
  void read_node(size_t node) {
    const size_t start = reader_.at();
    const uint64_t header = reader_.number(std::numeric_limits<uint64_t>::max());
    trie_.residual.push_back((header & 1) != 0 ? reader_.number(kMaxResidual) : 0);
    trie_.first_child.push_back(static_cast<uint32_t>(trie_.size()));
    trie_.first_entry.push_back(static_cast<uint32_t>(trie_.entry_token.size()));
    if ((header & 2) != 0) {
      const uint64_t children = reader_.count();
      if (length_[node] + 1 >= trie_.order) reader_.fail(start, "a context is too long");
      if (trie_.size() + children > kMaxTokens) reader_.fail(start, "there are too many contexts");
      reader_.ascending(children, num_tokens_, &trie_.token);
      parent_.resize(trie_.size(), static_cast<uint32_t>(node));
      length_.resize(trie_.size(), static_cast<uint8_t>(length_[node] + 1));
    }
    const uint64_t entries = header / 4;
    if (entries == 0) reader_.fail(start, "a context has no continuation");
    const size_t parent = parent_[node];
    const size_t limit =
        node == 0 ? num_tokens_ : trie_.first_entry[parent + 1] - trie_.first_entry[parent];
    size_t next = 0;
    for (uint64_t i = 0; i < entries && reader_.ok(); ++i) {
      const size_t at = reader_.at();
      const uint64_t code = reader_.number(kMaxTokens * 4);
      const size_t place = next + code / 4;
      if (place >= limit) {
        reader_.fail(at, "a continuation is out of its range");
        return;
      }
      uint64_t count = code % 4 + 1;
      if (count == kFirstWideCount) count += reader_.number(kMaxTokens);
      trie_.entry_count.push_back(static_cast<uint32_t>(count));
      trie_.entry_token.push_back(node == 0 ? static_cast<TokenId>(place)
                                            : trie_.entry_token[trie_.first_entry[parent] + place]);
      next = place + 1;
    }
  }

  static constexpr uint64_t kMaxResidual = uint64_t{1} << 48;

  Reader& reader_;
  size_t num_tokens_;
  NgramTrie trie_;
  std::vector<uint32_t> parent_;
  std::vector<uint8_t> length_;
};

}  // namespace

Result<std::shared_ptr<const Vocabulary>> NgramVocabulary::make() const {
  if (pretokenizer.empty()) return Vocabulary::from_tokens(tokens, eos_ids, special, padded_width);
  return Vocabulary::from_bpe(tokens, eos_ids, special, pretokenizer, padded_width);
}

bool is_ngram_file(std::string_view bytes) { return bytes.starts_with(kMagic); }

uint64_t ngram_file_checksum(std::string_view bytes) {
  if (bytes.size() < kHeaderSize) return 0;
  return XXH64(bytes.data() + kHeaderSize, bytes.size() - kHeaderSize, 0);
}

std::string encode_ngram_file(const NgramVocabulary& vocabulary, const NgramTrie& trie) {
  std::string body(kHeaderSize, '\0');
  put_vocabulary(vocabulary, &body);
  put(trie.order, &body);
  for (const Discounts& discounts : trie.discounts) {
    for (const uint32_t discount : discounts) put(discount, &body);
  }
  std::vector<uint32_t> parent(trie.size(), 0);
  for (size_t node = 0; node < trie.size(); ++node) {
    for (uint32_t child = trie.first_child[node]; child < trie.first_child[node + 1]; ++child) {
      parent[child] = static_cast<uint32_t>(node);
    }
    put_node(trie, node, trie.entry_tokens(parent[node]), &body);
  }
  std::string header(kMagic);
  put_fixed(kVersion, 4, &header);
  put_fixed(0, 4, &header);
  put_fixed(body.size(), 8, &header);
  put_fixed(ngram_file_checksum(body), 8, &header);
  body.replace(0, kHeaderSize, header);
  return body;
}

Result<NgramFile> decode_ngram_file(std::string_view bytes, const std::string& name) {
  const auto error = [&](StatusCode code, size_t at, std::string message) {
    return Status(code, std::move(message), name + ":" + std::to_string(at));
  };
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size()) || bytes.empty()) {
    return error(StatusCode::kParseError, 0, "not an espalier n-gram model");
  }
  if (bytes.size() < kHeaderSize) {
    return error(StatusCode::kParseError, bytes.size(), "the file ends inside its header");
  }
  const uint64_t version = get_fixed(bytes, kVersionOffset, 4);
  if (version != kVersion) {
    return error(StatusCode::kUnsupported, kVersionOffset,
                 "the file has version " + std::to_string(version) +
                     "; this program reads version " + std::to_string(kVersion));
  }
  const uint64_t length = get_fixed(bytes, kLengthOffset, 8);
  if (length != bytes.size()) {
    return error(StatusCode::kParseError, std::min<uint64_t>(length, bytes.size()),
                 "the file should have " + std::to_string(length) + " bytes and has " +
                     std::to_string(bytes.size()));
  }
  if (get_fixed(bytes, kChecksumOffset, 8) != ngram_file_checksum(bytes)) {
    return error(StatusCode::kParseError, kChecksumOffset,
                 "the checksum is wrong: the file is damaged");
  }
  Reader reader(bytes, kHeaderSize);
  NgramFile file;
  file.vocabulary = get_vocabulary(reader);
  if (reader.ok()) file.trie = TrieReader(reader, file.vocabulary.tokens.size()).run();
  if (!reader.ok()) return reader.status(name);
  return file;
}

}  // namespace espalier
