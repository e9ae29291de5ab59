#pragma once

#include <optional>
#include <string_view>

namespace espalier {

/// The standard meta-schema (or vocabulary meta-schema) with this absolute URI, without its titles
/// and descriptions; nullopt for any other URI.
std::optional<std::string_view> metaschema(std::string_view uri);

}  // namespace espalier
