#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "espalier/grammar.h"
#include "espalier/status.h"
#include "grammar/recognizer.h"
#include "jsonschemabench/cli/common.h"

namespace espalier::cli {

/// What the byte machine says about a text.
struct Verdict {
  bool valid = false;
  size_t offset = 0;  ///< the refused byte, or the text's end where it ends too early
  Explanation why;    ///< only when not valid
};

/// Runs `text` through a fresh cursor of the grammar's byte machine, byte by byte. A status when a
/// budget ran out, so that nothing can be said.
Result<Verdict> check_text(const Grammar& grammar, std::string_view text);

/// "SENTENCE (at INSTANCE PATH)".
std::string describe(const Explanation& why);

/// The members `offset, line, column, instance_path, schema_pointer, keyword, reason` of an open
/// JSON object.
void write_refusal(JsonWriter& writer, const Verdict& verdict, const TextPosition& position);

/// Is `text` one JSON document to an independent parser (RapidJSON)?
bool parses_as_json(std::string_view text);

}  // namespace espalier::cli
