// The second half of schema_random.h: instances that are near to valid. A schema and some choice of
// its in-place subschemas are read together; what they say of a value is tried, keyword by keyword,
// and now and then broken.
#pragma once

#include "tests/schema_random.h"

namespace espalier::testing {

inline const SchemaRandom::Json* SchemaRandom::target(const Json& ref) const {
  if (ref.text == "#" || ref.text == "#n" || ref.text == kBase) return root_;
  if (ref.text.starts_with(kBase)) {
    const Json* definitions = root_->find("$defs");
    return definitions->find(ref.text.substr(std::string_view(kBase).size() + 1));
  }
  const size_t folder = ref.text.find('/'), last = ref.text.rfind('/');
  if (folder == std::string::npos || last == folder) return nullptr;
  const Json* definitions = root_->find(ref.text.substr(folder + 1, last - folder - 1));
  return definitions != nullptr ? definitions->find(ref.text.substr(last + 1)) : nullptr;
}

// The schema and some choice of its in-place subschemas.
inline void SchemaRandom::collect(const Json& schema, std::vector<const Json*>& out, int depth) {
  if (!schema.is_object() || depth > 8) return;
  out.push_back(&schema);
  for (const char* keyword : {"$ref", "$dynamicRef", "$recursiveRef"}) {
    const Json* ref = schema.find(keyword);
    if (const Json* to = ref != nullptr ? target(*ref) : nullptr) collect(*to, out, depth + 1);
  }
  if (const Json* all = schema.find("allOf")) {
    for (const Json& branch : all->items) collect(branch, out, depth + 1);
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    const Json* branches = schema.find(keyword);
    if (branches == nullptr || branches->items.empty()) continue;
    collect(branches->items[static_cast<size_t>(below(static_cast<int>(branches->items.size())))],
            out, depth + 1);
  }
  for (const char* keyword : {"dependentSchemas", "dependencies", "propertyDependencies"}) {
    const Json* dependent = schema.find(keyword);
    if (dependent == nullptr || !one_in(2)) continue;
    const Json& value = dependent->members.front().second;
    collect(keyword[0] == 'p' ? value.members.front().second : value, out, depth + 1);
  }
  for (const char* keyword : {"if", "then", "else", "not"}) {
    const Json* branch = schema.find(keyword);
    if (branch != nullptr && one_in(2)) collect(*branch, out, depth + 1);
  }
}

inline SchemaRandom::Json SchemaRandom::make_string(const std::vector<const Json*>& schemas) {
  Json value = parse(pick(kStrings));
  for (const Json* schema : schemas) {
    if (schema->find("format") != nullptr && !one_in(4)) return parse(pick(kFormatStrings));
    if (schema->find("contentEncoding") != nullptr && !one_in(4)) return parse(pick(kBase64));
    if (schema->find("contentMediaType") != nullptr && !one_in(4)) return parse(pick(kJsonTexts));
    const Json* least = schema->find("minLength");
    while (least != nullptr && value.text.size() < std::stoul(least->text))
      value.text += one_in(2) ? 'a' : 'b';
  }
  return value;
}

inline SchemaRandom::Json SchemaRandom::make_number(const std::vector<const Json*>& schemas,
                                                    bool integer) {
  Json value = parse(number());
  for (const Json* schema : schemas) {
    for (const char* keyword :
         {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}) {
      const Json* bound = schema->find(keyword);
      if (bound == nullptr || !bound->is_number() || !one_in(3)) continue;
      value.mantissa = bound->mantissa * below(5);
      if (value.mantissa == 0 || one_in(2)) value.mantissa = bound->mantissa;
      value.exponent = bound->exponent;
    }
  }
  if (integer && value.exponent < 0 && !one_in(5)) value.exponent = 0;
  if (one_in(5)) value.mantissa += one_in(2) ? 1 : -1;
  value.text =
      value.mantissa.str() + (value.exponent != 0 ? "e" + std::to_string(value.exponent) : "");
  return parse(value.text);
}

inline SchemaRandom::Json SchemaRandom::make_array(const std::vector<const Json*>& schemas,
                                                   int depth) {
  Json array;
  array.kind = Json::Kind::kArray;
  if (depth > 4) return array;
  size_t count = static_cast<size_t>(below(4));
  std::vector<const Json*> prefix;
  const Json* rest = nullptr;
  for (const Json* schema : schemas) {
    if (const Json* least = schema->find("minItems"))
      count = std::max<size_t>(count, std::stoul(least->text));
    const Json* items = schema->find("items");
    const Json* fixed = schema->find("prefixItems");
    if (items != nullptr && items->is_array()) fixed = items;
    if (fixed != nullptr) {
      prefix.clear();
      for (const Json& item : fixed->items) prefix.push_back(&item);
      rest = fixed == items ? schema->find("additionalItems") : items;
    } else if (items != nullptr) {
      rest = items;
    }
    for (const char* keyword : {"unevaluatedItems", "contains"}) {
      const Json* other = schema->find(keyword);
      if (rest == nullptr && other != nullptr && one_in(2)) rest = other;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    const Json* schema = i < prefix.size() ? prefix[i] : rest;
    // Equal items now and then, for uniqueItems.
    if (i > 0 && one_in(6)) {
      array.items.push_back(array.items[static_cast<size_t>(below(static_cast<int>(i)))]);
      continue;
    }
    array.items.push_back(schema != nullptr ? make(*schema, depth + 1) : any_value(1));
  }
  return array;
}

inline SchemaRandom::Json SchemaRandom::make_object(const std::vector<const Json*>& schemas,
                                                    int depth) {
  Json object;
  object.kind = Json::Kind::kObject;
  auto add = [&](const std::string& key) {
    if (object.find(key) != nullptr) return;
    const Json* found = nullptr;
    const Json* additional = nullptr;
    for (const Json* schema : schemas) {
      const Json* properties = schema->find("properties");
      if (properties != nullptr && properties->find(key) != nullptr) found = properties->find(key);
      for (const char* keyword :
           {"additionalProperties", "patternProperties", "unevaluatedProperties"}) {
        const Json* other = schema->find(keyword);
        if (other == nullptr || !one_in(2)) continue;
        additional = keyword[0] == 'p' ? &other->members.front().second : other;
      }
    }
    if (found == nullptr) found = additional;
    object.members.emplace_back(key, found != nullptr && depth < 5 ? make(*found, depth + 1)
                                                                   : any_value(depth < 5 ? 1 : 0));
  };
  for (const Json* schema : schemas) {
    if (const Json* required = schema->find("required")) {
      for (const Json& key : required->items) add(key.text);
    }
    const Json* properties = schema->find("properties");
    if (properties == nullptr || depth > 4) continue;
    for (const auto& member : properties->members) {
      if (one_in(2)) add(member.first);
    }
  }
  while (one_in(4)) add(parse(name()).text);
  return object;
}

inline SchemaRandom::Json SchemaRandom::make_type(const std::vector<const Json*>& schemas,
                                                  const std::string& type, int depth) {
  if (type == "null") return parse("null");
  if (type == "boolean") return parse(one_in(2) ? "true" : "false");
  if (type == "number" || type == "integer") return make_number(schemas, type == "integer");
  if (type == "string") return make_string(schemas);
  return type == "array" ? make_array(schemas, depth) : make_object(schemas, depth);
}

inline SchemaRandom::Json SchemaRandom::make(const Json& schema, int depth) {
  if (!schema.is_object() || depth > 8) return any_value(1);
  std::vector<const Json*> schemas;
  collect(schema, schemas, 0);
  std::vector<std::string> types;
  for (const Json* one : schemas) {
    if (const Json* values = one->find("enum"); values != nullptr && !one_in(8)) {
      return values->items[static_cast<size_t>(below(static_cast<int>(values->items.size())))];
    }
    if (const Json* value = one->find("const"); value != nullptr && !one_in(8)) return *value;
    const Json* type = one->find("type");
    if (type != nullptr && type->is_string()) types.push_back(type->text);
    if (type != nullptr && type->is_array()) {
      for (const Json& t : type->items) types.push_back(t.text);
    }
    for (const char* keyword : {"properties", "required", "additionalProperties"}) {
      if (one->find(keyword) != nullptr) types.push_back("object");
    }
    if (one->find("items") != nullptr || one->find("prefixItems") != nullptr)
      types.push_back("array");
    if (one->find("pattern") != nullptr || one->find("minLength") != nullptr)
      types.push_back("string");
    if (one->find("minimum") != nullptr || one->find("multipleOf") != nullptr)
      types.push_back("number");
  }
  if (types.empty()) return any_value(depth > 4 ? 0 : 2);
  return make_type(schemas, types[static_cast<size_t>(below(static_cast<int>(types.size())))],
                   depth);
}

inline void SchemaRandom::mutate(Json& value, int depth) {
  const bool inside = !one_in(3) && depth < 4;
  if (inside && value.is_array() && !value.items.empty()) {
    mutate(value.items[static_cast<size_t>(below(static_cast<int>(value.items.size())))],
           depth + 1);
  } else if (inside && value.is_object() && !value.members.empty()) {
    auto& member =
        value.members[static_cast<size_t>(below(static_cast<int>(value.members.size())))];
    mutate(member.second, depth + 1);
  } else if (value.is_array() && one_in(2)) {
    value.items.push_back(any_value(1));
  } else if (value.is_object() && one_in(2)) {
    if (!value.members.empty() && one_in(2)) {
      value.members.pop_back();
    } else if (const std::string key = parse(name()).text; value.find(key) == nullptr) {
      value.members.emplace_back(key, any_value(1));
    }
  } else {
    value = any_value(2);
  }
}

inline SchemaRandom::Json SchemaRandom::instance(const Json& schema) {
  root_ = &schema;
  Json value = one_in(12) ? any_value(2) : make(schema, 0);
  if (one_in(4)) mutate(value, 0);
  return value;
}

}  // namespace espalier::testing
