// Micro-benchmarks of population samplers: what they cost beside the model and the masks.
//
// `smc/particle_step/N` is a population of N particles over a random automaton with a vocabulary of
// four tokens, for which rows, masks and normalizers cost next to nothing: what is left for each
// particle and step is the population's own work (draws, prefixes, cursors, weights, resampling).
// `mars/attempt` is one attempt over a trie that fills meanwhile.

#include <benchmark/benchmark.h>

#include "engine/sampling/prefix_tree.h"
#include "engine/sampling/smc.h"
#include "engine/sampling/trie_sampling.h"
#include "jsonschemabench/fidelity_worlds.h"
#include "jsonschemabench/micro_documents.h"

namespace espalier {
namespace {

World wide_world() {
  RandomWorldOptions options;
  options.spread = 0.5;
  options.edges = 1;
  options.max_tokens = 40;
  return random_world(1, options);
}

void smc_particle_step(benchmark::State& state) {
  const World world = wide_world();
  const auto limited = limit_tokens(world.potential, world.max_tokens);
  SmcOptions options;
  options.particles = static_cast<size_t>(state.range(0));
  options.max_tokens = world.max_tokens;
  int64_t steps = 0;
  for (auto _ : state) {
    PrefixTree tree(limited, world.model.get());
    ++options.seed;
    const auto population = run_smc(&tree, options);
    if (!population.ok()) {
      state.SkipWithError(population.status().to_string().c_str());
      return;
    }
    for (const Particle& particle : population->particles) {
      steps += static_cast<int64_t>(particle.tokens.size()) + 1;
    }
  }
  state.SetItemsProcessed(steps);
}

void mars_draw(benchmark::State& state) {
  const World world = wide_world();
  const auto limited = limit_tokens(world.potential, world.max_tokens);
  PrefixTree tree(limited, world.model.get());
  BoundTrie trie({});
  TrieSampler sampler(&tree, &trie);
  Random random(1);
  int64_t draws = 0;
  for (auto _ : state) {
    const auto draw = sampler.attempt(TrieMethod::kMars, &random);
    if (!draw.ok()) {
      state.SkipWithError(draw.status().to_string().c_str());
      return;
    }
    draws += static_cast<int64_t>(draw->tokens.size()) + 1;
  }
  state.SetItemsProcessed(draws);
  state.counters["bytes_per_prefix"] =
      static_cast<double>(trie.memory_bytes()) / static_cast<double>(trie.size() + 1);
}

}  // namespace

void register_sampling_benchmarks() {
  benchmark::RegisterBenchmark("smc/particle_step", smc_particle_step)->Arg(5)->Arg(20)->Arg(200);
  benchmark::RegisterBenchmark("mars/attempt", mars_draw);
}

}  // namespace espalier
