// Grammars: a recognizer and, beside it, what the engine remembers about it.

#include "espalier/grammar.h"

#include <algorithm>

#include "engine/grammar_caches.h"
#include "grammar/recognizer.h"

namespace espalier {

std::shared_ptr<VocabularyCaches> GrammarCaches::get(const Vocabulary& vocabulary) {
  const std::lock_guard lock(mutex_);
  const auto it = std::find_if(by_vocabulary_.begin(), by_vocabulary_.end(),
                               [&](const auto& entry) { return entry.first == vocabulary.uid(); });
  if (it != by_vocabulary_.end()) {
    std::rotate(it, it + 1, by_vocabulary_.end());
  } else {
    if (by_vocabulary_.size() >= kMaxVocabularies) by_vocabulary_.erase(by_vocabulary_.begin());
    by_vocabulary_.emplace_back(vocabulary.uid(), std::make_shared<VocabularyCaches>());
  }
  return by_vocabulary_.back().second;
}

size_t GrammarCaches::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  size_t bytes = 0;
  for (const auto& [uid, caches] : by_vocabulary_) bytes += caches->masks.memory_bytes();
  return bytes;
}

Grammar::Grammar(std::shared_ptr<Recognizer> recognizer)
    : recognizer_(std::move(recognizer)), caches_(std::make_unique<GrammarCaches>()) {}

Grammar::~Grammar() = default;

std::shared_ptr<const Grammar> Grammar::from_recognizer(std::shared_ptr<Recognizer> recognizer) {
  return std::shared_ptr<const Grammar>(new Grammar(std::move(recognizer)));
}

bool Grammar::unsatisfiable() const { return recognizer_->start().dead(); }

size_t Grammar::memory_bytes() const {
  return sizeof(Grammar) + recognizer_->memory_bytes() + caches_->memory_bytes();
}

}  // namespace espalier
