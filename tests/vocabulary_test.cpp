// Vocabularies of real models against their published encodings, time and memory.
#include "espalier/vocabulary.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "engine/tokens/token_trie.h"
#include "shared_data.h"

namespace espalier {
namespace {

using Ids = std::vector<TokenId>;
using VocabularyPtr = std::shared_ptr<const Vocabulary>;

uint64_t test_seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

class RealVocabulary : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto data = testing::shared_data();
    if (data) folder_ = *data / "tokenizers";
    if (!data || !std::filesystem::is_directory(folder_)) {
      GTEST_SKIP() << "the shared tokenizers are absent (set ESPALIER_DATA)";
    }
  }

  VocabularyPtr load(const std::string& file, const VocabularyOptions& options = {}) const {
    Result<VocabularyPtr> result = Vocabulary::load((folder_ / file).string(), options);
    EXPECT_TRUE(result.ok()) << result.status().to_string();
    return result.ok() ? *result : nullptr;
  }
  VocabularyPtr llama3() const { return load("ggml-vocab-llama-bpe.gguf"); }
  VocabularyPtr o200k() const {
    VocabularyOptions options;
    options.eos_ids = {199999};
    options.special_tokens = {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}};
    return load("o200k_base.tiktoken", options);
  }
  VocabularyPtr cl100k() const {
    VocabularyOptions options;
    options.special_tokens = {{"<|endoftext|>", 100257}, {"<|endofprompt|>", 100276}};
    return load("cl100k_base.tiktoken", options);
  }

  std::string read(const std::string& file) const {
    std::ifstream in(folder_ / file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  void expect_pairs(const std::string& file) const {
    const VocabularyPtr vocabulary = load(file);
    ASSERT_NE(vocabulary, nullptr);
    const std::string separator = "\n__ggml_vocab_test__\n";
    const std::string input = read(file + ".inp");
    std::istringstream output(read(file + ".out"));
    size_t begin = 0;
    size_t count = 0;
    for (std::string line; std::getline(output, line); ++count) {
      const size_t end = std::min(input.find(separator, begin), input.size());
      const std::string text = input.substr(begin, end - begin);
      begin = std::min(end + separator.size(), input.size());
      Ids expected;
      std::istringstream numbers(line);
      for (TokenId id; numbers >> id;) expected.push_back(id);
      const Result<Ids> ids = vocabulary->encode(text);
      ASSERT_TRUE(ids.ok()) << ids.status().to_string();
      EXPECT_EQ(*ids, expected) << "text: " << text;
    }
    EXPECT_GE(count, 40u);
  }

  void expect_lines(const VocabularyPtr& vocabulary, const char* name) const {
    ASSERT_NE(vocabulary, nullptr);
    std::istringstream lines(read("expected.jsonl"));
    size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      rapidjson::Document json;
      json.Parse(line.data(), line.size());
      ASSERT_FALSE(json.HasParseError());
      const std::string text(json["text"].GetString(), json["text"].GetStringLength());
      Ids expected;
      for (const auto& id : json[name].GetArray()) expected.push_back(id.GetInt());
      const Result<Ids> ids = vocabulary->encode(text);
      ASSERT_TRUE(ids.ok()) << ids.status().to_string();
      EXPECT_EQ(*ids, expected) << "text: " << text;
      EXPECT_EQ(vocabulary->decode(*ids), text);
    }
    EXPECT_GE(count, 200u);
  }

  std::filesystem::path folder_;
};

TEST_F(RealVocabulary, Llama3EncodesAsExpected) { expect_lines(llama3(), "llama3"); }
TEST_F(RealVocabulary, O200kEncodesAsExpected) { expect_lines(o200k(), "o200k"); }
TEST_F(RealVocabulary, Cl100kEncodesAsExpected) { expect_lines(cl100k(), "cl100k"); }
TEST_F(RealVocabulary, Llama3EncodesItsPairs) { expect_pairs("ggml-vocab-llama-bpe.gguf"); }
TEST_F(RealVocabulary, Qwen2EncodesItsPairs) { expect_pairs("ggml-vocab-qwen2.gguf"); }
TEST_F(RealVocabulary, Gpt2EncodesItsPairs) { expect_pairs("ggml-vocab-gpt-2.gguf"); }
TEST_F(RealVocabulary, Phi3EncodesItsPairs) { expect_pairs("ggml-vocab-phi-3.gguf"); }

TEST_F(RealVocabulary, Llama3HasItsSpecialTokens) {
  const VocabularyPtr vocabulary = llama3();
  ASSERT_NE(vocabulary, nullptr);
  EXPECT_EQ(vocabulary->size(), 128256u);
  EXPECT_EQ(vocabulary->width(), 128256u);
  EXPECT_EQ(vocabulary->row_words(), 4008u);
  EXPECT_EQ(Ids(vocabulary->eos_ids().begin(), vocabulary->eos_ids().end()),
            (Ids{128001, 128008, 128009}));
  EXPECT_TRUE(vocabulary->is_eos(128009));
  EXPECT_FALSE(vocabulary->is_eos(128000));
  EXPECT_TRUE(vocabulary->is_special(128000));
  EXPECT_FALSE(vocabulary->is_special(127999));
  EXPECT_EQ(vocabulary->bytes(128001), "<|end_of_text|>");
  EXPECT_TRUE(vocabulary->has_all_bytes());
  EXPECT_EQ(vocabulary->trie().size(), 274521u) << "the root included";
  EXPECT_EQ(vocabulary->decode(Ids{128000, 9906, 128001, -1, 999999}), "Hello");
  EXPECT_LE(vocabulary->memory_bytes(), size_t{40} << 20);
}

TEST_F(RealVocabulary, Qwen2TreatsPaddingAsSpecial) {
  const VocabularyPtr vocabulary = load("ggml-vocab-qwen2.gguf");
  ASSERT_NE(vocabulary, nullptr);
  EXPECT_EQ(vocabulary->size(), 151936u);
  EXPECT_TRUE(vocabulary->is_eos(151643));
  EXPECT_TRUE(vocabulary->is_eos(151645));
  EXPECT_TRUE(vocabulary->is_special(151935));
  EXPECT_FALSE(vocabulary->is_special(151642));
}

TEST_F(RealVocabulary, Phi3SpellsBytesAndSpaces) {
  const VocabularyPtr vocabulary = load("ggml-vocab-phi-3.gguf");
  ASSERT_NE(vocabulary, nullptr);
  EXPECT_EQ(vocabulary->size(), 32064u);
  EXPECT_TRUE(vocabulary->is_eos(32000));
  EXPECT_TRUE(vocabulary->is_eos(32007));
  EXPECT_TRUE(vocabulary->has_all_bytes());
  EXPECT_EQ(vocabulary->bytes(3), std::string_view("\0", 1));
  EXPECT_EQ(vocabulary->bytes(15043), " Hello");
  const TokenTrie& trie = vocabulary->trie();
  const TokenId letter = trie.node(trie.child(0, 'A')).token;
  EXPECT_EQ(vocabulary->bytes(letter), "A");
  EXPECT_GT(trie.next_same(letter), letter) << "the letter A and the byte 0x41";
}

TEST_F(RealVocabulary, O200kLoadsFast) {
  const auto start = std::chrono::steady_clock::now();
  const VocabularyPtr vocabulary = o200k();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_NE(vocabulary, nullptr);
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  RecordProperty("memory_bytes", static_cast<int>(vocabulary->memory_bytes()));
  EXPECT_LT(seconds, 1.0);
  EXPECT_EQ(vocabulary->size(), 200019u);
  EXPECT_TRUE(vocabulary->is_special(199998)) << "an unused id";
  EXPECT_EQ(vocabulary->bytes(199998), "");
  EXPECT_EQ(vocabulary->bytes(200018), "<|endofprompt|>");
}

TEST_F(RealVocabulary, TiktokenNeedsAnEndOfSequence) {
  const auto result = Vocabulary::load((folder_ / "cl100k_base.tiktoken").string());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(result.status().message().find("end-of-sequence"), std::string::npos);
  EXPECT_NE(result.status().place().find("cl100k_base.tiktoken"), std::string::npos);
}

TEST_F(RealVocabulary, PadsItsWidth) {
  VocabularyOptions options;
  options.padded_width = 50304;
  const VocabularyPtr padded = load("ggml-vocab-gpt-2.gguf", options);
  ASSERT_NE(padded, nullptr);
  EXPECT_EQ(padded->size(), 50257u);
  EXPECT_EQ(padded->width(), 50304u);
  options.padded_width = 50000;
  const auto result = Vocabulary::load((folder_ / "ggml-vocab-gpt-2.gguf").string(), options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
}

TEST_F(RealVocabulary, TakesEndOfSequenceIdsFromOptions) {
  VocabularyOptions options;
  options.eos_ids = {128009, 5};
  const VocabularyPtr vocabulary = load("ggml-vocab-llama-bpe.gguf", options);
  ASSERT_NE(vocabulary, nullptr);
  EXPECT_EQ(Ids(vocabulary->eos_ids().begin(), vocabulary->eos_ids().end()), (Ids{128009, 5}));
  EXPECT_TRUE(vocabulary->is_special(5));
  EXPECT_EQ(vocabulary->trie().node(vocabulary->trie().child(0, '&')).token, -1);
  options.eos_ids = {128256};
  EXPECT_FALSE(Vocabulary::load((folder_ / "ggml-vocab-llama-bpe.gguf").string(), options).ok());
}

TEST_F(RealVocabulary, ByteLevelDecodesWhatItEncodes) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string_view fragments[] = {"hello",   " World", "123",    "\n",           "  ",
                                        "\t",      "'ll",    "\u00e9", "\u4e2d\u6587", "\U0001F999",
                                        "{\"a\":", "--",     "\u3000"};
  const std::string files[] = {"ggml-vocab-llama-bpe.gguf", "ggml-vocab-qwen2.gguf",
                               "ggml-vocab-gpt-2.gguf"};
  std::vector<VocabularyPtr> vocabularies{o200k(), cl100k()};
  for (const std::string& file : files) vocabularies.push_back(load(file));
  for (const VocabularyPtr& vocabulary : vocabularies) {
    ASSERT_NE(vocabulary, nullptr);
    for (int round = 0; round < 200; ++round) {
      std::string text;
      const size_t parts = random() % 40;
      for (size_t i = 0; i < parts; ++i) {
        if (random() % 3 == 0) {
          text += static_cast<char>(random());
        } else {
          text += fragments[random() % std::size(fragments)];
        }
      }
      const Result<Ids> ids = vocabulary->encode(text);
      ASSERT_TRUE(ids.ok()) << ids.status().to_string();
      ASSERT_EQ(vocabulary->decode(*ids), text);
    }
  }
}

TEST_F(RealVocabulary, EncodesLongPiecesInReasonableTime) {
  for (const VocabularyPtr& vocabulary : {o200k(), llama3(), load("ggml-vocab-phi-3.gguf")}) {
    ASSERT_NE(vocabulary, nullptr);
    for (const std::string& text :
         {std::string(200'000, 'a'), std::string(200'000, ' '), std::string(200'000, '=')}) {
      const auto start = std::chrono::steady_clock::now();
      const Result<Ids> ids = vocabulary->encode(text);
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      ASSERT_TRUE(ids.ok()) << ids.status().to_string();
      EXPECT_LT(seconds, 10.0);
      EXPECT_TRUE(vocabulary->decode(*ids).ends_with(text));
    }
  }
}

}  // namespace
}  // namespace espalier
