#pragma once

#include <string>

#include "espalier/status.h"
#include "jsonschemabench/comparison.h"

namespace espalier {

/// Writes a folder that can be read by itself: report.md and report.html with all tables, and the
/// two distribution plots as SVG. Missing gnuplot is said in the report and is no error.
Status write_report(const std::string& folder, const std::string& heading,
                    const Comparison& comparison);

}  // namespace espalier
