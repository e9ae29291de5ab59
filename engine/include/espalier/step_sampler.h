#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "espalier/potential.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

class Chance;

/// How one token is drawn. p is the model's next-token distribution, c the constraint (0 or 1) and
/// Z = sum p c. All but kLocal are *properly weighted*: E[weight 1{token = i}] = p_i c_i.
enum class StepMethod : uint8_t {
  kAuto,         ///< by what is known: kNormalizer, kThreeValued or kAwrs
  kLocal,        ///< from p c / Z, weight 1: what masking alone does; needs a full mask
  kNormalizer,   ///< from p c / Z, weight Z, no variance; needs a full mask
  kThreeValued,  ///< exact on the known part, AWRS on the rest
  kAwrs,         ///< adaptive weighted rejection sampling, recursive estimator
  kAwrsGeometric,
  kAwrsTwoLoop,
  kAwrsWithReplacement,
};
std::string_view to_string(StepMethod method);

/// What a row holds.
enum class RowKind : uint8_t {
  kLogProbabilities,  ///< natural logarithms of p as it is, normalized or not
  kLogits,            ///< p is the softmax of the row
};

inline constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

struct StepOptions {
  StepMethod method = StepMethod::kAuto;
  RowKind row = RowKind::kLogProbabilities;
  /// Draws that end an AWRS step: accepted ones (at least 2; geometric and with-replacement only,
  /// the others use 2) and refused ones (distinct for kAwrs, counted with repetition for geometric
  /// and with-replacement, not for two-loop). A bound keeps the weights proper.
  size_t max_accepts = 2;
  size_t max_rejects = kUnlimited;
  /// Budgets of one draw; exceeding one gives StepOutcome::kBudget, weight 0.
  size_t max_evaluations = 1'000'000;
  std::chrono::nanoseconds max_time = std::chrono::nanoseconds::max();
};

enum class StepOutcome : uint8_t {
  kAccepted,   ///< `token` is allowed
  kRejected,   ///< dead: `token` was tried last and refused
  kNoSupport,  ///< dead: no allowed token has any probability
  kBudget,     ///< dead: an evaluation or time budget ran out
  kFailed,     ///< dead: see `status` (a row with a NaN, a predicate that threw, a bad option)
};
std::string_view to_string(StepOutcome outcome);

struct StepDraw {
  TokenId token = -1;  ///< only to be emitted when the outcome is kAccepted
  double log_weight = -std::numeric_limits<double>::infinity();
  size_t constraint_evaluations = 0;
  /// The token is a draw from p c / Z itself and the weight is Z (1 for kLocal), no estimate.
  bool exact = false;
  StepMethod method = StepMethod::kAuto;  ///< what was used
  StepOutcome outcome = StepOutcome::kFailed;
  Status status;
};

/// Names a stream of random numbers: draws depend on these three numbers and on nothing else.
struct StreamKey {
  uint64_t seed = 0;
  uint64_t sequence = 0;
  uint64_t step = 0;
};

/// Draws the next token of sequences under a potential. The costs that depend on the vocabulary are
/// paid in prepare; any number of draws follow (particles with one prefix share it). Movable,
/// single-threaded.
class StepSampler {
 public:
  explicit StepSampler(const StepOptions& options = {});
  ~StepSampler();
  StepSampler(StepSampler&&) noexcept;
  StepSampler& operator=(StepSampler&&) noexcept;

  /// A place and the model's row there (width() floats). With a `proposal` row tokens are drawn
  /// from it and weights corrected; it must have probability wherever an allowed token has. All
  /// three must outlive the draws. A failure is also what each following draw reports.
  Status prepare(PotentialCursor* cursor, std::span<const float> row,
                 std::span<const float> proposal = {});
  StepDraw draw(const StreamKey& stream);
  /// The same with choices made elsewhere (tests walk through all of them).
  StepDraw draw(Chance* chance);

  /// What the potential knows at the prepared place, and its rows (empty for kNone).
  Knowledge knowledge() const;
  std::span<const int32_t> allowed() const;
  std::span<const int32_t> unknown() const;
  /// log Z when the mask is full.
  double log_normalizer() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier
