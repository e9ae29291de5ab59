// Steps over 128,256 tokens: the pass that sums a row, and the draws after it.
//
// `normalizer_pass` is the sum of a row of float logits under a mask that allows nearly all, every
// other or few tokens; `step/METHOD` a draw after it, constraint included, where a predicate
// refuses a share of the tokens. Rows are random, with the peak that a model's have.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/sampling/token_row.h"
#include "espalier/potential.h"
#include "espalier/step_sampler.h"
#include "jsonschemabench/micro_documents.h"

namespace espalier {
namespace {

constexpr size_t kTokens = 128'256;

std::vector<float> random_logits() {
  std::mt19937_64 rng(1);
  std::normal_distribution<float> noise(0, 3);
  std::vector<float> row(kTokens);
  for (float& value : row) value = noise(rng);
  for (int i = 0; i < 8; ++i) row[rng() % kTokens] = 14 - static_cast<float>(i);
  return row;
}

void normalizer_pass(benchmark::State& state) {
  const auto keep_one_in = static_cast<size_t>(state.range(0));
  const std::vector<float> row = random_logits();
  std::vector<MaskWord> mask((kTokens + 31) / 32, 0);
  for (size_t i = 0; i < kTokens; ++i) {
    if (keep_one_in == 1 ? i % 27 != 0 : i % keep_one_in == 0) {
      set_mask_bit(mask, static_cast<TokenId>(i));
    }
  }
  TokenRow tokens;
  for (auto _ : state) {
    benchmark::DoNotOptimize(tokens.start(row, mask));
    benchmark::DoNotOptimize(tokens.log_total());
  }
}

std::shared_ptr<const Vocabulary> numbered_tokens() {
  static const std::shared_ptr<const Vocabulary> vocabulary = [] {
    std::vector<std::string> tokens;
    for (size_t i = 0; i + 1 < kTokens; ++i) tokens.push_back(std::to_string(i) + ";");
    tokens.push_back("");
    return Vocabulary::from_tokens(std::move(tokens), {static_cast<TokenId>(kTokens - 1)}).value();
  }();
  return vocabulary;
}

void step(benchmark::State& state, StepMethod method) {
  const std::vector<float> row = random_logits();
  const auto last = static_cast<char>('0' + state.range(0));
  PotentialCursor cursor(predicate_potential(
      {.prefix = [last](std::string_view text) { return text[text.size() - 2] < last; }},
      numbered_tokens()));
  StepSampler sampler({.method = method, .row = RowKind::kLogits});
  if (!sampler.prepare(&cursor, row).ok()) return state.SkipWithError("not prepared");
  uint64_t draws = 0;
  size_t evaluations = 0;
  for (auto _ : state) {
    const StepDraw draw = sampler.draw({1, draws++, 0});
    evaluations += draw.constraint_evaluations;
    benchmark::DoNotOptimize(draw.token);
  }
  state.counters["evaluations"] =
      benchmark::Counter(static_cast<double>(evaluations), benchmark::Counter::kAvgIterations);
}

}  // namespace

void register_step_benchmarks() {
  for (const int keep : {1, 2, 1000}) {
    const std::string name = "steps/normalizer_pass/one_in:" + std::to_string(keep);
    benchmark::RegisterBenchmark(name.c_str(), normalizer_pass)
        ->Arg(keep)
        ->Unit(benchmark::kMicrosecond);
  }
  for (const StepMethod method : {StepMethod::kAwrs, StepMethod::kAwrsTwoLoop,
                                  StepMethod::kAwrsGeometric, StepMethod::kLocal}) {
    const std::string name = "steps/" + std::string(to_string(method)) + "/tenths_allowed";
    benchmark::RegisterBenchmark(name.c_str(), step, method)
        ->Arg(9)
        ->Arg(2)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace espalier
