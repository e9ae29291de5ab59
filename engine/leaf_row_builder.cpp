// Rows of leaf states: what a scalar alone decides about a whole vocabulary.
//
// Inside a JSON string nearly every token either spells more of the string or is impossible; only a
// few hundred leave it, and what they spell afterwards (`",`, `":`, `"}` ...) is all that the
// structure around the string has to judge. So the tokens are sorted once per (leaf, state):
//
//   inside    the leaf is alive at the last byte, and has not ended
//   boundary  the leaf ends in some exit state e before the last byte or exactly there; the rest of
//             the token is its suffix
//   neither   the leaf dies
//
// Strings between two code points are read by code points (content_row_builder.cpp).
//
// Numbers, literals, and strings in the middle of a code point are walked byte by byte over the
// vocabulary's trie; their boundary is grouped by (e, suffix). A leaf that *may* end (a number)
// ends at the first byte that is not its own. At the token's very first byte that makes nearly the
// whole vocabulary a boundary; no suffixes are stored for these (`exits_here`), as the
// vocabulary's own trie holds them.
//
// Invariants: inside and boundary are disjoint; a token has at most one (e, suffix), because a leaf
// is deterministic and ends at a final state or at its first foreign byte.
//
// Cost: one leaf step for each node of the trie that is alive.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/content_row_builder.h"
#include "engine/mask_leaf_rows.h"
#include "grammar/content_leaf.h"

namespace espalier {
namespace {

/// A leaf's transitions, renumbered from 0 in order of discovery and filled on demand.
class LocalLeaf {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  static constexpr uint32_t kDead = UINT32_MAX - 1;

  explicit LocalLeaf(const Leaf& leaf) : leaf_(leaf) {}

  const Leaf& leaf() const { return leaf_; }

  uint32_t local(uint32_t state) {
    const auto [it, inserted] = index_.try_emplace(state, static_cast<uint32_t>(states_.size()));
    if (inserted) {
      states_.push_back(state);
      next_.resize(next_.size() + 256, kUnknown);
      exits_.push_back(leaf_.can_exit(state));
      final_.push_back(leaf_.is_final(state));
    }
    return it->second;
  }
  uint32_t step(uint32_t local_state, uint8_t byte) {
    const size_t slot = size_t{local_state} * 256 + byte;
    if (next_[slot] == kUnknown) {
      const uint32_t target = leaf_.step(states_[local_state], byte);
      const uint32_t next = target == 0 ? kDead : local(target);
      next_[slot] = next;
    }
    return next_[slot];
  }
  uint32_t state(uint32_t local_state) const { return states_[local_state]; }
  bool can_exit(uint32_t local_state) const { return exits_[local_state] != 0; }
  bool is_final(uint32_t local_state) const { return final_[local_state] != 0; }

 private:
  const Leaf& leaf_;
  std::unordered_map<uint32_t, uint32_t> index_;
  std::vector<uint32_t> states_;
  std::vector<uint32_t> next_;
  std::vector<uint8_t> exits_;
  std::vector<uint8_t> final_;
};

struct BoundaryToken {
  uint32_t exit_state;
  std::string_view suffix;
  TokenId token;
};

class ByteRowBuilder {
 public:
  ByteRowBuilder(const Vocabulary& vocabulary, const Leaf& leaf)
      : vocabulary_(vocabulary), trie_(vocabulary.trie()), leaf_(leaf) {}

  std::shared_ptr<const LeafRow> build(uint32_t state) {
    auto row = std::make_shared<LeafRow>();
    if (state != 0) walk(state, row.get());
    auto tokens = std::make_shared<LeafRow::Tokens>();
    tokens->set_inside(std::move(inside_), vocabulary_.row_words());
    row->tokens = std::move(tokens);
    group_by_suffix(row.get());
    return row;
  }

 private:
  struct Item {
    uint32_t node;
    uint32_t local;
    uint32_t depth;
  };

  template <typename Visit>
  static void for_each_spelling(const TokenTrie& trie, TokenId token, Visit&& visit) {
    if (trie.duplicates().empty()) {
      visit(token);
    } else {
      for (; token >= 0; token = trie.next_same(token)) visit(token);
    }
  }

  void walk(uint32_t state, LeafRow* row) {
    const TokenTrie& trie = trie_;
    if (trie.size() == 0) return;
    const uint32_t start = leaf_.local(state);
    row->exits_here = leaf_.can_exit(start);
    if (row->exits_here && !leaf_.is_final(start)) {
      for (uint32_t byte = 0; byte < 256; ++byte) {
        if (leaf_.step(start, static_cast<uint8_t>(byte)) != LocalLeaf::kDead) {
          row->consumed.insert(static_cast<uint8_t>(byte));
        }
      }
    }
    if (leaf_.is_final(start)) return;
    std::vector<Item> stack{{0, start, 0}};
    while (!stack.empty()) {
      const Item item = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(item.node);
      if (node.token >= 0)
        for_each_spelling(trie, node.token, [&](TokenId t) { inside_.push_back(t); });
      const bool may_end = item.depth != 0 && leaf_.can_exit(item.local);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const uint32_t next = leaf_.step(item.local, trie.node(child).byte);
        if (next == LocalLeaf::kDead) {
          if (may_end) add_subtree(trie, child, leaf_.state(item.local), item.depth);
        } else if (leaf_.is_final(next)) {
          add_subtree(trie, child, leaf_.state(next), item.depth + 1);
        } else {
          stack.push_back({child, next, item.depth + 1});
        }
      }
    }
  }

  void add_subtree(const TokenTrie& trie, uint32_t root, uint32_t exit_state,
                   uint32_t suffix_offset) {
    subtree_.assign(1, root);
    while (!subtree_.empty()) {
      const TokenTrie::Node& node = trie.node(subtree_.back());
      subtree_.pop_back();
      if (node.token >= 0) {
        for_each_spelling(trie, node.token, [&](TokenId t) {
          boundary_.push_back({exit_state, vocabulary_.bytes(t).substr(suffix_offset), t});
        });
      }
      for (uint32_t i = 0; i < node.num_children; ++i) subtree_.push_back(node.first_child + i);
    }
  }

  void group_by_suffix(LeafRow* row) {
    std::sort(boundary_.begin(), boundary_.end(),
              [](const BoundaryToken& a, const BoundaryToken& b) {
                if (a.exit_state != b.exit_state) return a.exit_state < b.exit_state;
                if (const int order = a.suffix.compare(b.suffix); order != 0) return order < 0;
                return a.token < b.token;
              });
    row->group_begin.push_back(0);
    row->group_tokens.reserve(boundary_.size());
    std::vector<std::pair<std::string_view, int32_t>> entries;
    for (size_t i = 0; i < boundary_.size();) {
      LeafRow::Exit exit;
      exit.state = boundary_[i].exit_state;
      entries.clear();
      while (i < boundary_.size() && boundary_[i].exit_state == exit.state) {
        const std::string_view suffix = boundary_[i].suffix;
        const auto group = static_cast<uint32_t>(row->group_begin.size() - 1);
        for (; i < boundary_.size() && boundary_[i].exit_state == exit.state &&
               boundary_[i].suffix == suffix;
             ++i) {
          row->group_tokens.push_back(boundary_[i].token);
        }
        row->group_begin.push_back(static_cast<uint32_t>(row->group_tokens.size()));
        if (suffix.empty()) {
          exit.empty_group = group;
        } else {
          entries.emplace_back(suffix, static_cast<int32_t>(group));
        }
      }
      if (!entries.empty()) exit.suffixes = TokenTrie(entries);
      row->exits.push_back(std::move(exit));
    }
  }

  const Vocabulary& vocabulary_;
  const TokenTrie& trie_;
  LocalLeaf leaf_;
  std::vector<TokenId> inside_;
  std::vector<BoundaryToken> boundary_;
  std::vector<uint32_t> subtree_;
};

}  // namespace

std::shared_ptr<const LeafRow> build_leaf_row(const Vocabulary& vocabulary, const Leaf& leaf,
                                              uint32_t state) {
  if (const auto* content = dynamic_cast<const ContentLeaf*>(&leaf)) {
    uint32_t product = 0;
    if (state != 0 && content->content(state, &product)) {
      return build_content_row(vocabulary, leaf, *content, state, product);
    }
  }
  return ByteRowBuilder(vocabulary, leaf).build(state);
}

}  // namespace espalier
