#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "espalier/model.h"

namespace espalier {

/// A model whose next-token row depends on the last few tokens only: keeps the sequences and
/// answers every query of LanguageModel by one virtual function. Handles are never reused, so a
/// released one is refused for good. Single-threaded.
class HistoryModel : public LanguageModel {
 public:
  explicit HistoryModel(std::shared_ptr<const Vocabulary> vocabulary)
      : vocabulary_(std::move(vocabulary)) {}

  std::shared_ptr<const Vocabulary> vocabulary() const override { return vocabulary_; }

  Result<SequenceId> open(std::span<const TokenId> prompt) override;
  Status extend(SequenceId sequence, std::span<const TokenId> tokens) override;
  Result<SequenceId> fork(SequenceId sequence) override;
  Status trim(SequenceId sequence, size_t length) override;
  void release(SequenceId sequence) override;
  Status next_log_probs(std::span<const SequenceId> sequences, std::span<float> rows) override;
  Status tree_log_probs(SequenceId sequence, const TokenTree& tree, std::span<float> rows) override;

 protected:
  /// The longest history that matters.
  virtual size_t max_context() const = 0;
  /// Writes the row after `context`, the last tokens of a sequence, oldest first, at most
  /// max_context() of them; fewer mean that the sequence begins there.
  virtual void fill_row(std::span<const TokenId> context, std::span<float> row) = 0;

 private:
  using History = std::vector<TokenId>;
  const History* find(SequenceId sequence) const;
  Status check_tokens(std::span<const TokenId> tokens) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unordered_map<SequenceId, History> sequences_;
  SequenceId next_id_ = 0;
};

}  // namespace espalier
