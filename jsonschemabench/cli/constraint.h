#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/status.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {

/// What a text is held to: a schema, any JSON object, a `response_format`, or a list of texts.
struct ConstraintFlags {
  std::string schema;
  bool json_object = false;
  std::string response_format;
  std::vector<std::string> choices;
  SchemaFlags reading;

  void add_to(CLI::App& command, const std::string& default_profile);
  /// Is one of them given?
  bool given() const;
  /// The file or the option, for messages.
  std::string name() const;
  /// The text of the file; "" where none is given. Standard input can be read once.
  Result<std::string> read() const;
  /// Compiles what is given, `text` being what was read; errors carry name() in their place.
  Result<std::shared_ptr<const Grammar>> compile(const std::string& text,
                                                 const SchemaOptions& options) const;
  Result<std::shared_ptr<const Grammar>> compile() const;
};

}  // namespace espalier::cli
