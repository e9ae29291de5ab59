#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizers/piece_table.h"
#include "engine/tokenizers/pretokenizer.h"
#include "engine/tokenizers/tokenizer.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Most ids a vocabulary may have, and most columns of a mask row: what a corrupted file can make
/// a loader allocate is bounded by these and by the file's own size.
inline constexpr size_t kMaxTokens = size_t{1} << 22;
inline constexpr size_t kMaxWidth = size_t{1} << 24;

/// Puts a Vocabulary together; every loader uses it. First add tokens and mark ids, then lay_out(),
/// then make a tokenizer over the laid-out spellings, then finish().
class VocabularyBuilder {
 public:
  /// `place` is named by errors: a file's path, or "" for a vocabulary made in memory.
  explicit VocabularyBuilder(std::string place);
  ~VocabularyBuilder();

  /// Adds a token. False if its id is taken, negative or not below kMaxTokens.
  bool add(TokenId id, std::string_view bytes, bool special);
  bool has(TokenId id) const;
  bool is_special(TokenId id) const { return tokens_[static_cast<size_t>(id)].special; }
  std::string_view bytes(TokenId id) const;
  void mark_special(TokenId id);
  /// Marks an id, which must exist, as an end of sequence; the first one marked stays first.
  void mark_eos(TokenId id);
  /// Marks the ids that may end a sequence and have a well-known name for it, in increasing order.
  void mark_known_eos(const std::function<bool(TokenId)>& may_end);
  bool has_eos() const { return !eos_ids_.empty(); }
  size_t size() const { return tokens_.size(); }

  /// The options' special tokens and end-of-sequence ids. With `may_extend`, ids beyond the file's
  /// are new unused or special ids; otherwise an end-of-sequence id must exist.
  Status apply(const VocabularyOptions& options, bool may_extend);
  /// Fixes ids, marks and width, and builds the trie. Fails without an end-of-sequence id.
  Status lay_out(size_t padded_width);
  /// After lay_out(): what tokenizers refer to; its address stays.
  const Vocabulary& vocabulary() const { return *vocabulary_; }
  /// After lay_out(): ordinary spellings -> ids.
  PieceTable pieces() const;
  /// `tokenizer` may be null: encode() then reports that there is no encoder.
  std::shared_ptr<const Vocabulary> finish(std::unique_ptr<const Tokenizer> tokenizer);

  /// "place:where", for errors about the file.
  std::string place(std::string_view where) const;

 private:
  struct Token {
    uint32_t begin = 0;
    uint32_t length = 0;
    bool used = false;
    bool special = true;
  };

  std::string place_;
  std::string blob_;
  std::vector<Token> tokens_;
  std::vector<TokenId> eos_ids_;
  std::shared_ptr<Vocabulary> vocabulary_;
  std::future<std::shared_ptr<const ContentIndex>> content_;  // reads *vocabulary_
};

/// Is this what models call their end-of-sequence or end-of-turn token ("</s>", "<|endoftext|>",
/// ...)?
bool is_known_eos_name(std::string_view name);

/// A preset's name or a regular expression; an empty one does not split.
PretokenizerPreset resolve_pretokenizer(std::string_view name_or_pattern);

/// Byte-level BPE by rank over laid-out tokens.
Result<std::unique_ptr<const Tokenizer>> make_ranked_tokenizer(const VocabularyBuilder& builder,
                                                               std::string_view pretokenizer);

/// The loaders, by content; `bytes` is the whole file at `path`.
using LoadedVocabulary = Result<std::shared_ptr<const Vocabulary>>;
LoadedVocabulary load_tiktoken(const std::string& path, std::string_view bytes,
                               const VocabularyOptions& options);
LoadedVocabulary load_huggingface(const std::string& path, std::string_view bytes,
                                  const VocabularyOptions& options);
LoadedVocabulary load_gguf(const std::string& path, std::string_view bytes,
                           const VocabularyOptions& options);

}  // namespace espalier
