#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "grammar/regex/regex_terms.h"

namespace espalier {

/// A point in a text as a pattern sees it: the language of what may follow, and the residues of the
/// lookbehinds that language asks for (an interned vector; 0 when it asks for none).
struct Position {
  TermId term = kNoTerm;
  uint32_t context = 0;
  uint64_t key() const { return uint64_t{index_of(term)} << 32 | context; }
};

/// Code points [lo, hi] lead to `to`.
struct PositionEdge {
  uint32_t lo;
  uint32_t hi;
  Position to;
};

/// Steps positions; see regex_position.cpp. Not thread-safe.
class PositionStepper {
 public:
  explicit PositionStepper(TermStore* store) : store_(*store) { contexts_.push_back({}); }

  /// The position of `term` at the start of the text.
  Position initial(TermId term);
  /// Sorted, disjoint; code points not covered lead to the empty language.
  std::vector<PositionEdge> successors(Position from);
  bool accepting(Position at) const { return store_.nullable(at.term, contexts_[at.context]); }
  /// The position of another term at the same point, which asks for no other lookbehinds.
  Position with_term(TermId term, uint32_t context);

  size_t memory_bytes() const { return bytes_; }

 private:
  using Residues = std::vector<TermId>;

  Position intern(TermId term, Residues residues);
  void split(const TermEdge& edge, const Residues& residues,
             std::vector<std::optional<TermEdges>>* derivatives, std::vector<PositionEdge>* out);

  TermStore& store_;
  std::vector<Residues> contexts_;
  std::map<Residues, uint32_t> ids_;
  size_t bytes_ = 0;
};

}  // namespace espalier
