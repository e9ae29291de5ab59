// The schema loader on real schemas, on mutations of them, and on the JSON-Schema-Test-Suite, which
// is read through the graph by a slow reference validator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "graph_validator.h"
#include "schema/json/json_document.h"
#include "schema/schema_graph.h"
#include "shared_data.h"
#include "tests/test_seed.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::GraphValidator;

constexpr size_t kBytes = 16u << 20;
constexpr size_t kDepth = 512;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct SweepCounts {
  size_t loaded = 0;
  size_t nodes = 0;
  std::map<std::string, size_t> failures;  // by reason
};

TEST(SchemaCorpus, LoadsTheDevFiles) {
  const auto folder = testing::maskbench_dir();
  if (!folder) GTEST_SKIP() << "The MaskBench archive is absent.";
  SweepCounts counts;
  for (const fs::path& path : json_files(*folder)) {
    const auto file = JsonDocument::parse(slurp(path), size_t{1} << 30, 5000);
    ASSERT_TRUE(file.ok()) << path << " " << file.status().to_string();
    const JsonDocument& json = **file;
    const JsonId schema = json.find(json.root(), "schema");
    ASSERT_NE(schema, kNoJson) << path;
    const auto loaded = load_schema(json.serialize(schema), {});
    if (loaded.ok()) {
      ++counts.loaded;
      counts.nodes += (*loaded)->nodes.size();
    } else {
      EXPECT_EQ(loaded.status().code(), StatusCode::kUnsupported)
          << path << " " << loaded.status().to_string();
      EXPECT_NE(loaded.status().place(), "") << path;
      ++counts.failures[loaded.status().message()];
    }
  }
  std::printf("loaded %zu files, %zu nodes\n", counts.loaded, counts.nodes);
  for (const auto& [reason, count] : counts.failures) {
    std::printf("  refused %zu: %s\n", count, reason.c_str());
  }
  EXPECT_GT(counts.loaded, 7800u);
}

// The suite through the reference validator: everything the loader accepts must be read right.
TEST(SchemaCorpus, ReadsTheTestSuiteRight) {
  const auto folder = testing::test_suite_dir();
  if (!folder) GTEST_SKIP() << "The JSON-Schema-Test-Suite archive is absent.";
  fs::path root = *folder;
  if (!fs::exists(root / "tests")) {
    for (const auto& entry : fs::directory_iterator(*folder)) {
      if (fs::exists(entry.path() / "tests")) root = entry.path();
    }
  }
  const std::pair<const char*, const char*> drafts[] = {
      {"draft4", "http://json-schema.org/draft-04/schema#"},
      {"draft6", "http://json-schema.org/draft-06/schema#"},
      {"draft7", "http://json-schema.org/draft-07/schema#"},
      {"draft2019-09", "https://json-schema.org/draft/2019-09/schema"},
      {"draft2020-12", "https://json-schema.org/draft/2020-12/schema"},
      {"v1", "https://json-schema.org/v1"},
  };
  SchemaOptions options;
  options.schema_dir = (root / "remotes").string();
  for (const auto& [draft, uri] : drafts) {
    size_t right = 0;
    size_t refused = 0;
    for (const auto& entry : fs::directory_iterator(root / "tests" / draft)) {
      if (entry.path().extension() != ".json") continue;
      const auto file = JsonDocument::parse(slurp(entry.path()), size_t{1} << 30, 5000);
      ASSERT_TRUE(file.ok()) << entry.path();
      const JsonDocument& json = **file;
      for (uint32_t i = 0; i < json[json.root()].count; ++i) {
        const JsonId group = json[json.root()].first + i;
        const JsonId schema = json.find(group, "schema");
        const JsonNode& tests = json[json.find(group, "tests")];
        std::string text = json.serialize(schema);
        if (json[schema].is_object() && json[schema].count > 0 &&
            json.find(schema, "$schema") == kNoJson) {
          text = "{\"$schema\":\"" + std::string(uri) + "\"," + text.substr(1);
        }
        if (entry.path().filename() == "format.json") options.formats = FormatPolicy::kAnnotate;
        const auto graph = load_schema(text, options);
        options.formats = FormatPolicy::kAssert;
        if (!graph.ok()) {
          EXPECT_EQ(graph.status().code(), StatusCode::kUnsupported)
              << entry.path() << " " << text << " " << graph.status().to_string();
          refused += tests.count;
          continue;
        }
        for (uint32_t k = 0; k < tests.count; ++k) {
          const JsonId test = tests.first + k;
          const bool wanted = json[json.find(test, "valid")].is_true();
          const bool got = GraphValidator(**graph).valid(json.value(json.find(test, "data")));
          EXPECT_EQ(got, wanted) << entry.path() << " "
                                 << json[json.find(group, "description")].text << " / "
                                 << json[json.find(test, "description")].text;
          right += got == wanted;
        }
      }
    }
    std::printf("%-14s right %5zu refused %5zu\n", draft, right, refused);
  }
}

// Mutated schemas load or fail with a status; they never crash (the sanitizer build watches).
TEST(SchemaCorpus, SurvivesMutations) {
  std::mt19937_64 random(testing::test_seed());
  std::vector<std::string> seeds = {
      R"({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$id": "#x",
          "items": [{"$ref": "#x"}]}}, "properties": {"p": {"$ref": "#/definitions/a"}}})",
      R"({"$id": "http://h/a", "$dynamicAnchor": "n", "$defs": {"b": {"$id": "b",
          "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}}}, "$ref": "b"})",
      R"({"enum": [1e400, "\ud800", {"a": [null]}], "multipleOf": 0.01, "required": ["a"]})",
  };
  if (const auto folder = testing::maskbench_dir()) {
    const auto files = json_files(*folder);
    while (seeds.size() < 60) {
      std::string text = slurp(files[random() % files.size()]);
      if (text.size() > 20'000) continue;
      const auto file = JsonDocument::parse(text, kBytes, kDepth);
      ASSERT_TRUE(file.ok());
      seeds.push_back((*file)->serialize((*file)->find((*file)->root(), "schema")));
    }
  }
  const std::vector<std::string> pieces = {
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\"",
      "\\",
      "null",
      "true",
      "-1",
      "1e9999",
      "\"$ref\":\"#\",",
      "\"$id\":\"x\",",
      "\"#/\"",
      "\\ud800",
      "\xFF",
      "\"$schema\":\"http://json-schema.org/draft-04/schema#\",",
      "0",
      "[[[[",
      "\"items\":[],"};
  for (int round = 0; round < 3000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    const int edits = 1 + static_cast<int>(random() % 4);
    for (int edit = 0; edit < edits && !text.empty(); ++edit) {
      const size_t at = random() % text.size();
      const size_t length = random() % 12;
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, pieces[random() % pieces.size()]);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), length));
          break;
        default:
          text.resize(at);
      }
    }
    const auto loaded = load_schema(text, {});
    if (!loaded.ok()) {
      EXPECT_NE(loaded.status().code(), StatusCode::kInternal);
      EXPECT_FALSE(loaded.status().message().empty());
    }
  }
}

}  // namespace
}  // namespace espalier
