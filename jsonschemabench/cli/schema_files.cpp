#include "jsonschemabench/cli/schema_files.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace espalier::cli {
namespace {

/// Notes where the members `schema` and `tests` of the outermost object lie. RapidJSON's iterative
/// reader calls the start and end handlers while the stream stands on the bracket itself.
class MaskBenchShape : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, MaskBenchShape> {
 public:
  explicit MaskBenchShape(const rapidjson::MemoryStream& stream) : stream_(stream) {}

  bool Key(const char* name, rapidjson::SizeType length, bool) {
    if (depth_ == 1) key_.assign(name, length);
    return true;
  }
  bool StartObject() {
    if (depth_++ == 0) object_ = true;
    if (depth_ == 2 && object_ && key_ == "schema") begin_ = stream_.Tell();
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (depth_-- == 2 && object_ && key_ == "schema") end_ = stream_.Tell() + 1;
    return true;
  }
  bool StartArray() {
    if (depth_++ == 1 && object_ && key_ == "tests") has_tests_ = true;
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return true;
  }

  std::string_view schema_in(std::string_view text) const {
    return has_tests_ && end_ > begin_ ? text.substr(begin_, end_ - begin_) : text;
  }

 private:
  const rapidjson::MemoryStream& stream_;
  std::string key_;
  size_t depth_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool object_ = false;
  bool has_tests_ = false;
};

}  // namespace

Result<std::vector<std::string>> list_schema_files(const std::string& folder, size_t limit) {
  namespace fs = std::filesystem;
  const auto unusable = [&](const char* why) { return Status(StatusCode::kIoError, why, folder); };
  std::error_code error;
  if (!fs::is_directory(folder, error)) return unusable("There is no such folder.");
  std::vector<std::string> files;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".json" && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().lexically_relative(folder).generic_string());
    }
  }
  if (error) return unusable("The folder cannot be read.");
  if (files.empty()) return unusable("The folder holds no .json file.");
  std::sort(files.begin(), files.end());
  if (limit > 0 && limit < files.size()) {
    std::vector<std::string> chosen;
    for (size_t i = 0; i < limit; ++i) chosen.push_back(files[i * files.size() / limit]);
    files = std::move(chosen);
  }
  return files;
}

std::string_view schema_text_of(std::string_view file_text) {
  rapidjson::MemoryStream stream(file_text.data(), file_text.size());
  MaskBenchShape shape(stream);
  rapidjson::Reader reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  if (reader.Parse<kFlags>(stream, shape).IsError()) return file_text;
  return shape.schema_in(file_text);
}

}  // namespace espalier::cli
