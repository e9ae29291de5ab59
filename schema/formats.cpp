// Formats by name.
//
// All but one are regular expressions (format_patterns.cpp). `hostname` (RFC 1123, section 2.1) has
// a machine of its own, because a label that starts with "xn--" must be the Punycode of a valid
// U-label (hostname_automaton.cpp).
//
// Left out, and so annotations as far as this function can say:
//   regex         balanced parentheses are not a regular language
//   idn-hostname  the length of a U-label is bounded through its Punycode form
#include "schema/formats.h"

#include "schema/format_patterns.h"
#include "schema/hostname_automaton.h"

namespace espalier {

Result<std::shared_ptr<const CodepointAutomaton>> format_automaton(std::string_view name) {
  if (name == "hostname") return hostname_automaton();
  const auto pattern = format_pattern(name);
  if (!pattern) return std::shared_ptr<const CodepointAutomaton>();
  return compile_anchored(*pattern);
}

}  // namespace espalier
