// Rows of an interpolated n-gram model.
//
// With shares a_k(w) and backoff weights b_k of the contexts of length k (see ContextShares),
// longest m, the probability of w is
//
//   p(w) = a_m(w) + b_m (a_{m-1}(w) + b_{m-1} ( .. b_1 p_0(w)))
//        = B p_0(w) + sum over k of (b_m .. b_{k+1}) a_k(w),      B = b_m .. b_1
//
// p_0, the empty context mixed with the uniform distribution, is kept as a dense row of logarithms.
// A row is that row plus log B, then put right at the continuations of the longest contexts;
// because a longer context's continuations are among a shorter one's, those of length 1 are all
// there are. The contexts are found in one walk down a trie keyed backwards: last token first.
//
// Example: after "a b" with only "b" known, row = base + log b_1, and a few entries for what
// followed "b".
//
// Exactness: shares and weights are computed so that they add up to 1 in exact arithmetic;
// single-precision storage leaves a row's sum within 1e-6 of 1. Cost: O(width) additions plus
// O(continuations of the last token) logarithms; no allocation.

#include "backends/ngram_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "backends/ngram_smoothing.h"
#include "engine/vocabulary/mapped_file.h"

namespace espalier {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

bool may_come_next(const Vocabulary& vocabulary, TokenId id) {
  return !vocabulary.is_special(id) || vocabulary.is_eos(id);
}

}  // namespace

Result<std::unique_ptr<NgramModel>> NgramModel::load(const std::string& path,
                                                     const std::string& name) {
  const auto mapped = MappedFile::open(path);
  if (!mapped.ok()) return mapped.status();
  return from_bytes(mapped->bytes(), path, name);
}

Result<std::unique_ptr<NgramModel>> NgramModel::from_bytes(std::string_view bytes,
                                                           const std::string& file,
                                                           const std::string& name) {
  const auto decoded = decode_ngram_file(bytes, file);
  if (!decoded.ok()) return decoded.status();
  auto vocabulary = decoded->vocabulary.make();
  if (!vocabulary.ok()) {
    return Status(vocabulary.status().code(), vocabulary.status().message(), file);
  }
  for (const TokenId id : decoded->trie.entry_tokens(0)) {
    if (!may_come_next(**vocabulary, id)) {
      return Status(StatusCode::kParseError,
                    "special token " + std::to_string(id) + " is predicted by the model", file);
    }
  }
  return std::unique_ptr<NgramModel>(
      new NgramModel(std::move(vocabulary).value(), decoded->trie, name.empty() ? file : name));
}

NgramModel::NgramModel(std::shared_ptr<const Vocabulary> vocabulary, const NgramTrie& trie,
                       std::string name)
    : HistoryModel(std::move(vocabulary)), name_(std::move(name)), order_(trie.order) {
  nodes_.resize(trie.size() + 1);
  entries_.resize(trie.entry_token.size());
  std::vector<uint8_t> length(trie.size(), 0);
  for (uint32_t node = 0; node < trie.size(); ++node) {
    for (uint32_t c = trie.first_child[node]; c < trie.first_child[node + 1]; ++c) {
      length[c] = static_cast<uint8_t>(length[node] + 1);
    }
    const ContextShares shares(trie, node, length[node]);
    nodes_[node] = {trie.token[node], trie.first_child[node], trie.first_entry[node],
                    static_cast<float>(shares.backoff())};
    for (uint32_t e = trie.first_entry[node]; e < trie.first_entry[node + 1]; ++e) {
      entries_[e] = {trie.entry_token[e],
                     static_cast<float>(shares.share(e - trie.first_entry[node]))};
    }
  }
  nodes_.back() = {-1, trie.first_child.back(), trie.first_entry.back(), 1};
  fill_base(trie);
}

void NgramModel::fill_base(const NgramTrie& trie) {
  const Vocabulary& ids = *vocabulary();
  const auto size = static_cast<TokenId>(ids.size());
  size_t usable = 0;
  for (TokenId id = 0; id < size; ++id) usable += may_come_next(ids, id);
  const ContextShares shares(trie, 0, 0);
  std::vector<double> probability(ids.size(), 0);
  for (TokenId id = 0; id < size; ++id) {
    if (may_come_next(ids, id)) probability[id] = shares.backoff() / static_cast<double>(usable);
  }
  for (uint32_t e = 0; e < trie.first_entry[1]; ++e) {
    probability[trie.entry_token[e]] += shares.share(e);
  }
  base_log_.assign(ids.width(), kImpossible);
  for (TokenId id = 0; id < size; ++id) {
    if (probability[id] > 0) base_log_[id] = static_cast<float>(std::log(probability[id]));
  }
  base_.assign(probability.begin(), probability.end());
  scratch_.assign(ids.size(), 0);
}

uint32_t NgramModel::child(uint32_t node, TokenId token) const {
  const auto begin = nodes_.begin() + nodes_[node].first_child;
  const auto end = nodes_.begin() + nodes_[node + 1].first_child;
  const auto found = std::lower_bound(
      begin, end, token, [](const Node& a, TokenId wanted) { return a.token < wanted; });
  if (found == end || found->token != token) return 0;
  return static_cast<uint32_t>(found - nodes_.begin());
}

void NgramModel::fill_row(std::span<const TokenId> context, std::span<float> row) {
  std::array<uint32_t, kMaxNgramOrder> known;
  size_t depth = 0;
  uint32_t node = 0;
  for (size_t back = 0; back < max_context() && back <= context.size(); ++back) {
    const TokenId token = back < context.size() ? context[context.size() - 1 - back]
                                                : vocabulary()->eos_ids().front();
    node = child(node, token);
    if (node == 0) break;
    known[depth++] = node;
  }
  if (depth == 0) {
    std::copy(base_log_.begin(), base_log_.end(), row.begin());
    return;
  }
  double weight = 1;
  for (size_t k = depth; k-- > 0;) {
    for (const Entry& entry : entries(known[k])) scratch_[entry.token] += weight * entry.share;
    weight *= nodes_[known[k]].backoff;
  }
  const auto log_weight = static_cast<float>(std::log(weight));
  for (size_t i = 0; i < base_log_.size(); ++i) row[i] = base_log_[i] + log_weight;
  for (const Entry& entry : entries(known[0])) {
    double& extra = scratch_[entry.token];
    row[entry.token] = static_cast<float>(std::log(extra + weight * base_[entry.token]));
    extra = 0;
  }
}

size_t NgramModel::memory_bytes() const {
  return sizeof(*this) + nodes_.capacity() * sizeof(Node) + entries_.capacity() * sizeof(Entry) +
         (base_log_.capacity() + base_.capacity()) * sizeof(float) +
         scratch_.capacity() * sizeof(double);
}

}  // namespace espalier
