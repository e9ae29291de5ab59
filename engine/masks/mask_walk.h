// Walking a byte trie through a recognizer.
//
// The tokens allowed in a state are the trie nodes that can be reached by stepping the recognizer
// along their path. The walk keeps (node, state) pairs on an explicit stack, so a vocabulary with
// a megabyte-long token needs heap and no call stack, and the stack is kept between calls, so that
// a warm walk allocates nothing.
//
// Siblings are never scanned for nothing: at a node with several children the recognizer is asked
// for the bytes it may read next, and the smaller of the two sets is iterated. After `{` in a
// closed object the allowed bytes are `"`, `}` and whitespace: four look-ups of 256 children.
//
// Invariant: a pair is on the stack only if its state is live, so every token met is allowed.
// Cost: one probe for each live (node, byte) edge plus one next_bytes for each branching node.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// One pending node of a walk.
struct WalkItem {
  State state;
  uint32_t node;
};

/// Below this many children, probing each is cheaper than asking which bytes are possible.
inline constexpr uint32_t kProbeAllChildren = 2;

/// Calls `visit(child, byte)` for the children of a node by bytes of a set, in ascending order.
template <typename Visit>
void for_each_child_by(const TokenTrie& trie, uint32_t index, const ByteSet& bytes, Visit&& visit) {
  constexpr uint32_t kScan = 16;  // siblings, which stand together, for one search among them
  const TokenTrie::Node& node = trie.node(index);
  uint32_t num_bytes = 1;
  if (node.num_children > kScan) {
    num_bytes = 0;
    for (const uint64_t word : bytes.words) num_bytes += static_cast<uint32_t>(std::popcount(word));
  }
  if (node.num_children > num_bytes * kScan) {
    for_each_byte(bytes, [&](uint8_t byte) {
      if (const uint32_t child = trie.child(index, byte); child != 0) visit(child, byte);
    });
    return;
  }
  const uint32_t end = node.first_child + node.num_children;
  for (uint32_t child = node.first_child; child < end; ++child) {
    const uint8_t byte = trie.node(child).byte;
    if (bytes.contains(byte)) visit(child, byte);
  }
}

/// Pushes the live children of `node`; `excluded` (may be null) are bytes not to be followed.
inline void expand_trie_node(const TokenTrie& trie, const TokenTrie::Node& node, State state,
                             const ByteSet* excluded, Recognizer& recognizer,
                             std::vector<WalkItem>* stack) {
  const auto follow = [&](uint32_t child, uint8_t byte) {
    if (excluded != nullptr && excluded->contains(byte)) return;
    const State next = recognizer.probe(state, byte);
    if (!next.dead()) stack->push_back({next, child});
  };
  const uint32_t count = node.num_children;
  if (count <= kProbeAllChildren) {
    for (uint32_t i = 0; i < count; ++i) {
      follow(node.first_child + i, trie.node(node.first_child + i).byte);
    }
    return;
  }
  ByteSet bytes;
  recognizer.next_bytes(state, &bytes);
  for_each_child_by(trie, static_cast<uint32_t>(&node - &trie.node(0)), bytes, follow);
}

/// Narrows exceptional bytes to themselves.
inline constexpr auto kAllBytes = [](ByteSet*, const ByteSet&) {};

/// Calls `visit(child, next)` for the children of item.node by exceptional bytes of item.state, as
/// far as `narrow(&bytes, characters)` leaves them; `next` may be dead.
template <typename Narrow, typename Visit>
void for_each_exceptional_child(const TokenTrie& trie, const WalkItem& item, Recognizer& recognizer,
                                Narrow&& narrow, Visit&& visit) {
  const TokenTrie::Node& node = trie.node(item.node);
  if (node.num_children == 0) return;
  ByteSet bytes, characters;
  recognizer.exceptional_bytes(item.state, &bytes, &characters);
  narrow(&bytes, characters);
  for_each_child_by(trie, item.node, bytes, [&](uint32_t child, uint8_t byte) {
    visit(child, recognizer.probe(item.state, byte));
  });
}

/// Calls `emit(token, state)` for every entry of `trie` (the first of those that are spelled alike)
/// whose bytes can be read from `state`; first bytes in `excluded` (may be null) are left out. The
/// trie's root itself is never emitted. `stack` is scratch space.
template <typename Emit>
void walk_trie(const TokenTrie& trie, State state, const ByteSet* excluded, Recognizer& recognizer,
               std::vector<WalkItem>* stack, Emit&& emit) {
  if (trie.size() == 0 || state.dead()) return;
  stack->clear();
  expand_trie_node(trie, trie.node(0), state, excluded, recognizer, stack);
  while (!stack->empty()) {
    const WalkItem item = stack->back();
    stack->pop_back();
    const TokenTrie::Node& node = trie.node(item.node);
    if (node.token >= 0) emit(node.token, item.state);
    if (node.num_children != 0) {
      expand_trie_node(trie, node, item.state, nullptr, recognizer, stack);
    }
  }
}

/// As walk_trie, and calls `emit` for every id that shares a spelling.
template <typename Emit>
void walk_vocabulary(const TokenTrie& trie, State state, const ByteSet* excluded,
                     Recognizer& recognizer, std::vector<WalkItem>* stack, Emit&& emit) {
  walk_trie(trie, state, excluded, recognizer, stack, [&](TokenId token, const State& s) {
    trie.for_each_spelling(token, [&](TokenId same) { emit(same, s); });
  });
}

}  // namespace espalier
