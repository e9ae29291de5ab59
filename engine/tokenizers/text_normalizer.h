#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// One rewriting of the text before it is cut into pieces.
struct NormalizerStep {
  enum class Kind : uint8_t {
    kNfc,
    kNfd,
    kNfkc,
    kNfkd,
    kLowercase,
    kStripLeft,
    kStripRight,
    kReplace,             ///< every `from` by `to`
    kPrepend,             ///< `to` before a text that is not empty
    kPrependUnless,       ///< kPrepend, unless the text starts with `to`
    kPrependFirstUnless,  ///< kPrependUnless, only at the very start of the input
  };
  Kind kind;
  std::string from;
  std::string to;
};

/// Applies `steps` to one stretch of text; `at_start` says that it begins the whole input. Text
/// that is not UTF-8 passes the Unicode steps unchanged, so that no byte is lost.
Result<std::string> normalize_text(std::string_view text, bool at_start,
                                   const std::vector<NormalizerStep>& steps);

}  // namespace espalier
