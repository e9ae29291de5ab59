// Engines beside ours: the conversation with their processes, the protocol around them, and the
// tables that compare. A toy engine in Python stands for the real ones, which come from PyPI.

#include "jsonschemabench/peers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "espalier/vocabulary.h"
#include "jsonschemabench/comparison.h"
#include "jsonschemabench/peer_adapters.h"
#include "jsonschemabench/peer_process.h"
#include "jsonschemabench/report_folder.h"
#include "jsonschemabench/table.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
constexpr milliseconds kLong{20'000};

// ---- The conversation ----

TEST(PeerProcess, AnswersLineByLine) {
  PeerProcess process;
  ASSERT_TRUE(process.start({"cat"}, ""));
  std::string answer;
  ASSERT_EQ(process.ask("one\n", kLong, &answer), PeerProcess::Answer::kLine);
  EXPECT_EQ(answer, "one");
  const std::string large(3 << 20, 'x');
  ASSERT_EQ(process.ask(large + "\n", kLong, &answer), PeerProcess::Answer::kLine);
  EXPECT_EQ(answer, large);
}

TEST(PeerProcess, EndIsToldAndItStartsAgain) {
  PeerProcess process;
  ASSERT_TRUE(process.start({"sh", "-c", "read line; kill -SEGV $$"}, ""));
  std::string answer;
  ASSERT_EQ(process.ask("go\n", kLong, &answer), PeerProcess::Answer::kEnded);
  EXPECT_NE(answer.find("signal 11"), std::string::npos) << answer;
  EXPECT_FALSE(process.running());
  ASSERT_TRUE(process.start({"sh", "-c", "exit 3"}, ""));
  ASSERT_EQ(process.ask("go\n", kLong, &answer), PeerProcess::Answer::kEnded);
  EXPECT_EQ(answer, "ended with exit code 3");
}

TEST(PeerProcess, LimitKillsIt) {
  PeerProcess process;
  ASSERT_TRUE(process.start({"sleep", "100"}, ""));
  std::string answer;
  EXPECT_EQ(process.ask("go\n", milliseconds(50), &answer), PeerProcess::Answer::kTimedOut);
  EXPECT_FALSE(process.running());
}

// ---- The protocol around an engine ----

// Accepts the bytes of the schema text itself, one token each; some schemas misbehave.
constexpr const char* kToyEngine = R"(
import os, signal, time
from harness import Refused, main

class Toy:
    name = "toy"
    version = "1.0"
    def __init__(self, vocabulary):
        self.row = [0] * vocabulary.row_words
        self.compiled = 0
    def compile(self, schema):
        if schema == "refuse": raise Refused("'not' is too hard")
        if schema == "crash": os.kill(os.getpid(), signal.SIGSEGV)
        if schema == "hang": time.sleep(100)
        if schema == "raise": raise RuntimeError("an engine's own trouble")
        self.compiled += 1
        return schema.encode()
    def matcher(self, compiled): return [compiled, 0]
    def start(self, fresh, compiled): return [compiled, 0]
    def expected(self, matcher):
        text, at = matcher
        return text[at] if at < len(text) else -1
    def fill_mask(self, matcher):
        for i in range(len(self.row)): self.row[i] = 0
        token = self.expected(matcher)
        if token >= 0: self.row[token >> 5] = 1 << (token & 31)
    def accept(self, matcher, token):
        ok = token == self.expected(matcher)
        if matcher[0] == b"liar": ok = True
        matcher[1] += ok
        return ok
    def accepts_end(self, matcher): return self.expected(matcher) == -1
    def trivial_call(self, matcher): return lambda: None
    def keyword(self, message): return f"compiled {self.compiled}" if "not" in message else "other"

main(Toy)
)";

class ToyPeer : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("espalier-peers-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    for (const PeerAdapter& adapter : kPeerAdapters) {
      std::ofstream(folder_ / adapter.file) << adapter.text;
    }
    std::ofstream(folder_ / "toy_peer.py") << kToyEngine;
    std::vector<std::string> tokens;
    for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
    tokens.emplace_back();
    auto vocabulary = Vocabulary::from_tokens(std::move(tokens), {256});
    ASSERT_TRUE(vocabulary.ok());
    vocabulary_ = *vocabulary;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Peer> peer(bool cold, milliseconds limit = kLong) {
    PeerOptions options;
    options.name = "toy";
    options.cold = cold;
    options.time_limit = limit;
    options.memory_limit_mib = 0;
    return std::make_unique<Peer>(options, PeerInstallation{folder_.string(), "python3"},
                                  vocabulary_, peer_header(*vocabulary_, options));
  }
  static MaskbenchFile file(const std::string& schema) {
    return {schema, {{"right", true, "abc"}, {"wrong", false, "abd"}}};
  }

  fs::path folder_;
  std::shared_ptr<const Vocabulary> vocabulary_;
};

TEST_F(ToyPeer, ResultsAreThoseOfTheProtocol) {
  for (const bool cold : {false, true}) {
    auto toy = peer(cold);
    FileResult result = toy->run(file("abc"), "Split---1.json");
    EXPECT_EQ(result.outcome, Outcome::kPassing) << result.reason;
    EXPECT_EQ(result.engine, "toy 1.0");
    EXPECT_EQ(result.split, "Split");
    EXPECT_EQ(result.mask_ns.size(), 6u);
    EXPECT_EQ(result.tests, 2u);
    EXPECT_TRUE(result.timed);
    EXPECT_GE(result.first_mask_ns, result.compile_ns);
    EXPECT_GT(result.call_overhead_ns, 0u);

    result = toy->run(file("abd"), "Split---2.json");
    EXPECT_EQ(result.outcome, Outcome::kInvalidationError);
    EXPECT_EQ(result.valid_refused, 1u);
    EXPECT_EQ(result.invalid_accepted, 1u);

    result = toy->run(file("refuse"), "Split---3.json");
    EXPECT_EQ(result.outcome, Outcome::kCompileError);
    EXPECT_FALSE(result.timed);
    // Warm, the engine has compiled three schemas before; cold, only the one of the greeting.
    EXPECT_EQ(result.keyword, cold ? "compiled 1" : "compiled 3");

    result = toy->run(file("liar"), "Split---4.json");
    EXPECT_EQ(result.outcome, Outcome::kValidationError);
    EXPECT_NE(result.reason.find("mask disagrees"), std::string::npos) << result.reason;

    result = toy->run(file("raise"), "Split---5.json");
    EXPECT_EQ(result.outcome, Outcome::kValidationError);
    EXPECT_NE(result.reason.find("own trouble"), std::string::npos) << result.reason;
  }
}

TEST_F(ToyPeer, CrashAndHangAreResultsAndTheNextFileRuns) {
  for (const bool cold : {false, true}) {
    auto toy = peer(cold, milliseconds(3000));
    FileResult result = toy->run(file("crash"), "Split---1.json");
    EXPECT_EQ(result.outcome, Outcome::kCrash);
    EXPECT_NE(result.reason.find("signal 11"), std::string::npos) << result.reason;
    EXPECT_EQ(toy->run(file("abc"), "Split---2.json").outcome, Outcome::kPassing);
    result = toy->run(file("hang"), "Split---3.json");
    EXPECT_EQ(result.outcome, Outcome::kTimeout);
    EXPECT_EQ(result.first_mask_ns, 3'000'000'000u);
    EXPECT_EQ(toy->run(file("abc"), "Split---4.json").outcome, Outcome::kPassing);
  }
}

TEST(Peers, UnknownNameIsRefused) {
  const auto installation = set_up_peers({"nobody"}, fs::temp_directory_path() / "espalier-nobody");
  ASSERT_FALSE(installation.ok());
  EXPECT_EQ(installation.status().place(), "nobody");
}

// ---- The tables ----

FileResult sample(const std::string& engine, const std::string& file, Outcome outcome,
                  std::vector<uint64_t> mask_ns) {
  FileResult result;
  result.engine = engine;
  result.file = file;
  result.split = file.substr(0, 1);
  result.outcome = outcome;
  result.timed = outcome == Outcome::kPassing;
  result.first_mask_ns = mask_ns.empty() ? 0 : mask_ns[0];
  result.mask_ns = std::move(mask_ns);
  return result;
}

std::vector<std::string> row_of(const Table& table, const std::string& name) {
  for (const auto& row : table.rows) {
    if (row[0] == name) return row;
  }
  return {};
}

class Tables : public ::testing::Test {
 protected:
  void SetUp() override {
    comparison_.add(sample("", "a", Outcome::kPassing, {1000, 2000, 3000}));
    comparison_.add(sample("", "b", Outcome::kPassing, {500'000}));
    EXPECT_FALSE(comparison_.has_peers());
    comparison_.add(sample("peer 1", "a", Outcome::kPassing, {20'000, 20'000, 50'000}));
    comparison_.add(sample("peer 1", "b", Outcome::kCompileError, {}));
    EXPECT_TRUE(comparison_.has_peers());
  }
  Comparison comparison_;
};

TEST_F(Tables, RatiosArePeersOverOurs) {
  const std::vector<Table> tables = comparison_.tables();
  EXPECT_EQ(row_of(tables[0], "peer 1")[2], "1");
  const Table& all = tables[1];
  EXPECT_EQ(all.header, (std::vector<std::string>{"", "espalier", "peer 1", "peer 1 / espalier"}));
  EXPECT_EQ(row_of(all, "mean"), (std::vector<std::string>{"mean", "127", "30.0", "0.24x"}));
  const Table& common = tables[2];
  EXPECT_EQ(row_of(common, "mean"), (std::vector<std::string>{"mean", "2.00", "30.0", "15.0x"}));
  EXPECT_EQ(row_of(common, "max"), (std::vector<std::string>{"max", "3.00", "50.0", "16.7x"}));
}

TEST_F(Tables, ReportFolderHoldsTablesAndPlots) {
  const fs::path folder =
      fs::temp_directory_path() / ("espalier-report-" + std::to_string(::getpid()));
  const Status status = write_report(folder.string(), "A <report>", comparison_);
  ASSERT_TRUE(status.ok()) << status.to_string();
  for (const char* name : {"report.md", "report.html"}) {
    std::ifstream stream(folder / name);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    EXPECT_NE(text.find("15.0x"), std::string::npos) << name;
    EXPECT_TRUE(text.find("tbm.svg") != std::string::npos ||
                text.find("gnuplot") != std::string::npos);
    EXPECT_EQ(text.find("tbm.svg") != std::string::npos, fs::exists(folder / "tbm.svg"));
  }
  fs::remove_all(folder);
}

TEST(Table, IsPrintedFourWays) {
  const Table table{"T", {"name", "n"}, {{"a<b", "1"}, {"c", "1,234"}}, "Note."};
  EXPECT_EQ(to_text(table), "T\nname      n\na<b       1\nc     1,234\nNote.\n");
  EXPECT_EQ(to_markdown(table),
            "### T\n\n| name | n |\n| --- | --- |\n| a<b | 1 |\n| c | 1,234 |\n\nNote.\n\n");
  EXPECT_EQ(to_json(table),
            R"({"title":"T","header":["name","n"],"rows":[["a<b","1"],["c","1,234"]]})"
            "\n");
  EXPECT_NE(to_html(table).find("<td>a&lt;b</td>"), std::string::npos);
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(123), "123");
  EXPECT_EQ(short_number(0.126), "0.13");
  EXPECT_EQ(short_number(12.34), "12.3");
  EXPECT_EQ(short_number(1234.5), "1,235");
}

}  // namespace
}  // namespace espalier
