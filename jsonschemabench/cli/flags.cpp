#include "jsonschemabench/cli/flags.h"

#include <algorithm>
#include <charconv>

#include "espalier/models.h"
#include "jsonschemabench/cli/common.h"

namespace espalier::cli {

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
          return c >= '0' && c <= '9';
        });
        return digits ? "" : "'" + text + "' is not a whole number";
      },
      "");
}

void SchemaFlags::add_to(CLI::App& command, const std::string& default_profile) {
  profile = default_profile;
  command
      .add_option(
          "--profile", profile,
          "exact (every spelling of every valid instance) or generation (one good spelling)")
      ->check(CLI::IsMember({"exact", "generation"}))
      ->capture_default_str();
  command.add_option("--formats", formats, "assert known formats, or only annotate with them")
      ->check(CLI::IsMember({"assert", "annotate"}))
      ->capture_default_str();
  command
      .add_option(
          "--content", content,
          "assert contentEncoding base64 and contentMediaType application/json, or annotate")
      ->check(CLI::IsMember({"assert", "annotate"}))
      ->capture_default_str();
  command.add_option("--schema-dir", schema_dir, "folder whose schemas serve remote references")
      ->type_name("DIR");
  add_spelling_to(command);
  command.add_option("--max-schema-bytes", max_schema_bytes, "largest schema text")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command.add_option("--max-schema-depth", max_schema_depth, "deepest nesting of the schema text")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
}

void SchemaFlags::add_spelling_to(CLI::App& command) {
  command.add_option("--whitespace", whitespace, "any, one optional space after , and :, or none")
      ->check(CLI::IsMember({"profile", "any", "space", "none"}))
      ->capture_default_str();
  command.add_option("--item-separator", item_separator, "a comma and the white space after it")
      ->type_name("TEXT");
  command.add_option("--key-separator", key_separator, "a colon and the white space after it")
      ->type_name("TEXT");
  command
      .add_option("--property-order", property_order,
                  "profile, any, schema, or names that come first: NAME,NAME,...")
      ->type_name("ORDER")
      ->capture_default_str();
  command.add_option("--escapes", escapes, "escapes in strings: any, or those JSON needs")
      ->check(CLI::IsMember({"profile", "any", "minimal"}))
      ->capture_default_str();
  command.add_option("--numbers", numbers, "number forms: any, or plain (no exponents)")
      ->check(CLI::IsMember({"profile", "any", "plain"}))
      ->capture_default_str();
  command
      .add_option("--optional-properties", optional_properties,
                  "what becomes of properties that are listed and not required")
      ->check(CLI::IsMember({"schema", "require", "omit"}))
      ->capture_default_str();
  command
      .add_option("--additional-properties", additional_properties,
                  "what becomes of properties that are not listed")
      ->check(CLI::IsMember({"schema", "forbid"}))
      ->capture_default_str();
  command.add_flag("--strict", strict, "as OpenAI's strict mode: all listed properties, no others");
}

Spelling SchemaFlags::spelling() const {
  Spelling out;
  if (whitespace == "any") out.whitespace = Spelling::Whitespace::kAny;
  if (whitespace == "space") out.whitespace = Spelling::Whitespace::kSpace;
  if (whitespace == "none") out.whitespace = Spelling::Whitespace::kNone;
  out.item_separator = item_separator;
  out.key_separator = key_separator;
  if (property_order == "any") {
    out.property_order = Spelling::PropertyOrder::kAny;
  } else if (property_order == "schema") {
    out.property_order = Spelling::PropertyOrder::kSchema;
  } else if (property_order != "profile") {
    out.property_order = Spelling::PropertyOrder::kGiven;
    out.property_names = CLI::detail::split(property_order, ',');
  }
  if (escapes == "any") out.escapes = Spelling::Escapes::kAny;
  if (escapes == "minimal") out.escapes = Spelling::Escapes::kMinimal;
  if (numbers == "any") out.numbers = Spelling::Numbers::kAny;
  if (numbers == "plain") out.numbers = Spelling::Numbers::kPlain;
  return out;
}

SchemaOptions SchemaFlags::options() const {
  SchemaOptions options;
  options.profile = profile == "exact" ? Profile::kExact : Profile::kGeneration;
  options.formats = formats == "assert" ? FormatPolicy::kAssert : FormatPolicy::kAnnotate;
  options.content = content == "assert" ? ContentPolicy::kAssert : ContentPolicy::kAnnotate;
  options.schema_dir = schema_dir;
  options.spelling = spelling();
  if (strict) options = options.strict();
  if (optional_properties == "require") options.optional_properties = OptionalProperties::kRequire;
  if (optional_properties == "omit") options.optional_properties = OptionalProperties::kOmit;
  if (additional_properties == "forbid")
    options.additional_properties = AdditionalProperties::kForbid;
  options.limits.max_schema_bytes = max_schema_bytes;
  options.limits.max_schema_depth = max_schema_depth;
  return options;
}

void VocabularyFlags::add_to(CLI::App& command, const std::string& file_help) {
  command.add_option("--vocabulary", file, file_help)->type_name("FILE");
  command
      .add_option("--eos", eos, "end-of-sequence ids, where the file has none (tiktoken) or others")
      ->type_name("ID")
      ->delimiter(',');
  command.add_option("--special", special, "a special token the file lacks; may be repeated")
      ->type_name("NAME=ID");
  command
      .add_option(
          "--pretokenizer", pretokenizer,
          "llama3, cl100k, gpt2, o200k, qwen2 or a regular expression, in place of the file's")
      ->type_name("NAME");
  command.add_option("--width", width, "width of the model's logit rows, where it is padded")
      ->type_name("N")
      ->check(whole_number());
}

Result<VocabularyOptions> VocabularyFlags::options() const {
  VocabularyOptions options;
  options.eos_ids = eos;
  options.pretokenizer = pretokenizer;
  options.padded_width = width;
  for (const std::string& entry : special) {
    const size_t equals = entry.rfind('=');
    TokenId id = 0;
    const char* end = entry.data() + entry.size();
    const bool good = equals != std::string::npos && equals > 0 &&
                      std::from_chars(entry.data() + equals + 1, end, id).ptr == end &&
                      equals + 1 < entry.size() && id >= 0;
    if (!good) {
      return Status(StatusCode::kInvalidArgument, "'" + entry + "' is not NAME=ID.", "--special");
    }
    options.special_tokens[entry.substr(0, equals)] = id;
  }
  return options;
}

Result<std::shared_ptr<const Vocabulary>> VocabularyFlags::load() const {
  Result<VocabularyOptions> how = options();
  if (!how) return how.status();
  return open_vocabulary(file, how.value());
}

void SamplingFlags::add_to(CLI::App& command) {
  command.add_option("--seed", seed, "seed: equal inputs and seed give equal output")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command.add_option("--max-tokens", max_tokens, "token budget without the end of sequence")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option("--temperature", temperature,
                  "1 samples the model as it is, 0 takes the most likely token")
      ->type_name("T")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--top-k", top_k, "sample among the K most likely allowed tokens; 0 = all")
      ->type_name("K")
      ->check(whole_number())
      ->capture_default_str();
  command.add_option("--top-p", top_p, "sample within this mass of the allowed tokens; 1 = all")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

SamplingOptions SamplingFlags::options() const {
  SamplingOptions options;
  options.seed = seed;
  options.max_tokens = max_tokens;
  options.temperature = temperature;
  options.top_k = top_k;
  options.top_p = top_p;
  return options;
}

}  // namespace espalier::cli
