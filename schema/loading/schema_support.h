#pragma once

#include <string>
#include <string_view>

#include "schema/json/json_document.h"
#include "schema/loading/schema_keywords.h"

namespace espalier {

/// What is done with one occurrence of a keyword.
struct KeywordSupport {
  enum class Kind : uint8_t {
    kEnforced,
    kPlain,    ///< enforced as the keyword for what the siblings leave (`additionalProperties`)
    kTrivial,  ///< there is nothing it could speak of
  };
  Kind kind = Kind::kEnforced;
  std::string reason;  ///< why it asserts nothing, "" if it does
};

/// What to do with a keyword: `value` is the keyword's value inside the object `schema`.
KeywordSupport keyword_support(const KeywordInfo& keyword, const JsonDocument& json, JsonId schema,
                               JsonId value, Dialect dialect);

/// Is this a format that some draft defines? Such a format is asserted or refused; any other is an
/// annotation.
bool is_standard_format(std::string_view name);

}  // namespace espalier
