// Sequential Monte Carlo: particles that live and die by the evidence.
//
// N particles are drawn token by token, each step with a properly weighted sampler (E[weight
// 1{token}] = p c), so a particle's weight is an unbiased estimate of how probable its kind of
// prefix is under the constraint. When the weights have become uneven the particles are resampled:
// heavy ones are copied, light ones dropped, all get the mean weight.
//
//   step 1   {"a"  w .9     {"b"  w .1      ESS = 1 / (.81 + .01) * 1 = 1.2 of 2: resample
//   step 2   {"a"  w .5     {"a"  w .5      one prefix: one row, one mask, one normalizer for both
//
// A particle's prefix is a node of the prefix tree, so after resampling a step costs what its
// distinct prefixes cost, plus a draw for each particle; all rows of a step come from one call of
// the model. Ended particles stay in the population with their weight.
//
// A twist psi(prefix) > 0, a guess of what is to come, multiplies the weight while the particle is
// there and is divided out when it moves on; at the end it is the critic of the complete text, part
// of the target. The look-ahead gives psi = h^t and at the same time the proposal p h^t / sum(p
// h^t), with which a step's weight depends on the prefix only, not on the token drawn.
//
// Invariants: the mean of weight x psi is an unbiased estimate at every step, and stays so under
// resampling by any scheme with expected counts N w / W, at any time that depends on the past
// alone. The draws of particle i at step t depend on (seed, i, t) only. There is no resampling
// after the last step, where it could only add variance.
//
// Cost: a draw, a child of the tree and two logarithms for each particle and step. Reference:
// Loula et al., "Syntactic and semantic control of language models via SMC", ICLR 2025.

#include "engine/sampling/smc.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <utility>

#include "engine/sampling/chance.h"
#include "engine/sampling/random_streams.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

class Swarm {
 public:
  Swarm(PrefixTree* tree, const SmcOptions& options)
      : tree_(tree), options_(options), sampler_(options.step), members_(options.particles) {
    if (options_.look_ahead != nullptr) proposal_.resize(tree_->vocabulary().width());
    for (Member& member : members_) {
      tree_->pin(member.node);
      member.log_twist = look_ahead_twist(LookAhead::kRoot, 0);
    }
  }
  ~Swarm() {
    for (const Member& member : members_) tree_->unpin(member.node);
  }
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  Result<SmcResult> run() {
    for (uint64_t step = 0; move(step); ++step) {
      if (!status_.ok()) return status_;
      const std::vector<double> totals = log_totals();
      const double ess = effective_sample_size(totals);
      result_.ess_history.push_back(ess);
      const bool moving = std::any_of(members_.begin(), members_.end(),
                                      [](const Member& member) { return member.moving(); });
      if (moving && ess < options_.ess_threshold * static_cast<double>(members_.size())) {
        redistribute(totals, step);
      }
    }
    if (!status_.ok()) return status_;
    return finish();
  }

 private:
  struct Member {
    PrefixTree::Node node = PrefixTree::kRoot;
    LookAhead::Node place = LookAhead::kRoot;
    double log_weight = 0;
    double log_twist = 0;
    bool ended = false;

    bool dead() const { return std::isinf(log_weight + log_twist); }
    bool moving() const { return !ended && !dead(); }
  };

  double look_ahead_twist(LookAhead::Node place, size_t depth) const {
    if (options_.look_ahead == nullptr) return 0;
    const size_t left = options_.max_tokens - std::min(depth, options_.max_tokens);
    return options_.temper * options_.look_ahead->log_h(place, left);
  }

  std::vector<double> log_totals() const {
    std::vector<double> totals;
    totals.reserve(members_.size());
    for (const Member& member : members_) totals.push_back(member.log_weight + member.log_twist);
    return totals;
  }

  /// One token for every particle that moves; false when there was none.
  bool move(uint64_t step) {
    order_.clear();
    nodes_.clear();
    for (uint32_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].moving()) continue;
      if (step > options_.max_tokens) {
        members_[i].log_weight = kMinusInfinity;
        continue;
      }
      order_.push_back(i);
      nodes_.push_back(members_[i].node);
    }
    if (order_.empty()) return false;
    if (out_of_budget()) return true;
    status_ = tree_->fetch(nodes_);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](uint32_t a, uint32_t b) { return members_[a].node < members_[b].node; });
    for (size_t begin = 0; begin < order_.size() && status_.ok();) {
      size_t end = begin + 1;
      while (end < order_.size() && members_[order_[end]].node == members_[order_[begin]].node) {
        ++end;
      }
      move_together(std::span(order_).subspan(begin, end - begin), step);
      begin = end;
      if (out_of_budget()) break;
    }
    return true;
  }

  /// When a budget is spent, all that move die of it.
  bool out_of_budget() {
    const Status spent = tree_->spent();
    if (spent.ok()) return false;
    note_failure(spent);
    for (Member& member : members_) {
      if (member.moving()) member.log_weight = kMinusInfinity;
    }
    return true;
  }

  /// The particles of one prefix share all that depends on it.
  void move_together(std::span<const uint32_t> group, uint64_t step) {
    const PrefixTree::Node node = members_[group.front()].node;
    const LookAhead::Node place = members_[group.front()].place;
    const std::span<const float> row = tree_->row(node);
    std::span<const float> proposal;
    if (options_.look_ahead != nullptr) {
      const size_t left = options_.max_tokens - tree_->depth(node);
      options_.look_ahead->propose(place, left, options_.temper, row, proposal_);
      proposal = proposal_;
    }
    const Status prepared = sampler_.prepare(&tree_->cursor(node), row, proposal);
    draws_.clear();
    for (const uint32_t i : group) {
      if (!draws_.empty() && !tree_->spent().ok()) break;
      draws_.push_back(prepared.ok() ? draw_token(i, step) : StepDraw{});
      if (!prepared.ok()) draws_.back().status = prepared;
      tree_->cost().constraint_evaluations += draws_.back().constraint_evaluations;
    }
    for (size_t k = 0; k < draws_.size() && status_.ok(); ++k) {
      apply(draws_[k], &members_[group[k]]);
    }
  }

  StepDraw draw_token(uint64_t particle, uint64_t step) {
    return options_.chance != nullptr ? sampler_.draw(options_.chance)
                                      : sampler_.draw({options_.seed, particle, step});
  }

  void apply(const StepDraw& draw, Member* member) {
    member->log_weight += draw.log_weight;
    if (draw.outcome != StepOutcome::kAccepted || member->dead()) {
      member->log_weight = kMinusInfinity;
      note_failure(draw.status);
      return;
    }
    if (tree_->vocabulary().is_eos(draw.token)) {
      member->ended = true;
      member->log_twist = judge(options_.critic.complete, member->node);
      return;
    }
    const Result<PrefixTree::Node> child = tree_->child(member->node, draw.token);
    if (!child.ok()) {
      member->log_weight = kMinusInfinity;
      note_failure(child.status());
      return;
    }
    place(member, *child);
    if (options_.look_ahead != nullptr) {
      member->place = options_.look_ahead->next(member->place, draw.token);
    }
    member->log_twist = look_ahead_twist(member->place, tree_->depth(*child));
    member->log_twist += judge(options_.critic.prefix, *child);
  }

  void place(Member* member, PrefixTree::Node node) {
    tree_->pin(node);
    tree_->unpin(member->node);
    member->node = node;
  }

  /// A critic's log weight; -infinity when it throws or says what is no number.
  double judge(const std::function<double(std::string_view)>& critic, PrefixTree::Node node) {
    if (!critic) return 0;
    const std::string text = tree_->vocabulary().decode(tree_->tokens(node));
    try {
      const double value = critic(text);
      if (!std::isnan(value) && value < std::numeric_limits<double>::infinity()) return value;
      note_failure(Status(StatusCode::kInvalidArgument, "The critic gave no finite weight."));
    } catch (const std::exception& error) {
      note_failure(Status(StatusCode::kInvalidArgument,
                          std::string("The critic threw: ") + error.what(), "critic"));
    } catch (...) {
      note_failure(Status(StatusCode::kInvalidArgument, "The critic threw.", "critic"));
    }
    return kMinusInfinity;
  }

  void note_failure(const Status& status) {
    if (!status.ok() && result_.first_failure.ok()) result_.first_failure = status;
  }

  void redistribute(const std::vector<double>& totals, uint64_t step) {
    const double log_sum = log_sum_exp(totals);
    if (std::isinf(log_sum)) return;
    std::vector<double> weights;
    for (const double total : totals) weights.push_back(std::exp(total - log_sum));
    RandomChance stream(random_stream(options_.seed, StreamPurpose::kResample, 0, step));
    const std::vector<uint32_t> ancestors =
        resample(options_.resampling, weights, members_.size(),
                 options_.chance != nullptr ? options_.chance : &stream);
    const double log_mean = log_sum - std::log(static_cast<double>(members_.size()));
    std::vector<Member> next;
    for (const uint32_t ancestor : ancestors) {
      next.push_back(members_[ancestor]);
      next.back().log_weight = log_mean - next.back().log_twist;
      tree_->pin(next.back().node);
    }
    for (const Member& member : members_) tree_->unpin(member.node);
    members_ = std::move(next);
    ++result_.resamplings;
  }

  SmcResult finish() {
    for (const Member& member : members_) {
      result_.particles.push_back(
          {tree_->tokens(member.node), member.log_weight + member.log_twist, member.ended});
    }
    const double log_count = std::log(static_cast<double>(members_.size()));
    result_.log_z = log_sum_exp(log_totals()) - log_count;
    return std::move(result_);
  }

  PrefixTree* tree_;
  const SmcOptions& options_;
  StepSampler sampler_;
  std::vector<Member> members_;
  std::vector<float> proposal_;
  std::vector<uint32_t> order_;
  std::vector<PrefixTree::Node> nodes_;
  std::vector<StepDraw> draws_;
  SmcResult result_;
  Status status_;
};

}  // namespace

Result<SmcResult> run_smc(PrefixTree* tree, const SmcOptions& options) {
  if (options.particles == 0) {
    return Status(StatusCode::kInvalidArgument, "A population needs at least one particle.",
                  "particles");
  }
  return Swarm(tree, options).run();
}

}  // namespace espalier
