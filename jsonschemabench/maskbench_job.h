#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "espalier/grammar.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/file_result.h"
#include "jsonschemabench/maskbench_file.h"

namespace espalier {

/// How a schema becomes a grammar; what a test may replace.
using CompileSchema =
    std::function<Result<std::shared_ptr<const Grammar>>(std::string_view schema_text)>;

/// Runs the MaskBench protocol on one file. `name` is what the result calls it.
FileResult run_maskbench(const MaskbenchFile& file, const std::string& name,
                         const std::shared_ptr<const Vocabulary>& vocabulary,
                         const CompileSchema& compile);

}  // namespace espalier
