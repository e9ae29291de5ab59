#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espalier {

/// The regular expression (ECMA-262, to be matched against the whole string) of a format that is a
/// regular language; see format_patterns.cpp. nullopt for any other name.
std::optional<std::string> format_pattern(std::string_view name);

/// Pieces that other formats share.
std::string ipv4_pattern();
/// `omitted` is the least number of groups that "::" stands for.
std::string ipv6_pattern(int omitted);

}  // namespace espalier
