// The JSON-Schema-Test-Suite through the byte machine, exact profile.
//
// Each case (schema, instance, expected answer) is right, refused (the schema does not compile, or
// a budget ends the match) or wrong. Counts per file are compared with the checked-in baseline:
// right may not fall and wrong may not rise. ESPALIER_UPDATE_BASELINE=1 rewrites the baseline;
// ESPALIER_LIST=1 prints every case that is not right.
//
// Schemas without a dialect get their folder's `$schema` as first member. Formats are asserted in
// the format folders and in format-assertion.json, annotations elsewhere. Remote documents come
// from the suite's `remotes` folder. Instances are printed compactly, numbers as the suite spells
// them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/vocabulary.h"
#include "schema/json_document.h"
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

struct Counts {
  size_t right = 0;
  size_t refused = 0;
  size_t wrong = 0;
  Counts& operator+=(const Counts& other) {
    right += other.right;
    refused += other.refused;
    wrong += other.wrong;
    return *this;
  }
};
using CountsByFile = std::map<std::string, Counts>;

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
  Suite(fs::path root, Profile profile) : root_(std::move(root)), vocabulary_(byte_vocabulary()) {
    options_.profile = profile;
    options_.schema_dir = (root_ / "remotes").string();
    list_ = std::getenv("ESPALIER_LIST") != nullptr;
  }

  void run_draft(const Draft& draft) {
    const fs::path folder = root_ / "tests" / draft.folder;
    for (const char* part :
         {"", "optional", "optional/format", "format", "proposals/propertyDependencies"}) {
      std::vector<fs::path> files;
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(folder / part, error)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
      }
      std::sort(files.begin(), files.end());
      const bool format_folder = std::string_view(part).ends_with("format");
      for (const fs::path& file : files) {
        const bool asserted = format_folder || file.filename() == "format-assertion.json";
        options_.formats = asserted ? FormatPolicy::kAssert : FormatPolicy::kAnnotate;
        const bool content =
            file.filename() == "content.json" && part == std::string_view("optional");
        options_.content = content ? ContentPolicy::kAssert : ContentPolicy::kAnnotate;
        run_file(file, draft.dialect);
      }
    }
  }

  const CountsByFile& counts() const { return counts_; }
  /// Cases whose instance is invalid and accepted.
  size_t unsound() const { return unsound_; }

 private:
  void run_file(const fs::path& file, const char* dialect) {
    const std::string name = file.lexically_relative(root_ / "tests").generic_string();
    std::ifstream stream(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    const auto document = JsonDocument::parse(text, size_t{64} << 20, 2000);
    ASSERT_TRUE(document.ok()) << name << ": " << document.status().to_string();
    const JsonDocument& json = **document;
    Counts& counts = counts_[name];
    const JsonNode& groups = json[json.root()];
    for (uint32_t g = 0; g < groups.count; ++g)
      run_group(json, groups.first + g, name, dialect, &counts);
  }

  void run_group(const JsonDocument& json, JsonId group, const std::string& file,
                 const char* dialect, Counts* counts) {
    const std::string schema = with_dialect(json, json.find(group, "schema"), dialect);
    const auto grammar = Grammar::from_json_schema(schema, options_);
    const JsonNode& tests = json[json.find(group, "tests")];
    for (uint32_t t = 0; t < tests.count; ++t) {
      const JsonId test = tests.first + t;
      const bool valid = json[json.find(test, "valid")].is_true();
      std::string verdict;
      if (!grammar.ok()) {
        ++counts->refused;
        verdict = "refused: " + grammar.status().to_string();
      } else {
        verdict = run_case(*grammar, text_of(json, json.find(test, "data")), valid, counts);
      }
      if (list_ && !verdict.empty()) {
        fmt::print("{} | {} | {} | {}\n", file, json[json.find(group, "description")].text,
                   json[json.find(test, "description")].text, verdict);
      }
    }
  }

  std::string run_case(const std::shared_ptr<const Grammar>& grammar, const std::string& instance,
                       bool valid, Counts* counts) {
    Matcher matcher(grammar, vocabulary_);
    const Status status = matcher.accept_bytes(instance);
    if (!status.ok() && status.code() != StatusCode::kRejected) {
      ++counts->refused;
      return "refused: " + status.to_string();
    }
    const bool accepted = status.ok() && matcher.is_accepting();
    if (accepted && !valid) ++unsound_;
    ++(accepted == valid ? counts->right : counts->wrong);
    if (accepted == valid) return {};
    return fmt::format("WRONG: {} {}{}", accepted ? "accepts" : "refuses", instance,
                       status.ok() ? "" : ": " + status.to_string());
  }

  fs::path root_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  SchemaOptions options_;
  CountsByFile counts_;
  size_t unsound_ = 0;
  bool list_ = false;
};

fs::path baseline_path() {
  return fs::path(__FILE__).parent_path() / "json_schema_test_suite.baseline";
}

CountsByFile read_baseline() {
  CountsByFile baseline;
  std::ifstream stream(baseline_path());
  std::string line;
  while (std::getline(stream, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string name;
    Counts counts;
    fields >> name >> counts.right >> counts.refused >> counts.wrong;
    if (fields) baseline[name] = counts;
  }
  return baseline;
}

void write_baseline(const CountsByFile& counts) {
  std::ofstream stream(baseline_path());
  stream
      << "# JSON-Schema-Test-Suite, exact profile: file, right, refused, wrong.\n"
      << "# Rewritten by ESPALIER_UPDATE_BASELINE=1; right may only rise, wrong may only fall.\n";
  for (const auto& [name, c] : counts) {
    stream << fmt::format("{} {} {} {}\n", name, c.right, c.refused, c.wrong);
  }
}

std::string group_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

TEST(JsonSchemaTestSuite, CountsDoNotFallBelowTheBaseline) {
  const auto root = testing::test_suite_dir();
  if (!root) GTEST_SKIP() << "the JSON-Schema-Test-Suite archive is not here";
  Suite suite(*root, Profile::kExact);
  for (const Draft& draft : kDrafts) suite.run_draft(draft);
  ASSERT_FALSE(suite.counts().empty());

  const bool update = std::getenv("ESPALIER_UPDATE_BASELINE") != nullptr;
  const CountsByFile baseline = read_baseline();
  std::map<std::string, Counts> totals;
  for (const auto& [name, counts] : suite.counts()) {
    totals[group_of(name)] += counts;
    const auto expected = baseline.find(name);
    if (expected == baseline.end()) {
      EXPECT_TRUE(update) << name << " is not in the baseline";
      continue;
    }
    EXPECT_GE(counts.right, expected->second.right) << name << ": fewer cases are right";
    EXPECT_LE(counts.wrong, expected->second.wrong) << name << ": more cases are wrong";
  }
  for (const auto& [name, counts] : baseline) {
    EXPECT_TRUE(suite.counts().contains(name)) << name << " was not run";
  }
  fmt::print("{:<28} {:>6} {:>8} {:>6}\n", "folder", "right", "refused", "wrong");
  for (const auto& [name, c] : totals) {
    fmt::print("{:<28} {:>6} {:>8} {:>6}\n", name, c.right, c.refused, c.wrong);
  }
  if (update) write_baseline(suite.counts());
}

TEST(JsonSchemaTestSuite, GenerationProfileAcceptsNoInvalidInstanceThatExactRefuses) {
  const auto root = testing::test_suite_dir();
  if (!root) GTEST_SKIP() << "the JSON-Schema-Test-Suite archive is not here";
  Suite exact(*root, Profile::kExact);
  Suite generation(*root, Profile::kGeneration);
  for (const Draft& draft : kDrafts) {
    exact.run_draft(draft);
    generation.run_draft(draft);
  }
  EXPECT_LE(generation.unsound(), exact.unsound());
}

}  // namespace
}  // namespace espalier
