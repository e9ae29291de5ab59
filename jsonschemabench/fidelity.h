#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/model.h"
#include "espalier/status.h"
#include "jsonschemabench/fidelity_worlds.h"
#include "jsonschemabench/table.h"

namespace espalier {

/// Repetitions of as many exact draws as a method has runs, which show the size of the noise.
inline constexpr size_t kNoiseRuns = 20;

/// Which worlds a study samples.
enum class FidelityStudy : uint8_t {
  kAutomata,  ///< random automata and random models
  kBinary,    ///< the binary-string grammars of grammar-aligned decoding
  kSchemas,   ///< small JSON schemas under a language model
};
std::string_view to_string(FidelityStudy study);

struct FidelityOptions {
  size_t runs = 500;   ///< of each method in each world
  size_t worlds = 12;  ///< of the random ones
  uint64_t seed = 1;
  /// kSchemas: opens the model that is sampled; each call a new one.
  std::function<Result<std::unique_ptr<LanguageModel>>()> open_model;
  size_t model_order = 0;          ///< tokens that model looks back
  std::function<void()> progress;  ///< after each method in each world
};

/// What one method does in the worlds of one study: means over worlds.
struct FidelityRow {
  std::string method;
  std::string what;                         ///< in words
  double kl = 0;                            ///< KL(Q || P(. | valid)) of one text, in nats
  double tv = 0;                            ///< total variation between the same
  bool exact_law = false;                   ///< Q was computed, not counted
  std::optional<double> relative_variance;  ///< Var(Z-hat) / Z^2
  std::optional<double> bias;               ///< mean Z-hat / Z - 1
  std::optional<double> ess;                ///< effective share of the weighted texts
  double model_calls = 0;                   ///< of one run
  double evaluations = 0;                   ///< constraint evaluations of one run
  double dead = 0;                          ///< share of runs that gave no text
};

/// ASAp's distance from the truth, and MARS's attempts for one text, as the trie fills.
struct FidelityCurve {
  std::vector<size_t> draws;
  std::vector<double> asap_kl;
  std::vector<double> mars_attempts;
};

struct FidelityResult {
  FidelityStudy study = FidelityStudy::kAutomata;
  std::vector<std::string> worlds;
  std::vector<double> z;  ///< of each world, by enumeration
  /// Of each world, by enumeration: KL(Q || P) of local masking, and Var(Z-hat)/Z^2 of one draw
  /// weighted by its masks' masses.
  std::vector<double> local_kl;
  std::vector<double> local_variance;
  double program_error = 0;  ///< largest |log Z by dynamic program - log Z by enumeration|
  double noise_kl = 0;       ///< what as many exact draws show, on average
  double noise_tv = 0;
  double most_noise_kl = 0;  ///< the largest KL of kNoiseRuns repetitions of them
  std::vector<FidelityRow> rows;
  FidelityCurve curve;
};

/// What is expected of the samplers, and whether the study bears it out.
struct FidelityClaim {
  std::string claim;
  double figure = 0;
  double bound = 0;
  bool at_most = true;  ///< the figure should be at most the bound, else at least
  bool holds() const { return at_most ? figure <= bound : figure >= bound; }
};
std::vector<FidelityClaim> fidelity_claims(const FidelityResult& result);

Result<FidelityResult> run_fidelity(FidelityStudy study, const FidelityOptions& options);

Table fidelity_table(const FidelityResult& result);
Table fidelity_worlds_table(const FidelityResult& result);
Table fidelity_curve_table(const FidelityResult& result);
Table fidelity_claims_table(const FidelityResult& result);

/// Draws NAME-methods.svg and NAME-curve.svg into `folder` with gnuplot; kUnsupported where it is
/// not installed.
Status plot_fidelity(const FidelityResult& result, const std::string& folder);

}  // namespace espalier
