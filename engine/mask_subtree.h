#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/mask_walk.h"
#include "engine/sparse_mask.h"
#include "engine/token_trie.h"
#include "espalier/vocabulary.h"
#include "grammar/leaf.h"
#include "grammar/recognizer.h"

namespace espalier {

/// What one leaf state decides about the tokens below one node of the vocabulary's trie: those that
/// enter a leaf part-way (` "Ann`) once the structure has read their beginning. Immutable.
struct SubtreeRow {
  /// Tokens that stay in the leaf, all spellings: few of them one by one, many as a piece.
  std::vector<TokenId> inside;
  SparseMask many_inside;
  /// Nodes at which the leaf has ended in an exit state; the walk goes on from there.
  struct Exit {
    uint32_t state;
    uint32_t node;
  };
  std::vector<Exit> ended;
  /// Where the leaf may end in `state` before a byte that is not its own: nodes below such bytes.
  /// The structure is asked once for all nodes below the same byte.
  struct OpenExit {
    uint32_t state;
    std::vector<uint32_t> children;
    /// children[first] to children[last - 1] lie below `byte`; sorted by byte.
    struct Range {
      uint8_t byte;
      uint32_t first, last;
    };
    std::vector<Range> ranges;
  };
  std::vector<OpenExit> open;

  size_t memory_bytes() const;
};

/// The process-wide store of subtree rows, within a byte budget. Thread-safe.
class SubtreeRowCache {
 public:
  static SubtreeRowCache& process();
  std::shared_ptr<const SubtreeRow> get(const Vocabulary& vocabulary, const Bulk& bulk,
                                        uint32_t node);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  struct Key {
    uint64_t vocabulary, leaf;
    uint32_t state, node;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  mutable std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<const SubtreeRow>, KeyHash> rows_;
  size_t budget_ = size_t{12} << 20;
  size_t bytes_ = 0;
  std::atomic<uint64_t> generation_{0};  // counts what ThreadCache must forget
};

/// The nodes below `from` at which an exceptional text ends its leaf, with the (possibly dead)
/// state there.
inline void find_exceptional_ends(const TokenTrie& trie, const WalkItem& from,
                                  Recognizer& recognizer, std::vector<WalkItem>* stack,
                                  std::vector<WalkItem>* out) {
  stack->assign(1, from);
  while (!stack->empty()) {
    const WalkItem item = stack->back();
    stack->pop_back();
    for_each_exceptional_child(trie, item, recognizer, kAllBytes, [&](uint32_t child, State next) {
      const bool inside =
          !next.dead() && recognizer.bulk(next).exceptions != Bulk::Exceptions::kNone;
      (inside ? stack : out)->push_back({next, child});
    });
  }
}

/// As walk_vocabulary over the vocabulary's own trie, from one of its nodes (whose token is
/// emitted) with the state there, and with whole subtrees taken from subtree rows where a leaf is
/// entered; of their tokens those that are kept as a piece go to `emit_piece`. No byte of
/// `excluded`, which are left out at the root, may begin a token that stays in the leaf of the
/// state.
template <typename Emit, typename EmitPiece>
void walk_structure(const Vocabulary& vocabulary, const WalkItem& from, const ByteSet* excluded,
                    Recognizer& recognizer, std::vector<WalkItem>* stack, Emit&& emit,
                    EmitPiece&& emit_piece) {
  constexpr uint32_t kFewChildren = 4;  // below it, stepping is as quick
  const TokenTrie& trie = vocabulary.trie();
  if (trie.size() == 0 || from.state.dead()) return;
  const bool respelled = !trie.duplicates().empty();
  const auto emit_all = [&](TokenId token, const State& s) {
    emit(token, s);
    while (respelled && (token = trie.next_same(token)) >= 0) emit(token, s);
  };
  std::vector<WalkItem> inner, exceptional;
  stack->assign(1, from);
  while (!stack->empty()) {
    const WalkItem item = stack->back();
    stack->pop_back();
    const ByteSet* barred = item.node == 0 ? excluded : nullptr;
    const TokenTrie::Node& node = trie.node(item.node);
    if (node.token >= 0) emit_all(node.token, item.state);
    if (node.num_children == 0) continue;
    const Bulk bulk = node.num_children >= kFewChildren ? recognizer.bulk(item.state) : Bulk{};
    if (bulk.leaf == nullptr || bulk.relaxed || bulk.exceptions == Bulk::Exceptions::kAll) {
      expand_trie_node(trie, node, item.state, barred, recognizer, stack);
      continue;
    }
    const std::shared_ptr<const SubtreeRow> row =
        SubtreeRowCache::process().get(vocabulary, bulk, item.node);
    for (const TokenId token : row->inside) emit(token, item.state);
    if (!row->many_inside.empty())
      emit_piece(std::shared_ptr<const SparseMask>(row, &row->many_inside));
    exceptional.clear();
    if (bulk.exceptions != Bulk::Exceptions::kNone) {
      find_exceptional_ends(trie, item, recognizer, &inner, &exceptional);
      for (const WalkItem& end : exceptional) {
        if (!end.state.dead()) stack->push_back(end);
      }
    }
    uint32_t left = 0;
    State after;
    const auto leave = [&](uint32_t exit_state) {
      if (exit_state != left) after = recognizer.leave(item.state, left = exit_state);
      return after;
    };
    for (const SubtreeRow::Exit& exit : row->ended) {
      const auto same = [&](const WalkItem& end) { return end.node == exit.node; };
      if (std::any_of(exceptional.begin(), exceptional.end(), same)) continue;
      if (!leave(exit.state).dead()) stack->push_back({after, exit.node});
    }
    for (const SubtreeRow::OpenExit& exit : row->open) {
      if (leave(exit.state).dead()) continue;
      ByteSet bytes;
      recognizer.next_bytes(after, &bytes);
      for (const SubtreeRow::OpenExit::Range& range : exit.ranges) {
        if (!bytes.contains(range.byte)) continue;
        if (barred != nullptr && barred->contains(range.byte)) continue;
        const State next = recognizer.probe(after, range.byte);
        if (next.dead()) continue;
        for (uint32_t i = range.first; i < range.last; ++i)
          stack->push_back({next, exit.children[i]});
      }
    }
  }
}

}  // namespace espalier
