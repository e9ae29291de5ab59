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
// Numbers, which read few bytes, are first asked what other leaves were asked: the same answers
// give the same tokens (row_memo.cpp).
//
// Cost: one leaf step for each node of the trie that is alive.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/rows/content_row_builder.h"
#include "engine/rows/mask_leaf_rows.h"
#include "engine/rows/row_memo.h"
#include "grammar/strings/content_leaf.h"
#include "grammar/tables/id_table.h"

namespace espalier {
namespace {

/// A leaf's transitions, renumbered from 0 in order of discovery and filled on demand.
class LocalLeaf {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  static constexpr uint32_t kDead = UINT32_MAX - 1;
  /// A set of columns, where there are so few.
  using Columns = uint32_t;
  static constexpr uint32_t kFewColumns = 32;

  explicit LocalLeaf(const Leaf& leaf) : leaf_(leaf) {
    ByteSet all;
    all.fill();
    const ByteSet* alphabet = leaf.alphabet();
    for_each_byte(alphabet != nullptr ? *alphabet : all, [&](uint8_t byte) {
      bytes_[columns_] = byte;
      column_[byte] = ++columns_;
    });
  }

  const Leaf& leaf() const { return leaf_; }
  uint32_t num_columns() const { return columns_; }

  uint32_t local(uint32_t state) {
    const auto [entry, inserted] = index_.try_emplace(state, static_cast<uint32_t>(states_.size()));
    if (inserted) {
      states_.push_back({state, 0, leaf_.can_exit(state), leaf_.is_final(state), nullptr});
    }
    return entry->second;
  }
  /// Forgets what step() has been asked.
  void begin() {
    for (const uint32_t local : asked_) states_[local].asked = 0;
    asked_.clear();
  }
  /// The states of which step() has been asked since then, and the columns, where they are few.
  std::span<const uint32_t> asked() const { return asked_; }
  Columns asked(uint32_t local_state) const { return states_[local_state].asked; }

  uint32_t step(uint32_t local_state, uint8_t byte) {
    return column_[byte] == 0 ? kDead : step_column(local_state, column_[byte] - 1u);
  }
  uint32_t step_column(uint32_t local_state, uint32_t column) {
    State& from = states_[local_state];
    if (from.asked == 0) asked_.push_back(local_state);
    from.asked |= Columns{1} << column % kFewColumns;
    if (from.next == nullptr) {
      from.next = std::make_unique_for_overwrite<uint32_t[]>(columns_);
      static_assert(kUnknown == UINT32_MAX);
      std::memset(from.next.get(), 0xff, columns_ * sizeof(uint32_t));
    }
    uint32_t& next = from.next[column];
    if (next == kUnknown) {
      const uint32_t target = leaf_.step(from.state, bytes_[column]);
      next = target == 0 ? kDead : local(target);
    }
    return next;
  }
  uint32_t state(uint32_t local_state) const { return states_[local_state].state; }
  bool can_exit(uint32_t local_state) const { return states_[local_state].can_exit; }
  bool is_final(uint32_t local_state) const { return states_[local_state].is_final; }

 private:
  struct State {
    uint32_t state;
    Columns asked;
    bool can_exit, is_final;
    std::unique_ptr<uint32_t[]> next;  // by column, once one is asked for
  };

  const Leaf& leaf_;
  std::array<uint16_t, 256> column_{};  // counted from 1; 0: no byte that is ever read
  std::array<uint8_t, 256> bytes_;      // by column
  uint16_t columns_ = 0;
  FlatMap<uint32_t> index_;
  std::vector<State> states_;
  std::vector<uint32_t> asked_;
};

/// What a row of bytes asks of a leaf with a small alphabet; compare content_facts.h. Only bytes by
/// which tokens go on are asked for, as each may need a state of its own.
class ByteFacts {
 public:
  ByteFacts(LocalLeaf* leaf, const ByteSet& alphabet, uint32_t start)
      : leaf_(*leaf), alphabet_(alphabet) {
    name(start);
  }
  RowAnswer first(const Vocabulary& vocabulary) const {
    RowAnswer out{RowMemo::kBytes, static_cast<uint32_t>(vocabulary.uid()),
                  static_cast<uint32_t>(vocabulary.uid() >> 32), kinds(locals_[0])};
    for (const uint64_t word : alphabet_.words) {
      out.push_back(static_cast<uint32_t>(word));
      out.push_back(static_cast<uint32_t>(word >> 32));
    }
    return out;
  }
  RowAnswer answer(const RowQuestion& question) {
    RowAnswer out;
    for (LocalLeaf::Columns left = question.bytes; left != 0; left &= left - 1) {
      const uint32_t next = leaf_.step_column(locals_[question.product],
                                              static_cast<uint32_t>(std::countr_zero(left)));
      if (next == LocalLeaf::kDead) {
        out.push_back(LocalLeaf::kDead);
        continue;
      }
      const size_t known = locals_.size();
      out.push_back(name(next));
      if (locals_.size() != known) out.push_back(kinds(next));
    }
    return out;
  }
  /// The answers that the walk has depended on since begin() and that the search has not asked for;
  /// false if they are too many.
  bool answers(const RowMemo::Search& search, std::vector<std::pair<RowQuestion, RowAnswer>>* out) {
    constexpr size_t kMost = 256;
    const size_t size = leaf_.asked().size();
    if (size > kMost) return false;
    for (size_t i = 0; i < size; ++i) {
      const uint32_t local = leaf_.asked()[i];
      const uint32_t* const known = find_name(local);
      if (known == nullptr) return false;
      RowQuestion question{RowQuestion::Kind::kSteps, *known, leaf_.asked(local)};
      for (const RowQuestion& before : search.asked()) {
        if (before.product == question.product) question.bytes &= ~before.bytes;
      }
      if (question.bytes != 0) out->emplace_back(question, answer(question));
    }
    return true;
  }
  uint32_t name(uint32_t local) {
    if (local >= names_.size()) names_.resize(local + 1, kNone);
    if (names_[local] == kNone) {
      names_[local] = static_cast<uint32_t>(locals_.size());
      locals_.push_back(local);
    }
    return names_[local];
  }
  uint32_t state(uint32_t name) const { return leaf_.state(locals_[name]); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  const uint32_t* find_name(uint32_t local) const {
    return local < names_.size() && names_[local] != kNone ? &names_[local] : nullptr;
  }
  uint32_t kinds(uint32_t local) const {
    return (leaf_.can_exit(local) ? 1 : 0) + (leaf_.is_final(local) ? 2 : 0);
  }

  LocalLeaf& leaf_;
  const ByteSet& alphabet_;
  std::vector<uint32_t> locals_;  // by name
  std::vector<uint32_t> names_;   // by local state
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
    const ByteSet* alphabet = leaf_.leaf().alphabet();
    if (state == 0 || trie_.size() == 0) {
      row->tokens = std::make_shared<LeafRow::Tokens>();
      return row;
    }
    const uint32_t start = leaf_.local(state);
    find_exit(start, row.get());
    if (alphabet == nullptr || leaf_.num_columns() > LocalLeaf::kFewColumns) {
      walk(start, row.get());
      for (uint32_t& end : row->end_states) end = leaf_.state(end);
      return row;
    }
    ByteFacts facts(&leaf_, *alphabet, start);
    RowMemo::Search search;
    const auto answer = [&](const RowQuestion& question) { return facts.answer(question); };
    if (auto known = RowMemo::process().find(facts.first(vocabulary_), answer, &search)) {
      row->tokens = std::move(known->tokens);
      for (const uint32_t name : known->ends) row->end_states.push_back(facts.state(name));
      return row;
    }
    leaf_.begin();
    walk(start, row.get());
    std::vector<std::pair<RowQuestion, RowAnswer>> answers;
    const bool all = facts.answers(search, &answers);
    std::vector<uint32_t> ends;
    for (uint32_t& end : row->end_states) {
      ends.push_back(facts.name(end));
      end = leaf_.state(end);
    }
    if (all) RowMemo::process().insert(std::move(search), std::move(answers), {row->tokens, ends});
    return row;
  }

 private:
  struct Item {
    uint32_t node;
    uint32_t local;
    uint32_t depth;
  };

  void find_exit(uint32_t start, LeafRow* row) {
    row->exits_here = leaf_.can_exit(start);
    if (!row->exits_here || leaf_.is_final(start)) return;
    ByteSet all;
    all.fill();
    const ByteSet* alphabet = leaf_.leaf().alphabet();
    for_each_byte(alphabet != nullptr ? *alphabet : all, [&](uint8_t byte) {
      if (leaf_.step(start, byte) != LocalLeaf::kDead) row->consumed.insert(byte);
    });
  }

  /// Finds the tokens of the row, and the local states in which they end the leaf.
  void walk(uint32_t start, LeafRow* row) {
    auto tokens = std::make_shared<LeafRow::Tokens>();
    if (!leaf_.is_final(start)) walk(start);
    tokens->set_inside(std::move(inside_), vocabulary_.row_words());
    group_by_suffix(tokens.get(), &row->end_states);
    row->tokens = std::move(tokens);
  }

  void walk(uint32_t start) {
    const TokenTrie& trie = trie_;
    std::vector<Item> stack{{0, start, 0}};
    while (!stack.empty()) {
      const Item item = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(item.node);
      trie.for_each_spelling(node.token, [&](TokenId t) { inside_.push_back(t); });
      const bool may_end = item.depth != 0 && leaf_.can_exit(item.local);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const uint32_t next = leaf_.step(item.local, trie.node(child).byte);
        if (next == LocalLeaf::kDead) {
          if (may_end) add_subtree(trie, child, item.local, item.depth);
        } else if (leaf_.is_final(next)) {
          add_subtree(trie, child, next, item.depth + 1);
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
      trie.for_each_spelling(node.token, [&](TokenId t) {
        boundary_.push_back({exit_state, vocabulary_.bytes(t).substr(suffix_offset), t});
      });
      for (uint32_t i = 0; i < node.num_children; ++i) subtree_.push_back(node.first_child + i);
    }
  }

  void group_by_suffix(LeafRow::Tokens* row, std::vector<uint32_t>* end_states) {
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
      LeafRow::Tokens::Exit exit;
      const uint32_t state = boundary_[i].exit_state;
      end_states->push_back(state);
      entries.clear();
      while (i < boundary_.size() && boundary_[i].exit_state == state) {
        const std::string_view suffix = boundary_[i].suffix;
        const auto group = static_cast<uint32_t>(row->group_begin.size() - 1);
        for (; i < boundary_.size() && boundary_[i].exit_state == state &&
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
