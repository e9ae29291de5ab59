// How the runner and batches of masks scale, and what they hold in memory.
//
// Files: the same list with 1, 2, 4, ... worker processes, each of which shares the vocabulary and
// nothing else; the figure is wall time. Batches: 512 matchers go along the valid instances of the
// files, some tokens apart from each other; in each round fill_masks fills a row for everyone, with
// 1, 2, 4, ... threads, and then everyone accepts a token. The rounds are run once to warm the
// leaves that a process shares and once for each number of threads, each time on grammars compiled
// afresh, so that no number of threads profits from the states another one has built. `warm` asks
// for the same rows again at once: a copy of 8 MiB, bounded by memory more than by threads.
//
// Memory: the vocabulary by part, the largest worker with a warm process and with one process a
// file, and this process after the batches.

#include "jsonschemabench/scaling.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "espalier/batch.h"
#include "espalier/matcher.h"
#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"
#include "jsonschemabench/maskbench_job.h"
#include "jsonschemabench/shards.h"
#include "jsonschemabench/table.h"
#include "jsonschemabench/worker_pool.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kMatchers = 512;
constexpr size_t kRounds = 60;
constexpr size_t kStagger = 7;  ///< matcher i starts this many tokens times i % 8 into its instance

int fail(const Status& status) {
  fmt::print(stderr, "espalier: {}\n", status.to_string());
  return 2;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string mib(size_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20));
}

class Scaling {
 public:
  Scaling(const BenchOptions& options, std::vector<std::string> names,
          std::shared_ptr<const Vocabulary> vocabulary)
      : options_(options), names_(std::move(names)), vocabulary_(std::move(vocabulary)) {
    schema_options_.profile = options.profile;
    schema_options_.schema_dir = options.schema_dir;
    const size_t most = options.threads > 1
                            ? options.threads
                            : std::max<size_t>(1, std::thread::hardware_concurrency());
    for (size_t n = 1; n <= most; n *= 2) threads_.push_back(n);
  }

  /// Worker processes first: a process that has threads must not fork them.
  Status run() {
    for (size_t workers : threads_) {
      if (Status status = run_files(workers, /*cold=*/false); !status.ok()) return status;
    }
    if (Status status = run_files(1, /*cold=*/true); !status.ok()) return status;
    if (Status status = load_instances(); !status.ok()) return status;
    BatchTimes warm_up;
    if (Status status = run_batch(1, &warm_up); !status.ok()) return status;
    double serial = 0;
    double serial_warm = 0;
    for (size_t threads : threads_) {
      BatchTimes times;
      if (Status status = run_batch(threads, &times); !status.ok()) return status;
      if (threads == 1) {
        serial = times.moving;
        serial_warm = times.warm;
      }
      const double rows = static_cast<double>(kMatchers * kRounds);
      batch_.rows.push_back({std::to_string(threads),
                             fmt::format("{:.2f}", times.moving / rows * 1e6),
                             fmt::format("{:.2f}x", serial / times.moving),
                             fmt::format("{:.2f}", times.warm / rows * 1e6),
                             fmt::format("{:.2f}x", serial_warm / times.warm)});
    }
    describe_memory();
    return {};
  }

  std::vector<Table> tables() const { return {files_, batch_, memory_}; }

 private:
  struct BatchTimes {
    double moving = 0;  ///< seconds in fill_masks, everyone at a new token
    double warm = 0;    ///< the same rows again
  };
  struct Instance {
    std::string schema;
    std::vector<TokenId> tokens;
  };

  Status run_files(size_t workers, bool cold) {
    WorkerPoolOptions pool;
    pool.workers = workers;
    pool.time_limit = std::chrono::minutes(10);
    uint64_t peak = 0;
    size_t passing = 0;
    const Job job = [&](size_t i) { return cold ? run_apart(i) : run_file(i); };
    const auto begin = Clock::now();
    const Status status = run_in_workers(names_.size(), pool, job, [&](size_t, JobEnd end) {
      const auto result = parse_json_line(end.payload);
      if (!result.ok()) return;
      peak = std::max(peak, result->peak_rss_bytes);
      if (result->outcome == Outcome::kPassing) ++passing;
    });
    const double seconds = seconds_since(begin);
    if (!status.ok()) return status;
    if (cold) {
      peak_cold_ = peak;
      return {};
    }
    if (workers == 1) {
      serial_seconds_ = seconds;
      peak_warm_ = peak;
    }
    files_.rows.push_back({std::to_string(workers), fmt::format("{:.2f}", seconds),
                           fmt::format("{:.2f}x", serial_seconds_ / seconds), with_commas(passing),
                           mib(peak)});
    return {};
  }

  std::string run_apart(size_t i) const {
    std::string line;
    const Status status = run_in_workers(
        1, {}, [&](size_t) { return run_file(i); },
        [&](size_t, JobEnd end) { line = std::move(end.payload); });
    return status.ok() ? line : std::string();
  }

  std::string run_file(size_t i) const {
    const auto file = load_maskbench_file(std::filesystem::path(options_.data) / names_[i]);
    if (!file.ok()) return {};
    return to_json_line(run_maskbench(*file, names_[i], vocabulary_, [&](std::string_view schema) {
      return Grammar::from_json_schema(schema, schema_options_);
    }));
  }

  Status load_instances() {
    for (const std::string& name : names_) {
      if (instances_.size() == kMatchers) break;
      const auto file = load_maskbench_file(std::filesystem::path(options_.data) / name);
      if (!file.ok() || !Grammar::from_json_schema(file->schema, schema_options_).ok()) continue;
      for (const MaskbenchTest& test : file->tests) {
        if (!test.valid) continue;
        auto tokens = vocabulary_->encode(test.text);
        if (tokens.ok()) instances_.push_back({file->schema, std::move(tokens).value()});
        break;
      }
    }
    if (!instances_.empty()) return {};
    return Status(StatusCode::kInvalidArgument, "No file has a valid instance.", options_.data);
  }

  Status run_batch(size_t threads, BatchTimes* times) const {
    std::vector<std::shared_ptr<const Grammar>> grammars;
    for (const Instance& instance : instances_) {
      auto grammar = Grammar::from_json_schema(instance.schema, schema_options_);
      if (!grammar.ok()) return grammar.status();
      grammars.push_back(std::move(grammar).value());
    }
    std::vector<Matcher> matchers;
    std::vector<size_t> at;
    matchers.reserve(kMatchers);
    for (size_t i = 0; i < kMatchers; ++i) {
      matchers.emplace_back(grammars[i % grammars.size()], vocabulary_);
      at.push_back(0);
      for (size_t k = 0; k < kStagger * (i % 8); ++k) step(&matchers[i], i, &at[i]);
    }
    std::vector<Matcher*> pointers;
    for (Matcher& matcher : matchers) pointers.push_back(&matcher);
    const size_t words = vocabulary_->row_words();
    std::vector<int32_t> rows(kMatchers * words);
    const auto arena = threads > 1 ? make_task_arena(static_cast<int>(threads)) : nullptr;
    BatchOptions batch;
    batch.runner = arena.get();
    for (size_t round = 0; round < kRounds; ++round) {
      for (double* time : {&times->moving, &times->warm}) {
        const auto begin = Clock::now();
        if (Status status = fill_masks(pointers, rows, words, batch); !status.ok()) return status;
        *time += seconds_since(begin);
      }
      for (size_t i = 0; i < kMatchers; ++i) step(&matchers[i], i, &at[i]);
    }
    return {};
  }

  /// Accepts the next token of the matcher's instance, which begins again at its end.
  void step(Matcher* matcher, size_t i, size_t* at) const {
    const std::vector<TokenId>& tokens = instances_[i % instances_.size()].tokens;
    if (*at >= tokens.size() || !matcher->accept(tokens[*at]).ok()) {
      matcher->reset();
      *at = 0;
      return;
    }
    ++*at;
  }

  void describe_memory() {
    const Vocabulary::Memory parts = vocabulary_->memory();
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    memory_.rows = {
        {"vocabulary: tokens", mib(parts.tokens)},
        {"vocabulary: trie", mib(parts.trie)},
        {"vocabulary: tokenizer", mib(parts.encoder)},
        {"vocabulary: bitmaps", mib(parts.content)},
        {"vocabulary in all", mib(parts.total())},
        {"peak of one warm worker", mib(peak_warm_)},
        {"peak of a process for each file", mib(peak_cold_)},
        {"peak of 512 matchers in this process", mib(static_cast<size_t>(usage.ru_maxrss) << 10)}};
  }

  const BenchOptions& options_;
  std::vector<std::string> names_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  SchemaOptions schema_options_;
  std::vector<size_t> threads_;
  std::vector<Instance> instances_;
  double serial_seconds_ = 0;
  uint64_t peak_warm_ = 0;
  uint64_t peak_cold_ = 0;
  Table files_{"Files in worker processes",
               {"workers", "seconds", "speed-up", "passing", "peak MiB of a worker"},
               {},
               ""};
  Table batch_{"fill_masks over 512 matchers, microseconds per row",
               {"threads", "new states", "speed-up", "warm", "speed-up"},
               {},
               ""};
  Table memory_{"Memory, MiB", {"what", "MiB"}, {}, ""};
};

}  // namespace

int run_scaling(const BenchOptions& options) {
  const auto shard = parse_shard(options.shard);
  if (!shard.ok()) return fail(shard.status());
  auto names = list_json_files(options.data);
  if (!names.ok()) return fail(names.status());
  std::vector<std::string> chosen =
      choose_files(std::move(names).value(), options.filter, *shard, options.limit);
  if (chosen.empty()) {
    return fail(Status(StatusCode::kInvalidArgument, "No .json file is chosen.", options.data));
  }
  auto vocabulary = Vocabulary::load(options.vocabulary, options.vocabulary_options);
  if (!vocabulary.ok()) return fail(vocabulary.status());
  Scaling scaling(options, std::move(chosen), std::move(vocabulary).value());
  if (const Status status = scaling.run(); !status.ok()) return fail(status);
  std::string text;
  for (const Table& table : scaling.tables()) {
    text += (text.empty() || options.json ? "" : "\n") +
            (options.json ? to_json(table) : to_text(table));
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace espalier
