#include "jsonschemabench/cli/constraint.h"

#include "jsonschemabench/cli/common.h"

namespace espalier::cli {

void ConstraintFlags::add_to(CLI::App& command, const std::string& default_profile) {
  CLI::Option* file =
      command.add_option("--schema", schema, "the JSON Schema (- = stdin)")->type_name("FILE");
  CLI::Option* object =
      command.add_flag("--json-object", json_object, "any JSON object, in place of a schema");
  CLI::Option* format =
      command
          .add_option("--response-format", response_format,
                      "OpenAI's response_format (json_object or json_schema), in place of a schema")
          ->type_name("FILE");
  CLI::Option* choice =
      command
          .add_option("--choice", choices,
                      "exactly this text, or that of another --choice, in place of a schema")
          ->type_name("TEXT")
          ->allow_extra_args(false);
  for (CLI::Option* one : {file, object, format, choice}) {
    for (CLI::Option* other : {file, object, format, choice}) {
      if (one != other) one->excludes(other);
    }
  }
  reading.add_to(command, default_profile);
}

bool ConstraintFlags::given() const {
  return !schema.empty() || json_object || !response_format.empty() || !choices.empty();
}

std::string ConstraintFlags::name() const {
  if (json_object) return "--json-object";
  if (!choices.empty()) return "--choice";
  return response_format.empty() ? schema : response_format;
}

Result<std::string> ConstraintFlags::read() const {
  return json_object || !choices.empty() ? std::string() : read_file(name());
}

Result<std::shared_ptr<const Grammar>> ConstraintFlags::compile() const {
  const Result<std::string> text = read();
  if (!text) return text.status();
  return compile(*text, reading.options());
}

Result<std::shared_ptr<const Grammar>> ConstraintFlags::compile(
    const std::string& text, const SchemaOptions& options) const {
  auto grammar = json_object        ? Grammar::from_json_schema(R"({"type": "object"})", options)
                 : !choices.empty() ? Grammar::from_choices(choices, options.limits)
                 : response_format.empty() ? Grammar::from_json_schema(text, options)
                                           : Grammar::from_response_format(text, options);
  if (grammar.ok()) return grammar;
  const Status status = grammar.status();
  if (!choices.empty()) return Status(status.code(), status.message(), name());
  return located(name(), status);
}

}  // namespace espalier::cli
