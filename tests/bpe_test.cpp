// The merge loop and the models on top of it against slow, obvious versions.
#include "engine/tokenizers/bpe.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/tokenizers/sentencepiece.h"

namespace espalier {
namespace {

using Ids = std::vector<TokenId>;

uint64_t test_seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

std::string random_text(std::mt19937_64& random, size_t length, unsigned alphabet) {
  std::string text(length, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % alphabet);
  return text;
}

// A set of spellings laid out as the tables want them: 256 bytes, then longer ones.
struct Spellings {
  std::string blob;
  std::vector<uint32_t> offsets{0};
  std::map<std::string, TokenId> ids;

  TokenId add(const std::string& spelling) {
    const auto [found, is_new] = ids.emplace(spelling, static_cast<TokenId>(ids.size()));
    if (is_new) {
      blob += spelling;
      offsets.push_back(static_cast<uint32_t>(blob.size()));
    }
    return found->second;
  }
  PieceTable table() const {
    return PieceTable(blob, offsets, std::vector<bool>(offsets.size() - 1));
  }
};

Spellings with_bytes() {
  Spellings spellings;
  for (int byte = 0; byte < 256; ++byte) spellings.add(std::string(1, static_cast<char>(byte)));
  return spellings;
}

// Rescans everything after each merge. `priority` tells how early two neighbours merge (-1: never).
template <typename Priority>
std::vector<std::string> slow_merge(const std::string& text, const Priority& priority) {
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  while (true) {
    size_t best = parts.size();
    int best_priority = -1;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const int p = priority(parts[i], parts[i + 1]);
      if (p >= 0 && (best_priority < 0 || p < best_priority)) {
        best = i;
        best_priority = p;
      }
    }
    if (best == parts.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, RankedAgreesWithRescanning) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    Spellings spellings = with_bytes();
    const unsigned alphabet = 2 + random() % 3;
    for (int i = 0; i < 40; ++i) spellings.add(random_text(random, 2 + random() % 5, alphabet));
    const RankedBpe bpe(spellings.table());
    for (const size_t length : {1u, 5u, 40u, 96u, 97u, 300u}) {
      const std::string text = random_text(random, length, alphabet);
      Ids expected;
      if (const auto whole = spellings.ids.find(text); whole != spellings.ids.end()) {
        expected.push_back(whole->second);
      } else {
        const auto priority = [&](const std::string& left, const std::string& right) {
          const auto found = spellings.ids.find(left + right);
          return found != spellings.ids.end() ? found->second : -1;
        };
        for (const auto& part : slow_merge(text, priority)) expected.push_back(spellings.ids[part]);
      }
      Ids ids;
      ASSERT_TRUE(bpe.encode(text, ids).ok());
      ASSERT_EQ(ids, expected) << text;
    }
  }
}

TEST(Bpe, MergedAgreesWithRescanning) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    Spellings spellings = with_bytes();
    const unsigned alphabet = 2 + random() % 3;
    std::vector<std::string> known;
    for (unsigned i = 0; i < alphabet; ++i) known.emplace_back(1, static_cast<char>('a' + i));
    std::map<std::pair<std::string, std::string>, int> ranks;
    MergeTable merges;
    for (int rank = 0; rank < 40; ++rank) {
      const std::string left = known[random() % known.size()];
      const std::string right = known[random() % known.size()];
      const TokenId merged = spellings.add(left + right);
      merges.add(spellings.ids[left], spellings.ids[right], static_cast<uint32_t>(rank), merged);
      ranks.emplace(std::make_pair(left, right), rank);
      known.push_back(left + right);
    }
    const auto priority = [&](const std::string& left, const std::string& right) {
      const auto found = ranks.find({left, right});
      return found != ranks.end() ? found->second : -1;
    };
    const MergedBpe bpe(spellings.table(), merges, false);
    for (const size_t length : {1u, 5u, 40u, 96u, 97u, 300u}) {
      const std::string text = random_text(random, length, alphabet);
      Ids expected;
      for (const auto& part : slow_merge(text, priority)) expected.push_back(spellings.ids[part]);
      Ids ids;
      ASSERT_TRUE(bpe.encode(text, ids).ok());
      ASSERT_EQ(ids, expected) << text;
    }
  }
}

TEST(Bpe, WholePiecesNeedNoMerges) {
  Spellings spellings = with_bytes();
  const TokenId word = spellings.add("word");
  Ids merged;
  ASSERT_TRUE(MergedBpe(spellings.table(), MergeTable(), false).encode("word", merged).ok());
  EXPECT_EQ(merged, (Ids{'w', 'o', 'r', 'd'}));
  Ids whole;
  ASSERT_TRUE(MergedBpe(spellings.table(), MergeTable(), true).encode("word", whole).ok());
  EXPECT_EQ(whole, Ids{word});
}

TEST(Bpe, ReportsAByteWithoutToken) {
  Spellings spellings;
  spellings.add("a");
  Ids ids;
  const Status status = RankedBpe(spellings.table()).encode("ab", ids);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("0x62"), std::string::npos);
}

TEST(Bpe, DecodesPrintableBytes) {
  EXPECT_EQ(decode_byte_level("\u0120hi"), " hi");
  EXPECT_EQ(decode_byte_level("\u010a"), "\n");
  EXPECT_EQ(decode_byte_level("\u0143"), "\xAD");
  EXPECT_EQ(decode_byte_level("\u00ff\u0100"), std::string("\xFF\0", 2));
  EXPECT_EQ(decode_byte_level("\u0144"), std::nullopt);
  EXPECT_EQ(decode_byte_level("a b"), std::nullopt);
}

// Best segmentation by trying all of them, shortest prefix first.
double slow_best(const std::map<std::string, double>& scores, const std::string& text, size_t at,
                 std::map<size_t, double>& memo) {
  if (at == text.size()) return 0;
  if (const auto known = memo.find(at); known != memo.end()) return known->second;
  double best = -1e9;
  for (size_t n = 1; at + n <= text.size(); ++n) {
    const auto piece = scores.find(text.substr(at, n));
    if (piece == scores.end()) continue;
    best = std::max(best, piece->second + slow_best(scores, text, at + n, memo));
  }
  return memo[at] = best;
}

TEST(SentencePiece, UnigramTakesTheBestPath) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    std::map<std::string, double> scores;
    for (const char* letter : {"a", "b", "c"}) scores[letter] = -double(random() % 1000) / 64;
    for (int i = 0; i < 20; ++i) {
      scores[random_text(random, 2 + random() % 4, 3)] = -double(random() % 1000) / 64;
    }
    auto pieces = std::make_unique<SentencePieces>();
    std::vector<std::string> spelled;
    for (const auto& [piece, score] : scores) {
      pieces->add(piece, static_cast<float>(score), true);
      spelled.push_back(piece);
    }
    pieces->seal();
    const SentencePieceUnigram unigram(std::move(pieces));
    const std::string text = random_text(random, 60, 3);
    Ids ids;
    ASSERT_TRUE(unigram.encode(text, ids).ok());
    std::string joined;
    double total = 0;
    for (const TokenId id : ids) {
      joined += spelled[static_cast<size_t>(id)];
      total += scores[spelled[static_cast<size_t>(id)]];
    }
    EXPECT_EQ(joined, text);
    std::map<size_t, double> memo;
    EXPECT_NEAR(total, slow_best(scores, text, 0, memo), 1e-6);
  }
}

TEST(SentencePiece, ReadsByteTokens) {
  EXPECT_EQ(byte_fallback_value("<0x0A>"), 10);
  EXPECT_EQ(byte_fallback_value("<0xff>"), 255);
  EXPECT_EQ(byte_fallback_value("<0xG0>"), -1);
  EXPECT_EQ(byte_fallback_value("<0x0A"), -1);
  EXPECT_EQ(decode_sentencepiece("\u2581a\u2581"), " a ");
}

}  // namespace
}  // namespace espalier
