// Many samples of one prompt: one prefix tree, one trie, one report.

#include "espalier/population.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "engine/sampling/bound_trie.h"
#include "engine/sampling/chance.h"
#include "engine/sampling/look_ahead.h"
#include "engine/sampling/mcmc.h"
#include "engine/sampling/prefix_tree.h"
#include "engine/sampling/random_streams.h"
#include "engine/sampling/resampling.h"
#include "engine/sampling/smc.h"
#include "engine/sampling/trie_sampling.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
/// A look-ahead of no more places and edges is built anew with a surrogate that looks back further.
constexpr size_t kFewPlaces = 4'096;
constexpr size_t kFewEdges = 65'536;
constexpr size_t kLongestSurrogate = 5;

Status invalid(const char* message, const char* place) {
  return Status(StatusCode::kInvalidArgument, message, place);
}

Status check(const Potential& potential, const LanguageModel* model,
             const PopulationOptions& options) {
  if (model == nullptr) return invalid("Sampling needs a model.", "model");
  if (model->width() != potential.vocabulary()->width()) {
    return invalid("The model's rows and the constraint's vocabulary have different widths.",
                   "model");
  }
  if (options.surrogate != nullptr && options.surrogate->width() != model->width()) {
    return invalid("The surrogate's rows and the model's have different widths.", "surrogate");
  }
  if (!(options.temperature > 0) || std::isinf(options.temperature)) {
    return invalid("The temperature must be a positive number.", "temperature");
  }
  if (options.samples == 0) return invalid("At least one sample must be asked for.", "samples");
  if (options.particles == 0) {
    return invalid("A population needs at least one particle.", "particles");
  }
  if (!(options.ess_threshold >= 0) || options.ess_threshold > 1) {
    return invalid("The threshold is a share of the particles, 0 to 1.", "ess_threshold");
  }
  if (!(options.temper >= 0) || options.temper > 1) {
    return invalid("The look-ahead's exponent must be between 0 and 1.", "temper");
  }
  return Status();
}

/// A seed for each population of a run.
uint64_t seed_of(uint64_t seed, uint64_t run) {
  return random_stream(seed, StreamPurpose::kDraw, run, UINT64_MAX).next();
}

bool has_trie(PopulationMethod method) {
  return method == PopulationMethod::kAsap || method == PopulationMethod::kCars ||
         method == PopulationMethod::kMars || method == PopulationMethod::kTrieImportance;
}

class Run {
 public:
  Run(std::shared_ptr<const Potential> potential, LanguageModel* model,
      const PopulationOptions& options)
      : unlimited_(std::move(potential)), model_(model), options_(options) {}

  Result<Population> go() {
    if (Status status = choose(); !status.ok()) return status;
    if (Status status = look_ahead(); !status.ok()) return status;
    make_tree(options_.method == PopulationMethod::kSmc ? kSomeTokens : kEveryToken);
    Status status = open_trie();
    if (!status.ok()) return status;
    switch (options_.method) {
      case PopulationMethod::kAuto:
      case PopulationMethod::kSmc:
        status = draw_smc();
        break;
      case PopulationMethod::kMcmc:
        status = draw_mcmc();
        break;
      default:
        status = draw_trie();
    }
    if (!status.ok()) return status;
    return finish();
  }

 private:
  enum Enumeration { kSomeTokens, kEveryToken };

  void make_tree(Enumeration enumeration) {
    PrefixTreeOptions tree_options{options_.prompt,          options_.temperature,
                                   options_.max_row_bytes,   options_.max_model_rows,
                                   options_.max_evaluations, options_.max_text_time};
    auto limited = enumeration == kEveryToken
                       ? limit_tokens(unlimited_, options_.max_tokens, SIZE_MAX)
                       : limit_tokens(unlimited_, options_.max_tokens);
    tree_ = std::make_unique<PrefixTree>(std::move(limited), model_, tree_options);
  }

  /// Decides what the caller left open, from the first row and mask.
  Status choose() {
    result_.policy = std::string(to_string(options_.method)) + ", as asked";
    if (options_.method != PopulationMethod::kAuto) return Status();
    make_tree(kSomeTokens);
    PopulationFacts facts;
    facts.samples = options_.samples;
    const size_t words = tree_->vocabulary().row_words();
    std::vector<int32_t> allowed(words);
    std::vector<int32_t> unknown(words);
    const auto knowledge = tree_->cursor(PrefixTree::kRoot).fill(allowed, unknown);
    if (!knowledge.ok()) return knowledge.status();
    facts.knowledge = *knowledge;
    if (*knowledge == Knowledge::kFull) {
      const auto masked = tree_->masked(PrefixTree::kRoot);
      if (!masked.ok()) return masked.status();
      facts.log_mass = std::log((*masked)->mass());
    }
    const PopulationChoice choice = choose_population(facts, options_);
    spent_ = tree_->cost();
    options_.method = choice.method;
    options_.twist = choice.twist;
    options_.particles = choice.particles;
    result_.policy = choice.reason;
    return Status();
  }

  Status look_ahead() {
    const bool wanted =
        (options_.method == PopulationMethod::kSmc && options_.twist == Twist::kLookAhead) ||
        (options_.method == PopulationMethod::kMcmc &&
         options_.source == RestartSource::kLookAhead);
    if (!wanted) return Status();
    LookAheadOptions look;
    look.prompt = options_.prompt;
    look.temperature = options_.temperature;
    look.max_tokens = options_.max_tokens;
    size_t rows = 0;
    look.model_rows = &rows;
    Status status;
    for (look.order = options_.surrogate_order;; --look.order) {
      status = build_look_ahead(look);
      if (status.code() != StatusCode::kBudgetExceeded || look.order == 0) break;
    }
    if (!status.ok()) {
      result_.policy += "; not looking ahead: " + status.message();
      return Status();
    }
    // Where places are few, a surrogate that looks back further costs little.
    size_t order = look.order;
    look.max_nodes = kFewPlaces;
    look.max_edges = kFewEdges;
    while (order >= options_.surrogate_order && order < kLongestSurrogate) {
      look.order = order + 1;
      if (!build_look_ahead(look).ok()) break;
      ++order;
    }
    result_.policy += "; looking ahead " + std::to_string(order) + " tokens back over " +
                      std::to_string(look_ahead_->num_nodes()) + " places, by " +
                      std::to_string(rows) + " rows of the surrogate";
    return Status();
  }

  Status build_look_ahead(const LookAheadOptions& look) {
    LanguageModel* surrogate = options_.surrogate != nullptr ? options_.surrogate : model_;
    auto built = LookAhead::build(unlimited_, surrogate, look);
    if (built.ok()) look_ahead_ = std::move(built).value();
    return built.status();
  }

  Status open_trie() {
    const bool restarts_from_trie = options_.method == PopulationMethod::kMcmc &&
                                    options_.proposal == McmcProposal::kRestart &&
                                    options_.source == RestartSource::kTrie;
    if (!has_trie(options_.method) && !restarts_from_trie) return Status();
    BoundTrieKey key{
        options_.prompt, options_.temperature, model_->name(),
        options_.constraint + " within " + std::to_string(options_.max_tokens) + " tokens"};
    std::error_code error;
    if (!options_.trie_file.empty() && std::filesystem::exists(options_.trie_file, error)) {
      auto loaded = BoundTrie::load(options_.trie_file, std::move(key), options_.max_trie_bytes);
      if (!loaded.ok()) return loaded.status();
      trie_ = std::make_unique<BoundTrie>(std::move(loaded).value());
      result_.policy += "; the saved trie holds " + std::to_string(trie_->size()) + " prefixes";
    } else {
      trie_ = std::make_unique<BoundTrie>(std::move(key), options_.max_trie_bytes);
    }
    return Status();
  }

  void add_sample(std::vector<TokenId> tokens, bool dead, std::optional<double> log_weight) {
    PopulationSample sample;
    sample.text = tree_->vocabulary().decode(tokens);
    sample.tokens = std::move(tokens);
    sample.dead = dead;
    sample.log_weight = dead && log_weight ? kMinusInfinity : log_weight;
    result_.samples.push_back(std::move(sample));
  }

  SmcOptions smc_options(uint64_t run) const {
    SmcOptions smc;
    smc.particles = options_.particles;
    smc.ess_threshold = options_.ess_threshold;
    smc.resampling = options_.resampling;
    smc.step = options_.step;
    smc.critic = options_.critic;
    smc.look_ahead = look_ahead_.get();
    smc.temper = options_.temper;
    smc.seed = run == 0 ? options_.seed : seed_of(options_.seed, run);
    smc.max_tokens = options_.max_tokens;
    return smc;
  }

  Status draw_smc() {
    std::vector<double> estimates;
    for (uint64_t run = 0; run < options_.samples; ++run) {
      if (run > 0 && !begin_text()) break;
      auto population = run_smc(tree_.get(), smc_options(run));
      if (!population.ok()) return population.status();
      if (run == 0) result_.ess_history = population->ess_history;
      result_.resamplings += population->resamplings;
      if (result_.first_failure.ok()) result_.first_failure = population->first_failure;
      if (!population->first_failure.ok()) keep_to_budget(tree_->spent());
      estimates.push_back(population->log_z);
      for (Particle& particle : population->particles) {
        const bool dead = !particle.ended || std::isinf(particle.log_weight);
        add_sample(std::move(particle.tokens), dead, particle.log_weight);
      }
    }
    result_.attempts = result_.samples.size();
    result_.log_z = log_sum_exp(estimates) - std::log(static_cast<double>(estimates.size()));
    return Status();
  }

  Status draw_trie() {
    const TrieMethod method = options_.method == PopulationMethod::kAsap   ? TrieMethod::kAsap
                              : options_.method == PopulationMethod::kCars ? TrieMethod::kCars
                              : options_.method == PopulationMethod::kMars
                                  ? TrieMethod::kMars
                                  : TrieMethod::kImportance;
    const bool weighted = method == TrieMethod::kImportance;
    TrieSampler sampler(tree_.get(), trie_.get());
    std::vector<double> estimates;
    for (uint64_t sample = 0; sample < options_.samples; ++sample) {
      TrieDraw last;
      const bool begun = begin_text();
      if (!begun && weighted && sample > 0) break;
      for (uint64_t i = 0; begun && !last.accepted && within(i); ++i) {
        Random random = random_stream(options_.seed, StreamPurpose::kDraw, sample, i);
        auto draw = sampler.attempt(method, &random);
        if (!draw.ok()) return draw.status();
        last = std::move(draw).value();
        estimates.push_back(last.log_weight);
        if (weighted || trie_->bound(BoundTrie::kRoot) == 0) break;
      }
      add_sample(std::move(last.tokens), !last.accepted,
                 weighted ? std::optional(last.log_weight) : std::nullopt);
    }
    result_.attempts = estimates.size();
    if (method != TrieMethod::kAsap) {
      const auto count = static_cast<double>(std::max<size_t>(1, estimates.size()));
      result_.log_z = log_sum_exp(estimates) - std::log(count);
    }
    const bool complete = std::none_of(result_.samples.begin(), result_.samples.end(),
                                       [](const PopulationSample& sample) { return sample.dead; });
    result_.exact = complete && (method == TrieMethod::kMars || method == TrieMethod::kCars);
    if (options_.trie_file.empty()) return Status();
    return trie_->save(options_.trie_file);
  }

  /// May another text begin? Not when a budget was spent.
  bool begin_text() {
    if (out_of_budget_) return false;
    tree_->begin_text();
    return within(0);
  }

  /// May a text be attempted once more?
  bool within(uint64_t attempts) {
    if (attempts < options_.max_attempts) return keep_to_budget(tree_->spent());
    return keep_to_budget(
        Status(StatusCode::kBudgetExceeded,
               "The attempts for one text are spent: too little of the model is valid."));
  }

  bool keep_to_budget(const Status& spent) {
    if (spent.ok()) return true;
    out_of_budget_ = true;
    result_.first_failure = spent;
    return false;
  }

  /// One whole text from the restart's source; streams are named by chain and draw.
  Result<ImportanceDraw> restart(uint64_t chain, uint64_t draw) {
    const uint64_t number = seed_of(seed_of(options_.seed, chain), draw);
    if (options_.source == RestartSource::kTrie) {
      Random random(number);
      TrieSampler sampler(tree_.get(), trie_.get());
      const auto drawn = sampler.attempt_frozen(TrieMethod::kImportance, &random);
      if (!drawn.ok()) return drawn.status();
      return ImportanceDraw{drawn->tokens, drawn->log_weight};
    }
    SmcOptions smc = smc_options(0);
    smc.seed = number;
    if (options_.source == RestartSource::kLookAhead) smc.particles = 1;
    const auto population = run_smc(tree_.get(), smc);
    if (!population.ok()) return population.status();
    if (std::isinf(population->log_z)) return ImportanceDraw{{}, kMinusInfinity};
    // A population proposes one of its texts, by weight, with its estimate of Z as weight.
    std::vector<double> weights;
    for (const Particle& particle : population->particles) {
      weights.push_back(std::exp(particle.log_weight - population->log_z));
    }
    RandomChance chance(random_stream(number, StreamPurpose::kProposal, chain, draw));
    const uint32_t chosen = resample(Resampling::kMultinomial, weights, 1, &chance).front();
    return ImportanceDraw{population->particles[chosen].tokens, population->log_z};
  }

  Status draw_mcmc() {
    for (uint64_t chain = 0; chain < options_.samples; ++chain) {
      if (!begin_text()) {
        add_sample({}, true, std::nullopt);
        continue;
      }
      McmcOptions mcmc;
      mcmc.proposal = options_.proposal;
      mcmc.steps = options_.steps;
      mcmc.seed = options_.seed;
      mcmc.chain = chain;
      if (options_.source != RestartSource::kLocal) {
        mcmc.source = [&, chain](uint64_t draw) { return restart(chain, draw); };
      }
      auto end = run_mcmc(tree_.get(), mcmc);
      if (!end.ok()) return end.status();
      keep_to_budget(end->spent);
      if (trie_ != nullptr && end->alive) {
        // Between chains the trie may learn: each chain has a fixed proposal.
        Random random = random_stream(options_.seed, StreamPurpose::kDraw, chain, UINT64_MAX - 1);
        TrieSampler sampler(tree_.get(), trie_.get());
        const auto learned = sampler.attempt(TrieMethod::kImportance, &random);
        if (!learned.ok()) return learned.status();
      }
      add_sample(std::move(end->tokens), !end->alive, std::nullopt);
    }
    result_.attempts = options_.samples * (options_.steps + 1);
    return Status();
  }

  Population finish() {
    std::vector<double> weights;
    for (const PopulationSample& sample : result_.samples) {
      weights.push_back(sample.dead ? kMinusInfinity : sample.log_weight.value_or(0));
    }
    if (out_of_budget_) result_.policy += "; stopped: " + result_.first_failure.message();
    result_.ess = effective_sample_size(weights);
    result_.method = options_.method;
    const SamplingCost& cost = tree_->cost();
    result_.model_calls = spent_.model_calls + cost.model_calls;
    result_.model_rows = spent_.model_rows + cost.model_rows;
    result_.constraint_evaluations = spent_.constraint_evaluations + cost.constraint_evaluations;
    return std::move(result_);
  }

  std::shared_ptr<const Potential> unlimited_;
  LanguageModel* model_;
  PopulationOptions options_;
  std::unique_ptr<PrefixTree> tree_;
  std::unique_ptr<LookAhead> look_ahead_;
  std::unique_ptr<BoundTrie> trie_;
  SamplingCost spent_;  ///< before the tree was made
  bool out_of_budget_ = false;
  Population result_;
};

template <typename Value, size_t kCount>
std::optional<Value> parse(const std::pair<Value, std::string_view> (&names)[kCount],
                           std::string_view name) {
  for (const auto& [value, known] : names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

template <typename Value, size_t kCount>
std::string_view name_of(const std::pair<Value, std::string_view> (&names)[kCount], Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "";
}

constexpr std::pair<PopulationMethod, std::string_view> kMethods[] = {
    {PopulationMethod::kAuto, "auto"}, {PopulationMethod::kSmc, "smc"},
    {PopulationMethod::kAsap, "asap"}, {PopulationMethod::kCars, "cars"},
    {PopulationMethod::kMars, "mars"}, {PopulationMethod::kTrieImportance, "trie-is"},
    {PopulationMethod::kMcmc, "mcmc"}};
constexpr std::pair<Resampling, std::string_view> kResamplings[] = {
    {Resampling::kMultinomial, "multinomial"},
    {Resampling::kStratified, "stratified"},
    {Resampling::kSystematic, "systematic"},
    {Resampling::kResidual, "residual"}};
constexpr std::pair<McmcProposal, std::string_view> kProposals[] = {
    {McmcProposal::kUniform, "uniform"},
    {McmcProposal::kPriority, "priority"},
    {McmcProposal::kRestart, "restart"}};

}  // namespace

std::string_view to_string(PopulationMethod method) { return name_of(kMethods, method); }
std::optional<PopulationMethod> parse_population_method(std::string_view name) {
  return parse(kMethods, name);
}
std::string_view to_string(Resampling scheme) { return name_of(kResamplings, scheme); }
std::optional<Resampling> parse_resampling(std::string_view name) {
  return parse(kResamplings, name);
}
std::string_view to_string(McmcProposal proposal) { return name_of(kProposals, proposal); }

Result<Population> sample_many(std::shared_ptr<const Potential> potential, LanguageModel* model,
                               const PopulationOptions& options) {
  if (Status status = check(*potential, model, options); !status.ok()) return status;
  return Run(std::move(potential), model, options).go();
}

std::vector<PosteriorItem> posterior(const std::vector<PopulationSample>& samples) {
  std::vector<double> weights;
  for (const PopulationSample& sample : samples) {
    weights.push_back(sample.dead ? kMinusInfinity : sample.log_weight.value_or(0));
  }
  const double log_sum = log_sum_exp(weights);
  std::map<std::string, PosteriorItem> by_text;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (std::isinf(weights[i])) continue;
    PosteriorItem& item = by_text[samples[i].text];
    item.text = samples[i].text;
    item.probability += std::exp(weights[i] - log_sum);
    ++item.count;
  }
  std::vector<PosteriorItem> items;
  for (auto& [text, item] : by_text) items.push_back(std::move(item));
  std::stable_sort(items.begin(), items.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  return items;
}

}  // namespace espalier
