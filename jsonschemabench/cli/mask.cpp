#include <string>
#include <vector>

#include "espalier/matcher.h"
#include "jsonschemabench/cli/checker.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/constraint.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier mask --schema person.schema.json --prefix '{"id": "' --vocabulary llama3.gguf
  espalier mask --schema person.schema.json --prefix '' --vocabulary builtin --json
  espalier mask --schema s.json --prefix '[' --vocabulary o200k_base.tiktoken --eos 199999 --json

Prints the tokens that may follow the prefix, one `id` and its bytes a line, and on stderr a summary.
With --json: {"allowed": [ids, the end of sequence among them when accepting], "accepting": bool,
"forced": the text every completion starts with}. Exit code 1 when the prefix itself is dead, with the
place on stderr (and in `dead`, as validate names it); 2 on an error.)";

struct MaskOptions {
  ConstraintFlags constraint;
  std::string prefix;
  bool json = false;
  VocabularyFlags vocabulary;
};

struct Mask {
  std::vector<TokenId> allowed;
  bool accepting = false;
  std::string forced;
};

std::string as_json(const Mask& mask) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("allowed");
  writer.StartArray();
  for (const TokenId token : mask.allowed) writer.Int(token);
  writer.EndArray();
  writer.Key("accepting");
  writer.Bool(mask.accepting);
  writer.Key("forced");
  write_string(writer, whole_characters(mask.forced));
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

std::string as_json(const Verdict& dead, const TextPosition& position) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("allowed");
  writer.StartArray();
  writer.EndArray();
  writer.Key("accepting");
  writer.Bool(false);
  writer.Key("forced");
  writer.String("");
  writer.Key("dead");
  writer.StartObject();
  write_refusal(writer, dead, position);
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

std::string as_text(const Mask& mask, const Vocabulary& vocabulary) {
  std::string lines;
  for (const TokenId token : mask.allowed) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    write_string(writer, vocabulary.bytes(token));
    lines += std::to_string(token) + "\t" + buffer.GetString() + "\n";
  }
  return lines;
}

Result<Mask> compute_mask(Matcher& matcher) {
  Mask mask;
  std::vector<int32_t> row(matcher.vocabulary().row_words());
  if (Status status = matcher.fill_mask(row); !status.ok()) return status;
  for (size_t id = 0; id < matcher.vocabulary().size(); ++id) {
    if ((static_cast<uint32_t>(row[id / 32]) >> (id % 32)) & 1) {
      mask.allowed.push_back(static_cast<TokenId>(id));
    }
  }
  mask.accepting = matcher.is_accepting();
  mask.forced = matcher.forced_bytes();
  return mask;
}

int mask(const MaskOptions& options) {
  Result<std::shared_ptr<const Grammar>> grammar = options.constraint.compile();
  if (!grammar) return fail(grammar.status());
  Result<std::shared_ptr<const Vocabulary>> vocabulary = options.vocabulary.load();
  if (!vocabulary) return fail(vocabulary.status());

  Result<Verdict> prefix = check_text(*grammar.value(), options.prefix);
  if (!prefix) return fail(located("--prefix", prefix.status()));
  if (!prefix->valid &&
      (prefix->offset < options.prefix.size() || grammar.value()->unsatisfiable())) {
    const TextPosition position = position_of(options.prefix, prefix->offset);
    if (options.json) {
      const Status status = print(as_json(prefix.value(), position));
      if (!status.ok()) return fail(status);
    }
    note("--prefix:" + std::to_string(position.line) + ":" + std::to_string(position.column) +
         ": the prefix is dead: " + describe(prefix->why));
    return kExitNo;
  }
  Matcher matcher(grammar.value(), vocabulary.value());
  if (!options.prefix.empty()) {
    if (Status status = matcher.accept_bytes(options.prefix); !status.ok()) {
      return fail(located("--prefix", status));
    }
  }
  Result<Mask> mask = compute_mask(matcher);
  if (!mask) return fail(located(options.constraint.name(), mask.status()));
  const std::string text =
      options.json ? as_json(mask.value()) : as_text(mask.value(), *vocabulary.value());
  if (Status status = print(text); !status.ok()) return fail(status);
  if (!options.json) {
    note(std::to_string(mask->allowed.size()) + " tokens allowed, " +
         (mask->accepting ? "accepting" : "not accepting") + ", forced: \"" + mask->forced + "\"");
  }
  return kExitOk;
}

}  // namespace

void add_mask(CLI::App& program, Action& action) {
  auto options = std::make_shared<MaskOptions>();
  CLI::App* command = program.add_subcommand("mask", "List the tokens allowed after a prefix");
  command->footer(kExamples);
  options->constraint.add_to(*command, "exact");
  command->add_option("--prefix", options->prefix, "the text so far")
      ->type_name("TEXT")
      ->required();
  options->vocabulary.add_to(*command,
                             "tiktoken, tokenizer.json, GGUF or model file; builtin; table:FILE");
  command->get_option("--vocabulary")->required();
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([=, &action] {
    if (!options->constraint.given()) throw CLI::RequiredError("--schema");
    action = [options] { return mask(*options); };
  });
}

}  // namespace espalier::cli
