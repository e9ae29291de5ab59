#pragma once

#include <string_view>

namespace espalier {

/// Can RapidJSON read this text as it is (see json_document.cpp)? True only if it is ASCII without
/// NUL, without \u escapes, exponents and very long runs of digits. Errors in its syntax do not
/// matter; false is no verdict.
bool is_plain_json(std::string_view text);

}  // namespace espalier
