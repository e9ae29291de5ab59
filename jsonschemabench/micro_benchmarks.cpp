// Micro-benchmarks of the hot paths, with Google Benchmark.
//
// `fill_mask/POSITION` is one mask with warm memos at a position inside a document,
// `first_mask/...` the same after a fresh compile (leaf tables that the process shares stay warm),
// `compile/NAME` an example schema from text to grammar; micro_documents.cpp runs along whole
// documents, micro_batch.cpp over batches,
// micro_sampling.cpp the population samplers, micro_steps.cpp their steps. The vocabulary is the
// file in ESPALIER_VOCABULARY (one that names its end of sequence, such as GGUF), else the built-in
// model's.
//
//   ESPALIER_VOCABULARY=llama3.gguf espalier_micro_benchmarks --benchmark_filter=fill_mask

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/models.h"
#include "engine/tokens/token_trie.h"
#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/model.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/micro_documents.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kClosedSchema = R"({
  "type": "object",
  "properties": {
    "name": {"type": "string"},
    "age": {"type": "integer", "minimum": 0, "maximum": 150},
    "score": {"type": "number"},
    "colour": {"enum": ["red", "green", "blue"]},
    "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4,8}$"},
    "created": {"type": "string", "format": "date-time"},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "uniqueItems": false}
  },
  "required": ["name", "age"],
  "additionalProperties": false
})";
constexpr const char* kOpenSchema = R"({
  "type": "object",
  "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
  "required": ["name"]
})";

struct Position {
  const char* name;
  const char* schema;
  const char* prefix;
};
constexpr Position kPositions[] = {
    {"start", kClosedSchema, ""},
    {"free_string", kClosedSchema, R"({"name": "Ada Lov)"},
    {"bounded_string", kClosedSchema, R"({"tags": ["a tag of 15)"},
    {"pattern_string", kClosedSchema, R"({"code": "ABC-12)"},
    {"date_time", kClosedSchema, R"({"created": "2024-0)"},
    {"integer", kClosedSchema, R"({"age": 1)"},
    {"number", kClosedSchema, R"({"score": -1.5)"},
    {"enum", kClosedSchema, R"({"colour": "gr)"},
    {"closed_key", kClosedSchema, R"({")"},
    {"open_key", kOpenSchema, R"({")"},
    {"after_value", kClosedSchema, R"({"name": "x")"},
    {"after_comma", kClosedSchema, R"({"name": "x",)"},
};

std::shared_ptr<const Vocabulary> vocabulary(benchmark::State& state) {
  static const Result<std::shared_ptr<const Vocabulary>> loaded =
      []() -> Result<std::shared_ptr<const Vocabulary>> {
    if (const char* path = std::getenv("ESPALIER_VOCABULARY")) return Vocabulary::load(path);
    auto model = open_model("builtin");
    if (!model.ok()) return model.status();
    return (*model)->vocabulary();
  }();
  if (!loaded.ok()) {
    state.SkipWithError(loaded.status().to_string().c_str());
    return nullptr;
  }
  return *loaded;
}

std::shared_ptr<const Grammar> compiled(benchmark::State& state, std::string_view schema) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  auto grammar = Grammar::from_json_schema(schema, options);
  if (grammar.ok()) return *grammar;
  state.SkipWithError(grammar.status().to_string().c_str());
  return nullptr;
}

std::unique_ptr<Matcher> matcher_at(benchmark::State& state, const Position& position) {
  auto words = vocabulary(state);
  if (words == nullptr) return nullptr;
  auto grammar = compiled(state, position.schema);
  if (grammar == nullptr) return nullptr;
  auto matcher = std::make_unique<Matcher>(grammar, words);
  const Status status = matcher->accept_bytes(position.prefix);
  if (status.ok()) return matcher;
  state.SkipWithError(status.to_string().c_str());
  return nullptr;
}

TokenId first_allowed(Matcher& matcher) {
  std::vector<int32_t> row(matcher.vocabulary().row_words());
  if (!matcher.fill_mask(row).ok()) return -1;
  for (TokenId t = 0; t < static_cast<TokenId>(matcher.vocabulary().size()); ++t) {
    const bool allowed = (static_cast<uint32_t>(row[static_cast<size_t>(t) / 32]) >> (t % 32)) & 1;
    if (allowed && !matcher.vocabulary().is_eos(t)) return t;
  }
  return -1;
}

void fill_mask(benchmark::State& state, const Position& position) {
  auto matcher = matcher_at(state, position);
  if (matcher == nullptr) return;
  std::vector<int32_t> row(matcher->vocabulary().row_words());
  for (auto _ : state) {
    benchmark::DoNotOptimize(matcher->fill_mask(row).ok());
    benchmark::ClobberMemory();
  }
}

void first_mask(benchmark::State& state, const Position& position) {
  std::vector<int32_t> row;
  for (auto _ : state) {
    auto matcher = matcher_at(state, position);
    if (matcher == nullptr) return;
    row.resize(matcher->vocabulary().row_words());
    const auto begin = Clock::now();
    benchmark::DoNotOptimize(matcher->fill_mask(row).ok());
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
}

void accept_and_rollback(benchmark::State& state, const Position& position) {
  auto matcher = matcher_at(state, position);
  if (matcher == nullptr) return;
  const TokenId token = first_allowed(*matcher);
  for (auto _ : state) {
    benchmark::DoNotOptimize(matcher->accept(token).ok());
    benchmark::DoNotOptimize(matcher->rollback(1).ok());
  }
}

void is_allowed(benchmark::State& state, const Position& position) {
  auto matcher = matcher_at(state, position);
  if (matcher == nullptr) return;
  const TokenId token = first_allowed(*matcher);
  for (auto _ : state) benchmark::DoNotOptimize(matcher->is_allowed(token));
}

void clone(benchmark::State& state, const Position& position) {
  auto matcher = matcher_at(state, position);
  if (matcher == nullptr) return;
  for (auto _ : state) benchmark::DoNotOptimize(matcher->clone());
}

void forced_tokens(benchmark::State& state, const Position& position) {
  auto matcher = matcher_at(state, position);
  if (matcher == nullptr) return;
  for (auto _ : state) benchmark::DoNotOptimize(matcher->forced_tokens());
}

void compile(benchmark::State& state, const std::string& schema) {
  for (auto _ : state) {
    auto grammar = compiled(state, schema);
    if (grammar == nullptr) return;
    benchmark::DoNotOptimize(grammar);
  }
}

void load_vocabulary(benchmark::State& state) {
  const char* path = std::getenv("ESPALIER_VOCABULARY");
  if (path == nullptr) return state.SkipWithError("ESPALIER_VOCABULARY names no file");
  for (auto _ : state) benchmark::DoNotOptimize(Vocabulary::load(path).ok());
}

void encode(benchmark::State& state) {
  auto words = vocabulary(state);
  if (words == nullptr) return;
  const std::string text =
      R"({"name": "Ada Lovelace", "born": 1815, "works": ["Notes", "Letters"]})";
  for (auto _ : state) benchmark::DoNotOptimize(words->encode(text).ok());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void walk_trie(benchmark::State& state) {
  auto words = vocabulary(state);
  if (words == nullptr) return;
  const TokenTrie& trie = words->trie();
  std::vector<uint32_t> stack;
  for (auto _ : state) {
    size_t tokens = 0;
    stack.assign(1, 0);
    while (!stack.empty()) {
      const TokenTrie::Node& node = trie.node(stack.back());
      stack.pop_back();
      tokens += node.token >= 0 ? 1 : 0;
      for (uint32_t i = 0; i < node.num_children; ++i) stack.push_back(node.first_child + i);
    }
    benchmark::DoNotOptimize(tokens);
  }
  state.counters["nodes"] = static_cast<double>(trie.size());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

void register_all() {
  using Body = void (*)(benchmark::State&, const Position&);
  const std::pair<const char*, Body> bodies[] = {{"fill_mask", fill_mask},
                                                 {"accept_and_rollback", accept_and_rollback},
                                                 {"is_allowed", is_allowed},
                                                 {"clone", clone},
                                                 {"forced_tokens", forced_tokens}};
  for (const auto& [name, body] : bodies) {
    for (const Position& position : kPositions) {
      const std::string full = std::string(name) + "/" + position.name;
      benchmark::RegisterBenchmark(full.c_str(), body, position);
    }
  }
  for (const Position& position : kPositions) {
    const std::string full = std::string("first_mask/") + position.name;
    benchmark::RegisterBenchmark(full.c_str(), first_mask, position)->UseManualTime();
  }
  std::vector<std::filesystem::path> examples;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(ESPALIER_EXAMPLES_DIR, error)) {
    if (entry.path().extension() == ".json") examples.push_back(entry.path());
  }
  std::sort(examples.begin(), examples.end());
  for (const auto& path : examples) {
    const std::string full = "compile/" + path.stem().stem().string();
    benchmark::RegisterBenchmark(full.c_str(), compile, read_file(path));
  }
  register_document_benchmarks(vocabulary);
  register_batch_benchmarks(vocabulary);
  register_sampling_benchmarks();
  register_step_benchmarks();
  benchmark::RegisterBenchmark("vocabulary/load", load_vocabulary)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("vocabulary/encode", encode);
  benchmark::RegisterBenchmark("vocabulary/walk_trie", walk_trie);
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  espalier::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
