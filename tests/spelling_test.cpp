// Options of spelling, of optional and of additional properties; x-espalier; choices; response
// formats.
//
// Random schemas under random options: what the machine writes is valid under the plain schema, and
// a slow check of the text finds the options kept. Where only separators are fixed, a text is
// accepted exactly when the reference validator accepts its value. Each option's meaning is listed
// in small tables.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "espalier/coverage.h"
#include "espalier/grammar.h"
#include "grammar/recognizer.h"
#include "tests/reference_json.h"
#include "tests/reference_validator.h"
#include "tests/schema_random.h"
#include "tests/spelling_random.h"
#include "tests/test_seed.h"

namespace espalier {
namespace {

using reference::Json;
using testing::SchemaRandom;
using Whitespace = Spelling::Whitespace;
using Order = Spelling::PropertyOrder;
using Escapes = Spelling::Escapes;
using Numbers = Spelling::Numbers;

bool accepts(const Grammar& grammar, const std::string& text) {
  const std::shared_ptr<Recognizer> recognizer = grammar.recognizer();
  State state = recognizer->start();
  for (size_t i = 0; i < text.size() && !state.dead(); ++i)
    state = recognizer->step(state, static_cast<uint8_t>(text[i]));
  return !state.dead() && recognizer->accepting(state);
}

// ---- The slow check ----------------------------------------------------------------------------

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool allows_run(const std::string& run, char before, const SchemaOptions& options) {
  const Spelling& spelling = options.spelling;
  if (!spelling.item_separator.empty() || !spelling.key_separator.empty()) {
    const std::string& separator = before == ',' ? spelling.item_separator : spelling.key_separator;
    if (before != ',' && before != ':') return run.empty();
    return run == (separator.empty() ? "" : separator.substr(1));
  }
  Whitespace policy = spelling.whitespace;
  if (policy == Whitespace::kProfile)
    policy = options.profile == Profile::kExact ? Whitespace::kAny : Whitespace::kSpace;
  if (policy == Whitespace::kAny) return true;
  if (run == " " && (before == ',' || before == ':')) return policy == Whitespace::kSpace;
  return run.empty();
}

// Is every escape one that JSON needs, in the one form?
bool minimal_escape(const std::string& text, size_t at) {
  const char c = text[at];
  if (c != 'u') return std::string("\"\\bfnrt").find(c) != std::string::npos;
  const unsigned long value = std::stoul(text.substr(at + 1, 4), nullptr, 16);
  return value < 0x20 && value != 8 && value != 9 && value != 10 && value != 12 && value != 13;
}

bool keeps_order(const Json& value, const std::vector<std::string>& names) {
  size_t least = 0;
  for (const auto& [name, member] : value.members) {
    const auto place =
        static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (place < least || !keeps_order(member, names)) return false;
    least = place;
  }
  return std::all_of(value.items.begin(), value.items.end(),
                     [&](const Json& item) { return keeps_order(item, names); });
}

std::string broken(const std::string& text, const SchemaOptions& options) {
  const Spelling& spelling = options.spelling;
  const bool exact = options.profile == Profile::kExact;
  const bool minimal =
      spelling.escapes == Escapes::kProfile ? !exact : spelling.escapes == Escapes::kMinimal;
  const bool plain =
      spelling.numbers == Numbers::kProfile ? !exact : spelling.numbers == Numbers::kPlain;
  char before = 0;
  bool in_string = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (!in_string) {
      std::string run;
      while (i < text.size() && is_space(text[i])) run += text[i++];
      if (!allows_run(run, before, options)) return "white space";
      if (i == text.size()) break;
      before = text[i];
      if ((before == 'e' && std::isdigit(static_cast<unsigned char>(text[i - 1]))) ||
          before == 'E') {
        if (plain) return "number";
      }
      in_string = before == '"';
    } else if (text[i] == '"') {
      in_string = false;
      before = '"';
    } else if (text[i] == '\\') {
      ++i;
      if (minimal && !minimal_escape(text, i)) return "escape";
    }
  }
  if (spelling.property_order == Order::kGiven &&
      !keeps_order(*reference::parse_json(text, nullptr), spelling.property_names))
    return "order";
  return "";
}

std::string draw(Recognizer& recognizer, SchemaRandom& random) {
  std::string text;
  State state = recognizer.start();
  const int wanted = random.below(50);
  while (!state.dead()) {
    if (static_cast<int>(text.size()) >= wanted) {
      auto rest = recognizer.shortest_completion(state);
      return rest.ok() ? text + *rest : "";
    }
    std::vector<uint8_t> live;
    for (int byte = 0; byte < 256; ++byte) {
      const auto b = static_cast<uint8_t>(byte);
      const int weight =
          std::string("\"{[,: \\e").find(static_cast<char>(b)) != std::string::npos ? 6 : 1;
      if (!recognizer.step(state, b).dead()) live.insert(live.end(), weight, b);
    }
    if (live.empty()) return recognizer.accepting(state) ? text : "";
    const uint8_t byte = live[static_cast<size_t>(random.below(static_cast<int>(live.size())))];
    state = recognizer.step(state, byte);
    text += static_cast<char>(byte);
  }
  return text;
}

TEST(Spelling, WhatIsWrittenIsValidAndKeepsTheOptions) {
  const uint64_t start = testing::test_seed();
  SchemaRandom random(start);
  std::mt19937_64 bits(start);
  size_t drawn = 0;
  for (int round = 0; round < 500 && !HasFailure(); ++round) {
    const std::string schema = random.schema();
    SchemaOptions options;
    options.profile = bits() % 2 == 0 ? Profile::kExact : Profile::kGeneration;
    testing::random_spelling(bits, &options);
    options.limits.max_states = 5'000;  // of a completion that finds no end
    const auto grammar = Grammar::from_json_schema(schema, options);
    if (grammar.status().code() == StatusCode::kBudgetExceeded) continue;
    ASSERT_TRUE(grammar.ok()) << grammar.status().to_string() << "\n" << schema;
    reference::ValidatorOptions judging;
    judging.assert_formats = true;
    const auto judge = reference::ReferenceValidator::create(schema, judging, nullptr);
    const std::shared_ptr<Recognizer> recognizer = (*grammar)->recognizer();
    for (int i = 0; i < 5 && !(*grammar)->unsatisfiable(); ++i) {
      const std::string text = draw(*recognizer, random);
      if (text.empty()) continue;
      ++drawn;
      EXPECT_TRUE(judge->valid(text)) << schema << "\n" << text;
      EXPECT_EQ(broken(text, options), "") << schema << "\n" << text;
    }
  }
  std::printf("%zu texts\n", drawn);
  EXPECT_GT(drawn, 500u);
}

std::string print(const Json& value, const Spelling& spelling) {
  const bool object = value.is_object();
  if (!object && !value.is_array()) return reference::print_json(value);
  std::string out = object ? "{" : "[";
  const auto next = [&] { out += out.size() > 1 ? spelling.item_separator : ""; };
  for (const auto& [name, member] : value.members) {
    Json key;
    key.kind = Json::Kind::kString;
    key.text = name;
    next();
    out += reference::print_json(key) + spelling.key_separator + print(member, spelling);
  }
  for (const Json& item : value.items) {
    next();
    out += print(item, spelling);
  }
  return out + (object ? "}" : "]");
}

TEST(Spelling, SeparatorsLeaveTheVerdictsAsTheyAre) {
  SchemaRandom random(testing::test_seed());
  SchemaOptions options;
  options.profile = Profile::kExact;
  options.spelling.item_separator = ",\n ";
  options.spelling.key_separator = ": ";
  size_t valid = 0, invalid = 0;
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    const std::string schema = random.schema();
    const auto grammar = Grammar::from_json_schema(schema, options);
    if (!grammar.ok()) continue;
    reference::ValidatorOptions judging;
    judging.assert_formats = true;
    const auto judge = reference::ReferenceValidator::create(schema, judging, nullptr);
    const Json parsed = *reference::parse_json(schema, nullptr);
    for (int i = 0; i < 10; ++i) {
      const Json value = random.instance(parsed);
      const std::string text = print(value, options.spelling);
      const bool expected = judge->valid(text);
      EXPECT_EQ(accepts(**grammar, text), expected) << schema << "\n" << text;
      ++(expected ? valid : invalid);
      const std::string compact = reference::print_json(value);
      EXPECT_FALSE(compact != text && accepts(**grammar, compact)) << schema << "\n" << compact;
    }
  }
  std::printf("%zu valid, %zu invalid\n", valid, invalid);
  EXPECT_GT(valid, 100u);
  EXPECT_GT(invalid, 100u);
}

// ---- Tables ------------------------------------------------------------------------------------

struct Row {
  const char* name;
  std::function<void(SchemaOptions*)> set;
  std::vector<std::string> accepted, refused;
};

void check(const std::string& schema, Profile profile, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SchemaOptions options;
    options.profile = profile;
    row.set(&options);
    const auto grammar = Grammar::from_json_schema(schema, options);
    ASSERT_TRUE(grammar.ok()) << row.name << grammar.status().to_string();
    for (const std::string& text : row.accepted)
      EXPECT_TRUE(accepts(**grammar, text)) << row.name << ": " << text;
    for (const std::string& text : row.refused)
      EXPECT_FALSE(accepts(**grammar, text)) << row.name << ": " << text;
  }
}

TEST(Spelling, EachOption) {
  const std::string schema =
      R"({"properties": {"a": {"type": "number"}, "b": {"type": "string"}}, "type": "object"})";
  const auto spelling = [](auto member, auto value) {
    return [=](SchemaOptions* options) { options->spelling.*member = value; };
  };
  check(
      schema, Profile::kGeneration,
      {{"profile",
        [](SchemaOptions*) {},
        {R"({"a":1,"b":"x"})", R"({"a": 1, "b": "x","c":0})"},
        {R"({"b":"x","a":1})", R"({"a":1e0})", R"({"b":"\u0078"})", R"({ "a":1})"}},
       {"any space",
        spelling(&Spelling::whitespace, Whitespace::kAny),
        {R"( {"a" :1 , "b":"x"} )"},
        {R"({"b":"x","a":1})"}},
       {"no space",
        spelling(&Spelling::whitespace, Whitespace::kNone),
        {R"({"a":1,"b":"x"})"},
        {R"({"a": 1})", R"({"a":1, "b":"x"})"}},
       {"item separator",
        spelling(&Spelling::item_separator, ", "),
        {R"({"a":1, "b":"x"})"},
        {R"({"a":1,"b":"x"})", R"({"a": 1, "b":"x"})", R"({"a":1,  "b":"x"})"}},
       {"key separator",
        spelling(&Spelling::key_separator, ":\n\t"),
        {"{\"a\":\n\t1}", "{}"},
        {R"({"a":1})", "{\"a\":\n1}", "{\"a\":\n\t\t1}"}},
       {"any order", spelling(&Spelling::property_order, Order::kAny), {R"({"b":"x","a":1})"}, {}},
       {"given order",
        [](SchemaOptions* options) {
          options->spelling.property_order = Order::kGiven;
          options->spelling.property_names = {"z", "b"};
        },
        {R"({"b":"x","a":1})", R"({"z":0,"b":"x","a":1,"y":0})"},
        {R"({"a":1,"b":"x"})", R"({"b":"x","z":0})", R"({"y":0,"a":1})"}},
       {"any escapes", spelling(&Spelling::escapes, Escapes::kAny), {R"({"b":"\u0078"})"}, {}},
       {"any numbers", spelling(&Spelling::numbers, Numbers::kAny), {R"({"a":1e0})"}, {}}});
  check(schema, Profile::kExact,
        {{"one space",
          spelling(&Spelling::whitespace, Whitespace::kSpace),
          {R"({"b":"x", "a": 1})"},
          {R"({"b":"x",  "a": 1})", R"( {})"}},
         {"schema order",
          spelling(&Spelling::property_order, Order::kSchema),
          {R"({ "a":1, "b":"x"})"},
          {R"({"b":"x","a":1})"}},
         {"minimal escapes",
          spelling(&Spelling::escapes, Escapes::kMinimal),
          {R"({"b":"\"\n\u0001"})"},
          {R"({"b":"\u0078"})", R"({"b":"\/"})", R"({"\u0062":""})"}},
         {"plain numbers",
          spelling(&Spelling::numbers, Numbers::kPlain),
          {R"({"a":1.5})"},
          {R"({"a":1e0})"}}});
  // Constants that tell alternatives apart come first in the profile's order, not in the schema's.
  const std::string tools =
      R"({"anyOf": [{"properties": {"x": {"type": "null"}, "k": {"const": 1}}},
                    {"properties": {"x": {"type": "null"}, "k": {"const": 2}}}]})";
  check(tools, Profile::kGeneration,
        {{"profile", [](SchemaOptions*) {}, {R"({"k":1,"x":null})"}, {R"({"x":null,"k":1})"}},
         {"schema",
          spelling(&Spelling::property_order, Order::kSchema),
          {R"({"x":null,"k":1})"},
          {R"({"k":1,"x":null})"}}});
}

// Names that nothing lists come as the schema demands them, whatever was read of other objects.
TEST(Spelling, DemandedNames) {
  const auto grammar =
      Grammar::from_json_schema(R"({"dependentRequired": {"z": ["id", "a"]}, "minProperties": 1})",
                                {.profile = Profile::kGeneration});
  ASSERT_TRUE(grammar.ok());
  for (const std::string_view read : {"", "[{\"id", "[{\"a\": 1, \"id"}) {
    const std::shared_ptr<Recognizer> recognizer = (*grammar)->recognizer()->fresh();
    State state = recognizer->start();
    for (const char c : read) state = recognizer->step(state, static_cast<uint8_t>(c));
    EXPECT_FALSE(state.dead());
    const auto takes = [&](std::string_view text) {
      State s = recognizer->start();
      for (const char c : text) s = recognizer->step(s, static_cast<uint8_t>(c));
      return recognizer->accepting(s);
    };
    EXPECT_TRUE(takes(R"({"z": 1, "id": 1, "a": 1})")) << read;
    EXPECT_FALSE(takes(R"({"z": 1, "a": 1, "id": 1})")) << read;
  }
}

TEST(Spelling, OptionalAndAdditionalProperties) {
  const auto strict = [](SchemaOptions* options) { *options = options->strict(); };
  const auto require = [](SchemaOptions* options) {
    options->optional_properties = OptionalProperties::kRequire;
  };
  const auto omit = [](SchemaOptions* options) {
    options->optional_properties = OptionalProperties::kOmit;
  };
  const auto forbid = [](SchemaOptions* options) {
    options->additional_properties = AdditionalProperties::kForbid;
  };
  check(R"({"type": "object", "properties": {"a": {"type": "integer"},
            "b": {"items": {"properties": {"c": {}}}}, "d": false}, "required": ["a"]})",
        Profile::kExact,
        {{"require",
          require,
          {R"({"a":1,"b":[]})", R"({"a":1,"b":[{"c":0}],"x":0})"},
          {R"({"a":1})", R"({"a":1,"b":[{}]})", R"({"a":1,"b":[],"d":0})"}},
         {"omit", omit, {R"({"a":1})", R"({"a":1,"x":0})"}, {R"({"a":1,"b":[]})", "{}"}},
         {"forbid",
          forbid,
          {R"({"a":1})", R"({"a":1,"b":[{}]})"},
          {R"({"a":1,"x":0})", R"({"a":1,"b":[{"x":0}]})"}},
         {"strict",
          strict,
          {R"({"b":[{"c":{"x":1}}],"a":1})"},
          {R"({"a":1})", R"({"a":1,"b":[],"x":0})", R"({"a":1,"b":[{}]})"}}});
  // Optional is what no subschema that holds requires, wherever it stands.
  check(R"({"properties": {"a": {}, "b": {}, "c": {}}, "allOf": [{"required": ["a"]}],
            "$ref": "#/$defs/d", "$defs": {"d": {"required": ["b"], "properties": {"d": {}}}}})",
        Profile::kExact,
        {{"omit",
          omit,
          {R"({"a":1,"b":1})", R"({"b":1,"x":0,"a":1})"},
          {R"({"a":1})", "{}", R"({"a":1,"b":1,"c":1})", R"({"a":1,"b":1,"d":1})"}}});
  check(R"({"properties": {"a": {}, "b": {}, "c": {}, "k": {}}, "required": ["k"],
            "anyOf": [{"properties": {"k": {"const": 1}}, "required": ["a"]},
                      {"properties": {"k": {"const": 2}}, "required": ["b"]}],
            "dependentRequired": {"x": ["c"]}})",
        Profile::kExact,
        {{"omit",
          omit,
          {R"({"k":1,"a":0})", R"({"b":0,"k":2})", R"({"c":0,"k":1,"a":0,"x":0})"},
          {R"({"k":1,"a":0,"b":0})", R"({"k":2,"a":0,"b":0})", R"({"k":1,"a":0,"c":0})",
           R"({"k":1})"}}});
  check(R"({"properties": {"a": {}, "b": {}}, "if": {"required": ["a", "x"]}, "then": {},
            "else": {"required": ["b"]}})",
        Profile::kExact,
        {{"omit",
          omit,
          {R"({"b":1})", R"({"b":1,"x":1})"},
          {"{}", R"({"a":1,"x":1})", R"({"a":1,"b":1})"}}});
  // Two subschemas of the parent speak of one value, and a constant requires what it holds.
  check(R"({"properties": {"v": {"properties": {"a": {}, "b": {}}}}, "required": ["v"],
            "allOf": [{"additionalProperties": {"required": ["a"]}}],
            "anyOf": [{"properties": {"v": {"const": {"a": 1, "b": 2}}}},
                      {"properties": {"v": {"minProperties": 1}}}]})",
        Profile::kExact,
        {{"omit",
          omit,
          {R"({"v":{"a":1}})", R"({"v":{"b":2,"a":1}})", R"({"v":{"a":2,"x":2}})"},
          {"{}", R"({"v":{"a":2,"b":2}})", R"({"v":{}})", R"({"v":{"a":1,"b":2,"x":1}})"}}});
  // An object of several subschemas is closed once, and recursion stays.
  check(R"({"$ref": "#/$defs/node", "$defs": {"base": {"properties": {"id": {}}},
            "node": {"allOf": [{"$ref": "#/$defs/base"}],
                     "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}}}})",
        Profile::kExact,
        {{"strict",
          strict,
          {R"({"id":1,"next":null})", R"({"id":1,"next":{"id":2,"next":null}})"},
          {R"({"id":1})", R"({"id":1,"next":null,"x":0})", R"({"id":1,"next":{"id":2}})"}}});
  // Below `not` and `if` nothing is narrowed, and a branch of oneOf that is makes no room.
  check(R"({"not": {"properties": {"a": {"type": "string"}}}, "properties": {"a": {}, "b": {}}})",
        Profile::kExact,
        {{"forbid", forbid, {R"({"a":1})"}, {R"({"a":""})", R"({"a":1,"x":0})", R"({"b":1})"}}});
  check(R"({"oneOf": [{"properties": {"a": {}}, "required": ["a"]},
                      {"properties": {"b": {}}, "required": ["b"]}]})",
        Profile::kExact,
        {{"strict",
          strict,
          {R"({"a":1})", R"({"b":1})"},
          {R"({"a":1,"b":1})", R"({"a":1,"x":1})", "{}"}}});
  // Objects whose schema lists nothing stay open.
  check(R"({"type": "object"})", Profile::kExact, {{"strict", strict, {"{}", R"({"x":1})"}, {}}});
}

TEST(Spelling, TheSchemaMayBringOptions) {
  const std::string schema = R"({"x-espalier": {"item_separator": ", ", "key_separator": ": ",
      "property_order": ["b"], "strict": true}, "type": "object",
      "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}})";
  check(schema, Profile::kGeneration,
        {{"the schema's",
          [](SchemaOptions*) {},
          {R"({"b": 1, "a": 2})"},
          {R"({"b":1,"a":2})", R"({"a": 2, "b": 1})", R"({"b": 1})"}},
         {"the caller's first",
          [](SchemaOptions* options) {
            options->spelling.whitespace = Whitespace::kNone;
            options->spelling.property_order = Order::kAny;
          },
          {R"({"a":2,"b":1})"},
          {R"({"b": 1, "a": 2})", R"({"b":1})"}}});
  check(schema, Profile::kExact, {{"not looked at", [](SchemaOptions*) {}, {R"({"a":2})"}, {}}});
  const auto place_of = [](const std::string& options) {
    const auto grammar = Grammar::from_json_schema("{\"x-espalier\":" + options + "}");
    return grammar.ok() ? "accepted" : grammar.status().place();
  };
  EXPECT_EQ(place_of("[]"), "/x-espalier");
  EXPECT_EQ(place_of(R"({"white": "any"})"), "/x-espalier/white");
  EXPECT_EQ(place_of(R"({"whitespace": "some"})"), "/x-espalier/whitespace");
  EXPECT_EQ(place_of(R"({"property_order": [1]})"), "/x-espalier/property_order");
  EXPECT_EQ(place_of(R"({"item_separator": ";"})"), "/x-espalier/item_separator");
  EXPECT_EQ(place_of(R"({"key_separator": ":x"})"), "/x-espalier/key_separator");
  EXPECT_EQ(place_of(R"({"key_separator": ": ", "whitespace": "any"})"),
            "/x-espalier/key_separator");
  EXPECT_EQ(place_of(R"({"strict": 1})"), "/x-espalier/strict");
  EXPECT_EQ(place_of(R"({"escapes": "any", "numbers": "plain", "whitespace": "space",
                         "optional_properties": "omit", "additional_properties": "forbid"})"),
            "accepted");
  SchemaOptions options;
  options.spelling.item_separator = ";";
  EXPECT_EQ(Grammar::from_json_schema("{}", options).status().place(), "item_separator");
  const auto report = schema_coverage(schema);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->keywords.at(0).pointer, "/x-espalier");
  EXPECT_EQ(report->keywords.at(0).status, KeywordStatus::kEnforced);
}

TEST(Spelling, Choices) {
  const auto grammar = Grammar::from_choices({"yes", "no", "a.b|c", "{\"x\"}", "\xc3\xa9/", ""});
  ASSERT_TRUE(grammar.ok()) << grammar.status().to_string();
  for (const char* text : {"yes", "no", "a.b|c", "{\"x\"}", "\xc3\xa9/", ""})
    EXPECT_TRUE(accepts(**grammar, text)) << text;
  for (const char* text : {"y", "yesno", "axb|c", "c", "\"yes\"", " yes"})
    EXPECT_FALSE(accepts(**grammar, text)) << text;
  EXPECT_EQ(Grammar::from_choices({}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(Grammar::from_choices({"\xff"}).ok());
}

TEST(Spelling, ResponseFormats) {
  const auto compile = [](const std::string& text) { return Grammar::from_response_format(text); };
  const auto object = compile(R"({"type": "json_object"})");
  ASSERT_TRUE(object.ok());
  EXPECT_TRUE(accepts(**object, R"({"a":[1]})"));
  EXPECT_FALSE(accepts(**object, "[1]"));
  const auto schema_of_object =
      compile(R"({"type": "json_object", "schema": {"maxProperties": 0}})");
  ASSERT_TRUE(schema_of_object.ok());
  EXPECT_FALSE(accepts(**schema_of_object, R"({"a":1})"));
  const std::string properties = R"({"properties": {"a": {"type": "integer"}}, "type": "object"})";
  const auto with = [&](const std::string& more) {
    return compile(R"({"type": "json_schema", "json_schema": {"name": "n", )" + more +
                   "\"schema\": " + properties + "}}");
  };
  const auto loose = with("");
  const auto strict = with("\"strict\": true, ");
  ASSERT_TRUE(loose.ok() && strict.ok());
  EXPECT_TRUE(accepts(**loose, R"({"b":1})"));
  EXPECT_TRUE(accepts(**strict, R"({"a":1})"));
  EXPECT_FALSE(accepts(**strict, "{}"));
  EXPECT_FALSE(accepts(**strict, R"({"a":1,"b":1})"));
  EXPECT_EQ(compile(R"({"type": "text"})").status().place(), "/type");
  EXPECT_EQ(compile(R"({"type": "json_schema"})").status().code(), StatusCode::kParseError);
  EXPECT_EQ(compile(R"({"type": "json_schema", "json_schema": {"schema": {"minimum": "1"}}})")
                .status()
                .place(),
            "/json_schema/schema/minimum");
  EXPECT_FALSE(compile("[").ok());
}

}  // namespace
}  // namespace espalier
