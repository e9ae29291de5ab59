#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/sampler.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier::cli {

/// Refuses what is not a plain number without sign, which CLI11 would wrap around.
CLI::Validator whole_number();

/// The options that say how a schema is read, shared by all commands that take one.
struct SchemaFlags {
  std::string profile;
  std::string formats = "assert";
  std::string content = "annotate";
  std::string schema_dir;
  std::string whitespace = "profile";
  std::string item_separator, key_separator;
  std::string property_order = "profile";
  std::string escapes = "profile";
  std::string numbers = "profile";
  std::string optional_properties = "schema";
  std::string additional_properties = "schema";
  bool strict = false;
  size_t max_schema_bytes = Limits{}.max_schema_bytes;
  size_t max_schema_depth = Limits{}.max_schema_depth;

  void add_to(CLI::App& command, const std::string& default_profile);
  SchemaOptions options() const;

 private:
  void add_spelling_to(CLI::App& command);
  Spelling spelling() const;
};

/// The options that say how a vocabulary file is read.
struct VocabularyFlags {
  std::string file;
  std::vector<TokenId> eos;
  std::vector<std::string> special;  ///< NAME=ID
  std::string pretokenizer;
  size_t width = 0;

  void add_to(CLI::App& command, const std::string& file_help);
  Result<VocabularyOptions> options() const;
  /// Loads `file`; also "builtin" and "table:FILE", the vocabularies of those models.
  Result<std::shared_ptr<const Vocabulary>> load() const;
};

/// The options of the sampler.
struct SamplingFlags {
  uint64_t seed = 0;
  size_t max_tokens = SamplingOptions{}.max_tokens;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;

  void add_to(CLI::App& command);
  SamplingOptions options() const;
};

inline constexpr const char* kModelHelp =
    "builtin, table:FILE (a table model) or a file made by train";

}  // namespace espalier::cli
