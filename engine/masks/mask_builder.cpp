// Masks: copy, then resolve the boundary.
//
// In a state inside a scalar leaf, the tokens that stay inside are known by the leaf alone: one
// copy of the leaf state's row. What is left are the tokens that end the leaf. They are resolved by
// what they spell after it: for each way the leaf can end, the structure is moved there once
// (leave), and the suffixes that it accepts there decide about all of them. Example: after
// `{"name": "Ann` the token `a",` is one of those that close the string and go on with `,`; whether
// a comma may follow is asked once for all of them, and for strings remembered (suffix_memo.h).
//
// Names of an object follow the same rule: one that is not listed and not used yet ends as all
// others do. The exceptions, the listed names and those used before, are found by walking down
// their own bytes only, and stepped one by one. Example: in an object with the property "size", of
// all tokens that can end the name after `{"si` only `ze"`, `ze":` and the like are exceptional.
//
// Outside of leaves the vocabulary's trie is walked, down the bytes that are allowed, and where
// that walk enters a leaf the rest is looked up (mask_subtree.h).
//
// A leaf with a predicate in it is too costly to walk: a relaxed leaf names the tokens that are
// worth asking about, and asking is left to the caller.
//
// A token has exactly one way to leave a leaf, so every bit is set at most once.
//
// Cost: a copy of the row, one bit for each boundary token, one probe for each live edge of
// suffixes not met before and for each byte of an exception.

#include "engine/masks/mask_builder.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "grammar/strings/content_leaf.h"

namespace espalier {
namespace {

class MaskBuilder {
 public:
  MaskBuilder(Recognizer& recognizer, const Vocabulary& vocabulary, SuffixMemo* memo,
              MaskScratch* scratch, std::span<MaskWord> row)
      : recognizer_(recognizer),
        vocabulary_(vocabulary),
        memo_(memo),
        scratch_(*scratch),
        parts_(scratch->parts),
        row_(row) {}

  void build(State state) {
    parts_.clear();
    scratch_.unknown.clear();
    scratch_.doubtful.clear();
    const Bulk bulk = memo_ != nullptr && !state.dead() ? recognizer_.bulk(state) : Bulk{};
    if (bulk.leaf == nullptr || bulk.spacing) {
      std::fill(row_.begin(), row_.end(), 0);
      walk(state, nullptr);
      return;
    }
    std::shared_ptr<const LeafRow> leaf_row =
        LeafRowCache::process().get(vocabulary_, *bulk.leaf, bulk.state);
    if (bulk.relaxed) {
      std::fill(row_.begin(), row_.end(), 0);
      leave_open(*leaf_row);
      return;
    }
    copy_inside(leaf_row, state);
    if (leaf_row->exits_here) walk(recognizer_.leave(state, bulk.state), &leaf_row->consumed);
    for (size_t i = 0; i < leaf_row->end_states.size(); ++i) {
      if (leaf_row->tokens->exits.empty()) {
        resolve_ends(*leaf_row, i, state);
      } else {
        resolve_exit(*leaf_row, i, state);
      }
    }
    if (bulk.exceptions != Bulk::Exceptions::kNone)
      step_exceptions(state, bulk.exceptions, *leaf_row);
    parts_.base = std::move(leaf_row);
  }

 private:
  void emit(TokenId token, const State& after) {
    if (after.doubtful()) {
      scratch_.doubtful.push_back(token);
      return;
    }
    set_mask_bit(row_, token);
    parts_.tokens.push_back(token);
  }

  void emit_piece(std::shared_ptr<const SparseMask> piece) {
    piece->add_to(row_);
    parts_.pieces.push_back(std::move(piece));
  }

  void walk(State from, const ByteSet* excluded) {
    if (from.dead()) return;
    if (memo_ != nullptr) return walk_below(std::array{WalkItem{from, 0}}, excluded);
    walk_vocabulary(vocabulary_.trie(), from, excluded, recognizer_, &scratch_.stack,
                    [this](TokenId token, const State& after) { emit(token, after); });
  }

  void walk_below(std::span<const WalkItem> from, const ByteSet* excluded) {
    walk_structure(
        vocabulary_, from, excluded, recognizer_, memo_, &scratch_.stack, &scratch_.subtrees,
        [this](TokenId token, const State& after) { emit(token, after); },
        [this](std::shared_ptr<const SparseMask> piece) { emit_piece(std::move(piece)); });
  }

  /// The tokens inside, and all that end the leaf where they are known by what follows alone.
  void copy_inside(const std::shared_ptr<const LeafRow>& leaf_row, State state) {
    const auto& all_ends = leaf_row->tokens->ends;
    const auto ends =
        std::find_if(all_ends.begin(), all_ends.end(), [](const auto& e) { return e.all; });
    const State after =
        ends == all_ends.end()
            ? State()
            : recognizer_.leave(state,
                                leaf_row->end_states[static_cast<size_t>(ends - all_ends.begin())]);
    if (after.dead()) return leaf_row->copy_inside(row_);
    std::shared_ptr<const SuffixSets> sets =
        memo_->find(recognizer_, *leaf_row->index, after, &scratch_.stack);
    for (const TokenId token : sets->doubtful_enders) scratch_.doubtful.push_back(token);
    enders_ = sets;
    parts_.joined = JoinedRowCache::process().get(leaf_row->tokens, sets);
    if (parts_.joined != nullptr) {
      copy_mask(*parts_.joined, row_);
      const SparseMask* enders = &sets->enders;
      parts_.pieces.emplace_back(std::move(sets), enders);
      return;
    }
    leaf_row->copy_inside(row_);
    const SparseMask* enders = &sets->enders;
    emit_piece({std::move(sets), enders});
  }

  /// All tokens that a relaxed leaf does not refuse.
  void leave_open(const LeafRow& leaf_row) {
    scratch_.unknown.resize(vocabulary_.row_words());
    leaf_row.copy_inside(scratch_.unknown);
    const auto open = [&](TokenId token) { set_mask_bit(scratch_.unknown, token); };
    for (const TokenId token : leaf_row.tokens->group_tokens) open(token);
    for (const LeafRow::Tokens::Ends& ends : leaf_row.tokens->ends) {
      if (ends.all) {
        for (const ContentIndex::Ender& ender : leaf_row.index->enders()) open(ender.token);
      }
      for (const ContentIndex::Ender& ender : ends.enders) open(ender.token);
    }
  }

  void resolve_exit(const LeafRow& leaf_row, size_t i, State state) {
    const LeafRow::Tokens& tokens = *leaf_row.tokens;
    const LeafRow::Tokens::Exit& exit = tokens.exits[i];
    const State after = recognizer_.leave(state, leaf_row.end_states[i]);
    if (after.dead()) return;
    const auto emit_group = [&](int32_t group, const State& end) {
      for (const TokenId token : tokens.group(static_cast<uint32_t>(group))) emit(token, end);
    };
    if (exit.empty_group != LeafRow::Tokens::kNoGroup) {
      emit_group(static_cast<int32_t>(exit.empty_group), after);
    }
    walk_trie(exit.suffixes, after, nullptr, recognizer_, &scratch_.stack, emit_group);
  }

  void resolve_ends(const LeafRow& leaf_row, size_t i, State state) {
    const LeafRow::Tokens::Ends& ends = leaf_row.tokens->ends[i];
    if (ends.enders.empty()) return;
    const State after = recognizer_.leave(state, leaf_row.end_states[i]);
    if (after.dead()) return;
    const std::shared_ptr<const SuffixSets> sets =
        memo_->find(recognizer_, *leaf_row.index, after, &scratch_.stack);
    for (const ContentIndex::Ender& ender : ends.enders) {
      if (sets->allows(ender.suffix)) emit(ender.token, after);
      if (sets->doubts(ender.suffix)) scratch_.doubtful.push_back(ender.token);
    }
  }

  /// Decides the tokens that spell exceptional texts by themselves.
  void step_exceptions(State state, Bulk::Exceptions kind, const LeafRow& leaf_row) {
    scratch_.exceptions.clear();
    scratch_.exceptional_and_allowed.clear();
    scratch_.foreign.clear();
    const bool ends_only = kind == Bulk::Exceptions::kEnds;
    const ContentIndex& index = *ContentIndex::of(vocabulary_);
    if (leaf_row.index != nullptr) {
      step_ends(index, state);
      if (!ends_only) step_through(vocabulary_.trie(), state, kind, Ends::kElsewhere);
      for (const StringSpelling spelling : {StringSpelling::kJson, StringSpelling::kMinimal})
        step_through(index.escapes(spelling).quoted_others, state, kind, Ends::kHere);
    } else {
      step_through(ends_only ? index.marked() : vocabulary_.trie(), state, kind, Ends::kHere);
    }
    walk_below(scratch_.foreign, nullptr);
    for (const TokenId token : scratch_.exceptions) {
      if (!mask_bit(row_, token)) continue;
      clear_mask_bit(row_, token);
      parts_.removed.push_back(token);
    }
    std::erase_if(parts_.tokens, [&](TokenId token) { return !mask_bit(row_, token); });
    for (const TokenId token : scratch_.exceptional_and_allowed) {
      if (!mask_bit(row_, token)) emit(token, State());
    }
  }

  /// Between two code points of a string?
  bool between(const State& s) {
    const Bulk bulk = recognizer_.bulk(s);
    const auto* content = dynamic_cast<const ContentLeaf*>(bulk.leaf);
    uint32_t product;
    return content != nullptr && content->content(bulk.state, &product);
  }

  bool inside(const State& s) {
    return !s.dead() && recognizer_.bulk(s).exceptions != Bulk::Exceptions::kNone;
  }

  /// From between two code points: where an exceptional text ends, the suffixes decide.
  void step_ends(const ContentIndex& index, State state) {
    constexpr size_t kFewEnders = 8;
    if (index.marked().size() == 0) return;
    // Tokens whose escapes mean none of the characters that may follow need not be read.
    const ByteSet& meant = index.escapes(StringSpelling::kJson).meant;
    const auto skip_escapes = [&](ByteSet* bytes, const ByteSet& characters) {
      if (!characters.intersects(meant)) bytes->erase('\\');
    };
    scratch_.stack.assign(1, {state, 0});
    scratch_.ended.clear();
    while (!scratch_.stack.empty()) {
      const WalkItem item = scratch_.stack.back();
      scratch_.stack.pop_back();
      for_each_exceptional_child(
          index.marked(), item, recognizer_, skip_escapes, [&](uint32_t child, State next) {
            (inside(next) ? scratch_.stack : scratch_.ended).push_back({next, child});
          });
    }
    for (const WalkItem& end : scratch_.ended) {
      const auto enders = index.marked_enders(end.node);
      if (enders.empty()) continue;
      if (enders_ != nullptr && end.node == index.bare_node()) {
        end_here(index, end.state);
        continue;
      }
      for (const ContentIndex::Ender& ender : enders) scratch_.exceptions.push_back(ender.token);
      if (end.state.dead()) continue;
      if (enders.size() <= kFewEnders) {
        for (const ContentIndex::Ender& ender : enders) {
          State after = end.state;
          for (const char byte : index.suffix(ender.suffix)) {
            after = recognizer_.probe(after, static_cast<uint8_t>(byte));
            if (after.dead()) break;
          }
          if (after.doubtful()) {
            scratch_.doubtful.push_back(ender.token);
          } else if (!after.dead()) {
            scratch_.exceptional_and_allowed.push_back(ender.token);
          }
        }
        continue;
      }
      const std::shared_ptr<const SuffixSets> sets =
          memo_->find(recognizer_, index, end.state, &scratch_.stack);
      for (const ContentIndex::Ender& ender : enders) {
        if (sets->allows(ender.suffix)) scratch_.exceptional_and_allowed.push_back(ender.token);
        if (sets->doubts(ender.suffix)) scratch_.doubtful.push_back(ender.token);
      }
    }
  }

  /// The text that an exceptional one ends with is read: of the tokens that begin with the quote,
  /// those that other texts and this one allow differ little.
  void end_here(const ContentIndex& index, const State& after) {
    std::shared_ptr<const SuffixSets> sets;
    if (!after.dead()) sets = memo_->find(recognizer_, index, after, &scratch_.stack);
    if (sets == enders_) return;
    const std::vector<TokenId> none;
    const std::vector<TokenId>& bare = sets != nullptr ? sets->bare : none;
    std::set_difference(enders_->bare.begin(), enders_->bare.end(), bare.begin(), bare.end(),
                        std::back_inserter(scratch_.exceptions));
    std::set_difference(bare.begin(), bare.end(), enders_->bare.begin(), enders_->bare.end(),
                        std::back_inserter(scratch_.exceptional_and_allowed));
    if (sets == nullptr) return;
    for (const TokenId token : sets->doubtful_bare) scratch_.doubtful.push_back(token);
  }

  /// Token by token, along the exceptional texts and below where they end.
  enum class Ends : uint8_t { kHere, kElsewhere };  // where closing quotes are dealt with
  void step_through(const TokenTrie& trie, State state, Bulk::Exceptions kind, Ends ends) {
    if (trie.size() == 0) return;
    const auto spellings = [&](TokenId token, std::vector<TokenId>* out) {
      trie.for_each_spelling(token, [&](TokenId same) { out->push_back(same); });
    };
    std::vector<WalkItem>& below = scratch_.ended;
    scratch_.stack.assign(1, {state, 0});
    while (!scratch_.stack.empty()) {
      const WalkItem item = scratch_.stack.back();
      scratch_.stack.pop_back();
      if (kind == Bulk::Exceptions::kAll && item.node != 0) {
        spellings(trie.node(item.node).token, &scratch_.exceptions);
        spellings(trie.node(item.node).token, &scratch_.exceptional_and_allowed);
      }
      for_each_exceptional_child(
          trie, item, recognizer_, kAllBytes, [&](uint32_t child, State next) {
            if (inside(next)) {
              scratch_.stack.push_back({next, child});
              return;
            }
            if (ends == Ends::kElsewhere && trie.node(child).byte == '"' && between(item.state))
              return;
            // No token of the row begins so: those that may come are all there is.
            const Bulk bulk = recognizer_.bulk(item.state);
            if (&trie == &vocabulary_.trie() &&
                bulk.leaf->step(bulk.state, trie.node(child).byte) == 0) {
              if (!next.dead()) scratch_.foreign.push_back({next, child});
              return;
            }
            below.assign(1, {next, child});
            while (!below.empty()) {
              const WalkItem end = below.back();
              below.pop_back();
              const TokenTrie::Node& node = trie.node(end.node);
              spellings(node.token, &scratch_.exceptions);
              if (!end.state.dead()) {
                spellings(node.token, end.state.doubtful() ? &scratch_.doubtful
                                                           : &scratch_.exceptional_and_allowed);
              }
              for (uint32_t i = 0; i < node.num_children; ++i) {
                const uint32_t under = node.first_child + i;
                below.push_back({end.state.dead()
                                     ? State()
                                     : recognizer_.probe(end.state, trie.node(under).byte),
                                 under});
              }
            }
          });
    }
  }

  Recognizer& recognizer_;
  const Vocabulary& vocabulary_;
  SuffixMemo* const memo_;
  MaskScratch& scratch_;
  MaskParts& parts_;
  const std::span<MaskWord> row_;
  std::shared_ptr<const SuffixSets> enders_;  // what decides about most tokens that end the leaf
};

}  // namespace

void build_mask(Recognizer& recognizer, const Vocabulary& vocabulary, State state, SuffixMemo* memo,
                MaskScratch* scratch, std::span<MaskWord> row) {
  MaskBuilder(recognizer, vocabulary, memo, scratch, row).build(state);
}

void settle_doubts(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                   MaskScratch* scratch, std::span<MaskWord> row) {
  for (const TokenId token : scratch->doubtful) {
    if (mask_bit(row, token)) continue;
    State s = state;
    for (const char byte : vocabulary.bytes(token)) {
      s = recognizer.step(s, static_cast<uint8_t>(byte));
      if (s.dead()) break;
    }
    if (s.dead()) continue;
    set_mask_bit(row, token);
    scratch->parts.tokens.push_back(token);
  }
}

}  // namespace espalier
