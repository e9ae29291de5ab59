#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"
#include "jsonschemabench/peer_process.h"

namespace espalier {

/// Where the peers live: a Python virtual environment and the adapters.
struct PeerInstallation {
  std::string folder;
  std::string python;
};

/// The folder used when none is named: below XDG_CACHE_HOME or HOME.
std::string default_peer_folder();

/// Checks the names ("llguidance", "xgrammar"), makes the virtual environment in `folder` and
/// installs what is missing from PyPI (pinned versions; progress on stderr), and writes the
/// adapters beside it. kIoError with pip's last line when the registry does not answer.
Result<PeerInstallation> set_up_peers(const std::vector<std::string>& names,
                                      const std::string& folder);

struct PeerOptions {
  std::string name;
  bool cold = false;  ///< a new process (a fork with the vocabulary loaded) for each file
  size_t memory_limit_mib = 4096;
  std::chrono::milliseconds time_limit{60'000};
};

/// The first line an adapter reads: the vocabulary and the limits. Made once, shared by all
/// workers.
std::string peer_header(const Vocabulary& vocabulary, const PeerOptions& options);

/// Another engine in its own process, run under the MaskBench protocol. The process is started when
/// it is first needed, and anew after a crash or a time limit. Not thread-safe.
class Peer {
 public:
  Peer(PeerOptions options, PeerInstallation installation,
       std::shared_ptr<const Vocabulary> vocabulary, std::string header);

  /// The engine's result for one file; crashes and limits are results.
  FileResult run(const MaskbenchFile& file, const std::string& name);

 private:
  Status start();

  PeerOptions options_;
  PeerInstallation installation_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::string header_;
  PeerProcess process_;
  std::string engine_;
  uint64_t call_overhead_ns_ = 0;
};

}  // namespace espalier
