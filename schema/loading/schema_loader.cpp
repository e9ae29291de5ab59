// From a schema text to a graph of nodes.
//
// The resolver knows the documents; the loader builds a node for each schema that can be reached
// from the root, once per (location, dynamic scope), breadth first from a work list, so neither
// recursion in the schema nor its depth costs stack. Example: {"properties": {"a": {"$ref": "#"}}}
// gives
//
//   node 0  pointer ""               properties: a -> 1
//   node 1  pointer "/properties/a"  ref -> 0
//
// `$dynamicRef` and `$recursiveRef` depend on the resources entered on the way to them. That way is
// a *scope*: for each dynamic anchor name the outermost entered resource that defines it. Scopes
// are finite in number, so making them part of a node's identity turns every dynamic reference into
// a plain edge of the graph. Schemas without dynamic anchors have one scope, the empty one.
//
// Invariants: every NodeId in the graph is valid; node 0 is the root; every keyword of a reachable
// schema has one line in the report. Cost: linear in the reachable part per scope.
// Reference: JSON Schema core, sections 7.1 and 8.2.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "schema/loading/narrow_schema.h"
#include "schema/loading/report_loader.h"
#include "schema/loading/schema_assertions.h"
#include "schema/loading/schema_keywords.h"
#include "schema/loading/schema_options.h"
#include "schema/loading/schema_resolver.h"
#include "schema/loading/schema_support.h"
#include "schema/schema_graph.h"

namespace espalier {
namespace {

constexpr size_t kMaxNodes = 250'000;
constexpr size_t kMaxPointerBytes = size_t{256} << 20;

using ScopeId = uint32_t;
/// Sorted by name; the empty name stands for `$recursiveAnchor`.
using Scope = std::vector<std::pair<std::string, Location>>;

class SchemaLoader {
 public:
  enum class Refusals : uint8_t { kFail, kReport };

  SchemaLoader(const SchemaOptions& options, Refusals refusals, KeywordReports reports)
      : options_(options),
        refusals_(refusals),
        reports_(reports),
        graph_(std::make_shared<SchemaGraph>()),
        resolver_(options_, &graph_->documents) {
    scope_ids_.emplace(Scope{}, 0);
    scopes_.emplace_back();
  }

  Result<std::shared_ptr<const SchemaGraph>> load(std::string_view text) {
    if (Status status = resolver_.open(text); !status.ok()) return status;
    auto complete = complete_options(options_, resolver_.document(0));
    if (!complete.ok()) return complete.status();
    graph_->options = *std::move(complete);
    graph_->nodes.reserve(std::min(resolver_.positions(), kMaxNodes));
    graph_->root = node_at({0, resolver_.document(0).root()}, 0);
    for (NodeId id = 0; id < work_.size(); ++id) {
      if (Status status = read(id); !status.ok()) return status;
      if (too_many_nodes_) {
        return exceeded("The schema has more than " + std::to_string(kMaxNodes) + " nodes.");
      }
      if (pointer_bytes_ > kMaxPointerBytes) {
        return exceeded("The JSON pointers of the schema's keywords take more than " +
                        std::to_string(kMaxPointerBytes) + " bytes.");
      }
    }
    narrow_schema(graph_->options, graph_.get());
    return std::shared_ptr<const SchemaGraph>(graph_);
  }

 private:
  struct Work {
    Location location;
    ScopeId scope;
  };
  struct Key {
    Location location;
    ScopeId scope;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      uint64_t h =
          (uint64_t{key.location.document} << 32 | key.location.json) * 0x9E3779B97F4A7C15u;
      h = (h ^ (h >> 29) ^ key.scope) * 0xBF58476D1CE4E5B9u;
      return h ^ (h >> 32);
    }
  };

  static Status exceeded(std::string message) {
    return Status(StatusCode::kBudgetExceeded, std::move(message));
  }

  NodeId node_at(Location location, ScopeId scope) {
    scope = enter(scope, resolver_.resource_of(location));
    const auto [it, added] =
        ids_.try_emplace(Key{location, scope}, static_cast<NodeId>(work_.size()));
    if (added && work_.size() == kMaxNodes) {
      too_many_nodes_ = true;
      ids_.erase(it);
      return 0;
    }
    if (added) {
      work_.push_back({location, scope});
    }
    return it->second;
  }

  /// The node of a subschema of the schema being read.
  NodeId child(JsonId json) { return node_at({work_[current_].location.document, json}, scope_); }

  /// The scope inside `resource` when it is entered from `scope`.
  ScopeId enter(ScopeId scope, ResourceId id) {
    const SchemaResource& resource = resolver_.resource(id);
    if (resource.dynamic_anchors.empty() && !resource.recursive_anchor) return scope;
    const auto [known, first_time] = entered_.try_emplace(uint64_t{scope} << 32 | id, 0);
    if (!first_time) return known->second;
    Scope entered = scopes_[scope];
    const auto add = [&](std::string_view name, JsonId json) {
      const auto at = std::lower_bound(
          entered.begin(), entered.end(), name,
          [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
      if (at != entered.end() && at->first == name) return;
      entered.insert(at, {std::string(name), Location{resource.root.document, json}});
    };
    for (const auto& [name, json] : resource.dynamic_anchors) add(name, json);
    if (resource.recursive_anchor) add("", resource.root.json);
    const auto [it, added] = scope_ids_.try_emplace(entered, static_cast<ScopeId>(scopes_.size()));
    if (added) scopes_.push_back(std::move(entered));
    return known->second = it->second;
  }

  const Location* in_scope(std::string_view name) const {
    for (const auto& entry : scopes_[scope_]) {
      if (entry.first == name) return &entry.second;
    }
    return nullptr;
  }

  void report(std::string_view keyword, KeywordReport::Status status, std::string_view reason,
              std::string_view subject = {}) {
    if (reports_ == KeywordReports::kNone || pointer_bytes_ > kMaxPointerBytes) return;
    KeywordReport& entry = graph_->report.emplace_back();
    entry.pointer = node_->pointer.text();
    append_pointer_token(&entry.pointer, keyword);
    entry.keyword = std::string(keyword);
    pointer_bytes_ += entry.pointer.size();
    entry.status = status;
    (entry.reason = reason) += subject;
  }

  Status read(NodeId id);
  Status read_object(JsonId schema);
  Status read_keyword(const KeywordInfo& keyword, JsonId schema, JsonId value, std::string* note);
  Status read_reference(const KeywordInfo& keyword, JsonId value);
  Status read_array(JsonId value, std::vector<NodeId>* nodes, bool may_be_empty);
  Status read_map(JsonId value, std::vector<std::pair<std::string, NodeId>>* nodes);
  Status read_pattern_properties(JsonId value);
  Status read_dependencies(JsonId value);
  Status read_property_dependencies(JsonId value);

  const SchemaOptions& options_;
  const Refusals refusals_;
  const KeywordReports reports_;
  const std::shared_ptr<SchemaGraph> graph_;
  SchemaResolver resolver_;
  std::vector<Work> work_;  // by NodeId
  std::unordered_map<Key, NodeId, KeyHash> ids_;
  std::vector<Scope> scopes_;
  std::map<Scope, ScopeId> scope_ids_;
  std::unordered_map<uint64_t, ScopeId> entered_;  // scope and resource -> enter()
  size_t pointer_bytes_ = 0;
  bool too_many_nodes_ = false;

  // The schema being read.
  NodeId current_ = 0;
  ScopeId scope_ = 0;
  ResourceId resource_ = 0;
  const JsonDocument* json_ = nullptr;
  SchemaNode* node_ = nullptr;
};

Status SchemaLoader::read(NodeId id) {
  const Location location = work_[id].location;
  current_ = id;
  scope_ = work_[id].scope;
  resource_ = resolver_.resource_of(location);
  json_ = &resolver_.document(location.document);
  node_ = &graph_->nodes.emplace_back();
  node_->pointer = {&graph_->documents, location};
  node_->dialect = resolver_.resource(resource_).dialect;

  Status status;
  const JsonNode& value = (*json_)[location.json];
  if (value.is_boolean()) {
    node_->kind = value.is_true() ? SchemaNode::Kind::kTrue : SchemaNode::Kind::kFalse;
  } else if (value.is_object()) {
    status = read_object(location.json);
  } else {
    status = expected(*json_, location.json, "a schema (an object or a Boolean)");
  }
  if (!status.ok()) {
    return Status(status.code(), status.message(),
                  graph_->documents.place(location.document, status.place()));
  }
  return {};
}

Status SchemaLoader::read_object(JsonId schema) {
  const JsonNode& object = (*json_)[schema];
  const Dialect dialect = node_->dialect;
  const bool only_ref = ref_hides_siblings(dialect) && json_->find(schema, "$ref") != kNoJson;
  for (uint32_t i = 0; i < object.count; ++i) {
    const JsonId value = object.first + i;
    const std::string_view name = (*json_)[value].key;
    const KeywordInfo* keyword = find_keyword(name, dialect);
    if (keyword == nullptr && name == kOptionsMember && current_ == graph_->root &&
        options_.profile != Profile::kExact) {
      report(name, KeywordReport::Status::kEnforced, "");
      continue;
    }
    if (keyword == nullptr) {
      report(name, KeywordReport::Status::kAnnotation, "not a keyword of ", dialect_name(dialect));
      continue;
    }
    if (only_ref && keyword->keyword != Keyword::kRef) {
      report(name, KeywordReport::Status::kAnnotation, "ignored beside $ref in ",
             dialect_name(dialect));
      continue;
    }
    KeywordSupport support = keyword_support(*keyword, *json_, schema, value, dialect);
    std::string note = std::move(support.reason);
    if (support.kind == KeywordSupport::Kind::kPlain) {
      (keyword->keyword == Keyword::kUnevaluatedItems ? node_->items
                                                      : node_->additional_properties) =
          child(value);
    } else if (support.kind == KeywordSupport::Kind::kTrivial) {
      // Nothing is left for it.
    } else if (Status status = read_keyword(*keyword, schema, value, &note); !status.ok()) {
      if (status.code() != StatusCode::kUnsupported || refusals_ == Refusals::kFail) return status;
      report(name, KeywordReport::Status::kRefused, status.message());
      continue;
    }
    const bool enforced = note.empty();
    report(name, enforced ? KeywordReport::Status::kEnforced : KeywordReport::Status::kAnnotation,
           note);
  }
  return {};
}

Status SchemaLoader::read_keyword(const KeywordInfo& keyword, JsonId schema, JsonId value,
                                  std::string* note) {
  const JsonDocument& json = *json_;
  const auto subschema = [&](NodeId* slot) {
    *slot = child(value);
    return Status();
  };
  switch (keyword.keyword) {
    case Keyword::kAnnotation:
      *note = "annotates only";
      return {};
    case Keyword::kSchema:
    case Keyword::kId:
    case Keyword::kAnchor:
    case Keyword::kDynamicAnchor:
      *note = "identifies";
      return json[value].is_string() ? Status() : expected(json, value, "a string");
    case Keyword::kRecursiveAnchor:
      *note = "identifies";
      return json[value].is_boolean() ? Status() : expected(json, value, "a Boolean");
    case Keyword::kVocabulary:
    case Keyword::kDefinitions:
      *note = "holds definitions";
      return json[value].is_object() ? Status() : expected(json, value, "an object");
    case Keyword::kRef:
    case Keyword::kDynamicRef:
    case Keyword::kRecursiveRef:
      return read_reference(keyword, value);
    case Keyword::kProperties:
      return read_map(value, &node_->properties);
    case Keyword::kPatternProperties:
      return read_pattern_properties(value);
    case Keyword::kAdditionalProperties:
      return subschema(&node_->additional_properties);
    case Keyword::kUnevaluatedProperties:
      return subschema(&node_->unevaluated_properties);
    case Keyword::kPropertyNames:
      return subschema(&node_->property_names);
    case Keyword::kDependentSchemas:
      return read_map(value, &node_->dependent_schemas);
    case Keyword::kDependencies:
      return read_dependencies(value);
    case Keyword::kPropertyDependencies:
      return read_property_dependencies(value);
    case Keyword::kPrefixItems:
      return read_array(value, &node_->prefix_items, false);
    case Keyword::kItems:
      if (keyword.shape == SubschemaShape::kSchemaOrArray && json[value].is_array()) {
        return read_array(value, &node_->prefix_items, true);
      }
      return subschema(&node_->items);
    case Keyword::kAdditionalItems: {
      const JsonId items = json.find(schema, "items");
      if (items != kNoJson && json[items].is_array()) return subschema(&node_->items);
      *note = "asserts nothing without an array of items";
      return {};
    }
    case Keyword::kUnevaluatedItems:
      return subschema(&node_->unevaluated_items);
    case Keyword::kContains:
      return subschema(&node_->contains);
    case Keyword::kAllOf:
      return read_array(value, &node_->all_of, false);
    case Keyword::kAnyOf:
      return read_array(value, &node_->any_of, false);
    case Keyword::kOneOf:
      return read_array(value, &node_->one_of, false);
    case Keyword::kNot:
      return subschema(&node_->not_schema);
    case Keyword::kIf:
      if (json.find(schema, "then") == kNoJson && json.find(schema, "else") == kNoJson) {
        *note = "asserts nothing without then or else";
        if (node_->dialect < Dialect::k2019_09) return {};
      }
      return subschema(&node_->if_schema);
    case Keyword::kThen:
    case Keyword::kElse:
      if (json.find(schema, "if") == kNoJson) {
        *note = "asserts nothing without if";
        return {};
      }
      return subschema(keyword.keyword == Keyword::kThen ? &node_->then_schema
                                                         : &node_->else_schema);
    default:
      break;
  }
  if (!resolver_.resource(resource_).validates && keyword.keyword != Keyword::kFormat) {
    *note = "the meta-schema leaves the validation vocabulary out";
    return {};
  }
  return read_assertion({json, schema, node_->dialect, graph_->options}, keyword, value, node_,
                        note);
}

Status SchemaLoader::read_reference(const KeywordInfo& keyword, JsonId value) {
  const JsonNode& reference = (*json_)[value];
  const auto unresolved = [&](const Status& why) {
    return Status(why.code(), why.message(), json_->pointer(value));
  };
  if (!reference.is_string()) return expected(*json_, value, "a URI reference");
  const auto resolved = resolver_.resolve(resource_, reference.text);
  Location target;
  if (resolved.ok()) target = resolved->target;

  if (keyword.keyword == Keyword::kDynamicRef) {
    std::string name;
    if (resolved.ok()) {
      const auto& anchors = resolver_.resource(resolved->resource).dynamic_anchors;
      const bool dynamic = std::any_of(anchors.begin(), anchors.end(), [&](const auto& anchor) {
        return anchor.first == resolved->fragment;
      });
      if (dynamic || node_->dialect == Dialect::kV1) name = resolved->fragment;
    } else if (node_->dialect == Dialect::kV1 && reference.text.starts_with('#')) {
      name = std::string(reference.text.substr(1));
    }
    const Location* outermost = name.empty() ? nullptr : in_scope(name);
    if (outermost != nullptr) {
      target = *outermost;
    } else if (!resolved.ok()) {
      return unresolved(resolved.status());
    }
  } else if (!resolved.ok()) {
    return unresolved(resolved.status());
  } else if (keyword.keyword == Keyword::kRecursiveRef &&
             resolver_.resource(resolved->resource).recursive_anchor &&
             resolved->target == resolver_.resource(resolved->resource).root) {
    if (const Location* outermost = in_scope("")) target = *outermost;
  }

  const JsonNode& schema = resolver_.document(target.document)[target.json];
  if (!schema.is_object() && !schema.is_boolean()) {
    return Status(StatusCode::kParseError,
                  "The reference \"" + std::string(reference.text) + "\" leads to " +
                      std::string(kind_name(schema.kind)) + ", which is not a schema.",
                  json_->pointer(value));
  }
  const NodeId node = node_at(target, scope_);
  if (node_->ref == kNoNode) {
    node_->ref = node;
  } else {
    node_->all_of.push_back(node);
  }
  return {};
}

Status SchemaLoader::read_array(JsonId value, std::vector<NodeId>* nodes, bool may_be_empty) {
  const JsonNode& array = (*json_)[value];
  if (!array.is_array() || (array.count == 0 && !may_be_empty)) {
    return expected(*json_, value, "a non-empty array of schemas");
  }
  for (uint32_t i = 0; i < array.count; ++i) nodes->push_back(child(array.first + i));
  return {};
}

Status SchemaLoader::read_map(JsonId value, std::vector<std::pair<std::string, NodeId>>* nodes) {
  const JsonNode& map = (*json_)[value];
  if (!map.is_object()) return expected(*json_, value, "an object of schemas");
  nodes->reserve(map.count);
  for (uint32_t i = 0; i < map.count; ++i) {
    nodes->emplace_back(std::string((*json_)[map.first + i].key), child(map.first + i));
  }
  return {};
}

Status SchemaLoader::read_pattern_properties(JsonId value) {
  const JsonNode& map = (*json_)[value];
  if (!map.is_object()) return expected(*json_, value, "an object of schemas");
  for (uint32_t i = 0; i < map.count; ++i) {
    const JsonId member = map.first + i;
    const std::string_view pattern = (*json_)[member].key;
    auto automaton = read_pattern(*json_, member, pattern, graph_->options);
    if (!automaton.ok()) return automaton.status();
    node_->pattern_properties.push_back(
        {std::string(pattern), std::move(*automaton), child(member)});
  }
  return {};
}

Status SchemaLoader::read_dependencies(JsonId value) {
  const JsonNode& map = (*json_)[value];
  if (!map.is_object()) return expected(*json_, value, "an object of schemas or arrays of strings");
  for (uint32_t i = 0; i < map.count; ++i) {
    const JsonId member = map.first + i;
    std::string name((*json_)[member].key);
    if ((*json_)[member].is_array()) {
      auto& entry = node_->dependent_required.emplace_back();
      entry.first = std::move(name);
      if (Status status = read_names(*json_, member, &entry.second); !status.ok()) return status;
    } else {
      node_->dependent_schemas.emplace_back(std::move(name), child(member));
    }
  }
  return {};
}

Status SchemaLoader::read_property_dependencies(JsonId value) {
  const JsonNode& map = (*json_)[value];
  if (!map.is_object()) return expected(*json_, value, "an object of objects of schemas");
  for (uint32_t i = 0; i < map.count; ++i) {
    const JsonNode& by_value = (*json_)[map.first + i];
    if (!by_value.is_object()) return expected(*json_, map.first + i, "an object of schemas");
    for (uint32_t j = 0; j < by_value.count; ++j) {
      const JsonId schema = by_value.first + j;
      node_->property_dependencies.push_back(
          {std::string(by_value.key), std::string((*json_)[schema].key), child(schema)});
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const SchemaGraph>> load_schema(std::string_view text,
                                                       const SchemaOptions& options,
                                                       KeywordReports reports) {
  return SchemaLoader(options, SchemaLoader::Refusals::kFail, reports).load(text);
}

Result<std::shared_ptr<const SchemaGraph>> load_schema_for_report(std::string_view text,
                                                                  const SchemaOptions& options) {
  return SchemaLoader(options, SchemaLoader::Refusals::kReport, KeywordReports::kAll).load(text);
}

}  // namespace espalier
