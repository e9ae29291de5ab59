#pragma once

#include <cstddef>
#include <string>

namespace espalier {

struct CheckOptions {
  std::string baseline;  ///< the file of counts
  bool update = false;   ///< write it instead of comparing
  size_t threads = 1;    ///< workloads at a time
  bool json = false;
};

/// Nothing was measured: no valgrind, or a build that the baseline does not speak of.
inline constexpr int kExitNotMeasured = 77;

/// Counts the instructions of each workload (workloads.h) under valgrind and compares them with the
/// baseline. Exit code 0 when none rose by more than 5%, 1 when one did, kExitNotMeasured, or 2 on
/// an error. `program` is the running program, which is started again for each workload.
int run_check(const CheckOptions& options, const std::string& program);

}  // namespace espalier
