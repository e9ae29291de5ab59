// GGUF vocabularies: byte-level BPE ("gpt2"), SentencePiece BPE ("llama") and Unigram ("t5").
//
// What the metadata says: tokenizer.ggml.tokens are the spellings in id order; .token_type is 1
// normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; .merges ("a b") belong to
// byte-level BPE, .scores to SentencePiece; .pre names the pre-tokenization; .eos_token_id,
// .eot_token_id and .eom_token_id end a sequence, as do control tokens with a well-known name
// (<|eot_id|>, ...).
//
// Invariants: control, unknown and unused tokens are special, and so is converters' padding, "[PAD"
// id "]". User-defined tokens are ordinary text: they may be generated, and encode() cuts them out
// first.
#include <cmath>
#include <utility>

#include "engine/tokenizers/bpe.h"
#include "engine/tokenizers/sentencepiece.h"
#include "engine/tokenizers/text_tokenizer.h"
#include "engine/vocabulary/gguf_reader.h"
#include "engine/vocabulary/vocabulary_builder.h"

namespace espalier {
namespace {

constexpr std::string_view kModelKey = "tokenizer.ggml.model";
constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
constexpr std::string_view kMergesKey = "tokenizer.ggml.merges";
constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";
constexpr std::string_view kPreKey = "tokenizer.ggml.pre";
constexpr std::string_view kSpacePrefixKey = "tokenizer.ggml.add_space_prefix";
constexpr std::string_view kCharsmapKey = "tokenizer.ggml.precompiled_charsmap";
constexpr std::string_view kEosKeys[] = {
    "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};

enum TokenType : int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

enum class Model : uint8_t { kByteLevelBpe, kSentencePieceBpe, kUnigram };

using OptionalTokenizer = Result<std::unique_ptr<const Tokenizer>>;

class GgufLoader {
 public:
  GgufLoader(const GgufReader& reader, const std::string& path, const VocabularyOptions& options)
      : reader_(reader), options_(options), builder_(path) {}

  LoadedVocabulary load() {
    Status status = read_model();
    if (status.ok()) status = read_tokens();
    if (status.ok()) status = add_tokens();
    if (status.ok()) status = add_eos();
    if (status.ok()) status = builder_.lay_out(options_.padded_width);
    if (!status.ok()) return status;
    OptionalTokenizer tokenizer =
        model_ == Model::kByteLevelBpe ? byte_level_tokenizer() : sentencepiece_tokenizer();
    if (tokenizer) return builder_.finish(std::move(tokenizer).value());
    if (tokenizer.status().code() != StatusCode::kUnsupported) return tokenizer.status();
    return builder_.finish(std::make_unique<UnavailableTokenizer>(tokenizer.status()));
  }

 private:
  Status read_model() {
    const std::optional<std::string_view> name = reader_.string(kModelKey);
    if (!name) return reader_.error(kModelKey, "The file has no vocabulary.");
    if (*name == "gpt2") {
      model_ = Model::kByteLevelBpe;
    } else if (*name == "llama") {
      model_ = Model::kSentencePieceBpe;
    } else if (*name == "t5") {
      model_ = Model::kUnigram;
    } else {
      return Status(StatusCode::kUnsupported,
                    "The tokenizer model \"" + std::string(*name) + "\" is not supported.",
                    reader_.place(reader_.find(kModelKey)->offset));
    }
    return Status();
  }

  Status read_tokens() {
    Result<std::vector<std::string_view>> spellings = reader_.strings(kTokensKey);
    if (!spellings) return spellings.status();
    spellings_ = std::move(spellings).value();
    if (spellings_.empty() || spellings_.size() > kMaxTokens) {
      return reader_.error(kTokensKey, "The number of tokens is not one that a model can have.");
    }
    types_.assign(spellings_.size(), kNormal);
    if (reader_.find(kTypesKey) == nullptr) return Status();
    Result<std::vector<int64_t>> types = reader_.integers(kTypesKey);
    if (!types) return types.status();
    if (types->size() != spellings_.size()) {
      return reader_.error(kTypesKey, "There are not as many types as tokens.");
    }
    types_ = std::move(types).value();
    return Status();
  }

  bool is_padding(size_t id) const {
    return spellings_[id].starts_with("[PAD") &&
           spellings_[id] == "[PAD" + std::to_string(id) + "]";
  }

  bool is_special(size_t id) const {
    return types_[id] == kControl || types_[id] == kUnknown || types_[id] == kUnused ||
           is_padding(id);
  }

  int byte_value(size_t id) const {
    return model_ != Model::kByteLevelBpe && types_[id] == kByte
               ? byte_fallback_value(spellings_[id])
               : -1;
  }

  std::string bytes_of(size_t id) const {
    const std::string_view spelling = spellings_[id];
    if (is_special(id) || types_[id] == kUserDefined) return std::string(spelling);
    if (model_ == Model::kByteLevelBpe) {
      return decode_byte_level(spelling).value_or(std::string(spelling));
    }
    if (const int byte = byte_value(id); byte >= 0) return std::string(1, static_cast<char>(byte));
    return decode_sentencepiece(spelling);
  }

  Status add_tokens() {
    for (size_t id = 0; id < spellings_.size(); ++id) {
      const std::string bytes = bytes_of(id);
      if (!builder_.add(static_cast<TokenId>(id), bytes, is_special(id))) {
        return reader_.error(kTokensKey, "The tokens' text is too long.");
      }
    }
    return Status();
  }

  Status add_eos() {
    if (Status status = builder_.apply(options_, false); !status.ok()) return status;
    if (builder_.has_eos()) return Status();
    for (const std::string_view key : kEosKeys) {
      const std::optional<int64_t> id = reader_.integer(key);
      if (!id) continue;
      if (*id < 0 || static_cast<uint64_t>(*id) >= spellings_.size()) {
        return reader_.error(key, "The id " + std::to_string(*id) + " is not a token's.");
      }
      builder_.mark_eos(static_cast<TokenId>(*id));
    }
    builder_.mark_known_eos([this](TokenId id) {
      return builder_.is_special(id) || types_[static_cast<size_t>(id)] == kUserDefined;
    });
    if (!builder_.has_eos()) builder_.mark_known_eos([](TokenId) { return true; });
    return Status();
  }

  AddedTokens user_defined() const {
    std::vector<AddedToken> tokens;
    for (size_t i = 0; i < spellings_.size(); ++i) {
      const TokenId id = static_cast<TokenId>(i);
      if (types_[i] != kUserDefined || builder_.vocabulary().is_special(id)) continue;
      AddedToken token;
      token.content = spellings_[i];
      token.id = id;
      tokens.push_back(std::move(token));
    }
    return AddedTokens(std::move(tokens));
  }

  OptionalTokenizer byte_level_tokenizer() const {
    const std::string pre(reader_.string(kPreKey).value_or("gpt2"));
    if (options_.pretokenizer.empty() && !pretokenizer_preset(pre)) {
      return Status(StatusCode::kUnsupported,
                    "The pre-tokenization \"" + pre + "\" is unknown; name one by an option.",
                    reader_.place(reader_.find(kPreKey)->offset));
    }
    PretokenizerPreset preset =
        resolve_pretokenizer(options_.pretokenizer.empty() ? pre : options_.pretokenizer);
    Result<Pretokenizer> pretokenizer = Pretokenizer::create(std::move(preset.rules));
    if (!pretokenizer) return pretokenizer.status();
    if (reader_.find(kMergesKey) == nullptr) {
      return Status(StatusCode::kUnsupported, "The file has no merges, so text cannot be encoded.",
                    builder_.place(kMergesKey));
    }
    Result<MergeTable> merges = read_merges();
    if (!merges) return merges.status();
    TextTokenizer::Stages stages;
    stages.added = user_defined();
    stages.pretokenizer = std::move(pretokenizer).value();
    stages.encoder = std::make_unique<MergedBpe>(builder_.pieces(), std::move(merges).value(),
                                                 preset.whole_pieces);
    return std::unique_ptr<const Tokenizer>(std::make_unique<TextTokenizer>(std::move(stages)));
  }

  Result<MergeTable> read_merges() const {
    Result<std::vector<std::string_view>> lines = reader_.strings(kMergesKey);
    if (!lines) return lines.status();
    std::string blob;
    std::vector<uint32_t> offsets{0};
    for (const std::string_view spelling : spellings_) {
      blob.append(spelling);
      offsets.push_back(static_cast<uint32_t>(blob.size()));
    }
    const PieceTable ids(blob, offsets, std::vector<bool>(spellings_.size()));
    MergeTable merges(lines->size());
    std::string joined;
    for (size_t rank = 0; rank < lines->size(); ++rank) {
      const std::string_view line = (*lines)[rank];
      const size_t space = line.find(' ', 1);
      TokenId left = -1;
      TokenId right = -1;
      TokenId merged = -1;
      if (space != std::string_view::npos) {
        const std::string_view left_text = line.substr(0, space);
        const std::string_view right_text = line.substr(space + 1);
        left = ids.find(left_text);
        right = ids.find(right_text);
        merged = ids.find(joined.assign(left_text).append(right_text));
      }
      if (left < 0 || right < 0 || merged < 0) {
        return Status(StatusCode::kParseError,
                      "The merge \"" + std::string(line) + "\" (number " + std::to_string(rank) +
                          ") does not join two tokens into a third.",
                      reader_.place(static_cast<size_t>(line.data() - reader_.bytes().data())));
      }
      merges.add(left, right, static_cast<uint32_t>(rank), merged);
    }
    return merges;
  }

  OptionalTokenizer sentencepiece_tokenizer() const {
    if (reader_.find(kCharsmapKey) != nullptr) {
      return Status(
          StatusCode::kUnsupported,
          "The vocabulary normalizes text by a precompiled table, which is not supported.",
          builder_.place(kCharsmapKey));
    }
    Result<std::vector<float>> scores = reader_.floats(kScoresKey);
    if (!scores) return scores.status();
    if (scores->size() != spellings_.size()) {
      return reader_.error(kScoresKey, "There are not as many scores as tokens.");
    }
    auto pieces = std::make_unique<SentencePieces>();
    for (size_t id = 0; id < spellings_.size(); ++id) {
      if (!std::isfinite((*scores)[id])) {
        return reader_.error(kScoresKey,
                             "The score of token " + std::to_string(id) + " is not a number.");
      }
      const int byte = byte_value(id);
      const bool special = builder_.vocabulary().is_special(static_cast<TokenId>(id));
      pieces->add(spellings_[id], (*scores)[id], byte < 0 && !special);
      if (byte >= 0) pieces->set_byte(static_cast<uint8_t>(byte), static_cast<TokenId>(id));
    }
    pieces->seal();
    TextTokenizer::Stages stages;
    stages.added = user_defined();
    using Kind = NormalizerStep::Kind;
    if (reader_.boolean(kSpacePrefixKey).value_or(true)) {
      stages.normalizer.push_back({Kind::kPrepend, "", " "});
    }
    stages.normalizer.push_back({Kind::kReplace, " ", std::string(kSentencePieceSpace)});
    if (model_ == Model::kUnigram) {
      stages.encoder = std::make_unique<SentencePieceUnigram>(std::move(pieces));
    } else {
      stages.encoder =
          std::make_unique<SentencePieceBpe>(std::move(pieces), SentencePieceOrder::kScores);
    }
    return std::unique_ptr<const Tokenizer>(std::make_unique<TextTokenizer>(std::move(stages)));
  }

  const GgufReader& reader_;
  const VocabularyOptions& options_;
  VocabularyBuilder builder_;
  Model model_ = Model::kByteLevelBpe;
  std::vector<std::string_view> spellings_;
  std::vector<int64_t> types_;
};

}  // namespace

LoadedVocabulary load_gguf(const std::string& path, std::string_view bytes,
                           const VocabularyOptions& options) {
  Result<GgufReader> reader = GgufReader::open(path, bytes);
  if (!reader) return reader.status();
  return GgufLoader(*reader, path, options).load();
}

}  // namespace espalier
