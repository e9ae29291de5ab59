// Reading a MaskBench file without changing the schema.
//
// `{"description": ..., "meta": ..., "schema": S, "tests": [{"valid": true, "data": D}, ...]}`: the
// instances D are reprinted as Python's json.dumps would, which is what the protocol feeds to the
// engine; but S must reach the engine byte for byte, because a reprinted number (1.0 as 1, a
// 30-digit bound as a double) is another schema. So one scan of the checked text finds where the
// member "schema" of the root begins and ends, and a DOM supplies the rest. A file without "schema"
// and "tests" is taken as a bare schema. Cost: two linear passes.

#include "jsonschemabench/maskbench_file.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "backends/python_json.h"

namespace espalier {
namespace {

// End of the string literal that begins at `at` in a well-formed JSON text.
size_t string_end(std::string_view json, size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// The bytes of the last member `name` of the object that is the whole of `json`, which must be well
// formed and spell the name without escapes.
std::optional<std::string> raw_member(std::string_view json, std::string_view name) {
  std::optional<std::string> found;
  size_t depth = 0;
  size_t key_end = 0;
  bool wanted = false;
  bool key_next = false;
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      const size_t end = string_end(json, at);
      if (depth == 1 && key_next) {
        wanted = json.substr(at + 1, end - at - 2) == name;
        key_end = end;
        key_next = false;
      }
      at = end;
      continue;
    }
    if (depth == 1 && (c == ',' || c == '}')) {
      if (wanted) {
        const size_t first = json.find_first_not_of(": \t\r\n", key_end);
        const size_t last = json.find_last_not_of(" \t\r\n", at - 1);
        found = std::string(json.substr(first, last - first + 1));
      }
      wanted = false;
      key_next = true;
    }
    if (c == '{' || c == '[') key_next = ++depth == 1;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return found;
}

}  // namespace

Result<MaskbenchFile> parse_maskbench_file(const std::string& text, const std::string& name) {
  rapidjson::Document document;
  if (const Status status = python_json_loads(text, &document); !status.ok()) {
    return Status(status.code(), status.message(), fmt::format("{}:{}", name, status.place()));
  }
  MaskbenchFile file;
  const auto is_array = [&](const char* member) {
    const auto it = document.FindMember(member);
    return it != document.MemberEnd() && it->value.IsArray();
  };
  if (!document.IsObject() || !document.HasMember("schema") || !is_array("tests")) {
    file.schema = text;
    return file;
  }
  auto schema = raw_member(text, "schema");
  if (!schema) return Status(StatusCode::kParseError, "The schema has no extent.", name);
  file.schema = std::move(*schema);
  for (const auto& test : document["tests"].GetArray()) {
    if (!test.IsObject() || !test.HasMember("data") || !test.HasMember("valid") ||
        !test["valid"].IsBool()) {
      return Status(StatusCode::kParseError, "A test needs the members \"valid\" and \"data\".",
                    fmt::format("{}: tests[{}]", name, file.tests.size()));
    }
    MaskbenchTest entry;
    if (const auto it = test.FindMember("description");
        it != test.MemberEnd() && it->value.IsString()) {
      entry.description.assign(it->value.GetString(), it->value.GetStringLength());
    }
    entry.valid = test["valid"].GetBool();
    entry.text = python_json_dumps(test["data"]);
    file.tests.push_back(std::move(entry));
  }
  return file;
}

Result<MaskbenchFile> load_maskbench_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status(StatusCode::kIoError, "The file cannot be read.", path.string());
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  return parse_maskbench_file(text, path.string());
}

Result<std::vector<std::string>> list_json_files(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> names;
  auto it = fs::recursive_directory_iterator(folder, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() != ".json" || !it->is_regular_file(error)) continue;
    names.push_back(it->path().lexically_relative(folder).string());
  }
  if (error) {
    return Status(StatusCode::kIoError,
                  fmt::format("The folder cannot be read: {}.", error.message()), folder.string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace espalier
