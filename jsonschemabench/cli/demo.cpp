#include <fmt/format.h>

#include <chrono>
#include <string>

#include "espalier/models.h"
#include "jsonschemabench/cli/checker.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/example_schemas.h"
#include "jsonschemabench/cli/flags.h"
#include "jsonschemabench/cli/sampling.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier demo
  espalier demo --seed 3 --temperature 0.7
  espalier demo --json | python3 -m json.tool --json-lines

Samples the built-in model under each of the example schemas of the source tree
(jsonschemabench/examples) and streams the text. An output counts as valid when a fresh machine of
the exact profile accepts it and RapidJSON parses it; the exit code is 1 if one is not.)";

struct DemoOptions {
  std::string model = "builtin";
  bool json = false;
  SamplingFlags sampling;
};

struct Run {
  Sample sample;
  bool valid = false;
  double milliseconds = 0;
};

Result<Run> run_example(const ExampleSchema& example, const Source& source,
                        const SamplingOptions& sampling, const StreamCallback& stream) {
  Result<CompiledSchema> schema = compile(example.text, SchemaOptions{});
  if (!schema) return located(std::string(example.name), schema.status());
  const auto begin = std::chrono::steady_clock::now();
  Result<Sample> sample = draw(schema.value(), source, sampling, stream);
  if (!sample) return located(std::string(example.name), sample.status());
  Run run;
  run.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  run.valid = sample->valid && sample->generation.finish_reason == FinishReason::kComplete &&
              parses_as_json(sample->generation.text);
  run.sample = std::move(sample).value();
  return run;
}

std::string as_json(const ExampleSchema& example, const Run& run) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("schema");
  write_string(writer, example.name);
  write_sample(writer, run.sample);
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

std::string summary(const Run& run) {
  const Generation& generation = run.sample.generation;
  return fmt::format("\n    {} tokens, {} model calls, {}, {}, {:.1f} ms\n\n",
                     generation.tokens.size(), generation.model_calls,
                     to_string(generation.finish_reason), run.valid ? "valid" : "NOT VALID",
                     run.milliseconds);
}

int demo(const DemoOptions& options) {
  Result<std::unique_ptr<LanguageModel>> model = open_model(options.model);
  if (!model) return fail(model.status());
  Source source;
  source.vocabulary = model.value()->vocabulary();
  source.model = std::move(model).value();

  Status output;
  const StreamCallback to_stdout = [&output](std::string_view bytes) {
    output = print(bytes);
    return output.ok();
  };
  size_t runs = 0;
  size_t invalid = 0;
  for (const ExampleSchema& example : example_schemas()) {
    if (!options.json) to_stdout(fmt::format("{}\n    ", example.name));
    Result<Run> run = run_example(example, source, options.sampling.options(),
                                  options.json ? StreamCallback() : to_stdout);
    if (!run) return fail(run.status());
    to_stdout(options.json ? as_json(example, run.value()) : summary(run.value()));
    if (!output.ok()) return fail(output);
    ++runs;
    if (!run->valid) ++invalid;
  }
  if (!options.json) {
    to_stdout(fmt::format("{} schemas, {} valid, {} not valid\n", runs, runs - invalid, invalid));
  }
  return invalid == 0 ? kExitOk : kExitNo;
}

}  // namespace

void add_demo(CLI::App& program, Action& action) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command =
      program.add_subcommand("demo", "Sample the built-in model under several example schemas");
  command->footer(kExamples);
  command->add_option("--model", options->model, kModelHelp)
      ->type_name("NAME|FILE")
      ->capture_default_str();
  options->sampling.add_to(*command);
  command->add_flag("--json", options->json, "print one JSON object a schema instead");
  command->callback([=, &action] { action = [options] { return demo(*options); }; });
}

}  // namespace espalier::cli
