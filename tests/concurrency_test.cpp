// Many threads on one grammar: whatever they do at once, each sees the masks that a thread alone
// would see. Run under the thread sanitizer (the tsan preset), this is also the proof that the
// shared stores are read and filled without a race.
#include <gtest/gtest.h>

#include <atomic>
#include <iterator>
#include <thread>
#include <vector>

#include "espalier/memory.h"
#include "walker.h"

namespace espalier::testing {
namespace {

constexpr size_t kThreads = 16;

/// Pairs of threads with the same seed walk over shared grammars; a walk alone over a grammar of
/// its own, without memos, must have seen the same.
void hammer(const SchemaOptions& options, int steps = 60) {
  const uint64_t seed = test_seed();
  const auto vocabulary = json_vocabulary();
  const auto shared = compile_walked(options);
  const auto alone = compile_walked({.profile = options.profile});
  ASSERT_EQ(shared.size(), std::size(kWalkedSchemas));
  std::vector<std::vector<Seen>> seen(kThreads, std::vector<Seen>(shared.size()));
  std::atomic<size_t> ready{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (size_t g = 0; g < shared.size(); ++g) {
        Walker walker(shared[g], vocabulary, seed + t / 2 + 100 * g);
        walker.run(steps);
        seen[t][g] = walker.seen();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t g = 0; g < shared.size(); ++g) {
    for (size_t t = 0; t < kThreads; t += 2) {
      EXPECT_TRUE(seen[t][g] == seen[t + 1][g]) << kWalkedSchemas[g];
      Walker fresh(alone[g], vocabulary, seed + t / 2 + 100 * g, {.use_caches = false});
      fresh.run(steps);
      EXPECT_TRUE(seen[t][g] == fresh.seen()) << kWalkedSchemas[g];
    }
  }
}

TEST(Concurrency, SixteenThreadsOnOneGrammarExact) { hammer({.profile = Profile::kExact}); }
TEST(Concurrency, SixteenThreadsOnOneGrammarGeneration) {
  hammer({.profile = Profile::kGeneration});
}

TEST(Concurrency, StoresAreRetiredUnderway) {
  SchemaOptions options{.profile = Profile::kExact};
  options.limits.max_store_bytes = 0;  // each matcher starts a store
  set_store_budgets(
      {.leaf_rows = 20'000, .subtree_rows = 5'000, .leaves = 0, .masks = 10'000, .steps = 10'000});
  hammer(options, 25);
  set_store_budgets({});
}

TEST(Concurrency, ThreadsCompileAndUseTheirOwnGrammars) {
  const auto vocabulary = json_vocabulary();
  std::vector<std::thread> threads;
  std::vector<std::vector<Seen>> seen(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (const auto& grammar : compile_walked({.profile = Profile::kExact})) {
        Walker walker(grammar, vocabulary, 7);
        walker.run(20);
        seen[t].push_back(walker.seen());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 1; t < kThreads; ++t) EXPECT_TRUE(seen[t] == seen[0]);
}

}  // namespace
}  // namespace espalier::testing
