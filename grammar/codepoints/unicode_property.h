#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

/// The code points of an ECMA-262 property expression, the text between the braces of `\p{...}`: a
/// general category (`L`, `Lu`, `Uppercase_Letter`, `gc=Lu`), a script (`Script=Greek`, `sc=`,
/// `scx=`) or a binary property (`Alphabetic`). Names are exact, as the standard wants; nullopt for
/// any other. With `bare_scripts`, a script's name alone (`Han`) is taken too, as other dialects
/// do.
std::optional<CodepointSet> unicode_property(std::string_view expression, bool bare_scripts);

/// Every expression that unicode_property takes without `bare_scripts`, sorted.
const std::vector<std::string>& unicode_property_expressions();

/// The set closed under simple case folding: what it matches when case is ignored.
CodepointSet case_closure(const CodepointSet& set);

}  // namespace espalier
