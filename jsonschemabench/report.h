#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "jsonschemabench/file_result.h"
#include "jsonschemabench/statistics.h"

namespace espalier {

/// Files per outcome.
struct OutcomeCounts {
  size_t files = 0;
  std::array<size_t, kNumOutcomes> by_outcome{};

  void add(Outcome outcome) {
    ++files;
    ++by_outcome[static_cast<size_t>(outcome)];
  }
  size_t operator[](Outcome outcome) const { return by_outcome[static_cast<size_t>(outcome)]; }
};

/// Everything the report prints, gathered file by file in any order.
class BenchSummary {
 public:
  void add(const FileResult& result);

  const OutcomeCounts& total() const { return total_; }
  const std::map<std::string, OutcomeCounts>& splits() const { return splits_; }
  size_t tokens() const { return mask_ns_.size(); }

  /// One JSON object on one line.
  std::string json() const;
  /// Tables: outcomes per split, durations, the slowest files, refusals by keyword, failing files.
  std::string tables() const;

 private:
  struct Refusals {
    size_t files = 0;
    std::string example;
  };
  struct Failure {
    std::string file;
    Outcome outcome;
    std::string reason;
    friend bool operator<(const Failure& a, const Failure& b) { return a.file < b.file; }
  };
  struct Slowest {
    uint64_t ns = 0;  ///< or bytes
    std::string file;
    friend auto operator<=>(const Slowest&, const Slowest&) = default;
  };

  OutcomeCounts total_;
  std::map<std::string, OutcomeCounts> splits_;
  std::map<std::string, Refusals> refusals_;
  std::vector<Failure> failures_;
  std::vector<Slowest> slowest_masks_;
  std::vector<Slowest> slowest_starts_;
  std::vector<Slowest> largest_states_;
  std::vector<uint64_t> mask_ns_;
  std::vector<uint64_t> compile_ns_;
  std::vector<uint64_t> first_mask_ns_;
  std::vector<uint64_t> state_bytes_;
  size_t tests_ = 0;
  size_t valid_refused_ = 0;
  struct Respelled {
    size_t files = 0, instances = 0;
  };
  std::map<std::string, Respelled> respelled_;  ///< by what is spelled in another way
  size_t invalid_accepted_ = 0;
  uint64_t peak_rss_bytes_ = 0;
};

}  // namespace espalier
