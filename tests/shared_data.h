#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace espalier::testing {

/// The folder of shared test data: $ESPALIER_DATA, else ../shared/data beside the source tree.
/// nullopt when it is absent; tests then skip.
inline std::optional<std::filesystem::path> shared_data() {
  namespace fs = std::filesystem;
  const char* env = std::getenv("ESPALIER_DATA");
  fs::path path =
      env != nullptr
          ? fs::path(env)
          : fs::absolute(__FILE__).lexically_normal().parent_path().parent_path().parent_path() /
                "shared/data";
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  return fs::canonical(path, error);
}

/// Extracts an archive of shared_data() once into a cache folder keyed by size and time, and
/// returns it.
inline std::optional<std::filesystem::path> extracted(const std::string& archive) {
  namespace fs = std::filesystem;
  const auto data = shared_data();
  if (!data) return std::nullopt;
  const fs::path source = *data / archive;
  std::error_code error;
  if (!fs::exists(source, error)) return std::nullopt;
  const std::string key = archive + "-" + std::to_string(fs::file_size(source)) + "-" +
                          std::to_string(fs::last_write_time(source).time_since_epoch().count());
  const fs::path target = fs::temp_directory_path() / "espalier-test-data" / key;
  if (fs::exists(target, error)) return target;
  fs::create_directories(target.parent_path(), error);
  const fs::path partial = target.string() + ".partial-" + std::to_string(::getpid());
  fs::create_directories(partial, error);
  const std::string command =
      "zstd -dc '" + source.string() + "' | tar -x -C '" + partial.string() + "'";
  if (std::system(command.c_str()) != 0) return std::nullopt;
  fs::rename(partial, target, error);
  if (error) fs::remove_all(partial, error);
  return fs::exists(target, error) ? std::optional<fs::path>(target) : std::nullopt;
}

inline std::optional<std::filesystem::path> maskbench_dir() {
  return extracted("maskbench-dev.tar.zst");
}
inline std::optional<std::filesystem::path> test_suite_dir() {
  return extracted("json-schema-test-suite.tar.zst");
}

}  // namespace espalier::testing
