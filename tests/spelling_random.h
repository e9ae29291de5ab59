#pragma once

#include <random>
#include <string>

#include "espalier/grammar.h"

namespace espalier::testing {

/// Draws how values are spelled, and what becomes of optional and additional properties.
inline void random_spelling(std::mt19937_64& random, SchemaOptions* options) {
  const auto below = [&](uint64_t n) { return random() % n; };
  Spelling& spelling = options->spelling;
  spelling = {};
  if (below(2) == 0) {
    const auto space = [&] {
      std::string text;
      while (below(2) == 0) text += " \t\n\r"[below(4)];
      return text;
    };
    if (below(4) != 0) spelling.item_separator = "," + space();
    if (below(4) != 0 || spelling.item_separator.empty()) spelling.key_separator = ":" + space();
    if (below(3) == 0) spelling.whitespace = Spelling::Whitespace::kNone;
  } else {
    spelling.whitespace = static_cast<Spelling::Whitespace>(below(4));
  }
  spelling.property_order = static_cast<Spelling::PropertyOrder>(below(4));
  for (const char* name : {"b", "id", "a", "", "name"}) {
    if (below(2) == 0) spelling.property_names.emplace_back(name);
  }
  spelling.escapes = static_cast<Spelling::Escapes>(below(3));
  spelling.numbers = static_cast<Spelling::Numbers>(below(3));
  options->optional_properties = static_cast<OptionalProperties>(below(3));
  options->additional_properties = static_cast<AdditionalProperties>(below(2));
}

}  // namespace espalier::testing
