// The n-gram model against a slow computation straight from the definition, and its file format
// against damage.

#include "backends/ngram_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "backends/models.h"
#include "backends/ngram_file.h"
#include "backends/ngram_trainer.h"

namespace espalier {
namespace {

using Tokens = std::vector<TokenId>;

uint64_t test_seed() {
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20251123;
  std::printf("ESPALIER_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

constexpr TokenId kEos = 5;

NgramVocabulary letters() {
  NgramVocabulary vocabulary;
  vocabulary.tokens = {"a", "b", "c", "d", "e", "<end>", "<special>"};
  vocabulary.eos_ids = {kEos};
  vocabulary.special = {6};
  vocabulary.padded_width = 9;
  return vocabulary;
}
constexpr size_t kUsable = 6;

std::vector<Tokens> random_corpus(std::mt19937_64& random, size_t documents) {
  std::vector<Tokens> corpus;
  std::uniform_int_distribution<int> length(0, 12);
  std::geometric_distribution<int> token(0.45);
  for (size_t i = 0; i < documents; ++i) {
    Tokens document;
    for (int n = length(random); n > 0; --n) document.push_back(std::min(token(random), 3));
    corpus.push_back(document);
  }
  return corpus;
}

/// Interpolated modified Kneser-Ney from its definition, over maps of whole n-grams.
class SlowKneserNey {
 public:
  SlowKneserNey(const std::vector<Tokens>& corpus, int order) : order_(order) {
    std::map<Tokens, uint64_t> raw;
    for (const Tokens& document : corpus) {
      Tokens text = {kBegin};
      text.insert(text.end(), document.begin(), document.end());
      text.push_back(kEos);
      for (size_t end = 2; end <= text.size(); ++end) {
        for (size_t n = 1; n <= static_cast<size_t>(order) && n <= end; ++n) {
          ++raw[Tokens(text.begin() + (end - n), text.begin() + end)];
        }
      }
    }
    std::map<Tokens, std::set<TokenId>> before;
    for (const auto& [gram, count] : raw) {
      if (gram.size() > 1) before[Tokens(gram.begin() + 1, gram.end())].insert(gram.front());
    }
    std::vector<std::array<double, 5>> n(order + 1, std::array<double, 5>{});
    for (const auto& [gram, count] : raw) {
      const bool full = gram.size() == static_cast<size_t>(order) || gram.front() == kBegin;
      const uint64_t kn = full ? count : before[gram].size();
      counts_[gram] = kn;
      if (kn <= 4) ++n[gram.size()][kn];
    }
    discount_.resize(order + 1);
    for (int k = 1; k <= order; ++k) {
      discount_[k] = {0.5, 1.0, 1.5};
      if (n[k][1] * n[k][2] * n[k][3] * n[k][4] == 0) continue;
      const double y = n[k][1] / (n[k][1] + 2 * n[k][2]);
      for (int c = 1; c <= 3; ++c) {
        const double d = c - (c + 1) * y * n[k][c + 1] / n[k][c];
        discount_[k][c - 1] = std::min(std::max(d, 0.05), 0.95 * c);
      }
    }
  }

  double probability(Tokens context, TokenId token) const {
    double total = 0;
    double taken = 0;
    double own = 0;
    const auto& discount = discount_[context.size() + 1];
    for (TokenId next = 0; next <= kEos; ++next) {
      Tokens gram = context;
      gram.push_back(next);
      const auto found = counts_.find(gram);
      if (found == counts_.end()) continue;
      const double count = static_cast<double>(found->second);
      const double d = discount[std::min<size_t>(found->second, 3) - 1];
      total += count;
      taken += d;
      if (next == token) own = count - d;
    }
    if (context.empty()) return own / total + taken / total / kUsable;
    const double shorter = probability(Tokens(context.begin() + 1, context.end()), token);
    return total == 0 ? shorter : own / total + taken / total * shorter;
  }

  double after(const Tokens& sequence, TokenId token) const {
    Tokens context = {kBegin};
    context.insert(context.end(), sequence.begin(), sequence.end());
    const size_t most = static_cast<size_t>(order_) - 1;
    if (context.size() > most) context.erase(context.begin(), context.end() - most);
    return probability(context, token);
  }

 private:
  static constexpr TokenId kBegin = -7;
  int order_;
  std::map<Tokens, uint64_t> counts_;
  std::vector<std::array<double, 3>> discount_;
};

std::unique_ptr<NgramModel> open_bytes(const std::string& bytes) {
  auto model = NgramModel::from_bytes(bytes, "test");
  EXPECT_TRUE(model.ok()) << model.status().to_string();
  return model.ok() ? std::move(model).value() : nullptr;
}

std::vector<float> row_after(LanguageModel& model, const Tokens& tokens) {
  std::vector<float> row(model.width());
  const auto sequence = model.open(tokens);
  EXPECT_TRUE(sequence.ok());
  EXPECT_TRUE(model.next_log_probs(std::span(&*sequence, 1), row).ok());
  model.release(*sequence);
  return row;
}

double sum_of(const std::vector<float>& row) {
  double sum = 0;
  for (const float value : row) sum += std::exp(static_cast<double>(value));
  return sum;
}

TEST(NgramModel, RowsAreThoseOfTheDefinition) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 40; ++round) {
    const int order = 1 + round % 5;
    const auto corpus = random_corpus(random, 1 + round * 2);
    const NgramTrainer trainer(corpus, kEos, kUsable, order);
    const auto model = open_bytes(encode_ngram_file(letters(), trainer.full()));
    ASSERT_NE(model, nullptr);
    const SlowKneserNey slow(corpus, order);
    for (const Tokens& sequence : random_corpus(random, 30)) {
      const std::vector<float> row = row_after(*model, sequence);
      for (TokenId token = 0; token <= kEos; ++token) {
        ASSERT_NEAR(std::exp(row[token]), slow.after(sequence, token), 5e-6)
            << "round " << round << ", token " << token;
      }
      for (size_t id = kEos + 1; id < row.size(); ++id) ASSERT_EQ(row[id], -INFINITY);
      ASSERT_NEAR(sum_of(row), 1, 1e-6);
    }
  }
}

TEST(NgramModel, PrunedRowsAreNormalizedAndPositive) {
  std::mt19937_64 random(test_seed());
  const auto corpus = random_corpus(random, 200);
  const NgramTrainer trainer(corpus, kEos, kUsable, 4);
  const size_t most = trainer.full().entry_token.size();
  size_t previous = most + 1;
  for (const double threshold : {-1e9, 0.0, 0.5, 2.0, 10.0, 1e9}) {
    const NgramTrie trie = trainer.pruned(threshold);
    EXPECT_LE(trie.entry_token.size(), previous);
    previous = trie.entry_token.size();
    const auto model = open_bytes(encode_ngram_file(letters(), trie));
    ASSERT_NE(model, nullptr);
    for (const Tokens& sequence : random_corpus(random, 50)) {
      const std::vector<float> row = row_after(*model, sequence);
      EXPECT_NEAR(sum_of(row), 1, 1e-6);
      for (TokenId token = 0; token <= kEos; ++token) EXPECT_TRUE(std::isfinite(row[token]));
    }
  }
  EXPECT_EQ(previous, trainer.full().entry_tokens(0).size());
}

TEST(NgramModel, PrunesToASize) {
  std::mt19937_64 random(test_seed());
  const NgramTrainer trainer(random_corpus(random, 300), kEos, kUsable, 5);
  const size_t full = encode_ngram_file(letters(), trainer.full()).size();
  for (size_t bytes = full + 1; bytes > full / 5; bytes -= full / 7) {
    const NgramTrie trie = trainer.pruned_to(letters(), bytes);
    EXPECT_LE(encode_ngram_file(letters(), trie).size(), bytes);
    EXPECT_GT(encode_ngram_file(letters(), trie).size(), bytes * 9 / 10 - 40);
  }
}

TEST(NgramModel, ALikelierModelOfItsOwnCorpusThanOfNoise) {
  std::vector<Tokens> corpus(50, Tokens{0, 1, 2, 3});
  corpus.push_back({3, 2});
  const NgramTrainer trainer(corpus, kEos, kUsable, 4);
  const auto model = open_bytes(encode_ngram_file(letters(), trainer.full()));
  ASSERT_NE(model, nullptr);
  EXPECT_GT(row_after(*model, {})[0], std::log(0.8));
  EXPECT_GT(row_after(*model, {0, 1})[2], std::log(0.8));
  EXPECT_GT(row_after(*model, {0, 1, 2, 3})[kEos], std::log(0.8));
}

TEST(NgramFile, EncodingAndDecodingAreInverse) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 20; ++round) {
    const NgramTrainer trainer(random_corpus(random, 1 + round * 10), kEos, kUsable, 1 + round % 6);
    const std::string bytes = encode_ngram_file(letters(), trainer.pruned(round % 3 - 0.5));
    const auto file = decode_ngram_file(bytes, "test");
    ASSERT_TRUE(file.ok()) << file.status().to_string();
    EXPECT_EQ(file->vocabulary.tokens, letters().tokens);
    EXPECT_EQ(file->vocabulary.special, letters().special);
    EXPECT_EQ(file->vocabulary.padded_width, letters().padded_width);
    EXPECT_EQ(encode_ngram_file(file->vocabulary, file->trie), bytes);
  }
}

std::string small_file() {
  std::mt19937_64 random(7);
  const NgramTrainer trainer(random_corpus(random, 60), kEos, kUsable, 4);
  return encode_ngram_file(letters(), trainer.pruned(0.3));
}

TEST(NgramFile, EveryTruncationIsNamed) {
  const std::string bytes = small_file();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto file = decode_ngram_file(std::string_view(bytes).substr(0, length), "some/file");
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.status().code(), StatusCode::kParseError);
    EXPECT_EQ(file.status().place(), "some/file:" + std::to_string(length == 0 ? 0 : length))
        << length;
  }
  EXPECT_FALSE(decode_ngram_file(bytes + "x", "some/file").ok());
}

TEST(NgramFile, OtherVersionsAreRefusedByName) {
  std::string bytes = small_file();
  bytes[8] = 2;
  const auto file = decode_ngram_file(bytes, "f");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(file.status().place(), "f:8");
}

TEST(NgramFile, EveryFlippedByteIsNoticed) {
  const std::string bytes = small_file();
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (at >= 12 && at < 16) continue;  // reserved
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    EXPECT_FALSE(decode_ngram_file(damaged, "f").ok()) << at;
  }
}

void set_fixed(uint64_t value, size_t at, std::string* bytes) {
  for (size_t i = 0; i < 8; ++i) (*bytes)[at + i] = static_cast<char>(value >> (8 * i));
}

/// Damage behind a right length and checksum: the decoder fails, or what it yields is a model.
TEST(NgramFile, ForgedFilesFailOrMakeAModel) {
  std::mt19937_64 random(test_seed());
  const std::string bytes = small_file();
  size_t opened = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string forged = bytes;
    const int edits = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < edits; ++i) {
      const size_t at = 32 + random() % (forged.size() - 32);
      switch (random() % 3) {
        case 0:
          forged[at] = static_cast<char>(random());
          break;
        case 1:
          forged.erase(at, 1 + random() % 3);
          break;
        default:
          forged.insert(at, 1, static_cast<char>(random()));
          break;
      }
      if (forged.size() < 40) break;
    }
    set_fixed(forged.size(), 16, &forged);
    set_fixed(ngram_file_checksum(forged), 24, &forged);
    const auto model = NgramModel::from_bytes(forged, "f");
    if (!model.ok()) {
      ASSERT_FALSE(model.status().message().empty());
      continue;
    }
    ++opened;
    std::vector<float> row((*model)->width());
    for (const Tokens& sequence : {Tokens{}, Tokens{0, 1}, Tokens{1, 0, 0}}) {
      const auto handle = (*model)->open(sequence);
      if (!handle.ok()) continue;
      ASSERT_TRUE((*model)->next_log_probs(std::span(&*handle, 1), row).ok());
      ASSERT_NEAR(sum_of(row), 1, 1e-5);
    }
  }
  EXPECT_GT(opened, 0u);
}

TEST(BuiltinModel, RowsAreNormalizedForRandomContexts) {
  const auto path = builtin_model_path();
  if (!path.ok()) GTEST_SKIP() << path.status().to_string();
  auto opened = open_model("builtin");
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  LanguageModel& model = **opened;
  EXPECT_EQ(model.name(), "builtin");
  const Vocabulary& vocabulary = *model.vocabulary();
  EXPECT_TRUE(vocabulary.has_all_bytes());
  std::mt19937_64 random(test_seed());
  std::uniform_int_distribution<TokenId> any(0, static_cast<TokenId>(vocabulary.size()) - 1);
  std::vector<float> row(model.width());
  for (int round = 0; round < 200; ++round) {
    // Mostly the likeliest token, so that long contexts are met; now and then any token.
    const auto sequence = model.open({});
    ASSERT_TRUE(sequence.ok());
    for (int step = 0; step < 8; ++step) {
      ASSERT_TRUE(model.next_log_probs(std::span(&*sequence, 1), row).ok());
      ASSERT_NEAR(sum_of(row), 1, 1e-6);
      for (size_t id = 0; id < vocabulary.size(); ++id) {
        const bool possible = !vocabulary.is_special(id) || vocabulary.is_eos(id);
        ASSERT_EQ(std::isfinite(row[id]), possible) << id;
      }
      const auto best =
          static_cast<TokenId>(std::max_element(row.begin(), row.end()) - row.begin());
      const TokenId next = random() % 4 == 0 ? any(random) : best;
      ASSERT_TRUE(model.extend(*sequence, std::span(&next, 1)).ok());
    }
    model.release(*sequence);
  }
}

TEST(BuiltinModel, WritesJsonOfItsOwnAccord) {
  if (!builtin_model_path().ok()) GTEST_SKIP() << builtin_model_path().status().to_string();
  auto opened = open_model("");
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  LanguageModel& model = **opened;
  const auto first_byte_mass = [&](std::string_view text, char wanted) {
    const auto ids = model.vocabulary()->encode(text);
    EXPECT_TRUE(ids.ok());
    const std::vector<float> row = row_after(model, *ids);
    double mass = 0;
    for (size_t id = 0; id < model.vocabulary()->size(); ++id) {
      if (model.vocabulary()->bytes(id).starts_with(wanted)) mass += std::exp(row[id]);
    }
    return mass;
  };
  EXPECT_GT(first_byte_mass("", '{'), 0.5);
  EXPECT_GT(first_byte_mass("{\"name", '"'), 0.5);
  EXPECT_GT(first_byte_mass("{\"name\":", ' '), 0.9);
}

}  // namespace
}  // namespace espalier
