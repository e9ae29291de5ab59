// `espalier bench`: choose the files, spread them over workers, gather the results.
//
// The vocabulary is loaded once, before any worker exists, and shared with them by copy-on-write; a
// worker compiles and runs one file at a time (maskbench_job.cpp) and answers with a line of JSON
// (file_result.cpp), which the parent writes to the results file as it comes and folds into the
// summary (report.cpp). Shard i/n takes every n-th file of the sorted list from the i-th on, so
// shards are disjoint, cover the list, and each meets every split; merging their results files
// prints the report of the whole.

#include "jsonschemabench/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"
#include "jsonschemabench/maskbench_job.h"
#include "jsonschemabench/report.h"
#include "jsonschemabench/shards.h"
#include "jsonschemabench/worker_pool.h"

namespace espalier {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitError = 2;

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

int print_report(const BenchSummary& summary, bool json) {
  const std::string text = json ? summary.json() + "\n" : summary.tables();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return fail(Status(StatusCode::kIoError, "The report cannot be written.", "stdout"));
  }
  return kExitOk;
}

Status merge_file(const std::string& path, BenchSummary* summary) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status(StatusCode::kIoError, "The file cannot be read.", path);
  std::string line;
  for (size_t number = 1; std::getline(stream, line); ++number) {
    if (line.empty()) continue;
    const auto result = parse_json_line(line);
    if (!result.ok()) {
      return Status(result.status().code(), result.status().message(),
                    fmt::format("{}:{}", path, number));
    }
    summary->add(*result);
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

std::string run_file(const BenchOptions& options, const std::string& name,
                     const std::shared_ptr<const Vocabulary>& vocabulary) {
  const auto file = load_maskbench_file(std::filesystem::path(options.data) / name);
  if (!file.ok()) {
    FileResult result;
    result.file = name;
    result.split = split_of(std::filesystem::path(name).filename().string());
    result.outcome = Outcome::kCompileError;
    result.keyword = "file";
    result.reason = file.status().to_string();
    return to_json_line(result);
  }
  SchemaOptions schema_options;
  schema_options.profile = options.profile;
  schema_options.schema_dir = options.schema_dir;
  return to_json_line(run_maskbench(*file, name, vocabulary, [&](std::string_view schema) {
    return Grammar::from_json_schema(schema, schema_options);
  }));
}

}  // namespace

int run_bench(const BenchOptions& options) {
  BenchSummary summary;
  if (!options.merge.empty()) {
    for (const std::string& path : options.merge) {
      if (const Status status = merge_file(path, &summary); !status.ok()) return fail(status);
    }
    return print_report(summary, options.json);
  }

  if (!(options.timeout_seconds > 0)) {
    return fail(
        Status(StatusCode::kInvalidArgument, "The time limit must be positive.", "timeout"));
  }
  const auto shard = parse_shard(options.shard);
  if (!shard.ok()) return fail(shard.status());
  auto names = list_json_files(options.data);
  if (!names.ok()) return fail(names.status());
  const std::vector<std::string> chosen =
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

  WorkerPoolOptions pool;
  pool.workers = options.threads;
  pool.time_limit =
      std::chrono::milliseconds(static_cast<int64_t>(std::max(options.timeout_seconds * 1e3, 1.0)));
  pool.memory_limit_bytes = options.memory_limit_mib << 20;
  Progress progress(chosen.size());
  const Job job = [&](size_t index) { return run_file(options, chosen[index], *vocabulary); };
  const JobCallback on_end = [&](size_t index, JobEnd end) {
    std::string line;
    if (end.kind == JobEnd::Kind::kDone) {
      line = std::move(end.payload);
      if (auto result = parse_json_line(line); result.ok()) summary.add(*result);
    } else {
      const FileResult result = unfinished(chosen[index], end, options.timeout_seconds);
      line = to_json_line(result);
      summary.add(result);
    }
    if (output.is_open()) output << line << '\n' << std::flush;
    progress.update(summary.total());
  };
  if (const Status status = run_in_workers(chosen.size(), pool, job, on_end); !status.ok()) {
    return fail(status);
  }
  if (output.is_open() && !output) {
    return fail(Status(StatusCode::kIoError, "The file cannot be written.", options.output));
  }
  return print_report(summary, options.json);
}

}  // namespace espalier
