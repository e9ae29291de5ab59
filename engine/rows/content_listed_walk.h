// Walking the texts that listed strings begin with.
//
// The idea: where nothing but the rest of a few strings may follow, these are gone down together
// with a trie of texts; no look is taken at what else the trie holds. A product's code points are
// asked for once for each row, however many tries are walked.
//
// Example: after "re" of {"enum": ["red", "reed"]} the tokens are found below "d" and "e", three
// nodes of the trie.
//
// Cost: a binary search for each node that is met.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/tokens/content_trie.h"
#include "grammar/strings/content_leaf.h"

namespace espalier {

/// Walks from the products of one leaf that are ContentLeaf::listed().
class ContentListedWalk {
 public:
  explicit ContentListedWalk(const ContentLeaf& leaf) : leaf_(leaf) {}

  /// May nothing but the rest of listed strings follow?
  bool listed(uint32_t product) {
    const auto [it, inserted] = steps_.try_emplace(product);
    if (!inserted) return true;
    const bool listed = leaf_.listed(product, [&](uint32_t codepoint, uint32_t next) {
      it->second.push_back({codepoint, next});
    });
    if (!listed) steps_.erase(it);
    return listed;
  }

  /// Visits the nodes of a trie whose texts a listed product survives: `on_node(first, last,
  /// product)` sees values [first, last), which are after whole code points, and `on_cut(first,
  /// last)` those of which the last one may yet become one that is survived.
  template <typename OnNode, typename OnCut>
  void walk(const ContentTrie& trie, uint32_t start, OnNode&& on_node, OnCut&& on_cut) {
    if (trie.size() == 0) return;
    stack_.assign(1, {0, start});
    while (!stack_.empty()) {
      const auto [at, product] = stack_.back();
      stack_.pop_back();
      on_node(trie.node(at).first_value, trie.node(at + 1).first_value, product);
      const uint32_t end = at == 0 ? trie.size() : trie.node(at).end;
      if (at + 1 == end || !listed(product)) continue;
      const Steps& steps = steps_.find(product)->second;
      const auto step_at = [&](uint32_t codepoint) {
        return std::lower_bound(steps.begin(), steps.end(), Step{codepoint, 0});
      };
      const auto visit = [&](uint32_t child) {
        const ContentTrie::Node& node = trie.node(child);
        if (node.codepoint >= ContentTrie::kPartial) {
          const ContentTrie::Partial& cut = trie.partial(node);
          const auto step = step_at(cut.lo);
          if (step != steps.end() && step->first <= cut.hi)
            on_cut(node.first_value, trie.node(node.end).first_value);
        } else if (const auto step = step_at(node.codepoint);
                   step != steps.end() && step->first == node.codepoint) {
          stack_.emplace_back(child, step->second);
        }
      };
      const auto fan = trie.fan(at);
      if (fan.empty()) {
        for (uint32_t child = at + 1; child < end; child = trie.node(child).end) visit(child);
        continue;
      }
      const auto from = [&](uint32_t codepoint) {
        return std::lower_bound(fan.begin(), fan.end(), Step{codepoint, 0});
      };
      for (const Step& step : steps) {
        const auto child = from(step.first);
        if (child != fan.end() && child->first == step.first)
          stack_.emplace_back(child->second, step.second);
      }
      // Plain texts are cut within characters above U+007F.
      if (trie.plain() && (steps.empty() || steps.back().first < 0x80)) continue;
      for (auto cut = from(ContentTrie::kPartial); cut != fan.end(); ++cut) visit(cut->second);
    }
  }

 private:
  using Step = std::pair<uint32_t, uint32_t>;  // code point, product
  using Steps = std::vector<Step>;

  const ContentLeaf& leaf_;
  std::unordered_map<uint32_t, Steps> steps_;
  std::vector<Step> stack_;  // (node, product)
};

}  // namespace espalier
