// Micro-benchmarks along whole documents: the mean over the states that a document passes.
//
// `document/OPERATION/SCHEMA` runs one operation at every token of an instance, warm, and reports
// the time per operation as `each`. `tools` is a call of one of 400 tools, an `anyOf` told apart by
// a constant name; `wide` an object of 60 properties. `compile/...` turns their texts into
// grammars.

#include "jsonschemabench/micro_documents.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/workload_schemas.h"

namespace espalier {
namespace {

constexpr size_t kTools = 400;

struct Document {
  const char* name;
  std::string schema;
  std::string instance;
};

struct Bench {
  std::unique_ptr<Matcher> matcher;
  std::vector<TokenId> tokens;
  std::vector<int32_t> row;
};

Result<std::shared_ptr<const Grammar>> compile(const std::string& schema) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  return Grammar::from_json_schema(schema, options);
}

// A matcher whose states along the instance are all warm.
bool prepare(benchmark::State& state, const Document& document, const VocabularySource& source,
             Bench* bench) {
  const auto vocabulary = source(state);
  if (vocabulary == nullptr) return false;
  auto grammar = compile(document.schema);
  auto tokens = vocabulary->encode(document.instance);
  const Status& status = grammar.ok() ? tokens.status() : grammar.status();
  if (!status.ok()) {
    state.SkipWithError(status.to_string().c_str());
    return false;
  }
  bench->matcher = std::make_unique<Matcher>(*grammar, vocabulary);
  bench->tokens = std::move(tokens).value();
  bench->row.resize(vocabulary->row_words());
  for (int pass = 0; pass < 2; ++pass) {
    bench->matcher->reset();
    for (TokenId token : bench->tokens) {
      if (!bench->matcher->fill_mask(bench->row).ok() || !bench->matcher->accept(token).ok()) {
        state.SkipWithError("the instance is refused");
        return false;
      }
    }
  }
  bench->matcher->reset();
  return true;
}

void report_each(benchmark::State& state, size_t operations) {
  state.counters["each"] = benchmark::Counter(
      static_cast<double>(operations),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void fill_mask(benchmark::State& state, const Document& document, const VocabularySource& source) {
  Bench bench;
  if (!prepare(state, document, source, &bench)) return;
  for (auto _ : state) {
    for (TokenId token : bench.tokens) {
      benchmark::DoNotOptimize(bench.matcher->fill_mask(bench.row).ok());
      benchmark::DoNotOptimize(bench.matcher->accept(token).ok());
    }
    bench.matcher->reset();
  }
  report_each(state, bench.tokens.size());
}

void accept(benchmark::State& state, const Document& document, const VocabularySource& source) {
  Bench bench;
  if (!prepare(state, document, source, &bench)) return;
  for (auto _ : state) {
    for (TokenId token : bench.tokens) benchmark::DoNotOptimize(bench.matcher->accept(token).ok());
    bench.matcher->reset();
  }
  report_each(state, bench.tokens.size());
}

// Ten tokens at each state: the document's own and its neighbours.
void is_allowed(benchmark::State& state, const Document& document, const VocabularySource& source) {
  constexpr size_t kAsked = 10;
  Bench bench;
  if (!prepare(state, document, source, &bench)) return;
  const size_t n = bench.tokens.size();
  std::vector<Matcher> places;
  for (TokenId token : bench.tokens) {
    places.push_back(bench.matcher->clone());
    benchmark::DoNotOptimize(bench.matcher->accept(token).ok());
  }
  for (auto _ : state) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < kAsked; ++j) {
        benchmark::DoNotOptimize(places[i].is_allowed(bench.tokens[(i + j) % n]));
      }
    }
  }
  report_each(state, n * kAsked);
}

void rollback(benchmark::State& state, const Document& document, const VocabularySource& source) {
  Bench bench;
  if (!prepare(state, document, source, &bench)) return;
  for (auto _ : state) {
    state.PauseTiming();
    bench.matcher->reset();
    bench.matcher->accept_n(bench.tokens);
    state.ResumeTiming();
    for (size_t i = 0; i < bench.tokens.size(); ++i) {
      benchmark::DoNotOptimize(bench.matcher->rollback(1).ok());
    }
  }
  report_each(state, bench.tokens.size());
}

// Each text differs in an annotation, so that none is compiled twice.
void compile_text(benchmark::State& state, const std::string& schema) {
  size_t number = 0;
  for (auto _ : state) {
    const std::string text = fmt::format("{{\"title\": \"{}\", {}", number++, schema.substr(1));
    auto grammar = compile(text);
    if (!grammar.ok()) return state.SkipWithError(grammar.status().to_string().c_str());
    benchmark::DoNotOptimize(grammar);
  }
}

}  // namespace

void register_document_benchmarks(const VocabularySource& source) {
  const std::vector<Document> documents = {
      {"tools", tool_call_schema(kTools), tool_call_instance(kTools - 1)},
      {"wide_closed", wide_object_schema(60, true), wide_object_instance(60)},
      {"wide_open", wide_object_schema(60, false), wide_object_instance(60)},
  };
  using Body = void (*)(benchmark::State&, const Document&, const VocabularySource&);
  const std::pair<const char*, Body> bodies[] = {{"mask_and_accept", fill_mask},
                                                 {"accept", accept},
                                                 {"is_allowed", is_allowed},
                                                 {"rollback", rollback}};
  for (const auto& [name, body] : bodies) {
    for (const Document& document : documents) {
      benchmark::RegisterBenchmark(fmt::format("document/{}/{}", name, document.name).c_str(), body,
                                   document, source);
    }
  }
  for (const Document& document : documents) {
    benchmark::RegisterBenchmark(fmt::format("compile/{}", document.name).c_str(), compile_text,
                                 document.schema)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace espalier
