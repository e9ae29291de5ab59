#pragma once

#include <memory>
#include <string>

#include "espalier/model.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Opens a model by name: "builtin" (or ""), "table:FILE", or the path of a trained model file. The
/// built-in model's file is looked for in $ESPALIER_MODEL_DIR, the installed data folder and the
/// source tree.
Result<std::unique_ptr<LanguageModel>> open_model(const std::string& name);

/// A vocabulary by name: that of a model ("builtin", "table:FILE" or a trained file), else whatever
/// Vocabulary::load reads.
Result<std::shared_ptr<const Vocabulary>> open_vocabulary(const std::string& name,
                                                          const VocabularyOptions& options = {});

}  // namespace espalier
