#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "espalier/models.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/constraint.h"
#include "jsonschemabench/cli/sampling.h"
#include "jsonschemabench/cli/schema_files.h"
#include "jsonschemabench/worker_pool.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier generate --schema person.schema.json
  espalier generate --schema person.schema.json --seed 7 --temperature 0.8 --json
  espalier generate --schema person.schema.json --uniform --vocabulary llama3.gguf
  espalier generate --schema person.schema.json --model table:tiny.json --profile exact
  espalier generate --data schemas/ --samples 3 --max-tokens 128 > samples.jsonl

Text is streamed as it is sampled; the exit code is 0 when the document is complete and 1 when there
is none (the reason is on stderr). With --json one object is printed instead and the exit code is 0:
  text, tokens (ids without the end of sequence), finish_reason, model_calls, valid
finish_reason is complete (also when the budget closed the document early), budget (nothing valid
fits), dead_end or unsatisfiable. valid says whether a fresh machine of the exact profile accepts
the text. With --data each line has `file` and `sample` too (sample k is drawn with seed N + k), and
a schema that cannot be compiled gives one line with `file` and `error`; so does one whose worker
process crashes ("crash: ...") or takes too long ("timeout: ..."). Exit code 2 is an error.)";

struct GenerateOptions {
  ConstraintFlags constraint;
  std::string data;
  size_t samples = 1;
  size_t limit = 0;
  size_t threads = 1;
  double timeout = 60;
  std::string model = "builtin";
  bool uniform = false;
  bool json = false;
  VocabularyFlags vocabulary;
  SamplingFlags sampling;
};

Result<Source> open_source(const GenerateOptions& options) {
  Source source;
  if (!options.vocabulary.file.empty()) {
    if (!options.uniform) {
      return Status(StatusCode::kInvalidArgument,
                    "A model brings its own vocabulary; this option goes with --uniform.",
                    "--vocabulary");
    }
    Result<std::shared_ptr<const Vocabulary>> vocabulary = options.vocabulary.load();
    if (!vocabulary) return vocabulary.status();
    source.vocabulary = vocabulary.value();
    return source;
  }
  Result<std::unique_ptr<LanguageModel>> model = open_model(options.model);
  if (!model) return model.status();
  source.vocabulary = model.value()->vocabulary();
  if (!options.uniform) source.model = std::move(model).value();
  return source;
}

SamplingOptions sampling_options(const GenerateOptions& options) {
  SamplingOptions sampling = options.sampling.options();
  sampling.uniform = options.uniform;
  return sampling;
}

Status print_line(rapidjson::StringBuffer& buffer) {
  buffer.Put('\n');
  return print(std::string_view(buffer.GetString(), buffer.GetSize()));
}

int generate_one(const GenerateOptions& options) {
  const std::string name = options.constraint.name();
  Result<CompiledSchema> schema = compile(options.constraint);
  if (!schema) return fail(schema.status());
  Result<Source> source = open_source(options);
  if (!source) return fail(source.status());

  if (options.json) {
    Result<Sample> sample = draw(schema.value(), source.value(), sampling_options(options));
    if (!sample) return fail(located(name, sample.status()));
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    write_sample(writer, sample.value());
    writer.EndObject();
    if (Status status = print_line(buffer); !status.ok()) return fail(status);
    return kExitOk;
  }

  Status output;
  Result<Sample> sample = draw(schema.value(), source.value(), sampling_options(options),
                               [&output](std::string_view bytes) {
                                 output = print(bytes);
                                 return output.ok();
                               });
  if (!output.ok()) return fail(output);
  if (!sample) return fail(located(name, sample.status()));
  if (!sample->generation.text.empty()) {
    if (Status status = print("\n"); !status.ok()) return fail(status);
  }
  const FinishReason reason = sample->generation.finish_reason;
  if (reason == FinishReason::kComplete && sample->valid) return kExitOk;
  switch (reason) {
    case FinishReason::kComplete:
      note(name + ": the document is not valid");
      break;
    case FinishReason::kBudget:
      note(name + ": no valid document fits the token budget (budget)");
      break;
    case FinishReason::kDeadEnd:
      note(name + ": no token was allowed (dead_end)");
      break;
    case FinishReason::kUnsatisfiable:
      note(name + ": no instance is valid under the schema (unsatisfiable)");
      break;
  }
  return kExitNo;
}

std::string error_line(const std::string& file, const std::string& message) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("file");
  write_string(writer, file);
  writer.Key("error");
  write_string(writer, message);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

/// What a worker says of a file: one byte, then the lines.
constexpr char kSampled = 's', kRefused = 'r';

/// All samples of one file as JSON Lines.
std::string generate_file(const GenerateOptions& options, const Source& source,
                          const std::string& file) {
  const std::string path = (std::filesystem::path(options.data) / file).string();
  Result<std::string> text = read_file(path);
  Result<CompiledSchema> schema =
      text ? compile(schema_text_of(text.value()), options.constraint.reading.options())
           : Result<CompiledSchema>(text.status());
  if (!schema) return kRefused + error_line(file, schema.status().to_string());
  std::string lines(1, kSampled);
  SamplingOptions sampling = sampling_options(options);
  for (size_t k = 0; k < options.samples; ++k, ++sampling.seed) {
    Result<Sample> sample = draw(schema.value(), source, sampling);
    if (!sample) {
      lines += error_line(file, sample.status().to_string());
      continue;
    }
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("file");
    write_string(writer, file);
    writer.Key("sample");
    writer.Uint64(k);
    write_sample(writer, sample.value());
    writer.EndObject();
    lines.append(buffer.GetString(), buffer.GetSize()) += '\n';
  }
  return lines;
}

/// Prints texts that arrive in any order in the order of their numbers.
class InOrder {
 public:
  explicit InOrder(size_t count) : texts_(count), known_(count) {}
  Status add(size_t index, std::string text) {
    texts_[index] = std::move(text);
    known_[index] = true;
    for (; next_ < known_.size() && known_[next_]; ++next_) {
      if (Status status = print(std::exchange(texts_[next_], {})); !status.ok()) return status;
    }
    return Status();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<bool> known_;
  size_t next_ = 0;
};

int generate_folder(const GenerateOptions& options) {
  Result<std::vector<std::string>> files = list_schema_files(options.data, options.limit);
  if (!files) return fail(files.status());
  Result<Source> source = open_source(options);
  if (!source) return fail(source.status());
  size_t refused = 0, lost = 0;
  Status output;
  {
    Progress progress("generate", files->size());
    InOrder lines(files->size());
    WorkerPoolOptions pool;
    pool.workers = options.threads;
    pool.time_limit = std::chrono::milliseconds(static_cast<int64_t>(options.timeout * 1000));
    const Status workers = run_in_workers(
        files->size(), pool,
        [&](size_t index) { return generate_file(options, source.value(), files.value()[index]); },
        [&](size_t index, JobEnd end) {
          const std::string& file = files.value()[index];
          const bool done = end.kind == JobEnd::Kind::kDone;
          const char* fate = end.kind == JobEnd::Kind::kTimedOut ? "timeout: " : "crash: ";
          if (!done) ++lost;
          if (done && end.payload[0] == kRefused) ++refused;
          Status printed =
              lines.add(index, done ? end.payload.substr(1) : error_line(file, fate + end.reason));
          if (output.ok()) output = std::move(printed);
          progress.advance();
        });
    if (!workers.ok()) return fail(workers);
  }
  if (!output.ok()) return fail(output);
  const auto of_all = [&](size_t count) {
    return options.data + ": " + std::to_string(count) + " of " + std::to_string(files->size()) +
           " schemas ";
  };
  if (refused > 0) note(of_all(refused) + "cannot be compiled");
  if (lost > 0) note(of_all(lost) + "ended in a crash or at the time limit");
  return kExitOk;
}

}  // namespace

void add_generate(CLI::App& program, Action& action) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command = program.add_subcommand(
      "generate", "Sample a document under a JSON Schema, or documents for a folder of schemas");
  command->footer(kExamples);
  options->constraint.add_to(*command, "generation");
  CLI::Option* data =
      command
          ->add_option("--data", options->data,
                       "folder of schemas or MaskBench files, in place of --schema; JSON Lines")
          ->type_name("DIR")
          ->excludes("--schema");
  command->add_option("--samples", options->samples, "with --data: documents per schema")
      ->type_name("K")
      ->check(whole_number())
      ->capture_default_str()
      ->needs(data);
  command
      ->add_option("--limit", options->limit,
                   "with --data: at most N files, evenly spaced; 0 = all")
      ->type_name("N")
      ->check(whole_number())
      ->needs(data);
  command->add_option("--threads", options->threads, "with --data: worker processes")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->needs(data);
  command->add_option("--timeout", options->timeout, "with --data: seconds for one schema")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(data);
  CLI::Option* model = command->add_option("--model", options->model, kModelHelp)
                           ->type_name("NAME|FILE")
                           ->capture_default_str();
  command->add_flag("--uniform", options->uniform,
                    "draw uniformly from each mask, without a model");
  options->vocabulary.add_to(
      *command, "with --uniform: the vocabulary to draw from, in place of the model's");
  command->get_option("--vocabulary")->excludes(model);
  options->sampling.add_to(*command);
  command->add_flag("--json", options->json, "print one JSON object instead of the text");
  command->callback([=, &action] {
    if (!options->constraint.given() && options->data.empty()) {
      throw CLI::RequiredError("--schema or --data");
    }
    action = [options] {
      return options->data.empty() ? generate_one(*options) : generate_folder(*options);
    };
  });
}

}  // namespace espalier::cli
