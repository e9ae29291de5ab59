#include "espalier/coverage.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier coverage person.schema.json
  espalier coverage root.json --schema-dir schemas/ --json

One line for each keyword of each schema that the root reaches: enforced, predicate (exact, but
masks leave tokens unknown), annotation or refused, with the JSON pointer and the reason; then the
schemas that no instance satisfies. Exit code 0: the schema compiles; 1: a keyword is refused; 2: an
error in the schema or a file. With --json: keywords (pointer, keyword, status, reason), counts (per
status), unsatisfiable (pointers) and satisfiable.)";

struct CoverageOptions {
  std::string schema;
  bool json = false;
  SchemaFlags schema_flags;
};

constexpr KeywordStatus kStatuses[] = {KeywordStatus::kEnforced, KeywordStatus::kPredicate,
                                       KeywordStatus::kAnnotation, KeywordStatus::kRefused};

bool root_satisfiable(const CoverageReport& report) {
  return report.unsatisfiable.empty() || !report.unsatisfiable.front().empty();
}

std::string as_json(const CoverageReport& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("keywords");
  writer.StartArray();
  for (const KeywordCoverage& one : report.keywords) {
    writer.StartObject();
    writer.Key("pointer");
    write_string(writer, one.pointer);
    writer.Key("keyword");
    write_string(writer, one.keyword);
    writer.Key("status");
    write_string(writer, std::string(to_string(one.status)));
    writer.Key("reason");
    write_string(writer, one.reason);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("counts");
  writer.StartObject();
  for (const KeywordStatus status : kStatuses) {
    write_string(writer, std::string(to_string(status)));
    writer.Uint64(report.count(status));
  }
  writer.EndObject();
  writer.Key("unsatisfiable");
  writer.StartArray();
  for (const std::string& pointer : report.unsatisfiable) write_string(writer, pointer);
  writer.EndArray();
  writer.Key("satisfiable");
  writer.Bool(root_satisfiable(report));
  writer.EndObject();
  return buffer.GetString();
}

std::string as_text(const CoverageReport& report) {
  std::string out;
  for (const KeywordCoverage& one : report.keywords) {
    out += fmt::format("{:<11} {}{}{}\n", to_string(one.status), one.pointer,
                       one.reason.empty() ? "" : "  ", one.reason);
  }
  for (const std::string& pointer : report.unsatisfiable)
    out += fmt::format("no instance satisfies {}\n", pointer.empty() ? "the schema" : pointer);
  for (const KeywordStatus status : kStatuses)
    out += fmt::format("{} {}{}", report.count(status), to_string(status),
                       status == KeywordStatus::kRefused ? "\n" : ", ");
  return out;
}

int coverage(const CoverageOptions& options) {
  Result<std::string> schema = read_file(options.schema);
  if (!schema) return fail(schema.status());
  Result<CoverageReport> report = schema_coverage(schema.value(), options.schema_flags.options());
  if (!report) return fail(located(options.schema, report.status()));
  const std::string text = options.json ? as_json(*report) + "\n" : as_text(*report);
  if (Status status = print(text); !status.ok()) return fail(status);
  return report->count(KeywordStatus::kRefused) == 0 ? kExitOk : kExitNo;
}

}  // namespace

void add_coverage(CLI::App& program, Action& action) {
  auto options = std::make_shared<CoverageOptions>();
  CLI::App* command =
      program.add_subcommand("coverage", "Tell what becomes of each keyword of a JSON Schema");
  command->footer(kExamples);
  command->add_option("schema", options->schema, "the JSON Schema")->type_name("FILE")->required();
  command->add_flag("--json", options->json, "print one JSON object");
  options->schema_flags.add_to(*command, "exact");
  command->callback([=, &action] { action = [options] { return coverage(*options); }; });
}

}  // namespace espalier::cli
