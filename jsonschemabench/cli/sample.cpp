#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "espalier/models.h"
#include "espalier/population.h"
#include "espalier/potential.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/constraint.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier sample --schema person.schema.json --method mars --samples 5
  espalier sample --regex '[01]{8}1' --model table:tiny.json --method awrs --samples 1000 --json
  espalier sample --regex 'a*b' --model table:tiny.json --method awrs --predicate-only --json
  espalier sample --schema s.json --method smc --particles 20 --twist lookahead --json

Methods (P is the model, Z = P(valid, at most --max-tokens tokens)):
  local                  what masking alone does; not weighted
  normalizer             masked draws weighted by the mass of each mask
  awrs, awrs-geometric, awrs-two-loop, awrs-with-replacement
                         adaptive weighted rejection sampling, token by token
  smc                    --particles that are resampled; --samples counts whole populations
  asap, cars, mars, trie-is
                         a trie of bounds that all samples share; cars and mars draw from
                         P(x | valid) itself
  mcmc                   the ends of Metropolis-Hastings chains of --steps each
  auto                   by what is known (default)

With --json one object is printed: samples (each text, tokens without the end of sequence, log_weight),
log_z, ess, model_calls, constraint_evaluations, exact (is each sample an exact draw of P(x | valid)),
policy (what was chosen and why). The mean of exp(log_weight) over the samples, summed over those with
one text, has expectation P(text) for valid texts. log_weight is null for local, asap, cars, mars and
mcmc, and "-inf" for a sample that died, whose text is then its prefix. exp(log_z) is unbiased where samples
are weighted; cars and mars estimate it by the share of attempts that were accepted. A text that spends its
attempts or its time is dead, and with it those after it; stderr says so. Without --json, a line for each
sample: log weight, tab, text. The exit code is 1 when every sample died, 2 on an error; with --json 0
or 2.)";

struct SampleOptions {
  ConstraintFlags constraint;
  std::string regex;
  std::string model = "builtin";
  std::string method = "auto";
  std::string twist = "none";
  std::string resampling = "stratified";
  std::string trie;
  bool predicate_only = false;
  bool json = false;
  size_t particles = PopulationOptions{}.particles;
  size_t samples = 1;
  size_t steps = PopulationOptions{}.steps;
  size_t max_tokens = PopulationOptions{}.max_tokens;
  size_t max_attempts = PopulationOptions{}.max_attempts;
  std::optional<double> timeout;
  uint64_t seed = 0;
  double temperature = 1;
};

constexpr std::pair<const char*, StepMethod> kStepMethods[] = {
    {"local", StepMethod::kLocal},
    {"normalizer", StepMethod::kNormalizer},
    {"awrs", StepMethod::kAwrs},
    {"awrs-geometric", StepMethod::kAwrsGeometric},
    {"awrs-two-loop", StepMethod::kAwrsTwoLoop},
    {"awrs-with-replacement", StepMethod::kAwrsWithReplacement},
};

std::optional<StepMethod> step_method(const std::string& name) {
  for (const auto& [known, method] : kStepMethods) {
    if (name == known) return method;
  }
  return std::nullopt;
}

Result<std::shared_ptr<const Grammar>> compile_constraint(const SampleOptions& options) {
  if (!options.regex.empty()) {
    Result<std::shared_ptr<const Grammar>> grammar = Grammar::from_regex(options.regex);
    if (!grammar) {
      const Status status = grammar.status();
      return Status(status.code(), status.message(),
                    status.place().empty() ? "--regex" : "--regex:" + status.place());
    }
    return grammar;
  }
  return options.constraint.compile();
}

/// The time for one text: asked for, or kTextSeconds where an attempt may fail again and again.
constexpr double kTextSeconds = 30;
std::chrono::nanoseconds text_time(const SampleOptions& options, PopulationMethod method) {
  const bool retries = method == PopulationMethod::kCars || method == PopulationMethod::kMars ||
                       method == PopulationMethod::kAsap || method == PopulationMethod::kMcmc ||
                       method == PopulationMethod::kAuto;
  const double seconds = options.timeout.value_or(retries ? kTextSeconds : 0);
  if (!(seconds > 0)) return std::chrono::nanoseconds::max();
  return std::chrono::nanoseconds(static_cast<int64_t>(std::min(seconds, 1e9) * 1e9));
}

/// Steps drawn alone are a population that is never resampled.
PopulationOptions population_options(const SampleOptions& options) {
  PopulationOptions population;
  population.temperature = options.temperature;
  population.max_tokens = options.max_tokens;
  population.seed = options.seed;
  population.steps = options.steps;
  population.trie_file = options.trie;
  population.constraint =
      options.regex.empty() ? "schema " + options.constraint.name() : "regex " + options.regex;
  for (const std::string& choice : options.constraint.choices)
    population.constraint += " " + choice;
  population.twist = options.twist == "lookahead" ? Twist::kLookAhead : Twist::kNone;
  population.resampling = parse_resampling(options.resampling).value_or(Resampling::kStratified);
  if (const std::optional<StepMethod> method = step_method(options.method)) {
    population.method = PopulationMethod::kSmc;
    population.step.method = *method;
    population.particles = options.samples;
    population.ess_threshold = 0;
    population.max_text_time = text_time(options, population.method);
    return population;
  }
  population.method = parse_population_method(options.method).value_or(PopulationMethod::kAuto);
  population.max_attempts = options.max_attempts;
  population.max_text_time = text_time(options, population.method);
  population.particles = options.particles;
  population.samples = options.samples;
  return population;
}

Result<Population> draw(const SampleOptions& options) {
  Result<std::shared_ptr<const Grammar>> grammar = compile_constraint(options);
  if (!grammar) return grammar.status();
  Result<std::unique_ptr<LanguageModel>> model = open_model(options.model);
  if (!model) return model.status();
  std::shared_ptr<const Potential> potential =
      automaton_potential(grammar.value(), model.value()->vocabulary());
  if (options.predicate_only) potential = without_masks(std::move(potential));
  Result<Population> population =
      sample_many(std::move(potential), model.value().get(), population_options(options));
  if (!population || !step_method(options.method)) return population;
  population->policy.replace(0, to_string(PopulationMethod::kSmc).size(), options.method);
  if (options.method == "local") {
    population->log_z.reset();
    for (PopulationSample& sample : population->samples) sample.log_weight.reset();
  }
  return population;
}

void write_log(JsonWriter& writer, std::optional<double> value) {
  if (!value) {
    writer.Null();
  } else if (std::isinf(*value)) {
    writer.String(*value < 0 ? "-inf" : "inf");
  } else {
    writer.Double(*value);
  }
}

std::optional<double> weight_of(const PopulationSample& sample) {
  return sample.dead ? -std::numeric_limits<double>::infinity() : sample.log_weight;
}

std::string as_json(const Population& population) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("samples");
  writer.StartArray();
  for (const PopulationSample& sample : population.samples) {
    writer.StartObject();
    writer.Key("text");
    write_string(writer, sample.text);
    writer.Key("tokens");
    writer.StartArray();
    for (const TokenId token : sample.tokens) writer.Int(token);
    writer.EndArray();
    writer.Key("log_weight");
    write_log(writer, weight_of(sample));
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("log_z");
  write_log(writer, population.log_z);
  writer.Key("ess");
  writer.Double(population.ess);
  writer.Key("model_calls");
  writer.Uint64(population.model_calls);
  writer.Key("constraint_evaluations");
  writer.Uint64(population.constraint_evaluations);
  writer.Key("exact");
  writer.Bool(population.exact);
  writer.Key("policy");
  write_string(writer, population.policy);
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

std::string as_text(const Population& population) {
  std::string text;
  for (const PopulationSample& sample : population.samples) {
    const std::optional<double> weight = weight_of(sample);
    text += (weight ? fmt::format("{:.4f}", *weight) : "-") + "\t" + sample.text + "\n";
  }
  return text;
}

int sample(const SampleOptions& options) {
  if (options.constraint.given() == !options.regex.empty()) {
    return fail(Status(StatusCode::kInvalidArgument,
                       "One of --schema (or its like) and --regex is needed.", "command line"));
  }
  const Result<Population> population = draw(options);
  if (!population) return fail(population.status());
  const Status printed =
      print(options.json ? as_json(population.value()) : as_text(population.value()));
  if (!printed.ok()) return fail(printed);
  if (!population->first_failure.ok()) note(population->first_failure.to_string());
  if (options.json) return kExitOk;
  size_t alive = 0;
  for (const PopulationSample& sample : population->samples) alive += sample.dead ? 0 : 1;
  note(
      fmt::format("{} of {} samples alive, log Z {}, ESS {:.1f}, {} model calls, {} constraint "
                  "evaluations; {}",
                  alive, population->samples.size(),
                  population->log_z ? fmt::format("{:.4f}", *population->log_z) : "not estimated",
                  population->ess, population->model_calls, population->constraint_evaluations,
                  population->policy));
  return alive == 0 ? kExitNo : kExitOk;
}

}  // namespace

void add_sample(CLI::App& program, Action& action) {
  auto options = std::make_shared<SampleOptions>();
  CLI::App* command =
      program.add_subcommand("sample", "Sample what the model would write, given that it is valid");
  command->footer(kExamples);
  options->constraint.add_to(*command, "generation");
  command
      ->add_option("--regex", options->regex,
                   "an ECMA-262 regular expression that matches the whole text")
      ->type_name("RE");
  command->add_option("--model", options->model, kModelHelp)
      ->type_name("NAME|FILE")
      ->capture_default_str();
  command->add_option("--method", options->method, "how to sample (see below)")
      ->check(CLI::IsMember({"auto", "local", "normalizer", "awrs", "awrs-geometric",
                             "awrs-two-loop", "awrs-with-replacement", "smc", "asap", "cars",
                             "mars", "trie-is", "mcmc"}))
      ->capture_default_str();
  command->add_flag("--predicate-only", options->predicate_only,
                    "hide the masks: each token is tested alone");
  const auto add_count = [&](const char* name, size_t& value, const char* help) {
    command->add_option(name, value, help)
        ->type_name("N")
        ->check(whole_number())
        ->capture_default_str();
  };
  add_count("--particles", options->particles, "particles of a population (smc)");
  add_count("--samples", options->samples, "samples; whole populations for smc");
  command->add_option("--twist", options->twist, "what steers proposals and resampling (smc)")
      ->check(CLI::IsMember({"none", "lookahead"}))
      ->capture_default_str();
  command->add_option("--resampling", options->resampling, "how particles are resampled (smc)")
      ->check(CLI::IsMember({"multinomial", "stratified", "systematic", "residual"}))
      ->capture_default_str();
  add_count("--steps", options->steps, "steps of a chain, for one sample (mcmc)");
  add_count("--max-tokens", options->max_tokens, "token budget without the end of sequence");
  add_count("--max-attempts", options->max_attempts, "attempts for one text (cars, mars, asap)");
  command
      ->add_option(
          "--timeout", options->timeout,
          "seconds for one text, for a population with smc; 0: no limit. Without it 30 for "
          "cars, mars, asap and mcmc, none for others")
      ->type_name("SECONDS")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--seed", options->seed, "seed: equal inputs and seed give equal output")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--temperature", options->temperature, "1 takes the model as it is")
      ->type_name("T")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--trie", options->trie,
                   "read the trie from this file if there is one, and save it (asap, cars, mars, "
                   "trie-is)")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([=, &action] { action = [options] { return sample(*options); }; });
}

}  // namespace espalier::cli
