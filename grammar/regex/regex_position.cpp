// Positions: terms together with what their lookbehinds remember.
//
// A lookbehind (?<=A) is the language (any text) A, read from the start of the text beside the
// pattern itself; its residue is one more derivative. Residues that a term does not ask for are
// dropped, so `\bfoo` forgets the last character once `foo` was read.
//
// Where a residue changes inside a range of code points, the range is split:
//     then(behind(\w), T) on [a-z-]   ->   [a-z] with residue "true", [-] with residue "false"
#include "grammar/regex/regex_position.h"

#include <algorithm>
#include <utility>

namespace espalier {

Position PositionStepper::intern(TermId term, Residues residues) {
  if (!store_.needs_behind(term)) return {term, 0};
  for (uint32_t i = 0; i < residues.size(); ++i) {
    if (!store_.needs_behind(term, i)) residues[i] = kNoTerm;
  }
  const auto [entry, added] = ids_.try_emplace(residues, static_cast<uint32_t>(contexts_.size()));
  if (added) {
    bytes_ += 2 * residues.size() * sizeof(TermId) + 96;
    contexts_.push_back(std::move(residues));
  }
  return {term, entry->second};
}

Position PositionStepper::initial(TermId term) {
  const BehindContext behinds = store_.behinds();
  return intern(term, Residues(behinds.begin(), behinds.end()));
}

Position PositionStepper::with_term(TermId term, uint32_t context) {
  if (!store_.needs_behind(term)) return {term, 0};
  return intern(term, contexts_[context]);
}

std::vector<PositionEdge> PositionStepper::successors(Position from) {
  const Residues residues = contexts_[from.context];
  std::vector<std::optional<TermEdges>> derivatives(residues.size());
  std::vector<PositionEdge> out;
  for (const TermEdge& edge : store_.derivative(from.term, residues)) {
    if (store_.needs_behind(edge.to)) {
      split(edge, residues, &derivatives, &out);
    } else {
      out.push_back({edge.lo, edge.hi, {edge.to, 0}});
    }
  }
  return out;
}

void PositionStepper::split(const TermEdge& edge, const Residues& residues,
                            std::vector<std::optional<TermEdges>>* derivatives,
                            std::vector<PositionEdge>* out) {
  for (uint32_t from = edge.lo; from <= edge.hi;) {
    uint32_t to = edge.hi;
    Residues after(residues.size(), kNoTerm);
    for (uint32_t i = 0; i < residues.size(); ++i) {
      if (!store_.needs_behind(edge.to, i)) continue;
      auto& own = (*derivatives)[i];
      if (!own) own = store_.derivative(residues[i], residues);
      const auto next = std::ranges::lower_bound(*own, from, {}, &TermEdge::hi);
      if (next == own->end()) continue;
      if (next->lo > from) {
        to = std::min(to, next->lo - 1);
      } else {
        to = std::min(to, next->hi);
        after[i] = next->to;
      }
    }
    out->push_back({from, to, intern(edge.to, std::move(after))});
    from = to + 1;
  }
}

}  // namespace espalier
