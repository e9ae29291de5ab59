#pragma once

#include <functional>
#include <memory>

#include "espalier/vocabulary.h"

namespace benchmark {
class State;
}

namespace espalier {

/// The vocabulary of all micro-benchmarks; null, with the state's error set, when it is unusable.
using VocabularySource = std::function<std::shared_ptr<const Vocabulary>(benchmark::State&)>;

void register_document_benchmarks(const VocabularySource& source);
void register_batch_benchmarks(const VocabularySource& source);
void register_sampling_benchmarks();
void register_step_benchmarks();

}  // namespace espalier
