#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "espalier/status.h"

namespace espalier {

struct WorkerPoolOptions {
  size_t workers = 1;
  std::chrono::milliseconds time_limit{60'000};  ///< wall clock per job
  /// When given, the wall clock of each job in place of `time_limit`.
  std::function<std::chrono::milliseconds(size_t index)> time_limit_of;
  size_t memory_limit_bytes = 0;  ///< address space a job may add (0 = no limit)
};

/// How one job ended.
struct JobEnd {
  enum class Kind : uint8_t { kDone, kCrashed, kTimedOut } kind = Kind::kDone;
  std::string payload;          ///< kDone: what the job returned
  std::string reason;           ///< else: a sentence (the signal, the exit code, the limit)
  uint64_t peak_rss_bytes = 0;  ///< of the worker, unless kDone
};

/// Runs in a worker process; what it returns travels to the parent.
using Job = std::function<std::string(size_t index)>;
/// Called in the parent, once per index, in the order in which jobs end.
using JobCallback = std::function<void(size_t index, JobEnd end)>;

/// Runs job(0) ... job(count - 1) in forked worker processes. A job that crashes its worker or
/// exceeds a limit is one JobEnd; the worker is replaced and the run goes on. Call it before the
/// process has started threads. Fails only when no worker can be made at all.
Status run_in_workers(size_t count, const WorkerPoolOptions& options, const Job& job,
                      const JobCallback& on_end);

}  // namespace espalier
