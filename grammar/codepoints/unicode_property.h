#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

/// How a property expression may name a script.
enum class ScriptNames : uint8_t {
  kQualified,  ///< `Script=Han`, as the standard wants
  kBare,       ///< also `Han`, as other dialects do
};

/// The code points of an ECMA-262 property expression, the text between the braces of `\p{...}`: a
/// general category (`L`, `Lu`, `Uppercase_Letter`, `gc=Lu`), a script (`Script=Greek`, `sc=`,
/// `scx=`) or a binary property (`Alphabetic`). Names are exact, as the standard wants; nullopt for
/// any other.
std::optional<CodepointSet> unicode_property(std::string_view expression,
                                             ScriptNames scripts = ScriptNames::kQualified);

/// Every expression that unicode_property takes with qualified scripts, sorted.
const std::vector<std::string>& unicode_property_expressions();

/// The set closed under simple case folding: what it matches when case is ignored.
CodepointSet case_closure(const CodepointSet& set);

}  // namespace espalier
