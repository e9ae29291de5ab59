#pragma once

#include <memory>
#include <string_view>

#include "grammar/codepoint_automaton.h"

namespace espalier {

/// The automaton of a format defined by JSON Schema (any draft), or nullptr when the name is
/// unknown (an annotation then). Whole-string match. Interned process-wide.
Result<std::shared_ptr<const CodepointAutomaton>> format_automaton(std::string_view name);

}  // namespace espalier
