// Terms far from the bounds of their counters.
//
// A text of less than 200 code points cannot tell x{0,200} from x*: so the states of a counted loop
// that is far from its bound have one term that stands for all of them.
//
//     distant(x{1,63}(-x{0,99})?, 40)   =   x+(-x*)?,  for texts of at most 62 code points
//     distant(x{0,30}, 40)              =   x{0,30}    the bound is near
//
// The term given accepts whatever the term does, and of texts within the horizon the same. Where
// neither has a conjunction or a complement, the same such texts are also beginnings of accepted
// ones; else those beginnings are that the horizon leaves room to complete.
//
// The other way round: what may follow with 16 repetitions left may with 200. So terms that differ
// in how far they are from bounds have one narrowed term, and where that is not empty none is.
//
// Cost: linear in the term, once for each term and fragment.
#include <algorithm>
#include <vector>

#include "grammar/regex/regex_terms.h"
#include "grammar/regex/regex_terms_intern.h"

namespace espalier {
namespace {

constexpr uint32_t kNarrow = 16;  // repetitions that a narrowed loop has left

}  // namespace

/// The distant part of what lies in parts; `least` becomes the least of their horizons.
template <typename Id>
Id TermStore::distant_part(Id part, uint32_t horizon, uint32_t* least) {
  const Distant<Id> far = distant(part, horizon);
  *least = std::min(*least, far.horizon);
  return far.id;
}

Distant<FragmentId> TermStore::distant(FragmentId id, uint32_t horizon) {
  const Fragment node = fragment(id);
  if (!node.regular ||
      (node.kind != FragmentKind::kConcat && node.kind != FragmentKind::kAlternation &&
       node.kind != FragmentKind::kRepeat)) {
    return {id, kInfiniteLength};
  }
  const auto known = distant_fragments_.find(index_of(id));
  if (known != distant_fragments_.end()) return known->second;
  Distant<FragmentId> result{id, kInfiniteLength};
  const auto part = [&](uint32_t child) {
    return distant_part(FragmentId{child}, horizon, &result.horizon);
  };
  if (node.kind == FragmentKind::kConcat) {
    const FragmentId head = part(node.a);
    result.id = concat(head, part(node.b));
  } else if (node.kind == FragmentKind::kAlternation) {
    std::vector<FragmentId> choices;
    for (uint32_t i = 0; i < node.b; ++i) choices.push_back(part(lists_[node.a + i]));
    result.id = alternation(std::move(choices));
  } else {
    const FragmentId body = part(node.a);
    const uint32_t longest = times(min_length(FragmentId{node.a}), node.hi);
    const bool far = node.hi != kUnbounded && longest > horizon && node.lo <= horizon;
    result.id = repeat(body, node.lo, far ? kUnbounded : node.hi);
    if (far) result.horizon = std::min(result.horizon, longest - 1);
  }
  bytes_ += 32;
  return distant_fragments_.emplace(index_of(id), result).first->second;
}

Distant<TermId> TermStore::distant(TermId id, uint32_t horizon) {
  const Term node = term(id);
  if (node.kind != TermKind::kThen && node.kind != TermKind::kAnyOf &&
      node.kind != TermKind::kAllOf) {
    return {id, kInfiniteLength};
  }
  const auto known = distant_terms_.find(index_of(id));
  if (known != distant_terms_.end()) return known->second;
  Distant<TermId> result{id, kInfiniteLength};
  const auto part = [&](uint32_t child) {
    return distant_part(TermId{child}, horizon, &result.horizon);
  };
  if (node.kind == TermKind::kThen) {
    const TermId rest = part(node.b);
    result.id = then(distant_part(FragmentId{node.a}, horizon, &result.horizon), rest);
  } else {
    std::vector<TermId> members;
    for (uint32_t i = 0; i < node.b; ++i) members.push_back(part(lists_[node.a + i]));
    result.id =
        node.kind == TermKind::kAnyOf ? any_of(std::move(members)) : all_of(std::move(members));
  }
  bytes_ += 32;
  return distant_terms_.emplace(index_of(id), result).first->second;
}

FragmentId TermStore::narrowed(FragmentId id) {
  const Fragment node = fragment(id);
  if (!node.regular ||
      (node.kind != FragmentKind::kConcat && node.kind != FragmentKind::kAlternation &&
       node.kind != FragmentKind::kRepeat)) {
    return id;
  }
  const auto known = narrowed_fragments_.find(index_of(id));
  if (known != narrowed_fragments_.end()) return known->second;
  FragmentId result = id;
  if (node.kind == FragmentKind::kConcat) {
    const FragmentId head = narrowed(FragmentId{node.a});
    result = concat(head, narrowed(FragmentId{node.b}));
  } else if (node.kind == FragmentKind::kAlternation) {
    std::vector<FragmentId> choices;
    for (uint32_t i = 0; i < node.b; ++i)
      choices.push_back(narrowed(FragmentId{lists_[node.a + i]}));
    result = alternation(std::move(choices));
  } else {
    const bool far = node.hi != kUnbounded && node.hi > std::max(node.lo, kNarrow);
    result =
        repeat(narrowed(FragmentId{node.a}), node.lo, far ? std::max(node.lo, kNarrow) : node.hi);
  }
  bytes_ += 32;
  return narrowed_fragments_.emplace(index_of(id), result).first->second;
}

TermId TermStore::narrowed(TermId id) {
  const Term node = term(id);
  if (node.kind != TermKind::kThen && node.kind != TermKind::kAnyOf &&
      node.kind != TermKind::kAllOf) {
    return id;
  }
  const auto known = narrowed_terms_.find(index_of(id));
  if (known != narrowed_terms_.end()) return known->second;
  TermId result = id;
  if (node.kind == TermKind::kThen) {
    const TermId rest = narrowed(TermId{node.b});
    result = then(narrowed(FragmentId{node.a}), rest);
  } else {
    std::vector<TermId> members;
    for (uint32_t i = 0; i < node.b; ++i) members.push_back(narrowed(TermId{lists_[node.a + i]}));
    result =
        node.kind == TermKind::kAnyOf ? any_of(std::move(members)) : all_of(std::move(members));
  }
  bytes_ += 32;
  return narrowed_terms_.emplace(index_of(id), result).first->second;
}

}  // namespace espalier
