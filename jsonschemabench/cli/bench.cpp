#include "jsonschemabench/bench.h"

#include <filesystem>
#include <string>

#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"
#include "jsonschemabench/instruction_counts.h"
#include "jsonschemabench/scaling.h"
#include "jsonschemabench/workloads.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier bench --data maskbench/ --vocabulary llama3.gguf
  espalier bench --data maskbench/ --vocabulary llama3.gguf --threads 8 --output results.jsonl
  espalier bench --data maskbench/ --vocabulary llama3.gguf --shard 3/16 --output part3.jsonl
  espalier bench --merge part*.jsonl --json
  espalier bench --data maskbench/ --vocabulary llama3.gguf --peers llguidance,xgrammar \
      --output beside.jsonl --report report/
  espalier bench --data maskbench/ --vocabulary llama3.gguf --cold
  espalier bench --data maskbench/ --vocabulary llama3.gguf --scaling --limit 800
  espalier bench --check --threads 4

The MaskBench protocol: each instance, printed as json.dumps would, is tokenized; before each token
the mask is computed and the token accepted. A valid instance must be accepted to its end, an
invalid one refused. Each file has limits on time and memory; worker processes isolate crashes, and
a crash is a result. Times are in microseconds: tbm is mask and accept per token, ttfm compile and
first mask, compile MaskBench's own figure. Exit code 2 on an unusable argument.)";

struct BenchFlags {
  BenchOptions bench;
  bool check = false;
  bool scaling = false;
  CheckOptions counts;
  std::string workload;
  VocabularyFlags vocabulary;
  std::string profile = "exact";
};

int check(const BenchFlags& flags) {
  CheckOptions options = flags.counts;
  options.threads = flags.bench.threads;
  options.json = flags.bench.json;
  std::error_code error;
  return run_check(options, std::filesystem::read_symlink("/proc/self/exe", error).string());
}

int workload(const std::string& name) {
  const Status status = run_workload(name);
  return status.ok() ? kExitOk : fail(status);
}

int bench(const BenchFlags& flags) {
  if (!flags.workload.empty()) return workload(flags.workload);
  if (flags.check || flags.counts.update) return check(flags);
  BenchOptions options = flags.bench;
  Result<VocabularyOptions> how = flags.vocabulary.options();
  if (!how) return fail(how.status());
  options.vocabulary = flags.vocabulary.file;
  options.vocabulary_options = how.value();
  options.profile = flags.profile == "exact" ? Profile::kExact : Profile::kGeneration;
  return flags.scaling ? run_scaling(options) : run_bench(options);
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  auto flags = std::make_shared<BenchFlags>();
  BenchOptions& options = flags->bench;
  CLI::App* command = program.add_subcommand("bench", "Run the MaskBench protocol over a folder");
  command->footer(kExamples);
  command->add_option("--data", options.data, "folder of MaskBench files")->type_name("DIR");
  flags->vocabulary.add_to(*command, "tiktoken, tokenizer.json or GGUF file");
  command->add_option("--profile", flags->profile, "exact or generation")
      ->check(CLI::IsMember({"exact", "generation"}))
      ->capture_default_str();
  command->add_option("--threads", options.threads, "worker processes")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--output", options.output, "results as JSON Lines, one file each")
      ->type_name("FILE");
  command->add_option("--shard", options.shard, "only every n-th file from the i-th on, 0 <= i < n")
      ->type_name("i/n");
  command->add_option("--merge", options.merge, "report these result files together; run nothing")
      ->type_name("FILE");
  command->add_option("--timeout", options.timeout_seconds, "seconds per file")
      ->type_name("S")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--memory", options.memory_limit_mib, "MiB per file")
      ->type_name("MIB")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--limit", options.limit, "at most N files, evenly spaced; 0 = all")
      ->type_name("N")
      ->check(whole_number());
  command->add_option("--filter", options.filter, "only files whose name contains this")
      ->type_name("TEXT");
  command->add_option("--schema-dir", options.schema_dir, "folder that serves remote references")
      ->type_name("DIR");
  command->add_option("--peers", options.peers, "engines to run beside: llguidance,xgrammar")
      ->type_name("NAMES")
      ->delimiter(',');
  command->add_option("--peer-dir", options.peer_folder, "where they are installed from PyPI")
      ->type_name("DIR");
  command->add_option("--report", options.report, "write tables and plots into this folder")
      ->type_name("DIR");
  command->add_flag("--cold", options.cold, "a new process with nothing compiled for each file");
  command->add_flag("--scaling", flags->scaling,
                    "how files and batches of masks scale with threads, and what memory they hold");
  command->add_flag("--check", flags->check,
                    "count the instructions of fixed workloads (valgrind), fail on a 5% rise");
  command->add_flag("--update", flags->counts.update, "write the counts that --check compares");
  flags->counts.baseline = ESPALIER_INSTRUCTION_COUNTS;
  command->add_option("--baseline", flags->counts.baseline, "the file of counts")
      ->type_name("FILE");
  command->add_option("--workload", flags->workload)->group("");  // what --check runs
  command->add_flag("--json", options.json, "print one JSON object instead of the tables");
  command->callback([=, &action] {
    if (flags->bench.merge.empty() && !flags->check && !flags->counts.update &&
        flags->workload.empty()) {
      if (flags->bench.data.empty()) throw CLI::RequiredError("--data");
      if (flags->vocabulary.file.empty()) throw CLI::RequiredError("--vocabulary");
    }
    action = [flags] { return bench(*flags); };
  });
}

}  // namespace espalier::cli
