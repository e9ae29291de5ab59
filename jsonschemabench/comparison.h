#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "jsonschemabench/file_result.h"
#include "jsonschemabench/table.h"

namespace espalier {

/// Engines beside each other on the same files: what each gets right and how long it takes, whole,
/// by percentile and by split. espalier is the engine with the empty name and the base of all
/// ratios.
class Comparison {
 public:
  void add(FileResult result);

  /// Is there an engine beside espalier?
  bool has_peers() const { return engines_.size() > 1; }
  std::vector<Table> tables() const;

  /// Samples in nanoseconds, sorted, by engine; every file of the engine.
  std::map<std::string, std::vector<uint64_t>> mask_samples() const;
  std::map<std::string, std::vector<uint64_t>> first_mask_samples() const;

  static std::string shown(const std::string& engine) {
    return engine.empty() ? "espalier" : engine;
  }

 private:
  using Files = std::map<std::string, FileResult>;

  bool every_engine_passes(const std::string& file) const;
  Table correctness() const;
  Table split_correctness() const;
  enum class Figure : uint8_t { kMaskAndAccept, kFirstMask };
  enum class Share : uint8_t { kAllFiles, kCommonFiles };  // of the files an engine ran
  Table percentiles(const std::string& title, Figure figure, Share share) const;
  Table split_times() const;

  std::map<std::string, Files> engines_;
};

}  // namespace espalier
