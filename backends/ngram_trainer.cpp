// Counts n-grams, gives them Kneser-Ney counts, and prunes them to a size.
//
// Counting. Each document is  eos t1 .. tn eos; every token but the first is predicted once from
// what stands before it. Sorting these positions by their context read backwards makes every
// context, of any length, one contiguous range: contexts become the nodes of a trie by splitting
// ranges, level by level, which is the breadth-first order that the file wants.
//
//   "a b a c":  predicted  a    b      a        c          eos
//               backwards  eos  a,eos  b,a,eos  a,b,a,eos  c,a,b,a,eos
//   the context "a" is the range {b after a,eos; c after a,b,..}: it is followed by b once and c
//   once
//
// Smoothing is interpolated modified Kneser-Ney (Chen, Goodman, "An Empirical Study of Smoothing
// Techniques for Language Modeling", TR-10-98, section 3): in a context that is not of full length
// an n-gram counts as often as there are different tokens before it; a context that begins a
// document has none before it and keeps its raw counts. Discounts come from the counts of counts,
// per length.
//
// Pruning. An n-gram w after context c is worth
//   count * (log p(w|c) - log p'(w|c)),   p' = without it, its mass left to the shorter context,
// the log-likelihood that the corpus would lose (after Seymore, Rosenfeld, "Scalable Backoff
// Language Models", 1996). An n-gram is worth at least what those are worth that extend it to the
// left, so a kept entry's parent is kept. What is pruned stays in the context's total as a
// residual, so probabilities need no renormalization. The threshold is found by bisection on the
// size of the encoded file.
//
// Cost: O(order * n log n) for n tokens; about 40 bytes of memory per distinct n-gram.

#include "backends/ngram_trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "backends/ngram_smoothing.h"
#include "grammar/tables/sort_unique.h"

namespace espalier {
namespace {

constexpr Discounts kDefaultDiscounts = {500'000, 1'000'000, 1'500'000};
constexpr double kLeastDiscount = 0.05;
constexpr double kMostDiscountShare = 0.95;

/// Discounts by Chen and Goodman's formula; n[i] of the n-grams have count i + 1.
Discounts discounts_from(const std::array<uint64_t, 4>& n) {
  if (std::find(n.begin(), n.end(), 0u) != n.end()) return kDefaultDiscounts;
  const double y = static_cast<double>(n[0]) / static_cast<double>(n[0] + 2 * n[1]);
  Discounts discounts;
  for (size_t i = 0; i < discounts.size(); ++i) {
    const double count = static_cast<double>(i + 1);
    const double ratio = static_cast<double>(n[i + 1]) / static_cast<double>(n[i]);
    const double discount =
        std::clamp(count - (count + 1) * y * ratio, kLeastDiscount, kMostDiscountShare * count);
    discounts[i] = static_cast<uint32_t>(std::llround(discount * kDiscountUnit));
  }
  return discounts;
}

}  // namespace

NgramTrainer::NgramTrainer(std::span<const std::vector<TokenId>> documents, TokenId eos,
                           size_t usable_ids, int order) {
  trie_.order = order;
  build(documents, eos);
  count_continuations();
  estimate_discounts();
  score_entries(usable_ids);
}

void NgramTrainer::build(std::span<const std::vector<TokenId>> documents, TokenId eos) {
  std::vector<uint32_t> positions;
  for (const std::vector<TokenId>& document : documents) {
    const uint32_t start = static_cast<uint32_t>(text_.size());
    text_.push_back(eos);
    text_.insert(text_.end(), document.begin(), document.end());
    text_.push_back(eos);
    start_.resize(text_.size(), start);
    for (uint32_t p = start + 1; p < text_.size(); ++p) positions.push_back(p);
  }
  const uint32_t longest = static_cast<uint32_t>(trie_.order) - 1;
  std::sort(positions.begin(), positions.end(), [&](uint32_t a, uint32_t b) {
    const uint32_t length_a = std::min(a - start_[a], longest);
    const uint32_t length_b = std::min(b - start_[b], longest);
    for (uint32_t k = 1; k <= std::min(length_a, length_b); ++k) {
      if (text_[a - k] != text_[b - k]) return text_[a - k] < text_[b - k];
    }
    return length_a != length_b ? length_a < length_b : a < b;
  });

  struct Range {
    uint32_t begin, end, parent;
    uint8_t length;
  };
  std::vector<Range> ranges = {{0, static_cast<uint32_t>(positions.size()), 0, 0}};
  trie_.token.push_back(-1);
  for (uint32_t node = 0; node < ranges.size(); ++node) {
    const Range range = ranges[node];
    trie_.first_child.push_back(static_cast<uint32_t>(ranges.size()));
    parent_.push_back(range.parent);
    length_.push_back(range.length);
    add_entries(std::span(positions).subspan(range.begin, range.end - range.begin));
    if (range.length == longest) continue;
    const uint32_t back = range.length + 1u;
    uint32_t p = range.begin;
    while (p < range.end && positions[p] - start_[positions[p]] < back) ++p;
    while (p < range.end) {
      const TokenId older = text_[positions[p] - back];
      const uint32_t begin = p;
      while (p < range.end && text_[positions[p] - back] == older) ++p;
      ranges.push_back({begin, p, node, static_cast<uint8_t>(back)});
      trie_.token.push_back(older);
    }
  }
  trie_.first_child.push_back(static_cast<uint32_t>(ranges.size()));
  trie_.first_entry.push_back(static_cast<uint32_t>(trie_.entry_token.size()));
  trie_.residual.assign(ranges.size(), 0);
  std::vector<TokenId>().swap(text_);
  std::vector<uint32_t>().swap(start_);
}

void NgramTrainer::add_entries(std::span<const uint32_t> positions) {
  trie_.first_entry.push_back(static_cast<uint32_t>(trie_.entry_token.size()));
  std::vector<TokenId> followers;
  followers.reserve(positions.size());
  for (const uint32_t p : positions) followers.push_back(text_[p]);
  std::sort(followers.begin(), followers.end());
  for (size_t i = 0; i < followers.size(); ++i) {
    if (i == 0 || followers[i] != followers[i - 1]) {
      trie_.entry_token.push_back(followers[i]);
      raw_counts_.push_back(0);
    }
    ++raw_counts_.back();
  }
}

size_t NgramTrainer::place_in_parent(size_t node, size_t entry) const {
  const size_t parent = parent_[node];
  const auto begin = trie_.entry_token.begin() + trie_.first_entry[parent];
  const auto end = trie_.entry_token.begin() + trie_.first_entry[parent + 1];
  return std::lower_bound(begin, end, trie_.entry_token[entry]) - trie_.entry_token.begin();
}

void NgramTrainer::count_continuations() {
  trie_.entry_count = raw_counts_;
  for (size_t node = 0; node < trie_.size(); ++node) {
    if (trie_.first_child[node] == trie_.first_child[node + 1]) continue;
    std::fill(trie_.entry_count.begin() + trie_.first_entry[node],
              trie_.entry_count.begin() + trie_.first_entry[node + 1], 0);
  }
  for (size_t node = 1; node < trie_.size(); ++node) {
    for (size_t e = trie_.first_entry[node]; e < trie_.first_entry[node + 1]; ++e) {
      ++trie_.entry_count[place_in_parent(node, e)];
    }
  }
}

void NgramTrainer::estimate_discounts() {
  std::vector<std::array<uint64_t, 4>> counts_of_counts(trie_.order, std::array<uint64_t, 4>{});
  for (size_t node = 0; node < trie_.size(); ++node) {
    for (size_t e = trie_.first_entry[node]; e < trie_.first_entry[node + 1]; ++e) {
      if (trie_.entry_count[e] <= 4) ++counts_of_counts[length_[node]][trie_.entry_count[e] - 1];
    }
  }
  for (const auto& n : counts_of_counts) trie_.discounts.push_back(discounts_from(n));
}

void NgramTrainer::score_entries(size_t usable_ids) {
  std::vector<double> probability(trie_.entry_token.size());
  score_.assign(trie_.entry_token.size(), 0);
  for (size_t node = 0; node < trie_.size(); ++node) {
    const ContextShares shares(trie_, node, length_[node]);
    const size_t first = trie_.first_entry[node];
    for (size_t e = first; e < trie_.first_entry[node + 1]; ++e) {
      const double share = shares.share(e - first);
      const double shorter =
          node == 0 ? 1.0 / static_cast<double>(usable_ids) : probability[place_in_parent(node, e)];
      probability[e] = share + shares.backoff() * shorter;
      const double without = (shares.backoff() + share) * shorter;
      score_[e] = raw_counts_[e] * (std::log(probability[e]) - std::log(without));
    }
  }
  for (size_t node = trie_.size() - 1; node > 0; --node) {
    for (size_t e = trie_.first_entry[node]; e < trie_.first_entry[node + 1]; ++e) {
      double& parent_score = score_[place_in_parent(node, e)];
      parent_score = std::max(parent_score, score_[e]);
    }
  }
  std::fill(score_.begin(), score_.begin() + trie_.first_entry[1],
            std::numeric_limits<double>::infinity());
}

NgramTrie NgramTrainer::pruned(double threshold) const {
  NgramTrie kept;
  kept.order = trie_.order;
  kept.discounts = trie_.discounts;
  std::vector<uint32_t> new_id(trie_.size(), 0);
  for (size_t node = 0; node < trie_.size(); ++node) {
    const size_t entries_before = kept.entry_token.size();
    uint64_t residual = 0;
    for (size_t e = trie_.first_entry[node]; e < trie_.first_entry[node + 1]; ++e) {
      if (score_[e] >= threshold) {
        kept.entry_token.push_back(trie_.entry_token[e]);
        kept.entry_count.push_back(trie_.entry_count[e]);
      } else {
        residual += trie_.entry_count[e];
      }
    }
    if (kept.entry_token.size() == entries_before) continue;
    new_id[node] = static_cast<uint32_t>(kept.token.size());
    kept.token.push_back(trie_.token[node]);
    kept.first_entry.push_back(static_cast<uint32_t>(entries_before));
    kept.residual.push_back(residual);
    kept.first_child.push_back(0);
    if (node != 0) ++kept.first_child[new_id[parent_[node]]];
  }
  kept.first_entry.push_back(static_cast<uint32_t>(kept.entry_token.size()));
  kept.first_child.push_back(0);
  uint32_t next = 1;
  for (uint32_t& first : kept.first_child) next += std::exchange(first, next);
  return kept;
}

NgramTrie NgramTrainer::pruned_to(const NgramVocabulary& vocabulary, size_t max_bytes) const {
  NgramTrie best = pruned(-std::numeric_limits<double>::infinity());
  if (encode_ngram_file(vocabulary, best).size() <= max_bytes) return best;
  std::vector<double> thresholds(score_.begin() + trie_.first_entry[1], score_.end());
  thresholds.push_back(std::numeric_limits<double>::max());
  sort_unique(&thresholds);
  size_t low = 0;
  size_t high = thresholds.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const NgramTrie trie = pruned(thresholds[middle]);
    if (encode_ngram_file(vocabulary, trie).size() <= max_bytes) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return pruned(thresholds[low]);
}

}  // namespace espalier
