#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/aged_map.h"
#include "engine/masks/mask_walk.h"
#include "engine/masks/suffix_memo.h"
#include "engine/sparse_mask.h"
#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"
#include "grammar/leaf.h"
#include "grammar/recognizer.h"

namespace espalier {

/// What one leaf state decides about the tokens below some nodes of the vocabulary's trie: those
/// that enter a leaf part-way (` "Ann`) once the structure has read their beginning. Immutable.
struct SubtreeRow {
  /// Tokens that stay in the leaf, all spellings: few of them one by one, many as a piece.
  std::vector<TokenId> inside;
  SparseMask many_inside;
  /// Those from `first` to `last` - 1 of a list.
  struct Range {
    uint32_t key;  ///< what they have in common
    uint32_t first, last;
  };
  /// Tokens in which the leaf ends in `state`, by what they spell after it: a suffix that the
  /// vocabulary's content index knows, or another text, their bytes from `rest` on.
  struct Ends {
    uint32_t state;
    std::vector<TokenId> tokens;
    std::vector<Range> suffixes;                       // of `tokens`
    std::vector<std::pair<TokenId, uint32_t>> others;  // (token, rest)
  };
  std::vector<Ends> ends;
  /// Where the leaf may end in `state` before a byte that is not its own: nodes below such bytes.
  /// The structure is asked once for all nodes below the same byte.
  struct OpenExit {
    uint32_t state;
    std::vector<uint32_t> children;
    std::vector<Range> bytes;  // of `children`, in ascending order
  };
  std::vector<OpenExit> open;

  size_t memory_bytes() const;
};

/// The process-wide store of subtree rows, within a byte budget. Thread-safe.
class SubtreeRowCache {
 public:
  static SubtreeRowCache& process();
  /// The row of all `nodes` (sorted, none below another) together.
  std::shared_ptr<const SubtreeRow> get(const Vocabulary& vocabulary, const Bulk& bulk,
                                        std::span<const uint32_t> nodes);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  struct Place {
    uint64_t vocabulary = 0, leaf = 0;
    uint32_t state = 0;
    std::span<const uint32_t> nodes;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Place& a, const Place& b) const {
      return a.vocabulary == b.vocabulary && a.leaf == b.leaf && a.state == b.state &&
             std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end());
    }
  };
  struct Key {
    Key() = default;
    explicit Key(const Place& place)
        : vocabulary(place.vocabulary),
          leaf(place.leaf),
          state(place.state),
          nodes(place.nodes.begin(), place.nodes.end()) {}
    operator Place() const { return {vocabulary, leaf, state, nodes}; }
    bool operator==(const Place& place) const { return Equal()(*this, place); }

    uint64_t vocabulary = 0, leaf = 0;
    uint32_t state = 0;
    std::vector<uint32_t> nodes;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Place& place) const;
  };

  mutable std::mutex mutex_;
  AgedMap<Key, std::shared_ptr<const SubtreeRow>, Hash, Equal> rows_;
  size_t budget_ = size_t{12} << 20;
  std::atomic<uint64_t> generation_{0};  // counts what ThreadCache must forget
};

/// Working space of walk_structure, kept between calls.
struct SubtreeScratch {
  std::vector<WalkItem> entered, inner, exceptional;
  std::vector<uint32_t> nodes;
  std::vector<std::pair<uint32_t, uint32_t>> below;
  std::vector<TokenId> excluded;
};

inline bool by_state(const WalkItem& a, const WalkItem& b) {
  const auto fields = [](const WalkItem& item) {
    const State& s = item.state;
    return std::tuple(s.frame, s.leaf, s.state, s.text, item.node);
  };
  return fields(a) < fields(b);
}

/// Calls `visit(token, depth)` for the tokens of a node and of all below it, all spellings; `depth`
/// is the number of bytes since the node. `stack` is scratch space.
template <typename Visit>
void for_each_below(const TokenTrie& trie, uint32_t node,
                    std::vector<std::pair<uint32_t, uint32_t>>* stack, Visit&& visit) {
  stack->assign(1, {node, 0});
  while (!stack->empty()) {
    const auto [at, depth] = stack->back();
    stack->pop_back();
    const TokenTrie::Node& here = trie.node(at);
    trie.for_each_spelling(here.token, [&, d = depth](TokenId token) { visit(token, d); });
    for (uint32_t i = 0; i < here.num_children; ++i)
      stack->push_back({here.first_child + i, depth + 1});
  }
}

/// Adds the nodes below `items`, which have one state, at which an exceptional text ends its leaf,
/// with the (possibly dead) state there.
inline void find_exceptional_ends(const TokenTrie& trie, std::span<const WalkItem> items,
                                  Recognizer& recognizer, std::vector<WalkItem>* stack,
                                  std::vector<WalkItem>* out) {
  const auto visit = [&](uint32_t child, const State& next) {
    const bool inside = !next.dead() && recognizer.bulk(next).exceptions != Bulk::Exceptions::kNone;
    (inside ? stack : out)->push_back({next, child});
  };
  stack->clear();
  ByteSet bytes, characters;
  recognizer.exceptional_bytes(items[0].state, &bytes, &characters);
  for (const WalkItem& item : items) {
    for_each_child_by(trie, item.node, bytes, [&](uint32_t child, uint8_t byte) {
      visit(child, recognizer.probe(item.state, byte));
    });
  }
  while (!stack->empty()) {
    const WalkItem item = stack->back();
    stack->pop_back();
    for_each_exceptional_child(trie, item, recognizer, kAllBytes, visit);
  }
}

/// What walk_structure does, for one call.
template <typename Emit, typename EmitPiece>
class StructureWalk {
 public:
  StructureWalk(const Vocabulary& vocabulary, const ByteSet* excluded, Recognizer& recognizer,
                SuffixMemo* memo, std::vector<WalkItem>* stack, SubtreeScratch* scratch, Emit& emit,
                EmitPiece& emit_piece)
      : vocabulary_(vocabulary),
        trie_(vocabulary.trie()),
        excluded_(excluded),
        recognizer_(recognizer),
        memo_(*memo),
        stack_(*stack),
        scratch_(*scratch),
        emit_(emit),
        emit_piece_(emit_piece) {}

  void run(std::span<const WalkItem> begin) {
    std::vector<WalkItem>& entered = scratch_.entered;
    stack_.assign(begin.begin(), begin.end());
    while (!stack_.empty()) {
      entered.clear();
      while (!stack_.empty()) {
        const WalkItem item = stack_.back();
        stack_.pop_back();
        visit(item);
      }
      std::sort(entered.begin(), entered.end(), by_state);
      for (size_t first = 0, last; first < entered.size(); first = last) {
        for (last = first + 1;
             last < entered.size() && entered[last].state == entered[first].state;)
          ++last;
        enter(std::span(entered).subspan(first, last - first));
      }
    }
  }

 private:
  void visit(const WalkItem& item) {
    constexpr uint32_t kFewChildren = 4;  // below it, stepping is as quick
    const TokenTrie::Node& node = trie_.node(item.node);
    trie_.for_each_spelling(node.token, [&](TokenId token) { emit_(token, item.state); });
    if (node.num_children == 0) return;
    const Bulk bulk = node.num_children >= kFewChildren ? recognizer_.bulk(item.state) : Bulk{};
    if (bulk.leaf != nullptr && !bulk.relaxed && bulk.exceptions != Bulk::Exceptions::kAll) {
      scratch_.entered.push_back(item);
    } else {
      expand_trie_node(trie_, node, item.state, item.node == 0 ? excluded_ : nullptr, recognizer_,
                       &stack_);
    }
  }

  /// What lies below nodes that are reached in one state, in which a leaf is entered.
  void enter(std::span<const WalkItem> items) {
    from_ = items[0].state;
    left_ = 0;
    const Bulk bulk = recognizer_.bulk(from_);
    scratch_.nodes.clear();
    for (const WalkItem& item : items) scratch_.nodes.push_back(item.node);
    const std::shared_ptr<const SubtreeRow> row =
        SubtreeRowCache::process().get(vocabulary_, bulk, scratch_.nodes);
    for (const TokenId token : row->inside) emit_(token, from_);
    if (!row->many_inside.empty())
      emit_piece_(std::shared_ptr<const SparseMask>(row, &row->many_inside));
    scratch_.excluded.clear();
    if (bulk.exceptions != Bulk::Exceptions::kNone) find_exceptions(items);
    for (const SubtreeRow::Ends& ends : row->ends) emit_ends(ends);
    for (const SubtreeRow::OpenExit& exit : row->open)
      leave_open(exit, items[0].node == 0 ? excluded_ : nullptr);
  }

  void find_exceptions(std::span<const WalkItem> items) {
    std::vector<WalkItem>& exceptional = scratch_.exceptional;
    exceptional.clear();
    find_exceptional_ends(trie_, items, recognizer_, &scratch_.inner, &exceptional);
    for (const WalkItem& end : exceptional) {
      for_each_below(trie_, end.node, &scratch_.below,
                     [&](TokenId token, uint32_t) { scratch_.excluded.push_back(token); });
      if (!end.state.dead()) stack_.push_back(end);
    }
    std::sort(scratch_.excluded.begin(), scratch_.excluded.end());
  }

  /// The state after the leaf has ended in one of its own.
  const State& leave(uint32_t exit_state) {
    if (exit_state != left_) after_ = recognizer_.leave(from_, left_ = exit_state);
    return after_;
  }

  void emit_ends(const SubtreeRow::Ends& ends) {
    const State after = leave(ends.state);
    if (after.dead()) return;
    const auto emit_end = [&](TokenId token, const State& end) {
      if (scratch_.excluded.empty() ||
          !std::binary_search(scratch_.excluded.begin(), scratch_.excluded.end(), token)) {
        emit_(token, end);
      }
    };
    const std::shared_ptr<const SuffixSets> sets =
        memo_.find(recognizer_, *vocabulary_.content(), after, &scratch_.inner);
    for (const SubtreeRow::Range& range : ends.suffixes) {
      const bool doubtful = sets->doubts(range.key);
      if (!doubtful && !sets->allows(range.key)) continue;
      for (uint32_t i = range.first; i < range.last; ++i)
        emit_end(ends.tokens[i], doubtful ? State::doubt() : after);
    }
    for (const auto& [token, rest] : ends.others) {
      State end = after;
      for (const char byte : vocabulary_.bytes(token).substr(rest)) {
        end = recognizer_.probe(end, static_cast<uint8_t>(byte));
        if (end.dead()) break;
      }
      if (!end.dead()) emit_end(token, end);
    }
  }

  /// Goes on at the nodes below bytes that are not the leaf's own, but for those `barred`.
  void leave_open(const SubtreeRow::OpenExit& exit, const ByteSet* barred) {
    const State after = leave(exit.state);
    if (after.dead()) return;
    ByteSet bytes;
    recognizer_.next_bytes(after, &bytes);
    for_each_byte(bytes, [&](uint8_t byte) {
      const auto range =
          std::lower_bound(exit.bytes.begin(), exit.bytes.end(), byte,
                           [](const SubtreeRow::Range& r, uint8_t b) { return r.key < b; });
      if (range == exit.bytes.end() || range->key != byte) return;
      if (barred != nullptr && barred->contains(byte)) return;
      const State next = recognizer_.probe(after, byte);
      if (next.dead()) return;
      for (uint32_t i = range->first; i < range->last; ++i)
        stack_.push_back({next, exit.children[i]});
    });
  }

  const Vocabulary& vocabulary_;
  const TokenTrie& trie_;
  const ByteSet* const excluded_;
  Recognizer& recognizer_;
  SuffixMemo& memo_;
  std::vector<WalkItem>& stack_;
  SubtreeScratch& scratch_;
  Emit& emit_;
  EmitPiece& emit_piece_;
  State from_, after_;  // where a leaf is entered; where it was left
  uint32_t left_ = 0;   // in this state of its own
};

/// As walk_vocabulary over the vocabulary's own trie, from some of its nodes (whose tokens are
/// emitted; none below another) with the states there, and with whole subtrees taken from subtree
/// rows where a leaf is entered: one row for all nodes that are reached in the same state. Of their
/// tokens those that are kept as a piece go to `emit_piece`. No byte of `excluded`, which are left
/// out at the root, may begin a token that stays in the leaf of the state.
template <typename Emit, typename EmitPiece>
void walk_structure(const Vocabulary& vocabulary, std::span<const WalkItem> begin,
                    const ByteSet* excluded, Recognizer& recognizer, SuffixMemo* memo,
                    std::vector<WalkItem>* stack, SubtreeScratch* scratch, Emit&& emit,
                    EmitPiece&& emit_piece) {
  if (vocabulary.trie().size() == 0) return;
  StructureWalk(vocabulary, excluded, recognizer, memo, stack, scratch, emit, emit_piece)
      .run(begin);
}

}  // namespace espalier
