// Grammars: a recognizer and, beside it, what the engine remembers about it.
//
// A grammar is immutable; what is filled lazily lives in a store. Stores only grow, so that readers
// need no lock and no id ever changes its meaning. They are bounded by being replaced: a store
// beyond its budget (or with a failed recognizer) is retired, which means that matchers made from
// then on get a fresh one. Matchers at work keep theirs alive and notice nothing.

#include "espalier/grammar.h"

#include <algorithm>

#include "engine/grammars/grammar_store.h"
#include "grammar/recognizer.h"

namespace espalier {

std::shared_ptr<VocabularyCaches> GrammarStore::caches(const Vocabulary& vocabulary) {
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

size_t GrammarStore::memory_bytes() const {
  size_t bytes = sizeof *this + recognizer_->memory_bytes();
  const std::lock_guard lock(mutex_);
  for (const auto& [uid, caches] : by_vocabulary_) {
    bytes += caches->masks.memory_bytes() + caches->suffixes.memory_bytes() +
             caches->liveness.memory_bytes();
  }
  return bytes;
}

Grammar::Grammar(std::shared_ptr<Recognizer> recognizer, size_t max_store_bytes)
    : max_store_bytes_(max_store_bytes),
      unsatisfiable_(recognizer->start().dead()),
      store_(std::make_shared<GrammarStore>(std::move(recognizer))) {}

Grammar::~Grammar() = default;

std::shared_ptr<const Grammar> Grammar::from_recognizer(std::shared_ptr<Recognizer> recognizer,
                                                        size_t max_store_bytes) {
  return std::shared_ptr<const Grammar>(new Grammar(std::move(recognizer), max_store_bytes));
}

std::shared_ptr<GrammarStore> Grammar::store() const {
  const std::lock_guard lock(mutex_);
  // Leaves are many and grow slowly: they are looked through now and then.
  const bool with_leaves = requests_++ % kLeafChecks == kLeafChecks - 1;
  const size_t bytes =
      store_->memory_bytes() + (with_leaves ? store_->recognizer().leaf_memory_bytes() : 0);
  if (bytes > max_store_bytes_ || !store_->recognizer().status().ok()) {
    if (auto fresh = store_->recognizer().fresh()) {
      store_ = std::make_shared<GrammarStore>(std::move(fresh));
    }
  }
  return store_;
}

std::shared_ptr<Recognizer> Grammar::recognizer() const { return store()->shared_recognizer(); }

size_t Grammar::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return sizeof *this + store_->memory_bytes();
}

}  // namespace espalier
