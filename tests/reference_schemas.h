#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/reference_json.h"
#include "tests/reference_validator.h"

namespace espalier::reference {

/// Drafts by year-like number: 4, 6, 7, 2019, 2020, 2026 (v1).
struct Dialect {
  int draft = 2020;
  bool validation = true;  ///< the validation vocabulary is in use
  bool assert_formats = false;
  bool assert_content = false;
};

/// A schema resource: a schema with its own URI.
struct Resource {
  std::string uri;
  const Json* root = nullptr;
  Dialect dialect;
  std::map<std::string, const Json*> anchors;
  std::map<std::string, const Json*> dynamic_anchors;
  bool recursive_anchor = false;
};

/// All schema documents of a validator, their resources and anchors.
class Schemas {
 public:
  Schemas(const ValidatorOptions& options) : options_(options) {}

  /// Throws std::runtime_error when a document or a reference is broken.
  const Json* load_root(const std::string& text);
  /// The resource a scanned schema belongs to.
  const Resource& resource_of(const Json* schema) const { return *owner_.at(schema); }
  /// The target of a reference written in a schema of `from`.
  const Json* resolve(const Resource& from, const std::string& reference);
  const Resource* find_resource(const std::string& uri);

 private:
  Dialect dialect_of(const std::string& schema_uri);
  const Json* load(const std::string& uri, const std::string& text, Dialect dialect);
  void scan(const Json& node, Resource* current);
  void scan_children(const Json& node, Resource* current);
  void check_references(size_t from);

  const ValidatorOptions options_;
  std::vector<std::unique_ptr<Json>> documents_;
  std::vector<std::unique_ptr<Resource>> resources_;
  std::map<std::string, Resource*> by_uri_;
  std::unordered_map<const Json*, Resource*> owner_;
  std::vector<const Json*> scanned_;
};

std::string resolve_uri(const std::string& base, const std::string& reference);

}  // namespace espalier::reference
