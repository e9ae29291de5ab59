// A cheap reason why two automata accept no text in common: one needs a letter that the other never
// reads.
//
// The idea: the product of two automata may be too large to search, though each alone is not. The
// code points on the edges of one are all that its texts consist of; walk the other along these
// only, and if it cannot accept, neither can the product.
//
// Example: {"format": "date-time", "pattern": "a|b"}: no date-time has an `a` or a `b`, and without
// them the pattern stays where it is.
//
// Invariants: a "no" is certain, a "yes" is not. Cost: the states of each automaton once.
#include "schema/automaton_letters.h"

#include <algorithm>
#include <unordered_set>

namespace espalier {
namespace {

constexpr size_t kMaxStates = 20'000;

// Visits what the automaton reaches along edges that `wanted` takes until `visit` returns true;
// nullopt where there are too many states.
template <typename Wanted, typename Visit>
std::optional<bool> walk(const CodepointAutomaton& automaton, uint32_t from, const Wanted& wanted,
                         const Visit& visit) {
  std::vector<uint32_t> states{from};
  std::unordered_set<uint32_t> known{from};
  for (size_t i = 0; i < states.size(); ++i) {
    if (states.size() > kMaxStates) return std::nullopt;
    if (visit(states[i])) return true;
    for (const CodepointEdge& edge : automaton.edges(states[i])) {
      if (edge.next != 0 && wanted(edge) && known.insert(edge.next).second)
        states.push_back(edge.next);
    }
  }
  return false;
}

}  // namespace

std::optional<Letters> letters_of(const CodepointAutomaton& automaton) {
  if (automaton.remembers()) return std::nullopt;
  Letters all;
  const auto note = [&](const CodepointEdge& edge) {
    const std::pair range(edge.lo, edge.hi);
    const auto it = std::lower_bound(all.begin(), all.end(), range);
    if (it == all.end() || *it != range) all.insert(it, range);
    return true;
  };
  if (!walk(automaton, automaton.start(), note, [](uint32_t) { return false; }))
    return std::nullopt;
  Letters merged;
  for (const auto& [lo, hi] : all) {
    if (!merged.empty() && lo <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, hi);
    } else {
      merged.emplace_back(lo, hi);
    }
  }
  return merged;
}

bool accepts_with(const CodepointAutomaton& automaton, uint32_t state, const Letters& letters) {
  if (automaton.remembers()) return true;
  const auto wanted = [&](const CodepointEdge& edge) {
    const auto it =
        std::lower_bound(letters.begin(), letters.end(), edge.lo,
                         [](const auto& range, uint32_t lo) { return range.second < lo; });
    return it != letters.end() && it->first <= edge.hi;
  };
  return walk(automaton, state, wanted, [&](uint32_t s) { return automaton.accepting(s); })
      .value_or(true);
}

}  // namespace espalier
