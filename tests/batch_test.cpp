// fill_masks: the rows of a batch are those of the matchers one by one, whatever the threads.
#include "espalier/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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
  for (const int threads : {1, 2, 4, 0}) {
    std::fill(rows.begin(), rows.end(), -1);
    ASSERT_TRUE(fill_masks(batch, rows, words, {.max_threads = threads}).ok());
    EXPECT_EQ(rows, one_by_one) << threads << " threads";
  }
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
