// Identifiers and references of JSON Schema.
//
// Loading a document walks its schema positions (values of keywords that hold subschemas in the
// dialect at hand; never `enum`, `const` or unknown keywords, where an "$id" is plain data) and
// notes for each the *resource* it belongs to. A subschema with an identifier starts a new
// resource:
//
//   {"$id": "http://h/a", "$defs": {"x": {"$id": "b", "$anchor": "t"}}}
//
// has the resources http://h/a and http://h/b, the latter with the anchor "t". A reference is
// resolved against the base of its resource; its URI part names a resource (found here, or loaded
// from the store), its fragment a JSON pointer or an anchor inside it. A pointer may lead through
// or into unknown keywords; what it finds is then indexed as a schema of the nearest enclosing
// resource.
//
// What differs: draft-04 spells `id`; up to draft-07 "#name" as identifier is an anchor, and
// `$ref` hides an identifier beside it (except at a document's root, where nothing else could name
// it).
//
// Invariants: a location, once it has a resource, keeps it; the first of several equal identifiers
// wins. Cost: one visit of each schema position. Reference: RFC 3986, RFC 6901, JSON Schema core
// 8-9.
#include "schema/loading/schema_resolver.h"

#include "schema/loading/schema_keywords.h"
#include "schema/loading/uri.h"

namespace espalier {
namespace {

/// Objects with more members than this get a hash table when a pointer leads into them.
constexpr uint32_t kLargeObject = 16;

Status unresolved(std::string_view reference, std::string reason) {
  return Status(StatusCode::kUnresolved,
                "The reference \"" + std::string(reference) + "\" cannot be resolved: " + reason);
}

std::string_view string_member(const JsonDocument& json, JsonId object, std::string_view name) {
  const JsonId id = json.find(object, name);
  return id != kNoJson && json[id].is_string() ? json[id].text : std::string_view();
}

}  // namespace

Status SchemaResolver::open(std::string_view text) {
  return add_document(text, "", DialectChoice{}).status();
}

Result<ResourceId> SchemaResolver::add_document(std::string_view text, const std::string& uri,
                                                const DialectChoice& fallback) {
  auto json =
      JsonDocument::parse(text, options_.limits.max_schema_bytes, options_.limits.max_schema_depth);
  if (!json.ok()) return json.status();
  const uint32_t index_of_document = static_cast<uint32_t>(documents_.size());
  const JsonDocument& document = **json;
  documents_.add(std::move(*json), uri);
  resource_of_.emplace_back(document.size(), kNoResource);

  const ResourceId id = static_cast<ResourceId>(resources_.size());
  SchemaResource& resource = resources_.emplace_back();
  resource.base = uri;
  resource.root = {index_of_document, document.root()};
  resource.dialect = fallback.dialect;
  resource.validates = fallback.validates;
  by_uri_.try_emplace(uri, id);

  const std::string_view schema_uri = string_member(document, document.root(), "$schema");
  if (!schema_uri.empty()) {
    const DialectChoice choice = dialect_of(schema_uri, id);
    resources_[id].dialect = choice.dialect;
    resources_[id].validates = choice.validates;
  }
  const std::string_view own =
      string_member(document, document.root(), id_keyword(resources_[id].dialect));
  if (const std::string_view base = without_fragment(own); !base.empty()) {
    resources_[id].base = resolve_uri(uri, base);
    by_uri_.try_emplace(resources_[id].base, id);
  }
  index(resources_[id].root, id);
  return id;
}

SchemaResolver::DialectChoice SchemaResolver::dialect_of(std::string_view schema_uri,
                                                         ResourceId from) {
  if (const auto known = dialect_of_uri(schema_uri)) return {*known, true};
  const std::string uri(without_fragment(schema_uri));
  if (!choosing_.try_emplace(uri, true).second) return {};
  DialectChoice choice;
  if (const auto found = find_resource(uri, from); found.ok()) {
    const SchemaResource& meta = resources_[*found];
    const JsonDocument& json = document(meta.root.document);
    choice.dialect = meta.dialect;
    const JsonId vocabulary = json.find(meta.root.json, "$vocabulary");
    if (vocabulary != kNoJson && json[vocabulary].is_object()) {
      choice.validates = false;
      for (uint32_t i = 0; i < json[vocabulary].count; ++i) {
        if (json[json[vocabulary].first + i].key.ends_with("/vocab/validation")) {
          choice.validates = true;
        }
      }
    }
  }
  choosing_.erase(uri);
  return choice;
}

// Starts a new resource where the schema at `location` has an identifier, and notes its anchors.
ResourceId SchemaResolver::enter(Location location, ResourceId resource) {
  const JsonDocument& json = document(location.document);
  const bool is_root = resources_[resource].root == location;
  Dialect dialect = resources_[resource].dialect;
  const bool hidden =
      ref_hides_siblings(dialect) && !string_member(json, location.json, "$ref").empty();
  const std::string_view id = string_member(json, location.json, id_keyword(dialect));
  if (!hidden && !is_root && !without_fragment(id).empty()) {
    const ResourceId created = static_cast<ResourceId>(resources_.size());
    std::string base = resolve_uri(resources_[resource].base, without_fragment(id));
    SchemaResource& added = resources_.emplace_back();
    added.base = base;
    added.root = location;
    added.dialect = dialect;
    added.validates = resources_[resource].validates;
    if (const auto own = dialect_of_uri(string_member(json, location.json, "$schema"))) {
      added.dialect = *own;
      added.validates = true;
    }
    by_uri_.try_emplace(std::move(base), created);
    dialect = added.dialect;
    resource = created;
  }
  SchemaResource& owner = resources_[resource];
  if (dialect <= Dialect::kDraft7) {
    const std::string_view name = fragment_of(id);
    if (!name.empty() && !hidden) owner.anchors.try_emplace(name, location.json);
    return resource;
  }
  const std::string_view anchor = string_member(json, location.json, "$anchor");
  if (!anchor.empty()) owner.anchors.try_emplace(anchor, location.json);
  if (dialect == Dialect::k2019_09) {
    const JsonId recursive = json.find(location.json, "$recursiveAnchor");
    if (recursive != kNoJson && json[recursive].is_true() && owner.root == location) {
      owner.recursive_anchor = true;
    }
  } else {
    const std::string_view dynamic = string_member(json, location.json, "$dynamicAnchor");
    if (!dynamic.empty()) {
      owner.anchors.try_emplace(dynamic, location.json);
      owner.dynamic_anchors.emplace_back(dynamic, location.json);
    }
  }
  return resource;
}

void SchemaResolver::index(Location location, ResourceId resource) {
  const JsonDocument& json = document(location.document);
  std::vector<ResourceId>& resource_of = resource_of_[location.document];
  std::vector<std::pair<JsonId, ResourceId>> stack = {{location.json, resource}};
  const auto push_children = [&](const JsonNode& node, ResourceId owner, bool skip_arrays) {
    for (uint32_t i = node.count; i > 0; --i) {
      const JsonId child = node.first + i - 1;
      if (!(skip_arrays && json[child].is_array())) stack.emplace_back(child, owner);
    }
  };
  while (!stack.empty()) {
    auto [id, owner] = stack.back();
    stack.pop_back();
    if (resource_of[id] != kNoResource) continue;
    const JsonNode& node = json[id];
    ++positions_;
    if (node.is_object()) owner = enter({location.document, id}, owner);
    resource_of[id] = owner;
    if (!node.is_object()) continue;
    const Dialect dialect = resources_[owner].dialect;
    for (uint32_t i = node.count; i > 0; --i) {
      const JsonId member = node.first + i - 1;
      const JsonNode& value = json[member];
      const KeywordInfo* keyword = find_keyword(value.key, dialect);
      if (keyword == nullptr) continue;
      switch (keyword->shape) {
        case SubschemaShape::kNone:
          break;
        case SubschemaShape::kSchema:
          stack.emplace_back(member, owner);
          break;
        case SubschemaShape::kArray:
          if (value.is_array()) push_children(value, owner, false);
          break;
        case SubschemaShape::kMap:
          if (value.is_object()) push_children(value, owner, false);
          break;
        case SubschemaShape::kSchemaOrArray:
          if (value.is_array()) {
            push_children(value, owner, false);
          } else {
            stack.emplace_back(member, owner);
          }
          break;
        case SubschemaShape::kMapOrNames:
          if (value.is_object()) push_children(value, owner, true);
          break;
        case SubschemaShape::kMapOfMaps:
          for (uint32_t j = 0; value.is_object() && j < value.count; ++j) {
            const JsonNode& by_value = json[value.first + j];
            if (by_value.is_object()) push_children(by_value, owner, false);
          }
          break;
      }
    }
  }
}

Result<ResourceId> SchemaResolver::find_resource(const std::string& uri, ResourceId from) {
  if (resources_[from].base == uri) return from;
  if (const auto found = by_uri_.find(uri); found != by_uri_.end()) return found->second;
  auto text = store_.find(uri);
  if (!text) return unresolved(uri, "no such document is known.");
  const SchemaResource& referrer = resources_[from];
  auto added = add_document(*text, uri, {referrer.dialect, referrer.validates});
  if (!added.ok()) {
    return Status(added.status().code(),
                  "In the referenced document " + uri + ": " + added.status().to_string());
  }
  return added;
}

JsonId SchemaResolver::find_member(Location object, std::string_view name) {
  const JsonDocument& json = document(object.document);
  const JsonNode& node = json[object.json];
  if (!node.is_object() || node.count <= kLargeObject) return json.find(object.json, name);
  auto& members = large_objects_[object];
  if (members.empty()) {
    for (JsonId i = node.first; i < node.first + node.count; ++i) members.emplace(json[i].key, i);
  }
  const auto found = members.find(name);
  return found == members.end() ? kNoJson : found->second;
}

Result<Location> SchemaResolver::find_pointer(ResourceId resource, std::string_view pointer) {
  const Location root = resources_[resource].root;
  const JsonDocument& json = document(root.document);
  const std::vector<ResourceId>& resource_of = resource_of_[root.document];
  JsonId at = root.json;
  ResourceId owner = resource;
  std::string_view rest = pointer;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t slash = rest.find('/');
    const std::string_view token = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    std::string name;
    for (size_t i = 0; i < token.size(); ++i) {
      if (token[i] != '~') {
        name.push_back(token[i]);
      } else if (++i < token.size() && (token[i] == '0' || token[i] == '1')) {
        name.push_back(token[i] == '0' ? '~' : '/');
      } else {
        return unresolved(pointer, "\"~\" must be followed by 0 or 1 in a JSON pointer.");
      }
    }
    JsonId next = kNoJson;
    if (json[at].is_array()) {
      const bool digits = !name.empty() && name.size() <= 9 &&
                          name.find_first_not_of("0123456789") == std::string::npos &&
                          (name.size() == 1 || name[0] != '0');
      const uint32_t position = digits ? static_cast<uint32_t>(std::stoul(name)) : UINT32_MAX;
      if (position < json[at].count) next = json[at].first + position;
    } else {
      next = find_member({root.document, at}, name);
    }
    if (next == kNoJson) {
      return unresolved(pointer, "there is no \"" + name + "\" in \"" +
                                     documents_.place({root.document, at}) + "\".");
    }
    at = next;
    if (resource_of[at] != kNoResource) owner = resource_of[at];
  }
  index({root.document, at}, owner);
  return Location{root.document, at};
}

Result<ResolvedReference> SchemaResolver::resolve(ResourceId from, std::string_view reference) {
  const std::string uri = resolve_uri(resources_[from].base, reference);
  const auto fragment = percent_decode(fragment_of(uri));
  if (!fragment) return unresolved(reference, "its fragment is not percent-encoded properly.");
  const auto resource = find_resource(std::string(without_fragment(uri)), from);
  if (!resource.ok()) {
    if (resource.status().code() != StatusCode::kUnresolved) return resource.status();
    return unresolved(reference, "no document with the URI \"" +
                                     std::string(without_fragment(uri)) + "\" is known.");
  }
  ResolvedReference result{resources_[*resource].root, *resource, *fragment};
  if (fragment->empty()) return result;
  if (fragment->starts_with('/')) {
    const auto target = find_pointer(*resource, *fragment);
    if (!target.ok()) return Status(target.status().code(), target.status().message());
    result.target = *target;
    return result;
  }
  const auto& anchors = resources_[*resource].anchors;
  const auto found = anchors.find(*fragment);
  if (found == anchors.end()) {
    return unresolved(reference, "no anchor \"" + *fragment + "\" is known there.");
  }
  result.target.json = found->second;
  return result;
}

}  // namespace espalier
