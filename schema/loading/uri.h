#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espalier {

/// The five parts of a URI reference (RFC 3986, appendix B). An absent part is nullopt, an empty
/// one is "": they differ ("http://h" and "http://h?").
struct UriParts {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

UriParts split_uri(std::string_view uri);

/// Resolves a reference against a base, the fragment included (RFC 3986 section 5.2, without the
/// demand that the base has a scheme: relative bases give relative results).
std::string resolve_uri(std::string_view base, std::string_view reference);

/// The part before "#", and the fragment after it ("" when absent), not decoded.
std::string_view without_fragment(std::string_view uri);
std::string_view fragment_of(std::string_view uri);

/// Percent-decodes; nullopt when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace espalier
