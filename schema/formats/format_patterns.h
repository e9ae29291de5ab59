#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

/// Which texts a dialect's format "relative-json-pointer" follows.
enum class RelativePointers : uint8_t {
  kPlain,        ///< draft-handrews-relative-json-pointer-01, -02: up to 2019-09
  kWithIndexes,  ///< draft-bhutton-relative-json-pointer-00: "0+1/a" too; since 2020-12
};

/// The regular expression (ECMA-262, to be matched against the whole string) of a format that is a
/// regular language; see format_patterns.cpp. nullopt for any other name.
std::optional<std::string> format_pattern(
    std::string_view name, RelativePointers relative_pointers = RelativePointers::kWithIndexes);

/// Pieces that other formats share.
std::string ipv4_pattern();
/// `omitted` is the least number of groups that "::" stands for.
std::string ipv6_pattern(int omitted);

}  // namespace espalier
