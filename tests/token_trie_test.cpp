#include "engine/tokens/token_trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier {
namespace {

uint64_t test_seed() {
  const char* text = std::getenv("ESPALIER_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

using Entries = std::vector<std::pair<std::string, int32_t>>;

TokenTrie make_trie(const Entries& entries) {
  std::vector<std::pair<std::string_view, int32_t>> views(entries.begin(), entries.end());
  return TokenTrie(std::move(views));
}

// Walks the whole trie and returns every spelling with its chain of tokens.
std::map<std::string, std::vector<int32_t>> contents(const TokenTrie& trie) {
  std::map<std::string, std::vector<int32_t>> found;
  std::vector<std::pair<uint32_t, std::string>> pending{{0, ""}};
  size_t visited = 0;
  while (!pending.empty()) {
    const auto [node, prefix] = pending.back();
    pending.pop_back();
    ++visited;
    const TokenTrie::Node& n = trie.node(node);
    for (int32_t token = n.token; token >= 0; token = trie.next_same(token)) {
      found[prefix].push_back(token);
    }
    int previous = -1;
    for (uint32_t i = 0; i < n.num_children; ++i) {
      const TokenTrie::Node& child = trie.node(n.first_child + i);
      EXPECT_LT(previous, child.byte);
      previous = child.byte;
      pending.emplace_back(n.first_child + i, prefix + static_cast<char>(child.byte));
    }
  }
  EXPECT_EQ(visited, trie.size());
  return found;
}

void expect_like_map(const Entries& entries, std::mt19937_64& random) {
  const TokenTrie trie = make_trie(entries);
  std::map<std::string, std::vector<int32_t>> expected;
  std::set<std::string> prefixes{""};
  for (const auto& [spelling, token] : entries) {
    if (spelling.empty()) continue;
    expected[spelling].push_back(token);
    for (size_t n = 1; n <= spelling.size(); ++n) prefixes.insert(spelling.substr(0, n));
  }
  for (auto& [spelling, tokens] : expected) std::sort(tokens.begin(), tokens.end());
  EXPECT_EQ(contents(trie), expected);
  EXPECT_EQ(trie.size(), prefixes.size());

  for (int probe = 0; probe < 200; ++probe) {
    std::string text;
    if (!entries.empty() && random() % 2 == 0) text = entries[random() % entries.size()].first;
    text += static_cast<char>(random());
    uint32_t node = 0;
    std::string prefix;
    for (const char c : text) {
      prefix += c;
      node = trie.child(node, static_cast<uint8_t>(c));
      EXPECT_EQ(node != 0, prefixes.count(prefix) == 1);
      if (node == 0) break;
    }
  }
}

TEST(TokenTrie, IsEmptyWithoutEntries) {
  const TokenTrie trie = make_trie({});
  ASSERT_EQ(trie.size(), 1u);
  EXPECT_EQ(trie.child(0, 'a'), 0u);
  EXPECT_EQ(trie.node(0).token, -1);
  EXPECT_TRUE(trie.duplicates().empty());
}

TEST(TokenTrie, KeepsSiblingsTogether) {
  const TokenTrie trie = make_trie({{"b", 3}, {"ac", 2}, {"a", 0}, {"ab", 1}});
  ASSERT_EQ(trie.size(), 5u);
  const uint32_t a = trie.child(0, 'a');
  EXPECT_EQ(trie.node(a).token, 0);
  EXPECT_EQ(trie.node(a).num_children, 2);
  EXPECT_EQ(trie.child(a, 'b') + 1, trie.child(a, 'c'));
  EXPECT_EQ(trie.node(trie.child(0, 'b')).token, 3);
}

TEST(TokenTrie, ChainsEqualSpellings) {
  const TokenTrie trie = make_trie({{"x", 9}, {"x", 4}, {"y", 5}, {"x", 7}, {"", 1}});
  const uint32_t x = trie.child(0, 'x');
  EXPECT_EQ(trie.node(x).token, 4);
  EXPECT_EQ(trie.next_same(4), 7);
  EXPECT_EQ(trie.next_same(7), 9);
  EXPECT_EQ(trie.next_same(9), -1);
  EXPECT_EQ(trie.next_same(5), -1);
  EXPECT_EQ(trie.duplicates().size(), 2u);
}

TEST(TokenTrie, TellsZeroBytesFromTheEnd) {
  const std::string zero(1, '\0');
  std::mt19937_64 random(1);
  expect_like_map({{"a", 0}, {"a" + zero, 1}, {"a" + zero + zero, 2}, {zero, 3}}, random);
}

TEST(TokenTrie, FindsEachOfAllBytes) {
  Entries entries;
  for (int byte = 0; byte < 256; ++byte) entries.emplace_back(std::string(1, char(byte)), byte);
  const TokenTrie trie = make_trie(entries);
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(trie.node(trie.child(0, static_cast<uint8_t>(byte))).token, byte);
  }
}

TEST(TokenTrie, AgreesWithAMap) {
  const uint64_t seed = test_seed();
  SCOPED_TRACE("ESPALIER_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const unsigned alphabet = 1u << (random() % 9);
    Entries entries(random() % 300);
    for (size_t i = 0; i < entries.size(); ++i) {
      std::string spelling(random() % 13, '\0');
      for (char& c : spelling) c = static_cast<char>(random() % alphabet);
      entries[i] = {spelling, static_cast<int32_t>(i)};
    }
    std::shuffle(entries.begin(), entries.end(), random);
    expect_like_map(entries, random);
  }
}

}  // namespace
}  // namespace espalier
