// Micro-benchmarks of batches.
//
// `batch/THREADS` fills the masks of 512 matchers that stand at all places of a document in each of
// four grammars, warm; 1 is serial. `batch_cold/THREADS` does so after a fresh compile (tables that
// the process shares stay warm); `batch_tree/THREADS` fills the rows of 32 draft trees of 16 nodes.
// Time is the wall clock's, CPU that of all threads.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "espalier/batch.h"
#include "jsonschemabench/micro_documents.h"
#include "jsonschemabench/workload_schemas.h"

namespace espalier {
namespace {

constexpr size_t kMatchers = 512;

struct Batch {
  std::vector<std::unique_ptr<Matcher>> matchers;
  std::vector<Matcher*> pointers;
  std::vector<TokenId> next;  // the document's token at each place
  std::vector<int32_t> rows;
  size_t row_words = 0;
};

bool prepare(benchmark::State& state, const VocabularySource& source, Batch* batch) {
  const auto vocabulary = source(state);
  if (vocabulary == nullptr) return false;
  const std::pair<std::string, std::string> documents[] = {
      {tool_call_schema(40), tool_call_instance(39)},
      {wide_object_schema(60, true), wide_object_instance(60)},
      {wide_object_schema(60, false), wide_object_instance(60)},
      {R"({"type": "array", "items": {"type": "object"}})",
       R"([{"name": "Ada", "born": 1815, "works": ["Notes", "Letters"]}, {"x": null}])"}};
  SchemaOptions options;
  options.profile = Profile::kExact;
  std::vector<std::unique_ptr<Matcher>> places;
  std::vector<TokenId> next;
  for (const auto& [schema, instance] : documents) {
    auto grammar = Grammar::from_json_schema(schema, options);
    auto tokens = vocabulary->encode(instance);
    if (!grammar.ok() || !tokens.ok()) {
      state.SkipWithError("a document cannot be prepared");
      return false;
    }
    Matcher matcher(*grammar, vocabulary);
    for (const TokenId token : *tokens) {
      places.push_back(std::make_unique<Matcher>(matcher.clone()));
      next.push_back(token);
      if (!matcher.accept(token).ok()) {
        state.SkipWithError("a document is refused");
        return false;
      }
    }
  }
  batch->matchers.clear();
  batch->pointers.clear();
  batch->next.clear();
  for (size_t i = 0; i < kMatchers; ++i) {
    const size_t place = i * 7919 % places.size();
    batch->matchers.push_back(std::make_unique<Matcher>(places[place]->clone()));
    batch->pointers.push_back(batch->matchers.back().get());
    batch->next.push_back(next[place]);
  }
  batch->row_words = vocabulary->row_words();
  batch->rows.resize(kMatchers * batch->row_words);
  return true;
}

BatchOptions on(const std::unique_ptr<TaskRunner>& arena, int threads) {
  return {.runner = threads == 1 ? nullptr : arena.get()};
}

void warm(benchmark::State& state, int threads, const VocabularySource& source) {
  Batch batch;
  if (!prepare(state, source, &batch)) return;
  const auto arena = make_task_arena(threads);
  const auto fill = [&] {
    return fill_masks(batch.pointers, batch.rows, batch.row_words, on(arena, threads)).ok();
  };
  benchmark::DoNotOptimize(fill());
  for (auto _ : state) benchmark::DoNotOptimize(fill());
}

void cold(benchmark::State& state, int threads, const VocabularySource& source) {
  Batch batch;
  const auto arena = make_task_arena(threads);
  for (auto _ : state) {
    state.PauseTiming();
    if (!prepare(state, source, &batch)) return;
    state.ResumeTiming();
    benchmark::DoNotOptimize(
        fill_masks(batch.pointers, batch.rows, batch.row_words, on(arena, threads)).ok());
  }
}

void trees(benchmark::State& state, int threads, const VocabularySource& source) {
  constexpr size_t kTrees = 32, kNodes = 15;
  Batch batch;
  if (!prepare(state, source, &batch)) return;
  const auto arena = make_task_arena(threads);
  std::vector<TokenTree> shapes(kTrees);
  std::vector<DraftTree> drafts;
  for (size_t k = 0; k < kTrees; ++k) {
    for (size_t i = 0; i < kNodes; ++i) {
      shapes[k].token.push_back(batch.next[k]);
      shapes[k].parent.push_back(static_cast<int32_t>(i / 2) - 1);
    }
    drafts.push_back({batch.pointers[k], &shapes[k]});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        fill_masks(drafts, batch.rows, batch.row_words, on(arena, threads)).ok());
  }
}

}  // namespace

void register_batch_benchmarks(const VocabularySource& source) {
  using Body = void (*)(benchmark::State&, int, const VocabularySource&);
  const std::pair<const char*, Body> bodies[] = {
      {"batch", warm}, {"batch_cold", cold}, {"batch_tree", trees}};
  for (const auto& [name, body] : bodies) {
    for (const int threads : {1, 2, 4}) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", name, threads).c_str(), body, threads,
                                   source)
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    }
  }
}

}  // namespace espalier
