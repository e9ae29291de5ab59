// Grammars from lists of texts: the regular expression of their alternatives.

#include <string_view>

#include "espalier/grammar.h"

namespace espalier {

Result<std::shared_ptr<const Grammar>> Grammar::from_choices(
    const std::vector<std::string>& choices, const Limits& limits) {
  if (choices.empty())
    return Status(StatusCode::kInvalidArgument, "A list of choices has at least one.", "choices");
  std::string pattern;
  for (const std::string& choice : choices) {
    pattern += pattern.empty() ? "(?:" : ")|(?:";
    for (const char c : choice) {
      if (std::string_view("^$\\.*+?()[]{}|/").find(c) != std::string_view::npos) pattern += '\\';
      pattern += c;
    }
  }
  auto grammar = from_regex(pattern + ")", limits);
  if (grammar.ok()) return grammar;
  const Status status = grammar.status();
  return Status(status.code(), "A choice is refused: " + status.message(), "choices");
}

}  // namespace espalier
