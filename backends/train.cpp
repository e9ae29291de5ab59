// From a folder of documents to a model file: read, learn or load a vocabulary, encode, count,
// prune, write. Nothing depends on addresses, time, or the order in which a folder lists its files.

#include "backends/train.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <utility>

#include "backends/bpe_trainer.h"
#include "backends/models.h"
#include "backends/ngram_file.h"
#include "backends/ngram_trainer.h"
#include "engine/tokenizers/pretokenizer.h"

namespace espalier {
namespace {

constexpr std::string_view kOwnPretokenizer = "llama3";
constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::array<std::string_view, 5> kKnownPretokenizers = {"llama3", "cl100k", "gpt2",
                                                                 "o200k", "qwen2"};
constexpr size_t kLeastVocabulary = 257;
constexpr size_t kMaxTextTokens = 1u << 30;

using Documents = std::vector<std::vector<TokenId>>;

Status check(const TrainOptions& options) {
  const auto invalid = [](std::string message, const char* place) {
    return Status(StatusCode::kInvalidArgument, std::move(message), place);
  };
  if (options.order < 1 || options.order > kMaxNgramOrder) {
    return invalid(fmt::format("the order is within 1 and {}", kMaxNgramOrder), "order");
  }
  if (options.vocabulary.empty() && options.vocabulary_size < kLeastVocabulary) {
    return invalid(fmt::format("a vocabulary has at least {} tokens", kLeastVocabulary),
                   "vocabulary-size");
  }
  if (options.output.empty()) return invalid("no output file is given", "output");
  return {};
}

/// A byte-level BPE vocabulary learned from the documents; end of sequence comes last.
Result<NgramVocabulary> learn_vocabulary(const std::vector<CorpusFile>& files, size_t size) {
  auto splitter = Pretokenizer::create(pretokenizer_preset(kOwnPretokenizer)->rules);
  if (!splitter.ok()) return splitter.status();
  BpeTrainer trainer;
  std::vector<std::string_view> pieces;
  for (const CorpusFile& file : files) {
    for (const std::string& document : file.documents) {
      pieces.clear();
      if (Status status = splitter->split(document, pieces); !status.ok()) return status;
      for (const std::string_view piece : pieces) trainer.add_word(piece);
    }
  }
  NgramVocabulary vocabulary;
  vocabulary.tokens = trainer.train(size - 1);
  vocabulary.eos_ids = {static_cast<TokenId>(vocabulary.tokens.size())};
  vocabulary.tokens.emplace_back(kEndOfText);
  vocabulary.pretokenizer = kOwnPretokenizer;
  return vocabulary;
}

Result<Documents> encode_all(const Vocabulary& vocabulary, const std::vector<CorpusFile>& files) {
  Documents documents;
  for (const CorpusFile& file : files) {
    for (const std::string& text : file.documents) {
      auto ids = vocabulary.encode(text);
      if (!ids.ok()) {
        return Status(ids.status().code(), ids.status().message(),
                      file.path + ":" + ids.status().place());
      }
      documents.push_back(std::move(ids).value());
    }
  }
  return documents;
}

/// What the file should say about a given vocabulary. Its encoder is kept where a known
/// pre-tokenizer over tokens by rank encodes the whole corpus alike. Elsewhere (SentencePiece) the
/// model counts what the given vocabulary's encoder yields, and the copy in the file encodes by
/// longest match.
NgramVocabulary describe_vocabulary(const Vocabulary& vocabulary,
                                    const std::vector<CorpusFile>& files,
                                    const Documents& documents) {
  NgramVocabulary description;
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary.size()); ++id) {
    description.tokens.emplace_back(vocabulary.bytes(id));
    if (vocabulary.is_special(id) && !vocabulary.is_eos(id)) description.special.push_back(id);
  }
  description.eos_ids.assign(vocabulary.eos_ids().begin(), vocabulary.eos_ids().end());
  description.padded_width = vocabulary.width();
  for (const std::string_view name : kKnownPretokenizers) {
    description.pretokenizer = name;
    const auto candidate = description.make();
    if (!candidate.ok()) continue;
    const auto encoded = encode_all(**candidate, files);
    if (encoded.ok() && *encoded == documents) return description;
  }
  description.pretokenizer.clear();
  return description;
}

Status write_file(const std::string& path, std::string_view bytes) {
  namespace fs = std::filesystem;
  const std::string partial = path + ".partial";
  std::error_code error;
  {
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) {
      fs::remove(partial, error);
      return {StatusCode::kIoError, "cannot write the file", path};
    }
  }
  fs::rename(partial, path, error);
  if (!error) return {};
  const std::string reason = error.message();
  fs::remove(partial, error);
  return {StatusCode::kIoError, "cannot write the file: " + reason, path};
}

std::vector<size_t> ngrams_by_order(const NgramTrie& trie) {
  std::vector<size_t> numbers(trie.order, 0);
  std::vector<uint8_t> length(trie.size(), 0);
  for (size_t node = 0; node < trie.size(); ++node) {
    for (size_t c = trie.first_child[node]; c < trie.first_child[node + 1]; ++c) {
      length[c] = static_cast<uint8_t>(length[node] + 1);
    }
    numbers[length[node]] += trie.entry_tokens(node).size();
  }
  return numbers;
}

}  // namespace

double Evaluation::perplexity() const {
  return tokens == 0 ? 1 : std::exp2(bits / static_cast<double>(tokens));
}

double Evaluation::bits_per_byte() const {
  return bytes == 0 ? 0 : bits / static_cast<double>(bytes);
}

Status train_ngram(const TrainOptions& options, const TrainProgress& progress,
                   TrainReport* report) {
  const auto say = [&](const std::string& line) {
    if (progress) progress(line);
  };
  if (Status status = check(options); !status.ok()) return status;
  const auto files = read_corpus(options.data_dir, options.half);
  if (!files.ok()) return files.status();
  TrainReport result;
  result.files = files->size();
  for (const CorpusFile& file : *files) {
    result.documents += file.documents.size();
    for (const std::string& document : file.documents) result.text_bytes += document.size();
  }
  if (result.documents == 0) {
    return {StatusCode::kInvalidArgument, "there is no document to train on", options.data_dir};
  }
  say(fmt::format("read {} documents of {} files, {} bytes", result.documents, result.files,
                  result.text_bytes));

  std::shared_ptr<const Vocabulary> vocabulary;
  NgramVocabulary description;
  if (options.vocabulary.empty()) {
    auto learned = learn_vocabulary(*files, options.vocabulary_size);
    if (!learned.ok()) return learned.status();
    description = std::move(learned).value();
    auto made = description.make();
    if (!made.ok()) return made.status();
    vocabulary = std::move(made).value();
    say(fmt::format("learned a vocabulary of {} tokens", vocabulary->size()));
  } else {
    auto loaded = open_vocabulary(options.vocabulary, options.vocabulary_options);
    if (!loaded.ok()) return loaded.status();
    vocabulary = std::move(loaded).value();
    if (vocabulary->eos_ids().empty()) {
      return {StatusCode::kInvalidArgument, "the vocabulary has no end-of-sequence token",
              options.vocabulary};
    }
    say(fmt::format("loaded a vocabulary of {} tokens", vocabulary->size()));
  }

  const auto documents = encode_all(*vocabulary, *files);
  if (!documents.ok()) return documents.status();
  for (const auto& document : *documents) result.tokens += document.size() + 1;
  if (result.tokens > kMaxTextTokens) {
    return {StatusCode::kBudgetExceeded,
            fmt::format("the corpus has more than {} tokens", kMaxTextTokens), options.data_dir};
  }
  if (!options.vocabulary.empty()) {
    description = describe_vocabulary(*vocabulary, *files, *documents);
    say(description.pretokenizer.empty()
            ? "the model file cannot hold this encoder: on its own it splits by longest match"
            : fmt::format("the model file holds the encoder as byte-level BPE, {} pieces",
                          description.pretokenizer));
  }
  say(fmt::format("encoded {} tokens", result.tokens));

  size_t usable = 0;
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary->size()); ++id) {
    usable += !vocabulary->is_special(id) || vocabulary->is_eos(id);
  }
  const NgramTrainer trainer(*documents, description.eos_ids.front(), usable, options.order);
  result.ngrams_counted = ngrams_by_order(trainer.full());
  say(fmt::format("counted {} n-grams", trainer.full().entry_token.size()));
  const NgramTrie trie = trainer.pruned_to(description, options.max_bytes);
  result.ngrams_kept = ngrams_by_order(trie);
  const std::string bytes = encode_ngram_file(description, trie);
  result.file_bytes = bytes.size();
  if (bytes.size() > options.max_bytes) {
    return {StatusCode::kBudgetExceeded,
            fmt::format("the vocabulary and single tokens alone take {} bytes, more than {}",
                        bytes.size(), options.max_bytes),
            "max-bytes"};
  }
  say(fmt::format("kept {} n-grams in {} bytes", trie.entry_token.size(), bytes.size()));
  if (report != nullptr) *report = std::move(result);
  return write_file(options.output, bytes);
}

Result<Evaluation> evaluate_model(LanguageModel& model, const std::string& data_dir,
                                  CorpusHalf half, const Vocabulary* encoder) {
  const auto files = read_corpus(data_dir, half);
  if (!files.ok()) return files.status();
  const auto vocabulary = model.vocabulary();
  if (encoder == nullptr) encoder = vocabulary.get();
  if (vocabulary->eos_ids().empty()) {
    return Status(StatusCode::kInvalidArgument, "the model has no end-of-sequence token",
                  model.name());
  }
  std::vector<float> row(model.width());
  Evaluation evaluation;
  for (const CorpusFile& file : *files) {
    for (const std::string& text : file.documents) {
      auto ids = encoder->encode(text);
      if (!ids.ok()) return ids.status();
      ids->push_back(vocabulary->eos_ids().front());
      const auto sequence = model.open({});
      if (!sequence.ok()) return sequence.status();
      for (const TokenId id : *ids) {
        Status status = model.next_log_probs(std::span(&*sequence, 1), row);
        if (status.ok()) status = model.extend(*sequence, std::span(&id, 1));
        if (!status.ok()) return status;
        evaluation.bits -= static_cast<double>(row[id]) / std::log(2.0);
      }
      model.release(*sequence);
      ++evaluation.documents;
      evaluation.bytes += text.size();
      evaluation.tokens += ids->size();
    }
  }
  return evaluation;
}

}  // namespace espalier
