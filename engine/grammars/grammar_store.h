#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/masks/mask_memo.h"
#include "engine/masks/suffix_memo.h"
#include "engine/masks/token_liveness.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// What is remembered about one grammar under one vocabulary.
struct VocabularyCaches {
  MaskMemo masks;
  SuffixMemo suffixes;
  TokenLiveness liveness;
};

/// Everything that is filled while a grammar is in use: the recognizer's states, and the memos
/// about them by vocabulary. State ids have a meaning inside one store only. Matchers share the
/// store they were made with; when it outgrows its budget the grammar gives later ones a new store,
/// and the old one goes with its last matcher. Thread-safe.
class GrammarStore {
 public:
  static constexpr size_t kMaxVocabularies = 8;

  explicit GrammarStore(std::shared_ptr<Recognizer> recognizer)
      : recognizer_(std::move(recognizer)) {}

  Recognizer& recognizer() const { return *recognizer_; }
  const std::shared_ptr<Recognizer>& shared_recognizer() const { return recognizer_; }
  /// Few vocabularies are in use at a time; the one asked for longest ago is dropped beyond
  /// kMaxVocabularies.
  std::shared_ptr<VocabularyCaches> caches(const Vocabulary& vocabulary);
  size_t memory_bytes() const;

 private:
  const std::shared_ptr<Recognizer> recognizer_;
  mutable std::mutex mutex_;
  std::vector<std::pair<uint64_t, std::shared_ptr<VocabularyCaches>>> by_vocabulary_;
};

}  // namespace espalier
