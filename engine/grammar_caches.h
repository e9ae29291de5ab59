#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/mask_memo.h"
#include "engine/token_liveness.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// What is remembered about one grammar under one vocabulary.
struct VocabularyCaches {
  MaskMemo masks;
  TokenLiveness liveness;
};

/// The memos of a grammar, by vocabulary. Few vocabularies are in use at a time; the one asked for
/// longest ago is dropped beyond kMaxVocabularies. Thread-safe.
class GrammarCaches {
 public:
  static constexpr size_t kMaxVocabularies = 8;

  std::shared_ptr<VocabularyCaches> get(const Vocabulary& vocabulary);
  size_t memory_bytes() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<uint64_t, std::shared_ptr<VocabularyCaches>>> by_vocabulary_;
};

}  // namespace espalier
