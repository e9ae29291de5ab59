#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier {

/// Summary of a sample of durations, in microseconds.
struct Distribution {
  size_t count = 0;
  double mean = 0;
  double p25 = 0, p50 = 0, p75 = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0;
  double max = 0;
};

/// MaskBench's percentile: element int(n * p / 100) of the sorted sample, clipped to the last one.
/// Zero for an empty sample.
uint64_t percentile(std::span<const uint64_t> sorted, double p);

/// Summarizes durations given in nanoseconds.
Distribution distribution_of(std::vector<uint64_t> nanoseconds);

}  // namespace espalier
