// Names of models and where the built-in one is kept.

#include "backends/models.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/ngram_file.h"
#include "backends/ngram_model.h"
#include "backends/table_model.h"
#include "engine/vocabulary/mapped_file.h"

namespace espalier {
namespace {

constexpr std::string_view kBuiltin = "builtin";
constexpr std::string_view kBuiltinFile = "builtin.ngram";
constexpr std::string_view kTablePrefix = "table:";
constexpr std::string_view kFolderBelowPrefix = "share/espalier";
constexpr const char* kFolderVariable = "ESPALIER_MODEL_DIR";

template <typename Model>
Result<std::unique_ptr<LanguageModel>> as_language_model(Result<std::unique_ptr<Model>> model) {
  if (!model.ok()) return model.status();
  return std::unique_ptr<LanguageModel>(std::move(model).value());
}

}  // namespace

Result<std::string> builtin_model_path() {
  namespace fs = std::filesystem;
  std::vector<fs::path> folders;
  const char* given = std::getenv(kFolderVariable);
  if (given != nullptr && *given != '\0') folders.emplace_back(given);
  std::error_code no_program;
  const fs::path program = fs::read_symlink("/proc/self/exe", no_program);
  if (!no_program) {
    folders.push_back(program.parent_path().parent_path() / kFolderBelowPrefix);
  }
#ifdef ESPALIER_INSTALLED_MODELS
  folders.emplace_back(ESPALIER_INSTALLED_MODELS);
#endif
#ifdef ESPALIER_SOURCE_MODELS
  folders.emplace_back(ESPALIER_SOURCE_MODELS);
#endif
  std::string tried;
  for (const fs::path& folder : folders) {
    const fs::path path = folder / kBuiltinFile;
    std::error_code error;
    if (fs::is_regular_file(path, error)) return path.string();
    tried += (tried.empty() ? "" : ", ") + path.string();
  }
  return Status(StatusCode::kIoError,
                "the built-in model is in none of its places (" + tried + "); set " +
                    kFolderVariable + " to its folder",
                std::string(kBuiltinFile));
}

Result<std::unique_ptr<LanguageModel>> open_model(const std::string& name) {
  if (name.empty() || name == kBuiltin) {
    const auto path = builtin_model_path();
    if (!path.ok()) return path.status();
    return as_language_model(NgramModel::load(*path, std::string(kBuiltin)));
  }
  if (name.starts_with(kTablePrefix)) {
    return as_language_model(TableModel::load(name.substr(kTablePrefix.size())));
  }
  return as_language_model(NgramModel::load(name));
}

Result<std::shared_ptr<const Vocabulary>> open_vocabulary(const std::string& name,
                                                          const VocabularyOptions& options) {
  bool is_model = name.empty() || name == kBuiltin || name.starts_with(kTablePrefix);
  if (!is_model) {
    const auto file = MappedFile::open(name);
    is_model = file.ok() && is_ngram_file(file->bytes());
  }
  if (!is_model) return Vocabulary::load(name, options);
  const auto model = open_model(name);
  if (!model.ok()) return model.status();
  return (*model)->vocabulary();
}

}  // namespace espalier
