// The documents a `$ref` may reach beyond the schema itself.
//
// For http://host/a/b.json and the folder D, the files D/a/b.json and D/host/a/b.json are tried
// first; if neither exists, all *.json files below D are read once and found by their root `$id`
// (or `id`). A path never leads out of the folder: a ".." segment, even percent-encoded, ends the
// search.
#include "schema/loading/schema_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "schema/json/json_document.h"
#include "schema/loading/metaschemas.h"
#include "schema/loading/uri.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxScannedFiles = 10'000;

bool stays_inside(std::string_view path) {
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return false;
  }
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return true;
}

}  // namespace

std::optional<std::string> SchemaStore::find(std::string_view uri) {
  if (const auto text = metaschema(uri)) return std::string(*text);
  if (options_.schema_dir.empty()) return {};
  const UriParts parts = split_uri(uri);
  if (const auto path = percent_decode(parts.path); path && stays_inside(*path)) {
    const std::string relative = path->substr(std::min(path->find_first_not_of('/'), path->size()));
    if (!relative.empty()) {
      if (auto text = read(options_.schema_dir + "/" + relative)) return text;
      if (parts.authority && stays_inside(*parts.authority)) {
        const std::string host(*parts.authority);
        if (auto text = read(options_.schema_dir + "/" + host + "/" + relative)) return text;
      }
    }
  }
  scan();
  const auto found = paths_.find(std::string(uri));
  return found == paths_.end() ? std::nullopt : read(found->second);
}

std::optional<std::string> SchemaStore::read(const std::string& path) const {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || error) return {};
  uintmax_t size = fs::file_size(path, error);
  if (error) return {};
  size = std::min<uintmax_t>(size, uintmax_t{options_.limits.max_schema_bytes} + 1);
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(size), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) return {};
  return text;
}

void SchemaStore::scan() {
  if (scanned_) return;
  scanned_ = true;
  std::error_code error;
  size_t files = 0;
  fs::recursive_directory_iterator it(options_.schema_dir,
                                      fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator() && files < kMaxScannedFiles;
       it.increment(error)) {
    if (it->path().extension() != ".json") continue;
    ++files;
    const std::string path = it->path().string();
    const auto text = read(path);
    if (!text) continue;
    const auto document = JsonDocument::parse(*text, options_.limits.max_schema_bytes,
                                              options_.limits.max_schema_depth);
    if (!document.ok()) continue;
    const JsonDocument& json = **document;
    for (const std::string_view name : {"$id", "id"}) {
      const JsonId id = json.find(json.root(), name);
      if (id == kNoJson || !json[id].is_string()) continue;
      paths_.try_emplace(std::string(without_fragment(json[id].text)), path);
    }
  }
}

}  // namespace espalier
