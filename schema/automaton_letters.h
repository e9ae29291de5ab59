#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "grammar/codepoint_automaton.h"

namespace espalier {

/// Sorted, disjoint ranges of code points.
using Letters = std::vector<std::pair<uint32_t, uint32_t>>;

/// All code points that occur in texts which the automaton accepts; nullopt where it has too many
/// states to look at all.
std::optional<Letters> letters_of(const CodepointAutomaton& automaton);

/// Does the automaton, from this state, accept a text of these letters alone? True also where it
/// has too many states to tell.
bool accepts_with(const CodepointAutomaton& automaton, uint32_t state, const Letters& letters);

}  // namespace espalier
