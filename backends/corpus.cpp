// The training corpus: the instances that MaskBench files call valid, one document each.
//
// Which half a file belongs to depends on its name alone, so that it stays there when files come
// and go: names with an even FNV-1a hash (http://www.isthe.com/chongo/tech/comp/fnv/) are trained
// on, the others are held out for every figure that is reported.

#include "backends/corpus.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "backends/python_json.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> json_files_below(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".json" && it->is_regular_file(ignored)) {
      files.push_back(it->path().lexically_relative(folder));
    }
  }
  if (error)
    return Status(StatusCode::kIoError, "cannot list the folder: " + error.message(), folder);
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return a.string() < b.string(); });
  return files;
}

Result<std::vector<std::string>> documents_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return Status(StatusCode::kIoError, "cannot read the file", path);
  rapidjson::Document document;
  const Status parsed = python_json_loads(text, &document);
  if (!parsed.ok()) return Status(parsed.code(), parsed.message(), path + ":" + parsed.place());
  if (!document.IsObject() || !document.HasMember("tests") || !document["tests"].IsArray()) {
    return Status(StatusCode::kParseError, "not a MaskBench file: no array \"tests\"", path);
  }
  std::vector<std::string> documents;
  size_t index = 0;
  for (const auto& test : document["tests"].GetArray()) {
    if (!test.IsObject() || !test.HasMember("valid") || !test["valid"].IsBool() ||
        !test.HasMember("data")) {
      return Status(StatusCode::kParseError, "a test needs a Boolean \"valid\" and \"data\"",
                    path + ":/tests/" + std::to_string(index));
    }
    if (test["valid"].GetBool()) documents.push_back(python_json_dumps(test["data"]));
    ++index;
  }
  return documents;
}

}  // namespace

uint64_t fnv1a64(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

CorpusHalf half_of(std::string_view file_name) {
  return fnv1a64(file_name) % 2 == 0 ? CorpusHalf::kTrain : CorpusHalf::kHeldOut;
}

Result<std::vector<CorpusFile>> read_corpus(const std::string& folder, CorpusHalf half) {
  const auto paths = json_files_below(folder);
  if (!paths.ok()) return paths.status();
  std::vector<CorpusFile> files;
  for (const fs::path& path : *paths) {
    if (half != CorpusHalf::kAll && half_of(path.filename().string()) != half) continue;
    auto documents = documents_of((fs::path(folder) / path).string());
    if (!documents.ok()) return documents.status();
    files.push_back({path.string(), std::move(documents).value()});
  }
  return files;
}

}  // namespace espalier
