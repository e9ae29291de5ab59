#pragma once

#include <string>
#include <string_view>

namespace espalier {

/// The text without insignificant white space: valid JSON stays the same value in the same
/// spelling, and what is not JSON does not become JSON.
std::string compact_json(std::string_view text);

}  // namespace espalier
