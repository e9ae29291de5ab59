// Looking ahead by a backward dynamic program over automaton and n-gram.
//
// A mask knows that a token can be completed, not how likely that is. Where the model would rather
// not do what the constraint will demand, a locally masked draw walks into it all the same. The
// cure is an estimate of the future: with q a state of the automaton, s the last tokens, k the
// tokens left and p' a cheap model,
//
//   h(q, s, k) = sum over allowed a of p'(a | s) h(q.a, s.a, k - 1),      h(end) = 1
//
// Example: `(a|bc)` under a model that writes c after b with probability .01:  h(after b, 1) = .01,
// so a proposal p(a) h(..)^1/2 puts b at a tenth of its weight, before c is due.
//
// The pairs (q, s) that can be reached within the budget are walked once, breadth first, by tokens;
// then h is computed level by level, each from the one below, until the budget is reached or
// nothing changes. A pair that is d tokens away has at most N - d left, so beyond N nothing is
// walked, and h means something only for as many tokens as can be left there. Levels are summed in
// long double, whose range (1e-4932) holds the probability of any text of interest without
// logarithms. h is an estimate only in p'; where no k tokens complete a place h is zero, so it is
// also the exact token liveness under a budget, and with p' the model itself h(start, N) is the
// probability that the model's text is valid within N tokens.
//
// The surrogate is a language model asked with the last `order` tokens alone. Order 0 is one row
// for all places: the average of rows on a short walk of the surrogate.
//
// Cost: edges x levels multiplications; one row of the surrogate for each s. References: Zhang et
// al., "Adaptable logical control for large language models" (Ctrl-G), 2024; tempering: see the
// sampling page.

#include "engine/sampling/look_ahead.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/sampling/random_streams.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr size_t kMaxCachedRowBytes = size_t{128} << 20;
constexpr size_t kAverageSequences = 16;
constexpr size_t kAverageSteps = 48;
constexpr uint64_t kAverageSeed = 1;
/// Levels that differ by less are taken to be equal from there on.
constexpr long double kConverged = 1e-13L;

struct Place {
  StateKey key;
  std::vector<TokenId> history;
  friend bool operator==(const Place&, const Place&) = default;
};

struct PlaceHash {
  size_t operator()(const Place& place) const {
    uint64_t hash = 0;
    for (const uint32_t word : place.key) hash = mix64(hash + word + kGoldenGamma);
    for (const TokenId token : place.history) {
      hash = mix64(hash + static_cast<uint32_t>(token) + kGoldenGamma);
    }
    return hash;
  }
};

/// A surrogate's rows, as probabilities, by the last tokens.
class SurrogateRows {
 public:
  SurrogateRows(LanguageModel* model, const LookAheadOptions& options)
      : model_(model), options_(options) {}

  /// Until the next call.
  Result<const std::vector<double>*> row(const std::vector<TokenId>& history) {
    if (const auto known = rows_.find(history); known != rows_.end()) return &known->second;
    const size_t width = model_->width();
    if ((rows_.size() + 1) * width * sizeof(double) > kMaxCachedRowBytes) rows_.clear();
    std::vector<double> row(width);
    Status status = options_.order == 0 ? average(row) : ask(history, row);
    if (!status.ok()) return status;
    return &rows_.emplace(history, std::move(row)).first->second;
  }

 private:
  void to_probabilities(std::span<const float> log_probs, std::span<double> row) const {
    double max = kMinusInfinity;
    for (const float value : log_probs) max = std::max(max, static_cast<double>(value));
    if (std::isinf(max)) max = 0;
    const double scale = 1 / options_.temperature;
    double sum = 0;
    for (const float value : log_probs) sum += std::exp((value - max) * scale);
    // At temperature 1 a row counts as it is: the samplers take it so.
    const double norm = options_.temperature == 1 ? std::exp(-max) : sum;
    const double uniform = options_.smoothing / static_cast<double>(row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      const double p = norm > 0 ? std::exp((log_probs[i] - max) * scale) / norm : 0;
      row[i] = (1 - options_.smoothing) * p + uniform;
    }
  }

  void count_row() {
    if (options_.model_rows != nullptr) ++*options_.model_rows;
  }

  Status ask(const std::vector<TokenId>& history, std::span<double> row) {
    log_probs_.resize(row.size());
    const Result<SequenceId> sequence = model_->open(history);
    if (!sequence.ok()) return sequence.status();
    Status status = model_->next_log_probs(std::span(&*sequence, 1), log_probs_);
    count_row();
    model_->release(*sequence);
    if (status.ok()) to_probabilities(log_probs_, row);
    return status;
  }

  Status average(std::span<double> row) {
    log_probs_.resize(row.size());
    std::vector<double> sum(row.size(), 0);
    std::vector<double> next(row.size());
    for (size_t i = 0; i < kAverageSequences; ++i) {
      Random random = random_stream(kAverageSeed, StreamPurpose::kSurrogate, i, 0);
      const Result<SequenceId> sequence = model_->open(options_.prompt);
      if (!sequence.ok()) return sequence.status();
      Status status;
      for (size_t step = 0; step < kAverageSteps && status.ok(); ++step) {
        status = model_->next_log_probs(std::span(&*sequence, 1), log_probs_);
        count_row();
        if (!status.ok()) break;
        to_probabilities(log_probs_, next);
        double total = 0;
        for (size_t t = 0; t < next.size(); ++t) {
          sum[t] += next[t];
          total += next[t];
        }
        double point = random.unit() * total;
        size_t token = 0;
        while (token + 1 < next.size() && (point -= next[token]) >= 0) ++token;
        const auto id = static_cast<TokenId>(token);
        if (token >= model_->vocabulary()->size() || model_->vocabulary()->is_eos(id)) break;
        status = model_->extend(*sequence, std::span(&id, 1));
      }
      model_->release(*sequence);
      if (!status.ok()) return status;
    }
    double total = 0;
    for (const double value : sum) total += value;
    for (size_t t = 0; t < row.size(); ++t) row[t] = sum[t] / total;
    return Status();
  }

  LanguageModel* model_;
  const LookAheadOptions& options_;
  std::vector<float> log_probs_;
  std::map<std::vector<TokenId>, std::vector<double>> rows_;
};

}  // namespace

/// Walks the places breadth first.
class LookAhead::Builder {
 public:
  Builder(std::shared_ptr<const Potential> potential, LanguageModel* surrogate,
          const LookAheadOptions& options)
      : potential_(std::move(potential)),
        options_(options),
        rows_(surrogate, options_),
        allowed_(potential_->vocabulary()->row_words()),
        unknown_(potential_->vocabulary()->row_words()) {}

  Status run(LookAhead* out) {
    std::vector<TokenId> history = options_.prompt;
    shorten(&history);
    PotentialCursor start(potential_);
    const Result<Node> root = intern(std::move(start), std::move(history), 0);
    if (!root.ok()) return root.status();
    out->first_.push_back(0);
    for (Node node = 0; node < pending_.size(); ++node) {
      if (Status status = expand(node, out); !status.ok()) return status;
      out->first_.push_back(static_cast<uint32_t>(out->edges_.size()));
    }
    out->max_tokens_ = options_.max_tokens;
    return Status();
  }

 private:
  struct Pending {
    std::unique_ptr<PotentialCursor> cursor;
    std::vector<TokenId> history;
    size_t depth;  ///< fewest tokens from the root
  };

  void shorten(std::vector<TokenId>* history) const {
    if (history->size() <= options_.order) return;
    history->erase(history->begin(), history->end() - static_cast<std::ptrdiff_t>(options_.order));
  }

  Result<Node> intern(PotentialCursor cursor, std::vector<TokenId> history, size_t depth) {
    const std::optional<StateKey> key = cursor.key();
    if (!key) {
      if (!cursor.status().ok()) return cursor.status();
      return Status(StatusCode::kUnsupported,
                    "Looking ahead needs a constraint whose places have names.", "constraint");
    }
    const auto [found, fresh] =
        nodes_.try_emplace(Place{*key, history}, static_cast<Node>(pending_.size()));
    if (!fresh) return found->second;
    if (pending_.size() >= options_.max_nodes) {
      return Status(StatusCode::kBudgetExceeded, "Too many places to look ahead over.");
    }
    pending_.push_back(
        {std::make_unique<PotentialCursor>(std::move(cursor)), std::move(history), depth});
    return found->second;
  }

  Status collect_tokens(PotentialCursor* cursor) {
    tokens_.clear();
    const Result<Knowledge> knowledge = cursor->fill(allowed_, unknown_);
    if (!knowledge.ok()) return knowledge.status();
    const size_t size = potential_->vocabulary()->size();
    for (TokenId token = 0; token < static_cast<TokenId>(size); ++token) {
      const bool ask = *knowledge == Knowledge::kNone || (*knowledge == Knowledge::kPartial &&
                                                          mask_bit(as_mask_words(unknown_), token));
      if (!ask) {
        if (mask_bit(as_mask_words(allowed_), token)) tokens_.push_back(token);
        continue;
      }
      const Result<bool> passes = cursor->test(token);
      if (!passes.ok()) return passes.status();
      if (*passes) tokens_.push_back(token);
    }
    return Status();
  }

  Status expand(Node node, LookAhead* out) {
    const std::unique_ptr<PotentialCursor> cursor = std::move(pending_[node].cursor);
    const std::vector<TokenId> history = std::move(pending_[node].history);
    const size_t depth = pending_[node].depth;
    if (Status status = collect_tokens(cursor.get()); !status.ok()) return status;
    if (out->edges_.size() + tokens_.size() > options_.max_edges) {
      return Status(StatusCode::kBudgetExceeded, "Too many token edges to look ahead over.");
    }
    const auto row = rows_.row(history);
    if (!row.ok()) return row.status();
    const std::vector<double>& probabilities = **row;
    for (const TokenId token : tokens_) {
      const double p = probabilities[static_cast<size_t>(token)];
      if (!(p > 0)) continue;
      if (potential_->vocabulary()->is_eos(token)) {
        out->edges_.push_back({token, kEnd, p});
        continue;
      }
      if (depth == options_.max_tokens) continue;
      PotentialCursor next = *cursor;
      if (Status status = next.accept(token); !status.ok()) return status;
      std::vector<TokenId> longer = history;
      longer.push_back(token);
      shorten(&longer);
      const Result<Node> child = intern(std::move(next), std::move(longer), depth + 1);
      if (!child.ok()) return child.status();
      out->edges_.push_back({token, *child, p});
    }
    return Status();
  }

  std::shared_ptr<const Potential> potential_;
  LookAheadOptions options_;
  SurrogateRows rows_;
  std::unordered_map<Place, Node, PlaceHash> nodes_;
  std::vector<Pending> pending_;
  std::vector<int32_t> allowed_;
  std::vector<int32_t> unknown_;
  std::vector<TokenId> tokens_;
};

Result<std::unique_ptr<LookAhead>> LookAhead::build(std::shared_ptr<const Potential> potential,
                                                    LanguageModel* surrogate,
                                                    const LookAheadOptions& options) {
  std::unique_ptr<LookAhead> made(new LookAhead());
  Builder builder(std::move(potential), surrogate, options);
  if (Status status = builder.run(made.get()); !status.ok()) return status;
  if (Status status = made->run_backward(options.max_bytes); !status.ok()) return status;
  return made;
}

Status LookAhead::run_backward(size_t max_bytes) {
  const size_t nodes = num_nodes();
  std::vector<long double> below(nodes, 0);
  std::vector<long double> level(nodes, 0);
  std::vector<double> by_level;
  for (size_t k = 0; k <= max_tokens_; ++k) {
    if ((by_level.size() + nodes) * 2 * sizeof(double) > max_bytes) {
      return Status(StatusCode::kBudgetExceeded, "Looking ahead needs too much memory.");
    }
    bool changed = k == 0;
    for (Node node = 0; node < nodes; ++node) {
      long double sum = 0;
      for (const Edge& edge : edges(node)) {
        if (edge.child == kEnd) {
          sum += edge.probability;
        } else if (k > 0) {
          sum += edge.probability * below[edge.child];
        }
      }
      level[node] = sum;
      changed = changed || sum - below[node] > kConverged * sum;
    }
    if (!changed) break;
    for (const long double h : level) by_level.push_back(static_cast<double>(std::log(h)));
    ++num_levels_;
    std::swap(below, level);
  }
  levels_.resize(by_level.size());
  for (Node node = 0; node < nodes; ++node) {
    for (size_t k = 0; k < num_levels_; ++k) {
      levels_[node * num_levels_ + k] = by_level[k * nodes + node];
    }
  }
  return Status();
}

LookAhead::Node LookAhead::next(Node node, TokenId token) const {
  const std::span<const Edge> out = edges(node);
  const auto found =
      std::lower_bound(out.begin(), out.end(), token,
                       [](const Edge& edge, TokenId wanted) { return edge.token < wanted; });
  return found == out.end() || found->token != token ? kNone : found->child;
}

double LookAhead::log_h(Node node, size_t left) const {
  if (node == kEnd) return 0;
  if (node == kNone) return kMinusInfinity;
  return levels_[node * num_levels_ + std::min(left, num_levels_ - 1)];
}

void LookAhead::propose(Node node, size_t left, double temper, std::span<const float> log_probs,
                        std::span<float> row) const {
  std::fill(row.begin(), row.end(), -std::numeric_limits<float>::infinity());
  for (const Edge& edge : edges(node)) {
    if (edge.child != kEnd && left == 0) continue;
    const double log_h_after = edge.child == kEnd ? 0 : log_h(edge.child, left - 1);
    if (std::isinf(log_h_after)) continue;
    const auto token = static_cast<size_t>(edge.token);
    row[token] = static_cast<float>(log_probs[token] + temper * log_h_after);
  }
}

size_t LookAhead::memory_bytes() const {
  return first_.capacity() * sizeof(uint32_t) + edges_.capacity() * sizeof(Edge) +
         levels_.capacity() * sizeof(double);
}

}  // namespace espalier
