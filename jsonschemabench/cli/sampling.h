#pragma once

#include <memory>

#include "espalier/grammar.h"
#include "espalier/model.h"
#include "espalier/sampler.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/constraint.h"

namespace espalier::cli {

/// A schema compiled twice: as asked, to sample from, and under the exact profile, to check by.
struct CompiledSchema {
  std::shared_ptr<const Grammar> sampled;
  std::shared_ptr<const Grammar> exact;
};
Result<CompiledSchema> compile(std::string_view schema_text, const SchemaOptions& options);
/// The same for whatever is given; errors carry its name.
Result<CompiledSchema> compile(const ConstraintFlags& constraint);

/// What tokens are drawn from: a model, or (uniform) a vocabulary alone.
struct Source {
  std::shared_ptr<const Vocabulary> vocabulary;
  std::unique_ptr<LanguageModel> model;  ///< null: uniform draws
};

/// One sampled document and what the exact machine says about it.
struct Sample {
  Generation generation;
  bool valid = false;
};
Result<Sample> draw(const CompiledSchema& schema, const Source& source,
                    const SamplingOptions& options, const StreamCallback& stream = nullptr);

/// The members `text, tokens, finish_reason, model_calls, valid` of an open JSON object.
void write_sample(JsonWriter& writer, const Sample& sample);

}  // namespace espalier::cli
