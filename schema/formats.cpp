// Formats by name.
//
// Most are regular expressions (format_patterns.cpp). The others have machines of their own:
//   hostname  a label that starts with "xn--" must be the Punycode of a valid U-label
//             (hostname.cpp)
//   regex     parentheses nest and names are remembered (grammar/regex_syntax.cpp)
//   idn-hostname  a U-label's length is bounded through its Punycode form (idn_hostname.cpp)
#include "schema/formats.h"

#include <map>
#include <mutex>
#include <string>

#include "grammar/regex_syntax.h"
#include "grammar/structured_automaton.h"
#include "schema/format_patterns.h"
#include "schema/hostname.h"
#include "schema/idn_hostname.h"

namespace espalier {
namespace {

constexpr uint32_t kMaxStates = 1'000'000;

/// The process-wide automaton of a machine; a fresh one when the last is full.
template <typename Machine>
std::shared_ptr<const CodepointAutomaton> structured(const char* name) {
  static std::mutex mutex;
  static std::shared_ptr<const CodepointAutomaton> shared;
  const std::lock_guard lock(mutex);
  if (shared == nullptr || !shared->status().ok())
    shared = std::make_shared<StructuredAutomaton<Machine>>(std::string("the format ") + name,
                                                            kMaxStates);
  return shared;
}

/// The process-wide automaton of a format that is a regular language, by name; a fresh one when the
/// last is full.
Result<std::shared_ptr<const CodepointAutomaton>> pattern_format(std::string_view name) {
  static std::mutex mutex;
  static auto* const known =
      new std::map<std::string, std::shared_ptr<const CodepointAutomaton>, std::less<>>;
  const std::lock_guard lock(mutex);
  const auto it = known->find(name);
  if (it != known->end() && it->second->status().ok()) return it->second;
  const auto pattern = format_pattern(name);
  if (!pattern) return std::shared_ptr<const CodepointAutomaton>();
  auto automaton = compile_anchored(*pattern);
  if (automaton.ok()) known->insert_or_assign(std::string(name), *automaton);
  return automaton;
}

}  // namespace

Result<std::shared_ptr<const CodepointAutomaton>> format_automaton(std::string_view name) {
  if (name == "hostname") return structured<HostnameMachine>("hostname");
  if (name == "idn-hostname") return structured<IdnHostnameMachine>("idn-hostname");
  if (name == "regex") return structured<RegexSyntaxMachine>("regex");
  return pattern_format(name);
}

}  // namespace espalier
