// `espalier bench --check`: instructions instead of seconds.
//
// Times on a shared machine cannot show a slow-down of a few percent; the number of instructions
// that a fixed piece of work executes can. Each workload runs in a process of its own under
// `valgrind --tool=callgrind`, which counts only inside the measured function (set-up and loading
// are left out). The counts are compared with a checked-in file; a rise of more than 5% fails, a
// fall of more than 5% is pointed out so that the file is made anew.
//
// Counts depend on the compiler, its options and the allocator, which the file names; another build
// is not compared. They depend a little on the libraries and on the processor (functions such as
// memcpy choose their code at run time), which the 5% leave room for. They say nothing about memory
// traffic: espalier bench does.

#include "jsonschemabench/instruction_counts.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/status.h"
#include "jsonschemabench/table.h"
#include "jsonschemabench/worker_pool.h"
#include "jsonschemabench/workloads.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
constexpr double kTolerance = 0.05;
constexpr auto kTimeLimit = std::chrono::minutes(10);

#ifdef NDEBUG
constexpr const char* kBuild = "optimized";
#else
constexpr const char* kBuild = "with assertions";
#endif
#ifndef ESPALIER_ALLOCATOR
#define ESPALIER_ALLOCATOR ""
#endif

struct Counts {
  std::string compiler;
  std::map<std::string, uint64_t> instructions;
};

std::string this_build() { return fmt::format("{}, {}" ESPALIER_ALLOCATOR, __VERSION__, kBuild); }

int fail(const std::string& place, const std::string& message) {
  fmt::print(stderr, "espalier: {}: {}\n", place, message);
  return 2;
}

Result<Counts> read_counts(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status(StatusCode::kIoError, "The file cannot be read.", path);
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  rapidjson::Document document;
  document.Parse(text.c_str());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("compiler") ||
      !document["compiler"].IsString() || !document.HasMember("instructions") ||
      !document["instructions"].IsObject()) {
    return Status(StatusCode::kParseError, "It is no file of instruction counts.", path);
  }
  Counts counts;
  counts.compiler = document["compiler"].GetString();
  for (const auto& member : document["instructions"].GetObject()) {
    if (!member.value.IsUint64()) {
      return Status(StatusCode::kParseError, "A count is no whole number.", path);
    }
    counts.instructions[member.name.GetString()] = member.value.GetUint64();
  }
  return counts;
}

std::string to_json(const Counts& counts) {
  std::string out =
      fmt::format("{{\n  \"compiler\": \"{}\",\n  \"instructions\": {{", counts.compiler);
  const char* separator = "\n";
  for (const auto& [name, count] : counts.instructions) {
    out += fmt::format("{}    \"{}\": {}", separator, name, count);
    separator = ",\n";
  }
  return out + "\n  }\n}\n";
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// The count that callgrind wrote: its `totals:` line.
uint64_t read_total(const fs::path& path) {
  std::ifstream stream(path);
  std::string line;
  while (std::getline(stream, line)) {
    if (line.starts_with("totals:")) return std::strtoull(line.c_str() + 7, nullptr, 10);
  }
  return 0;
}

std::string count_in_child(const std::string& program, std::string_view workload) {
  const fs::path base =
      fs::temp_directory_path() / fmt::format("espalier-check-{}-{}", ::getpid(), workload);
  const std::string out = base.string() + ".out";
  const std::string log = base.string() + ".log";
  const std::string command = fmt::format(
      "valgrind --tool=callgrind --callgrind-out-file={} --toggle-collect={} --log-file={} "
      "{} bench --workload {} > /dev/null",
      quoted(out), kMeasuredFunction, quoted(log), quoted(program), workload);
  const bool ran = std::system(command.c_str()) == 0;
  const uint64_t count = ran ? read_total(out) : 0;
  std::error_code error;
  fs::remove(out, error);
  fs::remove(log, error);
  return std::to_string(count);
}

Result<Counts> measure(const CheckOptions& options, const std::string& program) {
  Counts counts;
  counts.compiler = this_build();
  const auto names = workload_names();
  WorkerPoolOptions pool;
  pool.workers = options.threads;
  pool.time_limit = kTimeLimit;
  std::string failed;
  const Status status = run_in_workers(
      names.size(), pool, [&](size_t i) { return count_in_child(program, names[i]); },
      [&](size_t i, JobEnd end) {
        const uint64_t count = std::strtoull(end.payload.c_str(), nullptr, 10);
        if (count == 0) failed = std::string(names[i]);
        counts.instructions[std::string(names[i])] = count;
      });
  if (!status.ok()) return status;
  if (!failed.empty()) {
    return Status(StatusCode::kInternal, "The workload did not run under valgrind.", failed);
  }
  return counts;
}

int compare(const Counts& now, const Counts& before, bool json) {
  Table table{
      "Instructions of the fixed workloads", {"workload", "before", "now", "change"}, {}, ""};
  std::vector<std::string> risen;
  std::vector<std::string> fallen;
  for (const auto& [name, count] : now.instructions) {
    const auto found = before.instructions.find(name);
    if (found == before.instructions.end()) {
      risen.push_back(name);
      table.rows.push_back({name, "-", with_commas(count), "new"});
      continue;
    }
    const double change = static_cast<double>(count) / static_cast<double>(found->second) - 1;
    if (change > kTolerance) risen.push_back(name);
    if (change < -kTolerance) fallen.push_back(name);
    table.rows.push_back({name, with_commas(found->second), with_commas(count),
                          fmt::format("{:+.2f}%", change * 100)});
  }
  if (!risen.empty()) {
    table.note = fmt::format("Risen by more than 5% or new: {}.", fmt::join(risen, ", "));
  } else if (!fallen.empty()) {
    table.note =
        fmt::format("Fallen by more than 5%: {}; --update keeps that.", fmt::join(fallen, ", "));
  }
  fmt::print("{}", json ? to_json(now) : to_text(table));
  return risen.empty() ? 0 : 1;
}

}  // namespace

int run_check(const CheckOptions& options, const std::string& program) {
  if (std::system("command -v valgrind > /dev/null 2>&1") != 0) {
    fmt::print(stderr, "espalier: check: not measured, valgrind is not installed\n");
    return kExitNotMeasured;
  }
  std::optional<Counts> before;
  if (!options.update) {
    auto read = read_counts(options.baseline);
    if (!read.ok()) return fail(read.status().place(), read.status().message());
    before = std::move(read).value();
    if (before->compiler != this_build()) {
      fmt::print(stderr, "espalier: check: not measured, the baseline is of GCC {}, this is {}\n",
                 before->compiler, this_build());
      return kExitNotMeasured;
    }
  }
  auto now = measure(options, program);
  if (!now.ok()) return fail(now.status().place(), now.status().message());
  if (before) return compare(*now, *before, options.json);
  std::ofstream stream(options.baseline, std::ios::binary | std::ios::trunc);
  stream << to_json(*now);
  if (!stream.flush()) return fail(options.baseline, "The file cannot be written.");
  fmt::print("{}", to_json(*now));
  return 0;
}

}  // namespace espalier
