// Masks: copy, then resolve the boundary.
//
// In a state inside a scalar leaf, the tokens that stay inside are known by the leaf alone: one
// copy of the leaf state's row. What is left are the tokens that end the leaf. They are resolved by
// what they spell after it: for each way the leaf can end, the structure is moved there once
// (leave) and walked down the trie of suffixes. Example: after `{"name": "Ann` the token `a",` is
// one of those that close the string and go on with `,`; whether a comma may follow is asked once
// for all of them.
//
// Where the suffix does not decide (the name just spelled matters: it may be used already), the
// same few tokens are walked from the state itself, over a compact trie of their whole bytes.
// Outside of leaves the vocabulary's trie is walked, down the bytes that are allowed, and where
// that walk enters a leaf the rest is looked up (mask_subtree.h).
//
// A leaf with a predicate in it is too costly to walk: a relaxed leaf names the tokens that are
// worth asking about, and asking is left to the caller.
//
// A token has exactly one way to leave a leaf, so every bit is set at most once.
//
// Cost: a copy of the row plus one probe for each live edge of the boundary.

#include "engine/mask_builder.h"

#include <algorithm>

#include "engine/mask_subtree.h"

namespace espalier {

std::shared_ptr<const LeafRow> build_mask(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state, bool use_rows, MaskScratch* scratch,
                                          std::span<MaskWord> row) {
  scratch->tokens.clear();
  scratch->unknown.clear();
  scratch->doubtful.clear();
  const auto emit = [&](TokenId token, const State& after) {
    if (after.doubtful()) {
      scratch->doubtful.push_back(token);
      return;
    }
    set_mask_bit(row, token);
    scratch->tokens.push_back(token);
  };
  const auto settle_doubts = [&] {
    for (const TokenId token : scratch->doubtful) {
      State s = state;
      for (const char byte : vocabulary.bytes(token)) {
        s = recognizer.step(s, static_cast<uint8_t>(byte));
        if (s.dead()) break;
      }
      if (!s.dead()) emit(token, s);
    }
  };
  const auto walk = [&](State from, const ByteSet* excluded) {
    if (use_rows) {
      walk_structure(vocabulary, from, excluded, recognizer, &scratch->stack, emit);
    } else {
      walk_vocabulary(vocabulary.trie(), from, excluded, recognizer, &scratch->stack, emit);
    }
  };
  const Bulk bulk = use_rows && !state.dead() ? recognizer.bulk(state) : Bulk{};
  if (bulk.leaf == nullptr || bulk.spacing) {
    std::fill(row.begin(), row.end(), 0);
    walk(state, nullptr);
    settle_doubts();
    return nullptr;
  }

  std::shared_ptr<const LeafRow> leaf_row = LeafRowCache::process().get(
      vocabulary, *bulk.leaf, bulk.state, bulk.exits_by_suffix || bulk.relaxed);
  if (bulk.relaxed) {
    std::fill(row.begin(), row.end(), 0);
    scratch->unknown.resize(vocabulary.row_words());
    leaf_row->copy_inside(scratch->unknown);
    for (const TokenId token : leaf_row->group_tokens) set_mask_bit(scratch->unknown, token);
    return nullptr;
  }
  leaf_row->copy_inside(row);
  if (leaf_row->exits_here) {
    const State after = bulk.exits_by_suffix ? recognizer.leave(state, bulk.state) : state;
    walk(after, &leaf_row->consumed);
  }
  if (!bulk.exits_by_suffix) {
    walk_vocabulary(leaf_row->boundary, state, nullptr, recognizer, &scratch->stack, emit);
    settle_doubts();
    return leaf_row;
  }
  for (const LeafRow::Exit& exit : leaf_row->exits) {
    const State after = recognizer.leave(state, exit.state);
    if (after.dead()) continue;
    const auto emit_group = [&](int32_t group, const State& end) {
      for (const TokenId token : leaf_row->group(static_cast<uint32_t>(group))) emit(token, end);
    };
    if (exit.empty_group != LeafRow::kNoGroup) {
      emit_group(static_cast<int32_t>(exit.empty_group), after);
    }
    walk_trie(exit.suffixes, after, nullptr, recognizer, &scratch->stack, emit_group);
  }
  settle_doubts();
  return leaf_row;
}

}  // namespace espalier
