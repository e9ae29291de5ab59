#pragma once

#include <memory>

#include "grammar/codepoint_automaton.h"

namespace espalier {

/// The automaton of `hostname`; see hostname_automaton.cpp.
Result<std::shared_ptr<const CodepointAutomaton>> hostname_automaton();

}  // namespace espalier
