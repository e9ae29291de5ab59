// The report of a run: counts per split, distributions, and what was refused.
//
// A summary is a commutative fold over file results: sums, maxima, multisets of durations and
// lists that are sorted when printed. So the shards of a run, merged in any order, print what the
// whole run would have printed, up to the measured durations themselves. Files that crashed
// contribute no durations; a file that ran out of time counts as the time limit in the two compile
// figures (MaskBench does the same) and nothing in the per-token one. Memory: eight bytes a token.

#include "jsonschemabench/report.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace espalier {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
constexpr size_t kFailuresShown = 20;
constexpr size_t kSlowestShown = 5;
constexpr size_t kExampleWidth = 100;

constexpr std::array<Outcome, kNumOutcomes> kOutcomes = {
    Outcome::kPassing,           Outcome::kCompileError, Outcome::kValidationError,
    Outcome::kInvalidationError, Outcome::kCrash,        Outcome::kTimeout};

void key(Writer* writer, std::string_view name) {
  writer->Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void number(Writer* writer, std::string_view name, double value) {
  key(writer, name);
  const std::string text = fmt::format("{:.3f}", value);
  writer->RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

void integer(Writer* writer, std::string_view name, uint64_t value) {
  key(writer, name);
  writer->Uint64(value);
}

void counts(Writer* writer, const OutcomeCounts& counts) {
  integer(writer, "files", counts.files);
  for (Outcome outcome : kOutcomes) integer(writer, to_string(outcome), counts[outcome]);
}

void distribution(Writer* writer, std::string_view name, const Distribution& d) {
  key(writer, name);
  writer->StartObject();
  number(writer, "mean", d.mean);
  number(writer, "p25", d.p25);
  number(writer, "p50", d.p50);
  number(writer, "p75", d.p75);
  number(writer, "p90", d.p90);
  number(writer, "p95", d.p95);
  number(writer, "p99", d.p99);
  number(writer, "p999", d.p999);
  number(writer, "max", d.max);
  writer->EndObject();
}

void counts_row(std::string* out, std::string_view name, const OutcomeCounts& counts) {
  fmt::format_to(std::back_inserter(*out), "{:<18} {:>7}", name, counts.files);
  for (Outcome outcome : kOutcomes) {
    fmt::format_to(std::back_inserter(*out), " {:>12}", counts[outcome]);
  }
  *out += '\n';
}

void distribution_row(std::string* out, std::string_view name, const Distribution& d) {
  fmt::format_to(std::back_inserter(*out), "{:<18} {:>8}", name, d.count);
  for (double value : {d.mean, d.p25, d.p50, d.p75, d.p90, d.p95, d.p99, d.p999, d.max}) {
    fmt::format_to(std::back_inserter(*out), " {:>11.2f}", value);
  }
  *out += '\n';
}

template <typename Slowest>
void slowest_rows(std::string* out, std::string_view title, std::vector<Slowest> files) {
  if (files.empty()) return;
  const size_t shown = std::min(files.size(), kSlowestShown);
  std::partial_sort(files.begin(), files.begin() + static_cast<ptrdiff_t>(shown), files.end(),
                    [](const Slowest& a, const Slowest& b) { return b < a; });
  fmt::format_to(std::back_inserter(*out), "\n{}\n", title);
  for (size_t i = 0; i < shown; ++i) {
    fmt::format_to(std::back_inserter(*out), "{:>14.2f}  {}\n",
                   static_cast<double>(files[i].ns) / 1e3, files[i].file);
  }
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  size_t cut = std::min(text.size(), kExampleWidth);
  while (cut < text.size() && cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) {
    --cut;
  }
  return cut < text.size() ? text.substr(0, cut) + "..." : text;
}

}  // namespace

void BenchSummary::add(const FileResult& result) {
  total_.add(result.outcome);
  splits_[result.split].add(result.outcome);
  tests_ += result.tests;
  valid_refused_ += result.valid_refused;
  invalid_accepted_ += result.invalid_accepted;
  for (const auto& [difference, count] : result.respelled) {
    Respelled& respelled = respelled_[difference];
    ++respelled.files;
    respelled.instances += count;
  }
  peak_rss_bytes_ = std::max(peak_rss_bytes_, result.peak_rss_bytes);
  mask_ns_.insert(mask_ns_.end(), result.mask_ns.begin(), result.mask_ns.end());
  if (!result.mask_ns.empty()) {
    slowest_masks_.push_back(
        {*std::max_element(result.mask_ns.begin(), result.mask_ns.end()), result.file});
  }
  if (result.timed) {
    slowest_starts_.push_back({result.first_mask_ns, result.file});
    largest_states_.push_back({result.state_bytes, result.file});
    state_bytes_.push_back(result.state_bytes);
    compile_ns_.push_back(result.compile_ns);
    first_mask_ns_.push_back(result.first_mask_ns);
  }
  if (result.outcome == Outcome::kCompileError) {
    Refusals& refusals = refusals_[result.keyword];
    std::string example =
        fmt::format("{}{} {}", result.file,
                    result.pointer.empty() ? "" : " " + result.pointer + ":", result.reason);
    if (refusals.files == 0 || example < refusals.example) refusals.example = std::move(example);
    ++refusals.files;
  } else if (result.outcome != Outcome::kPassing) {
    failures_.push_back({result.file, result.outcome, result.reason});
  }
}

std::string BenchSummary::json() const {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  counts(&writer, total_);
  integer(&writer, "tokens", tokens());
  distribution(&writer, "tbm_us", distribution_of(mask_ns_));
  distribution(&writer, "ttfm_us", distribution_of(first_mask_ns_));
  distribution(&writer, "compile_us", distribution_of(compile_ns_));
  distribution(&writer, "state_kb", distribution_of(state_bytes_));
  key(&writer, "splits");
  writer.StartObject();
  for (const auto& [name, split] : splits_) {
    key(&writer, name);
    writer.StartObject();
    counts(&writer, split);
    writer.EndObject();
  }
  writer.EndObject();
  integer(&writer, "tests", tests_);
  integer(&writer, "valid_refused", valid_refused_);
  integer(&writer, "invalid_accepted", invalid_accepted_);
  key(&writer, "respelled");
  writer.StartObject();
  for (const auto& [difference, respelled] : respelled_)
    integer(&writer, difference, respelled.instances);
  writer.EndObject();
  key(&writer, "refusals");
  writer.StartObject();
  for (const auto& [keyword, refusals] : refusals_) integer(&writer, keyword, refusals.files);
  writer.EndObject();
  number(&writer, "peak_rss_mib", static_cast<double>(peak_rss_bytes_) / (1 << 20));
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string BenchSummary::tables() const {
  std::string out =
      fmt::format("{:<18} {:>7} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "split", "files",
                  "passing", "compile err", "validation", "invalidation", "crash", "timeout");
  for (const auto& [name, split] : splits_) counts_row(&out, name, split);
  counts_row(&out, "total", total_);

  fmt::format_to(std::back_inserter(out),
                 "\n{:<18} {:>8} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}\n",
                 "microseconds", "samples", "mean", "p25", "p50", "p75", "p90", "p95", "p99",
                 "p99.9", "max");
  distribution_row(&out, "mask + accept", distribution_of(mask_ns_));
  distribution_row(&out, "to first mask", distribution_of(first_mask_ns_));
  distribution_row(&out, "compile", distribution_of(compile_ns_));
  distribution_row(&out, "state (kB)", distribution_of(state_bytes_));

  fmt::format_to(
      std::back_inserter(out),
      "\n{} instances, {} tokens; valid refused {}, invalid accepted {}; peak memory of a "
      "worker {:.0f} MiB\n",
      tests_, tokens(), valid_refused_, invalid_accepted_,
      static_cast<double>(peak_rss_bytes_) / (1 << 20));

  if (valid_refused_ > 0) {
    size_t explained = 0;
    fmt::format_to(std::back_inserter(out), "\n{:<38} {:>9} {:>6}\n",
                   "refused, accepted in another spelling", "instances", "files");
    for (const auto& [difference, respelled] : respelled_) {
      fmt::format_to(std::back_inserter(out), "{:<38} {:>9} {:>6}\n", difference,
                     respelled.instances, respelled.files);
      explained += respelled.instances;
    }
    fmt::format_to(std::back_inserter(out), "{:<38} {:>9}\n", "in none",
                   valid_refused_ - explained);
  }
  slowest_rows(&out, "slowest mask + accept, us", slowest_masks_);
  slowest_rows(&out, "slowest to first mask, us", slowest_starts_);
  slowest_rows(&out, "largest state after a test, kB", largest_states_);
  if (!refusals_.empty()) {
    std::vector<std::pair<std::string, Refusals>> rows(refusals_.begin(), refusals_.end());
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.second.files > b.second.files; });
    fmt::format_to(std::back_inserter(out), "\n{:<22} {:>6}  example\n", "refused keyword",
                   "files");
    for (const auto& [keyword, refusals] : rows) {
      fmt::format_to(std::back_inserter(out), "{:<22} {:>6}  {}\n", keyword, refusals.files,
                     one_line(refusals.example));
    }
  }
  if (!failures_.empty()) {
    std::vector<Failure> failures = failures_;
    std::sort(failures.begin(), failures.end());
    fmt::format_to(std::back_inserter(out), "\nfailing files ({} of {})\n",
                   std::min(failures.size(), kFailuresShown), failures.size());
    for (size_t i = 0; i < std::min(failures.size(), kFailuresShown); ++i) {
      fmt::format_to(std::back_inserter(out), "{} {}: {}\n", to_string(failures[i].outcome),
                     failures[i].file, one_line(failures[i].reason));
    }
  }
  return out;
}

}  // namespace espalier
