#include "backends/train.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "espalier/models.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier train --data maskbench/ --output model.esp
  espalier train --data maskbench/ --output llama3.esp --vocabulary llama3.gguf --max-bytes 20000000
  espalier train --data maskbench/ --evaluate builtin

Trains an n-gram model on the valid instances of the MaskBench files below a folder, by default on one
half of them, by a hash of the file name. The vocabulary is learned from the same text, or given.
Equal inputs give equal files. --evaluate scores a model on the held-out half instead (--vocabulary then
encodes the text, where the model's own vocabulary carries no merges).)";

struct TrainFlags {
  TrainOptions train;
  VocabularyFlags vocabulary;
  std::string half;
  std::string evaluate;
  bool json = false;
};

CorpusHalf half_named(const std::string& name) {
  return name == "all"        ? CorpusHalf::kAll
         : name == "held-out" ? CorpusHalf::kHeldOut
                              : CorpusHalf::kTrain;
}

std::string as_json(const TrainReport& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  const auto number = [&](const char* key, size_t value) {
    writer.Key(key);
    writer.Uint64(value);
  };
  const auto list = [&](const char* key, const std::vector<size_t>& values) {
    writer.Key(key);
    writer.StartArray();
    for (const size_t value : values) writer.Uint64(value);
    writer.EndArray();
  };
  writer.StartObject();
  number("files", report.files);
  number("documents", report.documents);
  number("text_bytes", report.text_bytes);
  number("tokens", report.tokens);
  number("file_bytes", report.file_bytes);
  list("ngrams_counted", report.ngrams_counted);
  list("ngrams_kept", report.ngrams_kept);
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

std::string as_json(const Evaluation& evaluation) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("documents");
  writer.Uint64(evaluation.documents);
  writer.Key("bytes");
  writer.Uint64(evaluation.bytes);
  writer.Key("tokens");
  writer.Uint64(evaluation.tokens);
  writer.Key("perplexity");
  writer.Double(evaluation.perplexity());
  writer.Key("bits_per_byte");
  writer.Double(evaluation.bits_per_byte());
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

int evaluate(const TrainFlags& flags) {
  Result<std::unique_ptr<LanguageModel>> model = open_model(flags.evaluate);
  if (!model) return fail(model.status());
  std::shared_ptr<const Vocabulary> encoder;
  if (!flags.vocabulary.file.empty()) {
    Result<std::shared_ptr<const Vocabulary>> vocabulary = flags.vocabulary.load();
    if (!vocabulary) return fail(vocabulary.status());
    encoder = vocabulary.value();
  }
  const CorpusHalf half = half_named(flags.half.empty() ? "held-out" : flags.half);
  Result<Evaluation> evaluation =
      evaluate_model(*model.value(), flags.train.data_dir, half, encoder.get());
  if (!evaluation) return fail(evaluation.status());
  const std::string text = flags.json
                               ? as_json(evaluation.value())
                               : fmt::format(
                                     "documents      {}\nbytes          {}\ntokens         {}\n"
                                     "perplexity     {:.3f} per token\nbits per byte  {:.4f}\n",
                                     evaluation->documents, evaluation->bytes, evaluation->tokens,
                                     evaluation->perplexity(), evaluation->bits_per_byte());
  const Status status = print(text);
  return status.ok() ? kExitOk : fail(status);
}

int train(const TrainFlags& flags) {
  TrainOptions options = flags.train;
  options.vocabulary = flags.vocabulary.file;
  options.half = half_named(flags.half);
  Result<VocabularyOptions> how = flags.vocabulary.options();
  if (!how) return fail(how.status());
  options.vocabulary_options = how.value();

  const bool terminal = isatty(STDERR_FILENO) != 0;
  TrainReport report;
  const Status trained = train_ngram(
      options,
      [&](std::string_view line) {
        if (terminal) note(line);
      },
      &report);
  if (!trained.ok()) return fail(trained);
  const std::string text =
      flags.json
          ? as_json(report)
          : fmt::format("{}: {} bytes, from {} documents of {} files ({} tokens)\n", options.output,
                        report.file_bytes, report.documents, report.files, report.tokens);
  const Status status = print(text);
  return status.ok() ? kExitOk : fail(status);
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* command =
      program.add_subcommand("train", "Train an n-gram model on the instances of MaskBench files");
  command->footer(kExamples);
  command->add_option("--data", flags->train.data_dir, "folder of MaskBench files")
      ->type_name("DIR")
      ->required();
  command->add_option("--output", flags->train.output, "the model file to write")
      ->type_name("FILE");
  command->add_option("--vocabulary-size", flags->train.vocabulary_size, "of a learned vocabulary")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--order", flags->train.order, "longest n-gram")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--max-bytes", flags->train.max_bytes, "the file is pruned to fit")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--half", flags->half, "which files: train, held-out or all")
      ->check(CLI::IsMember({"train", "held-out", "all"}));
  command->add_option("--evaluate", flags->evaluate, "score this model instead of training one")
      ->type_name("NAME|FILE");
  flags->vocabulary.add_to(*command, "train over this vocabulary (default: learn one)");
  command->add_flag("--json", flags->json, "print one JSON object");
  command->callback([=, &action] {
    if (flags->evaluate.empty() && flags->train.output.empty()) {
      throw CLI::RequiredError("--output");
    }
    action = [flags] { return flags->evaluate.empty() ? train(*flags) : evaluate(*flags); };
  });
}

}  // namespace espalier::cli
