// Percentiles and means of measured durations.
//
// The percentile is MaskBench's, `sorted[int(n * p / 100)]`, so that figures stand beside its
// published table: of 1,000 samples p50 is the 501st smallest, and p99.9 the largest. No
// interpolation takes place; every reported number but the mean was measured. Sums are integers
// (nanoseconds), so that merged shards give the same mean in any order. Cost: one sort.

#include "jsonschemabench/statistics.h"

#include <algorithm>

namespace espalier {

uint64_t percentile(std::span<const uint64_t> sorted, double p) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<size_t>(static_cast<double>(sorted.size()) * p / 100.0);
  return sorted[std::min(index, sorted.size() - 1)];
}

Distribution distribution_of(std::vector<uint64_t> nanoseconds) {
  Distribution d;
  d.count = nanoseconds.size();
  if (nanoseconds.empty()) return d;
  std::sort(nanoseconds.begin(), nanoseconds.end());
  uint64_t sum = 0;
  for (uint64_t ns : nanoseconds) sum += ns;
  const auto microseconds = [&](double p) {
    return static_cast<double>(percentile(nanoseconds, p)) / 1e3;
  };
  d.mean = static_cast<double>(sum) / static_cast<double>(d.count) / 1e3;
  d.p25 = microseconds(25);
  d.p50 = microseconds(50);
  d.p75 = microseconds(75);
  d.p90 = microseconds(90);
  d.p95 = microseconds(95);
  d.p99 = microseconds(99);
  d.p999 = microseconds(99.9);
  d.max = static_cast<double>(nanoseconds.back()) / 1e3;
  return d;
}

}  // namespace espalier
