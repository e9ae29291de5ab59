// One file's result as a line of JSON, and back.
//
// The line is both what a worker sends to its parent and what the results file holds, so a run, a
// replayed results file and a merge of shards go through the same reader. Durations are whole
// nanoseconds inside and microseconds with exactly three decimals in the text: 1234 <-> 1.234.
// Invariant: parse_json_line(to_json_line(r)) == r. Cost: linear in the number of tokens.

#include "jsonschemabench/file_result.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace espalier {
namespace {

constexpr std::array<std::string_view, kNumOutcomes> kOutcomeNames = {
    "passing", "compile_error", "validation_error", "invalidation_error", "crash", "timeout"};

constexpr std::array<std::string_view, 62> kKeywords = {"$anchor",
                                                        "$dynamicAnchor",
                                                        "$dynamicRef",
                                                        "$id",
                                                        "$recursiveAnchor",
                                                        "$recursiveRef",
                                                        "$ref",
                                                        "$schema",
                                                        "$vocabulary",
                                                        "additionalItems",
                                                        "additionalProperties",
                                                        "allOf",
                                                        "anyOf",
                                                        "const",
                                                        "contains",
                                                        "contentEncoding",
                                                        "contentMediaType",
                                                        "contentSchema",
                                                        "dependencies",
                                                        "dependentRequired",
                                                        "dependentSchemas",
                                                        "disallow",
                                                        "divisibleBy",
                                                        "else",
                                                        "enum",
                                                        "exclusiveMaximum",
                                                        "exclusiveMinimum",
                                                        "extends",
                                                        "format",
                                                        "id",
                                                        "if",
                                                        "items",
                                                        "maxContains",
                                                        "maxItems",
                                                        "maxLength",
                                                        "maxProperties",
                                                        "maximum",
                                                        "minContains",
                                                        "minItems",
                                                        "minLength",
                                                        "minProperties",
                                                        "minimum",
                                                        "multipleOf",
                                                        "not",
                                                        "oneOf",
                                                        "pattern",
                                                        "patternProperties",
                                                        "prefixItems",
                                                        "properties",
                                                        "propertyNames",
                                                        "propertyDependencies",
                                                        "required",
                                                        "then",
                                                        "type",
                                                        "unevaluatedItems",
                                                        "unevaluatedProperties",
                                                        "uniqueItems",
                                                        "$defs",
                                                        "definitions",
                                                        "title",
                                                        "default",
                                                        "examples"};

bool is_keyword(std::string_view word) {
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

std::string_view code_name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kParseError:
      return "parse error";
    case StatusCode::kUnsupported:
      return "unsupported";
    case StatusCode::kUnresolved:
      return "unresolved";
    case StatusCode::kUnsatisfiable:
      return "unsatisfiable";
    case StatusCode::kBudgetExceeded:
      return "budget";
    case StatusCode::kIoError:
      return "io error";
    case StatusCode::kRejected:
      return "rejected";
    case StatusCode::kInternal:
      return "internal";
  }
  return "unknown";
}

void append_microseconds(std::string* out, uint64_t ns) {
  fmt::format_to(std::back_inserter(*out), "{}.{:03}", ns / 1000, ns % 1000);
}

void append_string(std::string* out, std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  out->append(buffer.GetString(), buffer.GetSize());
}

void append_member(std::string* out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(*out), ",\"{}\":", name);
  append_string(out, text);
}

uint64_t nanoseconds(const rapidjson::Value& microseconds) {
  return static_cast<uint64_t>(std::llround(microseconds.GetDouble() * 1e3));
}

std::string string_member(const rapidjson::Value& object, const char* name) {
  const auto it = object.FindMember(name);
  if (it == object.MemberEnd() || !it->value.IsString()) return {};
  return std::string(it->value.GetString(), it->value.GetStringLength());
}

uint64_t uint_member(const rapidjson::Value& object, const char* name) {
  const auto it = object.FindMember(name);
  return it != object.MemberEnd() && it->value.IsUint64() ? it->value.GetUint64() : 0;
}

std::optional<uint64_t> time_member(const rapidjson::Value& object, const char* name) {
  const auto it = object.FindMember(name);
  if (it == object.MemberEnd() || !it->value.IsNumber()) return std::nullopt;
  return nanoseconds(it->value);
}

}  // namespace

std::string_view to_string(Outcome outcome) { return kOutcomeNames[static_cast<size_t>(outcome)]; }

std::string to_json_line(const FileResult& result) {
  std::string out = "{\"file\":";
  append_string(&out, result.file);
  append_member(&out, "engine", result.engine);
  append_member(&out, "split", result.split);
  append_member(&out, "outcome", to_string(result.outcome));
  append_member(&out, "reason", result.reason);
  append_member(&out, "keyword", result.keyword);
  append_member(&out, "pointer", result.pointer);
  if (result.failing_test >= 0) {
    fmt::format_to(std::back_inserter(out), ",\"failing_test\":{}", result.failing_test);
  }
  fmt::format_to(std::back_inserter(out),
                 ",\"tests\":{},\"valid_refused\":{},\"invalid_accepted\":{},\"peak_rss_bytes\":{},"
                 "\"state_bytes\":{}",
                 result.tests, result.valid_refused, result.invalid_accepted, result.peak_rss_bytes,
                 result.state_bytes);
  if (!result.respelled.empty()) {
    out += ",\"respelled\":{";
    for (const auto& [difference, count] : result.respelled) {
      fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", out.back() == '{' ? "" : ",",
                     difference, count);
    }
    out += '}';
  }
  if (result.timed) {
    out += ",\"compile_us\":";
    append_microseconds(&out, result.compile_ns);
    out += ",\"ttfm_us\":";
    append_microseconds(&out, result.first_mask_ns);
  }
  if (result.call_overhead_ns > 0) {
    out += ",\"call_overhead_us\":";
    append_microseconds(&out, result.call_overhead_ns);
  }
  fmt::format_to(std::back_inserter(out), ",\"tokens\":{},\"tbm_us\":[", result.mask_ns.size());
  for (size_t i = 0; i < result.mask_ns.size(); ++i) {
    if (i > 0) out += ',';
    append_microseconds(&out, result.mask_ns[i]);
  }
  out += "]}";
  return out;
}

Result<FileResult> parse_json_line(std::string_view line) {
  rapidjson::Document document;
  document.Parse(line.data(), line.size());
  if (document.HasParseError() || !document.IsObject()) {
    return Status(StatusCode::kParseError, "A line of results is not a JSON object.");
  }
  FileResult result;
  result.engine = string_member(document, "engine");
  result.file = string_member(document, "file");
  result.split = string_member(document, "split");
  result.reason = string_member(document, "reason");
  result.keyword = string_member(document, "keyword");
  result.pointer = string_member(document, "pointer");
  const std::string outcome = string_member(document, "outcome");
  const auto name = std::find(kOutcomeNames.begin(), kOutcomeNames.end(), outcome);
  if (result.file.empty() || name == kOutcomeNames.end()) {
    return Status(StatusCode::kParseError, "A line of results has no file or no known outcome.");
  }
  result.outcome = static_cast<Outcome>(name - kOutcomeNames.begin());
  const auto failing = document.FindMember("failing_test");
  if (failing != document.MemberEnd() && failing->value.IsInt()) {
    result.failing_test = failing->value.GetInt();
  }
  result.tests = static_cast<uint32_t>(uint_member(document, "tests"));
  result.valid_refused = static_cast<uint32_t>(uint_member(document, "valid_refused"));
  result.invalid_accepted = static_cast<uint32_t>(uint_member(document, "invalid_accepted"));
  const auto respelled = document.FindMember("respelled");
  if (respelled != document.MemberEnd() && respelled->value.IsObject()) {
    for (const auto& member : respelled->value.GetObject()) {
      const std::string difference(member.name.GetString(), member.name.GetStringLength());
      if (member.value.IsUint()) result.respelled[difference] = member.value.GetUint();
    }
  }
  result.peak_rss_bytes = uint_member(document, "peak_rss_bytes");
  result.state_bytes = uint_member(document, "state_bytes");
  result.call_overhead_ns = time_member(document, "call_overhead_us").value_or(0);
  const auto compile = time_member(document, "compile_us");
  const auto first_mask = time_member(document, "ttfm_us");
  result.timed = compile && first_mask;
  result.compile_ns = compile.value_or(0);
  result.first_mask_ns = first_mask.value_or(0);
  const auto samples = document.FindMember("tbm_us");
  if (samples != document.MemberEnd() && samples->value.IsArray()) {
    result.mask_ns.reserve(samples->value.Size());
    for (const auto& sample : samples->value.GetArray()) {
      if (sample.IsNumber()) result.mask_ns.push_back(nanoseconds(sample));
    }
  }
  return result;
}

std::string split_of(std::string_view file_name) {
  size_t end = file_name.find("---");
  if (end == std::string_view::npos) end = file_name.find('_');
  if (end == std::string_view::npos) end = file_name.find('.');
  return std::string(file_name.substr(0, end));
}

std::string refused_keyword(const Status& status) {
  std::string_view place = status.place();
  while (!place.empty()) {
    const size_t slash = place.rfind('/');
    if (slash == std::string_view::npos) break;
    if (is_keyword(place.substr(slash + 1))) return std::string(place.substr(slash + 1));
    place = place.substr(0, slash);
  }
  constexpr std::string_view kQuotes = "`'\"";
  const std::string_view message = status.message();
  size_t open = message.find_first_of(kQuotes);
  while (open != std::string_view::npos) {
    const size_t close = message.find_first_of(kQuotes, open + 1);
    if (close == std::string_view::npos) break;
    const std::string_view word = message.substr(open + 1, close - open - 1);
    if (is_keyword(word)) return std::string(word);
    open = message.find_first_of(kQuotes, close + 1);
  }
  return std::string(code_name(status.code()));
}

}  // namespace espalier
