#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

/// What the Bidi rule (RFC 5893) has to know about a label.
struct LabelDirection {
  bool right_to_left = false;  ///< holds a character of class R, AL or AN
  bool breaks_rule = false;    ///< may not stand beside a right-to-left label
};

/// Checks an A-label ("xn--...", lower case) by IDNA 2008: Punycode of a U-label in NFC whose code
/// points are PVALID or stand where RFC 5892 allows them. nullopt if it is not one.
std::optional<LabelDirection> check_a_label(std::string_view label);

/// A U-label that passed the same checks, and its A-label.
struct ULabel {
  std::string a_label;
  LabelDirection direction;
};
/// Checks a label with characters outside of ASCII as it stands: nothing is mapped.
std::optional<ULabel> check_u_label(std::u16string_view label);

/// PVALID, CONTEXTJ or CONTEXTO by RFC 5892.
bool is_allowed_in_u_label(uint32_t codepoint);

/// The A-label of a U-label, valid or not; empty if it has none.
std::string to_a_label(std::u16string_view label);

}  // namespace espalier
