#pragma once

#include <span>
#include <string_view>

#include "espalier/status.h"

namespace espalier {

/// The names of the fixed workloads.
std::span<const std::string_view> workload_names();

/// Runs one of them on the built-in vocabulary. Its measured part happens inside the function
/// kMeasuredFunction, which is how callgrind tells it from the set-up.
Status run_workload(std::string_view name);

inline constexpr const char* kMeasuredFunction = "espalier_measured_workload";

}  // namespace espalier
