// MaskBench files whose instances are spelled at random, through the byte machine (exact profile).
//
// A valid instance must be accepted and an invalid one refused however it is spelled: order of
// members, white space, escapes in strings and names, number forms. The verdict of each spelling is
// that of the file. A sample of files is drawn; ESPALIER_FILES=N draws N, ESPALIER_FILES=all takes
// all of them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "grammar/recognizer.h"
#include "tests/json_respell.h"
#include "tests/reference_json.h"
#include "tests/shared_data.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFiles = 1000;
constexpr int kSpellings = 3;

struct Totals {
  size_t files = 0;
  size_t refused = 0;  ///< schemas that are not compiled
  size_t valid = 0;
  size_t invalid = 0;
  size_t wrong = 0;
};

bool accepts(Recognizer& recognizer, const std::string& text) {
  State state = recognizer.start();
  for (size_t i = 0; i < text.size() && !state.dead(); ++i)
    state = recognizer.step(state, static_cast<uint8_t>(text[i]));
  return !state.dead() && recognizer.accepting(state);
}

void run_file(const fs::path& path, std::mt19937_64& random, Totals* totals) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::string error;
  const auto file = reference::parse_json(text, &error, reference::DuplicateNames::kAllow);
  ASSERT_TRUE(file) << path << ": " << error;
  ++totals->files;
  SchemaOptions options;
  options.profile = Profile::kExact;
  const std::string schema = reference::print_json(*file->find("schema"));
  const auto grammar = Grammar::from_json_schema(schema, options);
  if (!grammar.ok()) {
    ++totals->refused;
    EXPECT_EQ(grammar.status().code(), StatusCode::kUnsupported)
        << path << ": " << grammar.status().to_string();
    return;
  }
  // There `1` is an integer and `1.0` is not.
  const bool keep_integers = schema.find("draft-04") != std::string::npos;
  const std::shared_ptr<Recognizer> recognizer = (*grammar)->recognizer();
  testing::JsonRespell respell(random, keep_integers);
  for (const reference::Json& test : file->find("tests")->items) {
    const bool valid = test.find("valid")->boolean;
    for (int i = 0; i < kSpellings; ++i) {
      const std::string spelled = respell.respell(*test.find("data"));
      ++(valid ? totals->valid : totals->invalid);
      const bool accepted = accepts(*recognizer, spelled);
      EXPECT_TRUE(recognizer->status().ok()) << path << ": " << recognizer->status().to_string();
      if (accepted == valid) continue;
      ++totals->wrong;
      ADD_FAILURE() << path << (accepted ? ": accepts " : ": refuses ") << spelled;
    }
  }
}

TEST(DevFiles, VerdictsDoNotDependOnTheSpelling) {
  const auto folder = testing::maskbench_dir();
  if (!folder) GTEST_SKIP() << "The MaskBench archive is absent.";
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  fmt::print("ESPALIER_SEED={}\n", seed);
  std::mt19937_64 random(seed);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(*folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const char* wanted = std::getenv("ESPALIER_FILES");
  const std::string count = wanted != nullptr ? wanted : std::to_string(kFiles);
  if (count != "all") {
    std::shuffle(files.begin(), files.end(), random);
    files.resize(std::min<size_t>(files.size(), std::strtoull(count.c_str(), nullptr, 10)));
  }
  ASSERT_FALSE(files.empty());
  Totals totals;
  for (const fs::path& path : files) run_file(path, random, &totals);
  fmt::print(
      "{} files ({} refused), {} spellings of valid instances, {} of invalid ones, {} wrong\n",
      totals.files, totals.refused, totals.valid, totals.invalid, totals.wrong);
  EXPECT_LT(totals.refused, totals.files);
}

}  // namespace
}  // namespace espalier
