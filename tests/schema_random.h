#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/json_respell.h"
#include "tests/reference_json.h"

namespace espalier::testing {

/// Random schemas, instances near to valid, and random spellings, for differential tests. Alphabets
/// are small, so that keywords meet each other; everything follows from the generator's state.
class SchemaRandom {
 public:
  using Json = reference::Json;

  explicit SchemaRandom(uint64_t seed) : random_(seed) {}

  uint64_t next() { return random_(); }
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }

  /// A schema text of one of the dialects; mostly 2020-12.
  std::string schema();
  /// An instance that tries, and sometimes fails on purpose, to satisfy the schema.
  Json instance(const Json& schema);
  /// Any value from the small alphabets.
  Json any_value(int depth);
  /// The same value in other bytes; see JsonRespell.
  std::string respell(const Json& value, bool keep_integers) {
    return JsonRespell(random_, keep_integers).respell(value);
  }

 private:
  enum class Draft { k4, k6, k7, k2019, k2020, kV1 };
  using Fields = std::vector<std::string>;

  template <size_t N>
  std::string pick(const char* const (&from)[N]) {
    return from[below(static_cast<int>(N))];
  }

  // Schemas.
  std::string name() { return pick(kNames); }
  std::string number() { return one_in(12) ? pick(kRareNumbers) : pick(kNumbers); }
  std::string value_text(int depth) { return reference::print_json(any_value(depth)); }
  std::string list(int least, int most, bool distinct, std::string (SchemaRandom::*make)());
  std::string subschema(int depth, bool in_place);
  std::string subschemas(int depth, int least, int most, bool in_place);
  std::string reference(bool in_place);
  std::string names_schema();
  void add_string_keywords(Fields& fields);
  void add_number_keywords(Fields& fields);
  void add_array_keywords(Fields& fields, int depth);
  void add_object_keywords(Fields& fields, int depth);
  void add_applicators(Fields& fields, int depth);
  void add_unevaluated(Fields& fields, int depth);
  static std::string object(const Fields& fields) {
    std::string text = "{";
    for (const auto& field : fields) text += (text.size() > 1 ? "," : "") + field;
    return text + "}";
  }
  std::string small(int most) { return std::to_string(below(most + 1)); }

  // Instances.
  const Json* target(const Json& ref) const;
  void collect(const Json& schema, std::vector<const Json*>& out, int depth);
  Json make(const Json& schema, int depth);
  Json make_type(const std::vector<const Json*>& schemas, const std::string& type, int depth);
  Json make_object(const std::vector<const Json*>& schemas, int depth);
  Json make_array(const std::vector<const Json*>& schemas, int depth);
  Json make_number(const std::vector<const Json*>& schemas, bool integer);
  Json make_string(const std::vector<const Json*>& schemas);
  void mutate(Json& value, int depth);
  static Json parse(std::string_view text) { return *reference::parse_json(text, nullptr); }

  static constexpr const char* kNames[] = {"\"a\"",       "\"b\"",    "\"ab\"",
                                           "\"c\"",       "\"\"",     "\"a b\"",
                                           "\"\\u00e9\"", "\"\\\"\"", "\"\\ud83d\\ude00\"",
                                           "\"ba\"",      "\"1\""};
  static constexpr const char* kStrings[] = {"\"\"",        "\"a\"",       "\"b\"",
                                             "\"ab\"",      "\"ba\"",      "\"aab\"",
                                             "\"aaaa\"",    "\"\\u00e9\"", "\"\\ud83d\\ude00\"",
                                             "\"a\\nb\"",   "\"\\\\\"",    "\"a\\\"\"",
                                             "\"1\"",       "\"12\"",      "\"c\"",
                                             "\"\\ud800\"", "\"a/b\"",     "\" \""};
  static constexpr const char* kFormatStrings[] = {"\"2020-02-29\"",
                                                   "\"2021-02-29\"",
                                                   "\"2020-02-29T12:00:00Z\"",
                                                   "\"12:30:00+01:00\"",
                                                   "\"127.0.0.1\"",
                                                   "\"256.0.0.1\"",
                                                   "\"::1\"",
                                                   "\"a@b.c\"",
                                                   "\"a.b-c.d\"",
                                                   "\"-a.b\"",
                                                   "\"http://a/b?c#d\"",
                                                   "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\""};
  static constexpr const char* kBase64[] = {"\"e30=\"", "\"eyJhIjoxfQ==\"", "\"ezp9Cg==\"",
                                            "\"IiI=\"", "\"MQ==\"",         "\"MQ=\"",
                                            "\"AAAA\""};
  static constexpr const char* kJsonTexts[] = {
      "\"{}\"",     "\"[1, 2]\"", "\"null\"", "\"{:}\"", "\"\\\"\\\\ud800\\\"\"",
      "\"-0.5e1\"", "\"[\""};
  static constexpr const char* kFormats[] = {
      "\"date\"",  "\"date-time\"", "\"time\"", "\"ipv4\"", "\"ipv6\"",
      "\"email\"", "\"hostname\"",  "\"uri\"",  "\"uuid\"", "\"x-unknown\""};
  static constexpr const char* kNumbers[] = {"0",    "1",    "-1",  "2",   "3",    "5",   "10",
                                             "12",   "100",  "0.5", "1.5", "-2.5", "1e1", "0.01",
                                             "1e-2", "-0.0", "2.0", "7",   "1e2",  "99"};
  static constexpr const char* kRareNumbers[] = {"123456789012345678901234567890",
                                                 "-9007199254740993",
                                                 "1e30",
                                                 "0.1234567890123456789",
                                                 "3e-30",
                                                 "18446744073709551616",
                                                 "1e400",
                                                 "0.3"};
  static constexpr const char* kDivisors[] = {"1",   "2", "3",  "0.5",  "0.01",
                                              "1.5", "5", "10", "1e-1", "7"};
  static constexpr const char* kRareDivisors[] = {"0.0001",      "1e20", "3e-5",
                                                  "12345678901", "0.3",  "1e-30"};
  static constexpr const char* kPatterns[] = {"\"^a\"",
                                              "\"b$\"",
                                              "\"^a+b?$\"",
                                              "\"a|b\"",
                                              "\"^[ab]*$\"",
                                              "\"^.{0,2}$\"",
                                              "\"[^a]\"",
                                              "\"^\\\\w+$\"",
                                              "\"^(?!a)\"",
                                              "\"\\\\d\"",
                                              "\"^(ab|ba)*$\"",
                                              "\"^$\"",
                                              "\"\\\\bb\"",
                                              "\"^[\\\\s\\\\S]$\"",
                                              "\"(?<=a)b\"",
                                              "\"(?<!a)b|^1\"",
                                              "\"^(?<x>a|b)+?1?$\"",
                                              "\"\\\\p{L}$\"",
                                              "\"^(?=.*b)[^1]*$\"",
                                              "\"\\\\Bb\\\\b\"",
                                              "\"^[^\\\\ud83d]*$\""};
  static constexpr const char* kTypes[] = {"\"null\"",   "\"boolean\"", "\"number\"", "\"integer\"",
                                           "\"string\"", "\"array\"",   "\"object\""};

  std::mt19937_64 random_;
  Draft draft_ = Draft::k2020;
  static constexpr const char* kBase = "http://example.org/s";
  int definitions_ = 0;
  bool resources_ = false;       // each definition is a resource with a dynamic anchor of one name
  int current_definition_ = -1;  // -1: the root
  const Json* root_ = nullptr;
};

inline std::string SchemaRandom::list(int least, int most, bool distinct,
                                      std::string (SchemaRandom::*make)()) {
  Fields values;
  for (int count = least + below(most - least + 1), tries = 0; count > 0 && tries < 50; ++tries) {
    std::string value = (this->*make)();
    if (distinct && std::find(values.begin(), values.end(), value) != values.end()) continue;
    values.push_back(std::move(value));
    --count;
  }
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ",") + value;
  return "[" + text + "]";
}

inline SchemaRandom::Json SchemaRandom::any_value(int depth) {
  switch (below(depth > 0 ? 9 : 6)) {
    case 0:
      return parse(pick({"null", "true", "false"}));
    case 1:
    case 2:
      return parse(number());
    case 3:
      return parse(one_in(4) ? pick(kFormatStrings) : pick(kStrings));
    case 4:
    case 5:
      return parse(pick(kStrings));
    case 6: {
      Json array;
      array.kind = Json::Kind::kArray;
      for (int i = below(4); i > 0; --i) array.items.push_back(any_value(depth - 1));
      return array;
    }
    default: {
      Json object;
      object.kind = Json::Kind::kObject;
      for (int i = below(4); i > 0; --i) {
        const std::string key = parse(name()).text;
        if (object.find(key) == nullptr) object.members.emplace_back(key, any_value(depth - 1));
      }
      return object;
    }
  }
}

inline std::string SchemaRandom::reference(bool in_place) {
  // In place only later definitions are named, so no reference leads to itself without reading
  // input.
  const int first = in_place ? current_definition_ + 1 : 0;
  if (!in_place && resources_ && one_in(2)) {
    return draft_ == Draft::k2019 ? R"({"$recursiveRef":"#"})" : R"({"$dynamicRef":"#n"})";
  }
  if (!in_place && one_in(3)) return R"({"$ref":")" + std::string(resources_ ? kBase : "#") + "\"}";
  if (first >= definitions_) return "{}";
  if (resources_) {
    return R"({"$ref":")" + std::string(kBase) + "/d" +
           std::to_string(first + below(definitions_ - first)) + "\"}";
  }
  const std::string folder = draft_ <= Draft::k7 ? "definitions" : "$defs";
  return R"({"$ref":"#/)" + folder + "/d" + std::to_string(first + below(definitions_ - first)) +
         "\"}";
}

inline std::string SchemaRandom::subschemas(int depth, int least, int most, bool in_place) {
  std::string text;
  for (int i = least + below(most - least + 1); i > 0; --i) {
    text += (text.empty() ? "" : ",") + subschema(depth, in_place);
  }
  return "[" + text + "]";
}

inline void SchemaRandom::add_string_keywords(Fields& fields) {
  if (one_in(3)) fields.push_back("\"minLength\":" + small(3));
  if (one_in(3)) fields.push_back("\"maxLength\":" + small(5));
  if (one_in(3)) fields.push_back("\"pattern\":" + pick(kPatterns));
  if (one_in(6)) fields.push_back("\"format\":" + pick(kFormats));
  if (one_in(15)) fields.push_back("\"contentEncoding\":\"base64\"");
  if (one_in(15)) fields.push_back("\"contentMediaType\":\"application/json\"");
}

inline void SchemaRandom::add_number_keywords(Fields& fields) {
  const bool old = draft_ == Draft::k4;
  const bool low = one_in(3), high = one_in(3);
  if (low) fields.push_back("\"minimum\":" + number());
  if (high) fields.push_back("\"maximum\":" + number());
  if (old && low && one_in(2)) fields.push_back("\"exclusiveMinimum\":true");
  if (old && high && one_in(2)) fields.push_back("\"exclusiveMaximum\":true");
  if (!old && one_in(6)) fields.push_back("\"exclusiveMinimum\":" + number());
  if (!old && one_in(6)) fields.push_back("\"exclusiveMaximum\":" + number());
  if (one_in(4))
    fields.push_back("\"multipleOf\":" + (one_in(5) ? pick(kRareDivisors) : pick(kDivisors)));
}

inline void SchemaRandom::add_array_keywords(Fields& fields, int depth) {
  if (one_in(4)) fields.push_back("\"minItems\":" + small(3));
  if (one_in(4)) fields.push_back("\"maxItems\":" + small(4));
  if (one_in(3)) fields.push_back(one_in(8) ? "\"uniqueItems\":false" : "\"uniqueItems\":true");
  const bool prefix = one_in(3);
  if (draft_ >= Draft::k2020) {
    if (prefix) fields.push_back("\"prefixItems\":" + subschemas(depth - 1, 1, 3, false));
    if (one_in(2)) fields.push_back("\"items\":" + subschema(depth - 1, false));
  } else if (prefix) {
    fields.push_back("\"items\":" + subschemas(depth - 1, 1, 3, false));
    if (one_in(2)) fields.push_back("\"additionalItems\":" + subschema(depth - 1, false));
  } else if (one_in(2)) {
    fields.push_back("\"items\":" + subschema(depth - 1, false));
  }
  if (draft_ != Draft::k4 && one_in(5)) {
    fields.push_back("\"contains\":" + subschema(depth - 1, false));
    if (draft_ >= Draft::k2019 && one_in(3)) fields.push_back("\"minContains\":" + small(3));
    if (draft_ >= Draft::k2019 && one_in(3)) fields.push_back("\"maxContains\":" + small(3));
  }
}

inline void SchemaRandom::add_unevaluated(Fields& fields, int depth) {
  const auto rest = [&] { return one_in(2) ? "false" : subschema(depth - 1, false); };
  if (one_in(5)) fields.push_back("\"unevaluatedProperties\":" + rest());
  if (one_in(7)) fields.push_back("\"unevaluatedItems\":" + rest());
}

// What propertyNames says.
inline std::string SchemaRandom::names_schema() {
  switch (below(6)) {
    case 0:
      return "{\"pattern\":" + pick(kPatterns) + "}";
    case 1:
      return "{\"enum\":" + list(1, 4, true, &SchemaRandom::name) + "}";
    case 2:
      return "{\"not\":{\"const\":" + name() + "}}";
    case 3:
      return "{\"anyOf\":[{\"minLength\":2},{\"pattern\":" + pick(kPatterns) + "}]}";
    default:
      return "{\"maxLength\":" + small(2) + "}";
  }
}

inline void SchemaRandom::add_object_keywords(Fields& fields, int depth) {
  if (!one_in(4)) {
    std::set<std::string> names;
    std::string text;
    for (int i = below(4); i >= 0; --i) {
      const std::string key = name();
      if (names.insert(key).second)
        text += (text.empty() ? "" : ",") + key + ":" + subschema(depth - 1, false);
    }
    fields.push_back("\"properties\":{" + text + "}");
  }
  if (one_in(3))
    fields.push_back("\"required\":" +
                     list(draft_ == Draft::k4 ? 1 : 0, 2, true, &SchemaRandom::name));
  if (one_in(3)) {
    fields.push_back("\"additionalProperties\":" +
                     (one_in(2) ? std::string("false") : subschema(depth - 1, false)));
  }
  if (one_in(4)) {
    const std::string first = pick(kPatterns);
    std::string text = first + ":" + subschema(depth - 1, false);
    const std::string second = pick(kPatterns);
    if (one_in(3) && second != first) text += "," + second + ":" + subschema(depth - 1, false);
    fields.push_back("\"patternProperties\":{" + text + "}");
  }
  if (draft_ != Draft::k4 && one_in(8)) fields.push_back("\"propertyNames\":" + names_schema());
  if (draft_ <= Draft::k7 && one_in(8)) {
    fields.push_back(
        "\"dependencies\":{" + name() + ":" +
        (one_in(2) ? list(1, 2, true, &SchemaRandom::name) : subschema(depth - 1, true)) + "}");
  }
  if (draft_ == Draft::kV1 && one_in(5)) {
    fields.push_back("\"propertyDependencies\":{" + name() + ":{" + pick(kStrings) + ":" +
                     subschema(depth - 1, true) + "}}");
  }
  if (draft_ >= Draft::k2019 && one_in(8))
    fields.push_back("\"dependentSchemas\":{" + name() + ":" + subschema(depth - 1, true) + "}");
  if (draft_ >= Draft::k2019 && one_in(8)) {
    fields.push_back("\"dependentRequired\":{" + name() + ":" +
                     list(1, 2, true, &SchemaRandom::name) + "}");
  }
  if (one_in(6)) fields.push_back("\"minProperties\":" + small(2));
  if (one_in(6)) fields.push_back("\"maxProperties\":" + small(3));
}

inline void SchemaRandom::add_applicators(Fields& fields, int depth) {
  if (one_in(6)) fields.push_back("\"anyOf\":" + subschemas(depth - 1, 1, 3, true));
  if (one_in(8)) fields.push_back("\"allOf\":" + subschemas(depth - 1, 1, 2, true));
  if (one_in(7)) fields.push_back("\"oneOf\":" + subschemas(depth - 1, 1, 3, true));
  if (one_in(8)) fields.push_back("\"not\":" + subschema(depth - 1, true));
  if (draft_ != Draft::k4 && one_in(8)) {
    fields.push_back("\"if\":" + subschema(depth - 1, true));
    if (!one_in(4)) fields.push_back("\"then\":" + subschema(depth - 1, true));
    if (!one_in(3)) fields.push_back("\"else\":" + subschema(depth - 1, true));
  }
}

inline std::string SchemaRandom::subschema(int depth, bool in_place) {
  if (draft_ != Draft::k4 && one_in(14)) return one_in(3) ? "false" : "true";
  if (one_in(8)) return reference(in_place);
  Fields fields;
  const int shape = below(10);
  if (shape == 0) {
    // Drafts before 2019-09 want the values distinct.
    std::vector<Json> values;
    for (int i = 1 + below(3); i > 0; --i) {
      Json value = any_value(one_in(3) ? 2 : 1);
      const auto same = [&value](const Json& other) { return reference::equal(value, other); };
      if (std::none_of(values.begin(), values.end(), same)) values.push_back(std::move(value));
    }
    std::string text;
    for (const Json& value : values)
      text += (text.empty() ? "" : ",") + reference::print_json(value);
    fields.push_back("\"enum\":[" + text + "]");
  } else if (shape == 1 && draft_ != Draft::k4) {
    fields.push_back("\"const\":" + value_text(1));
  } else {
    const int kind = below(depth > 0 ? 6 : 3);
    const char* type = nullptr;
    switch (kind) {
      case 0:
        type = one_in(8) ? "\"boolean\"" : "\"string\"";
        add_string_keywords(fields);
        break;
      case 1:
        type = one_in(3) ? "\"integer\"" : "\"number\"";
        add_number_keywords(fields);
        break;
      case 2:
        if (one_in(2)) {
          type = one_in(2) ? "\"null\"" : "\"boolean\"";
        } else {
          add_string_keywords(fields);
          add_number_keywords(fields);
        }
        break;
      case 3:
        type = "\"array\"";
        add_array_keywords(fields, depth);
        break;
      default:
        type = "\"object\"";
        add_object_keywords(fields, depth);
        break;
    }
    if (type != nullptr && !one_in(5)) {
      const bool several = one_in(6);
      const std::string other = pick(kTypes);
      fields.push_back("\"type\":" + (several && other != type
                                          ? "[" + std::string(type) + "," + other + "]"
                                          : std::string(type)));
    }
  }
  if (depth > 0) add_applicators(fields, depth);
  if (depth > 0 && draft_ >= Draft::k2019) add_unevaluated(fields, depth);
  std::shuffle(fields.begin(), fields.end(), random_);
  return object(fields);
}

inline std::string SchemaRandom::schema() {
  const int dialect = below(14);
  draft_ = dialect == 0   ? Draft::k4
           : dialect == 1 ? Draft::k6
           : dialect == 2 ? Draft::k7
           : dialect <= 4 ? Draft::k2019
           : dialect <= 6 ? Draft::kV1
                          : Draft::k2020;
  definitions_ = one_in(2) ? 0 : 1 + below(3);
  resources_ = draft_ >= Draft::k2019 && definitions_ > 0 && one_in(3);
  const auto identify = [&](const std::string& path) {
    const std::string id = std::string("\"$id\":\"") + kBase + path + "\",";
    if (draft_ == Draft::k2019) return id + (one_in(5) ? "" : "\"$recursiveAnchor\":true,");
    return id + (draft_ == Draft::k2020 && one_in(5) ? "\"$anchor\":\"n\","
                                                     : "\"$dynamicAnchor\":\"n\",");
  };
  Fields definitions;
  for (int i = 0; i < definitions_; ++i) {
    current_definition_ = i;
    const std::string name = "d" + std::to_string(i);
    std::string body = subschema(2, true);
    if (resources_) body = "{" + identify("/" + name) + "\"allOf\":[" + body + "]}";
    definitions.push_back("\"" + name + "\":" + body);
  }
  current_definition_ = -1;
  std::string text;
  do {
    text = subschema(3, true);
  } while (text.front() != '{' || text.size() < 12 || text.rfind("{\"$ref\"", 0) == 0);
  const std::string folder = draft_ <= Draft::k7 ? "definitions" : "$defs";
  if (definitions_ > 0) text.insert(text.size() - 1, ",\"" + folder + "\":" + object(definitions));
  if (resources_) text.insert(1, identify(""));
  static constexpr const char* kUris[] = {"http://json-schema.org/draft-04/schema#",
                                          "http://json-schema.org/draft-06/schema#",
                                          "http://json-schema.org/draft-07/schema#",
                                          "https://json-schema.org/draft/2019-09/schema",
                                          "https://json-schema.org/draft/2020-12/schema",
                                          "https://json-schema.org/v1"};
  if (draft_ != Draft::k2020 || one_in(4)) {
    text.insert(1, std::string("\"$schema\":\"") + kUris[static_cast<int>(draft_)] + "\",");
  }
  return text;
}

}  // namespace espalier::testing

#include "tests/schema_random_instances.h"
