#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/model.h"
#include "espalier/potential.h"
#include "espalier/status.h"
#include "espalier/step_sampler.h"

namespace espalier {

/// How many samples of one prompt are drawn together. P is the model, Z = P(valid, within the
/// budget).
enum class PopulationMethod : uint8_t {
  kAuto,            ///< by what is known: see choose_population
  kSmc,             ///< weighted particles that are resampled; Z-hat is unbiased
  kAsap,            ///< a trie of bounds, refused prefixes ignored: biased early
  kCars,            ///< a trie of bounds with rejection: exact draws of P(x | valid)
  kMars,            ///< the same by flipping coins instead of drawing refused tokens
  kTrieImportance,  ///< a trie of bounds with weights: properly weighted, never rejects
  kMcmc,            ///< Metropolis-Hastings over whole texts: exact in the limit
};
std::string_view to_string(PopulationMethod method);
/// "auto", "smc", "asap", "cars", "mars", "trie-is", "mcmc".
std::optional<PopulationMethod> parse_population_method(std::string_view name);

/// How a weighted population is turned into an equally weighted one of the same size.
enum class Resampling : uint8_t { kMultinomial, kStratified, kSystematic, kResidual };
std::string_view to_string(Resampling scheme);
/// "multinomial", "stratified", "systematic" or "residual".
std::optional<Resampling> parse_resampling(std::string_view name);

enum class McmcProposal : uint8_t {
  kUniform,   ///< cut anywhere, draw the rest anew
  kPriority,  ///< cut where the model was undecided
  kRestart,   ///< a whole new text
};
std::string_view to_string(McmcProposal proposal);

/// What proposes the new texts of kRestart.
enum class RestartSource : uint8_t { kLocal, kLookAhead, kTrie, kSmc };

/// Log weights that a caller gives to texts, beside the constraint. `prefix` only steers (it is
/// divided out again); `complete` becomes part of the target. They may throw.
struct Critic {
  std::function<double(std::string_view prefix)> prefix;
  std::function<double(std::string_view text)> complete;
};

enum class Twist : uint8_t { kNone, kLookAhead };

struct PopulationOptions {
  PopulationMethod method = PopulationMethod::kAuto;
  std::vector<TokenId> prompt;
  double temperature = 1;
  size_t max_tokens = 256;  ///< the target is P(x | x valid, at most so many tokens)
  uint64_t seed = 0;
  /// Texts; of kSmc, whole populations.
  size_t samples = 1;

  // kSmc
  size_t particles = 10;
  double ess_threshold = 0.5;  ///< resample below this share of the particles; 0: never
  Resampling resampling = Resampling::kStratified;
  StepOptions step;
  Critic critic;

  // Looking ahead: as proposal and as twist.
  Twist twist = Twist::kNone;
  double temper = 0.5;                 ///< h^temper
  LanguageModel* surrogate = nullptr;  ///< over the same vocabulary; null: the model itself
  /// Tokens it looks back; fewer where that is too large, up to 5 where there is room.
  size_t surrogate_order = 1;

  // The methods with a trie.
  size_t max_trie_bytes = size_t{64} << 20;
  std::string trie_file;   ///< read if it exists, written at the end; "": neither
  std::string constraint;  ///< names the constraint in the file

  // kMcmc
  size_t steps = 10;  ///< for one sample; each is the end of a chain of its own
  McmcProposal proposal = McmcProposal::kRestart;
  RestartSource source = RestartSource::kLocal;

  // Budgets. When one is spent the text at work dies (of a population, the particles that move),
  // the run ends with first_failure kBudgetExceeded, and texts that were not begun are dead too; of
  // kSmc and kTrieImportance they are left out, as they would count as weights of zero.
  size_t max_attempts = 100'000;  ///< for one text of kCars, kMars and kAsap
  size_t max_model_rows = SIZE_MAX;
  size_t max_evaluations = SIZE_MAX;
  /// Of one text, chain or population. The only budget by which equal inputs may differ.
  std::chrono::nanoseconds max_text_time = std::chrono::nanoseconds::max();

  size_t max_row_bytes = size_t{256} << 20;  ///< of the model's rows kept for prefixes
};

struct PopulationSample {
  std::vector<TokenId> tokens;  ///< without the end of sequence
  std::string text;             ///< of a dead sample, its prefix
  bool dead = false;
  /// Properly weighted (kSmc over a whole population, kTrieImportance); -infinity when dead. None
  /// for the other methods.
  std::optional<double> log_weight;
};

struct Population {
  PopulationMethod method = PopulationMethod::kAuto;  ///< what was used
  std::vector<PopulationSample> samples;
  /// log of an estimate of Z: unbiased for kSmc and kTrieImportance, the share of accepted attempts
  /// times the bound for kCars and kMars, none for the others.
  std::optional<double> log_z;
  double ess = 0;                   ///< effective number of samples that are alive
  std::vector<double> ess_history;  ///< of the first population, after each step
  size_t resamplings = 0;
  size_t attempts = 0;  ///< draws that were begun
  size_t model_calls = 0;
  size_t model_rows = 0;  ///< next-token rows computed in those calls
  size_t constraint_evaluations = 0;
  bool exact = false;    ///< is each sample an exact draw of P(x | valid)? (then none is dead)
  std::string policy;    ///< what was chosen, and why
  Status first_failure;  ///< what killed the first sample that an error or a budget killed, or ok
};

/// Draws samples of one prompt under a constraint. Equal inputs and seed give equal output. A
/// status when the options are wrong, the model fails or a file cannot be used; samples die alone.
Result<Population> sample_many(std::shared_ptr<const Potential> potential, LanguageModel* model,
                               const PopulationOptions& options);

/// What is known before sampling.
struct PopulationFacts {
  Knowledge knowledge = Knowledge::kNone;  ///< of the first token
  double log_mass = 0;  ///< log of the share of the model that is valid, as far as can be told
  size_t samples = 1;
};
struct PopulationChoice {
  PopulationMethod method;
  Twist twist;
  size_t particles;
  std::string reason;
};
PopulationChoice choose_population(const PopulationFacts& facts, const PopulationOptions& options);

/// A text's share of a weighted population; equal texts are merged.
struct PosteriorItem {
  std::string text;
  double probability = 0;
  size_t count = 0;
};
/// By falling probability; samples without weights count alike, dead ones not at all.
std::vector<PosteriorItem> posterior(const std::vector<PopulationSample>& samples);

}  // namespace espalier
