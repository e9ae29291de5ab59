#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// What `espalier bench` is asked to do. Either `merge` names result files of earlier runs, or
/// `data` and `vocabulary` name what to measure.
struct BenchOptions {
  std::string data;                      ///< folder of MaskBench files (`<split>---<id>.json`)
  std::string vocabulary;                ///< vocabulary file
  VocabularyOptions vocabulary_options;  ///< end-of-sequence ids and the like
  Profile profile = Profile::kExact;
  size_t threads = 1;              ///< worker processes
  std::string output;              ///< JSON Lines of results, one file each ("" = none)
  bool json = false;               ///< one JSON object on stdout in place of the tables
  std::string shard;               ///< "i/n" with 0 <= i < n: every n-th file from the i-th on
  std::vector<std::string> merge;  ///< JSON Lines files to report together; nothing is measured
  double timeout_seconds = 60;     ///< per file, compile and tests together
  size_t memory_limit_mib = 4096;  ///< per file, address space beyond what the worker already has
  size_t limit = 0;                ///< at most this many files, evenly spaced (0 = all)
  std::string filter;              ///< only files whose name contains this
  std::string schema_dir;          ///< folder that serves remote references ("" = none)
  std::vector<std::string> peers;  ///< engines to run beside espalier: "llguidance", "xgrammar"
  std::string peer_folder;         ///< where they are installed ("" = the user's cache folder)
  bool cold = false;               ///< a new process, with nothing compiled yet, for each file
  std::string report;              ///< folder for tables and plots ("" = none)
};

/// Runs the benchmark and prints its report: tables, or with `json` one object, on stdout; progress
/// and errors on stderr. Returns the exit code: 0 when the run finished (whatever the files'
/// results are), 2 when an argument, a folder or the vocabulary is unusable.
int run_bench(const BenchOptions& options);

}  // namespace espalier
