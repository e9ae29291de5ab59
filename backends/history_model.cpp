// Sequences for models that look back a bounded number of tokens. A sequence is its token ids; a
// row is computed from its tail. For a tree node the tail is gathered by walking up its parents and
// then back into the sequence:
//
//   sequence [4 7], tree 0: 5 (parent -1), 1: 9 (parent 0), max_context 3:  row 2 is asked with 7 5
//   9
//
// Cost: extend, trim and a row are independent of the sequence's length; fork copies the ids.

#include "backends/history_model.h"

#include <algorithm>
#include <limits>

namespace espalier {
namespace {

Status unknown_sequence(SequenceId sequence) {
  return {StatusCode::kInvalidArgument, "no sequence has the handle " + std::to_string(sequence),
          "sequence"};
}

Status wrong_size(size_t want, size_t have) {
  return {StatusCode::kInvalidArgument,
          "needs " + std::to_string(want) + " floats and got " + std::to_string(have), "rows"};
}

}  // namespace

const HistoryModel::History* HistoryModel::find(SequenceId sequence) const {
  const auto found = sequences_.find(sequence);
  return found == sequences_.end() ? nullptr : &found->second;
}

Status HistoryModel::check_tokens(std::span<const TokenId> tokens) const {
  for (const TokenId token : tokens) {
    if (token < 0 || static_cast<size_t>(token) >= vocabulary_->size()) {
      return {StatusCode::kInvalidArgument, "the vocabulary has no token " + std::to_string(token),
              "tokens"};
    }
  }
  return {};
}

Result<SequenceId> HistoryModel::open(std::span<const TokenId> prompt) {
  if (Status status = check_tokens(prompt); !status.ok()) return status;
  if (next_id_ == std::numeric_limits<SequenceId>::max()) {
    return Status(StatusCode::kBudgetExceeded, "every sequence handle has been used", "sequence");
  }
  sequences_.emplace(next_id_, History(prompt.begin(), prompt.end()));
  return next_id_++;
}

Status HistoryModel::extend(SequenceId sequence, std::span<const TokenId> tokens) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return unknown_sequence(sequence);
  if (Status status = check_tokens(tokens); !status.ok()) return status;
  found->second.insert(found->second.end(), tokens.begin(), tokens.end());
  return {};
}

Result<SequenceId> HistoryModel::fork(SequenceId sequence) {
  const History* history = find(sequence);
  if (history == nullptr) return unknown_sequence(sequence);
  const History copy = *history;
  return open(copy);
}

Status HistoryModel::trim(SequenceId sequence, size_t length) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return unknown_sequence(sequence);
  if (length > found->second.size()) {
    return {StatusCode::kInvalidArgument,
            "the sequence has " + std::to_string(found->second.size()) + " tokens, fewer than " +
                std::to_string(length),
            "length"};
  }
  found->second.resize(length);
  return {};
}

void HistoryModel::release(SequenceId sequence) { sequences_.erase(sequence); }

Status HistoryModel::next_log_probs(std::span<const SequenceId> sequences, std::span<float> rows) {
  const size_t row_width = width();
  if (rows.size() != sequences.size() * row_width) {
    return wrong_size(sequences.size() * row_width, rows.size());
  }
  for (const SequenceId sequence : sequences) {
    if (find(sequence) == nullptr) return unknown_sequence(sequence);
  }
  for (size_t i = 0; i < sequences.size(); ++i) {
    const std::span<const TokenId> history = *find(sequences[i]);
    fill_row(history.last(std::min(history.size(), max_context())),
             rows.subspan(i * row_width, row_width));
  }
  return {};
}

Status HistoryModel::tree_log_probs(SequenceId sequence, const TokenTree& tree,
                                    std::span<float> rows) {
  const History* history = find(sequence);
  if (history == nullptr) return unknown_sequence(sequence);
  const size_t nodes = tree.token.size();
  if (tree.parent.size() != nodes) {
    return {StatusCode::kInvalidArgument, "token and parent differ in length", "tree"};
  }
  for (size_t i = 0; i < nodes; ++i) {
    if (tree.parent[i] < -1 || tree.parent[i] >= static_cast<int64_t>(i)) {
      return {StatusCode::kInvalidArgument,
              "the parent of node " + std::to_string(i) + " does not come before it", "tree"};
    }
  }
  if (Status status = check_tokens(tree.token); !status.ok()) return status;
  const size_t row_width = width();
  if (rows.size() != (nodes + 1) * row_width)
    return wrong_size((nodes + 1) * row_width, rows.size());

  std::vector<TokenId> context;
  for (size_t row = 0; row <= nodes; ++row) {
    context.clear();
    int32_t node = static_cast<int32_t>(row) - 1;
    for (; node >= 0 && context.size() < max_context(); node = tree.parent[node]) {
      context.push_back(tree.token[node]);
    }
    for (size_t k = history->size(); k > 0 && context.size() < max_context(); --k) {
      context.push_back((*history)[k - 1]);
    }
    std::reverse(context.begin(), context.end());
    fill_row(context, rows.subspan(row * row_width, row_width));
  }
  return {};
}

}  // namespace espalier
