// Hugging Face tokenizer.json: byte-level BPE, SentencePiece-style BPE with byte fallback, Unigram.
//
// What the file says: model.vocab maps spellings to ids (Unigram: lists [spelling, score] in id
// order); model.merges are "a b" or ["a", "b"]; added_tokens come on top, special ones among them.
// A vocabulary is byte-level where a ByteLevel pre-tokenizer or decoder is named: spellings are
// then GPT-2's printable bytes, otherwise U+2581 is a space and, with byte fallback, <0xXX> is a
// byte.
//
// End of sequence, in this order: the options; eos_token_id of generation_config.json and eos_token
// of tokenizer_config.json, if these lie beside the file, together with added tokens that have a
// well-known name (</s>, <|endoftext|>, ...); a token of the model with such a name.
//
// Invariants: an id is given once, except that an added token may repeat the model's own entry.
// What the file asks of encode() and is not supported makes encode() fail by name; masks need
// none of it.
//
// Cost: one DOM parse and a few hash look-ups per token and merge.
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>

#include <cmath>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include "engine/tokenizers/bpe.h"
#include "engine/tokenizers/sentencepiece.h"
#include "engine/tokenizers/text_tokenizer.h"
#include "engine/vocabulary/huggingface_stages.h"
#include "engine/vocabulary/mapped_file.h"
#include "engine/vocabulary/vocabulary_builder.h"

namespace espalier {
namespace {

using Json = rapidjson::Value;
using OptionalTokenizer = Result<std::unique_ptr<const Tokenizer>>;

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

Status parse_json(const std::string& path, std::string_view bytes, rapidjson::Document& document) {
  const size_t skipped = bytes.starts_with(kUtf8Mark) ? kUtf8Mark.size() : 0;
  bytes.remove_prefix(skipped);
  rapidjson::MemoryStream stream(bytes.data(), bytes.size());
  document.ParseStream<rapidjson::kParseIterativeFlag>(stream);
  if (!document.HasParseError()) return Status();
  return Status(
      StatusCode::kParseError,
      std::string("The file is not JSON: ") + rapidjson::GetParseError_En(document.GetParseError()),
      path + ":" + std::to_string(skipped + document.GetErrorOffset()));
}

std::string_view text_of(const Json& json) { return {json.GetString(), json.GetStringLength()}; }

std::string pointer_token(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

enum class Model : uint8_t { kByteLevelBpe, kSentencePieceBpe, kUnigram };

class HuggingFaceLoader {
 public:
  HuggingFaceLoader(const Json& root, std::string path, const VocabularyOptions& options)
      : root_(root), path_(std::move(path)), options_(options), builder_(path_) {}

  LoadedVocabulary load() {
    Status status = read_model();
    if (status.ok()) status = read_added_tokens();
    if (status.ok()) status = add_model_tokens();
    if (status.ok()) status = add_added_tokens();
    if (status.ok()) status = add_eos();
    if (status.ok()) status = builder_.lay_out(options_.padded_width);
    if (!status.ok()) return status;
    OptionalTokenizer tokenizer = make_tokenizer();
    if (tokenizer) return builder_.finish(std::move(tokenizer).value());
    if (tokenizer.status().code() != StatusCode::kUnsupported) return tokenizer.status();
    return builder_.finish(std::make_unique<UnavailableTokenizer>(tokenizer.status()));
  }

 private:
  Status error(std::string_view pointer, std::string message) const {
    return Status(StatusCode::kParseError, std::move(message), builder_.place(pointer));
  }

  Status read_model() {
    model_json_ = json_member(root_, "model");
    if (model_json_ == nullptr) return error("/model", "The file has no model.");
    vocab_ = json_member(*model_json_, "vocab");
    if (vocab_ == nullptr) return error("/model/vocab", "The model has no vocabulary.");
    std::string type = json_string(*model_json_, "type");
    if (type.empty()) type = vocab_->IsArray() ? "Unigram" : "BPE";
    if (type == "Unigram") {
      model_ = Model::kUnigram;
    } else if (type == "BPE") {
      const bool byte_level = has_component(root_, "pre_tokenizer", "ByteLevel") ||
                              has_component(root_, "decoder", "ByteLevel");
      model_ = byte_level ? Model::kByteLevelBpe : Model::kSentencePieceBpe;
    } else {
      return Status(StatusCode::kUnsupported, "The model \"" + type + "\" is not supported.",
                    builder_.place("/model/type"));
    }
    const bool right_kind = model_ == Model::kUnigram ? vocab_->IsArray() : vocab_->IsObject();
    if (!right_kind) return error("/model/vocab", "The vocabulary is not of the model's kind.");
    byte_fallback_ = json_bool(*model_json_, "byte_fallback", false) ||
                     has_component(root_, "decoder", "ByteFallback");
    return Status();
  }

  Status read_id(const Json& json, const std::string& pointer, TokenId& id) const {
    if (!json.IsInt() || json.GetInt() < 0 || static_cast<size_t>(json.GetInt()) >= kMaxTokens) {
      return error(pointer, "The id is not a number of a possible token.");
    }
    id = json.GetInt();
    return Status();
  }

  Status read_added_tokens() {
    const Json* list = json_member(root_, "added_tokens");
    if (list == nullptr || list->IsNull()) return Status();
    if (!list->IsArray()) return error("/added_tokens", "This is not a list.");
    for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
      const Json& json = (*list)[i];
      const std::string pointer = "/added_tokens/" + std::to_string(i);
      const Json* id = json_member(json, "id");
      if (id == nullptr) return error(pointer, "The token has no id.");
      Added added;
      if (Status status = read_id(*id, pointer + "/id", added.token.id); !status.ok())
        return status;
      added.token.content = json_string(json, "content");
      if (added.token.content.empty()) return error(pointer + "/content", "The token has no text.");
      added.token.strip_left = json_bool(json, "lstrip", false);
      added.token.strip_right = json_bool(json, "rstrip", false);
      added.token.single_word = json_bool(json, "single_word", false);
      added.special = json_bool(json, "special", false);
      const auto [found, is_new] = added_by_id_.emplace(added.token.id, added_.size());
      if (!is_new && added_[found->second].token.content != added.token.content) {
        return error(pointer + "/id",
                     "The id " + std::to_string(added.token.id) + " is given to a second token.");
      }
      if (is_new) added_.push_back(std::move(added));
    }
    return Status();
  }

  std::string bytes_of(std::string_view spelling, TokenId id) const {
    if (added_by_id_.count(id) != 0) return std::string(spelling);
    if (model_ == Model::kByteLevelBpe) {
      return decode_byte_level(spelling).value_or(std::string(spelling));
    }
    if (byte_fallback_) {
      const int byte = byte_fallback_value(spelling);
      if (byte >= 0) return std::string(1, static_cast<char>(byte));
    }
    return decode_sentencepiece(spelling);
  }

  // The caller knows the place of an error.
  Status add_model_token(std::string_view spelling, TokenId id) {
    const auto added = added_by_id_.find(id);
    const bool taken =
        added != added_by_id_.end() && added_[added->second].token.content != spelling;
    if (taken || !builder_.add(id, bytes_of(spelling, id), false)) {
      return error("", "The id " + std::to_string(id) + " is given to a second token.");
    }
    if (!ids_.emplace(spelling, id).second) return error("", "The token occurs twice.");
    return Status();
  }

  Status add_model_tokens() {
    if (model_ == Model::kUnigram) return add_unigram_tokens();
    ids_.reserve(vocab_->MemberCount());
    for (const auto& member : vocab_->GetObject()) {
      const std::string_view spelling = text_of(member.name);
      TokenId id = -1;
      Status status = read_id(member.value, "", id);
      if (status.ok()) status = add_model_token(spelling, id);
      if (!status.ok()) {
        return error("/model/vocab/" + pointer_token(spelling), status.message());
      }
    }
    return Status();
  }

  Status add_unigram_tokens() {
    if (vocab_->Size() > kMaxTokens) return error("/model/vocab", "There are too many tokens.");
    for (rapidjson::SizeType i = 0; i < vocab_->Size(); ++i) {
      const Json& entry = (*vocab_)[i];
      const std::string pointer = "/model/vocab/" + std::to_string(i);
      if (!entry.IsArray() || entry.Size() != 2 || !entry[0].IsString() || !entry[1].IsNumber() ||
          !std::isfinite(entry[1].GetDouble())) {
        return error(pointer, "The entry is not a token and its score.");
      }
      Status status = add_model_token(text_of(entry[0]), static_cast<TokenId>(i));
      if (!status.ok()) return error(pointer, status.message());
    }
    return Status();
  }

  Status add_added_tokens() {
    for (size_t i = 0; i < added_.size(); ++i) {
      const Added& added = added_[i];
      if (!builder_.has(added.token.id)) {
        if (!builder_.add(added.token.id, added.token.content, added.special)) {
          return error("/added_tokens/" + std::to_string(i), "The token cannot be added.");
        }
      } else if (added.special) {
        builder_.mark_special(added.token.id);
      }
    }
    mark_unknown_token();
    return Status();
  }

  void mark_unknown_token() {
    const Json* unknown = json_member(*model_json_, "unk_token");
    if (unknown != nullptr && unknown->IsString()) {
      const auto found = ids_.find(text_of(*unknown));
      if (found != ids_.end()) builder_.mark_special(found->second);
    }
    const Json* unknown_id = json_member(*model_json_, "unk_id");
    if (unknown_id != nullptr && unknown_id->IsInt() && builder_.has(unknown_id->GetInt())) {
      builder_.mark_special(unknown_id->GetInt());
    }
  }

  Status add_eos() {
    if (Status status = builder_.apply(options_, false); !status.ok()) return status;
    if (builder_.has_eos()) return Status();
    if (Status status = add_generation_eos(); !status.ok()) return status;
    if (Status status = add_configured_eos(); !status.ok()) return status;
    builder_.mark_known_eos([this](TokenId id) { return added_by_id_.count(id) != 0; });
    if (!builder_.has_eos()) builder_.mark_known_eos([](TokenId) { return true; });
    return Status();
  }

  // Reads a JSON file beside the tokenizer; `found` tells whether there is one.
  Status read_sibling(const char* name, rapidjson::Document& document, std::string& path,
                      bool& found) const {
    path = (std::filesystem::path(path_).parent_path() / name).string();
    std::error_code ignored;
    found = std::filesystem::is_regular_file(path, ignored);
    if (!found) return Status();
    const Result<MappedFile> file = MappedFile::open(path);
    return file ? parse_json(path, file->bytes(), document) : file.status();
  }

  Status add_generation_eos() {
    rapidjson::Document document;
    std::string path;
    bool found = false;
    Status status = read_sibling("generation_config.json", document, path, found);
    if (!status.ok() || !found) return status;
    const Json* ids = json_member(document, "eos_token_id");
    if (ids == nullptr || ids->IsNull()) return Status();
    const rapidjson::SizeType count = ids->IsArray() ? ids->Size() : 1;
    for (rapidjson::SizeType i = 0; i < count; ++i) {
      const Json& id = ids->IsArray() ? (*ids)[i] : *ids;
      if (!id.IsInt() || !builder_.has(id.GetInt())) {
        return Status(StatusCode::kParseError, "The end-of-sequence id is not a token's.",
                      path + ":/eos_token_id");
      }
      builder_.mark_eos(id.GetInt());
    }
    return Status();
  }

  Status add_configured_eos() {
    rapidjson::Document document;
    std::string path;
    bool found = false;
    Status status = read_sibling("tokenizer_config.json", document, path, found);
    if (!status.ok() || !found) return status;
    const Json* token = json_member(document, "eos_token");
    if (token == nullptr || token->IsNull()) return Status();
    const std::string name =
        token->IsString() ? std::string(text_of(*token)) : json_string(*token, "content");
    for (const Added& added : added_) {
      if (added.token.content != name) continue;
      builder_.mark_eos(added.token.id);
      return Status();
    }
    if (const auto id = ids_.find(name); id != ids_.end()) {
      builder_.mark_eos(id->second);
      return Status();
    }
    return Status(StatusCode::kParseError,
                  "The end-of-sequence token \"" + name + "\" is not in the vocabulary.",
                  path + ":/eos_token");
  }

  OptionalTokenizer make_tokenizer() {
    for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!json_string(*model_json_, affix).empty()) {
        return Status(StatusCode::kUnsupported,
                      std::string(affix) + " is not supported, so text cannot be encoded.",
                      builder_.place(std::string("/model/") + affix));
      }
    }
    Result<HuggingFaceStages> read = read_huggingface_stages(root_);
    if (!read) {
      const Status& status = read.status();
      return Status(status.code(), status.message(), builder_.place(status.place()));
    }
    const bool whole_pieces = json_bool(*model_json_, "ignore_merges", false);
    if (!options_.pretokenizer.empty()) {
      PretokenizerPreset preset = resolve_pretokenizer(options_.pretokenizer);
      read->rules = std::move(preset.rules);
    }
    Result<Pretokenizer> pretokenizer = Pretokenizer::create(std::move(read->rules));
    if (!pretokenizer) {
      // A pattern that the file's own engine reads need not be one that Boost.Regex does.
      const StatusCode code =
          options_.pretokenizer.empty() ? StatusCode::kUnsupported : pretokenizer.status().code();
      return Status(code, pretokenizer.status().message(), builder_.place("/pre_tokenizer"));
    }
    TextTokenizer::Stages stages;
    stages.added = literal_tokens();
    stages.normalizer = std::move(read->normalizer);
    stages.pretokenizer = std::move(pretokenizer).value();
    if (model_ == Model::kUnigram) {
      stages.encoder = std::make_unique<SentencePieceUnigram>(make_pieces());
    } else {
      Result<MergeTable> merges = read_merges();
      if (!merges) return merges.status();
      if (model_ == Model::kByteLevelBpe) {
        stages.encoder =
            std::make_unique<MergedBpe>(builder_.pieces(), std::move(merges).value(), whole_pieces);
      } else {
        stages.encoder = std::make_unique<SentencePieceBpe>(
            make_pieces(), SentencePieceOrder::kMerges, std::move(merges).value(), whole_pieces);
      }
    }
    return std::unique_ptr<const Tokenizer>(std::make_unique<TextTokenizer>(std::move(stages)));
  }

  AddedTokens literal_tokens() const {
    std::vector<AddedToken> tokens;
    for (const Added& added : added_) {
      if (!builder_.vocabulary().is_special(added.token.id)) tokens.push_back(added.token);
    }
    return AddedTokens(std::move(tokens));
  }

  std::unique_ptr<const SentencePieces> make_pieces() const {
    std::vector<std::string_view> spellings(builder_.size());
    for (const auto& [spelling, id] : ids_) spellings[static_cast<size_t>(id)] = spelling;
    auto pieces = std::make_unique<SentencePieces>();
    for (size_t i = 0; i < spellings.size(); ++i) {
      const TokenId id = static_cast<TokenId>(i);
      const int byte = byte_fallback_ ? byte_fallback_value(spellings[i]) : -1;
      const bool usable = byte < 0 && !builder_.vocabulary().is_special(id);
      double score = 0;
      if (model_ == Model::kUnigram && i < vocab_->Size()) {
        score = (*vocab_)[static_cast<rapidjson::SizeType>(i)][1].GetDouble();
      }
      pieces->add(spellings[i], static_cast<float>(score), usable);
      if (byte >= 0) pieces->set_byte(static_cast<uint8_t>(byte), id);
    }
    pieces->seal();
    return pieces;
  }

  Result<MergeTable> read_merges() const {
    const Json* list = json_member(*model_json_, "merges");
    if (list == nullptr || !list->IsArray()) {
      return error("/model/merges", "The model has no list of merges.");
    }
    MergeTable merges(list->Size());
    std::string joined;
    for (rapidjson::SizeType rank = 0; rank < list->Size(); ++rank) {
      std::string_view left;
      std::string_view right;
      TokenId ids[3] = {-1, -1, -1};
      if (split_merge((*list)[rank], left, right)) {
        joined.assign(left).append(right);
        const std::string_view parts[3] = {left, right, joined};
        for (int i = 0; i < 3; ++i) {
          const auto found = ids_.find(parts[i]);
          if (found != ids_.end()) ids[i] = found->second;
        }
      }
      if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0) {
        return error("/model/merges/" + std::to_string(rank),
                     "The merge does not join two tokens into a third.");
      }
      merges.add(ids[0], ids[1], rank, ids[2]);
    }
    return merges;
  }

  static bool split_merge(const Json& merge, std::string_view& left, std::string_view& right) {
    if (merge.IsArray() && merge.Size() == 2 && merge[0].IsString() && merge[1].IsString()) {
      left = text_of(merge[0]);
      right = text_of(merge[1]);
      return true;
    }
    if (!merge.IsString()) return false;
    const std::string_view text = text_of(merge);
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      return false;
    }
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
  }

  struct Added {
    AddedToken token;
    bool special = false;
  };

  const Json& root_;
  const std::string path_;
  const VocabularyOptions& options_;
  VocabularyBuilder builder_;
  const Json* model_json_ = nullptr;
  const Json* vocab_ = nullptr;
  Model model_ = Model::kByteLevelBpe;
  bool byte_fallback_ = false;
  std::vector<Added> added_;
  std::unordered_map<TokenId, size_t> added_by_id_;
  std::unordered_map<std::string_view, TokenId> ids_;
};

}  // namespace

LoadedVocabulary load_huggingface(const std::string& path, std::string_view bytes,
                                  const VocabularyOptions& options) {
  rapidjson::Document document;
  if (Status status = parse_json(path, bytes, document); !status.ok()) return status;
  return HuggingFaceLoader(document, path, options).load();
}

}  // namespace espalier
