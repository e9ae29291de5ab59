#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "engine/sampling/chance.h"

namespace espalier::testing {

/// Depth-first through all choices: a run makes the choices of `path_`, then the first of each new
/// one; `next` moves to the following path. Options that would make a path less likely than
/// `negligible` are left out and their probability is added to `lost`.
class Enumeration : public Chance {
 public:
  TokenId draw(const TokenRow& row) override {
    const std::vector<TokenId> tokens = row.tokens();
    std::vector<double> probabilities;
    double total = 0;  // not that of the row, which is a sum of floats
    for (const TokenId token : tokens) {
      probabilities.push_back(std::exp(row.log_weight(token) - row.log_total()));
      total += probabilities.back();
    }
    for (double& p : probabilities) p /= total;
    drawn.push_back(tokens[choose(probabilities)]);
    return drawn.back();
  }
  bool coin(double log_probability) override {
    const double p = std::exp(log_probability);
    return choose({p, 1 - p}) == 0;
  }
  double repeats(double log_left) override {
    const double left = std::exp(log_left);
    std::vector<double> probabilities;
    double rest = 1;
    while (rest * probability > negligible && probabilities.size() < repeats_cap) {
      probabilities.push_back(rest * left);
      rest *= 1 - left;
    }
    probabilities.push_back(rest);
    return static_cast<double>(choose(probabilities));
  }
  /// The middle of an interval between cuts, for all of it.
  double point(const Cuts& cuts) override {
    constexpr double kRounding = 1e-14;  // of cuts that would be equal
    std::vector<double> ends = cuts();
    ends.push_back(1);
    std::sort(ends.begin(), ends.end());
    std::vector<double> middles, lengths;
    double begin = 0;
    for (const double end : ends) {
      if (end > 1 || end - begin < kRounding) continue;
      middles.push_back((begin + end) / 2);
      lengths.push_back(end - begin);
      begin = end;
    }
    return middles[choose(lengths)];
  }

  bool next() {
    while (!path_.empty()) {
      Choice& last = path_.back();
      while (++last.taken < last.probabilities.size()) {
        if (last.before * last.probabilities[last.taken] > negligible) {
          restart();
          return true;
        }
        lost += last.before * last.probabilities[last.taken];
      }
      path_.pop_back();
    }
    return false;
  }

  double probability = 1;       ///< of the path so far
  double lost = 0;              ///< of what was left out
  std::vector<TokenId> drawn;   ///< on the path so far
  double negligible = 0;        ///< where paths may be endless
  size_t repeats_cap = 100000;  ///< more repeats than this count as this many

 private:
  struct Choice {
    std::vector<double> probabilities;
    size_t taken;
    double before;
  };

  size_t choose(std::vector<double> probabilities) {
    const size_t options = probabilities.size();
    if (at_ == path_.size()) path_.push_back({std::move(probabilities), 0, probability});
    const Choice& choice = path_[at_++];
    EXPECT_EQ(choice.probabilities.size(), options) << "the same choices led elsewhere";
    probability *= choice.probabilities[choice.taken];
    return choice.taken;
  }
  void restart() {
    at_ = 0;
    probability = 1;
    drawn.clear();
  }

  std::vector<Choice> path_;
  size_t at_ = 0;
};

}  // namespace espalier::testing
