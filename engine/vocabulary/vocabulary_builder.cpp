#include "engine/vocabulary/vocabulary_builder.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/tokenizers/bpe.h"
#include "engine/tokenizers/text_tokenizer.h"
#include "engine/tokens/content_index.h"
#include "engine/tokens/token_trie.h"

namespace espalier {
namespace {

constexpr std::string_view kKnownEosNames[] = {
    "</s>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<eos>",
    "<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_turn|>",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
};

uint64_t next_uid() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

}  // namespace

VocabularyBuilder::VocabularyBuilder(std::string place) : place_(std::move(place)) {}
VocabularyBuilder::~VocabularyBuilder() = default;

std::string VocabularyBuilder::place(std::string_view where) const {
  return place_.empty() ? std::string(where) : place_ + ":" + std::string(where);
}

bool VocabularyBuilder::has(TokenId id) const {
  return id >= 0 && static_cast<size_t>(id) < tokens_.size() &&
         tokens_[static_cast<size_t>(id)].used;
}

bool VocabularyBuilder::add(TokenId id, std::string_view bytes, bool special) {
  if (id < 0 || static_cast<size_t>(id) >= kMaxTokens || has(id)) return false;
  if (blob_.size() + bytes.size() > UINT32_MAX) return false;
  const auto index = static_cast<size_t>(id);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = {static_cast<uint32_t>(blob_.size()), static_cast<uint32_t>(bytes.size()), true,
                    special};
  blob_.append(bytes);
  return true;
}

std::string_view VocabularyBuilder::bytes(TokenId id) const {
  const Token& token = tokens_[static_cast<size_t>(id)];
  return std::string_view(blob_).substr(token.begin, token.length);
}

void VocabularyBuilder::mark_special(TokenId id) {
  tokens_[static_cast<size_t>(id)].special = true;
}

void VocabularyBuilder::mark_eos(TokenId id) {
  mark_special(id);
  if (std::find(eos_ids_.begin(), eos_ids_.end(), id) == eos_ids_.end()) eos_ids_.push_back(id);
}

Status VocabularyBuilder::apply(const VocabularyOptions& options, bool may_extend) {
  for (const auto& [name, id] : options.special_tokens) {
    if (has(id) && bytes(id) == name) {
      mark_special(id);
    } else if (has(id)) {
      return Status(StatusCode::kInvalidArgument,
                    "The special token \"" + name + "\" has the id of another token.",
                    "special_tokens:" + std::to_string(id));
    } else if (!add(id, name, true)) {
      return Status(StatusCode::kInvalidArgument,
                    "The special token \"" + name + "\" has an id out of range.",
                    "special_tokens:" + std::to_string(id));
    }
  }
  for (const TokenId id : options.eos_ids) {
    const bool known = has(id) || (id >= 0 && static_cast<size_t>(id) < tokens_.size());
    if (!known && !(may_extend && add(id, "", true))) {
      return Status(StatusCode::kInvalidArgument,
                    "The end-of-sequence id is not one of the vocabulary's " +
                        std::to_string(tokens_.size()) + " ids.",
                    "eos_ids:" + std::to_string(id));
    }
    mark_eos(id);
  }
  return Status();
}

void VocabularyBuilder::mark_known_eos(const std::function<bool(TokenId)>& may_end) {
  // Llama 3.1 turned a reserved token into <|eom_id|>; files made for 3.0 still have the old name.
  const auto is_llama3_eom = [this](TokenId id) {
    return bytes(id) == "<|reserved_special_token_4|>" && has(id + 1) &&
           bytes(id + 1) == "<|eot_id|>";
  };
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const TokenId id = static_cast<TokenId>(i);
    if (has(id) && may_end(id) && (is_known_eos_name(bytes(id)) || is_llama3_eom(id))) mark_eos(id);
  }
}

Status VocabularyBuilder::lay_out(size_t padded_width) {
  if (eos_ids_.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "The vocabulary has no end-of-sequence token; name one by its id.", place_);
  }
  if (padded_width != 0 && (padded_width < tokens_.size() || padded_width > kMaxWidth)) {
    return Status(StatusCode::kInvalidArgument,
                  "The padded width is less than the number of ids (" +
                      std::to_string(tokens_.size()) + ") or more than " +
                      std::to_string(kMaxWidth) + ".",
                  "padded_width");
  }
  vocabulary_ = std::shared_ptr<Vocabulary>(new Vocabulary());
  Vocabulary& out = *vocabulary_;
  out.uid_ = next_uid();
  out.width_ = std::max(padded_width, tokens_.size());
  out.eos_ids_ = eos_ids_;
  out.offsets_.reserve(tokens_.size() + 1);
  out.offsets_.push_back(0);
  out.special_.resize(tokens_.size());
  out.blob_.reserve(blob_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view spelling = bytes(static_cast<TokenId>(i));
    out.blob_.append(spelling);
    out.offsets_.push_back(static_cast<uint32_t>(out.blob_.size()));
    out.special_[i] = tokens_[i].special || spelling.empty();
    if (!out.special_[i]) out.longest_ = std::max(out.longest_, spelling.size());
  }
  // Beside the trie and the encoder, which need as long.
  content_ = std::async(std::launch::async, [&out] {
    return std::shared_ptr<const ContentIndex>(std::make_shared<const ContentIndex>(out));
  });
  std::vector<std::pair<std::string_view, int32_t>> entries;
  entries.reserve(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const TokenId id = static_cast<TokenId>(i);
    if (!out.special_[i]) entries.emplace_back(out.bytes(id), id);
  }
  out.trie_ = std::make_unique<const TokenTrie>(std::move(entries));
  return Status();
}

PieceTable VocabularyBuilder::pieces() const {
  return PieceTable(vocabulary_->blob_, vocabulary_->offsets_, vocabulary_->special_);
}

std::shared_ptr<const Vocabulary> VocabularyBuilder::finish(
    std::unique_ptr<const Tokenizer> tokenizer) {
  vocabulary_->content_ = content_.get();
  vocabulary_->tokenizer_ = std::move(tokenizer);
  return std::move(vocabulary_);
}

bool is_known_eos_name(std::string_view name) {
  return std::find(std::begin(kKnownEosNames), std::end(kKnownEosNames), name) !=
         std::end(kKnownEosNames);
}

PretokenizerPreset resolve_pretokenizer(std::string_view name_or_pattern) {
  if (name_or_pattern.empty()) return {};
  if (std::optional<PretokenizerPreset> preset = pretokenizer_preset(name_or_pattern)) {
    return *std::move(preset);
  }
  PretokenizerPreset pattern;
  pattern.rules.push_back({std::string(name_or_pattern)});
  return pattern;
}

Result<std::unique_ptr<const Tokenizer>> make_ranked_tokenizer(const VocabularyBuilder& builder,
                                                               std::string_view pretokenizer) {
  Result<Pretokenizer> splitter = Pretokenizer::create(resolve_pretokenizer(pretokenizer).rules);
  if (!splitter) return splitter.status();
  TextTokenizer::Stages stages;
  stages.pretokenizer = std::move(splitter).value();
  stages.encoder = std::make_unique<RankedBpe>(builder.pieces());
  return std::unique_ptr<const Tokenizer>(std::make_unique<TextTokenizer>(std::move(stages)));
}

}  // namespace espalier
