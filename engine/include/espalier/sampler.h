#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/matcher.h"
#include "espalier/model.h"
#include "espalier/status.h"

namespace espalier {

struct SamplingOptions {
  double temperature = 1.0;  ///< 0 = the most likely allowed token
  int top_k = 0;             ///< 0 = off; counted among allowed tokens
  double top_p = 1.0;        ///< 1 = off; mass among allowed tokens
  uint64_t seed = 0;
  size_t max_tokens = 256;  ///< without the end of sequence
  bool uniform = false;     ///< draw uniformly from each mask; no model is called
  std::vector<TokenId> prompt;
};

enum class FinishReason : uint8_t {
  kComplete,       ///< a valid document, also when the budget made it close early
  kBudget,         ///< nothing valid fits the token budget
  kDeadEnd,        ///< no token was allowed (a defect of liveness; counted)
  kUnsatisfiable,  ///< the constraint admits nothing
};
std::string_view to_string(FinishReason reason);

struct Generation {
  std::string text;
  std::vector<TokenId> tokens;  ///< without the end of sequence
  FinishReason finish_reason = FinishReason::kComplete;
  size_t model_calls = 0;
};

/// Called with the bytes of each accepted token; return false to stop early (finish_reason
/// kBudget).
using StreamCallback = std::function<bool(std::string_view bytes)>;

/// Samples one document token by token from the masked distribution of `model` (may be null when
/// options.uniform). Keeps every step inside the budget: a token is taken only if the shortest
/// known completion after it still fits, so a document that can be closed is closed. Reproducible:
/// equal inputs and seed give equal output.
Result<Generation> generate(std::shared_ptr<const Grammar> grammar,
                            std::shared_ptr<const Vocabulary> vocabulary, LanguageModel* model,
                            const SamplingOptions& options, const StreamCallback& stream = nullptr);

}  // namespace espalier
