// URI references: splitting, resolving, decoding.
//
// Resolution follows RFC 3986 section 5.2.2 part by part: what the reference has wins, from its
// first present part on; the rest comes from the base; "." and ".." segments are then removed.
//
//   resolve_uri("http://h/a/b.json", "c.json#x")   = "http://h/a/c.json#x"
//   resolve_uri("urn:uuid:1234", "#/$defs/a")       = "urn:uuid:1234#/$defs/a"
//
// Schemas without an identifier have the base "", so bases may be relative here; the same rules
// then give relative results. Cost: linear in the texts.
#include "schema/loading/uri.h"

namespace espalier {
namespace {

bool is_scheme(std::string_view text) {
  if (text.empty()) return false;
  const auto alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!alpha(text[0])) return false;
  for (const char c : text) {
    if (!alpha(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./")) {
      path.remove_prefix(2);
    } else if (path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path.size() == 3 ? std::string_view("/") : path.substr(3);
      const size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const size_t next = path.find('/', 1);
      out += path.substr(0, next);
      path = next == std::string_view::npos ? std::string_view() : path.substr(next);
    }
  }
  return out;
}

std::string merge_paths(const UriParts& base, std::string_view path) {
  if (base.authority && base.path.empty()) return "/" + std::string(path);
  const size_t slash = base.path.rfind('/');
  if (slash == std::string_view::npos) return std::string(path);
  return std::string(base.path.substr(0, slash + 1)) + std::string(path);
}

}  // namespace

UriParts split_uri(std::string_view uri) {
  UriParts parts;
  if (const size_t hash = uri.find('#'); hash != std::string_view::npos) {
    parts.fragment = uri.substr(hash + 1);
    uri = uri.substr(0, hash);
  }
  if (const size_t mark = uri.find('?'); mark != std::string_view::npos) {
    parts.query = uri.substr(mark + 1);
    uri = uri.substr(0, mark);
  }
  const size_t colon = uri.find(':');
  if (colon != std::string_view::npos && is_scheme(uri.substr(0, colon))) {
    parts.scheme = uri.substr(0, colon);
    uri = uri.substr(colon + 1);
  }
  if (uri.starts_with("//")) {
    uri.remove_prefix(2);
    const size_t slash = uri.find('/');
    parts.authority = uri.substr(0, slash);
    uri = slash == std::string_view::npos ? std::string_view() : uri.substr(slash);
  }
  parts.path = uri;
  return parts;
}

std::string resolve_uri(std::string_view base_uri, std::string_view reference_uri) {
  const UriParts base = split_uri(base_uri);
  const UriParts reference = split_uri(reference_uri);
  std::optional<std::string_view> scheme = base.scheme;
  std::optional<std::string_view> authority = base.authority;
  std::optional<std::string_view> query = reference.query;
  std::string path;
  if (reference.scheme) {
    scheme = reference.scheme;
    authority = reference.authority;
    path = reference.path.starts_with("/") ? remove_dot_segments(reference.path)
                                           : std::string(reference.path);
  } else if (reference.authority) {
    authority = reference.authority;
    path = remove_dot_segments(reference.path);
  } else if (reference.path.empty()) {
    path = std::string(base.path);
    if (!query) query = base.query;
  } else if (reference.path.starts_with("/")) {
    path = remove_dot_segments(reference.path);
  } else {
    path = remove_dot_segments(merge_paths(base, reference.path));
  }
  std::string result;
  if (scheme) result.append(*scheme).append(":");
  if (authority) result.append("//").append(*authority);
  result += path;
  if (query) result.append("?").append(*query);
  if (reference.fragment) result.append("#").append(*reference.fragment);
  return result;
}

std::string_view without_fragment(std::string_view uri) { return uri.substr(0, uri.find('#')); }

std::string_view fragment_of(std::string_view uri) {
  const size_t hash = uri.find('#');
  return hash == std::string_view::npos ? std::string_view() : uri.substr(hash + 1);
}

std::optional<std::string> percent_decode(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return {};
    out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
    i += 2;
  }
  return out;
}

}  // namespace espalier
