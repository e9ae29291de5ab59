// Is a language empty? Needed for terms with intersections, complements and lookbehinds; all others
// are never empty.
//
// A search over derivatives looks for an accepting position. It does not run on the automaton's own
// states, which are sets (a deterministic automaton), but on their parts: a union is live iff one
// of its members is, an intersection of unions iff one choice of members is, and a regular prefix
// in front of a live rest never matters. So intersections cost a product of *nondeterministic*
// automata (`x(?=.{40}$).{41}` some fifty nodes, where the sets would be 2^40); only complements
// are determinized.
//
// The search is best first, led by a lower bound on the remaining length. When it ends,
//   - with an accepting part: every visited part that leads to a live one is live;
//   - without: every visited part is dead.
// Results are remembered, so that each part is decided about once. A text that is accepted with few
// repetitions left before a bound is accepted with more: what few repetitions leave is asked first,
// as many states share that question (regex_distant.cpp).
//
// Cost: one derivative per part. The problem is PSPACE-complete in the pattern; a budget on visited
// parts bounds it.
#include "grammar/regex/regex_liveness.h"

#include <functional>
#include <queue>
#include <utility>

namespace espalier {

Liveness::Life& Liveness::life_of(Position position) {
  const auto [entry, added] = known_.try_emplace(position.key(), Life::kUnknown);
  if (added && surely_live(position)) entry->second = Life::kLive;
  return entry->second;
}

std::vector<Position> Liveness::parts(Position position) {
  std::vector<Position> out;
  for (TermId part : store_.disjuncts(position.term)) {
    out.push_back(stepper_.with_term(part, position.context));
  }
  return out;
}

bool Liveness::is_live(Position position) {
  if (position.term == kNoTerm || exhausted_) return false;
  if (surely_live(position)) return true;
  const TermId narrowed = store_.narrowed(position.term);
  if (narrowed != position.term && narrowed != kNoTerm) {
    const Position part = stepper_.with_term(narrowed, position.context);
    Life life = life_of(part);
    if (life == Life::kUnknown) life = life_of(part) = any_live(part) ? Life::kLive : Life::kDead;
    if (life == Life::kLive || exhausted_) return !exhausted_;
  }
  return any_live(position);
}

bool Liveness::any_live(Position position) {
  std::vector<Position> unknown;
  for (const Position& part : parts(position)) {
    const Life life = life_of(part);
    if (life == Life::kLive) return true;
    if (life == Life::kUnknown) unknown.push_back(part);
  }
  for (const Position& part : unknown) {
    const Life life = life_of(part);
    if (life == Life::kLive || (life == Life::kUnknown && search(part))) return true;
  }
  return false;
}

bool Liveness::search(Position from) {
  struct Visit {
    Position position;
    std::vector<uint32_t> before;
  };
  using Entry = std::pair<uint32_t, uint32_t>;  // lower bound on the rest, visit
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  std::vector<Visit> visits = {{from, {}}};
  std::unordered_map<uint64_t, uint32_t> visit_of = {{from.key(), 0}};
  std::vector<uint32_t> live;
  queue.emplace(0, 0);
  while (!queue.empty() && live.empty()) {
    const uint32_t at = queue.top().second;
    queue.pop();
    for (const PositionEdge& edge : stepper_.successors(visits[at].position)) {
      for (const Position& part : parts(edge.to)) {
        const Life life = life_of(part);
        if (life == Life::kDead) continue;
        const auto [entry, added] =
            visit_of.try_emplace(part.key(), static_cast<uint32_t>(visits.size()));
        if (added) {
          visits.push_back({part, {}});
          if (life == Life::kLive) {
            live.push_back(entry->second);
          } else {
            queue.emplace(store_.min_length(part.term), entry->second);
          }
        }
        visits[entry->second].before.push_back(at);
      }
    }
    if (known_.size() > max_nodes_ || store_.overflowed()) {
      exhausted_ = true;
      return false;
    }
  }
  if (live.empty()) {
    for (const Visit& visit : visits) life_of(visit.position) = Life::kDead;
    return false;
  }
  while (!live.empty()) {
    const uint32_t at = live.back();
    live.pop_back();
    for (uint32_t before : visits[at].before) {
      Life& life = life_of(visits[before].position);
      if (life == Life::kLive) continue;
      life = Life::kLive;
      live.push_back(before);
    }
  }
  return true;
}

}  // namespace espalier
