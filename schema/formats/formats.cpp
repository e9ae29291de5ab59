// Formats by name.
//
// Most are regular expressions (format_patterns.cpp). The others have machines of their own:
//   hostname      what follows "xn--" must be the Punycode of a valid U-label (hostname.cpp)
//   idn-hostname  a U-label's length is bounded through its Punycode form (idn_hostname.cpp)
//   regex         parentheses nest and names are remembered (grammar/regex/regex_syntax.cpp)
//   date-time, date, time   leap years and leap seconds relate distant digits (timestamp.cpp)
//   email, idn-email        three lengths are bounded at once (mailbox.cpp)
#include "schema/formats/formats.h"

#include <map>
#include <mutex>
#include <string>

#include "grammar/codepoints/structured_automaton.h"
#include "grammar/regex/regex_syntax.h"
#include "schema/formats/format_patterns.h"
#include "schema/formats/hostname.h"
#include "schema/formats/idn_hostname.h"
#include "schema/formats/mailbox.h"
#include "schema/formats/timestamp.h"

namespace espalier {
namespace {

/// The process-wide automaton of a format that is a regular language, by name.
Result<std::shared_ptr<const CodepointAutomaton>> pattern_format(std::string_view name,
                                                                 RelativePointers pointers) {
  static std::mutex mutex;
  using Known = std::map<std::string, std::shared_ptr<const CodepointAutomaton>, std::less<>>;
  static auto* const known = new std::map<RelativePointers, Known>;
  const std::lock_guard lock(mutex);
  Known& formats = (*known)[pointers];
  const auto it = formats.find(name);
  if (it != formats.end() && !it->second->worn()) return it->second;
  const auto pattern = format_pattern(name, pointers);
  if (!pattern) return std::shared_ptr<const CodepointAutomaton>();
  auto automaton = compile_anchored(*pattern);
  if (automaton.ok()) formats.insert_or_assign(std::string(name), *automaton);
  return automaton;
}

}  // namespace

Result<std::shared_ptr<const CodepointAutomaton>> format_automaton(std::string_view name,
                                                                   Dialect dialect) {
  if (name == "hostname") return shared_automaton<HostnameMachine>("the format hostname");
  if (name == "idn-hostname") {
    return shared_automaton<IdnHostnameMachine>("the format idn-hostname");
  }
  if (name == "regex") return shared_automaton<RegexSyntaxMachine>("the format regex");
  using enum TimestampPart;
  if (name == "date-time") return shared_automaton<TimestampMachine<kDateTime>>("date-times");
  if (name == "date") return shared_automaton<TimestampMachine<kDate>>("dates");
  if (name == "time") return shared_automaton<TimestampMachine<kTime>>("times");
  if (name == "email") return shared_automaton<MailboxMachine<false>>("the format email");
  if (name == "idn-email") return shared_automaton<MailboxMachine<true>>("the format idn-email");
  const bool plain = name == "relative-json-pointer" && dialect < Dialect::k2020_12;
  return pattern_format(name, plain ? RelativePointers::kPlain : RelativePointers::kWithIndexes);
}

}  // namespace espalier
