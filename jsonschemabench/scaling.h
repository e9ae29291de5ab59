#pragma once

#include "jsonschemabench/bench.h"

namespace espalier {

/// `espalier bench --scaling`: the chosen files with 1, 2, 4, ... worker processes, 512 matchers
/// filled by 1, 2, 4, ... threads (`options.threads` is the most, or else the processors), and the
/// memory that the vocabulary and the workers hold. Prints tables, or with `json` one object.
/// Returns the exit code as run_bench does.
int run_scaling(const BenchOptions& options);

}  // namespace espalier
