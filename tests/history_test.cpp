// Histories against plain vectors, and what they allocate.
#include "engine/generation/history.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "engine_support.h"
#include "espalier/grammar.h"

namespace {
std::atomic<size_t> allocations{0};
}
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace espalier::testing {
namespace {

struct Model {
  History history;
  std::vector<std::string> entries;  // a token as its number, raw bytes after '='
};

std::vector<std::string> read(const History& history) {
  std::vector<std::string> entries;
  history.for_each_backwards([&](const History::Entry& entry, std::string_view raw) {
    entries.insert(entries.begin(), entry.token == History::kRaw ? "=" + std::string(raw)
                                                                 : std::to_string(entry.token));
  });
  return entries;
}

TEST(History, ClonesGoTheirOwnWays) {
  std::mt19937_64 random(test_seed());
  std::vector<Model> models(1);
  for (int i = 0; i < 20'000; ++i) {
    Model& m = models[random() % models.size()];
    switch (random() % 8) {
      case 0:
        if (models.size() < 6) models.push_back(Model(m));
        break;
      case 1:
        if (models.size() > 1) {
          std::swap(m, models.back());
          models.pop_back();
        }
        break;
      case 2: {
        const size_t n = random() % (m.entries.size() + 1);
        m.history.pop(static_cast<uint32_t>(n));
        m.entries.resize(m.entries.size() - n);
        break;
      }
      case 3: {
        std::string raw(random() % 40, 'x');
        m.history.push_raw({1, 2, static_cast<uint32_t>(i), 0}, raw);
        m.entries.push_back("=" + raw);
        break;
      }
      default:
        for (uint64_t n = random() % 9; n > 0; --n) {
          m.history.push({1, 2, static_cast<uint32_t>(i), 0}, i, false);
          m.entries.push_back(std::to_string(i));
        }
    }
    for (const Model& model : models) {
      ASSERT_EQ(model.history.depth(), model.entries.size());
      if (i % 16 == 0) {
        ASSERT_EQ(read(model.history), model.entries);
      }
      const History::Entry* last = model.history.last();
      ASSERT_EQ(last == nullptr, model.entries.empty());
      if (last != nullptr && last->token != History::kRaw) {
        ASSERT_EQ(std::to_string(last->token), model.entries.back());
        ASSERT_EQ(last->state.state, static_cast<uint32_t>(last->token));
      }
    }
  }
}

TEST(History, WarmMatchersAllocateNothing) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.insert(tokens.end(), {"{\"", "\": ", "\", \"", "[12", "]}", "<eos>"});
  const auto vocabulary =
      *Vocabulary::from_tokens(tokens, {static_cast<TokenId>(tokens.size() - 1)});
  const auto grammar = *Grammar::from_json_schema(
      R"({"type": "object", "properties": {"a": {"type": "string"},
          "b": {"type": "array", "items": {"type": "integer"}}}})",
      {.profile = Profile::kExact});
  const std::vector<TokenId> document =
      *vocabulary->encode(R"({"a": "some text", "b": [12, 3, 4]})");
  Matcher matcher(grammar, vocabulary);
  std::vector<int32_t> row(vocabulary->row_words());
  const auto replay = [&] {
    for (const TokenId token : document) {
      ASSERT_TRUE(matcher.is_allowed(token));
      ASSERT_TRUE(matcher.fill_mask(row).ok());
      ASSERT_TRUE(matcher.accept(token).ok());
    }
    ASSERT_TRUE(matcher.is_accepting());
    ASSERT_TRUE(matcher.rollback(document.size()).ok());
  };
  replay();
  const size_t before = allocations;
  for (TokenId token : document) {
    ASSERT_TRUE(matcher.is_allowed(token));
    ASSERT_TRUE(matcher.fill_mask(row).ok());
    ASSERT_TRUE(matcher.accept(token).ok());
    ASSERT_TRUE(matcher.rollback(1).ok());
    ASSERT_TRUE(matcher.accept(token).ok());
  }
  const size_t chunks = document.size() / 8;  // none but those of the history
  EXPECT_LE(allocations - before, chunks);
  EXPECT_LE(matcher.memory_bytes(), 4096u);

  // A clone is one allocation, and one token on it one more.
  const size_t before_clone = allocations;
  const Matcher clone = matcher.clone();
  EXPECT_LE(allocations - before_clone, 1u);
}

}  // namespace
}  // namespace espalier::testing
