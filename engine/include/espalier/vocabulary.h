#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

using TokenId = int32_t;
class ContentIndex;
class TokenTrie;
class Tokenizer;

/// How to read a vocabulary whose file leaves something out.
struct VocabularyOptions {
  /// End-of-sequence ids; empty: the file's own (GGUF, tokenizer.json), else an error.
  std::vector<TokenId> eos_ids;
  /// Special tokens to add, name -> id (a tiktoken file has none).
  std::map<std::string, TokenId> special_tokens;
  /// Pre-tokenization: "llama3", "cl100k", "gpt2", "o200k", "qwen2", a regular expression, or empty
  /// for the file's own (for tiktoken files: chosen by the file name's stem if known, else an error
  /// when encoding).
  std::string pretokenizer;
  /// Width of a logit row; 0: the number of ids.
  size_t padded_width = 0;
};

/// A model's tokens: id -> bytes, special and end-of-sequence ids, the byte trie over all ordinary
/// tokens, and (where the file carries merges or scores) the encoder. Immutable and shared; all
/// methods are thread-safe.
class Vocabulary {
 public:
  /// Loads a tiktoken file, a Hugging Face tokenizer.json, a GGUF file or an espalier model file's
  /// vocabulary, told apart by content. Errors name the file and the byte offset or JSON pointer.
  static Result<std::shared_ptr<const Vocabulary>> load(const std::string& path,
                                                        const VocabularyOptions& options = {});

  /// From bytes per id. Ids in `special` (and `eos_ids`) are never ordinary tokens. No encoder
  /// merges: encode() then splits text greedily by longest match over the trie.
  static Result<std::shared_ptr<const Vocabulary>> from_tokens(std::vector<std::string> tokens,
                                                               std::vector<TokenId> eos_ids,
                                                               std::vector<TokenId> special = {},
                                                               size_t padded_width = 0);

  /// From ranked byte-level BPE tokens (id = rank order) with a pre-tokenization pattern; what
  /// tiktoken files and espalier's own models hold.
  static Result<std::shared_ptr<const Vocabulary>> from_bpe(std::vector<std::string> tokens,
                                                            std::vector<TokenId> eos_ids,
                                                            std::vector<TokenId> special,
                                                            std::string_view pretokenizer,
                                                            size_t padded_width = 0);
  ~Vocabulary();

  /// Number of ids; ids are 0..size()-1 (gaps are unused special ids with no bytes).
  size_t size() const { return offsets_.size() - 1; }
  /// Width of a logit row (>= size()).
  size_t width() const { return width_; }
  /// int32 words in a mask row: ceil(width / 32).
  size_t row_words() const { return (width_ + 31) / 32; }
  /// The bytes of a token ("" for unused ids). Special tokens give their name's bytes.
  std::string_view bytes(TokenId id) const {
    return std::string_view(blob_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  /// Special, end-of-sequence and unused ids: never allowed by a mask, except end of sequence where
  /// the constraint may end.
  bool is_special(TokenId id) const { return special_[id]; }
  bool is_eos(TokenId id) const;
  std::span<const TokenId> eos_ids() const { return eos_ids_; }
  /// True when each of the 256 bytes is a token by itself.
  bool has_all_bytes() const;
  size_t longest_token() const { return longest_; }
  /// Unique in the process; memo tables key on it.
  uint64_t uid() const { return uid_; }
  const TokenTrie& trie() const { return *trie_; }
  /// The tokens as pieces of JSON strings; for the engine.
  const std::shared_ptr<const ContentIndex>& content() const { return content_; }

  /// Token ids of a UTF-8 (or any) text, special names not parsed. Errors: no encoder, bytes that
  /// no token covers.
  Result<std::vector<TokenId>> encode(std::string_view text) const;
  /// Concatenated bytes of ordinary tokens; special ids add nothing.
  std::string decode(std::span<const TokenId> tokens) const;
  /// The regular expression that cuts a text before its pieces are encoded; "" where there is none
  /// or splitting takes more than one. Other engines ask for it.
  std::string_view pretokenization() const;
  /// Bytes of memory held, by part and in all. Everything is built at load and shared by all
  /// matchers.
  struct Memory {
    size_t tokens = 0;   ///< spellings and their places
    size_t trie = 0;     ///< the byte trie
    size_t content = 0;  ///< bitmaps and tries of string content
    size_t encoder = 0;  ///< merges or scores, pre-tokenization
    size_t total() const { return tokens + trie + content + encoder; }
  };
  Memory memory() const;
  size_t memory_bytes() const { return memory().total(); }

 private:
  friend class VocabularyBuilder;
  Vocabulary();

  std::string blob_;
  std::vector<uint32_t> offsets_;
  std::vector<bool> special_;
  std::vector<TokenId> eos_ids_;
  size_t width_ = 0;
  size_t longest_ = 0;
  uint64_t uid_ = 0;
  std::unique_ptr<const TokenTrie> trie_;
  std::shared_ptr<const ContentIndex> content_;
  std::unique_ptr<const Tokenizer> tokenizer_;
};

}  // namespace espalier
