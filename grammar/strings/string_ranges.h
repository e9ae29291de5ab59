#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "grammar/strings/string_machine.h"

namespace espalier {

/// Goes through the sorted edges of all automata side by side. `visit` gets a range, the trie node
/// and the states of the automata after its first code point; it may end the visit by true.
template <typename Visit>
bool StringMachine::for_ranges(uint32_t node, std::span<const uint32_t> automata, uint32_t lo,
                               uint32_t hi, Visit&& visit) const {
  struct Side {
    size_t automaton;
    std::span<const CodepointEdge> edges;
    size_t at = 0;
    bool remembers = false;
  };
  std::vector<Side> sides;  // the dead stay so
  sides.reserve(automata.size());
  std::vector<uint32_t> next(automata.size());
  for (size_t i = 0; i < automata.size(); ++i) {
    if (automata[i] == 0) continue;
    const std::span<const CodepointEdge> edges = spec_.automata[i]->edges(automata[i]);
    const auto first = std::partition_point(edges.begin(), edges.end(),
                                            [&](const CodepointEdge& e) { return e.hi < lo; });
    sides.push_back({i, edges.subspan(static_cast<size_t>(first - edges.begin())), 0,
                     spec_.automata[i]->remembers()});
  }
  uint32_t child = 0, last_child = 0;
  if (node != kOff) {
    const TrieNode& at = expanded_node(node);
    child = child_from(at, lo);
    last_child = at.first_child + at.num_children;
  }
  for (uint32_t from = lo; from <= hi;) {
    uint32_t end = hi;
    for (Side& side : sides) {
      const size_t i = side.automaton;
      while (side.at < side.edges.size() && side.edges[side.at].hi < from) ++side.at;
      next[i] = 0;
      if (side.at == side.edges.size()) continue;
      const CodepointEdge& edge = side.edges[side.at];
      if (edge.lo > from) {
        end = std::min(end, edge.lo - 1);
        continue;
      }
      end = std::min(end, edge.hi);
      next[i] = side.remembers && edge.lo != from ? spec_.automata[i]->step(automata[i], from)
                                                  : edge.next;
    }
    uint32_t next_node = kOff;
    if (child < last_child && trie_[child].codepoint == from) {
      next_node = child++;
      end = from;
    } else if (child < last_child) {
      end = std::min(end, trie_[child].codepoint - 1);
    }
    if (visit(from, end, next_node, next)) return true;
    from = end + 1;
  }
  return false;
}

}  // namespace espalier
