#pragma once

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
    for (const TokenId token : tokens) {
      probabilities.push_back(std::exp(row.log_weight(token) - row.log_total()));
    }
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
    if (at_ == path_.size()) path_.push_back({std::move(probabilities), 0, probability});
    const Choice& choice = path_[at_++];
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
