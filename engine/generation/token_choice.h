#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/random.h"
#include "espalier/sampler.h"

namespace espalier {

/// Draws tokens without replacement from one step's masked distribution: after exclude(t) the draw
/// is from the same distribution given that it is not t. Reused from step to step.
class TokenChoice {
 public:
  explicit TokenChoice(const SamplingOptions& options) : options_(options) {}

  /// A new step. `mask` is used and changed until the next start; `log_probs` (empty: uniform) is
  /// only read, one value per bit of the mask.
  void start(std::span<MaskWord> mask, std::span<const float> log_probs);

  /// A token that is allowed, has probability, and was not excluded; nullopt when there is none.
  std::optional<TokenId> draw(Random* random);
  void exclude(TokenId token);

 private:
  struct Candidate {
    TokenId token;
    double weight;
  };

  bool gather();
  void truncate();

  const SamplingOptions& options_;
  std::span<MaskWord> mask_;
  std::span<const float> log_probs_;
  std::vector<Candidate> candidates_;
  double total_ = 0;
  size_t remaining_ = 0;
};

}  // namespace espalier
