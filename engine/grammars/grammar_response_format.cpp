// Grammars from OpenAI's `response_format` objects.
//
//     {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": S}}
//     {"type": "json_object"}, {"type": "json_object", "schema": S}
//
// Reference: the chat completions API of OpenAI; `json_object` with a schema as llama-server has
// it.

#include <string>

#include "espalier/grammar.h"
#include "schema/json/json_document.h"

namespace espalier {
namespace {

Status wrong(const JsonDocument& json, JsonId id, const std::string& wanted) {
  return Status(StatusCode::kParseError, "Expected " + wanted + ".", json.pointer(id));
}

}  // namespace

Result<std::shared_ptr<const Grammar>> Grammar::from_response_format(std::string_view text,
                                                                     const SchemaOptions& options) {
  const auto parsed =
      JsonDocument::parse(text, options.limits.max_schema_bytes, options.limits.max_schema_depth);
  if (!parsed.ok()) return parsed.status();
  const JsonDocument& json = **parsed;
  const JsonId root = json.root();
  if (!json[root].is_object()) return wrong(json, root, "a response_format object");
  const JsonId type = json.find(root, "type");
  if (type == kNoJson || !json[type].is_string()) return wrong(json, root, "a \"type\"");
  JsonId holder = root;
  SchemaOptions complete = options;
  if (json[type].text == "json_schema") {
    holder = json.find(root, "json_schema");
    if (holder == kNoJson || !json[holder].is_object())
      return wrong(json, root, "an object \"json_schema\"");
    const JsonId strict = json.find(holder, "strict");
    if (strict != kNoJson && json[strict].is_true()) complete = options.strict();
    if (json.find(holder, "schema") == kNoJson) return wrong(json, holder, "a \"schema\"");
  } else if (json[type].text != "json_object") {
    return Status(StatusCode::kUnsupported,
                  "The type \"" + std::string(json[type].text) +
                      "\" is not supported; there are json_object and json_schema.",
                  json.pointer(type));
  }
  const JsonId schema = json.find(holder, "schema");
  if (schema == kNoJson) return from_json_schema(R"({"type": "object"})", complete);
  auto grammar = from_json_schema(json.serialize(schema), complete);
  if (grammar.ok()) return grammar;
  const Status status = grammar.status();
  const bool pointer = status.place().empty() || status.place()[0] == '/';
  return Status(status.code(), status.message(),
                pointer ? json.pointer(schema) + status.place() : status.place());
}

}  // namespace espalier
