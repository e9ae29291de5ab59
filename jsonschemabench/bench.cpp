// `espalier bench`: choose the files, spread them over workers, gather the results.
//
// The vocabulary is loaded once, before any worker exists, and shared with them by copy-on-write; a
// worker compiles and runs one file at a time (maskbench_job.cpp) and answers with a line of JSON
// (file_result.cpp), which the parent writes to the results file as it comes and folds into the
// summary (report.cpp). Shard i/n takes every n-th file of the sorted list from the i-th on, so
// shards are disjoint, cover the list, and each meets every split; merging their results files
// prints the report of the whole.
//
// With peers, every block of files is run by each engine in turn, so that the machine's moods fall
// on all of them alike and none finds the processor's caches full of another's data; a worker owns
// its peers' processes. Cold, a file runs in a fork of the worker, which has the vocabulary and has
// compiled nothing; a peer does the same with itself.

#include "jsonschemabench/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "jsonschemabench/comparison.h"
#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"
#include "jsonschemabench/maskbench_job.h"
#include "jsonschemabench/peers.h"
#include "jsonschemabench/report.h"
#include "jsonschemabench/report_folder.h"
#include "jsonschemabench/shards.h"
#include "jsonschemabench/worker_pool.h"

namespace espalier {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitError = 2;
constexpr size_t kBlock = 64;  ///< files that one engine runs before the next one's turn

int fail(const Status& status) {
  fmt::print(stderr, "espalier: {}\n", status.to_string());
  return kExitError;
}

class Progress {
 public:
  explicit Progress(size_t total) : total_(total), shown_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }

  void update(const OutcomeCounts& counts) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    fmt::print(stderr, "\r\033[K{}/{} files, {} passing, {} refused, {} failing", counts.files,
               total_, counts[Outcome::kPassing], counts[Outcome::kCompileError],
               counts.files - counts[Outcome::kPassing] - counts[Outcome::kCompileError]);
    std::fflush(stderr);
  }

 private:
  size_t total_;
  bool shown_;
  std::chrono::steady_clock::time_point last_{};
};

/// What a run adds up to.
struct Totals {
  BenchSummary summary;  ///< espalier's own results
  std::map<std::string, BenchSummary> peers;
  Comparison comparison;

  void add(FileResult result) {
    (result.engine.empty() ? summary : peers[result.engine]).add(result);
    comparison.add(std::move(result));
  }
};

int print_report(const Totals& totals, const BenchOptions& options) {
  if (!options.report.empty()) {
    const std::string heading =
        fmt::format("espalier bench: {} files{}", totals.summary.total().files,
                    options.cold ? ", a new process for each" : "");
    const Status status = write_report(options.report, heading, totals.comparison);
    if (!status.ok()) return fail(status);
  }
  std::string text;
  if (options.json) {
    text = totals.summary.json();
    if (!totals.peers.empty()) {
      text.pop_back();
      text += ",\"peers\":{";
      for (const auto& [name, summary] : totals.peers) {
        text += fmt::format("{}\"{}\":{}", text.back() == '{' ? "" : ",", name, summary.json());
      }
      text += "}}";
    }
    text += '\n';
  } else {
    text = totals.summary.tables();
    if (totals.comparison.has_peers()) {
      for (const Table& table : totals.comparison.tables()) text += '\n' + to_text(table);
    }
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return fail(Status(StatusCode::kIoError, "The report cannot be written.", "stdout"));
  }
  return kExitOk;
}

Status merge_file(const std::string& path, Totals* totals) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status(StatusCode::kIoError, "The file cannot be read.", path);
  std::string line;
  for (size_t number = 1; std::getline(stream, line); ++number) {
    if (line.empty()) continue;
    auto result = parse_json_line(line);
    if (!result.ok()) {
      return Status(result.status().code(), result.status().message(),
                    fmt::format("{}:{}", path, number));
    }
    totals->add(std::move(result).value());
  }
  return {};
}

FileResult unfinished(const std::string& name, const JobEnd& end, double timeout_seconds) {
  FileResult result;
  result.file = name;
  result.split = split_of(std::filesystem::path(name).filename().string());
  result.outcome = end.kind == JobEnd::Kind::kTimedOut ? Outcome::kTimeout : Outcome::kCrash;
  result.reason = end.reason;
  if (result.outcome == Outcome::kTimeout) {
    result.timed = true;
    result.compile_ns = result.first_mask_ns = static_cast<uint64_t>(timeout_seconds * 1e9);
  }
  result.peak_rss_bytes = end.peak_rss_bytes;
  return result;
}

FileResult unreadable(const std::string& name, const Status& status) {
  FileResult result;
  result.file = name;
  result.split = split_of(std::filesystem::path(name).filename().string());
  result.outcome = Outcome::kCompileError;
  result.keyword = "file";
  result.reason = status.to_string();
  return result;
}

/// Runs files under every engine; lives in a worker.
class Engines {
 public:
  Engines(const BenchOptions& options, std::vector<std::string> names,
          std::shared_ptr<const Vocabulary> vocabulary)
      : options_(options), names_(std::move(names)), vocabulary_(std::move(vocabulary)) {}

  Status set_up_peers() {
    if (options_.peers.empty()) return {};
    const std::string folder =
        options_.peer_folder.empty() ? default_peer_folder() : options_.peer_folder;
    const auto installation = espalier::set_up_peers(options_.peers, folder);
    if (!installation.ok()) return installation.status();
    for (const std::string& name : options_.peers) {
      PeerOptions peer;
      peer.name = name;
      peer.cold = options_.cold;
      peer.memory_limit_mib = options_.memory_limit_mib;
      peer.time_limit = time_limit();
      peers_.push_back(std::make_unique<Peer>(peer, *installation, vocabulary_,
                                              peer_header(*vocabulary_, peer)));
    }
    return {};
  }

  size_t jobs() const { return names_.size() * (1 + peers_.size()); }
  const std::string& file_of(size_t job) const { return names_[place_of(job).file]; }

  /// The limit of a whole job: an engine's own limit is kept inside where it has a process there.
  std::chrono::milliseconds time_limit() const {
    return std::chrono::milliseconds(
        static_cast<int64_t>(std::max(options_.timeout_seconds * 1e3, 1.0)));
  }
  std::chrono::milliseconds job_limit(size_t job) const {
    const bool inside = options_.cold || place_of(job).engine > 0;
    return inside ? time_limit() + std::chrono::minutes(6) : time_limit();
  }

  WorkerPoolOptions pool_options() const {
    WorkerPoolOptions pool;
    pool.workers = options_.threads;
    pool.time_limit = time_limit();
    pool.memory_limit_bytes = options_.memory_limit_mib << 20;
    return pool;
  }

  /// The line of results of one job.
  std::string run(size_t job) {
    const std::string& name = file_of(job);
    const size_t engine = place_of(job).engine;
    const auto file = load_maskbench_file(std::filesystem::path(options_.data) / name);
    if (!file.ok()) return to_json_line(unreadable(name, file.status()));
    if (engine > 0) return to_json_line(peers_[engine - 1]->run(*file, name));
    return options_.cold ? run_apart(*file, name) : run_here(*file, name);
  }

 private:
  struct Place {
    size_t file;
    size_t engine;
  };
  /// Jobs go block by block of files, and through a block engine by engine.
  Place place_of(size_t job) const {
    const size_t engines = 1 + peers_.size();
    const size_t block = job / (kBlock * engines);
    const size_t first = block * kBlock;
    const size_t files = std::min(kBlock, names_.size() - first);
    const size_t within = job - first * engines;
    return {first + within % files, within / files};
  }

  std::string run_apart(const MaskbenchFile& file, const std::string& name) const {
    WorkerPoolOptions pool = pool_options();
    std::string line;
    const Status status = run_in_workers(
        1, pool, [&](size_t) { return run_here(file, name); },
        [&](size_t, JobEnd end) {
          line = end.kind == JobEnd::Kind::kDone
                     ? std::move(end.payload)
                     : to_json_line(unfinished(name, end, options_.timeout_seconds));
        });
    return status.ok() ? line : to_json_line(unreadable(name, status));
  }

  std::string run_here(const MaskbenchFile& file, const std::string& name) const {
    SchemaOptions schema_options;
    schema_options.profile = options_.profile;
    schema_options.schema_dir = options_.schema_dir;
    return to_json_line(run_maskbench(file, name, vocabulary_, [&](std::string_view schema) {
      return Grammar::from_json_schema(schema, schema_options);
    }));
  }

  const BenchOptions& options_;
  std::vector<std::string> names_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace

int run_bench(const BenchOptions& options) {
  Totals totals;
  if (!options.merge.empty()) {
    for (const std::string& path : options.merge) {
      if (const Status status = merge_file(path, &totals); !status.ok()) return fail(status);
    }
    return print_report(totals, options);
  }

  if (!(options.timeout_seconds > 0)) {
    return fail(
        Status(StatusCode::kInvalidArgument, "The time limit must be positive.", "timeout"));
  }
  const auto shard = parse_shard(options.shard);
  if (!shard.ok()) return fail(shard.status());
  auto names = list_json_files(options.data);
  if (!names.ok()) return fail(names.status());
  std::vector<std::string> chosen =
      choose_files(std::move(names).value(), options.filter, *shard, options.limit);
  if (chosen.empty()) {
    return fail(Status(StatusCode::kInvalidArgument, "No .json file is chosen.", options.data));
  }
  const auto vocabulary = Vocabulary::load(options.vocabulary, options.vocabulary_options);
  if (!vocabulary.ok()) return fail(vocabulary.status());
  std::ofstream output;
  if (!options.output.empty()) {
    output.open(options.output, std::ios::binary | std::ios::trunc);
    if (!output) {
      return fail(Status(StatusCode::kIoError, "The file cannot be written.", options.output));
    }
  }

  Engines engines(options, std::move(chosen), *vocabulary);
  if (const Status status = engines.set_up_peers(); !status.ok()) return fail(status);
  WorkerPoolOptions pool = engines.pool_options();
  pool.time_limit_of = [&](size_t job) { return engines.job_limit(job); };
  Progress progress(engines.jobs() / (1 + options.peers.size()));
  const JobCallback on_end = [&](size_t job, JobEnd end) {
    if (end.kind != JobEnd::Kind::kDone) {
      end.payload = to_json_line(unfinished(engines.file_of(job), end, options.timeout_seconds));
    }
    if (output.is_open()) output << end.payload << '\n' << std::flush;
    if (auto result = parse_json_line(end.payload); result.ok()) {
      totals.add(std::move(result).value());
    }
    progress.update(totals.summary.total());
  };
  const Status run = run_in_workers(
      engines.jobs(), pool, [&](size_t job) { return engines.run(job); }, on_end);
  if (!run.ok()) return fail(run);
  if (output.is_open() && !output) {
    return fail(Status(StatusCode::kIoError, "The file cannot be written.", options.output));
  }
  return print_report(totals, options);
}

}  // namespace espalier
