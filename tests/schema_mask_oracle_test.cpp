// Masks of the schema machine over real vocabularies against the obvious check of every token.
//
// Schemas: a list with every keyword, and files of MaskBench where the data is at hand. Prefixes:
// random walks that draw uniformly from the masks, or follow a test instance for a while. The
// reference is a machine of its own, compiled from the same text, that steps the bytes of each
// token from scratch; it shares no state, memo or row with the fast path. Masks must be equal bit
// for bit.

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "backends/models.h"
#include "engine_support.h"
#include "shared_data.h"
#include "tests/spelling_random.h"

namespace espalier::testing {
namespace {

const char* const kSchemas[] = {
    R"({})",
    R"({"type": "string"})",
    R"({"type": "string", "minLength": 2, "maxLength": 7})",
    R"({"type": "string", "maxLength": 300})",
    R"({"type": "string", "pattern": "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"})",
    R"({"type": "string", "pattern": "foo|\\d{3}", "maxLength": 12})",
    R"({"type": "string", "pattern": "[0-9a-f]{3}-[0-9a-f]{2}"})",
    R"({"type": "string", "pattern": "[0-9a-f]{2}-[a-z]", "minLength": 3, "maxLength": 290})",
    R"({"type": "string", "pattern": "^(\\S+\\s+){0,99}\\S+$", "maxLength": 600})",
    R"({"type": "string", "pattern": "^([a-z]+ ){0,12}$", "minLength": 2, "maxLength": 300})",
    R"x({"type": "string", "allOf": [{"pattern": "^(?!ab)"}, {"pattern": "c{2}"}],
        "maxLength": 262})x",
    R"({"type": "string", "not": {"pattern": "[0-9]{3}x"}, "maxLength": 270})",
    R"({"type": "string", "anyOf": [{"pattern": "a[bc]d"}, {"minLength": 280}]})",
    R"({"patternProperties": {"^[a-f]$": {"type": "null"}}, "additionalProperties": false,
        "type": "object", "required": ["b"], "minProperties": 4})",
    R"({"propertyNames": {"pattern": "^x[12]?$"}, "type": "object", "minProperties": 2,
        "properties": {"x": {"type": "null"}}, "additionalProperties": {"enum": [1, "a"]}})",
    R"({"type": "string", "format": "date-time"})",
    R"({"type": "string", "format": "email"})",
    R"({"type": "string", "format": "uuid"})",
    R"({"type": "string", "format": "regex"})",
    R"({"type": "string", "contentMediaType": "application/json"})",
    R"({"type": "string", "contentMediaType": "application/json", "contentEncoding": "base64"})",
    R"({"type": "string", "contentEncoding": "base64", "maxLength": 9})",
    R"({"type": "string", "format": "regex", "maxLength": 6})",
    R"({"anyOf": [{"type": "string", "format": "regex"}, {"pattern": "^[\\[(]{2}"}]})",
    R"({"enum": ["red", "green", "gr\u00fcn", "\ud83d\ude00", 1, 1.5, null, true, {"a": [1, 2]}, "a\"b"]})",
    R"({"type": "integer", "minimum": -5, "maximum": 127})",
    R"({"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.25, "maximum": 1000})",
    R"({"type": ["integer", "null", "boolean"]})",
    R"({"type": "array", "uniqueItems": true, "minItems": 2})",
    R"({"uniqueItems": true, "items": {"enum": ["a", "ab", 1, 10, true]}, "minItems": 3})",
    R"({"uniqueItems": true, "type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 12}})",
    R"({"uniqueItems": true, "type": "array", "items": {"type": "array", "items": {"enum": [1, 2]}}})",
    R"({"not": {"uniqueItems": true}, "type": "array", "items": {"type": "string"}, "maxItems": 3})",
    R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3})",
    R"({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}],
        "items": {"type": "boolean"}})",
    R"({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"},
        "nickname": {"type": "string"}}, "required": ["name", "age"]})",
    R"({"type": "object", "properties": {"name": {"type": "string"}, "names": {"type": "integer"},
        "id": {"type": "integer"}}, "required": ["id"], "additionalProperties": false})",
    R"({"type": "object", "patternProperties": {"^x-": {"type": "integer"}, "y$": {"minimum": 3}},
        "additionalProperties": {"type": "string"}, "minProperties": 1, "maxProperties": 3})",
    R"({"type": "object", "properties": {"theme": {"type": "null"}, "host": {"type": "null"}},
        "patternProperties": {"^x-[a-z]{1,8}$": {"type": "null"}}, "additionalProperties": false})",
    R"({"type": "object", "properties": {"one": {"const": 1}, "only": {"const": 1}, "x": {"const":
        1}}, "patternProperties": {"^o[a-m]": {"const": 1}}, "additionalProperties": false,
        "minProperties": 2})",
    R"({"type": "object", "properties": {"a": {"type": "string"}},
        "additionalProperties": {"type": "array", "items": {"type": "string"}}})",
    R"({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"},
        {"type": "object", "required": ["k"], "properties": {"k": {"const": 1}}}]})",
    R"({"oneOf": [{"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type":
        "number"}}, "required": ["kind", "r"]}, {"type": "object", "properties": {"kind": {"const":
        "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]}]})",
    R"({"allOf": [{"type": "string", "minLength": 2}, {"pattern": "^[^x]*$"},
        {"not": {"const": "abc"}}]})",
    R"({"not": {"type": "string"}})",
    R"({"type": "object", "properties": {"t": {"enum": ["a", "b"]}},
        "if": {"properties": {"t": {"const": "a"}}, "required": ["t"]},
        "then": {"properties": {"v": {"type": "integer"}}, "required": ["v"]},
        "else": {"properties": {"v": {"type": "string"}}}})",
    R"({"$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["value"],
        "additionalProperties": false}}, "$ref": "#/$defs/node"})",
    R"({"type": "object", "properties": {"a\"b": {"type": "integer"}, "\u00e9t\u00e9": {"const": "x"}},
        "additionalProperties": false})",
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string compact(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

/// A schema and texts that lead into it.
struct Case {
  std::string name;
  std::string schema;
  std::vector<std::string> instances;
};

std::vector<Case> cases(std::mt19937_64& random) {
  std::vector<Case> all;
  for (const char* schema : kSchemas) all.push_back({schema, schema, {}});
  if (const auto folder = maskbench_dir()) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (int i = 0; i < 40 && !files.empty(); ++i) {
      const auto& path = files[random() % files.size()];
      rapidjson::Document document;
      document.Parse(read_file(path).c_str());
      if (document.HasParseError() || !document.IsObject() || !document.HasMember("schema"))
        continue;
      Case one{path.filename().string(), compact(document["schema"]), {}};
      if (document.HasMember("tests")) {
        for (const auto& test : document["tests"].GetArray()) {
          one.instances.push_back(compact(test["data"]));
        }
      }
      all.push_back(std::move(one));
    }
  } else {
    printf("MaskBench files not found: the listed schemas alone are used.\n");
  }
  return all;
}

class SchemaMaskOracle : public ::testing::Test {
 protected:
  static constexpr size_t kStates = 70;

  /// At least kStates states over the vocabulary.
  static void check(const std::shared_ptr<const Vocabulary>& vocabulary, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Case> all = cases(random);
    std::shuffle(all.begin(), all.end(), random);
    size_t states = 0;
    for (size_t i = 0; states < kStates; ++i) {
      check_case(all[i % all.size()], vocabulary, random, &states);
      if (HasFatalFailure()) return;
      ASSERT_LT(i, 4 * all.size()) << "too few schemas compile";
    }
    printf("%zu states equal over %zu tokens\n", states, vocabulary->size());
  }

  static void check_case(const Case& one, const std::shared_ptr<const Vocabulary>& vocabulary,
                         std::mt19937_64& random, size_t* states) {
    SchemaOptions options;
    options.profile = random() % 2 ? Profile::kExact : Profile::kGeneration;
    options.content = ContentPolicy::kAssert;
    if (random() % 3 == 0) random_spelling(random, &options);
    const auto grammar = Grammar::from_json_schema(one.schema, options);
    if (!grammar.ok() || (*grammar)->unsatisfiable()) return;
    const auto reference = Grammar::from_json_schema(one.schema, options);
    ASSERT_TRUE(reference.ok());
    Matcher matcher(*grammar, vocabulary);
    Matcher uncached(*grammar, vocabulary, {.use_caches = false});
    if (!one.instances.empty() && random() % 3 != 0) {
      const std::string& text = one.instances[random() % one.instances.size()];
      const size_t length = random() % (text.size() + 1);
      for (size_t i = 0; i < length && matcher.accept_bytes(text.substr(i, 1)).ok(); ++i) {
      }
    }
    const size_t bytes_before = matcher.num_accepted();
    std::vector<MaskRow> masks;
    for (int step = 0; step < 4; ++step) {
      // Stepping every token of a vocabulary may have used up what a process-wide leaf may hold.
      MaskRow row(vocabulary->row_words());
      if (matcher.fill_mask(row).code() == StatusCode::kBudgetExceeded) return;
      const MaskRow mask = mask_of(matcher);
      const std::shared_ptr<Recognizer> owner = (*reference)->recognizer();
      Recognizer& slow = *owner;
      State s = slow.start();
      for (const char c : matcher.text()) s = slow.step(s, static_cast<uint8_t>(c));
      const MaskRow expected = slow_mask(slow, s, *vocabulary);
      if (!slow.status().ok() || !matcher.fill_mask(row).ok()) return;
      ASSERT_EQ(mask == expected, true) << one.name << "\nafter " << matcher.text() << "\n"
                                        << difference(mask, expected, *vocabulary);
      uncached.reset();
      ASSERT_TRUE(uncached.accept_bytes(matcher.text()).ok());
      ASSERT_EQ(mask_of(uncached) == expected, true)
          << one.name << "\nwithout caches after " << matcher.text() << "\n"
          << difference(mask_of(uncached), expected, *vocabulary);
      ASSERT_EQ(mask_of(matcher) == expected, true) << one.name;
      ++*states;
      masks.push_back(mask);
      const std::vector<TokenId> allowed = tokens_of(mask);
      ASSERT_FALSE(allowed.empty()) << "dead end: " << one.name << "\nafter " << matcher.text();
      for (int i = 0; i < 20; ++i) {
        const auto token = static_cast<TokenId>(random() % vocabulary->size());
        ASSERT_EQ(matcher.is_allowed(token), has_bit(mask, token)) << token;
      }
      const TokenId token = allowed[random() % allowed.size()];
      if (vocabulary->is_eos(token)) break;
      ASSERT_TRUE(matcher.accept(token).ok()) << one.name;
    }
    // Back to an earlier state: the mask is what it was.
    const size_t back = masks.size() - 1 - (random() % masks.size());
    const size_t accepted = matcher.num_accepted() - bytes_before;
    ASSERT_TRUE(matcher.rollback(accepted - back).ok());
    ASSERT_EQ(mask_of(matcher) == masks[back], true) << one.name << " rolled back";
  }

  static std::shared_ptr<const Vocabulary> load(const char* file,
                                                const VocabularyOptions& options = {}) {
    const auto data = shared_data();
    if (!data || !std::filesystem::exists(*data / "tokenizers" / file)) return nullptr;
    auto vocabulary = Vocabulary::load((*data / "tokenizers" / file).string(), options);
    EXPECT_TRUE(vocabulary.ok()) << vocabulary.status().to_string();
    return vocabulary.ok() ? *vocabulary : nullptr;
  }
};

TEST_F(SchemaMaskOracle, OwnVocabulary) {
  const auto vocabulary = open_vocabulary("builtin");
  if (!vocabulary.ok()) GTEST_SKIP() << "no built-in model: " << vocabulary.status().to_string();
  check(*vocabulary, test_seed());
}

TEST_F(SchemaMaskOracle, Llama3) {
  const auto vocabulary = load("ggml-vocab-llama-bpe.gguf");
  if (!vocabulary) GTEST_SKIP() << "the Llama-3 vocabulary is not among the shared data";
  check(vocabulary, test_seed() + 1);
}

TEST_F(SchemaMaskOracle, O200k) {
  VocabularyOptions options;
  options.eos_ids = {199999};
  const auto vocabulary = load("o200k_base.tiktoken", options);
  if (!vocabulary) GTEST_SKIP() << "the o200k vocabulary is not among the shared data";
  check(vocabulary, test_seed() + 2);
}

/// Every prefix of texts chosen for their states: those that random walks seldom meet.
TEST_F(SchemaMaskOracle, PrefixesOfChosenTexts) {
  std::mt19937_64 random(test_seed() + 4);
  const auto builtin = open_vocabulary("builtin");
  const std::shared_ptr<const Vocabulary> vocabulary =
      builtin.ok() ? *builtin
                   : random_vocabulary(
                         random, {"a", "h", "ost", "x-", "y", "\"", ":", "null", "{\"", "\\u0068"},
                         2000, true);
  const std::pair<const char*, const char*> chosen[] = {
      // Listed names whose beginnings no pattern knows, beside names that one does.
      {R"({"type": "object", "properties": {"theme": {"type": "null"}, "host": {"type": "null"}},
           "patternProperties": {"^x-[a-z]{1,3}$": {"type": "null"}},
           "additionalProperties": false})",
       R"({"theme": null, "x-abc": null, "host": null})"},
      {R"({"type": "object", "properties": {"one": {"const": 1}, "only": {"const": 1}, "x": {"const": 1}},
           "patternProperties": {"^o[a-m]": {"const": 1}}, "propertyNames": {"maxLength": 4},
           "additionalProperties": false, "minProperties": 2})",
       R"({"x": 1, "oak": 1, "only": 1})"},
      // Names used before, of patterns with few names, spelled with escapes and beyond ASCII.
      {R"({"type": "object", "properties": {"title:no": {"type": "null"}, "tit\u00e9": {"type": "null"}},
           "patternProperties": {"^title:(en|nl)$": {"type": "null"}, "^t[\u00e9\u20ac]?$": {"type":
           "null"}}, "propertyNames": {"maxLength": 8}, "additionalProperties": false})",
       "{\"title:en\": null, \"t\u00e9\": null, \"t\\u0069tle:nl\": null, \"t\\u20ac\": null, "
       "\"title:no\": "
       "null, \"t\": null, \"tit\\u00e9\": null}"},
  };
  for (const auto& [schema, text] : chosen) {
    for (const Profile profile : {Profile::kExact, Profile::kGeneration}) {
      const auto grammar = Grammar::from_json_schema(schema, {.profile = profile});
      const auto reference = Grammar::from_json_schema(schema, {.profile = profile});
      ASSERT_TRUE(grammar.ok() && reference.ok()) << schema;
      Matcher matcher(*grammar, vocabulary);
      State s = (*reference)->recognizer()->start();
      for (const char c : std::string_view(text)) {
        const MaskRow expected = slow_mask(*(*reference)->recognizer(), s, *vocabulary);
        ASSERT_EQ(mask_of(matcher) == expected, true)
            << schema << "\nafter " << matcher.text() << "\n"
            << difference(mask_of(matcher), expected, *vocabulary);
        if (!matcher.accept_bytes(std::string(1, c)).ok()) break;  // a spelling not of the profile
        s = (*reference)->recognizer()->step(s, static_cast<uint8_t>(c));
      }
    }
  }
}

/// A name may begin so exactly if one is left that does, whichever were used before: of a few
/// names, all are tried.
TEST(SchemaNames, BeginLikeOneThatIsLeft) {
  const char* const schema = R"({"type": "object", "properties": {"ka": {}, "kbc": {}, "q": {}},
      "patternProperties": {"^k[ab]$": {}, "^k:(en|nl)$": {}, "^\u00e9[0-2]?$": {}, "^z(z{3}|y)$": {}},
      "propertyNames": {"maxLength": 4}, "additionalProperties": false})";
  const std::vector<std::string> names = {"ka",     "kbc",     "q",       "kb",      "k:en", "k:nl",
                                          "\u00e9", "\u00e90", "\u00e91", "\u00e92", "zzzz", "zy"};
  const std::pair<std::string, std::string> kEscapes[] = {
      {"k", "u006b"}, {"a", "u0061"}, {"2", "u0032"}, {"z", "u007A"}, {"\u00e9", "u00e9"}};
  std::mt19937_64 random(test_seed() + 5);
  for (int round = 0; round < 60; ++round) {
    const auto grammar = Grammar::from_json_schema(schema, {.profile = Profile::kExact});
    ASSERT_TRUE(grammar.ok());
    Recognizer& recognizer = *(*grammar)->recognizer();
    State object = recognizer.step(recognizer.start(), '{');
    const auto read = [&](State s, std::string_view text) {
      for (const char c : text) s = recognizer.step(s, static_cast<uint8_t>(c));
      return s;
    };
    std::vector<std::string> left = names;
    std::shuffle(left.begin(), left.end(), random);
    const size_t used = random() % (names.size() + 1);
    for (size_t i = 0; i < used; ++i) {
      object = read(object, (i == 0 ? "\"" : ",\"") + left.back() + "\":1");
      ASSERT_FALSE(object.dead()) << left.back() << ", seed " << test_seed();
      left.pop_back();
    }
    const State start = used == 0 ? object : recognizer.step(object, ',');
    ASSERT_EQ(start.dead(), left.empty()) << "seed " << test_seed();
    if (start.dead()) continue;
    for (const std::string& name : names) {
      for (size_t length = 0; length <= name.size(); ++length) {
        const std::string beginning = name.substr(0, length);
        const State s = read(start, "\"" + beginning);
        for (int byte = 0x20; byte < 256; ++byte) {
          const char c = static_cast<char>(byte);
          const bool whole = length == name.size() || (name[length] & 0xC0) != 0x80;
          const bool expected =
              std::any_of(left.begin(), left.end(), [&](const std::string& other) {
                if (!other.starts_with(beginning)) return false;
                if (c == '"') return other == beginning;
                return other.size() > length && (c == '\\' ? whole : other[length] == c);
              });
          const State next = recognizer.step(s, static_cast<uint8_t>(c));
          ASSERT_EQ(!next.dead(), expected) << "`" << beginning << "` and byte " << byte << ", "
                                            << left.size() << " left, seed " << test_seed();
          if (c != '\\' || !expected) continue;
          for (const auto& [character, escape] : kEscapes) {
            const std::string longer = beginning + character;
            ASSERT_EQ(!read(next, escape).dead(), std::any_of(left.begin(), left.end(),
                                                              [&](const std::string& other) {
                                                                return other.starts_with(longer);
                                                              }))
                << longer << ", seed " << test_seed();
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace espalier::testing
