#pragma once

#include <string>
#include <string_view>

#include "espalier/grammar.h"

namespace espalier {

/// In what two spellings of one JSON value differ.
struct SpellingDifference {
  bool property_order = false;
  bool whitespace = false;
  bool numbers = false;
  bool escapes = false;

  bool any() const { return property_order || whitespace || numbers || escapes; }
  /// "property order", "whitespace", "numbers", "escapes", joined by " + ".
  std::string to_string() const;
  friend bool operator==(const SpellingDifference&, const SpellingDifference&) = default;
};

struct Respelling {
  std::string text;
  SpellingDifference difference;  ///< from the text that was given
};

/// The JSON value of `text` in a spelling that the grammar accepts: as given wherever the grammar
/// takes that. Of a grammar of the profile `exact` it is the text itself. Errors: kParseError (not
/// JSON: place "line:column"; duplicate names), kBudgetExceeded, kRejected where no spelling of the
/// value is accepted (place: the byte of the new spelling).
Result<Respelling> respell(const Grammar& grammar, std::string_view text);

}  // namespace espalier
