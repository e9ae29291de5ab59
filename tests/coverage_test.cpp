// The coverage report against what the compiler does with the same schemas.
#include "espalier/coverage.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "shared_data.h"

namespace espalier {
namespace {

KeywordCoverage entry(const CoverageReport& report, const std::string& pointer) {
  for (const KeywordCoverage& one : report.keywords) {
    if (one.pointer == pointer) return one;
  }
  ADD_FAILURE() << pointer << " is not in the report";
  return {};
}

TEST(Coverage, EachStatus) {
  const auto report = schema_coverage(R"({
      "title": "a",
      "type": "object",
      "properties": {
        "a": {"type": "string", "pattern": "^(a|b)\\1$", "format": "color"},
        "b": {"pattern": "(?i:x)(y)\\1", "minLength": 2}},
      "madeUp": 1})");
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_EQ(entry(*report, "/title").status, KeywordStatus::kAnnotation);
  EXPECT_EQ(entry(*report, "/type").status, KeywordStatus::kEnforced);
  EXPECT_EQ(entry(*report, "/properties/a/pattern").status, KeywordStatus::kPredicate);
  EXPECT_EQ(entry(*report, "/properties/a/format").status, KeywordStatus::kAnnotation);
  EXPECT_EQ(entry(*report, "/properties/b/pattern").status, KeywordStatus::kRefused);
  EXPECT_EQ(entry(*report, "/properties/b/minLength").status, KeywordStatus::kEnforced);
  EXPECT_EQ(entry(*report, "/madeUp").status, KeywordStatus::kAnnotation);
  for (const KeywordCoverage& one : report->keywords) {
    EXPECT_EQ(one.reason.empty(), one.status == KeywordStatus::kEnforced) << one.pointer;
  }
  EXPECT_EQ(report->count(KeywordStatus::kRefused), 1u);
}

TEST(Coverage, Content) {
  const std::string schema =
      R"({"contentEncoding": "base64", "contentMediaType": "application/json",
          "items": {"contentEncoding": "base16"}})";
  const auto annotated = schema_coverage(schema);
  ASSERT_TRUE(annotated.ok());
  EXPECT_EQ(annotated->count(KeywordStatus::kAnnotation), 3u);
  SchemaOptions options;
  options.content = ContentPolicy::kAssert;
  const auto asserted = schema_coverage(schema, options);
  ASSERT_TRUE(asserted.ok());
  EXPECT_EQ(entry(*asserted, "/contentEncoding").status, KeywordStatus::kEnforced);
  EXPECT_EQ(entry(*asserted, "/contentMediaType").status, KeywordStatus::kEnforced);
  EXPECT_EQ(entry(*asserted, "/items/contentEncoding").status, KeywordStatus::kAnnotation);
}

TEST(Coverage, UnsatisfiableParts) {
  const auto report = schema_coverage(R"({
      "properties": {
        "a": {"minimum": 5, "maximum": 3, "type": "number"},
        "b": {"type": "array", "items": {"enum": []}, "minItems": 1},
        "c": {"type": "array", "items": {"enum": []}},
        "d": {"minimum": 5, "maximum": 3},
        "e": false},
      "required": ["d"]})");
  ASSERT_TRUE(report.ok());
  const std::vector<std::string> expected = {"/properties/a", "/properties/b",
                                             "/properties/b/items", "/properties/c/items"};
  EXPECT_EQ(report->unsatisfiable, expected);
  const auto none = schema_coverage(R"({"type": "string", "enum": [1]})");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->unsatisfiable, std::vector<std::string>{""});
}

TEST(Coverage, ErrorsAreThoseOfCompilation) {
  EXPECT_EQ(schema_coverage("{").status().code(), StatusCode::kParseError);
  EXPECT_EQ(schema_coverage(R"({"minLength": -1})").status().code(), StatusCode::kParseError);
  EXPECT_EQ(schema_coverage(R"({"$ref": "#/nowhere"})").status().code(), StatusCode::kUnresolved);
}

// A schema compiles iff nothing is refused, and admits something iff its root is not listed.
TEST(Coverage, AgreesWithCompilation) {
  const auto folder = testing::maskbench_dir();
  if (!folder) GTEST_SKIP() << "the MaskBench archive is not here";
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(*folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  size_t checked = 0;
  for (size_t i = 0; i < files.size(); i += 40) {
    std::ifstream stream(files[i], std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    rapidjson::Document document;
    document.Parse(text.c_str());
    if (document.HasParseError() || !document.IsObject() || !document.HasMember("schema")) continue;
    rapidjson::StringBuffer schema;
    rapidjson::Writer<rapidjson::StringBuffer> writer(schema);
    document["schema"].Accept(writer);
    const std::string_view schema_text(schema.GetString(), schema.GetSize());
    const auto grammar = Grammar::from_json_schema(schema_text);
    const auto report = schema_coverage(schema_text);
    if (!report.ok()) {
      EXPECT_EQ(report.status().to_string(), grammar.status().to_string()) << files[i];
      continue;
    }
    ++checked;
    EXPECT_EQ(grammar.ok(), report->count(KeywordStatus::kRefused) == 0) << files[i];
    if (!grammar.ok()) continue;
    const bool none = !report->unsatisfiable.empty() && report->unsatisfiable.front().empty();
    EXPECT_EQ((*grammar)->unsatisfiable(), none) << files[i];
  }
  EXPECT_GT(checked, 100u);
}

}  // namespace
}  // namespace espalier
