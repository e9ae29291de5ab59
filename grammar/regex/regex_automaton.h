#pragma once

#include <memory>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/regex/regex_ast.h"

namespace espalier {

enum class MatchKind : uint8_t {
  kSearch,  ///< the pattern matches somewhere in the text
  kWhole,   ///< the pattern matches the whole text
};

/// A fresh, uncached automaton of a parsed pattern; see regex_automaton.cpp. Back-references stand
/// for any text, so that it accepts all that the pattern does.
Result<std::shared_ptr<const CodepointAutomaton>> build_regex_automaton(
    const RegexAst& ast, MatchKind kind, const AutomatonLimits& limits);

}  // namespace espalier
