// Schema documents: identifiers, anchors and references (JSON Schema core, sections 8 and 9; RFC
// 3986, section 5; RFC 6901).

#include "tests/reference_schemas.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace espalier::reference {
namespace {

struct Uri {
  std::string scheme, authority, path, query, fragment;
  bool has_authority = false, has_query = false, has_fragment = false;
};

Uri split_uri(std::string text) {
  Uri uri;
  if (const size_t hash = text.find('#'); hash != std::string::npos) {
    uri.has_fragment = true;
    uri.fragment = text.substr(hash + 1);
    text.resize(hash);
  }
  if (const size_t mark = text.find('?'); mark != std::string::npos) {
    uri.has_query = true;
    uri.query = text.substr(mark + 1);
    text.resize(mark);
  }
  const size_t colon = text.find(':');
  if (colon != std::string::npos && colon > 0 && text.find('/') > colon) {
    uri.scheme = text.substr(0, colon);
    text.erase(0, colon + 1);
  }
  if (text.rfind("//", 0) == 0) {
    const size_t end = std::min(text.find('/', 2), text.size());
    uri.has_authority = true;
    uri.authority = text.substr(2, end - 2);
    text.erase(0, end);
  }
  uri.path = text;
  return uri;
}

std::string join_uri(const Uri& uri) {
  std::string text;
  if (!uri.scheme.empty()) text += uri.scheme + ":";
  if (uri.has_authority) text += "//" + uri.authority;
  text += uri.path;
  if (uri.has_query) text += "?" + uri.query;
  if (uri.has_fragment) text += "#" + uri.fragment;
  return text;
}

std::string remove_dots(const std::string& path) {
  std::vector<std::string> parts;
  size_t at = 0;
  bool directory = false;
  while (at <= path.size()) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    directory = part == "." || part == "..";
    if (part == "..") {
      if (parts.size() > 1) parts.pop_back();
    } else if (part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string result;
  for (size_t i = 0; i < parts.size(); ++i) result += (i > 0 ? "/" : "") + parts[i];
  return directory ? result + "/" : result;
}

std::string percent_decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string* string_member(const Json& node, std::string_view name) {
  const Json* member = node.find(name);
  return member != nullptr && member->is_string() ? &member->text : nullptr;
}

}  // namespace

std::string resolve_uri(const std::string& base_text, const std::string& reference) {
  const Uri base = split_uri(base_text);
  Uri uri = split_uri(reference);
  if (!uri.scheme.empty()) {
    if (uri.has_authority) uri.path = remove_dots(uri.path);
    return join_uri(uri);
  }
  uri.scheme = base.scheme;
  if (uri.has_authority) return join_uri(uri);
  uri.has_authority = base.has_authority;
  uri.authority = base.authority;
  if (uri.path.empty()) {
    uri.path = base.path;
    if (!uri.has_query) {
      uri.has_query = base.has_query;
      uri.query = base.query;
    }
    return join_uri(uri);
  }
  if (uri.path[0] != '/') {
    const size_t slash = base.path.rfind('/');
    const std::string folder = slash == std::string::npos ? (base.has_authority ? "/" : "")
                                                          : base.path.substr(0, slash + 1);
    uri.path = folder + uri.path;
  }
  uri.path = remove_dots(uri.path);
  return join_uri(uri);
}

Dialect Schemas::dialect_of(const std::string& schema_uri) {
  static const std::map<std::string, int> kKnown = {
      {"http://json-schema.org/draft-04/schema", 4},
      {"http://json-schema.org/draft-06/schema", 6},
      {"http://json-schema.org/draft-07/schema", 7},
      {"https://json-schema.org/draft/2019-09/schema", 2019},
      {"https://json-schema.org/draft/2020-12/schema", 2020},
      {"https://json-schema.org/v1", 2026},
  };
  std::string uri = schema_uri;
  if (!uri.empty() && uri.back() == '#') uri.pop_back();
  Dialect dialect;
  dialect.assert_formats = options_.assert_formats;
  dialect.assert_content = options_.assert_content;
  if (const auto known = kKnown.find(uri); known != kKnown.end()) {
    dialect.draft = known->second;
    return dialect;
  }
  static const std::string kLocal = "http://localhost:1234/";
  std::string text;
  if (const auto given = options_.documents.find(uri); given != options_.documents.end()) {
    text = given->second;
  } else if (!options_.remotes.empty() && uri.rfind(kLocal, 0) == 0) {
    text = read_file(options_.remotes + "/" + uri.substr(kLocal.size()));
  }
  const auto metaschema = parse_json(text, nullptr);
  if (!metaschema || !metaschema->is_object())
    throw std::runtime_error("unknown dialect " + schema_uri);
  if (const std::string* parent = string_member(*metaschema, "$schema"))
    dialect = dialect_of(*parent);
  if (const Json* vocabulary = metaschema->find("$vocabulary"); vocabulary != nullptr) {
    dialect.validation = false;
    for (const auto& [name, required] : vocabulary->members) {
      if (name.ends_with("/vocab/validation")) dialect.validation = true;
      if (name.ends_with("/vocab/format-assertion")) dialect.assert_formats = true;
    }
  }
  return dialect;
}

const Json* Schemas::load_root(const std::string& text) {
  static const std::map<std::string, int> kNames = {{"draft-04", 4},   {"draft-06", 6},
                                                    {"draft-07", 7},   {"2019-09", 2019},
                                                    {"2020-12", 2020}, {"v1", 2026}};
  Dialect dialect;
  dialect.draft = kNames.at(options_.dialect);
  dialect.assert_formats = options_.assert_formats;
  dialect.assert_content = options_.assert_content;
  return load("", text, dialect);
}

const Json* Schemas::load(const std::string& uri, const std::string& text, Dialect dialect) {
  std::string error;
  auto parsed = parse_json(text, &error);
  if (!parsed) throw std::runtime_error("not JSON: " + error);
  documents_.push_back(std::make_unique<Json>(std::move(*parsed)));
  const Json* root = documents_.back().get();
  if (!root->is_object() && !root->is(Json::Kind::kBoolean)) {
    throw std::runtime_error("a schema is an object or a Boolean");
  }
  resources_.push_back(std::make_unique<Resource>());
  Resource* resource = resources_.back().get();
  resource->uri = uri;
  resource->root = root;
  resource->dialect = dialect;
  if (root->is_object()) {
    if (const std::string* schema = string_member(*root, "$schema"))
      resource->dialect = dialect_of(*schema);
  }
  by_uri_.emplace(uri, resource);
  const size_t from = scanned_.size();
  scan(*root, resource);
  check_references(from);
  return root;
}

void Schemas::scan(const Json& node, Resource* current) {
  if (!node.is_object() && !node.is(Json::Kind::kBoolean)) return;
  if (owner_.count(&node) != 0) return;
  if (!node.is_object()) {
    owner_[&node] = current;
    return;
  }
  Dialect dialect = current->dialect;
  const bool is_root = &node == current->root;
  // Only a resource declares a dialect: elsewhere `$schema` must not stand and changes nothing.
  const bool is_resource = string_member(node, dialect.draft == 4 ? "id" : "$id") != nullptr;
  if (const std::string* schema = string_member(node, "$schema");
      schema != nullptr && is_resource && !is_root) {
    dialect = dialect_of(*schema);
  }
  const bool old = dialect.draft <= 7;
  const bool only_ref = old && string_member(node, "$ref") != nullptr;
  const std::string* id = string_member(node, dialect.draft == 4 ? "id" : "$id");
  if (id != nullptr && !only_ref) {
    const std::string uri = resolve_uri(current->uri, *id);
    const size_t hash = std::min(uri.find('#'), uri.size());
    const std::string fragment = uri.substr(std::min(hash + 1, uri.size()));
    const std::string absolute = uri.substr(0, hash);
    if ((*id)[0] != '#' && !is_root) {
      resources_.push_back(std::make_unique<Resource>());
      current = resources_.back().get();
      current->root = &node;
      current->dialect = dialect;
    }
    if ((*id)[0] != '#') {
      current->uri = absolute;
      by_uri_.emplace(absolute, current);
    }
    if (old && !fragment.empty()) current->anchors.emplace(fragment, &node);
  }
  owner_[&node] = current;
  scanned_.push_back(&node);
  if (!old) {
    if (const std::string* anchor = string_member(node, "$anchor"))
      current->anchors.emplace(*anchor, &node);
    const std::string* dynamic = string_member(node, "$dynamicAnchor");
    if (dynamic != nullptr && dialect.draft >= 2020) {
      current->anchors.emplace(*dynamic, &node);
      current->dynamic_anchors.emplace(*dynamic, &node);
    }
    const Json* recursive = node.find("$recursiveAnchor");
    if (recursive != nullptr && recursive->boolean && &node == current->root)
      current->recursive_anchor = true;
  }
  scan_children(node, current);
}

void Schemas::scan_children(const Json& node, Resource* current) {
  static const std::set<std::string> kSchema = {"additionalItems",
                                                "items",
                                                "contains",
                                                "additionalProperties",
                                                "propertyNames",
                                                "not",
                                                "if",
                                                "then",
                                                "else",
                                                "unevaluatedItems",
                                                "unevaluatedProperties",
                                                "contentSchema"};
  static const std::set<std::string> kArray = {"allOf", "anyOf", "oneOf", "prefixItems", "items"};
  static const std::set<std::string> kMap = {
      "properties", "patternProperties", "dependentSchemas", "definitions",
      "$defs",      "dependencies"};
  for (const auto& [name, value] : node.members) {
    if (kSchema.count(name) != 0) scan(value, current);
    if (kArray.count(name) != 0 && value.is_array()) {
      for (const Json& item : value.items) scan(item, current);
    }
    if (kMap.count(name) != 0 && value.is_object()) {
      for (const auto& member : value.members) scan(member.second, current);
    }
    if (name == "propertyDependencies" && current->dialect.draft == 2026) {
      for (const auto& property : value.members) {
        for (const auto& member : property.second.members) scan(member.second, current);
      }
    }
  }
}

void Schemas::check_references(size_t from) {
  for (size_t i = from; i < scanned_.size(); ++i) {
    const Json* schema = scanned_[i];
    const Resource& resource = resource_of(schema);
    const int draft = resource.dialect.draft;
    if (const std::string* ref = string_member(*schema, "$ref")) resolve(resource, *ref);
    if (const std::string* ref = string_member(*schema, "$dynamicRef");
        ref != nullptr && draft == 2020) {
      resolve(resource, *ref);
    }
  }
}

const Resource* Schemas::find_resource(const std::string& uri) {
  if (const auto found = by_uri_.find(uri); found != by_uri_.end()) return found->second;
  static const std::string kLocal = "http://localhost:1234/";
  Dialect dialect = resources_.front()->dialect;
  if (const auto given = options_.documents.find(uri); given != options_.documents.end()) {
    load(uri, given->second, dialect);
  } else if (!options_.remotes.empty() && uri.rfind(kLocal, 0) == 0) {
    const std::filesystem::path path = options_.remotes + "/" + uri.substr(kLocal.size());
    if (!std::filesystem::is_regular_file(path)) return nullptr;
    load(uri, read_file(path), dialect);
  }
  const auto found = by_uri_.find(uri);
  return found != by_uri_.end() ? found->second : nullptr;
}

const Json* Schemas::resolve(const Resource& from, const std::string& reference) {
  const std::string uri = resolve_uri(from.uri, reference);
  const size_t hash = std::min(uri.find('#'), uri.size());
  const std::string fragment = percent_decode(uri.substr(std::min(hash + 1, uri.size())));
  const Resource* resource =
      reference.empty() || reference[0] == '#' ? &from : find_resource(uri.substr(0, hash));
  if (resource == nullptr) throw std::runtime_error("unresolved reference " + uri);
  if (fragment.empty()) return resource->root;
  if (fragment[0] != '/') {
    const auto anchor = resource->anchors.find(fragment);
    if (anchor == resource->anchors.end()) throw std::runtime_error("unresolved anchor " + uri);
    return anchor->second;
  }
  const Json* node = resource->root;
  Resource* owner = owner_.at(node);
  for (size_t at = 0; at < fragment.size();) {
    const size_t end = std::min(fragment.find('/', at + 1), fragment.size());
    std::string token;
    for (size_t i = at + 1; i < end; ++i) {
      if (fragment[i] == '~' && i + 1 < end) {
        token += fragment[++i] == '1' ? '/' : '~';
      } else {
        token += fragment[i];
      }
    }
    at = end;
    const Json* next = nullptr;
    if (node->is_object()) next = node->find(token);
    if (node->is_array() && !token.empty() &&
        token.find_first_not_of("0123456789") == std::string::npos && token.size() < 9) {
      const auto index = static_cast<size_t>(std::stoul(token));
      if (index < node->items.size()) next = &node->items[index];
    }
    if (next == nullptr) throw std::runtime_error("unresolved pointer " + uri);
    node = next;
    if (const auto known = owner_.find(node); known != owner_.end()) owner = known->second;
  }
  if (owner_.count(node) == 0) {
    const size_t first = scanned_.size();
    scan(*node, owner);
    if (owner_.count(node) == 0) throw std::runtime_error("not a schema at " + uri);
    check_references(first);
  }
  return node;
}

}  // namespace espalier::reference
