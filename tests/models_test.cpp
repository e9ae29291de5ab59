// Sequences and draft trees of the history models, the table model, and models by name.

#include "backends/models.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "backends/ngram_model.h"
#include "backends/ngram_trainer.h"
#include "backends/table_model.h"

namespace espalier {
namespace {

using Tokens = std::vector<TokenId>;

constexpr char kTable[] = R"({
  "tokens": ["a", "b", "\u00ff\u0000", "", "<end>"],
  "eos": 4,
  "contexts": {
    "": [0, 0, 0, null, 0],
    "1": [1.0, null, -1.0, null, -1e3],
    "0 1": [null, null, null, null, -7],
    "0 0 1": [null, 0, null, null, null]
  }
})";

std::unique_ptr<LanguageModel> table_model() {
  auto model = TableModel::from_json(kTable, "table");
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  return std::move(model).value();
}

std::unique_ptr<LanguageModel> ngram_model() {
  NgramVocabulary vocabulary;
  vocabulary.tokens = {"a", "b", "c", "d", "<end>"};
  vocabulary.eos_ids = {4};
  std::mt19937_64 random(3);
  std::vector<Tokens> corpus(60);
  for (Tokens& document : corpus) {
    for (int n = random() % 9; n > 0; --n) document.push_back(random() % 4 * (random() % 2));
  }
  const NgramTrainer trainer(corpus, 4, 5, 4);
  auto model = NgramModel::from_bytes(encode_ngram_file(vocabulary, trainer.full()), "ngram");
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  return std::move(model).value();
}

std::vector<float> row_of(LanguageModel& model, SequenceId sequence) {
  std::vector<float> row(model.width());
  EXPECT_TRUE(model.next_log_probs(std::span(&sequence, 1), row).ok());
  return row;
}

std::vector<float> row_after(LanguageModel& model, const Tokens& tokens) {
  return row_of(model, model.open(tokens).value());
}

class HistoryModelTest : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<LanguageModel> model_ = GetParam() ? table_model() : ngram_model();
};
INSTANTIATE_TEST_SUITE_P(Models, HistoryModelTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Table" : "Ngram"; });

TEST_P(HistoryModelTest, ForkTrimAndExtendKeepSequencesApart) {
  LanguageModel& model = *model_;
  const SequenceId a = model.open(Tokens{0, 0}).value();
  const SequenceId b = model.fork(a).value();
  ASSERT_NE(a, b);
  ASSERT_TRUE(model.extend(a, Tokens{1}).ok());
  EXPECT_EQ(row_of(model, a), row_after(model, {0, 0, 1}));
  EXPECT_EQ(row_of(model, b), row_after(model, {0, 0}));
  ASSERT_TRUE(model.extend(b, Tokens{1, 1, 0}).ok());
  ASSERT_TRUE(model.trim(b, 1).ok());
  EXPECT_EQ(row_of(model, b), row_after(model, {0}));
  ASSERT_TRUE(model.trim(b, 0).ok());
  EXPECT_EQ(row_of(model, b), row_after(model, {}));
  EXPECT_EQ(model.trim(b, 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(row_of(model, a), row_after(model, {0, 0, 1}));
}

TEST_P(HistoryModelTest, ReleasedHandlesStayRefused) {
  LanguageModel& model = *model_;
  const SequenceId a = model.open({}).value();
  const SequenceId b = model.open({}).value();
  model.release(a);
  model.release(a);
  std::vector<float> row(model.width());
  const auto refused = [&](const Status& status) {
    return status.code() == StatusCode::kInvalidArgument && status.place() == "sequence";
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(refused(model.extend(a, Tokens{0})));
    EXPECT_TRUE(refused(model.fork(a).status()));
    EXPECT_TRUE(refused(model.trim(a, 0)));
    EXPECT_TRUE(refused(model.next_log_probs(std::span(&a, 1), row)));
    EXPECT_TRUE(refused(model.tree_log_probs(a, {}, row)));
    EXPECT_NE(model.open({}).value(), a);
  }
  EXPECT_TRUE(model.next_log_probs(std::span(&b, 1), row).ok());
}

TEST_P(HistoryModelTest, BadArgumentsChangeNothing) {
  LanguageModel& model = *model_;
  const SequenceId a = model.open(Tokens{1}).value();
  EXPECT_EQ(model.extend(a, Tokens{0, 5}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(model.extend(a, Tokens{-1}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(model.open(Tokens{99}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(row_of(model, a), row_after(model, {1}));
  std::vector<float> row(model.width() + 1);
  EXPECT_EQ(model.next_log_probs(std::span(&a, 1), row).place(), "rows");
  EXPECT_EQ(model.tree_log_probs(a, {}, row).place(), "rows");
  row.resize(3 * model.width());
  EXPECT_EQ(model.tree_log_probs(a, {{0, 0}, {0, -1}}, row).place(), "tree");
  EXPECT_EQ(model.tree_log_probs(a, {{0, 0}, {-1, -2}}, row).place(), "tree");
  EXPECT_EQ(model.tree_log_probs(a, {{0, 0}, {-1}}, row).place(), "tree");
  EXPECT_EQ(model.tree_log_probs(a, {{0, 7}, {-1, 0}}, row).place(), "tokens");
}

TEST_P(HistoryModelTest, BatchesAndTreesEqualLinearDecoding) {
  LanguageModel& model = *model_;
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    Tokens prompt(random() % 6);
    for (TokenId& token : prompt) token = random() % 3;
    const SequenceId sequence = model.open(prompt).value();
    TokenTree tree;
    std::vector<Tokens> paths = {prompt};
    for (int node = random() % 12; node > 0; --node) {
      const auto parent = static_cast<int32_t>(random() % paths.size()) - 1;
      Tokens path = paths[parent + 1];
      path.push_back(random() % 3);
      tree.parent.push_back(parent);
      tree.token.push_back(path.back());
      paths.push_back(path);
    }
    std::vector<float> tree_rows(paths.size() * model.width());
    ASSERT_TRUE(model.tree_log_probs(sequence, tree, tree_rows).ok());
    std::vector<SequenceId> handles;
    for (const Tokens& path : paths) handles.push_back(model.open(path).value());
    std::vector<float> batch_rows(paths.size() * model.width());
    ASSERT_TRUE(model.next_log_probs(handles, batch_rows).ok());
    EXPECT_EQ(tree_rows, batch_rows);
    EXPECT_EQ(row_of(model, sequence), row_after(model, prompt));
    for (const SequenceId handle : handles) model.release(handle);
    model.release(sequence);
  }
}

TEST(TableModel, TheLongestListedSuffixDecides) {
  auto model = table_model();
  constexpr float kNo = -INFINITY;
  const float quarter = std::log(0.25f);
  EXPECT_EQ(model->width(), 5u);
  EXPECT_EQ(model->vocabulary()->bytes(2), std::string_view("\xff\0", 2));
  EXPECT_EQ(model->vocabulary()->eos_ids()[0], 4);
  const std::vector<float> empty = row_after(*model, {});
  EXPECT_NEAR(empty[0], quarter, 1e-6);
  EXPECT_EQ(empty[3], kNo);
  EXPECT_EQ(row_after(*model, {1, 1, 0}), empty);
  EXPECT_EQ(row_after(*model, {0, 1}), (std::vector<float>{kNo, kNo, kNo, kNo, 0}));
  EXPECT_EQ(row_after(*model, {2, 0, 1}), row_after(*model, {0, 1}));
  EXPECT_EQ(row_after(*model, {1, 0, 0, 1}), (std::vector<float>{kNo, 0, kNo, kNo, kNo}));
  const std::vector<float> one = row_after(*model, {2, 1});
  EXPECT_NEAR(one[0] - one[2], 2.0f, 1e-6);
  EXPECT_NEAR(std::exp(one[0]) + std::exp(one[2]), 1, 1e-6);
  EXPECT_NEAR(one[4], -1001.1269f, 1e-3);
  EXPECT_EQ(one[1], kNo);
}

struct Malformed {
  const char* text;
  const char* place;
};

TEST(TableModel, MalformedTablesAreNamed) {
  const Malformed cases[] = {
      {"", "t:0"},
      {"{\"tokens\": [", "t:12"},
      {"[]", "t:"},
      {"{}", "t:"},
      {R"({"tokens": ["a"], "eos": 0})", "t:"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0]}, "x": 1})", "t:/x"},
      {R"({"tokens": ["a"], "eos": 0, "eos": 0, "contexts": {"": [0]}})", "t:/eos"},
      {R"({"tokens": [], "eos": 0, "contexts": {"": []}})", "t:/tokens"},
      {R"({"tokens": "a", "eos": 0, "contexts": {"": [0]}})", "t:/tokens"},
      {R"({"tokens": ["a", 1], "eos": 0, "contexts": {"": [0, 0]}})", "t:/tokens/1"},
      {R"({"tokens": ["a", "\u0100"], "eos": 0, "contexts": {"": [0, 0]}})", "t:/tokens/1"},
      {R"({"tokens": ["a", "x\u20ac"], "eos": 0, "contexts": {"": [0, 0]}})", "t:/tokens/1"},
      {R"({"tokens": ["a"], "eos": 1, "contexts": {"": [0]}})", "t:/eos"},
      {R"({"tokens": ["a"], "eos": -1, "contexts": {"": [0]}})", "t:/eos"},
      {R"({"tokens": ["a"], "eos": 0.5, "contexts": {"": [0]}})", "t:/eos"},
      {R"({"tokens": ["a"], "eos": "0", "contexts": {"": [0]}})", "t:/eos"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": []})", "t:/contexts"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"0": [0]}})", "t:/contexts"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0, 0]}})", "t:/contexts/"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": []}})", "t:/contexts/"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": {}}})", "t:/contexts/"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [null]}})", "t:/contexts/"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": ["0"]}})", "t:/contexts//0"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "1": [0]}})", "t:/contexts/1"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "x/y": [0]}})", "t:/contexts/x~1y"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "0 ": [0]}})", "t:/contexts/0 "},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "0  0": [0]}})", "t:/contexts/0  0"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], " 0": [0]}})", "t:/contexts/ 0"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "0": [0], "0": [0]}})",
       "t:/contexts/0"},
      {R"({"tokens": ["a"], "eos": 0, "contexts": {"": [0], "4294967296": [0]}})",
       "t:/contexts/4294967296"},
  };
  for (const Malformed& c : cases) {
    const auto model = TableModel::from_json(c.text, "t");
    ASSERT_FALSE(model.ok()) << c.text;
    EXPECT_EQ(model.status().code(), StatusCode::kParseError) << c.text;
    EXPECT_EQ(model.status().place(), c.place) << c.text << "\n" << model.status().to_string();
  }
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(TableModel::from_json(deep, "t").ok());
}

TEST(TableModel, DamagedTextNeverCrashes) {
  const std::string text = kTable;
  for (size_t length = 0; length < text.size() - 1; ++length) {
    EXPECT_FALSE(TableModel::from_json(text.substr(0, length), "t").ok());
  }
  std::mt19937_64 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = text;
    for (int edits = 1 + random() % 3; edits > 0; --edits) {
      damaged[random() % damaged.size()] = static_cast<char>(random() % 128);
    }
    const auto model = TableModel::from_json(damaged, "t");
    if (model.ok()) row_after(**model, {0});
  }
}

TEST(OpenModel, ByName) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("espalier-models-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const std::string table = (folder / "table.json").string();
  std::ofstream(table) << kTable;
  const auto opened = open_model("table:" + table);
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  EXPECT_EQ((*opened)->name(), table);
  EXPECT_EQ(open_model(table).status().code(), StatusCode::kParseError);
  EXPECT_EQ(open_model(table).status().place(), table + ":0");
  const auto missing = open_model((folder / "none").string());
  EXPECT_EQ(missing.status().code(), StatusCode::kIoError);
  EXPECT_NE(missing.status().to_string().find("none"), std::string::npos);
  EXPECT_EQ(open_model("table:" + (folder / "none").string()).status().code(),
            StatusCode::kIoError);

  std::ofstream(folder / "builtin.ngram") << "ESPLNGRM";
  ASSERT_EQ(::setenv("ESPALIER_MODEL_DIR", folder.c_str(), 1), 0);
  EXPECT_EQ(builtin_model_path().value(), (folder / "builtin.ngram").string());
  EXPECT_EQ(open_model("builtin").status().code(), StatusCode::kParseError);
  ::unsetenv("ESPALIER_MODEL_DIR");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace espalier
