#include <string>

#include "jsonschemabench/cli/checker.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier validate --schema person.schema.json --instance person.json
  espalier validate --schema person.schema.json --instance - --json < person.json
  espalier validate --schema root.json --schema-dir schemas/ --formats annotate --instance x.json

The instance's bytes go through the same machine that makes masks. Exit code 0: valid; 1: invalid or
not JSON, with the place (line:column in bytes, JSON pointers) and the reason; 2: an error in the
schema or a file. With --json: valid, and when it is not, offset, line, column, instance_path,
schema_pointer, keyword and reason. Under --profile generation one line break at the end of
the file is not part of the instance.)";

struct ValidateOptions {
  std::string schema;
  std::string instance;
  bool json = false;
  SchemaFlags schema_flags;
};

std::string as_json(const Verdict& verdict, const TextPosition& position) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("valid");
  writer.Bool(verdict.valid);
  if (!verdict.valid) {
    write_refusal(writer, verdict, position);
  }
  writer.EndObject();
  return buffer.GetString();
}

std::string as_text(const std::string& file, const Verdict& verdict, const TextPosition& position) {
  if (verdict.valid) return file + ": valid";
  return file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) +
         ": invalid: " + describe(verdict.why);
}

int validate(const ValidateOptions& options) {
  Result<std::string> schema = read_file(options.schema);
  if (!schema) return fail(schema.status());
  Result<std::string> instance = read_file(options.instance);
  if (!instance) return fail(instance.status());
  const SchemaOptions schema_options = options.schema_flags.options();
  Result<std::shared_ptr<const Grammar>> grammar =
      Grammar::from_json_schema(schema.value(), schema_options);
  if (!grammar) return fail(located(options.schema, grammar.status()));

  std::string_view text = instance.value();
  if (schema_options.profile == Profile::kGeneration) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
  }
  Result<Verdict> verdict = check_text(*grammar.value(), text);
  if (!verdict) return fail(located(options.instance, verdict.status()));
  const TextPosition position = position_of(text, verdict->offset);
  const std::string line = options.json ? as_json(verdict.value(), position)
                                        : as_text(options.instance, verdict.value(), position);
  if (Status status = print(line + "\n"); !status.ok()) return fail(status);
  return verdict->valid ? kExitOk : kExitNo;
}

}  // namespace

void add_validate(CLI::App& program, Action& action) {
  auto options = std::make_shared<ValidateOptions>();
  CLI::App* command = program.add_subcommand("validate", "Check an instance against a JSON Schema");
  command->footer(kExamples);
  command->add_option("--schema", options->schema, "the JSON Schema")
      ->type_name("FILE")
      ->required();
  command->add_option("--instance", options->instance, "the JSON text to check (- = stdin)")
      ->type_name("FILE")
      ->required();
  options->schema_flags.add_to(*command, "exact");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([=, &action] { action = [options] { return validate(*options); }; });
}

}  // namespace espalier::cli
