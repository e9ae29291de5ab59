#pragma once

#include <cstdint>
#include <string_view>

#include "espalier/status.h"
#include "grammar/regex/regex_ast.h"

namespace espalier {

/// Parses an ECMA-262 regular expression (UTF-8). Errors: kParseError, kBudgetExceeded (nesting),
/// with the byte offset as their place. Back-references parse; the user of the tree may refuse
/// them.
Result<RegexAst> parse_regex(std::string_view pattern, RegexSyntax syntax,
                             uint32_t max_nesting = 250);

}  // namespace espalier
