// Grammars from regular expressions.

#include <algorithm>
#include <limits>

#include "espalier/grammar.h"
#include "grammar/regex/regex_recognizer.h"

namespace espalier {

Result<std::shared_ptr<const Grammar>> Grammar::from_regex(std::string_view pattern,
                                                           const Limits& limits) {
  AutomatonLimits automaton;
  automaton.max_states = static_cast<uint32_t>(
      std::min<size_t>(limits.max_automaton_states, std::numeric_limits<uint32_t>::max()));
  Result<std::shared_ptr<Recognizer>> recognizer = make_regex_recognizer(pattern, automaton);
  if (!recognizer.ok()) return recognizer.status();
  return from_recognizer(*std::move(recognizer), limits.max_store_bytes);
}

}  // namespace espalier
