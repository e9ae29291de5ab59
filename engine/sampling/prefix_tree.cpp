// The prefixes of one prompt, each evaluated once.
//
// Many samples of one prompt pass through the same prefixes: particles after resampling, chains
// that regenerate a suffix, draws that share `{"name": "`. A node of this tree is such a prefix. It
// holds its place under the constraint from the beginning, and its row from the moment that
// somebody asks; the rows of all nodes that one step needs come from one call of the model, each
// sequence being a fork of its parent's.
//
//   root --{"-- 1 --na-- 2     two particles at 2 and one at 1: one call with two rows
//
// Rows are large (4 bytes for each token of the vocabulary), so they have a byte budget: beyond it,
// the rows of nodes that are not pinned and were not used for longest are dropped, with the nodes
// where they are leaves, and made again when they are asked for. Nothing that is sampled depends on
// that, only the number of model calls.
//
// Invariants: a node's parent is in the tree as long as the node; a pinned node is never dropped.
// Cost: O(1) for a child beside the constraint's accept; the model writes rows where they stay.

#include "engine/sampling/prefix_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/mask_bits.h"
#include "grammar/tables/sort_unique.h"

namespace espalier {

MaskedRow::MaskedRow(std::span<const TokenId> tokens, std::span<const float> row) {
  tokens_.reserve(tokens.size());
  cumulative_.reserve(tokens.size());
  double sum = 0;
  for (const TokenId token : tokens) {
    const double p = std::exp(static_cast<double>(row[static_cast<size_t>(token)]));
    if (!(p > 0)) continue;
    tokens_.push_back(token);
    cumulative_.push_back(sum += p);
  }
}

size_t MaskedRow::at(double point) const {
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), point);
  return static_cast<size_t>(std::min(found, cumulative_.end() - 1) - cumulative_.begin());
}

std::optional<size_t> MaskedRow::find(TokenId token) const {
  const auto found = std::lower_bound(tokens_.begin(), tokens_.end(), token);
  if (found == tokens_.end() || *found != token) return std::nullopt;
  return static_cast<size_t>(found - tokens_.begin());
}

size_t MaskedRow::memory_bytes() const {
  return tokens_.capacity() * sizeof(TokenId) + cumulative_.capacity() * sizeof(double);
}

PrefixTree::PrefixTree(std::shared_ptr<const Potential> potential, LanguageModel* model,
                       const PrefixTreeOptions& options)
    : potential_(std::move(potential)), model_(model), options_(options) {
  nodes_.emplace_back(PotentialCursor(potential_));
  begin_text();
}

PrefixTree::~PrefixTree() {
  for (const Entry& node : nodes_) {
    if (node.sequence) model_->release(*node.sequence);
  }
}

Result<PrefixTree::Node> PrefixTree::child(Node node, TokenId token) {
  nodes_[node].used = ++clock_;
  if (const auto known = edges_.find(edge(node, token)); known != edges_.end()) {
    nodes_[known->second].used = clock_;
    return known->second;
  }
  PotentialCursor cursor = nodes_[node].cursor;
  if (Status status = cursor.accept(token); !status.ok()) return status;
  Entry entry(std::move(cursor));
  entry.parent = node;
  entry.token = token;
  entry.depth = nodes_[node].depth + 1;
  entry.used = clock_;
  Node made = static_cast<Node>(nodes_.size());
  if (free_.empty()) {
    nodes_.push_back(std::move(entry));
  } else {
    made = free_.back();
    free_.pop_back();
    nodes_[made] = std::move(entry);
  }
  ++nodes_[node].children;
  edges_.emplace(edge(node, token), made);
  return made;
}

Status PrefixTree::open_sequence(Node node) {
  std::vector<Node> path;
  for (; !nodes_[node].sequence; node = nodes_[node].parent) {
    path.push_back(node);
    if (node == kRoot) break;
  }
  for (; !path.empty(); path.pop_back()) {
    Entry& entry = nodes_[path.back()];
    const bool root = path.back() == kRoot;
    const Result<SequenceId> opened =
        root ? model_->open(options_.prompt) : model_->fork(*nodes_[entry.parent].sequence);
    if (!opened.ok()) return opened.status();
    entry.sequence = *opened;
    if (root) continue;
    if (Status status = model_->extend(*opened, std::span(&entry.token, 1)); !status.ok()) {
      return status;
    }
  }
  return Status();
}

void PrefixTree::apply_temperature(std::span<float> row) const {
  if (options_.temperature == 1) return;
  double max = -std::numeric_limits<double>::infinity();
  for (const float value : row) max = std::max(max, static_cast<double>(value));
  if (std::isinf(max)) return;
  const double scale = 1 / options_.temperature;
  double sum = 0;
  for (const float value : row) sum += std::exp((value - max) * scale);
  const double log_sum = std::log(sum);
  for (float& value : row) value = static_cast<float>((value - max) * scale - log_sum);
}

Status PrefixTree::fetch(std::span<const Node> nodes) {
  std::vector<Node> missing;
  ++clock_;
  for (const Node node : nodes) {
    nodes_[node].used = clock_;
    if (nodes_[node].row.empty()) missing.push_back(node);
  }
  sort_unique(&missing);
  if (missing.empty()) return Status();
  const size_t width = model_->width();
  make_room(missing.size() * width * sizeof(float));
  std::vector<SequenceId> sequences;
  for (const Node node : missing) {
    if (Status status = open_sequence(node); !status.ok()) return status;
    sequences.push_back(*nodes_[node].sequence);
  }
  const std::shared_ptr<float[]> block(new float[missing.size() * width]);
  const std::span<float> rows(block.get(), missing.size() * width);
  if (Status status = model_->next_log_probs(sequences, rows); !status.ok()) return status;
  ++cost_.model_calls;
  cost_.model_rows += missing.size();
  for (size_t i = 0; i < missing.size(); ++i) {
    Entry& entry = nodes_[missing[i]];
    entry.block = block;
    entry.row = rows.subspan(i * width, width);
    apply_temperature(entry.row);
    bytes_ += width * sizeof(float);
  }
  return Status();
}

Result<const MaskedRow*> PrefixTree::masked(Node node) {
  if (Status status = fetch(std::span(&node, 1)); !status.ok()) return status;
  Entry& entry = nodes_[node];
  if (entry.masked != nullptr) return entry.masked.get();
  for (const float value : entry.row) {
    if (std::isnan(value)) {
      return Status(StatusCode::kInvalidArgument, "The model's row holds a NaN.", "model");
    }
  }
  const size_t words = vocabulary().row_words();
  std::vector<int32_t> allowed(words);
  std::vector<int32_t> unknown(words);
  const Result<Knowledge> knowledge = entry.cursor.fill(allowed, unknown);
  if (!knowledge.ok()) return knowledge.status();
  std::vector<TokenId> tokens;
  const auto test = [&](TokenId token) -> Status {
    if (!(entry.row[static_cast<size_t>(token)] > -std::numeric_limits<float>::infinity())) {
      return Status();
    }
    ++cost_.constraint_evaluations;
    const Result<bool> passes = entry.cursor.test(token);
    if (!passes.ok()) return passes.status();
    if (*passes) tokens.push_back(token);
    return Status();
  };
  Status status;
  if (*knowledge == Knowledge::kNone) {
    for (TokenId token = 0; token < static_cast<TokenId>(vocabulary().size()); ++token) {
      if (status = test(token); !status.ok()) return status;
    }
  } else {
    for_each_mask_bit(as_mask_words(allowed), [&](TokenId token) {
      tokens.push_back(token);
      return true;
    });
    if (*knowledge == Knowledge::kPartial) {
      for_each_mask_bit(as_mask_words(unknown), [&](TokenId token) {
        status = test(token);
        return status.ok();
      });
      if (!status.ok()) return status;
      std::sort(tokens.begin(), tokens.end());
    }
  }
  entry.masked = std::make_unique<MaskedRow>(tokens, entry.row);
  bytes_ += entry.masked->memory_bytes();
  return entry.masked.get();
}

void PrefixTree::begin_text() {
  if (options_.max_text_time != std::chrono::nanoseconds::max()) {
    began_ = std::chrono::steady_clock::now();
  }
}

Status PrefixTree::spent() const {
  const auto exceeded = [](const char* message) {
    return Status(StatusCode::kBudgetExceeded, message);
  };
  if (cost_.model_rows > options_.max_model_rows) {
    return exceeded("The budget of the model's rows is spent.");
  }
  if (cost_.constraint_evaluations > options_.max_evaluations) {
    return exceeded("The budget of constraint evaluations is spent.");
  }
  if (options_.max_text_time != std::chrono::nanoseconds::max() &&
      std::chrono::steady_clock::now() - began_ > options_.max_text_time) {
    return exceeded("The time for one text is spent.");
  }
  return Status();
}

std::vector<TokenId> PrefixTree::tokens(Node node) const {
  std::vector<TokenId> tokens(nodes_[node].depth);
  for (size_t i = tokens.size(); i > 0; node = nodes_[node].parent) {
    tokens[--i] = nodes_[node].token;
  }
  return tokens;
}

void PrefixTree::forget_row(Node node) {
  Entry& entry = nodes_[node];
  bytes_ -= entry.row.size() * sizeof(float);
  if (entry.masked != nullptr) bytes_ -= entry.masked->memory_bytes();
  entry.masked.reset();
  entry.block.reset();
  entry.row = {};
}

void PrefixTree::drop(Node node) {
  forget_row(node);
  Entry& entry = nodes_[node];
  if (entry.sequence) model_->release(*entry.sequence);
  entry.sequence.reset();
  edges_.erase(edge(entry.parent, entry.token));
  --nodes_[entry.parent].children;
  entry.live = false;
  free_.push_back(node);
}

void PrefixTree::make_room(size_t bytes) {
  // Dropping a quarter at a time keeps the cost of looking for candidates small.
  while (bytes_ != 0 && bytes_ + bytes > options_.max_bytes) {
    std::vector<Node> unused;
    for (Node node = 0; node < nodes_.size(); ++node) {
      const Entry& entry = nodes_[node];
      if (!entry.live || entry.pins != 0 || entry.used == clock_) continue;
      const bool leaf = entry.children == 0 && node != kRoot;
      if (leaf || !entry.row.empty()) unused.push_back(node);
    }
    if (unused.empty()) return;
    std::sort(unused.begin(), unused.end(),
              [&](Node a, Node b) { return nodes_[a].used < nodes_[b].used; });
    const size_t dropped = std::max<size_t>(1, unused.size() / 4);
    unused.erase(unused.begin() + static_cast<std::ptrdiff_t>(dropped), unused.end());
    for (const Node node : unused) {
      if (nodes_[node].children == 0 && node != kRoot) {
        drop(node);
      } else {
        forget_row(node);
      }
    }
  }
}

}  // namespace espalier
