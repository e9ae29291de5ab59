#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "espalier/model.h"
#include "espalier/potential.h"
#include "espalier/status.h"

namespace espalier {

struct LookAheadOptions {
  std::vector<TokenId> prompt;
  double temperature = 1;
  /// Tokens that the surrogate looks back. 0: the average distribution of what it writes.
  size_t order = 1;
  /// The token budget of the target (without the end of sequence).
  size_t max_tokens = 256;
  /// Share of the uniform distribution mixed in, so that whatever is possible counts as possible.
  double smoothing = 1e-3;
  size_t max_nodes = 200'000;
  size_t max_edges = 2'000'000;
  size_t max_bytes = size_t{512} << 20;
  size_t* model_rows = nullptr;  ///< the rows asked of the surrogate are added to it
};

/// What an n-gram model thinks of the future of each place of an automaton: h(place, k), the
/// probability that it ends validly within k more tokens. With a surrogate that looks back as far
/// as the model does, h is exact. Immutable once built; thread-safe.
class LookAhead {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr Node kEnd = UINT32_MAX - 1;  ///< behind an end of sequence

  struct Edge {
    TokenId token;
    Node child;
    double probability;  ///< the surrogate's
  };

  /// Walks the places of `potential`, which must have keys, within the budget. kUnsupported when it
  /// has none, kBudgetExceeded when there are too many, or too many tokens lead out of them.
  static Result<std::unique_ptr<LookAhead>> build(std::shared_ptr<const Potential> potential,
                                                  LanguageModel* surrogate,
                                                  const LookAheadOptions& options);

  /// The place after a token; kNone when there is none.
  Node next(Node node, TokenId token) const;
  /// log h: -infinity when no valid end is within `left` tokens, which may be as many as are left
  /// of the budget on any way to the place.
  double log_h(Node node, size_t left) const;
  std::span<const Edge> edges(Node node) const {
    return std::span(edges_).subspan(first_[node], first_[node + 1] - first_[node]);
  }
  size_t num_nodes() const { return first_.size() - 1; }
  size_t max_tokens() const { return max_tokens_; }
  size_t memory_bytes() const;

  /// The proposal row of a place: log_probs + temper * log h of what follows; -infinity where
  /// nothing valid fits into the `left` tokens (`left` counts the one to be chosen).
  void propose(Node node, size_t left, double temper, std::span<const float> log_probs,
               std::span<float> row) const;

 private:
  class Builder;
  LookAhead() = default;
  Status run_backward(size_t max_bytes);

  std::vector<uint32_t> first_;
  std::vector<Edge> edges_;     ///< of each node by token
  std::vector<double> levels_;  ///< log h, node by node, for 0, 1, .. tokens
  size_t num_levels_ = 0;       ///< later levels are the last one
  size_t max_tokens_ = 0;
};

}  // namespace espalier
