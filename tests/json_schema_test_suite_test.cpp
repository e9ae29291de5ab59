// The JSON-Schema-Test-Suite through the byte machine: every case of six dialects, required,
// optional and proposed, in the exact profile. No case is left out.
//
// Schemas without a dialect get their folder's `$schema` as first member. Formats are asserted in
// the format folders and in format-assertion.json, annotations elsewhere; content is asserted in
// optional/content.json. Remote documents come from the suite's `remotes` folder. Each instance is
// spelled compactly, numbers as the suite spells them, and then kSpellings times at random.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/vocabulary.h"
#include "schema/json/json_document.h"
#include "tests/json_respell.h"
#include "tests/reference_json.h"
#include "tests/shared_data.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

struct Draft {
  const char* folder;
  const char* dialect;
};
constexpr Draft kDrafts[] = {
    {"draft4", "http://json-schema.org/draft-04/schema#"},
    {"draft6", "http://json-schema.org/draft-06/schema#"},
    {"draft7", "http://json-schema.org/draft-07/schema#"},
    {"draft2019-09", "https://json-schema.org/draft/2019-09/schema"},
    {"draft2020-12", "https://json-schema.org/draft/2020-12/schema"},
    {"v1", "https://json-schema.org/v1"},
};

constexpr int kSpellings = 4;

struct Counts {
  size_t cases = 0;
  size_t respelled = 0;
  size_t wrong = 0;    ///< of either
  size_t unsound = 0;  ///< an invalid instance is accepted
};

void print_string(std::string_view wtf8, std::string* out) {
  *out += '"';
  for (size_t i = 0; i < wtf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(wtf8[i]);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += wtf8[i];
    } else if (c < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (c == 0xED && i + 2 < wtf8.size() &&
               static_cast<unsigned char>(wtf8[i + 1]) >= 0xA0) {
      const unsigned surrogate = 0xD000u | (static_cast<unsigned>(wtf8[i + 1]) & 0x3F) << 6 |
                                 (static_cast<unsigned>(wtf8[i + 2]) & 0x3F);
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", surrogate);
      i += 2;
    } else {
      *out += wtf8[i];
    }
  }
  *out += '"';
}

void print(const JsonDocument& document, JsonId id, std::string* out) {
  const JsonNode& node = document[id];
  switch (node.kind) {
    case JsonValue::Kind::kNull:
      *out += "null";
      return;
    case JsonValue::Kind::kFalse:
      *out += "false";
      return;
    case JsonValue::Kind::kTrue:
      *out += "true";
      return;
    case JsonValue::Kind::kNumber:
      *out += node.text;
      return;
    case JsonValue::Kind::kString:
      print_string(node.text, out);
      return;
    case JsonValue::Kind::kArray:
    case JsonValue::Kind::kObject:
      break;
  }
  *out += node.is_object() ? '{' : '[';
  for (uint32_t i = 0; i < node.count; ++i) {
    if (i > 0) *out += ',';
    if (node.is_object()) {
      print_string(document[node.first + i].key, out);
      *out += ':';
    }
    print(document, node.first + i, out);
  }
  *out += node.is_object() ? '}' : ']';
}

std::string text_of(const JsonDocument& document, JsonId id) {
  std::string out;
  print(document, id, &out);
  return out;
}

std::string with_dialect(const JsonDocument& document, JsonId schema, const char* dialect) {
  std::string text = text_of(document, schema);
  if (!document[schema].is_object() || document.find(schema, "$schema") != kNoJson) return text;
  const std::string member = fmt::format("\"$schema\":\"{}\"", dialect);
  return text.insert(1, document[schema].count == 0 ? member : member + ",");
}

std::shared_ptr<const Vocabulary> byte_vocabulary() {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
  tokens.emplace_back();
  auto vocabulary = Vocabulary::from_tokens(std::move(tokens), {256});
  return vocabulary.ok() ? std::move(vocabulary).value() : nullptr;
}

class Suite {
 public:
  Suite(fs::path root, Profile profile, uint64_t seed = 0)
      : root_(std::move(root)), vocabulary_(byte_vocabulary()), random_(seed) {
    options_.profile = profile;
    options_.schema_dir = (root_ / "remotes").string();
  }

  Counts run_draft(const Draft& draft) {
    counts_ = {};
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "tests" / draft.folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const auto folder = file.parent_path().filename();
      const bool asserted = folder == "format" || file.filename() == "format-assertion.json";
      const bool content = folder == "optional" && file.filename() == "content.json";
      options_.formats = asserted ? FormatPolicy::kAssert : FormatPolicy::kAnnotate;
      options_.content = content ? ContentPolicy::kAssert : ContentPolicy::kAnnotate;
      run_file(file, draft.dialect);
    }
    return counts_;
  }

 private:
  void run_file(const fs::path& file, const char* dialect) {
    const std::string name = file.lexically_relative(root_ / "tests").generic_string();
    std::ifstream stream(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    const auto document = JsonDocument::parse(text, size_t{64} << 20, 2000);
    ASSERT_TRUE(document.ok()) << name << ": " << document.status().to_string();
    const JsonDocument& json = **document;
    const JsonNode& groups = json[json.root()];
    for (uint32_t g = 0; g < groups.count; ++g) run_group(json, groups.first + g, name, dialect);
  }

  void run_group(const JsonDocument& json, JsonId group, const std::string& file,
                 const char* dialect) {
    const std::string schema = with_dialect(json, json.find(group, "schema"), dialect);
    const auto grammar = Grammar::from_json_schema(schema, options_);
    const JsonNode& tests = json[json.find(group, "tests")];
    const std::string place =
        fmt::format("{}: {}: ", file, json[json.find(group, "description")].text);
    EXPECT_TRUE(grammar.ok()) << place << grammar.status().to_string();
    // There `1` is an integer and `1.0` is not.
    const bool keep_integers = schema.find("draft-04") != std::string::npos;
    for (uint32_t t = 0; t < tests.count; ++t) {
      const JsonId test = tests.first + t;
      ++counts_.cases;
      if (!grammar.ok()) {
        ++counts_.wrong;
        continue;
      }
      const bool valid = json[json.find(test, "valid")].is_true();
      const std::string instance = text_of(json, json.find(test, "data"));
      const std::string what = place + std::string(json[json.find(test, "description")].text);
      run_case(*grammar, instance, valid, what);
      if (options_.profile != Profile::kExact) continue;
      const auto value = reference::parse_json(instance, nullptr);
      ASSERT_TRUE(value) << what;
      for (int i = 0; i < kSpellings; ++i) {
        ++counts_.respelled;
        run_case(*grammar, testing::JsonRespell(random_, keep_integers).respell(*value), valid,
                 what);
      }
    }
  }

  void run_case(const std::shared_ptr<const Grammar>& grammar, const std::string& instance,
                bool valid, const std::string& what) {
    Matcher matcher(grammar, vocabulary_);
    const Status status = matcher.accept_bytes(instance);
    const bool judged = status.ok() || status.code() == StatusCode::kRejected;
    const bool accepted = status.ok() && matcher.is_accepting();
    counts_.unsound += accepted && !valid ? 1 : 0;
    if (judged && accepted == valid) return;
    ++counts_.wrong;
    EXPECT_TRUE(options_.profile != Profile::kExact)
        << what << (accepted ? ": accepts " : ": refuses ") << instance << " "
        << status.to_string();
  }

  const fs::path root_;
  const std::shared_ptr<const Vocabulary> vocabulary_;
  std::mt19937_64 random_;
  SchemaOptions options_;
  Counts counts_;
};

TEST(JsonSchemaTestSuite, EveryCaseHoldsHoweverItIsSpelled) {
  const auto root = testing::test_suite_dir();
  if (!root) GTEST_SKIP() << "the JSON-Schema-Test-Suite archive is not here";
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  fmt::print("ESPALIER_SEED={}\n", seed);
  Suite suite(*root, Profile::kExact, seed);
  fmt::print("{:<14} {:>6} {:>10} {:>6}\n", "dialect", "cases", "re-spelled", "wrong");
  for (const Draft& draft : kDrafts) {
    const Counts counts = suite.run_draft(draft);
    fmt::print("{:<14} {:>6} {:>10} {:>6}\n", draft.folder, counts.cases, counts.respelled,
               counts.wrong);
    EXPECT_GE(counts.cases, 900u) << draft.folder << " is not complete";
  }
}

TEST(JsonSchemaTestSuite, GenerationProfileAcceptsNoInvalidInstance) {
  const auto root = testing::test_suite_dir();
  if (!root) GTEST_SKIP() << "the JSON-Schema-Test-Suite archive is not here";
  Suite suite(*root, Profile::kGeneration);
  for (const Draft& draft : kDrafts) EXPECT_EQ(suite.run_draft(draft).unsound, 0u);
}

}  // namespace
}  // namespace espalier
