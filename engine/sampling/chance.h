// The random choices of samplers.
//
// An algorithm asks Chance and never a generator, so that a test can walk through all of its
// choices with their probabilities and compute expectations exactly.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "engine/random.h"
#include "engine/sampling/token_row.h"

namespace espalier {

class Chance {
 public:
  virtual ~Chance() = default;
  /// A token that is left in a row that is not empty, by weight.
  virtual TokenId draw(const TokenRow& row) = 0;
  /// True with probability exp(log_probability).
  virtual bool coin(double log_probability) = 0;
  /// How often something of probability 1 - exp(log_left) happens before it first does not, as a
  /// number that may exceed any integer type.
  virtual double repeats(double log_left) = 0;
  /// Says where in [0, 1) what follows from a uniform number changes: in any order, and numbers
  /// outside do not matter. Only who walks through all choices asks it.
  using Cuts = std::function<std::vector<double>()>;
  /// A uniform number in [0, 1).
  virtual double point(const Cuts& cuts) = 0;
};

class RandomChance : public Chance {
 public:
  explicit RandomChance(Random random) : random_(random) {}

  TokenId draw(const TokenRow& row) override { return row.draw(&random_); }
  bool coin(double log_probability) override {
    return std::log1p(-random_.unit()) <= log_probability;
  }
  double repeats(double log_left) override {
    if (log_left >= 0) return 0;
    const double log_repeated = std::log1p(-std::exp(log_left));
    return std::min(kMany, std::floor(std::log1p(-random_.unit()) / log_repeated));
  }
  double point(const Cuts&) override { return random_.unit(); }

 private:
  static constexpr double kMany = 1e300;

  Random random_;
};

}  // namespace espalier
