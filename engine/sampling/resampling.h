#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "espalier/population.h"

namespace espalier {

class Chance;

/// The ancestors of `count` offspring, ascending: item i is expected count * w_i / sum(w) times.
/// Weights are finite, not negative, and not all zero.
std::vector<uint32_t> resample(Resampling scheme, std::span<const double> weights, size_t count,
                               Chance* chance);

/// (sum w)^2 / sum w^2 of weights given by their logarithms; 0 when all are zero.
double effective_sample_size(std::span<const double> log_weights);

/// log(sum exp(x)), -infinity for an empty or all-zero sum.
double log_sum_exp(std::span<const double> values);

}  // namespace espalier
