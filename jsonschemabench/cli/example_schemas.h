#pragma once

#include <span>
#include <string_view>

namespace espalier::cli {

/// A file of jsonschemabench/examples, built into the program.
struct ExampleSchema {
  std::string_view name;
  std::string_view text;
};

std::span<const ExampleSchema> example_schemas();

}  // namespace espalier::cli
