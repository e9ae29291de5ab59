#pragma once

#include <memory>
#include <string_view>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/regex/regex_ast.h"

namespace espalier {

/// Does the pattern hold a back-reference, so that no finite automaton has its language?
bool has_back_reference(const RegexAst& ast);

/// The predicate of a pattern with back-references, with search semantics, as an automaton that
/// remembers the whole text: acceptance is exact, liveness only as far as partial matching can tell
/// (CodepointAutomaton::relaxed). See back_reference.cpp. `relaxed` accepts all that the pattern
/// does. Errors: kUnsupported (what cannot be said to the matching library), with the offset.
Result<std::shared_ptr<const CodepointAutomaton>> back_reference_predicate(
    std::string_view pattern, const RegexAst& ast,
    std::shared_ptr<const CodepointAutomaton> relaxed, const AutomatonLimits& limits);

}  // namespace espalier
