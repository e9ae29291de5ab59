// The benchmark runner: percentiles, categories, crash isolation, limits, shards and merging.

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"
#include "jsonschemabench/bench.h"
#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"
#include "jsonschemabench/maskbench_job.h"
#include "jsonschemabench/report.h"
#include "jsonschemabench/shards.h"
#include "jsonschemabench/statistics.h"
#include "jsonschemabench/worker_pool.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// ---- Percentiles ----

TEST(Statistics, PercentileIsElementAtTruncatedIndex) {
  std::vector<uint64_t> sorted;
  for (uint64_t i = 1; i <= 1000; ++i) sorted.push_back(i);
  EXPECT_EQ(percentile(sorted, 25), 251u);
  EXPECT_EQ(percentile(sorted, 50), 501u);
  EXPECT_EQ(percentile(sorted, 99), 991u);
  EXPECT_EQ(percentile(sorted, 99.9), 1000u);
  EXPECT_EQ(percentile(sorted, 100), 1000u);
  EXPECT_EQ(percentile(std::vector<uint64_t>{7}, 99.9), 7u);
  EXPECT_EQ(percentile(std::vector<uint64_t>{7, 9}, 50), 9u);
  EXPECT_EQ(percentile({}, 50), 0u);
}

TEST(Statistics, DistributionIsInMicroseconds) {
  const Distribution d = distribution_of({3000, 1000, 2500, 500});
  EXPECT_EQ(d.count, 4u);
  EXPECT_DOUBLE_EQ(d.mean, 1.75);
  EXPECT_DOUBLE_EQ(d.p25, 1.0);
  EXPECT_DOUBLE_EQ(d.p50, 2.5);
  EXPECT_DOUBLE_EQ(d.max, 3.0);
}

// ---- Results as lines ----

TEST(FileResult, LineRoundTrips) {
  FileResult result;
  result.engine = "a peer 1.0";
  result.call_overhead_ns = 380;
  result.file = "Github_easy---o1 \"quoted\".json";
  result.split = "Github_easy";
  result.outcome = Outcome::kValidationError;
  result.reason = "a valid instance is refused\nat token 3";
  result.failing_test = 2;
  result.tests = 5;
  result.valid_refused = 1;
  result.respelled = {{"numbers", 2}, {"property order + numbers", 1}};
  result.invalid_accepted = 3;
  result.timed = true;
  result.compile_ns = 1'234'567;
  result.first_mask_ns = 900'000'000'001;
  result.peak_rss_bytes = 123456789;
  result.state_bytes = 4321;
  result.mask_ns = {0, 1, 999, 1000, 1001, 16'777'217'003};
  const std::string line = to_json_line(result);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto read = parse_json_line(line);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(to_json_line(*read), line);
  EXPECT_EQ(read->engine, result.engine);
  EXPECT_EQ(read->call_overhead_ns, result.call_overhead_ns);
  EXPECT_EQ(read->file, result.file);
  EXPECT_EQ(read->outcome, result.outcome);
  EXPECT_EQ(read->first_mask_ns, result.first_mask_ns);
  EXPECT_EQ(read->mask_ns, result.mask_ns);
  EXPECT_EQ(read->state_bytes, result.state_bytes);
  EXPECT_EQ(read->respelled, result.respelled);
  EXPECT_FALSE(parse_json_line("{\"file\":").ok());
  EXPECT_FALSE(parse_json_line("{\"file\":\"a\",\"outcome\":\"odd\"}").ok());
}

TEST(FileResult, SplitOfFileName) {
  EXPECT_EQ(split_of("Github_easy---o123.json"), "Github_easy");
  EXPECT_EQ(split_of("BFCL_java_0.json"), "BFCL");
  EXPECT_EQ(split_of("JME_1.json"), "JME");
  EXPECT_EQ(split_of("plain.json"), "plain");
}

TEST(FileResult, RefusedKeyword) {
  const auto keyword = [](std::string message, std::string place) {
    return refused_keyword(Status(StatusCode::kUnsupported, std::move(message), std::move(place)));
  };
  EXPECT_EQ(keyword("No.", "/properties/a/uniqueItems"), "uniqueItems");
  EXPECT_EQ(keyword("No.", "#/properties/a/dependencies/b"), "dependencies");
  EXPECT_EQ(keyword("The keyword 'contains' is not enforced.", ""), "contains");
  EXPECT_EQ(keyword("The keyword `$dynamicRef` is not enforced.", "somewhere"), "$dynamicRef");
  EXPECT_EQ(keyword("Odd.", ""), "unsupported");
}

// ---- Choosing files ----

TEST(Shards, Parse) {
  const auto shard = parse_shard("2/5");
  ASSERT_TRUE(shard.ok());
  EXPECT_EQ(shard->index, 2u);
  EXPECT_EQ(shard->count, 5u);
  EXPECT_EQ(parse_shard("")->count, 1u);
  for (const char* bad : {"5/5", "1", "/2", "1/", "-1/2", "1/2x", "a/b", "0/0"}) {
    EXPECT_FALSE(parse_shard(bad).ok()) << bad;
  }
}

TEST(Shards, PartitionTheFilteredList) {
  std::vector<std::string> names;
  for (int i = 0; i < 23; ++i) names.push_back((i % 2 != 0 ? "odd" : "even") + std::to_string(i));
  std::multiset<std::string> seen;
  for (size_t i = 0; i < 4; ++i) {
    for (const std::string& name : choose_files(names, "even", Shard{i, 4}, 0)) seen.insert(name);
  }
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 12u);
  EXPECT_EQ(choose_files(names, "", Shard{}, 5).size(), 5u);
  EXPECT_EQ(choose_files(names, "", Shard{}, 50).size(), 23u);
  EXPECT_TRUE(choose_files(names, "absent", Shard{}, 0).empty());
}

// ---- Workers ----

std::map<size_t, JobEnd> run_pool(size_t count, const WorkerPoolOptions& options, const Job& job) {
  std::map<size_t, JobEnd> ends;
  const Status status = run_in_workers(count, options, job, [&](size_t index, JobEnd end) {
    EXPECT_TRUE(ends.emplace(index, std::move(end)).second) << "twice: " << index;
  });
  EXPECT_TRUE(status.ok()) << status.to_string();
  return ends;
}

TEST(WorkerPool, EveryJobIsAnsweredOnce) {
  for (size_t workers : {1, 3, 8}) {
    WorkerPoolOptions options;
    options.workers = workers;
    const auto ends = run_pool(40, options, [](size_t i) {
      return std::string(i * 5000, static_cast<char>('a' + i % 26));
    });
    ASSERT_EQ(ends.size(), 40u);
    for (const auto& [index, end] : ends) {
      EXPECT_EQ(end.kind, JobEnd::Kind::kDone);
      EXPECT_EQ(end.payload, std::string(index * 5000, static_cast<char>('a' + index % 26)));
    }
  }
  EXPECT_TRUE(run_pool(0, {}, [](size_t) { return std::string(); }).empty());
}

TEST(WorkerPool, CrashIsOneResult) {
  for (size_t workers : {1, 3}) {
    WorkerPoolOptions options;
    options.workers = workers;
    const auto ends = run_pool(12, options, [](size_t i) -> std::string {
      if (i == 2) ::raise(SIGKILL);
      if (i == 3) {
        ::signal(SIGABRT, SIG_DFL);
        ::raise(SIGABRT);
      }
      if (i == 7) ::_exit(5);
      if (i == 11) throw 1;
      return "fine";
    });
    ASSERT_EQ(ends.size(), 12u);
    for (const auto& [index, end] : ends) {
      const bool crashed = index == 2 || index == 3 || index == 7 || index == 11;
      EXPECT_EQ(end.kind, crashed ? JobEnd::Kind::kCrashed : JobEnd::Kind::kDone) << index;
      EXPECT_EQ(end.peak_rss_bytes > 0, crashed);
    }
    EXPECT_EQ(ends.at(3).reason.substr(0, 18), "killed by signal 6");
    EXPECT_EQ(ends.at(7).reason, "ended with exit code 5");
    EXPECT_EQ(ends.at(11).reason, "ended by an exception");
  }
}

TEST(WorkerPool, TimeLimitIsOneResult) {
  WorkerPoolOptions options;
  options.workers = 2;
  options.time_limit = std::chrono::milliseconds(150);
  const auto begin = std::chrono::steady_clock::now();
  const auto ends = run_pool(6, options, [](size_t i) -> std::string {
    while (i == 1 || i == 4) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return "fine";
  });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  ASSERT_EQ(ends.size(), 6u);
  for (const auto& [index, end] : ends) {
    EXPECT_EQ(end.kind, index == 1 || index == 4 ? JobEnd::Kind::kTimedOut : JobEnd::Kind::kDone);
  }
  EXPECT_NE(ends.at(1).reason.find("0.15 s"), std::string::npos);
}

TEST(WorkerPool, MemoryLimitIsOneResult) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "address-space limits do not work under sanitizers";
#else
  WorkerPoolOptions options;
  options.memory_limit_bytes = size_t{64} << 20;
  const auto ends = run_pool(4, options, [](size_t i) -> std::string {
    std::vector<std::string> kept;
    for (size_t n = 0; n < (i == 2 ? 4096u : 16u); ++n) kept.emplace_back(size_t{1} << 20, 'x');
    return std::to_string(kept.size());
  });
  ASSERT_EQ(ends.size(), 4u);
  EXPECT_EQ(ends.at(1).payload, "16");
  EXPECT_EQ(ends.at(2).kind, JobEnd::Kind::kCrashed);
  EXPECT_EQ(ends.at(2).reason, "exceeded the memory limit of 64 MiB");
  EXPECT_EQ(ends.at(3).payload, "16");
#endif
}

// ---- Reading files ----

TEST(MaskbenchFile, SchemaKeepsItsBytesAndInstancesArePrinted) {
  const auto file = parse_maskbench_file(
      R"({"meta": {"schema": 1}, "schema" :  {"multipleOf": 1.0, "maximum": 123456789012345678901234567890} ,
          "tests": [{"description": "d", "valid": false, "data": {"a":[1,2.0],"b":"\u00e9"}}]})",
      "x.json");
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  EXPECT_EQ(file->schema, R"({"multipleOf": 1.0, "maximum": 123456789012345678901234567890})");
  ASSERT_EQ(file->tests.size(), 1u);
  EXPECT_FALSE(file->tests[0].valid);
  EXPECT_EQ(file->tests[0].text, "{\"a\": [1, 2.0], \"b\": \"\xc3\xa9\"}");
}

TEST(MaskbenchFile, BareSchemaAndErrors) {
  const auto bare = parse_maskbench_file(R"({"type": "string"})", "x.json");
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->schema, R"({"type": "string"})");
  EXPECT_TRUE(bare->tests.empty());
  const auto broken = parse_maskbench_file("{\"schema\": ", "x.json");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.status().place().substr(0, 7), "x.json:");
  EXPECT_FALSE(parse_maskbench_file(R"({"schema": {}, "tests": [{"data": 1}]})", "x").ok());
}

// ---- The protocol ----

/// A recognizer for a finite set of texts; `lying_byte`, when not 0, is promised by next_bytes and
/// probe everywhere but refused by step.
class TextSet : public Recognizer {
 public:
  explicit TextSet(const std::vector<std::string>& texts, uint8_t lying_byte = 0)
      : lying_byte_(lying_byte), nodes_(2) {
    for (const std::string& text : texts) {
      uint32_t at = 1;
      for (unsigned char c : text) {
        if (!nodes_[at].next.count(c)) {
          nodes_[at].next[c] = static_cast<uint32_t>(nodes_.size());
          nodes_.emplace_back();
        }
        at = nodes_[at].next[c];
      }
      nodes_[at].accepting = true;
    }
  }

  State start() override { return at(1); }
  State step(State s, uint8_t byte) override {
    const auto it = nodes_[s.state].next.find(byte);
    return it == nodes_[s.state].next.end() ? State{} : at(it->second);
  }
  State probe(State s, uint8_t byte) override {
    return lying_byte_ != 0 && byte == lying_byte_ ? s : step(s, byte);
  }
  void next_bytes(State s, ByteSet* out) override {
    for (const auto& [byte, next] : nodes_[s.state].next) out->insert(byte);
    if (lying_byte_ != 0) out->insert(lying_byte_);
  }
  bool accepting(State s) override { return nodes_[s.state].accepting; }
  Bulk bulk(State) override { return {}; }
  State leave(State, uint32_t) override { return {}; }
  Result<std::string> shortest_completion(State s) override {
    std::string out;
    uint32_t node = s.state;
    while (!nodes_[node].accepting) {
      const auto [byte, next] = *nodes_[node].next.begin();
      out += static_cast<char>(byte);
      node = next;
    }
    return out;
  }
  Explanation explain(State, const std::string&, uint8_t) override { return {}; }
  Status status() const override { return {}; }
  size_t memory_bytes() const override { return 0; }

 private:
  struct Node {
    std::map<uint8_t, uint32_t> next;
    bool accepting = false;
  };
  State at(uint32_t node) const { return State{1, 0, node, 0}; }

  uint8_t lying_byte_;
  std::vector<Node> nodes_;
};

std::shared_ptr<const Vocabulary> byte_vocabulary() {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
  tokens.push_back("");
  auto vocabulary = Vocabulary::from_tokens(std::move(tokens), {256});
  return vocabulary.ok() ? std::move(vocabulary).value() : nullptr;
}

CompileSchema texts(std::vector<std::string> accepted, uint8_t lying_byte = 0) {
  return [accepted, lying_byte](std::string_view) -> Result<std::shared_ptr<const Grammar>> {
    return Grammar::from_recognizer(std::make_shared<TextSet>(accepted, lying_byte));
  };
}

FileResult run_tests(const std::vector<MaskbenchTest>& tests, const CompileSchema& compile) {
  return run_maskbench(MaskbenchFile{"{}", tests}, "Easy---1.json", byte_vocabulary(), compile);
}

TEST(Protocol, PassingCountsEveryTokenOnceIncludingTheRefusedOne) {
  const FileResult result = run_tests({{"", true, "true"}, {"", false, "tale"}, {"", false, "tru"}},
                                      texts({"true", "[1]"}));
  EXPECT_EQ(result.outcome, Outcome::kPassing) << result.reason;
  EXPECT_EQ(result.split, "Easy");
  EXPECT_EQ(result.tests, 3u);
  EXPECT_EQ(result.mask_ns.size(), 4u + 2u + 3u);
  EXPECT_TRUE(result.timed);
  EXPECT_GE(result.first_mask_ns, result.compile_ns);
  EXPECT_GT(result.peak_rss_bytes, 0u);
  EXPECT_GT(result.state_bytes, 0u);
}

TEST(Protocol, FileWithoutTestsPassesByCompiling) {
  const FileResult result = run_tests({}, texts({"1"}));
  EXPECT_EQ(result.outcome, Outcome::kPassing);
  EXPECT_TRUE(result.mask_ns.empty());
  EXPECT_TRUE(result.timed);
}

TEST(Protocol, CompileErrorNamesKeywordAndPlace) {
  const FileResult result = run_tests({{"", true, "1"}}, [](std::string_view) {
    return Result<std::shared_ptr<const Grammar>>(
        Status(StatusCode::kUnsupported, "Refused.", "/items/contains"));
  });
  EXPECT_EQ(result.outcome, Outcome::kCompileError);
  EXPECT_EQ(result.keyword, "contains");
  EXPECT_EQ(result.pointer, "/items/contains");
  EXPECT_FALSE(result.timed);
  EXPECT_EQ(result.tests, 0u);
}

TEST(Protocol, LastFailingTestDecides) {
  const MaskbenchTest refused_valid{"", true, "no"}, accepted_invalid{"", false, "yes"},
      fine{"", true, "yes"}, unfinished{"", true, "ye"};
  const CompileSchema compile = texts({"yes"});
  EXPECT_EQ(run_tests({refused_valid, fine}, compile).outcome, Outcome::kValidationError);
  EXPECT_EQ(run_tests({unfinished}, compile).outcome, Outcome::kValidationError);
  EXPECT_EQ(run_tests({accepted_invalid}, compile).outcome, Outcome::kInvalidationError);
  const FileResult both = run_tests({refused_valid, accepted_invalid, fine}, compile);
  EXPECT_EQ(both.outcome, Outcome::kInvalidationError);
  EXPECT_EQ(both.failing_test, 1);
  EXPECT_EQ(both.valid_refused, 1u);
  EXPECT_EQ(both.invalid_accepted, 1u);
  EXPECT_EQ(run_tests({accepted_invalid, refused_valid}, compile).outcome,
            Outcome::kValidationError);
}

TEST(Protocol, RefusedValuesAreExplainedByTheirSpelling) {
  const auto compile = [](std::string_view) {
    return Grammar::from_json_schema(R"({"properties": {"a": {}, "b": {"type": "number"}}})");
  };
  const FileResult result = run_tests({{"", true, R"({"b": 1, "a": 2})"},
                                       {"", true, R"({"b": 1.0, "a": []})"},
                                       {"", true, R"({"b": 1e+16, "a": 2})"},
                                       {"", true, R"({"a": 1e-07})"},
                                       {"", true, R"({"a": 2, "b": 1})"},
                                       {"", true, R"({"b": "not valid at all"})"}},
                                      compile);
  EXPECT_EQ(result.outcome, Outcome::kValidationError);
  EXPECT_EQ(result.valid_refused, 5u);
  const std::map<std::string, uint32_t> expected = {
      {"property order", 2}, {"property order + numbers", 1}, {"numbers", 1}};
  EXPECT_EQ(result.respelled, expected);
}

TEST(Protocol, MaskThatDisagreesWithAcceptIsAValidationError) {
  const FileResult result =
      run_tests({{"", false, "yx"}, {"", true, "yes"}}, texts({"yes"}, /*lying_byte=*/'x'));
  EXPECT_EQ(result.outcome, Outcome::kValidationError);
  EXPECT_EQ(result.reason.substr(0, 14), "mask disagrees") << result.reason;
  EXPECT_EQ(result.tests, 1u);
}

// ---- Whole runs ----

class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("espalier-bench-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "data");
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string vocabulary;
    for (uint32_t b = 0; b < 256; ++b) {
      vocabulary += kDigits[b >> 2];
      vocabulary += kDigits[(b & 3) << 4];
      vocabulary += "== " + std::to_string(b) + "\n";
    }
    write("bytes.tiktoken", vocabulary);
    for (int i = 0; i < 10; ++i) {
      write(
          "data/Easy---" + std::to_string(i) + ".json",
          R"({"description": "", "meta": {}, "schema": {"type": "integer", "minimum": 3}, "tests": [
                {"description": "", "valid": true, "data": 17},
                {"description": "", "valid": false, "data": 2},
                {"description": "", "valid": false, "data": {"a": 1}}]})");
    }
    write(
        "data/Hard---wrong_label.json",
        R"({"schema": {"type": "string"}, "tests": [{"description": "", "valid": false, "data": "a"}]})");
    write("data/Hard---bad_regex.json", R"({"schema": {"pattern": "("}, "tests": []})");
    write("data/Hard---broken.json", "{");
    write("data/LICENSE", "not a schema");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  BenchOptions options() const {
    BenchOptions options;
    options.data = folder_ / "data";
    options.vocabulary = folder_ / "bytes.tiktoken";
    options.vocabulary_options.eos_ids = {256};
    options.vocabulary_options.pretokenizer = "gpt2";
    options.json = true;
    options.timeout_seconds = 20;
    return options;
  }

  static std::string run(const BenchOptions& options, int expected_exit = 0) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(run_bench(options), expected_exit);
    return ::testing::internal::GetCapturedStdout();
  }

  fs::path folder_;
};

TEST_F(Run, JsonHasTheFixedFields) {
  rapidjson::Document report;
  report.Parse(run(options()).c_str());
  ASSERT_TRUE(report.IsObject());
  const std::map<std::string, unsigned> expected = {
      {"files", 13}, {"passing", 10},           {"compile_error", 2}, {"validation_error", 0},
      {"crash", 0},  {"invalidation_error", 1}, {"timeout", 0},       {"tokens", 10 * 4 + 3}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(report.HasMember(name.c_str())) << name;
    EXPECT_EQ(report[name.c_str()].GetUint(), value) << name;
  }
  for (const char* name : {"tbm_us", "ttfm_us", "compile_us"}) {
    ASSERT_TRUE(report.HasMember(name));
    for (const char* field : {"mean", "p25", "p50", "p75", "p90", "p95", "p99", "p999", "max"}) {
      ASSERT_TRUE(report[name].HasMember(field)) << name << " " << field;
      EXPECT_GT(report[name][field].GetDouble(), 0) << name << " " << field;
    }
  }
  EXPECT_EQ(report["splits"]["Easy"]["passing"].GetUint(), 10u);
  EXPECT_EQ(report["splits"]["Hard"]["files"].GetUint(), 3u);
  EXPECT_EQ(report["refusals"]["pattern"].GetUint(), 1u);
}

TEST_F(Run, MergedShardsAndWorkersGiveTheSameCounts) {
  BenchOptions merge;
  merge.json = true;
  for (int i = 0; i < 3; ++i) {
    BenchOptions shard = options();
    shard.shard = std::to_string(i) + "/3";
    shard.output = folder_ / ("shard" + std::to_string(i) + ".jsonl");
    shard.threads = 2;
    run(shard);
    merge.merge.push_back(shard.output);
  }
  BenchOptions whole = options();
  whole.output = folder_ / "whole.jsonl";
  const std::string direct = run(whole);
  BenchOptions replay;
  replay.json = true;
  replay.merge = {whole.output};
  EXPECT_EQ(run(replay), direct);

  rapidjson::Document a, b;
  a.Parse(direct.c_str());
  b.Parse(run(merge).c_str());
  for (const char* name :
       {"files", "passing", "compile_error", "validation_error", "crash", "invalidation_error",
        "timeout", "tokens", "tests", "splits", "refusals"}) {
    EXPECT_TRUE(a[name] == b[name]) << name;
  }
}

TEST_F(Run, ColdFilesHaveTheSameResults) {
  BenchOptions cold = options();
  cold.cold = true;
  cold.threads = 2;
  rapidjson::Document a, b;
  a.Parse(run(options()).c_str());
  b.Parse(run(cold).c_str());
  for (const char* name : {"files", "passing", "compile_error", "validation_error", "crash",
                           "invalidation_error", "timeout", "tokens", "splits", "refusals"}) {
    EXPECT_TRUE(a[name] == b[name]) << name;
  }
}

TEST_F(Run, TablesNameSplitsAndRefusals) {
  BenchOptions tables = options();
  tables.json = false;
  const std::string text = run(tables);
  for (const char* part : {"Easy", "Hard", "total", "mask + accept", "p99.9", "refused keyword",
                           "pattern", "invalidation_error Hard---wrong_label.json"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(Run, UnusableArgumentsExitWithTwoAndPrintNothing) {
  BenchOptions bad = options();
  bad.shard = "3/3";
  EXPECT_EQ(run(bad, 2), "");
  bad = options();
  bad.data = folder_ / "absent";
  EXPECT_EQ(run(bad, 2), "");
  bad = options();
  bad.vocabulary = folder_ / "absent";
  EXPECT_EQ(run(bad, 2), "");
  bad = options();
  bad.filter = "matches nothing";
  EXPECT_EQ(run(bad, 2), "");
  bad = options();
  bad.merge = {folder_ / "bytes.tiktoken"};
  EXPECT_EQ(run(bad, 2), "");
}

}  // namespace
}  // namespace espalier
