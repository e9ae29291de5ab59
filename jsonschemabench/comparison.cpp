// Engines side by side: counts, percentiles with ratios, splits.
//
// A peer that refuses hard schemas is timed on easy ones only, so each distribution is shown twice:
// over all files that the engine ran, and over the files that every engine passes, where all
// have read the same valid instances (an invalid one may be refused sooner or later). A ratio is
// the peer's figure over espalier's: 10x means that the peer takes ten times as long. The overhead
// of a peer's binding is part of its figures and stated below the table. Cost: one sort of all
// samples per column.

#include "jsonschemabench/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jsonschemabench/report.h"
#include "jsonschemabench/statistics.h"

namespace espalier {
namespace {

struct Column {
  std::string name;
  Distribution times;
};

std::string ratio(double peer, double ours) {
  return ours > 0 ? short_number(peer / ours) + "x" : "-";
}

constexpr std::pair<const char*, double Distribution::*> kFigures[] = {
    {"mean", &Distribution::mean}, {"p25", &Distribution::p25},    {"p50", &Distribution::p50},
    {"p75", &Distribution::p75},   {"p90", &Distribution::p90},    {"p95", &Distribution::p95},
    {"p99", &Distribution::p99},   {"p99.9", &Distribution::p999}, {"max", &Distribution::max}};

}  // namespace

void Comparison::add(FileResult result) {
  engines_[""];
  Files& files = engines_[result.engine];
  files.insert_or_assign(result.file, std::move(result));
}

std::vector<Table> Comparison::tables() const {
  return {correctness(),
          percentiles("Mask + accept, microseconds per token", Figure::kMaskAndAccept,
                      Share::kAllFiles),
          percentiles("Mask + accept on the files that every engine passes", Figure::kMaskAndAccept,
                      Share::kCommonFiles),
          percentiles("Schema to first mask, microseconds", Figure::kFirstMask, Share::kAllFiles),
          percentiles("Schema to first mask on the files that every engine passes",
                      Figure::kFirstMask, Share::kCommonFiles),
          split_correctness(),
          split_times()};
}

bool Comparison::every_engine_passes(const std::string& file) const {
  return std::all_of(engines_.begin(), engines_.end(), [&](const auto& engine) {
    const auto found = engine.second.find(file);
    return found != engine.second.end() && found->second.outcome == Outcome::kPassing;
  });
}

Table Comparison::correctness() const {
  Table table{"Correctness",
              {"engine", "files", "passing", "compile error", "validation", "invalidation", "crash",
               "timeout", "tokens", "peak MiB"},
              {},
              ""};
  for (const auto& [engine, files] : engines_) {
    OutcomeCounts counts;
    size_t tokens = 0;
    uint64_t peak = 0;
    for (const auto& [name, file] : files) {
      counts.add(file.outcome);
      tokens += file.mask_ns.size();
      peak = std::max(peak, file.peak_rss_bytes);
    }
    std::vector<std::string> row = {shown(engine), with_commas(counts.files)};
    for (size_t outcome : counts.by_outcome) row.push_back(with_commas(outcome));
    row.push_back(with_commas(tokens));
    row.push_back(with_commas(peak >> 20));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table Comparison::percentiles(const std::string& title, Figure figure, Share share) const {
  Table table{title, {""}, {}, ""};
  std::vector<Column> columns;
  size_t files_used = 0;
  for (const auto& [engine, files] : engines_) {
    std::vector<uint64_t> samples;
    uint64_t overhead = 0;
    files_used = 0;
    for (const auto& [name, file] : files) {
      overhead = std::max(overhead, file.call_overhead_ns);
      if (share == Share::kCommonFiles && !every_engine_passes(name)) continue;
      ++files_used;
      if (figure == Figure::kMaskAndAccept) {
        samples.insert(samples.end(), file.mask_ns.begin(), file.mask_ns.end());
      } else if (file.timed) {
        samples.push_back(file.first_mask_ns);
      }
    }
    columns.push_back({shown(engine), distribution_of(std::move(samples))});
    if (overhead > 0) {
      table.note += fmt::format("{}{}: {:.2f} us of each sample are calls and clock.",
                                table.note.empty() ? "" : " ", shown(engine),
                                static_cast<double>(overhead) / 1e3);
    }
  }
  if (share == Share::kCommonFiles)
    table.note = fmt::format("{} files. {}", with_commas(files_used), table.note);
  std::vector<std::string> samples = {"samples"};
  for (const Column& column : columns) {
    table.header.push_back(column.name);
    samples.push_back(with_commas(column.times.count));
  }
  for (size_t i = 1; i < columns.size(); ++i) {
    table.header.push_back(columns[i].name + " / espalier");
    samples.emplace_back();
  }
  table.rows.push_back(std::move(samples));
  for (const auto& [name, figure] : kFigures) {
    std::vector<std::string> row = {name};
    for (const Column& column : columns) row.push_back(short_number(column.times.*figure));
    for (size_t i = 1; i < columns.size(); ++i) {
      row.push_back(ratio(columns[i].times.*figure, columns[0].times.*figure));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table Comparison::split_correctness() const {
  Table table{"Passing and wrongly accepting, by split", {"split", "files"}, {}, ""};
  std::map<std::string, std::map<std::string, OutcomeCounts>> splits;
  for (const auto& [engine, files] : engines_) {
    table.header.push_back(shown(engine) + " passing");
    table.header.push_back("invalidation");
    for (const auto& [name, file] : files) splits[file.split][engine].add(file.outcome);
  }
  for (auto& [split, counts] : splits) {
    std::vector<std::string> row = {split, with_commas(counts[""].files)};
    for (const auto& [engine, files] : engines_) {
      row.push_back(with_commas(counts[engine][Outcome::kPassing]));
      row.push_back(with_commas(counts[engine][Outcome::kInvalidationError]));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table Comparison::split_times() const {
  Table table{"Mask + accept by split, microseconds: mean and p99", {"split"}, {}, ""};
  std::map<std::string, std::map<std::string, std::vector<uint64_t>>> splits;
  for (const auto& [engine, files] : engines_) {
    table.header.push_back(shown(engine) + " mean");
    table.header.push_back("p99");
    if (!engine.empty()) {
      table.header.push_back("ratio of means");
      table.header.push_back("of p99");
    }
    for (const auto& [name, file] : files) {
      auto& samples = splits[file.split][engine];
      samples.insert(samples.end(), file.mask_ns.begin(), file.mask_ns.end());
    }
  }
  for (auto& [split, samples] : splits) {
    std::vector<std::string> row = {split};
    const Distribution ours = distribution_of(samples[""]);
    for (const auto& [engine, files] : engines_) {
      const Distribution times = engine.empty() ? ours : distribution_of(samples[engine]);
      row.push_back(times.count > 0 ? short_number(times.mean) : "-");
      row.push_back(times.count > 0 ? short_number(times.p99) : "-");
      if (engine.empty()) continue;
      row.push_back(times.count > 0 ? ratio(times.mean, ours.mean) : "-");
      row.push_back(times.count > 0 ? ratio(times.p99, ours.p99) : "-");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::map<std::string, std::vector<uint64_t>> Comparison::mask_samples() const {
  std::map<std::string, std::vector<uint64_t>> out;
  for (const auto& [engine, files] : engines_) {
    auto& samples = out[engine];
    for (const auto& [name, file] : files) {
      samples.insert(samples.end(), file.mask_ns.begin(), file.mask_ns.end());
    }
    std::sort(samples.begin(), samples.end());
  }
  return out;
}

std::map<std::string, std::vector<uint64_t>> Comparison::first_mask_samples() const {
  std::map<std::string, std::vector<uint64_t>> out;
  for (const auto& [engine, files] : engines_) {
    auto& samples = out[engine];
    for (const auto& [name, file] : files) {
      if (file.timed) samples.push_back(file.first_mask_ns);
    }
    std::sort(samples.begin(), samples.end());
  }
  return out;
}

}  // namespace espalier
