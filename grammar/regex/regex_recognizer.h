#pragma once

#include <memory>
#include <string_view>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/recognizer.h"

namespace espalier {

/// The UTF-8 texts that an ECMA-262 pattern matches as a whole. Errors as compile_anchored.
Result<std::shared_ptr<Recognizer>> make_regex_recognizer(std::string_view pattern,
                                                          const AutomatonLimits& limits = {});

}  // namespace espalier
