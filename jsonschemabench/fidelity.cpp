// How faithful each sampler is, where the truth is known.
//
// In each world every method runs many times from nothing: fresh prefixes, fresh tries, another
// seed. Q, the law of one text that a caller would take from a run, is the mean of the runs'
// posteriors (a method with one text has it with certainty), and is compared with P(x) / Z:
//
//   KL(Q || P) = sum Q log(Q Z / P),   TV = sum |Q - P / Z| / 2
//
// Counting Q adds noise, of which as many draws from the truth itself show the size. For local
// masking and ASAp Q is computed instead, from the trie and the rows along each valid text; ASAp's
// trie after n draws is random, so its distance is the mean over several tries.
//
// Z-hat is compared with Z: its relative variance, and its bias, which should be within noise for
// the methods that claim none. Costs are those of one run.

#include "jsonschemabench/fidelity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "engine/sampling/look_ahead.h"
#include "engine/sampling/mcmc.h"
#include "engine/sampling/random_streams.h"
#include "engine/sampling/resampling.h"
#include "engine/sampling/smc.h"
#include "engine/sampling/trie_sampling.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr size_t kTries = 12;  ///< over which ASAp's distance is averaged
constexpr size_t kMostAttempts = 100'000;
constexpr size_t kCurve[] = {0, 1, 3, 10, 30, 100, 300, 1'000};

using Law = std::map<std::vector<TokenId>, double>;

/// A world, with everything that may be computed once.
struct Known {
  World world;
  Truth truth;
  std::shared_ptr<const Potential> masked;
  std::shared_ptr<const Potential> unmasked;
  std::unique_ptr<LookAhead> look_ahead;

  std::unique_ptr<PrefixTree> tree(const std::shared_ptr<const Potential>& potential) const {
    return std::make_unique<PrefixTree>(potential, world.model.get());
  }
};

/// One run of a method.
struct Run {
  Law posterior;
  std::optional<double> log_z;
  std::vector<double> log_weights;
  SamplingCost cost;
};

struct Method {
  std::string name;
  std::string what;
  std::function<Result<Run>(const Known&, uint64_t seed)> run;
};

double kl_of(const Law& law, const Truth& truth) {
  double total = 0;
  for (const auto& [tokens, mass] : law) total += mass;
  double kl = 0;
  for (const auto& [tokens, mass] : law) {
    if (!(mass > 0)) continue;
    const auto found = truth.sequences.find(tokens);
    if (found == truth.sequences.end()) return std::numeric_limits<double>::infinity();
    kl += mass / total * std::log(mass / total / (found->second / truth.z));
  }
  return kl;
}

double tv_of(const Law& law, const Truth& truth) {
  double total = 0;
  for (const auto& [tokens, mass] : law) total += mass;
  double distance = 0;
  for (const auto& [tokens, probability] : truth.sequences) {
    const auto found = law.find(tokens);
    const double mass = found == law.end() ? 0 : found->second / total;
    distance += std::abs(mass - probability / truth.z) / 2;
  }
  return distance;
}

Run one_text(std::vector<TokenId> tokens, const SamplingCost& cost) {
  Run run;
  run.posterior[std::move(tokens)] = 1;
  run.cost = cost;
  return run;
}

/// The posterior of weighted texts.
void weigh(Run* run, const std::vector<std::vector<TokenId>>& texts) {
  const double log_sum = log_sum_exp(run->log_weights);
  run->log_z = log_sum - std::log(static_cast<double>(run->log_weights.size()));
  if (std::isinf(log_sum)) return;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (std::isinf(run->log_weights[i])) continue;
    run->posterior[texts[i]] += std::exp(run->log_weights[i] - log_sum);
  }
}

Method smc_method(std::string name, std::string what, SmcOptions options, Twist twist,
                  bool with_masks) {
  return {std::move(name), std::move(what),
          [options, twist, with_masks](const Known& known, uint64_t seed) -> Result<Run> {
            SmcOptions smc = options;
            smc.seed = seed;
            smc.max_tokens = known.world.max_tokens;
            if (twist == Twist::kLookAhead) smc.look_ahead = known.look_ahead.get();
            const auto tree = known.tree(with_masks ? known.masked : known.unmasked);
            const auto population = run_smc(tree.get(), smc);
            if (!population.ok()) return population.status();
            Run run;
            std::vector<std::vector<TokenId>> texts;
            for (const Particle& particle : population->particles) {
              texts.push_back(particle.tokens);
              run.log_weights.push_back(particle.ended ? particle.log_weight : kMinusInfinity);
            }
            weigh(&run, texts);
            run.cost = tree->cost();
            if (smc.step.method == StepMethod::kLocal) {
              run.log_z.reset();
              run.log_weights.clear();
            }
            return run;
          }};
}

Method step_method(std::string name, std::string what, StepMethod method, size_t max_accepts) {
  SmcOptions options;
  options.particles = 1;
  options.step.method = method;
  options.step.max_accepts = max_accepts;
  const bool with_masks = method == StepMethod::kLocal || method == StepMethod::kNormalizer;
  return smc_method(std::move(name), std::move(what), options, Twist::kNone, with_masks);
}

Method population_method(std::string name, std::string what, size_t particles, Twist twist,
                         double temper) {
  SmcOptions options;
  options.particles = particles;
  options.temper = temper;
  return smc_method(std::move(name), std::move(what), options, twist, true);
}

Method rejection_method(std::string name, std::string what, TrieMethod method) {
  return {std::move(name), std::move(what),
          [method](const Known& known, uint64_t seed) -> Result<Run> {
            const auto tree = known.tree(known.masked);
            BoundTrie trie({});
            TrieSampler sampler(tree.get(), &trie);
            for (uint64_t i = 0; i < kMostAttempts; ++i) {
              Random random = random_stream(seed, StreamPurpose::kDraw, 0, i);
              auto draw = sampler.attempt(method, &random);
              if (!draw.ok()) return draw.status();
              if (draw->accepted) return one_text(draw->tokens, tree->cost());
            }
            Run none;
            none.cost = tree->cost();
            return none;
          }};
}

Method trie_importance(size_t draws) {
  return {"trie-is " + std::to_string(draws),
          std::to_string(draws) + " weighted draws over one trie",
          [draws](const Known& known, uint64_t seed) -> Result<Run> {
            const auto tree = known.tree(known.masked);
            BoundTrie trie({});
            TrieSampler sampler(tree.get(), &trie);
            Run run;
            std::vector<std::vector<TokenId>> texts;
            for (uint64_t i = 0; i < draws; ++i) {
              Random random = random_stream(seed, StreamPurpose::kDraw, i, 0);
              auto draw = sampler.attempt(TrieMethod::kImportance, &random);
              if (!draw.ok()) return draw.status();
              texts.push_back(draw->tokens);
              run.log_weights.push_back(draw->log_weight);
            }
            weigh(&run, texts);
            run.cost = tree->cost();
            return run;
          }};
}

Method mcmc_method(McmcProposal proposal, size_t steps) {
  return {"mcmc " + std::string(to_string(proposal)),
          std::to_string(steps) + " steps, " + std::string(to_string(proposal)) + " proposal",
          [proposal, steps](const Known& known, uint64_t seed) -> Result<Run> {
            const auto tree = known.tree(known.masked);
            McmcOptions options;
            options.proposal = proposal;
            options.steps = steps;
            options.seed = seed;
            auto end = run_mcmc(tree.get(), options);
            if (!end.ok()) return end.status();
            if (!end->alive) return Run{};
            return one_text(end->tokens, tree->cost());
          }};
}

std::vector<Method> methods() {
  return {step_method("local", "masks only", StepMethod::kLocal, 2),
          step_method("normalizer", "masks, weighted", StepMethod::kNormalizer, 2),
          step_method("awrs", "no masks, recursive", StepMethod::kAwrs, 2),
          step_method("awrs-geometric", "no masks, 3 accepts", StepMethod::kAwrsGeometric, 3),
          step_method("awrs-two-loop", "no masks", StepMethod::kAwrsTwoLoop, 2),
          step_method("awrs-with-replacement", "no masks", StepMethod::kAwrsWithReplacement, 2),
          population_method("smc 5", "5 particles", 5, Twist::kNone, 0),
          population_method("smc 20", "20 particles", 20, Twist::kNone, 0),
          population_method("smc 5 + h^1/2", "with the look-ahead", 5, Twist::kLookAhead, 0.5),
          population_method("smc 20 + h^1/2", "with the look-ahead", 20, Twist::kLookAhead, 0.5),
          population_method("smc 5 + h", "look-ahead, not tempered", 5, Twist::kLookAhead, 1),
          rejection_method("cars", "first text of a fresh trie", TrieMethod::kCars),
          rejection_method("mars", "first text of a fresh trie", TrieMethod::kMars),
          trie_importance(5),
          trie_importance(20),
          mcmc_method(McmcProposal::kUniform, 10),
          mcmc_method(McmcProposal::kPriority, 10),
          mcmc_method(McmcProposal::kRestart, 10)};
}

Result<Known> know(World world) {
  Known known;
  known.world = std::move(world);
  auto truth = enumerate(known.world);
  if (!truth.ok()) return truth.status();
  known.truth = std::move(truth).value();
  known.masked = limit_tokens(known.world.potential, known.world.max_tokens);
  known.unmasked = without_masks(known.masked);
  LookAheadOptions look;
  look.max_tokens = known.world.max_tokens;
  auto built = LookAhead::build(known.world.potential, known.world.model.get(), look);
  if (!built.ok()) return built.status();
  known.look_ahead = std::move(built).value();
  return known;
}

/// Random worlds of which a share of at least kLeastZ is valid, so that no method runs forever.
constexpr double kLeastZ = 0.002;

Result<std::vector<Known>> make_worlds(FidelityStudy study, const FidelityOptions& options) {
  std::vector<Known> made;
  const double least = study == FidelityStudy::kAutomata ? kLeastZ : 0;
  const auto add = [&](Result<World> world) -> Status {
    if (!world.ok()) return world.status();
    auto known = know(std::move(world).value());
    if (!known.ok()) return known.status();
    if (known->truth.z >= least && known->truth.sequences.size() > 3) {
      made.push_back(std::move(known).value());
    }
    return Status();
  };
  Status status;
  if (study == FidelityStudy::kAutomata) {
    const RandomWorldOptions shape{.letters = 4, .states = 6, .edges = 0.6, .max_tokens = 7};
    for (uint64_t seed = options.seed; made.size() < options.worlds && status.ok(); ++seed) {
      status = add(random_world(seed, shape));
    }
  } else if (study == FidelityStudy::kBinary) {
    for (const size_t length : {3, 5, 8}) {
      if (status.ok()) status = add(binary_world(length, 0.6));
    }
  } else {
    struct Example {
      const char* name;
      const char* schema;
      size_t max_tokens;
    };
    constexpr Example kExamples[] = {
        {"boolean", R"({"type": "boolean"})", 5},
        {"digit", R"({"type": "integer", "minimum": 0, "maximum": 19})", 2},
        {"flags", R"({"type": "array", "items": {"type": "boolean"}, "maxItems": 2})", 8},
        {"object", R"({"type": "object", "properties": {"a": {"enum": [1, 2, 30]}},
                       "required": ["a"], "additionalProperties": false})",
         8},
        {"id", R"({"type": "object",
                   "properties": {"id": {"type": "integer", "minimum": 1, "maximum": 12}},
                   "required": ["id"], "additionalProperties": false})",
         7},
        {"name", R"({"type": "object", "properties": {"name": {"enum": ["a", "b", "test"]}},
                     "required": ["name"], "additionalProperties": false})",
         9},
        {"type", R"({"type": "object",
                     "properties": {"type": {"enum": ["string", "number", "integer"]}},
                     "required": ["type"], "additionalProperties": false})",
         8}};
    for (const Example& example : kExamples) {
      if (!status.ok()) break;
      auto model = options.open_model();
      if (!model.ok()) return model.status();
      status = add(schema_world(example.name, example.schema, std::move(model).value(),
                                options.model_order, example.max_tokens));
    }
  }
  if (!status.ok()) return status;
  return made;
}

/// The law of a draw from a trie that refuses nothing, by its definition.
Result<Law> trie_law(const Known& known, PrefixTree* tree, const BoundTrie& trie) {
  Law law;
  for (const auto& [tokens, probability] : known.truth.sequences) {
    double chosen = 1;
    PrefixTree::Node node = PrefixTree::kRoot;
    BoundTrie::Node place = BoundTrie::kRoot;
    for (size_t i = 0; i <= tokens.size(); ++i) {
      const auto masked = tree->masked(node);
      if (!masked.ok()) return masked.status();
      const MaskedRow& row = **masked;
      double sum = 0;
      double taken = 0;
      BoundTrie::Node below = BoundTrie::kNone;
      for (size_t k = 0; k < row.tokens().size(); ++k) {
        const TokenId token = row.tokens()[k];
        const bool end = tree->vocabulary().is_eos(token);
        const BoundTrie::Node child =
            place == BoundTrie::kNone || end ? BoundTrie::kNone : trie.find(place, token);
        const double term =
            row.probability(k) * (child == BoundTrie::kNone ? 1 : trie.bound(child));
        sum += term;
        if (i < tokens.size() ? token != tokens[i] : !end) continue;
        taken += term;
        below = child;
      }
      chosen *= taken / sum;
      if (i == tokens.size()) break;
      const auto child = tree->child(node, tokens[i]);
      if (!child.ok()) return child.status();
      node = *child;
      place = below;
    }
    law[tokens] = chosen;
  }
  return law;
}

class Study {
 public:
  Study(FidelityStudy study, const FidelityOptions& options) : options_(options) {
    result_.study = study;
  }

  Result<FidelityResult> run() {
    auto worlds = make_worlds(result_.study, options_);
    if (!worlds.ok()) return worlds.status();
    known_ = std::move(worlds).value();
    if (known_.empty()) return Status(StatusCode::kInvalidArgument, "No world was found.");
    for (const Known& known : known_) {
      result_.worlds.push_back(known.world.name);
      result_.z.push_back(known.truth.z);
      if (Status status = check_program(known); !status.ok()) return status;
      if (Status status = describe_local(known); !status.ok()) return status;
      add_noise(known);
    }
    for (const Method& method : methods()) {
      if (Status status = run_method(method); !status.ok()) return status;
      if (method.name == "awrs-with-replacement") {
        if (Status status = run_tries(); !status.ok()) return status;
      }
    }
    return std::move(result_);
  }

 private:
  double share() const { return 1 / static_cast<double>(known_.size()); }

  /// The backward program over the model itself against the enumeration.
  Status check_program(const Known& known) {
    LookAheadOptions look;
    look.order = known.world.model_order;
    look.max_tokens = known.world.max_tokens;
    look.smoothing = 0;
    const auto exact = LookAhead::build(known.world.potential, known.world.model.get(), look);
    if (!exact.ok()) return exact.status();
    const double error = std::abs((*exact)->log_h(LookAhead::kRoot, known.world.max_tokens) -
                                  std::log(known.truth.z));
    result_.program_error = std::max(result_.program_error, error);
    return Status();
  }

  /// What local draws are like: w = P / Q, so E[w^2] = sum P^2 / Q.
  Status describe_local(const Known& known) {
    const auto tree = known.tree(known.masked);
    const auto law = trie_law(known, tree.get(), BoundTrie({}));
    if (!law.ok()) return law.status();
    double squares = 0;
    for (const auto& [tokens, probability] : known.truth.sequences) {
      squares += probability * probability / law->at(tokens);
    }
    result_.local_kl.push_back(kl_of(*law, known.truth));
    result_.local_variance.push_back(squares / (known.truth.z * known.truth.z) - 1);
    return Status();
  }

  void add_noise(const Known& known) {
    noise_.resize(kNoiseRuns, 0);
    for (size_t repetition = 0; repetition < kNoiseRuns; ++repetition) {
      Random random = random_stream(options_.seed, StreamPurpose::kDraw, 0, repetition);
      Law law;
      for (size_t i = 0; i < options_.runs; ++i) {
        double point = random.unit() * known.truth.z;
        auto at = known.truth.sequences.begin();
        while (std::next(at) != known.truth.sequences.end() && (point -= at->second) >= 0) ++at;
        law[at->first] += 1;
      }
      const double each = share() / kNoiseRuns;
      noise_[repetition] += kl_of(law, known.truth) * share();
      result_.noise_kl += kl_of(law, known.truth) * each;
      result_.noise_tv += tv_of(law, known.truth) * each;
    }
    result_.most_noise_kl = *std::max_element(noise_.begin(), noise_.end());
  }

  Status run_tries() {
    FidelityCurve& curve = result_.curve;
    curve.draws.assign(std::begin(kCurve), std::end(kCurve));
    curve.asap_kl.assign(curve.draws.size(), 0);
    curve.mars_attempts.assign(curve.draws.size(), 0);
    std::vector<double> tv(curve.draws.size(), 0);
    std::vector<double> calls(curve.draws.size(), 0);
    const double each = share() / kTries;
    for (const Known& known : known_) {
      for (uint64_t t = 0; t < kTries; ++t) {
        const auto tree = known.tree(known.masked);
        const auto judge_tree = known.tree(known.masked);
        BoundTrie trie({});
        TrieSampler sampler(tree.get(), &trie);
        Random random = random_stream(options_.seed, StreamPurpose::kDraw, 1, t);
        size_t drawn = 0;
        for (size_t point = 0; point < curve.draws.size(); ++point) {
          for (; drawn < curve.draws[point]; ++drawn) {
            const auto draw = sampler.attempt(TrieMethod::kAsap, &random);
            if (!draw.ok()) return draw.status();
          }
          const auto law = trie_law(known, judge_tree.get(), trie);
          if (!law.ok()) return law.status();
          curve.asap_kl[point] += kl_of(*law, known.truth) * each;
          tv[point] += tv_of(*law, known.truth) * each;
          calls[point] += static_cast<double>(tree->cost().model_calls) * each;
        }
        if (Status status = run_mars_curve(known, t, each); !status.ok()) return status;
      }
    }
    for (size_t point = 0; point < curve.draws.size(); ++point) {
      const size_t draws = curve.draws[point];
      if (draws != 10 && draws != 100 && draws != 1'000) continue;
      add_trie_row("asap " + std::to_string(draws),
                   "after " + std::to_string(draws) + " draws over one trie", point, tv, calls);
    }
    return Status();
  }

  void add_trie_row(std::string name, std::string what, size_t point, const std::vector<double>& tv,
                    const std::vector<double>& calls) {
    FidelityRow row;
    row.method = std::move(name);
    row.what = std::move(what);
    row.kl = result_.curve.asap_kl[point];
    row.tv = tv[point];
    row.exact_law = true;
    row.model_calls = calls[point];
    result_.rows.push_back(std::move(row));
  }

  Status run_mars_curve(const Known& known, uint64_t t, double each) {
    const auto tree = known.tree(known.masked);
    BoundTrie trie({});
    TrieSampler sampler(tree.get(), &trie);
    size_t point = 0;
    for (size_t sample = 0; point < result_.curve.draws.size(); ++sample) {
      Random random = random_stream(options_.seed, StreamPurpose::kProposal, t, sample);
      size_t attempts = 0;
      for (bool accepted = false; !accepted && attempts < kMostAttempts; ++attempts) {
        const auto draw = sampler.attempt(TrieMethod::kMars, &random);
        if (!draw.ok()) return draw.status();
        accepted = draw->accepted;
      }
      while (point < result_.curve.draws.size() && result_.curve.draws[point] == sample) {
        result_.curve.mars_attempts[point++] += static_cast<double>(attempts) * each;
      }
    }
    return Status();
  }

  Status run_method(const Method& method) {
    FidelityRow row;
    row.method = method.name;
    row.what = method.what;
    double variance = 0;
    double bias = 0;
    double ess = 0;
    bool weighted = false;
    for (const Known& known : known_) {
      Law law;
      std::vector<double> estimates;
      double ess_sum = 0;
      for (size_t i = 0; i < options_.runs; ++i) {
        const uint64_t seed = options_.seed * 1'000'003 + i;
        const auto run = method.run(known, seed);
        if (!run.ok()) return run.status();
        for (const auto& [tokens, mass] : run->posterior) law[tokens] += mass;
        if (run->posterior.empty()) row.dead += share() / static_cast<double>(options_.runs);
        const double part = share() / static_cast<double>(options_.runs);
        row.model_calls += static_cast<double>(run->cost.model_calls) * part;
        row.evaluations += static_cast<double>(run->cost.constraint_evaluations) * part;
        if (!run->log_z) continue;
        weighted = true;
        estimates.push_back(std::exp(*run->log_z) / known.truth.z);
        ess_sum +=
            effective_sample_size(run->log_weights) / static_cast<double>(run->log_weights.size());
      }
      row.kl += kl_of(law, known.truth) * share();
      row.tv += tv_of(law, known.truth) * share();
      if (!estimates.empty()) {
        double sum = 0;
        double squares = 0;
        for (const double estimate : estimates) {
          sum += estimate;
          squares += estimate * estimate;
        }
        const auto count = static_cast<double>(estimates.size());
        const double mean = sum / count;
        variance += (squares / count - mean * mean) * share();
        bias += (mean - 1) * share();
        // One text alone has no effective share of its own; over the runs it has.
        const bool single = method.name.rfind("smc", 0) != 0 && method.name.rfind("trie", 0) != 0;
        ess += (single ? sum * sum / (count * squares) : ess_sum / count) * share();
      }
      if (options_.progress) options_.progress();
    }
    if (weighted) {
      row.relative_variance = variance;
      row.bias = bias;
      row.ess = ess;
    }
    result_.rows.push_back(std::move(row));
    return Status();
  }

  const FidelityOptions& options_;
  std::vector<Known> known_;
  std::vector<double> noise_;  ///< KL of each repetition of exact draws
  FidelityResult result_;
};

}  // namespace

std::string_view to_string(FidelityStudy study) {
  switch (study) {
    case FidelityStudy::kAutomata:
      return "automata";
    case FidelityStudy::kBinary:
      return "binary";
    case FidelityStudy::kSchemas:
      return "schemas";
  }
  return "";
}

Result<FidelityResult> run_fidelity(FidelityStudy study, const FidelityOptions& options) {
  if (options.runs == 0) {
    return Status(StatusCode::kInvalidArgument, "At least one run is needed.", "runs");
  }
  return Study(study, options).run();
}

}  // namespace espalier
