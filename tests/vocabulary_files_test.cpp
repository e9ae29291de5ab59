// Vocabulary files written by the tests: every format, its options, and everything that can be
// wrong with them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"
#include "shared_data.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;
using Loaded = Result<std::shared_ptr<const Vocabulary>>;

uint64_t test_seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

Ids eos_of(const Vocabulary& vocabulary) {
  return Ids(vocabulary.eos_ids().begin(), vocabulary.eos_ids().end());
}

class VocabularyFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("espalier-vocabulary-" + std::to_string(::getpid()) + "-" + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view bytes) const {
    const std::string path = (folder_ / name).string();
    fs::remove(path);
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
    return path;
  }
  Loaded load(const std::string& name, std::string_view bytes,
              const VocabularyOptions& options = {}) const {
    return Vocabulary::load(write(name, bytes), options);
  }
  std::string path_of(const std::string& name) const { return (folder_ / name).string(); }

  void expect_error(const Loaded& result, StatusCode code, const std::string& place,
                    const std::string& words) const {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.status().code(), code) << result.status().to_string();
    EXPECT_EQ(result.status().place(), place) << result.status().to_string();
    EXPECT_NE(result.status().message().find(words), std::string::npos)
        << result.status().to_string();
  }

  fs::path folder_;
};

// ---- tiktoken ----

constexpr const char* kTiktoken = "YQ== 0\nYg== 1\nYWI= 2\nIA== 3\n";

VocabularyOptions eos_option(TokenId id) {
  VocabularyOptions options;
  options.eos_ids = {id};
  return options;
}

TEST_F(VocabularyFiles, TiktokenLoads) {
  VocabularyOptions options = eos_option(5);
  options.special_tokens = {{"<|pad|>", 6}};
  options.pretokenizer = "gpt2";
  const Loaded loaded = load("any.tiktoken", kTiktoken, options);
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  const Vocabulary& vocabulary = **loaded;
  EXPECT_EQ(vocabulary.size(), 7u);
  EXPECT_EQ(vocabulary.bytes(2), "ab");
  EXPECT_EQ(vocabulary.bytes(4), "");
  EXPECT_EQ(vocabulary.bytes(6), "<|pad|>");
  EXPECT_TRUE(vocabulary.is_special(4));
  EXPECT_TRUE(vocabulary.is_special(5));
  EXPECT_FALSE(vocabulary.has_all_bytes());
  EXPECT_EQ(vocabulary.longest_token(), 2u);
  EXPECT_EQ(*vocabulary.encode("ab a"), (Ids{2, 3, 0}));
  EXPECT_EQ(vocabulary.encode("abc").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(VocabularyFiles, TiktokenWithoutPatternStillMasks) {
  const Loaded loaded = load("any.tiktoken", kTiktoken, eos_option(4));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->encode("a").status().code(), StatusCode::kUnsupported);
  EXPECT_TRUE(load("cl100k_base.tiktoken", kTiktoken, eos_option(4)).value()->encode("a").ok());
  VocabularyOptions bad = eos_option(4);
  bad.pretokenizer = "(a";
  EXPECT_EQ(load("any.tiktoken", kTiktoken, bad).status().code(), StatusCode::kParseError);
}

TEST_F(VocabularyFiles, TiktokenErrorsNameTheOffset) {
  const std::string path = path_of("t");
  const auto options = eos_option(9);
  expect_error(load("t", "YQ== 0\nY! 1\n", options), StatusCode::kParseError, path + ":7",
               "base64");
  expect_error(load("t", "YQ== 0\nYg 1\n", options), StatusCode::kParseError, path + ":7",
               "base64");
  expect_error(load("t", "YQ== 0\nYg=", options), StatusCode::kParseError, path + ":7", "rank");
  expect_error(load("t", "YQ== 0\nYg== 0\n", options), StatusCode::kParseError, path + ":12",
               "second token");
  expect_error(load("t", "YQ== x\n", options), StatusCode::kParseError, path + ":5", "rank");
  expect_error(load("t", "YQ== 99999999999\n", options), StatusCode::kParseError, path + ":5",
               "rank");
  expect_error(load("t", kTiktoken), StatusCode::kInvalidArgument, path, "end-of-sequence");
  expect_error(load("t", kTiktoken, eos_option(5000)), StatusCode::kParseError, path + ":28",
               "truncated");
  expect_error(load("t", kTiktoken, eos_option(-1)), StatusCode::kInvalidArgument, "eos_ids:-1",
               "end-of-sequence");
}

// ---- tokenizer.json ----

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string utf8_of(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

// GPT-2's spelling of a byte, by its definition.
std::string printable(unsigned byte) {
  unsigned next = 0x100;
  for (unsigned b = 0; b < 256; ++b) {
    const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    if (b == byte) return utf8_of(itself ? b : next);
    if (!itself) ++next;
  }
  return {};
}

struct ByteLevelFile {
  std::string vocab;
  std::string merges;
  std::string added = R"({"id": 300, "content": "<|endoftext|>", "special": true},
                         {"id": 301, "content": "<tool>", "special": false})";
  std::string normalizer = "null";
  std::string pretokenizer =
      R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})";
  std::string model_extra;

  explicit ByteLevelFile(bool merges_as_lists) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      vocab += json_string(printable(byte)) + ": " + std::to_string(byte) + ", ";
    }
    const std::string g = printable(' ');
    const std::vector<std::pair<std::string, std::string>> pairs = {
        {"h", "e"}, {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {g, "hello"}};
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto& [left, right] = pairs[i];
      vocab += json_string(left + right) + ": " + std::to_string(256 + i) + ", ";
      merges += (i > 0 ? ", " : "") +
                (merges_as_lists ? "[" + json_string(left) + ", " + json_string(right) + "]"
                                 : json_string(left + " " + right));
    }
    vocab += "\"extra\": 261";
  }
  std::string text() const {
    return "{\"added_tokens\": [" + added + "], \"normalizer\": " + normalizer +
           ", \"pre_tokenizer\": " + pretokenizer +
           ", \"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"type\": \"BPE\", " +
           model_extra + "\"vocab\": {" + vocab + "}, \"merges\": [" + merges + "]}}";
  }
};

TEST_F(VocabularyFiles, HuggingFaceByteLevel) {
  for (const bool lists : {false, true}) {
    const Loaded loaded = load("tokenizer.json", ByteLevelFile(lists).text());
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
    const Vocabulary& vocabulary = **loaded;
    EXPECT_EQ(vocabulary.size(), 302u);
    EXPECT_EQ(eos_of(vocabulary), Ids{300});
    EXPECT_TRUE(vocabulary.is_special(270)) << "unused";
    EXPECT_FALSE(vocabulary.is_special(301));
    EXPECT_TRUE(vocabulary.has_all_bytes());
    EXPECT_EQ(vocabulary.bytes(260), " hello");
    EXPECT_EQ(*vocabulary.encode("hello hello"), (Ids{259, 260}));
    EXPECT_EQ(*vocabulary.encode("a<tool>hell"), (Ids{'a', 301, 258}));
    EXPECT_EQ(*vocabulary.encode("extra"), (Ids{'e', 'x', 't', 'r', 'a'})) << "no merge makes it";
    EXPECT_EQ(vocabulary.encode("<|endoftext|>")->size(), 13u) << "special names are not parsed";
    EXPECT_EQ(vocabulary.decode(Ids{259, 300, 301}), "hello<tool>");
  }
}

TEST_F(VocabularyFiles, HuggingFaceByteLevelDecodesWhatItEncodes) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Loaded loaded = load("tokenizer.json", ByteLevelFile(true).text());
  ASSERT_TRUE(loaded.ok());
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 80, '\0');
    for (char& c : text) c = random() % 2 == 0 ? "hello "[random() % 6] : char(random());
    ASSERT_EQ((*loaded)->decode(*(*loaded)->encode(text)), text);
  }
}

TEST_F(VocabularyFiles, HuggingFaceOptionsOfTheModel) {
  ByteLevelFile file(false);
  file.model_extra = "\"ignore_merges\": true, ";
  EXPECT_EQ(*load("tokenizer.json", file.text()).value()->encode("extra"), Ids{261});
  file.pretokenizer =
      R"({"type": "Sequence", "pretokenizers": [
           {"type": "Split", "pattern": {"Regex": "\\p{L}"}, "behavior": "Isolated", "invert": false},
           {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})";
  EXPECT_EQ(*load("tokenizer.json", file.text()).value()->encode("he"), (Ids{'h', 'e'}));
  file.pretokenizer = R"({"type": "ByteLevel", "add_prefix_space": true})";
  EXPECT_EQ(*load("tokenizer.json", file.text()).value()->encode("hello"), Ids{260});
  file.normalizer =
      R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]})";
  EXPECT_EQ(*load("tokenizer.json", file.text()).value()->encode("HELLO"), Ids{260});
  EXPECT_EQ(*load("tokenizer.json", file.text()).value()->encode("e\u0301"),
            (Ids{' ', 0xC3, 0xA9}));
  VocabularyOptions options;
  options.pretokenizer = "[a-z]";
  EXPECT_EQ(*load("tokenizer.json", file.text(), options).value()->encode("he"),
            (Ids{' ', 'h', 'e'}));
}

TEST_F(VocabularyFiles, HuggingFaceUnsupportedEncodingStillMasks) {
  ByteLevelFile file(false);
  file.normalizer = R"({"type": "Precompiled", "precompiled_charsmap": "AA=="})";
  Loaded loaded = load("tokenizer.json", file.text());
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  Result<Ids> ids = (*loaded)->encode("a");
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(ids.status().place(), path_of("tokenizer.json") + ":/normalizer");
  file.normalizer = "null";
  file.model_extra = "\"end_of_word_suffix\": \"</w>\", ";
  EXPECT_EQ(load("tokenizer.json", file.text()).value()->encode("a").status().code(),
            StatusCode::kUnsupported);
}

// Letters, their byte tokens, and merges that make "\u2581hello".
std::string sentencepiece_file(const std::string& normalizer, const std::string& pretokenizer) {
  std::string vocab = R"("<unk>": 0, "<s>": 1, "</s>": 2, )";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    vocab += json_string(name) + ": " + std::to_string(3 + byte) + ", ";
  }
  vocab += R"("\u2581": 259, "h": 260, "e": 261, "l": 262, "o": 263, "he": 264, "ll": 265, )"
           R"("hell": 266, "hello": 267, "\u2581hello": 268, "\u2581\u2581": 269)";
  return R"({"added_tokens": [{"id": 0, "content": "<unk>", "special": true},
             {"id": 1, "content": "<s>", "special": true},
             {"id": 2, "content": "</s>", "special": true}], "normalizer": )" +
         normalizer + ", \"pre_tokenizer\": " + pretokenizer +
         R"(, "decoder": null, "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
             "vocab": {)" +
         vocab +
         R"(}, "merges": ["h e", "l l", "he ll", "hell o", "\u2581 hello", "\u2581 \u2581"]}})";
}

TEST_F(VocabularyFiles, HuggingFaceSentencePiece) {
  const std::string prepend =
      R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]})";
  const Loaded loaded = load("tokenizer.json", sentencepiece_file(prepend, "null"));
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  const Vocabulary& vocabulary = **loaded;
  EXPECT_EQ(eos_of(vocabulary), Ids{2});
  EXPECT_TRUE(vocabulary.is_special(0));
  EXPECT_TRUE(vocabulary.has_all_bytes());
  EXPECT_EQ(vocabulary.bytes(268), " hello");
  EXPECT_EQ(vocabulary.bytes(3 + 0xFE), "\xFE");
  EXPECT_EQ(vocabulary.trie().next_same(3 + 'h'), 260) << "the byte and the letter";
  EXPECT_EQ(*vocabulary.encode("hello hello"), (Ids{268, 268}));
  EXPECT_EQ(*vocabulary.encode("h\u00e9\xFF"), (Ids{259, 260, 3 + 0xC3, 3 + 0xA9, 3 + 0xFF}));
  EXPECT_EQ(*vocabulary.encode(""), Ids{});
  EXPECT_EQ(vocabulary.decode(*vocabulary.encode("hello x")), " hello x");
}

TEST_F(VocabularyFiles, HuggingFaceMetaspace) {
  const auto encode = [&](const std::string& scheme, bool split, const std::string& text) {
    const std::string metaspace = R"({"type": "Metaspace", "replacement": "\u2581", )" + scheme +
                                  ", \"split\": " + (split ? "true" : "false") + "}";
    return *load("tokenizer.json", sentencepiece_file("null", metaspace)).value()->encode(text);
  };
  EXPECT_EQ(encode(R"("prepend_scheme": "always")", false, "hello"), Ids{268});
  EXPECT_EQ(encode(R"("prepend_scheme": "never")", false, "hello"), Ids{267});
  EXPECT_EQ(encode(R"("prepend_scheme": "first")", false, " hello"), Ids{268});
  EXPECT_EQ(encode(R"("add_prefix_space": false)", false, "hello"), Ids{267});
  EXPECT_EQ(encode(R"("prepend_scheme": "never")", false, "h  o"), (Ids{260, 269, 263}));
  EXPECT_EQ(encode(R"("prepend_scheme": "never")", true, "h  o"), (Ids{260, 259, 259, 263}));
}

TEST_F(VocabularyFiles, HuggingFaceUnigram) {
  const std::string text =
      R"({"added_tokens": [{"id": 1, "content": "</s>", "special": true}],
          "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
          "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["<unk>", 0],
          ["</s>", 0], ["\u2581", -3], ["a", -2], ["b", -2.5], ["ab", -3], ["\u2581a", -4]]}})";
  const Loaded loaded = load("tokenizer.json", text);
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  EXPECT_EQ(*(*loaded)->encode("ab"), (Ids{2, 5}));
  EXPECT_EQ(*(*loaded)->encode("aab b"), (Ids{6, 5, 2, 4}));
  EXPECT_EQ((*loaded)->encode("x").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(VocabularyFiles, HuggingFaceEndOfSequence) {
  ByteLevelFile file(false);
  file.added = R"({"id": 300, "content": "<stop>", "special": true},
                  {"id": 301, "content": "<turn>", "special": true})";
  const std::string path = path_of("tokenizer.json");
  expect_error(load("tokenizer.json", file.text()), StatusCode::kInvalidArgument, path,
               "end-of-sequence");
  EXPECT_EQ(eos_of(*load("tokenizer.json", file.text(), eos_option(7)).value()), Ids{7});
  write("tokenizer_config.json", R"({"eos_token": {"content": "<turn>"}})");
  EXPECT_EQ(eos_of(*load("tokenizer.json", file.text()).value()), Ids{301});
  write("generation_config.json", R"({"eos_token_id": [300]})");
  EXPECT_EQ(eos_of(*load("tokenizer.json", file.text()).value()), (Ids{300, 301}));
  EXPECT_EQ(eos_of(*Vocabulary::load(folder_.string()).value()), (Ids{300, 301})) << "a folder";
  write("tokenizer_config.json", R"({"eos_token": "<nothing>"})");
  expect_error(load("tokenizer.json", file.text()), StatusCode::kParseError,
               path_of("tokenizer_config.json") + ":/eos_token", "not in the vocabulary");
}

TEST_F(VocabularyFiles, HuggingFaceErrorsNameThePlace) {
  const std::string path = path_of("j");
  const auto error = [&](const std::string& text, const std::string& place,
                         const std::string& words) {
    expect_error(load("j", text), StatusCode::kParseError, path + ":" + place, words);
  };
  error("{\"model\": nul", "13", "not JSON");
  error("{}", "/model", "no model");
  error(R"({"model": {"type": "BPE"}})", "/model/vocab", "no vocabulary");
  error(R"({"model": {"type": "BPE", "vocab": []}})", "/model/vocab", "kind");
  error(R"({"model": {"type": "BPE", "vocab": {"a/b": 0, "c": 0}}})", "/model/vocab/c",
        "second token");
  error(R"({"model": {"type": "BPE", "vocab": {"a/b": -1}}})", "/model/vocab/a~1b", "id");
  error(R"({"model": {"type": "BPE", "vocab": {"a": 99999999}}})", "/model/vocab/a", "id");
  error(R"({"model": {"type": "BPE", "vocab": {"a": 0, "a": 1}}})", "/model/vocab/a", "twice");
  error(R"({"added_tokens": [{"id": 0, "content": "</s>"}],
            "model": {"type": "BPE", "vocab": {"a": 0}}})",
        "/model/vocab/a", "second token");
  error(R"({"added_tokens": [{"id": 1, "content": "</s>"}, {"id": 1, "content": "x"}],
            "model": {"type": "BPE", "vocab": {"a": 0}}})",
        "/added_tokens/1/id", "second token");
  error(R"({"added_tokens": [{"id": 1, "content": "</s>"}],
            "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}})",
        "/model/merges/0", "merge");
  error(R"({"added_tokens": [{"content": "</s>"}], "model": {"type": "BPE", "vocab": {"a": 0}}})",
        "/added_tokens/0", "no id");
  expect_error(load("j", R"({"model": {"type": "WordPiece", "vocab": {"a": 0}}})"),
               StatusCode::kUnsupported, path + ":/model/type", "WordPiece");
}

// ---- GGUF ----

class Gguf {
 public:
  explicit Gguf(uint32_t version = 3) { raw("GGUF", 4), u32(version), u64(0), u64(0); }
  Gguf& text(const std::string& key, const std::string& value) {
    return begin(key, 8), str(value), *this;
  }
  Gguf& number(const std::string& key, uint32_t value) { return begin(key, 4), u32(value), *this; }
  Gguf& flag(const std::string& key, bool value) {
    return begin(key, 7), raw(value ? "\1" : "\0", 1), *this;
  }
  Gguf& texts(const std::string& key, const std::vector<std::string>& values) {
    begin(key, 9), u32(8), u64(values.size());
    for (const auto& value : values) str(value);
    return *this;
  }
  Gguf& types(const std::vector<uint32_t>& values) {
    begin("tokenizer.ggml.token_type", 9), u32(5), u64(values.size());
    for (const uint32_t value : values) u32(value);
    return *this;
  }
  Gguf& scores(const std::vector<float>& values) {
    begin("tokenizer.ggml.scores", 9), u32(6), u64(values.size());
    for (const float value : values) raw(&value, 4);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  void u32(uint32_t value) { raw(&value, 4); }
  void u64(uint64_t value) { raw(&value, 8); }
  void str(const std::string& value) { u64(value.size()), bytes_ += value; }
  void begin(const std::string& key, uint32_t type) {
    uint64_t pairs = 0;
    std::memcpy(&pairs, bytes_.data() + 16, 8);
    ++pairs;
    std::memcpy(bytes_.data() + 16, &pairs, 8);
    str(key), u32(type);
  }
  std::string bytes_;
};

Gguf small_bpe(uint32_t version = 3) {
  return Gguf(version)
      .text("tokenizer.ggml.model", "gpt2")
      .text("tokenizer.ggml.pre", "gpt-2")
      .texts("other.names", {"skipped", "array"})
      .texts("tokenizer.ggml.tokens",
             {"a", "b", "ab", "\u0120", "<user>", "<|im_end|>", "[PAD6]", "<stop>"})
      .types({1, 1, 1, 1, 4, 3, 4, 3})
      .texts("tokenizer.ggml.merges", {"a b"})
      .number("tokenizer.ggml.eos_token_id", 7);
}

Gguf small_spm() {
  return Gguf()
      .text("tokenizer.ggml.model", "llama")
      .texts("tokenizer.ggml.tokens",
             {"<unk>", "</s>", "<0x61>", "<0xC3>", "<0xA9>", "\u2581", "a", "b", "ab", "\u2581ab"})
      .types({2, 3, 6, 6, 6, 1, 1, 1, 1, 1})
      .scores({0, 0, 0, 0, 0, -1, -2, -3, -4, -5})
      .number("tokenizer.ggml.eos_token_id", 1);
}

TEST_F(VocabularyFiles, GgufByteLevel) {
  for (const uint32_t version : {2u, 3u}) {
    const Loaded loaded = load("v.gguf", small_bpe(version).bytes());
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
    const Vocabulary& vocabulary = **loaded;
    EXPECT_EQ(eos_of(vocabulary), (Ids{7, 5}));
    EXPECT_EQ(vocabulary.bytes(3), " ");
    EXPECT_FALSE(vocabulary.is_special(4));
    EXPECT_TRUE(vocabulary.is_special(6)) << "padding";
    EXPECT_EQ(*vocabulary.encode("ab<user>a b"), (Ids{2, 4, 0, 3, 1}));
  }
}

TEST_F(VocabularyFiles, GgufSentencePiece) {
  const Loaded loaded = load("v.gguf", small_spm().bytes());
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  EXPECT_EQ(*(*loaded)->encode("ab\u00e9"), (Ids{9, 3, 4}));
  EXPECT_EQ((*loaded)->bytes(2), "a");
  Gguf bare = small_spm();
  bare.flag("tokenizer.ggml.add_space_prefix", false);
  EXPECT_EQ(*load("v.gguf", bare.bytes()).value()->encode("ab ab"), (Ids{8, 9}));
}

TEST_F(VocabularyFiles, GgufErrorsNameTheOffset) {
  const auto expect_at = [&](const std::string& bytes, StatusCode code, const std::string& words) {
    const Loaded loaded = load("v.gguf", bytes);
    ASSERT_FALSE(loaded.ok()) << words;
    EXPECT_EQ(loaded.status().code(), code) << loaded.status().to_string();
    EXPECT_TRUE(loaded.status().place().starts_with(path_of("v.gguf") + ":"));
    EXPECT_NE(loaded.status().to_string().find(words), std::string::npos)
        << loaded.status().to_string();
  };
  expect_at(Gguf(4).bytes(), StatusCode::kUnsupported, "version");
  expect_at(Gguf().bytes(), StatusCode::kParseError, "no vocabulary");
  expect_at(Gguf().text("tokenizer.ggml.model", "rwkv").bytes(), StatusCode::kUnsupported, "rwkv");
  expect_at(Gguf().text("tokenizer.ggml.model", "gpt2").bytes(), StatusCode::kParseError,
            "missing");
  expect_at(small_bpe().types({1}).bytes(), StatusCode::kParseError, "twice");
  expect_at(small_spm().number("tokenizer.ggml.eot_token_id", 99).bytes(), StatusCode::kParseError,
            "99");
  Gguf merges;
  merges.text("tokenizer.ggml.model", "gpt2").texts("tokenizer.ggml.tokens", {"a", "</s>"});
  merges.texts("tokenizer.ggml.merges", {"a a"});
  expect_at(merges.bytes(), StatusCode::kParseError, "\"a a\"");
  Gguf no_end;
  no_end.text("tokenizer.ggml.model", "gpt2").texts("tokenizer.ggml.tokens", {"a", "b"});
  expect_error(load("v.gguf", no_end.bytes()), StatusCode::kInvalidArgument, path_of("v.gguf"),
               "end-of-sequence");
  Gguf unknown;
  unknown.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "no-such-model");
  unknown.texts("tokenizer.ggml.tokens", {"a", "</s>"}).texts("tokenizer.ggml.merges", {});
  const Loaded loaded = load("v.gguf", unknown.bytes());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->encode("a").status().code(), StatusCode::kUnsupported);
}

// ---- corruption ----

TEST_F(VocabularyFiles, EveryTruncationIsAnError) {
  const std::string files[] = {small_bpe().bytes(), small_spm().bytes(), ByteLevelFile(true).text(),
                               sentencepiece_file("null", "null")};
  for (const std::string& bytes : files) {
    ASSERT_TRUE(load("whole", bytes).ok());
    for (size_t n = 0; n<bytes.size(); n += bytes.size()> 2000 ? 7 : 1) {
      const Loaded loaded = load("cut", std::string_view(bytes).substr(0, n));
      ASSERT_FALSE(loaded.ok()) << n;
      EXPECT_TRUE(loaded.status().place().starts_with(path_of("cut"))) << loaded.status().place();
    }
  }
}

TEST_F(VocabularyFiles, CorruptedBytesNeverCrash) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string files[] = {small_bpe().bytes(), small_spm().bytes(), ByteLevelFile(true).text(),
                               sentencepiece_file("null", "null"), kTiktoken};
  for (const std::string& bytes : files) {
    for (int round = 0; round < 400; ++round) {
      std::string bad = bytes;
      const size_t changes = 1 + random() % 4;
      for (size_t i = 0; i < changes; ++i) {
        const char values[] = {char(random()), '\xFF', '\0', '\x7F'};
        bad[4 + random() % (bad.size() - 4)] = values[random() % 4];
      }
      const Loaded loaded =
          load("bad", bad, random() % 2 == 0 ? VocabularyOptions() : eos_option(0));
      if (loaded.ok()) (void)(*loaded)->encode("hello ab\u00e9\xFF");
    }
  }
}

TEST_F(VocabularyFiles, TruncatedRealFilesAreErrors) {
  const auto data = testing::shared_data();
  if (!data || !fs::exists(*data / "tokenizers"))
    GTEST_SKIP() << "the shared tokenizers are absent";
  for (const char* name : {"ggml-vocab-phi-3.gguf", "ggml-vocab-gpt-2.gguf"}) {
    const std::string path = path_of(name);
    fs::copy_file(*data / "tokenizers" / name, path);
    fs::permissions(path, fs::perms::owner_all);
    const uintmax_t size = fs::file_size(path);
    for (uintmax_t cut = 1; cut <= 24; ++cut) {
      fs::resize_file(path, size - cut * cut * size / 600 - 1);
      const Loaded loaded = Vocabulary::load(path);
      ASSERT_FALSE(loaded.ok()) << cut;
      EXPECT_EQ(loaded.status().code(), StatusCode::kParseError) << loaded.status().to_string();
    }
  }
}

TEST_F(VocabularyFiles, OtherFilesAreRefused) {
  expect_error(Vocabulary::load(path_of("absent")), StatusCode::kIoError, path_of("absent"),
               "cannot be read");
  expect_error(load("empty", ""), StatusCode::kParseError, path_of("empty") + ":0", "empty");
  expect_error(load("text", "hello, world"), StatusCode::kParseError, path_of("text") + ":0",
               "no vocabulary");
  expect_error(load("model", "ESPLNGRM rest"), StatusCode::kInvalidArgument,
               path_of("model") + ":0", "model file");
}

// ---- in memory ----

TEST(VocabularyInMemory, FromTokensIsGreedy) {
  const auto made =
      Vocabulary::from_tokens({"a", "ab", "b", "bc", "</s>", "<pad>", ""}, {4}, {5}, 40);
  ASSERT_TRUE(made.ok()) << made.status().to_string();
  const Vocabulary& vocabulary = **made;
  EXPECT_EQ(vocabulary.width(), 40u);
  EXPECT_EQ(vocabulary.row_words(), 2u);
  EXPECT_TRUE(vocabulary.is_special(5));
  EXPECT_TRUE(vocabulary.is_special(6));
  EXPECT_FALSE(vocabulary.encode("abc").ok()) << "nothing covers c after ab";
  EXPECT_EQ(*vocabulary.encode("abbc"), (Ids{1, 3}));
}

TEST(VocabularyInMemory, FromBpeMergesByRank) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* token : {"ab", "abc", "bc", " a", "<end>"}) tokens.emplace_back(token);
  const auto made = Vocabulary::from_bpe(tokens, {260}, {}, "gpt2");
  ASSERT_TRUE(made.ok()) << made.status().to_string();
  EXPECT_EQ(*(*made)->encode("abc bc"), (Ids{257, ' ', 258}));
  EXPECT_EQ((*made)->encode("<end>")->size(), 5u);
  EXPECT_NE((*made)->uid(), (*Vocabulary::from_bpe(tokens, {260}, {}, ""))->uid());
  EXPECT_FALSE(Vocabulary::from_bpe(tokens, {260}, {}, "[").ok());
  EXPECT_FALSE(Vocabulary::from_bpe(tokens, {}, {}, "gpt2").ok());
  EXPECT_FALSE(Vocabulary::from_bpe(tokens, {999}, {}, "gpt2").ok());
  EXPECT_FALSE(Vocabulary::from_bpe(tokens, {260}, {-5}, "gpt2").ok());
}

}  // namespace
}  // namespace espalier
