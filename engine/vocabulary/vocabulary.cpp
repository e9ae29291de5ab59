#include "espalier/vocabulary.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <utility>

#include "engine/tokenizers/tokenizer.h"
#include "engine/tokens/content_index.h"
#include "engine/tokens/token_trie.h"
#include "engine/vocabulary/mapped_file.h"
#include "engine/vocabulary/vocabulary_builder.h"

namespace espalier {
namespace {

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::string_view kModelMagic = "ESPLNGRM";
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

bool looks_like_json(std::string_view bytes) {
  if (bytes.starts_with(kUtf8Mark)) bytes.remove_prefix(kUtf8Mark.size());
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '{';
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '=';
}

bool looks_like_tiktoken(std::string_view bytes) {
  const size_t word =
      static_cast<size_t>(std::find_if_not(bytes.begin(), bytes.end(), is_base64) - bytes.begin());
  return word > 0 && (word == bytes.size() || bytes[word] == ' ' || bytes[word] == '\n');
}

LoadedVocabulary load_by_content(const std::string& path, std::string_view bytes,
                                 const VocabularyOptions& options) {
  if (bytes.starts_with(kGgufMagic)) return load_gguf(path, bytes, options);
  if (bytes.starts_with(kModelMagic)) {
    return Status(StatusCode::kInvalidArgument,
                  "This is an espalier model file; load it as a model, which has its vocabulary.",
                  path + ":0");
  }
  if (looks_like_json(bytes)) return load_huggingface(path, bytes, options);
  if (looks_like_tiktoken(bytes)) return load_tiktoken(path, bytes, options);
  return Status(StatusCode::kParseError,
                bytes.empty()
                    ? "The file is empty."
                    : "This is no vocabulary that is known (GGUF, tokenizer.json, tiktoken).",
                path + ":0");
}

Status add_tokens(VocabularyBuilder& builder, const std::vector<std::string>& tokens,
                  std::vector<TokenId> eos_ids, const std::vector<TokenId>& special) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!builder.add(static_cast<TokenId>(i), tokens[i], false)) {
      return Status(StatusCode::kInvalidArgument, "There are too many tokens.",
                    "tokens:" + std::to_string(i));
    }
  }
  for (const TokenId id : special) {
    if (!builder.has(id)) {
      return Status(StatusCode::kInvalidArgument, "The special id is not one of the tokens.",
                    "special:" + std::to_string(id));
    }
    builder.mark_special(id);
  }
  VocabularyOptions options;
  options.eos_ids = std::move(eos_ids);
  return builder.apply(options, false);
}

}  // namespace

Vocabulary::Vocabulary() = default;
Vocabulary::~Vocabulary() = default;

Result<std::shared_ptr<const Vocabulary>> Vocabulary::load(const std::string& path,
                                                           const VocabularyOptions& options) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  const std::string file = folder ? path + "/tokenizer.json" : path;
  Result<MappedFile> mapped = MappedFile::open(file);
  if (!mapped) return mapped.status();
  try {
    return load_by_content(file, mapped->bytes(), options);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kBudgetExceeded, "There is not enough memory for the vocabulary.",
                  file);
  }
}

Result<std::shared_ptr<const Vocabulary>> Vocabulary::from_tokens(std::vector<std::string> tokens,
                                                                  std::vector<TokenId> eos_ids,
                                                                  std::vector<TokenId> special,
                                                                  size_t padded_width) {
  VocabularyBuilder builder("");
  Status status = add_tokens(builder, tokens, std::move(eos_ids), special);
  if (status.ok()) status = builder.lay_out(padded_width);
  if (!status.ok()) return status;
  return builder.finish(std::make_unique<GreedyTokenizer>(builder.vocabulary()));
}

Result<std::shared_ptr<const Vocabulary>> Vocabulary::from_bpe(std::vector<std::string> tokens,
                                                               std::vector<TokenId> eos_ids,
                                                               std::vector<TokenId> special,
                                                               std::string_view pretokenizer,
                                                               size_t padded_width) {
  VocabularyBuilder builder("");
  Status status = add_tokens(builder, tokens, std::move(eos_ids), special);
  if (status.ok()) status = builder.lay_out(padded_width);
  if (!status.ok()) return status;
  Result<std::unique_ptr<const Tokenizer>> tokenizer = make_ranked_tokenizer(builder, pretokenizer);
  if (!tokenizer) return tokenizer.status();
  return builder.finish(std::move(tokenizer).value());
}

bool Vocabulary::is_eos(TokenId id) const {
  return std::find(eos_ids_.begin(), eos_ids_.end(), id) != eos_ids_.end();
}

bool Vocabulary::has_all_bytes() const {
  const TokenTrie::Node& root = trie_->node(0);
  if (root.num_children != 256) return false;
  for (uint32_t i = 0; i < 256; ++i) {
    if (trie_->node(root.first_child + i).token < 0) return false;
  }
  return true;
}

Result<std::vector<TokenId>> Vocabulary::encode(std::string_view text) const {
  if (tokenizer_ == nullptr) {
    return Status(StatusCode::kUnsupported, "The vocabulary has no encoder.");
  }
  std::vector<TokenId> ids;
  if (Status status = tokenizer_->encode(text, ids); !status.ok()) return status;
  return ids;
}

std::string Vocabulary::decode(std::span<const TokenId> tokens) const {
  std::string text;
  for (const TokenId id : tokens) {
    if (id >= 0 && static_cast<size_t>(id) < size() && !special_[static_cast<size_t>(id)]) {
      text.append(bytes(id));
    }
  }
  return text;
}

std::string_view Vocabulary::pretokenization() const {
  return tokenizer_ != nullptr ? tokenizer_->pretokenization() : std::string_view();
}

Vocabulary::Memory Vocabulary::memory() const {
  Memory memory;
  memory.tokens = sizeof(*this) + blob_.capacity() + offsets_.capacity() * sizeof(uint32_t) +
                  special_.capacity() / 8 + eos_ids_.capacity() * sizeof(TokenId);
  memory.trie = sizeof(TokenTrie) + trie_->memory_bytes();
  memory.content = content_->memory_bytes();
  memory.encoder = tokenizer_ != nullptr ? tokenizer_->memory_bytes() : 0;
  return memory;
}

}  // namespace espalier
