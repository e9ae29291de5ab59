// JSON Schema as its specifications read, keyword by keyword, over a parsed document.

#include "tests/reference_validator.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/reference_json.h"
#include "tests/reference_regex.h"
#include "tests/reference_schemas.h"

namespace espalier::reference {
namespace {

constexpr size_t kMaxDepth = 3000;

/// What successful subschemas have evaluated at one instance location.
struct Evaluated {
  std::set<std::string> names;
  std::set<size_t> items;

  void merge(const Evaluated& other) {
    names.insert(other.names.begin(), other.names.end());
    items.insert(other.items.begin(), other.items.end());
  }
};

// Resources entered so far, outermost first.
using Scope = std::vector<const Resource*>;

class Validator final : public ReferenceValidator {
 public:
  explicit Validator(const ValidatorOptions& options) : schemas_(options) {}

  void load(const std::string& text) { root_ = schemas_.load_root(text); }

  bool valid(std::string_view instance_json) const override {
    const auto instance = parse_json(instance_json, nullptr);
    if (!instance) return false;
    Evaluated evaluated;
    return validate(*root_, *instance, {}, evaluated, 0);
  }

 private:
  using Kind = Json::Kind;

  const Regex& regex(const std::string& pattern) const {
    auto& compiled = regexes_[pattern];
    std::string error;
    if (compiled == nullptr) compiled = Regex::create(pattern, &error);
    if (compiled == nullptr) throw std::runtime_error("pattern " + pattern + ": " + error);
    return *compiled;
  }

  static bool has_type(const Json& value, const std::string& type, int draft) {
    switch (value.kind) {
      case Kind::kNull:
        return type == "null";
      case Kind::kBoolean:
        return type == "boolean";
      case Kind::kNumber:
        if (type == "number") return true;
        if (type != "integer") return false;
        return draft == 4 ? value.text.find_first_of(".eE") == std::string::npos
                          : value.is_integer();
      case Kind::kString:
        return type == "string";
      case Kind::kArray:
        return type == "array";
      case Kind::kObject:
        return type == "object";
    }
    return false;
  }

  // The sign of count - bound.
  static int compare_count(size_t count, const Json& bound) {
    Json number;
    number.kind = Kind::kNumber;
    number.mantissa = count;
    return compare_numbers(number, bound);
  }
  static bool at_least(size_t count, const Json* bound) {
    return bound == nullptr || compare_count(count, *bound) >= 0;
  }
  static bool at_most(size_t count, const Json* bound) {
    return bound == nullptr || compare_count(count, *bound) <= 0;
  }

  bool validate(const Json& schema, const Json& value, Scope scope, Evaluated& out,
                size_t depth) const {
    if (schema.is(Kind::kBoolean)) return schema.boolean;
    if (depth > kMaxDepth) throw std::runtime_error("infinite recursion");
    const Resource& resource = schemas_.resource_of(&schema);
    if (scope.empty() || scope.back() != &resource) scope.push_back(&resource);
    const Context context{schema, value, scope, resource.dialect, depth + 1};
    Evaluated local;
    const Json* ref = schema.find("$ref");
    if (ref != nullptr && ref->is_string() && resource.dialect.draft <= 7) {
      return follow(context, *schemas_.resolve(resource, ref->text), out);
    }
    const bool good = references(context, local) && in_place(context, local) &&
                      (!resource.dialect.validation || assertions(context)) && content(context) &&
                      object_keywords(context, local) && array_keywords(context, local) &&
                      unevaluated(context, local);
    if (good) out.merge(local);
    return good;
  }

  struct Context {
    const Json& schema;
    const Json& value;
    const Scope& scope;
    const Dialect& dialect;
    size_t depth;

    const Json* get(std::string_view keyword) const { return schema.find(keyword); }
  };

  // An in-place subschema.
  bool follow(const Context& c, const Json& schema, Evaluated& out) const {
    Evaluated evaluated;
    if (!validate(schema, c.value, c.scope, evaluated, c.depth)) return false;
    out.merge(evaluated);
    return true;
  }
  // A subschema for a child of the value.
  bool child(const Context& c, const Json& schema, const Json& value) const {
    Evaluated evaluated;
    return validate(schema, value, c.scope, evaluated, c.depth);
  }

  bool references(const Context& c, Evaluated& out) const {
    const Resource& resource = schemas_.resource_of(&c.schema);
    if (const Json* ref = c.get("$ref"); ref != nullptr && ref->is_string()) {
      if (!follow(c, *schemas_.resolve(resource, ref->text), out)) return false;
    }
    if (const Json* ref = c.get("$recursiveRef"); ref != nullptr && c.dialect.draft == 2019) {
      const Json* target = schemas_.resolve(resource, ref->text);
      const Resource& initial = schemas_.resource_of(target);
      if (initial.recursive_anchor && target == initial.root) {
        for (const Resource* outer : c.scope) {
          if (!outer->recursive_anchor) continue;
          target = outer->root;
          break;
        }
      }
      if (!follow(c, *target, out)) return false;
    }
    if (const Json* ref = c.get("$dynamicRef"); ref != nullptr && c.dialect.draft >= 2020) {
      if (!follow(c, dynamic_target(c, resource, ref->text), out)) return false;
    }
    return true;
  }

  const Json& dynamic_target(const Context& c, const Resource& resource,
                             const std::string& ref) const {
    const size_t hash = ref.find('#');
    const std::string name = hash == std::string::npos ? "" : ref.substr(hash + 1);
    const Json* target = nullptr;
    if (c.dialect.draft == 2020 || hash != 0) {
      target = schemas_.resolve(resource, ref);
      const auto& anchors = schemas_.resource_of(target).dynamic_anchors;
      const auto found = anchors.find(name);
      if (found == anchors.end() || found->second != target) return *target;
    }
    for (const Resource* outer : c.scope) {
      const auto found = outer->dynamic_anchors.find(name);
      if (found != outer->dynamic_anchors.end()) return *found->second;
    }
    if (target == nullptr) throw std::runtime_error("unresolved $dynamicRef " + ref);
    return *target;
  }

  bool in_place(const Context& c, Evaluated& out) const {
    if (const Json* all = c.get("allOf")) {
      for (const Json& schema : all->items) {
        if (!follow(c, schema, out)) return false;
      }
    }
    if (const Json* any = c.get("anyOf")) {
      size_t count = 0;
      for (const Json& schema : any->items) count += follow(c, schema, out) ? 1 : 0;
      if (count == 0) return false;
    }
    if (const Json* one = c.get("oneOf")) {
      size_t count = 0;
      for (const Json& schema : one->items) count += follow(c, schema, out) ? 1 : 0;
      if (count != 1) return false;
    }
    Evaluated ignored;
    if (const Json* schema = c.get("not"); schema != nullptr && follow(c, *schema, ignored))
      return false;
    if (const Json* condition = c.get("if"); condition != nullptr && c.dialect.draft >= 7) {
      const Json* branch = follow(c, *condition, out) ? c.get("then") : c.get("else");
      if (branch != nullptr && !follow(c, *branch, out)) return false;
    }
    return !c.value.is_object() || dependent_schemas(c, out);
  }

  bool dependent_schemas(const Context& c, Evaluated& out) const {
    if (const Json* dependencies = c.get("dependencies")) {
      for (const auto& [name, dependency] : dependencies->members) {
        if (c.value.find(name) == nullptr) continue;
        if (dependency.is_array()) {
          for (const Json& needed : dependency.items) {
            if (c.value.find(needed.text) == nullptr) return false;
          }
        } else if (!follow(c, dependency, out)) {
          return false;
        }
      }
    }
    if (const Json* dependent = c.get("dependentSchemas");
        dependent != nullptr && c.dialect.draft >= 2019) {
      for (const auto& [name, schema] : dependent->members) {
        if (c.value.find(name) != nullptr && !follow(c, schema, out)) return false;
      }
    }
    if (const Json* dependent = c.get("propertyDependencies");
        dependent != nullptr && c.dialect.draft == 2026) {
      for (const auto& [name, by_value] : dependent->members) {
        const Json* member = c.value.find(name);
        const Json* schema =
            member != nullptr && member->is_string() ? by_value.find(member->text) : nullptr;
        if (schema != nullptr && !follow(c, *schema, out)) return false;
      }
    }
    return true;
  }

  bool assertions(const Context& c) const {
    const int draft = c.dialect.draft;
    if (const Json* type = c.get("type")) {
      bool good = type->is_string() && has_type(c.value, type->text, draft);
      for (const Json& one : type->items) good = good || has_type(c.value, one.text, draft);
      if (!good) return false;
    }
    if (const Json* values = c.get("enum")) {
      const auto same = [&c](const Json& value) { return equal(value, c.value); };
      if (std::none_of(values->items.begin(), values->items.end(), same)) return false;
    }
    if (const Json* value = c.get("const"); value != nullptr && draft >= 6) {
      if (!equal(*value, c.value)) return false;
    }
    switch (c.value.kind) {
      case Kind::kNumber:
        return number_assertions(c);
      case Kind::kString:
        return string_assertions(c);
      case Kind::kArray: {
        if (!at_least(c.value.items.size(), c.get("minItems"))) return false;
        if (!at_most(c.value.items.size(), c.get("maxItems"))) return false;
        const Json* unique = c.get("uniqueItems");
        if (unique == nullptr || !unique->boolean) return true;
        for (size_t i = 0; i < c.value.items.size(); ++i) {
          for (size_t j = 0; j < i; ++j) {
            if (equal(c.value.items[i], c.value.items[j])) return false;
          }
        }
        return true;
      }
      case Kind::kObject: {
        if (!at_least(c.value.members.size(), c.get("minProperties"))) return false;
        if (!at_most(c.value.members.size(), c.get("maxProperties"))) return false;
        if (const Json* required = c.get("required")) {
          for (const Json& name : required->items) {
            if (c.value.find(name.text) == nullptr) return false;
          }
        }
        const Json* dependent = c.get("dependentRequired");
        if (dependent == nullptr || draft < 2019) return true;
        for (const auto& [name, names] : dependent->members) {
          if (c.value.find(name) == nullptr) continue;
          for (const Json& needed : names.items) {
            if (c.value.find(needed.text) == nullptr) return false;
          }
        }
        return true;
      }
      default:
        return true;
    }
  }

  static bool number_assertions(const Context& c) {
    const auto order = [&c](const Json* bound) { return compare_numbers(c.value, *bound); };
    const Json* minimum = c.get("minimum");
    const Json* maximum = c.get("maximum");
    const Json* above = c.get("exclusiveMinimum");
    const Json* below = c.get("exclusiveMaximum");
    const bool old = c.dialect.draft == 4;
    const bool strict_minimum = old && above != nullptr && above->boolean;
    const bool strict_maximum = old && below != nullptr && below->boolean;
    if (minimum != nullptr && order(minimum) < (strict_minimum ? 1 : 0)) return false;
    if (maximum != nullptr && order(maximum) > (strict_maximum ? -1 : 0)) return false;
    if (!old && above != nullptr && order(above) <= 0) return false;
    if (!old && below != nullptr && order(below) >= 0) return false;
    const Json* divisor = c.get("multipleOf");
    return divisor == nullptr || is_multiple(c.value, *divisor);
  }

  bool string_assertions(const Context& c) const {
    const size_t length = code_points(c.value.text).size();
    if (!at_least(length, c.get("minLength")) || !at_most(length, c.get("maxLength"))) return false;
    const Json* pattern = c.get("pattern");
    return pattern == nullptr || regex(pattern->text).search(c.value.text);
  }

  // Vocabularies of their own.
  static bool content(const Context& c) {
    if (!c.value.is_string()) return true;
    const Json* format = c.get("format");
    if (format != nullptr && c.dialect.assert_formats && format->is_string() &&
        !has_format(format->text, c.value.text, c.dialect.draft))
      return false;
    if (!c.dialect.assert_content || c.dialect.draft < 7) return true;
    const Json* encoding = c.get("contentEncoding");
    const Json* type = c.get("contentMediaType");
    return has_content(encoding != nullptr ? encoding->text : "", type != nullptr ? type->text : "",
                       c.value.text);
  }

  bool object_keywords(const Context& c, Evaluated& out) const {
    if (!c.value.is_object()) return true;
    const Json* properties = c.get("properties");
    const Json* patterns = c.get("patternProperties");
    const Json* additional = c.get("additionalProperties");
    const Json* names = c.get("propertyNames");
    for (const auto& [name, value] : c.value.members) {
      bool matched = false;
      const Json* property = properties != nullptr ? properties->find(name) : nullptr;
      if (property != nullptr) {
        matched = true;
        if (!child(c, *property, value)) return false;
      }
      if (patterns != nullptr) {
        for (const auto& [pattern, schema] : patterns->members) {
          if (!regex(pattern).search(name)) continue;
          matched = true;
          if (!child(c, schema, value)) return false;
        }
      }
      if (!matched && additional != nullptr) {
        matched = true;
        if (!child(c, *additional, value)) return false;
      }
      if (matched) out.names.insert(name);
      if (names != nullptr && c.dialect.draft >= 6) {
        Json key;
        key.kind = Kind::kString;
        key.text = name;
        if (!child(c, *names, key)) return false;
      }
    }
    return true;
  }

  bool array_keywords(const Context& c, Evaluated& out) const {
    if (!c.value.is_array()) return true;
    const bool modern = c.dialect.draft >= 2020;
    const Json* items = c.get("items");
    const Json* prefix =
        modern ? c.get("prefixItems") : (items != nullptr && items->is_array() ? items : nullptr);
    const Json* rest = modern || prefix == nullptr ? items : c.get("additionalItems");
    const size_t fixed = prefix != nullptr ? prefix->items.size() : 0;
    for (size_t i = 0; i < c.value.items.size(); ++i) {
      const Json* schema = i < fixed ? &prefix->items[i] : rest;
      if (schema == nullptr) continue;
      if (!child(c, *schema, c.value.items[i])) return false;
      out.items.insert(i);
    }
    const Json* contains = c.get("contains");
    if (contains == nullptr || c.dialect.draft < 6) return true;
    size_t count = 0;
    for (size_t i = 0; i < c.value.items.size(); ++i) {
      if (!child(c, *contains, c.value.items[i])) continue;
      ++count;
      if (modern) out.items.insert(i);
    }
    const Json* least = c.dialect.draft >= 2019 ? c.get("minContains") : nullptr;
    const Json* most = c.dialect.draft >= 2019 ? c.get("maxContains") : nullptr;
    return (least != nullptr ? at_least(count, least) : count >= 1) && at_most(count, most);
  }

  bool unevaluated(const Context& c, Evaluated& out) const {
    if (c.dialect.draft < 2019) return true;
    if (const Json* schema = c.get("unevaluatedProperties");
        schema != nullptr && c.value.is_object()) {
      for (const auto& [name, value] : c.value.members) {
        if (out.names.count(name) != 0) continue;
        if (!child(c, *schema, value)) return false;
        out.names.insert(name);
      }
    }
    if (const Json* schema = c.get("unevaluatedItems"); schema != nullptr && c.value.is_array()) {
      for (size_t i = 0; i < c.value.items.size(); ++i) {
        if (out.items.count(i) != 0) continue;
        if (!child(c, *schema, c.value.items[i])) return false;
        out.items.insert(i);
      }
    }
    return true;
  }

  mutable Schemas schemas_;
  const Json* root_ = nullptr;
  mutable std::map<std::string, std::shared_ptr<const Regex>> regexes_;
};

}  // namespace

std::unique_ptr<ReferenceValidator> ReferenceValidator::create(std::string schema_text,
                                                               const ValidatorOptions& options,
                                                               std::string* error) {
  try {
    auto validator = std::make_unique<Validator>(options);
    validator->load(schema_text);
    return validator;
  } catch (const std::exception& reason) {
    if (error != nullptr) *error = reason.what();
    return nullptr;
  }
}

}  // namespace espalier::reference
