// The reference validator over the JSON-Schema-Test-Suite: all files of six dialects.

#include "tests/reference_validator.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/reference_json.h"
#include "tests/reference_metaschemas.h"
#include "tests/shared_data.h"

namespace espalier::reference {
namespace {

namespace fs = std::filesystem;

struct Draft {
  const char* folder;
  const char* dialect;
};
constexpr Draft kDrafts[] = {{"draft4", "draft-04"},      {"draft6", "draft-06"},
                             {"draft7", "draft-07"},      {"draft2019-09", "2019-09"},
                             {"draft2020-12", "2020-12"}, {"v1", "v1"}};

struct Counts {
  size_t right = 0;
  size_t wrong = 0;
};

Json read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string error;
  auto json = parse_json(text, &error);
  EXPECT_TRUE(json) << path << ": " << error;
  return json ? std::move(*json) : Json{};
}

void run_file(const fs::path& path, const ValidatorOptions& options, Counts& counts) {
  for (const Json& group : read(path).items) {
    const std::string name = group.find("description")->text;
    std::string error;
    const auto validator =
        ReferenceValidator::create(print_json(*group.find("schema")), options, &error);
    if (validator == nullptr) {
      ++counts.wrong;
      ADD_FAILURE() << path << ": " << name << ": " << error;
      continue;
    }
    for (const Json& test : group.find("tests")->items) {
      const std::string& description = test.find("description")->text;
      bool valid = false;
      try {
        valid = validator->valid(print_json(*test.find("data")));
      } catch (const std::exception& reason) {
        ADD_FAILURE() << path << ": " << name << ": " << description << ": " << reason.what();
      }
      const bool right = valid == test.find("valid")->boolean;
      EXPECT_TRUE(right) << path << ": " << name << ": " << description << ": "
                         << print_json(*test.find("data"));
      ++(right ? counts.right : counts.wrong);
    }
  }
}

TEST(ReferenceValidator, AgreesWithTheTestSuite) {
  const auto suite = testing::test_suite_dir();
  if (!suite) GTEST_SKIP() << "the JSON-Schema-Test-Suite is not at hand (ESPALIER_DATA)";
  const auto documents = metaschemas();
  for (const Draft& draft : kDrafts) {
    Counts counts;
    for (const auto& entry : fs::recursive_directory_iterator(*suite / "tests" / draft.folder)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".json") continue;
      ValidatorOptions options;
      options.dialect = draft.dialect;
      options.remotes = *suite / "remotes";
      options.documents = documents;
      options.assert_formats = path.parent_path().filename() == "format";
      options.assert_content =
          path.parent_path().filename() == "optional" && path.filename() == "content.json";
      run_file(path, options, counts);
    }
    std::printf("%s: %zu right, %zu wrong\n", draft.folder, counts.right, counts.wrong);
    EXPECT_GT(counts.right, 900u);
  }
}

bool valid(const std::string& schema, std::string_view instance) {
  std::string error;
  const auto validator = ReferenceValidator::create(schema, {}, &error);
  EXPECT_NE(validator, nullptr) << error;
  return validator != nullptr && validator->valid(instance);
}

TEST(ReferenceValidator, ReadsOnlyJson) {
  EXPECT_TRUE(valid("true", " [1, 2.5e-3, \"\\ud83d\\ude00\", {\"a\": null}] "));
  for (const char* bad :
       {"", "[1,]", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "01", "\"\n\"", "nul", "1 2",
        "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\x\"", "[1", "{\"a\" 1}",
        "\xef\xbb\xbf"
        "1"}) {
    EXPECT_FALSE(valid("true", bad)) << bad;
  }
}

TEST(ReferenceValidator, CountsCodePointsOfLoneSurrogates) {
  EXPECT_TRUE(valid(R"({"maxLength": 1, "minLength": 1})", R"("\ud800")"));
  EXPECT_TRUE(valid(R"({"const": "\ud800"})", R"("\uD800")"));
  EXPECT_TRUE(valid(R"({"pattern": "^.$"})", R"("\udc00")"));
  EXPECT_FALSE(valid(R"({"maxLength": 1})", R"("\udc00\ud800")"));
}

TEST(ReferenceValidator, RefusesWhatIsNoSchema) {
  std::string error;
  EXPECT_EQ(ReferenceValidator::create("{", {}, &error), nullptr);
  EXPECT_EQ(ReferenceValidator::create("3", {}, &error), nullptr);
  EXPECT_EQ(ReferenceValidator::create(R"({"$ref": "#/nowhere"})", {}, &error), nullptr);
  EXPECT_NE(error.find("#/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace espalier::reference
