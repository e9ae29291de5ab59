// AWRS steps along the valid instances of MaskBench files, under a trained model.
//
// At each token of an instance the model gives its row and the schema's automaton is asked token by
// token, its masks hidden; one step is drawn there and thrown away. Printed: constraint evaluations
// per step, the time spent inside them, and the time of a whole draw after the pass over the row.
//
//   espalier_step_study --data maskbench/ --model llama3.esp --files 200
//
// The model is one made by `espalier train --vocabulary FILE`, on the half of the files that this
// study does not read.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/corpus.h"
#include "espalier/models.h"
#include "espalier/potential.h"
#include "espalier/step_sampler.h"
#include "jsonschemabench/maskbench_file.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// The automaton without masks; adds up the time of its tests.
class TimedState : public PotentialState {
 public:
  TimedState(std::unique_ptr<PotentialState> inner, Clock::duration* spent)
      : inner_(std::move(inner)), spent_(spent) {}
  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<TimedState>(inner_->clone(), spent_);
  }
  Result<bool> test(TokenId token) override {
    const auto begin = Clock::now();
    Result<bool> answer = inner_->test(token);
    *spent_ += Clock::now() - begin;
    return answer;
  }
  Status accept(TokenId token) override { return inner_->accept(token); }

 private:
  std::unique_ptr<PotentialState> inner_;
  Clock::duration* spent_;
};

class TimedPotential : public Potential {
 public:
  TimedPotential(std::shared_ptr<const Potential> inner, Clock::duration* spent)
      : inner_(std::move(inner)), spent_(spent) {}
  const std::shared_ptr<const Vocabulary>& vocabulary() const override {
    return inner_->vocabulary();
  }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<TimedState>(inner_->start(), spent_);
  }

 private:
  std::shared_ptr<const Potential> inner_;
  Clock::duration* spent_;
};

struct Measurements {
  std::vector<double> evaluations;
  std::vector<double> tests_us;
  std::vector<double> draw_us;
  std::vector<double> pass_us;
  size_t dead = 0;
};

void print_row(const char* name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(values.size())))];
  };
  double sum = 0;
  for (const double value : values) sum += value;
  fmt::print("{:<28}{:>9.2f}{:>9.2f}{:>9.2f}{:>9.2f}{:>10.2f}\n", name,
             sum / static_cast<double>(values.size()), at(0.5), at(0.9), at(0.99), values.back());
}

Status measure(LanguageModel* model, const MaskbenchFile& file, uint64_t seed,
               Measurements* measurements) {
  const auto grammar = Grammar::from_json_schema(file.schema, {.profile = Profile::kExact});
  if (!grammar.ok()) return Status();
  const auto vocabulary = model->vocabulary();
  Clock::duration spent{};
  const auto potential =
      std::make_shared<TimedPotential>(automaton_potential(grammar.value(), vocabulary), &spent);
  std::vector<float> row(model->width());
  StepSampler sampler({.method = StepMethod::kAwrs});
  for (const MaskbenchTest& test : file.tests) {
    if (!test.valid) continue;
    const auto tokens = vocabulary->encode(test.text);
    if (!tokens.ok()) return tokens.status();
    const auto sequence = model->open({});
    if (!sequence.ok()) return sequence.status();
    PotentialCursor cursor(potential);
    for (size_t i = 0; i < tokens->size(); ++i) {
      if (Status status = model->next_log_probs(std::span(&*sequence, 1), row); !status.ok()) {
        return status;
      }
      const auto begin = Clock::now();
      if (Status status = sampler.prepare(&cursor, row); !status.ok()) return status;
      const auto prepared = Clock::now();
      spent = {};
      const StepDraw draw = sampler.draw({seed, 0, i});
      measurements->draw_us.push_back(microseconds(Clock::now() - prepared));
      measurements->pass_us.push_back(microseconds(prepared - begin));
      measurements->tests_us.push_back(microseconds(spent));
      measurements->evaluations.push_back(static_cast<double>(draw.constraint_evaluations));
      measurements->dead += draw.outcome == StepOutcome::kAccepted ? 0 : 1;
      const TokenId token = (*tokens)[i];
      if (!cursor.accept(token).ok()) break;
      if (Status status = model->extend(*sequence, std::span(&token, 1)); !status.ok()) {
        return status;
      }
    }
    model->release(*sequence);
  }
  return Status();
}

/// A model and a constraint that a script can state in one line each, to compare samplers alone:
/// token i of `tokens` has weight 1 / (i + 1), and is allowed when i is a multiple of `modulus`.
/// Each draw pays for the pass over the row, as a new position would. Prints one JSON object: for
/// each token drawn the means of its weight and of the square; the time is the processor's.
int run_mock(size_t tokens, size_t modulus, size_t draws, uint64_t seed) {
  std::vector<std::string> names;
  std::vector<float> row;
  for (size_t i = 0; i < tokens; ++i) {
    names.push_back(std::to_string(i) + ";");
    row.push_back(-std::log(static_cast<float>(i + 1)));
  }
  names.push_back("");
  row.push_back(-std::numeric_limits<float>::infinity());
  const auto vocabulary = Vocabulary::from_tokens(std::move(names), {static_cast<TokenId>(tokens)});
  if (!vocabulary.ok()) return 2;
  size_t evaluations = 0;
  PotentialCursor cursor(
      predicate_potential({.prefix =
                               [&](std::string_view text) {
                                 ++evaluations;
                                 return std::strtoull(text.data(), nullptr, 10) % modulus == 0;
                               }},
                          *vocabulary));
  StepSampler sampler({.method = StepMethod::kAwrs, .row = RowKind::kLogits});
  struct Sums {
    double weight = 0;
    double square = 0;
  };
  std::map<TokenId, Sums> sums;
  const std::clock_t begin = std::clock();
  for (uint64_t i = 0; i < draws; ++i) {
    if (!sampler.prepare(&cursor, row).ok()) return 2;
    const StepDraw draw = sampler.draw({seed, i, 0});
    const double weight = std::exp(draw.log_weight);
    Sums& sum = sums[draw.token];
    sum.weight += weight / static_cast<double>(draws);
    sum.square += weight * weight / static_cast<double>(draws);
  }
  const double us =
      static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC / static_cast<double>(draws);
  fmt::print("{{\"us_per_token\": {:.3f}, \"evaluations\": {:.4f}, \"weights\": {{", us,
             static_cast<double>(evaluations) / static_cast<double>(draws));
  const char* comma = "";
  for (const auto& [token, sum] : sums) {
    fmt::print("{}\"{}\": [{:.9g}, {:.9g}]", std::exchange(comma, ", "), token, sum.weight,
               sum.square);
  }
  fmt::print("}}}}\n");
  return 0;
}

int run(int argc, char** argv) {
  size_t mock = 0;
  size_t modulus = 2;
  size_t draws = 1000;
  std::string data;
  std::string model_name = "builtin";
  size_t files = 100;
  uint64_t seed = 0;
  CLI::App app("AWRS steps on the prefixes of MaskBench instances");
  app.add_option("--data", data, "folder of MaskBench files");
  app.add_option("--mock", mock, "in place of --data: a model of so many tokens (genlm_awrs.py)");
  app.add_option("--modulus", modulus, "with --mock: allows every so-manieth token");
  app.add_option("--draws", draws, "with --mock: how many");
  app.add_option("--model", model_name, "a trained model");
  app.add_option("--files", files, "how many, evenly spread");
  app.add_option("--seed", seed, "of the draws");
  CLI11_PARSE(app, argc, argv);
  const auto fail = [](const Status& status) {
    fmt::print(stderr, "{}\n", status.to_string());
    return 2;
  };
  if (mock > 0) return run_mock(mock, std::max<size_t>(1, modulus), draws, seed);
  auto model = open_model(model_name);
  if (!model.ok()) return fail(model.status());
  auto names = list_json_files(data);
  if (!names.ok()) return fail(names.status());
  std::erase_if(*names, [](const std::string& name) {
    return half_of(std::filesystem::path(name).filename().string()) == CorpusHalf::kTrain;
  });
  const size_t stride = std::max<size_t>(1, names->size() / std::max<size_t>(1, files));
  Measurements measurements;
  size_t read = 0;
  for (size_t i = 0; i < names->size(); i += stride) {
    const auto file = load_maskbench_file(std::filesystem::path(data) / (*names)[i]);
    if (!file.ok()) return fail(file.status());
    const Status status = measure(model->get(), *file, seed + i, &measurements);
    if (!status.ok()) return fail(status);
    ++read;
  }
  if (measurements.evaluations.empty()) {
    return fail(Status(StatusCode::kInvalidArgument, "There are no valid instances.", data));
  }
  fmt::print("{} files, {} steps over {} tokens, {} dead\n\n", read,
             measurements.evaluations.size(), (*model)->width(), measurements.dead);
  fmt::print("{:<28}{:>9}{:>9}{:>9}{:>9}{:>10}\n", "per step", "mean", "p50", "p90", "p99", "max");
  print_row("constraint evaluations", measurements.evaluations);
  print_row("inside them, us", measurements.tests_us);
  print_row("whole draw, us", measurements.draw_us);
  print_row("pass over the row, us", measurements.pass_us);
  return 0;
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) { return espalier::run(argc, argv); }
