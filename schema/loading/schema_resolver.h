#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "espalier/status.h"
#include "schema/json/json_document.h"
#include "schema/loading/schema_store.h"
#include "schema/schema_graph.h"

namespace espalier {

using ResourceId = uint32_t;
inline constexpr ResourceId kNoResource = UINT32_MAX;

/// A schema resource: a document's root or a subschema with its own identifier.
struct SchemaResource {
  std::string base;  ///< its URI without fragment; "" when there is none
  Location root;
  Dialect dialect = Dialect::k2020_12;
  bool validates = true;  ///< false when the meta-schema leaves the validation vocabulary out
  std::unordered_map<std::string_view, JsonId> anchors;
  std::vector<std::pair<std::string_view, JsonId>> dynamic_anchors;
  bool recursive_anchor = false;
};

/// Where a reference leads.
struct ResolvedReference {
  Location target;
  ResourceId resource = kNoResource;  ///< the resource the URI part names
  std::string fragment;               ///< decoded
};

/// Knows the loaded documents, their resources and anchors, and resolves references among them,
/// loading further documents from the store when one is asked for. Documents go to `documents`.
/// Single-threaded.
class SchemaResolver {
 public:
  SchemaResolver(const SchemaOptions& options, SchemaDocuments* documents)
      : options_(options), documents_(*documents), store_(options) {}

  /// Loads document 0.
  Status open(std::string_view text);

  /// Resolves a URI reference found in `from`. The failure's place is left empty.
  Result<ResolvedReference> resolve(ResourceId from, std::string_view reference);

  const JsonDocument& document(uint32_t index) const { return documents_[index]; }
  const SchemaResource& resource(ResourceId id) const { return resources_[id]; }
  /// The resource of a location that holds a schema: one that was indexed or resolved to.
  ResourceId resource_of(Location location) const {
    return resource_of_[location.document][location.json];
  }
  /// Number of schema positions found so far.
  size_t positions() const { return positions_; }

 private:
  struct DialectChoice {
    Dialect dialect = Dialect::k2020_12;
    bool validates = true;
  };

  Result<ResourceId> add_document(std::string_view text, const std::string& uri,
                                  const DialectChoice& fallback);
  void index(Location location, ResourceId resource);
  ResourceId enter(Location location, ResourceId resource);
  DialectChoice dialect_of(std::string_view schema_uri, ResourceId from);
  Result<ResourceId> find_resource(const std::string& uri, ResourceId from);
  JsonId find_member(Location object, std::string_view name);
  Result<Location> find_pointer(ResourceId resource, std::string_view pointer);

  const SchemaOptions& options_;
  SchemaDocuments& documents_;
  SchemaStore store_;
  std::vector<std::vector<ResourceId>> resource_of_;  // by document and JsonId
  std::vector<SchemaResource> resources_;
  std::unordered_map<std::string, ResourceId> by_uri_;
  std::unordered_map<std::string, bool> choosing_;  // meta-schemas whose dialect is being found
  std::map<Location, std::unordered_map<std::string_view, JsonId>> large_objects_;
  size_t positions_ = 0;
};

}  // namespace espalier
