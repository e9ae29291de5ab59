#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "espalier/model.h"
#include "espalier/potential.h"
#include "espalier/status.h"

namespace espalier {

/// The model's distribution at one prefix restricted to what may come next: allowed tokens of
/// probability above zero, ascending, and the running sums of their probabilities.
class MaskedRow {
 public:
  MaskedRow(std::span<const TokenId> tokens, std::span<const float> row);

  std::span<const TokenId> tokens() const { return tokens_; }
  /// Z = the probability that the next token is allowed.
  double mass() const { return cumulative_.empty() ? 0 : cumulative_.back(); }
  double probability(size_t index) const {
    return cumulative_[index] - (index == 0 ? 0 : cumulative_[index - 1]);
  }
  /// The index of the token at `point` (in [0, mass())) of the running sums.
  size_t at(double point) const;
  std::optional<size_t> find(TokenId token) const;
  size_t memory_bytes() const;

 private:
  std::vector<TokenId> tokens_;
  std::vector<double> cumulative_;
};

/// What sampling one prompt costs.
struct SamplingCost {
  size_t model_calls = 0;  ///< calls of the model, however many sequences each had
  size_t model_rows = 0;   ///< next-token rows computed
  size_t constraint_evaluations = 0;
};

struct PrefixTreeOptions {
  std::vector<TokenId> prompt;
  double temperature = 1;
  /// Beyond this, rows of prefixes that nobody has pinned are dropped, the longest unused first.
  size_t max_bytes = size_t{256} << 20;
  /// What samplers may spend: on everything, and from begin_text on.
  size_t max_model_rows = SIZE_MAX;
  size_t max_evaluations = SIZE_MAX;
  std::chrono::nanoseconds max_text_time = std::chrono::nanoseconds::max();
};

/// The prefixes that samplers of one prompt and one constraint visit, each known once: its place
/// under the constraint, its row from the model, its masked row. Particles, chains and tries hold
/// node numbers. Single-threaded.
class PrefixTree {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;

  PrefixTree(std::shared_ptr<const Potential> potential, LanguageModel* model,
             const PrefixTreeOptions& options = {});
  ~PrefixTree();
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  /// The prefix with one more ordinary token; kRejected when the constraint refuses it.
  Result<Node> child(Node node, TokenId token);
  /// Makes the rows of `nodes` known, in at most one call of the model.
  Status fetch(std::span<const Node> nodes);
  /// Natural logarithms of the next token's probabilities at the tree's temperature; of a fetched
  /// node, until the next fetch.
  std::span<const float> row(Node node) const { return nodes_[node].row; }
  /// Fetches the row and restricts it; what masks do not say is tested token by token. Until the
  /// next call of masked, fetch or child.
  Result<const MaskedRow*> masked(Node node);

  PotentialCursor& cursor(Node node) { return nodes_[node].cursor; }
  Node parent(Node node) const { return nodes_[node].parent; }
  size_t depth(Node node) const { return nodes_[node].depth; }
  std::vector<TokenId> tokens(Node node) const;

  /// A pinned node keeps its number; others may be dropped by fetch, with what they know.
  void pin(Node node) { ++nodes_[node].pins; }
  void unpin(Node node) { --nodes_[node].pins; }

  /// A text, a chain or a population begins: its time counts from now on.
  void begin_text();
  /// kBudgetExceeded when a budget of the options is spent. Samplers ask between draws.
  Status spent() const;

  const Vocabulary& vocabulary() const { return *potential_->vocabulary(); }
  const std::shared_ptr<const Potential>& potential() const { return potential_; }
  SamplingCost& cost() { return cost_; }
  const SamplingCost& cost() const { return cost_; }

 private:
  struct Entry {
    explicit Entry(PotentialCursor place) : cursor(std::move(place)) {}
    PotentialCursor cursor;
    std::shared_ptr<float[]> block;  ///< of all rows that one call of the model filled
    std::span<float> row;
    std::unique_ptr<MaskedRow> masked;
    std::optional<SequenceId> sequence;
    uint64_t used = 0;
    Node parent = kRoot;
    TokenId token = -1;
    uint32_t depth = 0;
    uint32_t pins = 0;
    uint32_t children = 0;
    bool live = true;
  };

  Status open_sequence(Node node);
  void apply_temperature(std::span<float> row) const;
  void make_room(size_t bytes);
  void forget_row(Node node);
  void drop(Node node);
  static uint64_t edge(Node node, TokenId token) {
    return (uint64_t{node} << 32) | static_cast<uint32_t>(token);
  }

  std::shared_ptr<const Potential> potential_;
  LanguageModel* model_;
  PrefixTreeOptions options_;
  std::vector<Entry> nodes_;
  std::vector<Node> free_;
  std::unordered_map<uint64_t, Node> edges_;
  size_t bytes_ = 0;
  uint64_t clock_ = 0;
  std::chrono::steady_clock::time_point began_;
  SamplingCost cost_;
};

}  // namespace espalier
