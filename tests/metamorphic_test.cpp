// Schemas that say the same in other words must give the same masks (exact profile).
//
// S is a random schema or one of MaskBench's; the others are `not not S`, `allOf [S, S]`, `anyOf
// [S, false]`, `oneOf [S, false]`, `if S then true else false` and `S` behind two references. Along
// texts near to S's instances every state must offer the same bytes, and at some of them the masks
// over a real vocabulary must be equal. A conjunction of two schemas must accept what both do, and
// offer nothing that one of them refuses.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine_support.h"
#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "grammar/recognizer.h"
#include "shared_data.h"
#include "tests/reference_json.h"
#include "tests/schema_random.h"

namespace espalier::testing {
namespace {

using reference::Json;

std::shared_ptr<const Vocabulary> llama_vocabulary() {
  const auto data = shared_data();
  if (!data) return nullptr;
  auto loaded = Vocabulary::load((*data / "tokenizers/ggml-vocab-llama-bpe.gguf").string());
  return loaded.ok() ? *loaded : nullptr;
}

/// A schema that can be put into another one: its dialect, and its text with an identifier.
struct Part {
  std::string dialect;  // `"$schema":"...",` or ""
  std::string text;
  std::string uri;
  bool old = false;  // draft-06 and before: no `if`
};

/// nullopt for Booleans and for roots whose `$ref` would hide the identifier.
std::optional<Part> make_part(const std::string& schema, const std::string& uri) {
  auto json = reference::parse_json(schema, nullptr);
  if (!json || !json->is_object()) return std::nullopt;
  Part part;
  const Json* declared = json->find("$schema");
  const std::string name = declared != nullptr ? declared->text : "";
  if (declared != nullptr) part.dialect = "\"$schema\":" + reference::print_json(*declared) + ",";
  const bool draft4 = name.find("draft-04") != std::string::npos;
  part.old = draft4 || name.find("draft-06") != std::string::npos;
  if (json->find("$ref") != nullptr && (part.old || name.find("draft-07") != std::string::npos))
    return std::nullopt;
  const std::string keyword = draft4 ? "id" : "$id";
  const Json* own = json->find(keyword);
  if (own != nullptr && (!own->is_string() || own->text.find(':') == std::string::npos))
    return std::nullopt;
  part.uri = own != nullptr ? own->text : uri;
  part.text = reference::print_json(*json);
  if (own == nullptr) {
    part.text.insert(1, "\"" + keyword + "\":\"" + uri + "\"" + (json->members.empty() ? "" : ","));
  }
  return part;
}

std::string wrap(const Part& part, const std::string& body) {
  return "{" + part.dialect + "\"definitions\":{\"s\":" + part.text + "}," + body + "}";
}

std::vector<std::string> equivalents(const Part& part) {
  const std::string s = "{\"$ref\":\"" + part.uri + "\"}";
  const std::string never = "{\"not\":{}}";
  std::vector<std::string> all{
      wrap(part, "\"not\":{\"not\":" + s + "}"),
      wrap(part, "\"allOf\":[" + s + "," + s + "]"),
      wrap(part, "\"anyOf\":[" + s + "," + never + "]"),
      wrap(part, "\"oneOf\":[" + never + "," + s + "]"),
      "{" + part.dialect + "\"definitions\":{\"s\":" + part.text + ",\"t\":" + s +
          "},\"allOf\":[{\"$ref\":\"#/definitions/t\"}]}",
  };
  if (!part.old) all.push_back(wrap(part, "\"if\":" + s + ",\"then\":true,\"else\":false"));
  return all;
}

std::shared_ptr<const Grammar> compile(const std::string& schema) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  auto grammar = Grammar::from_json_schema(schema, options);
  return grammar.ok() ? grammar.value() : nullptr;
}

/// The bytes a state allows, and bit 256 where it accepts.
std::vector<bool> offers(Recognizer& recognizer, State s) {
  std::vector<bool> out(257);
  for (int b = 0; b < 256; ++b) out[b] = !recognizer.probe(s, static_cast<uint8_t>(b)).dead();
  out[256] = recognizer.accepting(s);
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// MaskBench files in random order: schema and instances, as texts.
struct RealSchemas {
  explicit RealSchemas(std::mt19937_64& random) {
    const auto folder = maskbench_dir();
    if (!folder) return;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::shuffle(files.begin(), files.end(), random);
  }
  struct Case {
    std::string schema;
    std::vector<std::string> instances;
  };
  std::optional<Case> next() {
    while (!files.empty()) {
      const auto json = reference::parse_json(read_file(files.back()), nullptr);
      files.pop_back();
      const Json* schema = json ? json->find("schema") : nullptr;
      const Json* tests = json ? json->find("tests") : nullptr;
      if (schema == nullptr || tests == nullptr) continue;
      Case c{reference::print_json(*schema), {}};
      for (const Json& test : tests->items) {
        const Json* data = test.find("data");
        if (data != nullptr && c.instances.size() < 3)
          c.instances.push_back(reference::print_json(*data));
      }
      return c;
    }
    return std::nullopt;
  }
  std::vector<std::filesystem::path> files;
};

void expect_same_offers(const std::string& schema, const std::vector<std::string>& others,
                        const std::vector<std::string>& texts, std::mt19937_64& random,
                        size_t* compared) {
  const auto base = compile(schema);
  if (base == nullptr) return;
  const auto first = base->recognizer();
  Recognizer& a = *first;
  for (const std::string& other : others) {
    const auto grammar = compile(other);
    ASSERT_NE(grammar, nullptr) << other;
    const auto second = grammar->recognizer();
    Recognizer& b = *second;
    EXPECT_EQ(base->unsatisfiable(), grammar->unsatisfiable()) << other;
    for (const std::string& text : texts) {
      State s = a.start(), t = b.start();
      for (size_t i = 0; i <= text.size(); ++i) {
        ASSERT_EQ(s.dead(), t.dead()) << other << "\nafter " << text.substr(0, i);
        if (s.dead()) break;
        if (i == 0 || i == text.size() || random() % text.size() < 8) {
          ASSERT_EQ(offers(a, s), offers(b, t)) << other << "\nafter " << text.substr(0, i);
          ++*compared;
        }
        if (i == text.size()) break;
        s = a.step(s, static_cast<uint8_t>(text[i]));
        t = b.step(t, static_cast<uint8_t>(text[i]));
      }
    }
  }
}

TEST(Metamorphic, RandomSchemasInOtherWords) {
  std::mt19937_64 random(test_seed());
  SchemaRandom schemas(random());
  size_t compared = 0;
  for (int round = 0; round < 1000 && !HasFailure(); ++round) {
    const std::string schema = schemas.schema();
    const auto part = make_part(schema, "http://metamorphic.test/s");
    if (!part) continue;
    const auto json = reference::parse_json(schema, nullptr);
    std::vector<std::string> texts;
    for (int i = 0; i < 3; ++i) texts.push_back(reference::print_json(schemas.instance(*json)));
    expect_same_offers(schema, equivalents(*part), texts, random, &compared);
  }
  std::printf("%zu states compared\n", compared);
  EXPECT_GT(compared, 1000u);
}

TEST(Metamorphic, RealSchemasInOtherWords) {
  std::mt19937_64 random(test_seed());
  RealSchemas files(random);
  if (files.files.empty()) GTEST_SKIP() << "the MaskBench files are not here";
  size_t compared = 0, schemas = 0;
  while (schemas < 400 && !HasFailure()) {
    const auto c = files.next();
    if (!c) break;
    const auto part = make_part(c->schema, "http://metamorphic.test/s");
    if (!part) continue;
    ++schemas;
    expect_same_offers(c->schema, equivalents(*part), c->instances, random, &compared);
  }
  std::printf("%zu schemas, %zu states compared\n", schemas, compared);
}

// The masks of a real vocabulary: rows and memos come into play that single bytes do not need.
TEST(Metamorphic, MasksOfRealSchemasInOtherWords) {
  std::mt19937_64 random(test_seed());
  RealSchemas files(random);
  const auto vocabulary = llama_vocabulary();
  if (files.files.empty() || vocabulary == nullptr) GTEST_SKIP() << "shared data is not here";
  size_t compared = 0;
  for (int schemas = 0; schemas < 12 && !HasFailure();) {
    const auto c = files.next();
    if (!c) break;
    const auto part = make_part(c->schema, "http://metamorphic.test/s");
    const auto base = compile(c->schema);
    if (!part || base == nullptr || c->instances.empty()) continue;
    ++schemas;
    const std::string& text = c->instances[0];
    for (const std::string& other : equivalents(*part)) {
      const auto grammar = compile(other);
      ASSERT_NE(grammar, nullptr) << other;
      Matcher a(base, vocabulary), b(grammar, vocabulary);
      std::vector<int32_t> row_a(vocabulary->row_words()), row_b(vocabulary->row_words());
      size_t at = 0;
      for (int i = 0; i < 4 && at < text.size(); ++i) {
        const size_t next = std::min(text.size(), at + random() % (text.size() / 3 + 2));
        const std::string_view piece = std::string_view(text).substr(at, next - at);
        const bool alive = a.accept_bytes(piece).ok();
        ASSERT_EQ(alive, b.accept_bytes(piece).ok()) << other;
        if (!alive) break;
        at = next;
        ASSERT_TRUE(a.fill_mask(row_a).ok() && b.fill_mask(row_b).ok());
        ASSERT_TRUE(row_a == row_b) << other << "\nafter " << text.substr(0, at);
        ++compared;
      }
    }
  }
  std::printf("%zu masks compared\n", compared);
}

TEST(Metamorphic, ConjunctionsAreIntersections) {
  std::mt19937_64 random(test_seed());
  RealSchemas files(random);
  SchemaRandom schemas(random());
  size_t accepted = 0, texts = 0;
  const auto next = [&](int round) -> std::optional<RealSchemas::Case> {
    if (round % 3 == 0 && !files.files.empty()) return files.next();
    RealSchemas::Case c{schemas.schema(), {}};
    const auto json = reference::parse_json(c.schema, nullptr);
    for (int i = 0; i < 4; ++i)
      c.instances.push_back(reference::print_json(schemas.instance(*json)));
    return c;
  };
  for (int round = 0; round < 2000 && !HasFailure(); ++round) {
    const auto one = next(round), two = next(round);
    if (!one || !two) break;
    const auto a = make_part(one->schema, "http://metamorphic.test/a");
    const auto b = make_part(two->schema, "http://metamorphic.test/b");
    if (!a || !b || a->dialect != b->dialect || a->uri == b->uri) continue;
    const std::string both = "{" + a->dialect + "\"definitions\":{\"a\":" + a->text +
                             ",\"b\":" + b->text + "},\"allOf\":[{\"$ref\":\"" + a->uri +
                             "\"},{\"$ref\":\"" + b->uri + "\"}]}";
    const auto x = compile(one->schema), y = compile(two->schema), z = compile(both);
    if (x == nullptr || y == nullptr) continue;
    ASSERT_NE(z, nullptr) << both;
    const auto rx = x->recognizer(), ry = y->recognizer(), rz = z->recognizer();
    std::vector<std::string> all = one->instances;
    all.insert(all.end(), two->instances.begin(), two->instances.end());
    for (const std::string& text : all) {
      State sx = rx->start(), sy = ry->start(), sz = rz->start();
      for (size_t i = 0; i < text.size(); ++i) {
        if (!sz.dead() && random() % text.size() < 4) {
          const auto ox = offers(*rx, sx), oy = offers(*ry, sy), oz = offers(*rz, sz);
          for (int b = 0; b <= 256; ++b)
            ASSERT_TRUE(!oz[b] || (ox[b] && oy[b])) << both << "\nafter " << text.substr(0, i);
        }
        if (!sx.dead()) sx = rx->step(sx, static_cast<uint8_t>(text[i]));
        if (!sy.dead()) sy = ry->step(sy, static_cast<uint8_t>(text[i]));
        if (!sz.dead()) sz = rz->step(sz, static_cast<uint8_t>(text[i]));
      }
      const bool ax = !sx.dead() && rx->accepting(sx), ay = !sy.dead() && ry->accepting(sy);
      const bool az = !sz.dead() && rz->accepting(sz);
      ASSERT_EQ(az, ax && ay) << both << "\n" << text;
      ++texts;
      accepted += az ? 1 : 0;
    }
  }
  std::printf("%zu texts, %zu accepted by both\n", texts, accepted);
}

}  // namespace
}  // namespace espalier::testing
