// fill_masks: the rows of a batch are those of the matchers one by one, whatever the threads.
#include "espalier/batch.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine_support.h"

namespace espalier {
namespace {

std::shared_ptr<const Vocabulary> vocabulary() {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.push_back(std::string(1, static_cast<char>(b)));
  for (const char* text :
       {"{\"", "\":", "\",", "\"}", " \"", "name", "true", "12", ", \"", "[1", "]}"}) {
    tokens.push_back(text);
  }
  tokens.push_back("<eos>");
  auto loaded = Vocabulary::from_tokens(tokens, {static_cast<TokenId>(tokens.size() - 1)});
  EXPECT_TRUE(loaded.ok());
  return *loaded;
}

TEST(Batch, RowsDoNotDependOnThreads) {
  const char* schemas[] = {
      R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}})",
      R"({"type": "array", "items": {"enum": [1, 12, "name"]}})",
      R"({"oneOf": [{"required": ["a"]}, {"properties": {"b": {"type": "boolean"}}, "required": ["b"]}]})"};
  const char* prefixes[] = {"", "{\"name\": \"ab", "[1", "{\"b", "{", "[12, ", "{\"b\": t"};
  SchemaOptions options;
  options.profile = Profile::kExact;
  const auto tokens = vocabulary();
  std::vector<Matcher> matchers;
  for (int round = 0; round < 20; ++round) {
    for (const char* schema : schemas) {
      auto grammar = Grammar::from_json_schema(schema, options);
      ASSERT_TRUE(grammar.ok()) << grammar.status().to_string();
      for (const char* prefix : prefixes) {
        Matcher matcher(*grammar, tokens);
        if (matcher.accept_bytes(prefix).ok()) matchers.push_back(std::move(matcher));
      }
    }
  }
  ASSERT_GT(matchers.size(), 100u);
  std::vector<Matcher*> batch;
  for (Matcher& matcher : matchers) batch.push_back(&matcher);
  const size_t words = tokens->row_words();
  std::vector<int32_t> one_by_one(batch.size() * words), rows(batch.size() * words);
  for (size_t i = 0; i < batch.size(); ++i) {
    Matcher fresh = batch[i]->clone();
    ASSERT_TRUE(fresh.fill_mask(std::span(one_by_one).subspan(i * words, words)).ok());
  }
  for (const int threads : {0, 1, 2, 4}) {
    const auto arena = make_task_arena(threads);
    for (TaskRunner* runner : {static_cast<TaskRunner*>(nullptr), arena.get()}) {
      std::fill(rows.begin(), rows.end(), -1);
      ASSERT_TRUE(fill_masks(batch, rows, words, {.runner = runner}).ok());
      EXPECT_TRUE(rows == one_by_one) << threads << " threads";
    }
  }
}

/// Tasks in reverse order, each third one in a thread of its own: a host's odd pool.
class OddRunner final : public TaskRunner {
 public:
  void run(size_t count, const std::function<void(size_t)>& task) override {
    std::vector<std::thread> threads;
    for (size_t i = count; i-- > 0;) {
      if (i % 3 == 0) {
        threads.emplace_back([&task, i] { task(i); });
      } else {
        task(i);
      }
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST(Batch, DraftTreesHaveARowForEachNode) {
  std::mt19937_64 random(testing::test_seed());
  SchemaOptions options;
  options.profile = Profile::kExact;
  const auto tokens = vocabulary();
  const size_t words = tokens->row_words();
  auto grammar = Grammar::from_json_schema(
      R"({"type": "array", "items": {"properties": {"name": {"enum": ["12", 12]}}}})", options);
  ASSERT_TRUE(grammar.ok());
  const auto arena = make_task_arena(3);
  OddRunner odd;
  for (int round = 0; round < 20; ++round) {
    std::vector<Matcher> roots;
    std::vector<TokenTree> trees(4);
    std::vector<DraftTree> drafts;
    std::vector<int32_t> expected;
    roots.reserve(trees.size());
    size_t refused = 0;
    for (TokenTree& tree : trees) {
      Matcher root(*grammar, tokens);
      ASSERT_TRUE(root.accept_bytes(random() % 2 ? "[" : "[{\"name\": ").ok());
      std::vector<std::optional<Matcher>> nodes;
      nodes.emplace_back(root.clone());
      for (int i = 0; i < 30; ++i) {
        const auto parent = static_cast<int32_t>(random() % nodes.size()) - 1;
        // Allowed tokens mostly, some at random.
        auto token = static_cast<TokenId>(random() % tokens->size());
        auto& above = nodes[static_cast<size_t>(parent + 1)];
        if (above && random() % 4 != 0) {
          const auto allowed = testing::tokens_of(testing::mask_of(*above));
          if (!allowed.empty()) token = allowed[random() % allowed.size()];
        }
        tree.parent.push_back(parent);
        tree.token.push_back(token);
        std::optional<Matcher> node;
        if (above) node.emplace(above->clone());
        if (node && !node->accept(token).ok()) node.reset();
        refused += node ? 0 : 1;
        nodes.push_back(std::move(node));
      }
      for (auto& node : nodes) {
        const auto row = node ? testing::mask_of(*node) : testing::MaskRow(words, 0);
        expected.insert(expected.end(), row.begin(), row.end());
      }
      roots.push_back(std::move(root));
    }
    for (size_t k = 0; k < trees.size(); ++k) drafts.push_back({&roots[k], &trees[k]});
    EXPECT_GT(refused, 0u);
    for (TaskRunner* runner :
         {static_cast<TaskRunner*>(nullptr), arena.get(), static_cast<TaskRunner*>(&odd)}) {
      std::vector<int32_t> rows(expected.size(), -1);
      ASSERT_TRUE(fill_masks(drafts, rows, words, {.runner = runner}).ok());
      EXPECT_TRUE(rows == expected);
    }
  }
}

TEST(Batch, TreesOutOfOrderAreRefused) {
  const auto tokens = vocabulary();
  auto grammar = Grammar::from_json_schema("true");
  ASSERT_TRUE(grammar.ok());
  const Matcher matcher(*grammar, tokens);
  const TokenTree trees[] = {{{1, 2}, {-1, 1}}, {{1, 2}, {-1, -2}}, {{1, 2}, {-1}}};
  std::vector<int32_t> rows(tokens->row_words() * 8);
  for (const TokenTree& tree : trees) {
    const DraftTree draft{&matcher, &tree};
    EXPECT_EQ(fill_masks(std::span(&draft, 1), rows, tokens->row_words()).code(),
              StatusCode::kInvalidArgument);
  }
  const TokenTree good{{1, 2}, {-1, 0}};
  const DraftTree draft{&matcher, &good};
  EXPECT_EQ(fill_masks(std::span(&draft, 1), std::span(rows).first(2 * tokens->row_words()),
                       tokens->row_words())
                .code(),
            StatusCode::kInvalidArgument);
}

TEST(Batch, PrefetchedMasksAreFound) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  const auto tokens = vocabulary();
  const char* schema =
      R"({"type": "object", "properties": {"name": {"enum": ["x12", "y"]}, "n": {}},
                           "required": ["name"], "additionalProperties": false})";
  const auto grammar = *Grammar::from_json_schema(schema, options);
  const auto untouched = *Grammar::from_json_schema(schema, options);
  Matcher matcher(grammar, tokens);
  Matcher alone(untouched, tokens);
  const auto arena = make_task_arena(2);
  size_t made = 0;
  const std::vector<TokenId> document = *tokens->encode(R"({"name": "x12"})");
  for (const TokenId token : document) {
    const auto other = static_cast<TokenId>('q');
    const TokenId likely[] = {other, token};
    const Matcher* batch[] = {&matcher};
    const size_t now = prefetch(batch, {.likely = likely}, {.runner = arena.get()});
    EXPECT_LE(now, 3u);
    made += now;
    EXPECT_EQ(matcher.prefetch({.likely = likely}), 0u) << "all is known by now";
    EXPECT_TRUE(testing::mask_of(matcher) == testing::mask_of(alone));
    matcher.prefetch();
    ASSERT_TRUE(matcher.accept(token).ok());
    ASSERT_TRUE(alone.accept(token).ok());
    EXPECT_TRUE(testing::mask_of(matcher) == testing::mask_of(alone));
  }
  EXPECT_GT(made, 4u);
  EXPECT_EQ(Matcher(grammar, tokens, {.use_caches = false}).prefetch(), 0u);
  Matcher fresh(*Grammar::from_json_schema(schema, options), tokens);
  EXPECT_EQ(fresh.prefetch({.max_masks = 1}), 1u);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(fresh.prefetch({.stop = stop.get_token()}), 0u);
}

TEST(Batch, RefusesTooFewWords) {
  const auto tokens = vocabulary();
  auto grammar = Grammar::from_json_schema("true");
  ASSERT_TRUE(grammar.ok());
  Matcher matcher(*grammar, tokens);
  Matcher* batch[] = {&matcher, &matcher};
  std::vector<int32_t> rows(tokens->row_words());
  EXPECT_EQ(fill_masks(batch, rows, tokens->row_words()).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace espalier
