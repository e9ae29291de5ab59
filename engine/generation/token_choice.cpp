// One step's draw.
//
// The target is the model's distribution restricted to the mask: weight exp((l - max) / T) for each
// allowed token, cut to the k heaviest and then to the fewest heaviest tokens that hold a share p
// of what is left. Ties go to the lower id, so equal inputs give equal draws. T = 0 leaves the
// heaviest token alone.
//
// A caller may reject a draw (it does not fit the token budget) and draw again: the token's weight
// becomes zero, and when nothing of the cut is left it is made anew from the tokens that remain.
// That is the distribution of the step given that none of the rejected tokens is drawn, where the
// cut holds at least one token.
//
// Weights and sums are doubles. Uniform draws need no weights: the r-th set bit of the mask is
// found by counting bits.

#include "engine/generation/token_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace espalier {
namespace {

/// The token of the `rank`-th set bit.
TokenId select_mask_bit(std::span<const MaskWord> mask, uint64_t rank) {
  size_t word = 0;
  for (; word + 1 < mask.size(); ++word) {
    const auto count = static_cast<uint64_t>(std::popcount(mask[word]));
    if (rank < count) break;
    rank -= count;
  }
  MaskWord bits = mask[word];
  for (; rank != 0; --rank) bits &= bits - 1;
  return static_cast<TokenId>(word * 32 + static_cast<size_t>(std::countr_zero(bits)));
}

}  // namespace

void TokenChoice::start(std::span<MaskWord> mask, std::span<const float> log_probs) {
  mask_ = mask;
  log_probs_ = log_probs;
  remaining_ = count_mask_bits(mask);
  candidates_.clear();
  total_ = 0;
}

std::optional<TokenId> TokenChoice::draw(Random* random) {
  if (remaining_ == 0) return std::nullopt;
  if (log_probs_.empty()) return select_mask_bit(mask_, random->below(remaining_));
  if (!(total_ > 0) && !gather()) return std::nullopt;
  double left = random->unit() * total_;
  TokenId last = -1;
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight <= 0) continue;
    last = candidate.token;
    left -= candidate.weight;
    if (left < 0) break;
  }
  return last;
}

void TokenChoice::exclude(TokenId token) {
  if (!mask_bit(mask_, token)) return;
  clear_mask_bit(mask_, token);
  --remaining_;
  total_ = 0;
  for (Candidate& candidate : candidates_) {
    if (candidate.token == token) candidate.weight = 0;
    total_ += candidate.weight;
  }
}

/// Weighs the tokens of the mask; false when none has any probability.
bool TokenChoice::gather() {
  candidates_.clear();
  double best = -std::numeric_limits<double>::infinity();
  for_each_mask_bit(mask_, [&](TokenId token) {
    const double value = log_probs_[static_cast<size_t>(token)];
    if (value > -std::numeric_limits<double>::infinity()) {
      candidates_.push_back({token, value});
      best = std::max(best, value);
    }
    return true;
  });
  if (candidates_.empty()) return false;
  if (options_.temperature <= 0) {
    const auto heaviest =
        std::find_if(candidates_.begin(), candidates_.end(),
                     [&](const Candidate& candidate) { return candidate.weight == best; });
    candidates_ = {Candidate{heaviest->token, 1.0}};
  } else {
    for (Candidate& candidate : candidates_) {
      candidate.weight = std::exp((candidate.weight - best) / options_.temperature);
    }
    truncate();
  }
  total_ = 0;
  for (const Candidate& candidate : candidates_) total_ += candidate.weight;
  return true;
}

void TokenChoice::truncate() {
  const bool cut_count =
      options_.top_k > 0 && candidates_.size() > static_cast<size_t>(options_.top_k);
  const bool cut_mass = options_.top_p < 1;
  if (!cut_count && !cut_mass) return;
  const auto heavier = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  if (cut_count) {
    std::nth_element(candidates_.begin(), candidates_.begin() + (options_.top_k - 1),
                     candidates_.end(), heavier);
    candidates_.resize(static_cast<size_t>(options_.top_k));
  }
  std::sort(candidates_.begin(), candidates_.end(), heavier);
  if (!cut_mass) return;
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double mass = 0;
  size_t kept = 0;
  while (kept < candidates_.size()) {
    mass += candidates_[kept++].weight;
    if (mass >= options_.top_p * total) break;
  }
  candidates_.resize(kept);
}

}  // namespace espalier
