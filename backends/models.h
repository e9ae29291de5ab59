#pragma once

#include <string>

#include "espalier/models.h"
#include "espalier/status.h"

namespace espalier {

/// Where the built-in model's file is: $ESPALIER_MODEL_DIR, else the installed data folder, else
/// the source tree. kIoError names every place that was tried.
Result<std::string> builtin_model_path();

}  // namespace espalier
