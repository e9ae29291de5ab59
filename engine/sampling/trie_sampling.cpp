// ASAp, CARS, MARS and trie importance sampling: four readers of one trie.
//
// A draw goes down from the root, choosing a token a with probability p(a|u) B(ua) / B(u) among the
// allowed ones, where B are the trie's bounds. At prefixes that were visited before, B(u) is the
// sum of its children's terms, so along them the product telescopes to
//
//   Q(u) = P(u) B(u) / B(root)
//
// and at the first new prefix B(u) is still 1 while z(u), the allowed share of its row, is just
// being seen. What makes up for z(u) there and at every prefix behind it is where the four differ;
// then an accepted x has probability P(x) / B(root) in one attempt, whatever the trie has learned:
//
//   CARS   draws from the row with the refused tokens in it: the draw fails with 1 - z(u)
//   MARS   flips a coin that fails with 1 - z(u): the same law
//   IS     starts with weight B(root) and multiplies it by z(u): E[weight 1{x}] = P(x)
//   ASAp   ignores it: grammatical, and unbiased only when the trie holds all that matters
//
// Every new prefix enters the trie with its z(u), and the bounds above fall; so CARS and MARS fail
// less and less often (they accept Z / B(root) of their attempts), and IS weights even out.
//
// A child is chosen by drawing from the masked row and keeping it with probability B, which needs
// no list of the stored children; when that keeps failing, all terms are summed.
//
// Invariants: an attempt changes bounds only downwards. Cost: O(log V) for a token beside its row.
// References: arXiv 2405.21047 (ASAp), 2510.01902 (CARS).

#include "engine/sampling/trie_sampling.h"

#include <cmath>
#include <limits>
#include <utility>

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr int kQuickTries = 24;

}  // namespace

std::optional<size_t> TrieSampler::choose(const MaskedRow& row, BoundTrie::Node place,
                                          Random* random) const {
  if (!(row.mass() > 0)) return std::nullopt;
  const auto bound = [&](size_t index) {
    if (place == BoundTrie::kNone) return 1.0;
    const BoundTrie::Node child = trie_->find(place, row.tokens()[index]);
    return child == BoundTrie::kNone ? 1.0 : trie_->bound(child);
  };
  for (int tries = 0; tries < kQuickTries; ++tries) {
    const size_t index = row.at(random->unit() * row.mass());
    const double keep = bound(index);
    if (keep == 1 || random->unit() < keep) return index;
  }
  const size_t count = row.tokens().size();
  std::vector<double> sums(count);
  double total = 0;
  for (size_t i = 0; i < count; ++i) sums[i] = total += row.probability(i) * bound(i);
  if (!(total > 0)) return std::nullopt;
  const double point = random->unit() * total;
  size_t index = 0;
  while (index + 1 < count && sums[index] <= point) ++index;
  return index;
}

Result<TrieDraw> TrieSampler::attempt(TrieMethod method, Random* random) {
  return descend(method, Learning::kOn, random);
}

Result<TrieDraw> TrieSampler::attempt_frozen(TrieMethod method, Random* random) {
  return descend(method, Learning::kOff, random);
}

Result<TrieDraw> TrieSampler::descend(TrieMethod method, Learning learning, Random* random) {
  TrieDraw draw;
  PrefixTree::Node node = PrefixTree::kRoot;
  BoundTrie::Node place = BoundTrie::kRoot;
  trie_->begin_draw();
  auto masked = tree_->masked(node);
  if (!masked.ok()) return masked.status();
  trie_->expand((*masked)->mass());
  draw.log_weight = std::log(trie_->bound(BoundTrie::kRoot));
  const auto refuse = [&]() {
    draw.tokens = tree_->tokens(node);
    draw.log_weight = kMinusInfinity;
    return std::move(draw);
  };
  std::optional<size_t> chosen;
  for (;;) {
    const MaskedRow& row = **masked;
    if (!chosen) chosen = choose(row, place, random);
    if (!chosen) {
      if (place != BoundTrie::kNone && learning == Learning::kOn) trie_->set_bound(place, 0);
      return refuse();
    }
    const TokenId token = row.tokens()[*chosen];
    if (tree_->vocabulary().is_eos(token)) {
      draw.tokens = tree_->tokens(node);
      draw.accepted = true;
      return draw;
    }
    const float log_probability = tree_->row(node)[static_cast<size_t>(token)];
    chosen.reset();
    const Result<PrefixTree::Node> child = tree_->child(node, token);
    if (!child.ok()) return child.status();
    node = *child;
    masked = tree_->masked(node);
    if (!masked.ok()) return masked.status();
    BoundTrie::Node below =
        place == BoundTrie::kNone ? BoundTrie::kNone : trie_->find(place, token);
    if (below != BoundTrie::kNone) {
      trie_->touch(below);
      place = below;
      continue;
    }
    const double z = (*masked)->mass();
    if (place != BoundTrie::kNone && learning == Learning::kOn) {
      below = trie_->add(place, token, log_probability, z);
    }
    place = below;
    if (method == TrieMethod::kImportance) draw.log_weight += std::log(z);
    if (method == TrieMethod::kMars && random->unit() >= z) return refuse();
    if (method == TrieMethod::kCars) {
      const double point = random->unit();
      if (point >= z) return refuse();
      chosen = (*masked)->at(point);
    }
  }
}

}  // namespace espalier
