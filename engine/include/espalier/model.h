#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// A sequence's handle inside a model.
using SequenceId = uint32_t;

/// A token tree for one model call: node i extends `parent[i]` (-1: the sequence itself) by
/// `token[i]`; parents come before children.
struct TokenTree {
  std::vector<TokenId> token;
  std::vector<int32_t> parent;
};

/// A language model behind the engine. Rows are natural-log probabilities of the next token,
/// width() floats each, normalized over all ids (end of sequence included); -infinity = impossible.
/// A model instance is single-threaded unless it says otherwise.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  virtual std::shared_ptr<const Vocabulary> vocabulary() const = 0;
  size_t width() const { return vocabulary()->width(); }
  virtual std::string name() const = 0;

  /// A new sequence holding `prompt`.
  virtual Result<SequenceId> open(std::span<const TokenId> prompt) = 0;
  /// Appends tokens to a sequence.
  virtual Status extend(SequenceId sequence, std::span<const TokenId> tokens) = 0;
  /// A copy of a sequence that can go its own way.
  virtual Result<SequenceId> fork(SequenceId sequence) = 0;
  /// Keeps the first `length` tokens (prompt included).
  virtual Status trim(SequenceId sequence, size_t length) = 0;
  virtual void release(SequenceId sequence) = 0;

  /// One call: row i of `rows` (size sequences.size() * width()) gets the next-token
  /// log-probabilities of sequences[i].
  virtual Status next_log_probs(std::span<const SequenceId> sequences, std::span<float> rows) = 0;
  /// One call: row 0 is the sequence's own next-token row, row i + 1 that of tree node i; size
  /// (tree.token.size() + 1) * width(). The sequence is not changed.
  virtual Status tree_log_probs(SequenceId sequence, const TokenTree& tree,
                                std::span<float> rows) = 0;
};

}  // namespace espalier
