// Optional and additional properties by policy.
//
// The idea: requiring what a subschema lists, or closing it, makes it narrower, so the whole schema
// becomes narrower only where the subschema stands positively: below properties, items, allOf,
// anyOf and the like, but not below `not`, `if` and `contains`, and in `oneOf` a narrower branch
// could make room for another one. So narrowed copies replace the originals in positive places
// alone, and a `oneOf` stays and gets an `anyOf` of the narrowed branches beside it.
//
//     {"properties": {"a": A}}  required and closed:
//     {"properties": {"a": A'}, "required": ["a"], "additionalProperties": false}
//
// What is omitted is only noted: whether a property is optional depends on all subschemas of an
// object (omission.cpp). An object is closed once, at the outermost of the subschemas that speak of
// it, by unevaluatedProperties where there are several.
//
// Invariant: what the new root accepts, the old one accepts. Cost: at most two copies of each node.
#include "schema/loading/narrow_schema.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace espalier {
namespace {

enum class Outermost : uint8_t { kNo, kYes };

class Narrower {
 public:
  Narrower(const SchemaOptions& options, SchemaGraph* graph)
      : optional_(options.optional_properties),
        close_(options.additional_properties == AdditionalProperties::kForbid),
        graph_(graph) {}

  void run() {
    graph_->root = narrowed(graph_->root, Outermost::kYes);
    while (next_ < work_.size()) {
      const Work work = work_[next_++];
      SchemaNode node = graph_->nodes[work.copy];
      narrow(&node, work);
      graph_->nodes[work.copy] = std::move(node);
    }
  }

 private:
  struct Work {
    NodeId copy, original;
    Outermost outermost;
  };

  NodeId add(SchemaNode node) {
    graph_->nodes.push_back(std::move(node));
    return static_cast<NodeId>(graph_->nodes.size() - 1);
  }

  NodeId narrowed(NodeId id, Outermost outermost) {
    if (id == kNoNode || graph_->nodes[id].kind != SchemaNode::Kind::kKeywords) return id;
    const auto [it, added] = copies_.try_emplace({id, outermost}, kNoNode);
    if (added) {
      it->second = add(SchemaNode(graph_->nodes[id]));
      work_.push_back({it->second, id, outermost});
    }
    return it->second;
  }
  void narrow_all(std::vector<NodeId>* ids, Outermost outermost) {
    for (NodeId& id : *ids) id = narrowed(id, outermost);
  }

  NodeId nothing() {
    if (nothing_ == kNoNode) {
      SchemaNode node;
      node.kind = SchemaNode::Kind::kFalse;
      nothing_ = add(std::move(node));
    }
    return nothing_;
  }

  /// The subschemas that apply to the same value and must not be ignored when it is closed.
  static std::vector<NodeId> in_place(const SchemaNode& node) {
    std::vector<NodeId> all;
    for (const NodeId id : {node.ref, node.if_schema, node.then_schema, node.else_schema}) {
      if (id != kNoNode) all.push_back(id);
    }
    for (const auto* list : {&node.all_of, &node.any_of, &node.one_of})
      all.insert(all.end(), list->begin(), list->end());
    for (const auto& [name, id] : node.dependent_schemas) all.push_back(id);
    for (const PropertyDependency& one : node.property_dependencies) all.push_back(one.node);
    return all;
  }

  bool lists_properties(NodeId id) const {
    std::set<NodeId> seen{id};
    std::vector<NodeId> stack{id};
    while (!stack.empty()) {
      const SchemaNode& node = graph_->nodes[stack.back()];
      stack.pop_back();
      if (!node.properties.empty()) return true;
      for (const NodeId inner : in_place(node)) {
        if (seen.insert(inner).second) stack.push_back(inner);
      }
    }
    return false;
  }

  void narrow(SchemaNode* node, const Work& work) {
    const bool speaks_itself = !node->properties.empty() || !node->pattern_properties.empty() ||
                               node->additional_properties != kNoNode ||
                               node->unevaluated_properties != kNoNode;
    const std::vector<NodeId> inner = in_place(*node);
    // A node that only passes the value on leaves closing to whom it is passed.
    const bool passes_on =
        !speaks_itself && (inner.size() == 1 ? node->ref != kNoNode
                                             : inner.size() == node->any_of.size() ||
                                                   inner.size() == node->one_of.size());
    const Outermost below = passes_on ? work.outermost : Outermost::kNo;
    if (close_ && work.outermost == Outermost::kYes && !passes_on &&
        node->additional_properties == kNoNode && node->unevaluated_properties == kNoNode &&
        lists_properties(work.original)) {
      (inner.empty() ? node->additional_properties : node->unevaluated_properties) = nothing();
    }
    narrow_properties(node);
    node->ref = narrowed(node->ref, below);
    node->then_schema = narrowed(node->then_schema, below);
    node->else_schema = narrowed(node->else_schema, below);
    narrow_all(&node->all_of, below);
    narrow_all(&node->any_of, below);
    for (auto& [name, id] : node->dependent_schemas) id = narrowed(id, below);
    for (PropertyDependency& one : node->property_dependencies)
      one.node = narrowed(one.node, below);
    if (!node->one_of.empty()) {
      SchemaNode any;
      any.pointer = node->pointer;
      any.dialect = node->dialect;
      any.any_of = node->one_of;
      narrow_all(&any.any_of, below);
      node->all_of.push_back(add(std::move(any)));
    }
    for (PatternProperty& property : node->pattern_properties)
      property.node = narrowed(property.node, Outermost::kYes);
    for (NodeId* id : {&node->additional_properties, &node->unevaluated_properties, &node->items,
                       &node->unevaluated_items}) {
      *id = narrowed(*id, Outermost::kYes);
    }
    narrow_all(&node->prefix_items, Outermost::kYes);
  }

  void narrow_properties(SchemaNode* node) {
    const std::set<std::string> required(node->required.begin(), node->required.end());
    std::vector<std::string> omitted;
    for (auto& [name, id] : node->properties) {
      const bool optional = !required.contains(name);
      const bool possible = graph_->nodes[id].kind != SchemaNode::Kind::kFalse;
      if (optional && possible && optional_ == OptionalProperties::kRequire)
        node->required.push_back(name);
      if (optional && optional_ == OptionalProperties::kOmit) omitted.push_back(name);
      id = narrowed(id, Outermost::kYes);
    }
    if (!omitted.empty()) node->omitted = std::move(omitted);
  }

  const OptionalProperties optional_;
  const bool close_;
  SchemaGraph* graph_;
  NodeId nothing_ = kNoNode;
  std::map<std::pair<NodeId, Outermost>, NodeId> copies_;
  std::vector<Work> work_;
  size_t next_ = 0;
};

}  // namespace

void narrow_schema(const SchemaOptions& options, SchemaGraph* graph) {
  if (options.optional_properties == OptionalProperties::kSchema &&
      options.additional_properties == AdditionalProperties::kSchema)
    return;
  Narrower(options, graph).run();
}

}  // namespace espalier
