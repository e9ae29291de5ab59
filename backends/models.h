#pragma once

#include <memory>
#include <string>

#include "espalier/model.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Opens a model by name: "builtin" (or ""), "table:FILE", or the path of a trained model file.
Result<std::unique_ptr<LanguageModel>> open_model(const std::string& name);

/// Where the built-in model's file is: $ESPALIER_MODEL_DIR, else the installed data folder, else
/// the source tree. kIoError names every place that was tried.
Result<std::string> builtin_model_path();

/// A vocabulary by name: that of a model ("builtin", "table:FILE" or a trained file), else whatever
/// Vocabulary::load reads.
Result<std::shared_ptr<const Vocabulary>> open_vocabulary(const std::string& name,
                                                          const VocabularyOptions& options = {});

}  // namespace espalier
