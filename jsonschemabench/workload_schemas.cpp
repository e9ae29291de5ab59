// Schemas and instances made by rule, for benchmarks that need nothing from outside.
//
// Names are made of words, as tools and properties have them, so that many share prefixes; types
// go round. Everything is a function of the numbers alone.

#include "jsonschemabench/workload_schemas.h"

#include <fmt/format.h>

#include <array>

namespace espalier {
namespace {

constexpr std::array kVerbs = {"get",  "set",    "create", "delete",
                               "list", "update", "search", "send"};
constexpr std::array kNouns = {"user",  "order",   "invoice", "message", "file",
                               "event", "account", "report",  "device",  "ticket"};
constexpr std::array kArguments = {
    "id",     "name", "limit", "include_archived", "created_after", "tags", "amount",
    "status", "note", "page"};

std::string tool_name(size_t tool) {
  return fmt::format("{}_{}_{}", kVerbs[tool % kVerbs.size()],
                     kNouns[tool / kVerbs.size() % kNouns.size()],
                     tool / kVerbs.size() / kNouns.size());
}

struct Typed {
  const char* schema;
  const char* value;
};
constexpr std::array<Typed, 8> kTypes = {{
    {R"({"type": "string"})", R"("a value of some length")"},
    {R"({"type": "integer", "minimum": 0, "maximum": 500})", "42"},
    {R"({"type": "boolean"})", "true"},
    {R"({"enum": ["open", "closed", "pending", "on hold"]})", R"("pending")"},
    {R"({"type": "string", "format": "date-time"})", R"("2024-05-06T07:08:09Z")"},
    {R"({"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 8})",
     R"(["first", "second tag"])"},
    {R"({"type": "number", "multipleOf": 0.01})", "12.25"},
    {R"({"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"})", R"("AB-1234")"},
}};

size_t num_arguments(size_t tool) { return 1 + tool % 5; }

}  // namespace

std::string tool_call_schema(size_t tools) {
  std::string out = R"({"anyOf": [)";
  for (size_t tool = 0; tool < tools; ++tool) {
    std::string properties;
    std::string required;
    for (size_t i = 0; i < num_arguments(tool); ++i) {
      const char* separator = i > 0 ? ", " : "";
      const char* name = kArguments[(tool + i) % kArguments.size()];
      properties +=
          fmt::format(R"({}"{}": {})", separator, name, kTypes[(tool + i) % kTypes.size()].schema);
      if (i % 2 == 0) required += fmt::format(R"({}"{}")", separator, name);
    }
    out += fmt::format(
        R"({}{{"type": "object", "properties": {{"name": {{"const": "{}"}}, "arguments": )"
        R"({{"type": "object", "properties": {{{}}}, "required": [{}], )"
        R"("additionalProperties": false}}}}, "required": ["name", "arguments"], )"
        R"("additionalProperties": false}})",
        tool > 0 ? ", " : "", tool_name(tool), properties, required);
  }
  return out + "]}";
}

std::string tool_call_instance(size_t tool) {
  std::string arguments;
  for (size_t i = 0; i < num_arguments(tool); ++i) {
    arguments +=
        fmt::format(R"({}"{}": {})", i > 0 ? ", " : "", kArguments[(tool + i) % kArguments.size()],
                    kTypes[(tool + i) % kTypes.size()].value);
  }
  return fmt::format(R"({{"name": "{}", "arguments": {{{}}}}})", tool_name(tool), arguments);
}

std::string wide_object_schema(size_t properties, bool closed) {
  std::string out = R"({"type": "object", "properties": {)";
  for (size_t i = 0; i < properties; ++i) {
    out += fmt::format(R"({}"{}": {})", i > 0 ? ", " : "", tool_name(i),
                       kTypes[i % kTypes.size()].schema);
  }
  return out + (closed ? R"(}, "additionalProperties": false})" : "}}");
}

std::string wide_object_instance(size_t properties) {
  std::string out = "{";
  for (size_t i = 0; i < properties; ++i) {
    out += fmt::format(R"({}"{}": {})", i > 0 ? ", " : "", tool_name(i),
                       kTypes[i % kTypes.size()].value);
  }
  return out + "}";
}

}  // namespace espalier
