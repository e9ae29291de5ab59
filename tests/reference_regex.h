#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace espalier::reference {

/// An ECMA-262 pattern run by ICU's backtracking engine, for the reference validator.
class Regex {
 public:
  /// nullptr, with the reason, when the pattern is not one.
  static std::shared_ptr<const Regex> create(std::string_view pattern, std::string* error);
  /// Is the text a pattern at all? (ICU runs no look-behind of unbounded length.)
  static bool is_pattern(std::string_view text);
  virtual ~Regex() = default;
  /// Does the pattern match somewhere in the WTF-8 text?
  virtual bool search(std::string_view text) const = 0;
};

}  // namespace espalier::reference
