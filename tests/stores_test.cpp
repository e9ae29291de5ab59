// The stores: whatever they may hold, and whenever they are replaced, masks stay what they are;
// what they hold is counted and bounded.
#include <gtest/gtest.h>

#include <iterator>
#include <vector>

#include "engine/grammars/grammar_store.h"
#include "engine/hash.h"
#include "engine/parted_map.h"
#include "espalier/memory.h"
#include "grammar/tables/step_memo.h"
#include "schema/formats/formats.h"
#include "shared_data.h"
#include "walker.h"

namespace espalier::testing {
namespace {

class Stores : public ::testing::Test {
 protected:
  ~Stores() override { set_store_budgets({}); }
};

TEST_F(Stores, BudgetsChangeNoMask) {
  const uint64_t seed = test_seed();
  const auto vocabulary = json_vocabulary();
  constexpr int kSteps = 120;
  for (const Profile profile : {Profile::kExact, Profile::kGeneration}) {
    std::vector<Seen> expected;
    for (const auto& grammar : compile_walked({.profile = profile})) {
      Walker walker(grammar, vocabulary, seed, {.use_caches = false});
      walker.run(kSteps);
      expected.push_back(walker.seen());
    }
    for (const size_t budget : {0u, 1'000u, 30'000u, 1'000'000'000u}) {
      SCOPED_TRACE(budget);
      set_store_budgets({budget, budget, budget, budget, budget});
      SchemaOptions options{.profile = profile};
      options.limits.max_store_bytes = budget;
      const auto grammars = compile_walked(options);
      ASSERT_EQ(grammars.size(), expected.size());
      for (int round = 0; round < 3; ++round) {
        for (size_t g = 0; g < grammars.size(); ++g) {
          Walker walker(grammars[g], vocabulary, seed);
          walker.run(kSteps);
          EXPECT_TRUE(walker.seen() == expected[g]) << kWalkedSchemas[g];
        }
      }
    }
  }
}

TEST_F(Stores, BudgetsAreKept) {
  const auto vocabulary = json_vocabulary();
  constexpr size_t kBudget = 40'000;
  set_store_budgets({kBudget, kBudget, kBudget, kBudget, kBudget});
  for (const auto& grammar : compile_walked({.profile = Profile::kExact})) {
    for (uint64_t seed = 0; seed < 5; ++seed) Walker(grammar, vocabulary, seed).run(100);
    const auto caches = grammar->store()->caches(*vocabulary);
    EXPECT_LE(caches->masks.memory_bytes(), 2 * kBudget);  // entries, and the rows they hold
  }
  const ProcessMemory memory = process_memory();
  EXPECT_LE(memory.leaf_rows, kBudget);
  EXPECT_LE(memory.subtree_rows, 2 * kBudget);  // looked at before a row is added
  set_store_budgets({.leaves = 0});
  EXPECT_LE(process_memory().leaves, memory.leaves);
}

TEST_F(Stores, AStoreOverBudgetIsRetired) {
  SchemaOptions options{.profile = Profile::kExact};
  options.limits.max_store_bytes = 100'000;
  const auto vocabulary = json_vocabulary();
  auto grammar = *Grammar::from_json_schema(R"({"type": "object"})", options);
  Matcher old(grammar, vocabulary);
  const auto first = grammar->store();
  // Free names are remembered as they are spelled.
  ASSERT_TRUE(old.accept_bytes("{").ok());
  size_t spelled = 0;
  while (grammar->store() == first) {
    ASSERT_LT(++spelled, 5'000u) << "the store is never retired";
    Matcher fresh(grammar, vocabulary);
    ASSERT_TRUE(fresh.accept_bytes("{\"name" + std::to_string(spelled) + "\": 1").ok());
  }
  EXPECT_LT(grammar->memory_bytes(), options.limits.max_store_bytes);

  // The old matcher works on in the old store; a new one, and the old one reset, in the new store.
  Matcher young(grammar, vocabulary);
  ASSERT_TRUE(young.accept_bytes("{").ok());
  for (const char* piece : {"\"a\"", ":", "1", ",", "\"b", "\"", ": \"text", "\"}"}) {
    ASSERT_TRUE(old.accept_bytes(piece).ok());
    ASSERT_TRUE(young.accept_bytes(piece).ok());
    EXPECT_EQ(mask_of(old), mask_of(young)) << piece;
  }
  EXPECT_TRUE(old.is_accepting());
  ASSERT_TRUE(old.rollback(2).ok());
  const std::weak_ptr<GrammarStore> watched = first;
  EXPECT_GT(watched.use_count(), 1);
  old.reset();
  EXPECT_EQ(watched.use_count(), 1);
}

TEST_F(Stores, AFailedStoreIsReplaced) {
  SchemaOptions options{.profile = Profile::kExact};
  options.limits.max_states = 200;
  const auto vocabulary = json_vocabulary();
  auto grammar = *Grammar::from_json_schema(R"({"type": "array"})", options);
  Matcher deep(grammar, vocabulary);
  Status status;
  for (int i = 0; i < 400 && status.ok(); ++i) status = deep.accept('[');
  EXPECT_EQ(status.code(), StatusCode::kBudgetExceeded);
  EXPECT_FALSE(deep.is_allowed('['));
  Matcher next(grammar, vocabulary);
  EXPECT_TRUE(next.status().ok());
  EXPECT_TRUE(next.accept_bytes("[[1, 2]]").ok());
}

// Texts of these formats are remembered, in an automaton that all grammars share. However much of
// it others have filled, nobody runs out of it; who begins anew does so in another one.
TEST_F(Stores, AnAutomatonThatOthersHaveWornIsReplaced) {
  const auto vocabulary = json_vocabulary();
  const auto compile = [](const char* schema) {
    SchemaOptions options{.profile = Profile::kExact};
    options.limits.max_store_bytes = size_t{4} << 20;
    return *Grammar::from_json_schema(schema, options);
  };
  const auto quiet = compile(R"({"type": "string", "format": "regex"})");
  const auto busy = compile(R"({"type": "array", "items": {"type": "string", "format": "regex"}})");
  Matcher old(quiet, vocabulary);
  ASSERT_TRUE(old.accept_bytes("\"(?<old>a").ok());
  const auto first = *format_automaton("regex");
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    Matcher matcher(busy, vocabulary);
    ASSERT_TRUE(matcher.accept_bytes("[\"(?<" + name + ">x)\\\\k<" + name + ">\"]").ok()) << i;
    ASSERT_TRUE(matcher.status().ok()) << i;
  }
  EXPECT_TRUE(first->worn());
  EXPECT_TRUE(first->status().ok());
  const auto second = *format_automaton("regex");
  EXPECT_NE(first, second);
  EXPECT_FALSE(second->worn());

  Matcher young(quiet, vocabulary);
  ASSERT_TRUE(young.accept_bytes("\"(?<old>a").ok());
  for (const char* piece : {"", "\\\\k<", "ol", "d>", ")", "\""}) {
    ASSERT_TRUE(old.accept_bytes(piece).ok()) << piece;
    ASSERT_TRUE(young.accept_bytes(piece).ok()) << piece;
    EXPECT_EQ(mask_of(old), mask_of(young)) << piece;
  }
  EXPECT_TRUE(old.is_accepting());
}

// A pattern's automaton has a budget, which texts of different grammars may use up together. Whose
// matchers are at work then is told; whoever begins anew has a new one.
TEST_F(Stores, AnAutomatonOutOfBudgetIsReplaced) {
  SchemaOptions options{.profile = Profile::kExact};
  options.limits.max_automaton_states = 300;
  const auto vocabulary = json_vocabulary();
  // The last ten letters count: two to the tenth power states.
  const std::pair<const char*, const char*> cases[] = {
      {R"({"pattern": "^(a|b)*a(a|b){9}$"})", "\""},
      {R"({"not": {"pattern": "^(a|b)*b(a|b){9}$"}})", "\""},
      {R"({"patternProperties": {"^(b|a)*a(a|b){9}$": false}, "minProperties": 3})", "{\""}};
  for (const auto& [schema, begin] : cases) {
    const auto grammar = *Grammar::from_json_schema(schema, options);
    std::mt19937_64 random(test_seed());
    int failed = 0;
    for (int i = 0; i < 200; ++i) {
      std::string text = begin;
      for (int k = 0; k < 40; ++k) text += random() % 2 == 0 ? 'a' : 'b';
      text.back() = 'c';  // every name is allowed, every negation holds
      Matcher matcher(grammar, vocabulary);
      ASSERT_TRUE(matcher.status().ok()) << schema << i;
      const Status status = matcher.accept_bytes(text);
      if (matcher.status().ok()) {
        EXPECT_EQ(status.ok(), begin[0] == '{' || schema[2] == 'n') << schema;
        continue;
      }
      ++failed;
      EXPECT_FALSE(matcher.is_accepting());
      const Status after = matcher.accept_bytes("\"");
      EXPECT_EQ(after.code(), StatusCode::kBudgetExceeded) << schema << ' ' << after.to_string();
    }
    EXPECT_GT(failed, 0) << schema;
  }
}

TEST_F(Stores, AMapInPartsIsAMap) {
  std::mt19937_64 random(test_seed());
  struct Mixed {
    size_t operator()(uint32_t key) const { return static_cast<size_t>(mix64(key)); }
  };
  PartedMap<uint32_t, uint32_t, Mixed> map;
  std::map<uint32_t, uint32_t> known;
  for (uint32_t i = 0; i < 20'000; ++i) {
    const auto key = static_cast<uint32_t>(random() % 3000);
    auto* const found = map.find(key);
    ASSERT_EQ(found != nullptr, known.count(key) != 0);
    if (found != nullptr) {
      ASSERT_EQ(found->first, key);
      ASSERT_EQ(found->second, known[key]);
    }
    if (random() % 3 == 0) {
      map.erase(key);
      known.erase(key);
    } else {
      const auto [entry, inserted] = map.try_emplace(key);
      ASSERT_EQ(inserted, found == nullptr);
      entry->second = known[key] = i;
    }
    if (i == 15'000) map.clear(), known.clear();
  }
}

TEST_F(Stores, AStepMemoKeepsToItsBudget) {
  std::mt19937_64 random(test_seed());
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> known;
  const auto state = [](uint32_t i) { return State{i % 97 + 1, i % 5, i, i / 3}; };
  for (const size_t budget : {size_t{0}, size_t{20'000}, size_t{1} << 30}) {
    StepMemo::set_budget(budget);
    StepMemo memo;
    known.clear();
    for (int i = 0; i < 20'000; ++i) {
      const auto from = static_cast<uint32_t>(random() % 3000);
      const auto label = static_cast<uint32_t>(random() % 600);
      State found;
      if (memo.find(state(from), label, &found)) {
        ASSERT_EQ(found, state(known.at({from, label})));
      } else {
        ASSERT_TRUE(budget != size_t{1} << 30 || known.count({from, label}) == 0);
        const auto to = known.try_emplace({from, label}, i).first->second;
        memo.insert(state(from), label, state(to));
      }
    }
    EXPECT_LE(memo.memory_bytes(), budget);
  }
}

TEST_F(Stores, ALlama3VocabularyTakesAtMost40MiB) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << "no shared data";
  const auto loaded = Vocabulary::load((*data / "tokenizers/ggml-vocab-llama-bpe.gguf").string());
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  const Vocabulary::Memory memory = (*loaded)->memory();
  printf("[  MEMORY  ] tokens %zu, trie %zu, content %zu, encoder %zu bytes\n", memory.tokens,
         memory.trie, memory.content, memory.encoder);
  EXPECT_GT(memory.tokens, 500'000u);
  EXPECT_GT(memory.trie, 1'000'000u);
  EXPECT_GT(memory.content, 1'000'000u);
  EXPECT_GT(memory.encoder, 1'000'000u);
  EXPECT_LE((*loaded)->memory_bytes(), size_t{40} << 20);
}

}  // namespace
}  // namespace espalier::testing
