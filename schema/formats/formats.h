#pragma once

#include <memory>
#include <string_view>

#include "grammar/codepoints/codepoint_automaton.h"
#include "schema/schema_graph.h"

namespace espalier {

/// The automaton of a format defined by JSON Schema (any draft), or nullptr when the name is
/// unknown (an annotation then). Whole-string match. Interned process-wide; another one is begun
/// when the last is worn.
Result<std::shared_ptr<const CodepointAutomaton>> format_automaton(
    std::string_view name, Dialect dialect = Dialect::k2020_12);

}  // namespace espalier
