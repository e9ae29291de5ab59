// The corpus, the byte-pair trainer against a slow one, and training from files to a model.

#include "backends/train.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backends/bpe_trainer.h"
#include "backends/models.h"
#include "backends/ngram_file.h"
#include "tests/shared_data.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

uint64_t test_seed() {
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20251123;
  std::printf("ESPALIER_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

/// Recounts every pair before every merge.
std::vector<std::string> slow_bpe(const std::map<std::string, uint64_t>& counted, size_t size) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  std::vector<std::pair<std::vector<size_t>, uint64_t>> words;
  for (const auto& [text, count] : counted) {
    std::vector<size_t> ids;
    for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
    words.emplace_back(ids, count);
  }
  while (tokens.size() < size) {
    std::map<std::pair<size_t, size_t>, uint64_t> pairs;
    for (const auto& [ids, count] : words) {
      for (size_t k = 0; k + 1 < ids.size(); ++k) pairs[{ids[k], ids[k + 1]}] += count;
    }
    std::pair<size_t, size_t> best;
    uint64_t most = 1;
    for (const auto& [pair, count] : pairs) {
      if (count > most) {
        most = count;
        best = pair;
      }
    }
    if (most == 1) break;
    const std::string bytes = tokens[best.first] + tokens[best.second];
    const size_t id = std::find(tokens.begin(), tokens.end(), bytes) - tokens.begin();
    if (id == tokens.size()) tokens.push_back(bytes);
    for (auto& [ids, count] : words) {
      for (size_t k = 0; k + 1 < ids.size(); ++k) {
        if (ids[k] != best.first || ids[k + 1] != best.second) continue;
        ids[k] = id;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(k) + 1);
      }
    }
  }
  return tokens;
}

TEST(BpeTrainer, EqualsTheSlowTrainer) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, uint64_t> words;
    BpeTrainer trainer;
    const int letters = 1 + round % 5;
    for (int i = 0; i < 3 + round; ++i) {
      std::string word;
      for (size_t n = random() % 14; n > 0; --n)
        word += static_cast<char>('a' + random() % letters);
      const uint64_t count = 1 + random() % 4;
      words[word] += count;
      trainer.add_word(word, count);
    }
    const size_t size = 256 + random() % 60;
    ASSERT_EQ(trainer.train(size), slow_bpe(words, size)) << "round " << round;
  }
}

TEST(BpeTrainer, KeepsAllBytesAndStopsWhereNothingRepeats) {
  BpeTrainer trainer;
  trainer.add_word("abcdefg");
  EXPECT_EQ(trainer.train(1000).size(), 256u);
  EXPECT_EQ(trainer.train(0).size(), 256u);
  trainer.add_word("abz");
  EXPECT_EQ(trainer.train(1000).back(), "ab");
}

class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(fs::temp_directory_path() / ("espalier-" + name + "-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string str() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

TEST(Corpus, HalvesByTheHashOfTheName) {
  EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8u);
  EXPECT_EQ(half_of("foobar"), CorpusHalf::kTrain);
  EXPECT_EQ(half_of("b"), fnv1a64("b") % 2 == 0 ? CorpusHalf::kTrain : CorpusHalf::kHeldOut);
}

TEST(Corpus, ReadsValidInstancesInPathOrder) {
  const Folder folder("corpus");
  folder.write("b.json", R"({"tests": [{"valid": true, "data": {"x":1.50,"y":"\u00e9"}},
                                        {"valid": false, "data": 1}]})");
  folder.write("sub/a.json", R"({"tests": [{"valid": true, "data": [1,2]}]})");
  folder.write("LICENSE", "not JSON");
  const auto files = read_corpus(folder.str(), CorpusHalf::kAll);
  ASSERT_TRUE(files.ok()) << files.status().to_string();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].path, "b.json");
  EXPECT_EQ((*files)[0].documents, std::vector<std::string>{"{\"x\": 1.5, \"y\": \"é\"}"});
  EXPECT_EQ((*files)[1].documents, std::vector<std::string>{"[1, 2]"});
  const size_t train = read_corpus(folder.str(), CorpusHalf::kTrain)->size();
  EXPECT_EQ(train + read_corpus(folder.str(), CorpusHalf::kHeldOut)->size(), 2u);
}

TEST(Corpus, ErrorsNameTheFile) {
  const Folder folder("corpus-errors");
  EXPECT_EQ(read_corpus(folder / "none", CorpusHalf::kAll).status().code(), StatusCode::kIoError);
  const auto status_of = [&](const std::string& text) {
    folder.write("x.json", text);
    return read_corpus(folder.str(), CorpusHalf::kAll).status();
  };
  EXPECT_EQ(status_of("{\"tests\": [}").place(), folder / "x.json:11");
  EXPECT_EQ(status_of("{}").place(), folder / "x.json");
  EXPECT_EQ(status_of("[]").place(), folder / "x.json");
  EXPECT_EQ(
      status_of(R"({"tests": [{"valid": true, "data": 1}, {"valid": 1, "data": 1}]})").place(),
      folder / "x.json:/tests/1");
}

/// Files of random objects in a small language.
void write_corpus(const Folder& folder, size_t files, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<std::string> names = {"name", "id", "value", "count", "größe"};
  for (size_t i = 0; i < files; ++i) {
    std::string text = "{\"schema\": true, \"tests\": [";
    for (int t = 0; t < 3; ++t) {
      text += t == 0 ? "" : ",";
      text += std::string("{\"valid\": ") + (t < 2 ? "true" : "false") + ", \"data\": {";
      for (size_t n = 0; n <= random() % names.size(); ++n) {
        text += (n == 0 ? "\"" : ",\"") + names[n] + "\":" + std::to_string(random() % 1000);
      }
      text += "}}";
    }
    folder.write("file" + std::to_string(i) + ".json", text + "]}");
  }
}

TEST(Train, EqualInputsGiveEqualFilesThatPredictTheOtherHalf) {
  const Folder data("train-data");
  const Folder out("train-out");
  write_corpus(data, 120, test_seed());
  TrainOptions options;
  options.data_dir = data.str();
  options.vocabulary_size = 300;
  options.max_bytes = 12'000;
  TrainReport report;
  size_t lines = 0;
  for (const char* name : {"one", "two"}) {
    options.output = out / name;
    const Status status = train_ngram(
        options, [&](std::string_view) { ++lines; }, &report);
    ASSERT_TRUE(status.ok()) << status.to_string();
  }
  const std::string bytes = read(out / "one");
  EXPECT_EQ(bytes, read(out / "two"));
  EXPECT_LE(bytes.size(), options.max_bytes);
  EXPECT_EQ(bytes.size(), report.file_bytes);
  EXPECT_EQ(report.documents, 2 * report.files);
  EXPECT_GT(lines, 4u);
  ASSERT_EQ(report.ngrams_kept.size(), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_LE(report.ngrams_kept[i], report.ngrams_counted[i]);
  EXPECT_FALSE(fs::exists(out / "one.partial"));

  auto model = open_model(out / "one");
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ((*model)->vocabulary()->size(), 300u);
  EXPECT_TRUE((*model)->vocabulary()->has_all_bytes());
  const auto held_out = evaluate_model(**model, data.str(), CorpusHalf::kHeldOut);
  ASSERT_TRUE(held_out.ok()) << held_out.status().to_string();
  EXPECT_EQ(held_out->documents + report.documents, 240u);
  EXPECT_LT(held_out->bits_per_byte(), 3.0);
  EXPECT_GT(held_out->bits_per_byte(), 0.3);
  const auto vocabulary = open_vocabulary(out / "one");
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.status().to_string();
  EXPECT_EQ((*vocabulary)->size(), 300u);
}

TEST(Train, OptionsAreChecked) {
  const Folder data("train-options");
  write_corpus(data, 8, 1);
  TrainOptions good;
  good.data_dir = data.str();
  good.output = data / "model";
  good.half = CorpusHalf::kAll;
  const auto place_of = [](const TrainOptions& options) { return train_ngram(options).place(); };
  TrainOptions bad = good;
  bad.order = 0;
  EXPECT_EQ(place_of(bad), "order");
  bad.order = kMaxNgramOrder + 1;
  EXPECT_EQ(place_of(bad), "order");
  bad = good;
  bad.vocabulary_size = 256;
  EXPECT_EQ(place_of(bad), "vocabulary-size");
  bad = good;
  bad.max_bytes = 100;
  EXPECT_EQ(train_ngram(bad).code(), StatusCode::kBudgetExceeded);
  EXPECT_FALSE(fs::exists(good.output));
  bad = good;
  bad.output = data / "none/model";
  EXPECT_EQ(train_ngram(bad).code(), StatusCode::kIoError);
  bad = good;
  bad.vocabulary = data / "none";
  EXPECT_EQ(train_ngram(bad).code(), StatusCode::kIoError);
  const Folder empty("train-empty");
  bad = good;
  bad.data_dir = empty.str();
  EXPECT_EQ(train_ngram(bad).code(), StatusCode::kInvalidArgument);
  for (const int order : {1, kMaxNgramOrder}) {
    good.order = order;
    EXPECT_TRUE(train_ngram(good).ok());
    EXPECT_TRUE(open_model(good.output).ok());
  }
}

TEST(Train, OverAGivenVocabulary) {
  const auto shared = testing::shared_data();
  if (!shared) GTEST_SKIP() << "no shared data; set ESPALIER_DATA";
  const Folder data("train-given");
  write_corpus(data, 60, 2);
  TrainOptions options;
  options.data_dir = data.str();
  options.output = data / "model";
  options.vocabulary = (*shared / "tokenizers/ggml-vocab-gpt-2.gguf").string();
  const Status status = train_ngram(options);
  ASSERT_TRUE(status.ok()) << status.to_string();
  auto model = open_model(options.output);
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const auto given = Vocabulary::load(options.vocabulary);
  ASSERT_TRUE(given.ok());
  const Vocabulary& own = *(*model)->vocabulary();
  ASSERT_EQ(own.size(), (*given)->size());
  EXPECT_EQ(own.width(), (*given)->width());
  EXPECT_EQ(std::vector(own.eos_ids().begin(), own.eos_ids().end()),
            std::vector((*given)->eos_ids().begin(), (*given)->eos_ids().end()));
  for (TokenId id = 0; id < static_cast<TokenId>(own.size()); ++id) {
    ASSERT_EQ(own.bytes(id), (*given)->bytes(id));
    ASSERT_EQ(own.is_special(id), (*given)->is_special(id));
  }
  for (const char* text : {"{\"name\": 12, \"größe\": [1.5, true]}", "Hello world's end"}) {
    EXPECT_EQ(own.encode(text).value(), (*given)->encode(text).value());
  }
  const auto own_score = evaluate_model(**model, data.str(), CorpusHalf::kHeldOut);
  const auto given_score = evaluate_model(**model, data.str(), CorpusHalf::kHeldOut, given->get());
  ASSERT_TRUE(own_score.ok() && given_score.ok());
  EXPECT_EQ(own_score->bits, given_score->bits);
  EXPECT_LT(own_score->bits_per_byte(), 3.0);
}

}  // namespace
}  // namespace espalier
