// Masks against the obvious check of every token, on a small language that uses every path of the
// mask builder (bulk leaves whose exits are decided by suffix and not, exitable and final leaves,
// structure), over random vocabularies.

#include <gtest/gtest.h>

#include <thread>

#include "engine/masks/mask_memo.h"
#include "engine/rows/mask_leaf_rows.h"
#include "engine/tokens/segmentation.h"
#include "engine/tokens/token_trie.h"
#include "engine_support.h"
#include "toy_recognizer.h"

namespace espalier::testing {
namespace {

class MaskOracle : public ::testing::Test {
 protected:
  void TearDown() override {
    LeafRowCache::process().set_budget(LeafRowCache::kDefaultBudget);
    MaskMemo::set_budget(MaskMemo::kDefaultBudget);
  }

  static std::shared_ptr<const Grammar> toy() {
    return Grammar::from_recognizer(std::make_shared<ToyRecognizer>());
  }

  /// A random walk of at most `steps` tokens, into lists for a start and past the first place to
  /// end; `visit(matcher, mask)` at every state.
  template <typename Visit>
  static void random_walk(Matcher& matcher, std::mt19937_64& random, int steps, Visit&& visit) {
    for (int i = 0; i < steps; ++i) {
      const MaskRow mask = mask_of(matcher);
      visit(matcher, mask);
      if (::testing::Test::HasFatalFailure()) return;
      std::vector<TokenId> allowed = tokens_of(mask);
      if (allowed.empty()) return;
      const Vocabulary& vocabulary = matcher.vocabulary();
      const uint32_t list = vocabulary.trie().child(0, '[');
      if (i < 2 && list != 0 && vocabulary.trie().node(list).token >= 0) {
        const TokenId token = vocabulary.trie().node(list).token;
        if (has_bit(mask, token) && random() % 4 != 0) allowed = {token};
      }
      if (allowed.size() > 2 && random() % 8 != 0) {
        std::erase_if(allowed, [&](TokenId token) { return vocabulary.is_eos(token); });
      }
      ASSERT_TRUE(matcher.accept(allowed[random() % allowed.size()]).ok());
    }
  }

  static State replay(Recognizer& recognizer, const std::string& text) {
    State s = recognizer.start();
    for (const char c : text) s = recognizer.step(s, static_cast<uint8_t>(c));
    return s;
  }
};

TEST_F(MaskOracle, EveryMaskEqualsTheCheckOfEveryToken) {
  std::mt19937_64 random(test_seed());
  size_t states = 0;
  for (int round = 0; round < 30; ++round) {
    const auto vocabulary = random_vocabulary(random, toy_pieces(), 50 + random() % 1500, true);
    ASSERT_TRUE(vocabulary);
    const auto grammar = toy();
    for (int walk = 0; walk < 5; ++walk) {
      Matcher matcher(grammar, vocabulary, {.use_caches = walk != 0});
      random_walk(matcher, random, 30, [&](Matcher& m, const MaskRow& mask) {
        if (m.is_terminated()) {
          ASSERT_TRUE(tokens_of(mask).empty());
          return;
        }
        ++states;
        const MaskRow expected = slow_mask(*grammar->recognizer(),
                                           replay(*grammar->recognizer(), m.text()), *vocabulary);
        ASSERT_EQ(mask, expected) << "after " << m.text() << "\n"
                                  << difference(mask, expected, *vocabulary);
      });
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  EXPECT_GE(states, 200u);
}

TEST_F(MaskOracle, MaskIsAllowedAndAcceptAgree) {
  std::mt19937_64 random(test_seed() + 1);
  for (const bool all_bytes : {true, false}) {
    const auto vocabulary = random_vocabulary(random, toy_pieces(), 300, all_bytes);
    for (int walk = 0; walk < 6; ++walk) {
      Matcher matcher(toy(), vocabulary);
      random_walk(matcher, random, 12, [&](Matcher& m, const MaskRow& mask) {
        for (TokenId token = 0; token < static_cast<TokenId>(vocabulary->width()); ++token) {
          const bool allowed = has_bit(mask, token);
          ASSERT_EQ(m.is_allowed(token), allowed) << token << " after " << m.text();
          ASSERT_EQ(m.validate(std::span(&token, 1)), allowed ? 1u : 0u);
          ASSERT_EQ(m.explain(token).sentence.empty(), allowed);
          Matcher copy = m.clone();
          ASSERT_EQ(copy.accept(token).ok(), allowed);
          ASSERT_EQ(copy.num_accepted(), m.num_accepted() + (allowed ? 1 : 0));
        }
      });
    }
  }
}

TEST_F(MaskOracle, RollbackRestoresMasksAndClonesAreIndependent) {
  std::mt19937_64 random(test_seed() + 2);
  const auto vocabulary = random_vocabulary(random, toy_pieces(), 600, true);
  const auto grammar = toy();
  for (int walk = 0; walk < 20; ++walk) {
    Matcher matcher(grammar, vocabulary);
    std::vector<MaskRow> masks;
    std::vector<std::string> texts;
    random_walk(matcher, random, 20, [&](Matcher& m, const MaskRow& mask) {
      masks.push_back(mask);
      texts.push_back(m.text());
    });
    Matcher other = matcher.clone();
    while (matcher.num_accepted() > 0) {
      const size_t n = 1 + random() % matcher.num_accepted();
      const MaskRow before = mask_of(other);
      ASSERT_TRUE(matcher.rollback(n).ok());
      ASSERT_EQ(mask_of(matcher), masks[matcher.num_accepted()]);
      ASSERT_EQ(matcher.text(), texts[matcher.num_accepted()]);
      ASSERT_EQ(mask_of(other), before);
    }
    other.reset();
    ASSERT_EQ(mask_of(other), masks[0]);
  }
}

TEST_F(MaskOracle, CachesOnOffEvictedAndDisabledAgree) {
  std::mt19937_64 random(test_seed() + 3);
  const auto vocabulary = random_vocabulary(random, toy_pieces(), 800, true);
  const auto grammar = toy();
  for (const size_t budget : {size_t{0}, size_t{2000}, size_t{20'000}, size_t{1} << 20}) {
    LeafRowCache::process().set_budget(budget);
    MaskMemo::set_budget(budget);
    for (int walk = 0; walk < 5; ++walk) {
      Matcher cached(grammar, vocabulary);
      Matcher plain(grammar, vocabulary, {.use_caches = false});
      random_walk(cached, random, 20, [&](Matcher& m, const MaskRow& mask) {
        plain.reset();
        ASSERT_TRUE(plain.accept_bytes(m.text()).ok());
        if (m.is_terminated()) return;
        const MaskRow expected = mask_of(plain);
        ASSERT_EQ(mask, expected) << difference(mask, expected, *vocabulary);
        ASSERT_EQ(mask_of(m), expected);
      });
    }
    EXPECT_LE(LeafRowCache::process().memory_bytes(), budget);
  }
}

TEST_F(MaskOracle, ThreadsOnOneGrammarAgree) {
  const uint64_t seed = test_seed() + 4;
  std::mt19937_64 random(seed);
  const auto vocabulary = random_vocabulary(random, toy_pieces(), 500, true);
  const auto shared = toy();
  LeafRowCache::process().set_budget(50'000);
  MaskMemo::set_budget(100'000);

  const auto trace = [&](const std::shared_ptr<const Grammar>& grammar, uint64_t walk_seed) {
    std::mt19937_64 local(walk_seed);
    std::vector<MaskRow> masks;
    for (int walk = 0; walk < 10; ++walk) {
      Matcher matcher(grammar, vocabulary);
      for (int i = 0; i < 20; ++i) {
        MaskRow row(vocabulary->row_words());
        if (!matcher.fill_mask(row).ok()) return masks;
        masks.push_back(row);
        const std::vector<TokenId> allowed = tokens_of(row);
        if (allowed.empty() || !matcher.accept(allowed[local() % allowed.size()]).ok()) break;
      }
    }
    return masks;
  };
  constexpr size_t kThreads = 4;
  std::vector<std::vector<MaskRow>> traces(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { traces[i] = trace(shared, seed + i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < kThreads; ++i) EXPECT_EQ(traces[i], trace(toy(), seed + i));
}

/// Can tokens complete the state? By brute force: every state within `depth` tokens.
bool slow_token_live(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                     std::map<std::vector<uint32_t>, bool>& live, int depth) {
  if (state.dead()) return false;
  if (recognizer.accepting(state)) return true;
  if (depth == 0) return false;
  const std::vector<uint32_t> key{state.frame, state.leaf, state.state, state.text,
                                  static_cast<uint32_t>(depth)};
  if (const auto it = live.find(key); it != live.end()) return it->second;
  bool answer = false;
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()) && !answer; ++token) {
    if (vocabulary.is_special(token)) continue;
    State s = state;
    for (const char c : vocabulary.bytes(token)) s = recognizer.step(s, static_cast<uint8_t>(c));
    answer = slow_token_live(recognizer, vocabulary, s, live, depth - 1);
  }
  return live[key] = answer;
}

std::shared_ptr<const Vocabulary> vocabulary_of(std::vector<std::string> tokens) {
  const auto eos = static_cast<TokenId>(tokens.size());
  tokens.emplace_back("<eos>");
  auto made = Vocabulary::from_tokens(std::move(tokens), {eos});
  EXPECT_TRUE(made.ok());
  return *made;
}

TEST_F(MaskOracle, TokensAfterWhichNothingCompletesAreDropped) {
  // `]` occurs only in `"]` and there is no comma, so one list can be closed, by its only string,
  // and a list in a list cannot.
  const auto vocabulary = vocabulary_of({"[", "\"]", "1", ";", "\""});
  const auto grammar = Grammar::from_recognizer(std::make_shared<ToyRecognizer>(2));
  Matcher matcher(grammar, vocabulary);
  EXPECT_EQ(tokens_of(mask_of(matcher)), (std::vector<TokenId>{0, 1, 2, 4}));
  ASSERT_TRUE(matcher.accept(0).ok());
  EXPECT_EQ(tokens_of(mask_of(matcher)), (std::vector<TokenId>{1, 4}));
  for (const TokenId token : {0, 2}) {
    EXPECT_FALSE(matcher.is_allowed(token));
    EXPECT_EQ(matcher.accept(token).code(), StatusCode::kRejected);
    EXPECT_EQ(matcher.explain(token).keyword, "vocabulary");
  }
  EXPECT_EQ(*matcher.tokens_to_complete(), 2u);
  EXPECT_EQ(*matcher.tokens_to_complete(4), 1u);
  EXPECT_EQ(matcher.tokens_to_complete(2).status().code(), StatusCode::kRejected);
  EXPECT_TRUE(matcher.completes_within(4, 1));
  EXPECT_FALSE(matcher.completes_within(4, 0));
  ASSERT_TRUE(matcher.accept(4).ok());
  EXPECT_EQ(tokens_of(mask_of(matcher)), std::vector<TokenId>{1});
  EXPECT_EQ(*matcher.completion(), std::vector<TokenId>{1});
}

TEST_F(MaskOracle, NoCompletionAtAllIsAnEmptyMask) {
  const auto vocabulary = vocabulary_of({"[", ",", "\"", "\"a", "x"});
  Matcher matcher(Grammar::from_recognizer(std::make_shared<ToyRecognizer>(2)), vocabulary);
  ASSERT_TRUE(matcher.accept_bytes("[").ok());
  EXPECT_TRUE(tokens_of(mask_of(matcher)).empty());
  EXPECT_TRUE(matcher.is_stuck());
  EXPECT_EQ(matcher.tokens_to_complete().status().code(), StatusCode::kRejected);
}

TEST_F(MaskOracle, TokenCoreachabilityEqualsBruteForce) {
  std::mt19937_64 random(test_seed() + 5);
  const std::vector<std::string> pieces = {"[",  "]",  ",",  "\"",  "a",   "1",     "\"]", "]]",
                                           "1]", ",1", "[[", "a\"", "x\"", "\",\"", "12]", "z"};
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> tokens;
    for (size_t count = 3 + random() % 4; tokens.size() < count;) {
      tokens.push_back(pieces[random() % pieces.size()]);
    }
    const auto vocabulary = vocabulary_of(tokens);
    const auto grammar = Grammar::from_recognizer(std::make_shared<ToyRecognizer>(2));
    const std::shared_ptr<Recognizer> owner = grammar->recognizer();
    Recognizer& recognizer = *owner;
    Matcher matcher(grammar, vocabulary);
    std::map<std::vector<uint32_t>, bool> live;
    for (int i = 0; i < 8; ++i) {
      MaskRow expected = slow_mask(recognizer, replay(recognizer, matcher.text()), *vocabulary);
      for (const TokenId token : tokens_of(expected)) {
        if (vocabulary->is_special(token)) continue;
        const State s = replay(recognizer, matcher.text() + std::string(vocabulary->bytes(token)));
        if (!slow_token_live(recognizer, *vocabulary, s, live, 9)) {
          expected[static_cast<size_t>(token) / 32] &= ~static_cast<int32_t>(1u << (token % 32));
        }
      }
      const MaskRow mask = mask_of(matcher);
      ASSERT_EQ(mask, expected) << "after " << matcher.text() << "\n"
                                << difference(mask, expected, *vocabulary);
      Matcher uncached(grammar, vocabulary, {.use_caches = false});
      ASSERT_TRUE(uncached.accept_bytes(matcher.text()).ok());
      ASSERT_EQ(mask_of(uncached), expected);
      std::vector<TokenId> allowed = tokens_of(mask);
      std::erase_if(allowed, [&](TokenId token) { return vocabulary->is_special(token); });
      if (allowed.empty()) break;
      ASSERT_TRUE(matcher.accept(allowed[random() % allowed.size()]).ok());
    }
  }
}

TEST_F(MaskOracle, FewestTokensEqualBruteForce) {
  std::mt19937_64 random(test_seed() + 6);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> tokens;
    for (int i = 0; i < 8; ++i) {
      std::string token;
      for (uint64_t n = 1 + random() % 3; n > 0; --n) token += "ab"[random() % 2];
      tokens.push_back(token);
    }
    const auto vocabulary = vocabulary_of(tokens);
    std::string text;
    for (uint64_t n = random() % 9; n > 0; --n) text += "ab"[random() % 2];
    std::set<std::string> layer{""};
    size_t fewest = 0;
    while (!layer.empty() && layer.count(text) == 0) {
      std::set<std::string> next;
      for (const std::string& prefix : layer) {
        for (const std::string& token : tokens) {
          if (text.compare(0, prefix.size() + token.size(), prefix + token) == 0) {
            next.insert(prefix + token);
          }
        }
      }
      layer = std::move(next);
      ++fewest;
    }
    const auto found = shortest_segmentation(vocabulary->trie(), text);
    ASSERT_EQ(found.has_value(), !layer.empty()) << text;
    if (!found) continue;
    EXPECT_EQ(found->size(), fewest);
    EXPECT_EQ(vocabulary->decode(*found), text);
  }
}

}  // namespace
}  // namespace espalier::testing
