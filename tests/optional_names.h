#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/reference_json.h"

namespace espalier::testing {

/// Which members of an instance the policy that omits optional properties leaves out, by looking at
/// the schema's text: a bound from either side, since which branches hold is not asked. References
/// are local pointers; schemas with resources of their own are not understood.
class OptionalNames {
 public:
  using Json = reference::Json;

  explicit OptionalNames(const Json& root) : root_(root) {}

  static bool understands(const Json& schema) { return schema.find("$id") == nullptr; }

  /// Is some member listed by a subschema that surely applies, and required by none that may?
  bool surely_optional(const Json& instance) const { return look(instance, nullptr, Side::kSure); }
  /// Is some member listed by a subschema that may apply, and required by none that surely does?
  bool maybe_optional(const Json& instance) const { return look(instance, nullptr, Side::kMaybe); }
  /// The instance without the members of which maybe_optional speaks.
  Json without_optional(const Json& instance) const {
    Json pruned = instance;
    look(instance, &pruned, Side::kMaybe);
    return pruned;
  }

 private:
  enum class Side { kSure, kMaybe };
  using Schemas = std::vector<const Json*>;
  struct Applied {
    Schemas sure, maybe;  // subschemas that apply in any case; that may, those included
  };

  const Json* target(const Json& reference) const {
    const Json* at = &root_;
    const std::string& pointer = reference.text;
    for (size_t i = pointer.find('/'); i != std::string::npos; i = pointer.find('/', i + 1)) {
      const size_t end = std::min(pointer.find('/', i + 1), pointer.size());
      at = at->find(pointer.substr(i + 1, end - i - 1));
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  void apply(const Json* schema, bool sure, Applied* out) const {
    if (schema == nullptr || !schema->is_object()) return;
    Schemas& list = sure ? out->sure : out->maybe;
    if (std::find(list.begin(), list.end(), schema) != list.end()) return;
    list.push_back(schema);
    if (sure) apply(schema, false, out);
    for (const auto& [keyword, value] : schema->members) {
      if (keyword == "$ref") apply(target(value), sure, out);
      if (keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf") {
        for (const Json& part : value.items) apply(&part, sure && keyword == "allOf", out);
      }
      if (keyword == "then" || keyword == "else") apply(&value, false, out);
      if (keyword == "dependentSchemas" || keyword == "dependencies") {
        for (const auto& [name, part] : value.members) apply(&part, false, out);
      }
      if (keyword == "propertyDependencies") {
        for (const auto& [name, by_value] : value.members) {
          for (const auto& [text, part] : by_value.members) apply(&part, false, out);
        }
      }
    }
  }

  static bool lists(const Json& schema, const std::string& name) {
    const Json* properties = schema.find("properties");
    return properties != nullptr && properties->find(name) != nullptr;
  }
  static bool among(const Json* names, const std::string& name) {
    return names != nullptr && std::any_of(names->items.begin(), names->items.end(),
                                           [&](const Json& item) { return item.text == name; });
  }
  // Does the schema, in some case, ask for the member by its own keywords?
  static bool may_require(const Json& schema, const std::string& name) {
    if (among(schema.find("required"), name)) return true;
    for (const char* keyword : {"dependentRequired", "dependencies"}) {
      const Json* dependencies = schema.find(keyword);
      if (dependencies == nullptr) continue;
      for (const auto& [other, names] : dependencies->members) {
        if (among(&names, name)) return true;
      }
    }
    return false;
  }
  // What a constant holds, however deep, is required by it.
  static bool lists_values(const Json* schema) {
    return schema->find("const") != nullptr || schema->find("enum") != nullptr;
  }

  Applied below(const Applied& applied, const std::string& name) const {
    Applied out;
    for (const auto* list : {&applied.sure, &applied.maybe}) {
      const bool sure = list == &applied.sure;
      for (const Json* schema : *list) {
        const bool listed = lists(*schema, name);
        if (listed) apply(schema->find("properties")->find(name), sure, &out);
        const Json* patterns = schema->find("patternProperties");
        if (patterns != nullptr) {
          for (const auto& [pattern, part] : patterns->members) apply(&part, false, &out);
        }
        if (!listed) apply(schema->find("additionalProperties"), sure && patterns == nullptr, &out);
        apply(schema->find("unevaluatedProperties"), false, &out);
      }
    }
    return out;
  }
  Applied below(const Applied& applied, size_t index) const {
    Applied out;
    for (const auto* list : {&applied.sure, &applied.maybe}) {
      const bool sure = list == &applied.sure;
      for (const Json* schema : *list) {
        const Json* items = schema->find("items");
        const Json* prefix = items != nullptr && items->is_array() ? items : nullptr;
        if (prefix == nullptr) prefix = schema->find("prefixItems");
        const Json* rest = prefix == items ? schema->find("additionalItems") : items;
        const bool first = prefix != nullptr && index < prefix->items.size();
        apply(first ? &prefix->items[index] : rest, sure, &out);
        apply(schema->find("unevaluatedItems"), false, &out);
      }
    }
    return out;
  }

  bool look(const Json& instance, Json* pruned, Side side) const {
    Applied applied;
    apply(&root_, true, &applied);
    return look(instance, applied, pruned, side);
  }

  bool look(const Json& value, const Applied& applied, Json* pruned, Side side) const {
    const Schemas& maybe = applied.maybe;
    if (side == Side::kSure && std::any_of(maybe.begin(), maybe.end(), lists_values)) return false;
    bool found = false;
    std::vector<std::pair<std::string, Json>> kept;
    for (size_t i = 0; i < value.members.size(); ++i) {
      const std::string& name = value.members[i].first;
      const auto lists_it = [&](const Json* schema) { return lists(*schema, name); };
      const auto requires_it = [&](const Json* schema) {
        return side == Side::kSure ? may_require(*schema, name)
                                   : among(schema->find("required"), name);
      };
      const Schemas& listing = side == Side::kSure ? applied.sure : applied.maybe;
      const Schemas& requiring = side == Side::kSure ? applied.maybe : applied.sure;
      const bool optional = std::any_of(listing.begin(), listing.end(), lists_it) &&
                            std::none_of(requiring.begin(), requiring.end(), requires_it);
      found |= optional;
      found |= look(value.members[i].second, below(applied, name),
                    pruned != nullptr ? &pruned->members[i].second : nullptr, side);
      if (pruned != nullptr && !optional) kept.push_back(pruned->members[i]);
    }
    for (size_t i = 0; i < value.items.size(); ++i) {
      found |= look(value.items[i], below(applied, i),
                    pruned != nullptr ? &pruned->items[i] : nullptr, side);
    }
    if (pruned != nullptr) pruned->members = std::move(kept);
    return found;
  }

  const Json& root_;
};

}  // namespace espalier::testing
