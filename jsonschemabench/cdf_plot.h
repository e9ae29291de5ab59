#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// Draws the distribution functions of several engines' durations into FOLDER/NAME.svg, time on a
/// logarithmic axis, with gnuplot; the points drawn stay beside it as NAME-ENGINE.tsv. `samples`
/// are sorted nanoseconds by engine. kUnsupported where gnuplot is not installed.
Status plot_distributions(const std::string& folder, std::string_view name, std::string_view title,
                          const std::map<std::string, std::vector<uint64_t>>& samples);

}  // namespace espalier
