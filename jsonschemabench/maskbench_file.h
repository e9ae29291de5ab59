#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// One instance of a MaskBench file, printed as the protocol prints it.
struct MaskbenchTest {
  std::string description;
  bool valid = true;
  std::string text;
};

/// A schema (its own bytes, unchanged) with its instances.
struct MaskbenchFile {
  std::string schema;
  std::vector<MaskbenchTest> tests;
};

/// Reads a MaskBench file, or a bare JSON Schema file (which has no tests). Errors name the file
/// and the byte offset.
Result<MaskbenchFile> load_maskbench_file(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in errors.
Result<MaskbenchFile> parse_maskbench_file(const std::string& text, const std::string& name);

/// The names of the .json files below a folder, relative to it and sorted.
Result<std::vector<std::string>> list_json_files(const std::filesystem::path& folder);

}  // namespace espalier
