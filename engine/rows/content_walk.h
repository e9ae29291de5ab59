// Walking the texts that a product survives.
//
// The idea: a trie is walked in preorder with the product at each node on the path. Where the
// product is dead the subtree is jumped over, and where all letters below lie in the product's
// region (content_regions.h) it is taken as a whole; where some are fatal wherever they stand, the
// texts of the subtree are told apart by their letters alone. At the root thousands of code points
// above U+007F share their fate, and are taken together.
//
// Example: for ^[a-z]+(\.[a-z]+)*$ the walk meets ".", below which the dot, the space and others
// are fatal and letters are survived for ever: no node below it is visited.
//
// Cost: some nanoseconds for each node visited; see content_products.h for the products.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "engine/rows/content_products.h"
#include "engine/tokens/content_letters.h"
#include "engine/tokens/content_trie.h"

namespace espalier {

/// Walks over tries of one vocabulary. `counts` are those of its plain texts.
class ContentWalk {
 public:
  ContentWalk(ContentProducts* products, const LetterCounts& counts)
      : products_(*products), counts_(counts) {}

  /// What a walk does not want to be told: it then visits all that survives node by node.
  struct Ignore {
    void operator()(uint32_t, uint32_t) const {}
  };
  /// Visits the nodes of a trie whose texts product number `start` survives. `on_node(i, product)`
  /// sees the values at node i; `on_free(i, end)` subtrees [i, end) that survive as a whole,
  /// `on_dead(i, end)` ones that do not at all.
  template <typename OnNode, typename OnFree, typename OnDead>
  void walk(const ContentTrie& trie, uint32_t start, OnNode&& on_node, OnFree&& on_free,
            OnDead&& on_dead) {
    walk(trie, start, {}, on_node, on_free, on_dead,
         [](uint32_t, uint32_t, const Letters&) { return false; });
  }
  /// `on_part(i, end, fatal)` sees subtrees of which all texts survive in which, from node i on,
  /// none of these letters occurs; false if it cannot deal with that. Where there are any `firsts`,
  /// the walk goes only where a text begins with one of them, ASCII characters all.
  template <typename OnNode, typename OnFree, typename OnDead, typename OnPart>
  void walk(const ContentTrie& trie, uint32_t start, const Letters& firsts, OnNode&& on_node,
            OnFree&& on_free, OnDead&& on_dead, OnPart&& on_part) {
    Letters fatal;
    path_.assign(1, {trie.size(), start, 0});
    const auto below = trie.below();
    // The first entry of `below` that is not before node i.
    uint32_t summary = trie.size() == 0 ? 0 : trie.below_from(1);
    for (uint32_t i = 1; i < trie.size();) {
      while (path_.back().end <= i) path_.pop_back();
      const uint32_t from = path_.back().product;
      const ContentTrie::Node& node = trie.node(i);
      const bool many = node.end - i > ContentTrie::kManyNodes;
      if (path_.size() == 1 && firsts.any()) {
        if (node.codepoint >= 0x80) break;
        if (!firsts.has(node.codepoint)) {
          if (many) summary = below[summary].end;
          i = node.end;
          continue;
        }
      }
      if (path_.size() == 1 && node.codepoint >= 0x80 && trie.plain() &&
          products_.ascii_only(from)) {
        on_dead(i, trie.size());
        break;
      }
      if (node.codepoint >= ContentTrie::kPartial) {
        const ContentTrie::Partial& partial = trie.partial(node);
        if (products_.any(from, partial.lo, partial.hi)) {
          on_free(i, node.end);
        } else {
          on_dead(i, node.end);
        }
        i = node.end;
        continue;
      }
      if (path_.size() == 1 && node.codepoint >= 0x80) {
        if (const SharedFate shared = shared_fate<kTakesFree<OnFree>>(trie, i, from);
            shared.end > i) {
          if (shared.dead) {
            on_dead(i, shared.end);
          } else {
            on_free(i, shared.end);
          }
          i = shared.end;
          summary = trie.below_from(i);
          continue;
        }
      }
      if (kTakesFree<OnFree> && node.end == i + 1 && products_.remembers()) {
        if (products_.survives(from, node.codepoint)) {
          on_free(i, node.end);
        } else {
          on_dead(i, node.end);
        }
        ++i;
        continue;
      }
      const uint32_t next = node.codepoint < 0x80 ? products_.step_ascii(from, node.codepoint)
                                                  : products_.step(from, node.codepoint);
      Survival survived = Survival::kNotKnown;
      const bool dead = next == ContentProducts::kDead;
      if (kTakesFree<OnFree> && !dead) {
        if (products_.universal(next)) {
          survived = Survival::kAll;
        } else if (many && trie.plain()) {
          survived = survival(next, below[summary], node.end - i, &fatal);
        }
      }
      if (survived == Survival::kWithout && !on_part(i, node.end, fatal)) {
        survived = Survival::kNotKnown;
      }
      if (dead || survived != Survival::kNotKnown) {
        if (dead) {
          on_dead(i, node.end);
        } else if (survived == Survival::kAll) {
          on_free(i, node.end);
        }
        if (many) summary = below[summary].end;
        i = node.end;
        continue;
      }
      on_node(i, next);
      if (node.end > i + 1) path_.push_back({node.end, next, i});
      if (many) ++summary;
      ++i;
    }
  }

  /// For on_part: visits the values of the subtree [i, end), which the walk has come to, each with
  /// whether its text has none of these letters from node i on; false if that is not known.
  template <typename Visit>
  bool for_each_part(const ContentTrie& trie, uint32_t i, uint32_t end, const Letters& fatal,
                     Visit&& visit) const {
    const bool top = path_.size() == 1;
    // The letters of a value are those of its whole text.
    Letters path;
    if (!top) path.add(trie.letter(trie.node(i)));
    for (size_t k = 1; k < path_.size(); ++k) path.add(trie.letter(trie.node(path_[k].node)));
    if (path.meets(fatal)) return false;
    for (uint32_t k = trie.node(i).first_value; k < trie.node(end).first_value; ++k) {
      const Letters& letters = top ? trie.tail_letters(k) : trie.letters(k);
      visit(trie.value(k), !letters.meets(fatal));
    }
    return true;
  }

  /// Do most tokens that begin with an ASCII character survive, as far as their first two
  /// characters tell?
  bool mostly_alive(const ContentTrie& trie, uint32_t start) {
    std::vector<std::pair<uint32_t, double>> firsts;  // a product, and the values that reach it
    double alive = 0, all = 0;
    for (uint32_t i = 1; i < trie.size() && trie.node(i).codepoint < 0x80; i = trie.node(i).end) {
      const double values = trie.node(trie.node(i).end).first_value - trie.node(i).first_value;
      all += values;
      const uint32_t next = products_.step(start, trie.node(i).codepoint);
      if (next == ContentProducts::kDead) continue;
      alive += values;
      if (firsts.empty() || firsts.back().first != next) firsts.emplace_back(next, 0);
      firsts.back().second += values;
    }
    if (alive <= all / 2) return false;
    const auto texts = [&](const Letters& letters) {
      double sum = 0;
      letters.for_each([&](uint32_t letter) { sum += trie.counts().with[letter]; });
      return sum;
    };
    const double all_texts = texts(Letters::all());
    for (const auto& [next, values] : firsts)
      alive -= values * texts(products_.letter_steps(next).dead) / all_texts;
    return alive > all / 2;
  }

 private:
  template <typename OnFree>
  static constexpr bool kTakesFree = !std::is_same_v<std::decay_t<OnFree>, Ignore>;

  enum class Survival : uint8_t { kAll, kWithout, kNotKnown };
  /// Which texts of the letters in `below` does a product survive? All; or those without some
  /// letters, which are fatal wherever they stand; or that is not known.
  Survival survival(uint32_t number, const ContentTrie::Below& below, uint32_t nodes,
                    Letters* fatal) {
    const ContentRegion& region = products_.region(number, counts_, nodes);
    if (below.depth > region.depth) return Survival::kNotKnown;
    *fatal = below.letters - region.inside;
    if (!fatal->any()) {
      const bool words = std::any_of(region.words.begin(), region.words.end(),
                                     [&](const Letters& w) { return w.within(below.letters); });
      return words ? Survival::kNotKnown : Survival::kAll;
    }
    // With more fatal letters than others a walk meets little that is alive.
    return fatal->within(region.fatal) && fatal->count() <= (below.letters - *fatal).count()
               ? Survival::kWithout
               : Survival::kNotKnown;
  }

  /// Thousands of texts begin with characters above U+007F, most of which share their fate: those
  /// from node i on, if any; all are dead, or survive as far as `free` ones are wanted.
  struct SharedFate {
    uint32_t end;
    bool dead;
  };
  template <bool free>
  SharedFate shared_fate(const ContentTrie& trie, uint32_t i, uint32_t from) {
    const ContentTrie::Node& node = trie.node(i);
    const ContentProducts::Fate fate = products_.fate(from, node.codepoint);
    const bool dead = fate.next == ContentProducts::kDead;
    if (dead || (free && products_.universal(fate.next)))
      return {fate.last == node.codepoint ? node.end : trie.root_after(fate.last), dead};
    if (!free || !trie.plain()) return {i, false};
    const ContentTrie::Block* block = trie.block_at(i);
    Letters fatal;
    const bool all = block != nullptr && block->last <= fate.last &&
                     survival(fate.next, block->below, block->end - i, &fatal) == Survival::kAll;
    return {all ? block->end : i, false};
  }

  struct Step {
    uint32_t end, product, node;  // the end of the node's subtree
  };

  ContentProducts& products_;
  const LetterCounts& counts_;
  std::vector<Step> path_;
};

}  // namespace espalier
