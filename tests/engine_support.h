#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "espalier/matcher.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"
#include "tests/test_seed.h"

namespace espalier::testing {

using MaskRow = std::vector<int32_t>;

inline bool has_bit(const MaskRow& row, TokenId token) {
  return (static_cast<uint32_t>(row[static_cast<size_t>(token) / 32]) >> (token % 32)) & 1;
}

inline std::vector<TokenId> tokens_of(const MaskRow& row) {
  std::vector<TokenId> tokens;
  for (TokenId token = 0; token < static_cast<TokenId>(row.size() * 32); ++token) {
    if (has_bit(row, token)) tokens.push_back(token);
  }
  return tokens;
}

/// The mask, in a row with spare words and stale bits in it.
inline MaskRow mask_of(Matcher& matcher) {
  MaskRow row(matcher.vocabulary().row_words() + 2, -1);
  const Status status = matcher.fill_mask(row);
  EXPECT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(row[row.size() - 1], 0);
  EXPECT_EQ(row[row.size() - 2], 0);
  row.resize(row.size() - 2);
  return row;
}

/// The obvious mask: every token is stepped from scratch, byte by byte.
inline MaskRow slow_mask(Recognizer& recognizer, State state, const Vocabulary& vocabulary) {
  MaskRow row(vocabulary.row_words(), 0);
  const auto set = [&](TokenId token) {
    row[static_cast<size_t>(token) / 32] |= static_cast<int32_t>(1u << (token % 32));
  };
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()); ++token) {
    if (vocabulary.is_special(token) || vocabulary.bytes(token).empty()) continue;
    State s = state;
    for (const char c : vocabulary.bytes(token)) {
      if (!s.dead()) s = recognizer.step(s, static_cast<uint8_t>(c));
    }
    if (!s.dead()) set(token);
  }
  if (recognizer.accepting(state)) {
    for (const TokenId eos : vocabulary.eos_ids()) set(eos);
  }
  return row;
}

/// A vocabulary of random concatenations of `pieces`, all 256 bytes when `all_bytes`, with repeated
/// spellings, special ids and padding, in random order.
inline std::shared_ptr<const Vocabulary> random_vocabulary(std::mt19937_64& random,
                                                           const std::vector<std::string>& pieces,
                                                           size_t count, bool all_bytes) {
  std::vector<std::string> tokens(pieces);
  if (all_bytes) {
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  }
  while (tokens.size() < count) {
    std::string token;
    for (uint64_t length = 1 + random() % 6; length > 0; --length) {
      token += pieces[random() % pieces.size()];
    }
    tokens.push_back(std::move(token));
  }
  std::shuffle(tokens.begin(), tokens.end(), random);
  const auto eos = static_cast<TokenId>(tokens.size());
  tokens.insert(tokens.end(), {"<eos>", "", "[special]", "<eot>"});
  const size_t width = tokens.size() + random() % 100;
  auto made = Vocabulary::from_tokens(std::move(tokens), {eos, eos + 3}, {eos + 2}, width);
  EXPECT_TRUE(made.ok()) << made.status().to_string();
  return made.ok() ? *made : nullptr;
}

/// The bytes of a token as a JSON-like string, for messages.
inline std::string shown(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c < 127) {
      text += c;
    } else {
      char buffer[8];
      snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned char>(c));
      text += buffer;
    }
  }
  return text;
}

/// "token 17 `],`: only in the first" for the first few differences.
inline std::string difference(const MaskRow& a, const MaskRow& b, const Vocabulary& vocabulary) {
  std::string text;
  int shown_count = 0;
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()); ++token) {
    if (has_bit(a, token) == has_bit(b, token) || ++shown_count > 8) continue;
    text += "token " + std::to_string(token) + " `" + shown(vocabulary.bytes(token)) +
            "` only in the " + (has_bit(a, token) ? "first\n" : "second\n");
  }
  return text + std::to_string(shown_count) + " differences\n";
}

}  // namespace espalier::testing
