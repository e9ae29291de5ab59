// Derivatives of terms: what remains of a language after one code point, for all code points at
// once.
//
// derivative(T) is a list of disjoint code point ranges, each with the term that remains. Unions
// and continuations are walked with a worklist that emits (set, continuation) pairs, the linear
// form of Antimirov; a sweep over the range boundaries then unites what overlaps. Intersections,
// complements and pairs are combined range by range.
//
//     derivative(then([ab]c*, T) | then(b, U))   =   a -> then(c*, T)      b -> then(c*, T) | U
//
// A lookbehind (?<=A) is true at a point iff the text before it is in (anything A). Its residue,
// the derivative of that language by the text so far, is part of the automaton's state, so here it
// is simply looked up in `context`: nullable means true. If A itself holds assertions about what
// follows, its residue is nullable under a condition on the remaining text (a pair's second half),
// and the continuation is intersected with that condition.
//
// Cost of one derivative: n log n in the pairs emitted. Worklists, not recursion, follow
// continuations, so a pattern of a million optional items needs no stack; recursion is bounded by
// the nesting of look-arounds.
#include <algorithm>
#include <utility>

#include "grammar/regex/regex_terms.h"
#include "grammar/regex/regex_terms_intern.h"

namespace espalier {

bool TermStore::nullable(TermId id, BehindContext context) const {
  const Term* node = &term(id);
  while (node->behinds != 0 && node->kind == TermKind::kThen) {
    const Fragment& head = fragment(node->a);
    if (head.kind == FragmentKind::kBehind) {
      if (nullable(context[head.a], context) == (head.b != 0)) return false;
    } else if (!head.at_end) {
      return false;
    }
    node = &term(node->b);
  }
  if (node->behinds == 0) return node->nullable;
  const auto holds = [&](uint32_t child) { return nullable(TermId{child}, context); };
  switch (node->kind) {
    case TermKind::kAnyOf:
      return std::ranges::any_of(children(*node), holds);
    case TermKind::kAllOf:
      return std::ranges::all_of(children(*node), holds);
    case TermKind::kNot:
      return !holds(node->a);
    case TermKind::kPair:
      return holds(node->a) && holds(node->b);
    default:
      return node->nullable;
  }
}

TermId TermStore::end_guard(TermId id, BehindContext context) {
  const Term node = term(id);
  switch (node.kind) {
    case TermKind::kEpsilon:
    case TermKind::kAnything:
      return kAnything;
    case TermKind::kThen: {
      const Fragment head = fragment(node.a);
      if (head.kind == FragmentKind::kBehind) {
        const TermId guard = behind_guard(head.a, head.b != 0, context);
        return conjunction(guard, end_guard(TermId{node.b}, context));
      }
      return head.nullable ? end_guard(TermId{node.b}, context) : kNoTerm;
    }
    case TermKind::kAnyOf: {
      std::vector<TermId> guards;
      for (uint32_t i = 0; i < node.b; ++i) {
        guards.push_back(end_guard(TermId{lists_[node.a + i]}, context));
      }
      return any_of(std::move(guards));
    }
    case TermKind::kPair:
      return conjunction(end_guard(TermId{node.a}, context), TermId{node.b});
    default:
      return kNoTerm;
  }
}

TermId TermStore::behind_guard(uint32_t index, bool negated, BehindContext context) {
  const TermId guard = end_guard(context[index], context);
  return negated ? none_of(guard) : guard;
}

TermEdges TermStore::union_of(std::vector<TermEdge> edges) {
  std::ranges::sort(edges, {}, &TermEdge::lo);
  TermEdges result;
  const auto emit = [&](uint32_t lo, uint32_t hi, TermId to) {
    if (to == kNoTerm) return;
    if (!result.empty() && result.back().to == to && result.back().hi + 1 == lo) {
      result.back().hi = hi;
    } else {
      result.push_back({lo, hi, to});
    }
  };
  std::vector<TermEdge> active;
  std::vector<TermId> targets;
  uint32_t from = 0;
  for (size_t next = 0; next < edges.size() || !active.empty();) {
    if (active.empty()) from = edges[next].lo;
    for (; next < edges.size() && edges[next].lo == from; ++next) active.push_back(edges[next]);
    uint32_t to = next < edges.size() ? edges[next].lo - 1 : kMaxCodepoint;
    for (const TermEdge& edge : active) to = std::min(to, edge.hi);
    if (active.size() == 1) {
      emit(from, to, active[0].to);
    } else {
      targets.clear();
      for (const TermEdge& edge : active) targets.push_back(edge.to);
      emit(from, to, any_of(targets));
    }
    std::erase_if(active, [&](const TermEdge& edge) { return edge.hi == to; });
    from = to + 1;
  }
  return result;
}

template <typename Combine>
TermEdges TermStore::product(const TermEdges& left, const TermEdges& right,
                             const Combine& combine) {
  TermEdges result;
  std::unordered_map<uint64_t, TermId> known;
  size_t l = 0;
  size_t r = 0;
  for (uint32_t from = 0; from <= kMaxCodepoint;) {
    while (l < left.size() && left[l].hi < from) ++l;
    while (r < right.size() && right[r].hi < from) ++r;
    if (l == left.size() && r == right.size()) {
      const TermId to = combine(kNoTerm, kNoTerm);
      if (to != kNoTerm) result.push_back({from, kMaxCodepoint, to});
      break;
    }
    uint32_t end = kMaxCodepoint;
    const auto side = [&](const TermEdges& edges, size_t i) {
      if (i == edges.size()) return kNoTerm;
      if (edges[i].lo > from) {
        end = std::min(end, edges[i].lo - 1);
        return kNoTerm;
      }
      end = std::min(end, edges[i].hi);
      return edges[i].to;
    };
    const TermId a = side(left, l);
    const TermId b = side(right, r);
    const auto [entry, added] =
        known.try_emplace(uint64_t{index_of(a)} << 32 | index_of(b), kNoTerm);
    if (added) entry->second = combine(a, b);
    const TermId to = entry->second;
    if (to != kNoTerm) {
      if (!result.empty() && result.back().to == to && result.back().hi + 1 == from) {
        result.back().hi = end;
      } else {
        result.push_back({from, end, to});
      }
    }
    from = end + 1;
  }
  return result;
}

void TermStore::push(TermId id) {
  const uint32_t index = index_of(id);
  if (index >= seen_.size()) seen_.resize(std::max<size_t>(terms_.size(), index + 1), 0);
  if (seen_[index] == epoch_) return;
  seen_[index] = epoch_;
  work_.push_back(id);
}

const TermEdges& TermStore::remembered_derivative(TermId id, BehindContext context,
                                                  TermEdges* scratch) {
  if (term(id).behinds != 0) {
    *scratch = derivative(id, context);
    return *scratch;
  }
  if (const auto known = derivatives_.find(index_of(id)); known != derivatives_.end()) {
    return known->second;
  }
  TermEdges edges = derivative(id, context);
  bytes_ += edges.size() * sizeof(TermEdge) + 64;
  return derivatives_.emplace(index_of(id), std::move(edges)).first->second;
}

TermEdges TermStore::derivative(TermId id, BehindContext context) {
  std::vector<TermEdge> edges;
  std::vector<TermId> combined;
  std::vector<std::pair<TermId, Fragment>> conditional;
  ++epoch_;
  work_.clear();
  push(id);
  while (!work_.empty() && !overflowed_) {
    const TermId at = work_.back();
    work_.pop_back();
    const Term node = term(at);
    switch (node.kind) {
      case TermKind::kNone:
      case TermKind::kEpsilon:
        break;
      case TermKind::kAnything:
        edges.push_back({0, kMaxCodepoint, kAnything});
        break;
      case TermKind::kAnyOf:
        for (uint32_t child : children(node)) push(TermId{child});
        break;
      case TermKind::kAllOf:
      case TermKind::kNot:
      case TermKind::kPair:
        combined.push_back(at);
        break;
      case TermKind::kThen: {
        const Fragment head = fragment(node.a);
        const TermId rest{node.b};
        switch (head.kind) {
          case FragmentKind::kSet:
            for (const CodepointRange& range : sets_[head.a].ranges()) {
              edges.push_back({range.lo, range.hi, rest});
            }
            break;
          case FragmentKind::kConcat:
            push(then(FragmentId{head.a}, then(FragmentId{head.b}, rest)));
            break;
          case FragmentKind::kAlternation:
            for (uint32_t i = 0; i < head.b; ++i) {
              push(then(FragmentId{lists_[head.a + i]}, rest));
            }
            break;
          case FragmentKind::kRepeat: {
            const uint32_t hi = head.hi == kUnbounded ? head.hi : head.hi - 1;
            const uint32_t lo = head.lo == 0 ? 0 : head.lo - 1;
            const FragmentId body{head.a};
            push(then(body, then(repeat_consuming(body, lo, hi), rest)));
            if (head.lo == 0) push(rest);
            break;
          }
          case FragmentKind::kBehind: {
            const TermId guard = behind_guard(head.a, head.b != 0, context);
            if (guard == kAnything) {
              push(rest);
            } else if (guard != kNoTerm) {
              conditional.emplace_back(rest, head);
            }
            break;
          }
          default:
            break;
        }
        break;
      }
    }
  }
  TermEdges left_scratch;
  TermEdges right_scratch;
  const auto both = [this](TermId a, TermId b) { return conjunction(a, b); };
  const auto paired = [this](TermId a, TermId b) { return pair(a, b); };
  for (TermId at : combined) {
    const Term node = term(at);
    TermEdges part;
    if (node.kind == TermKind::kAllOf) {
      part = remembered_derivative(TermId{lists_[node.a]}, context, &left_scratch);
      for (uint32_t i = 1; i < node.b && !overflowed_; ++i) {
        const TermId child{lists_[node.a + i]};
        part = product(part, remembered_derivative(child, context, &right_scratch), both);
      }
    } else if (node.kind == TermKind::kNot) {
      const TermEdges& inner = remembered_derivative(TermId{node.a}, context, &left_scratch);
      part = product(inner, {}, [this](TermId a, TermId) { return none_of(a); });
    } else {
      const TermEdges left = remembered_derivative(TermId{node.a}, context, &left_scratch);
      part = product(left, remembered_derivative(TermId{node.b}, context, &right_scratch), paired);
    }
    edges.insert(edges.end(), part.begin(), part.end());
  }
  for (const auto& [rest, head] : conditional) {
    const TermEdges left = derivative(rest, context);
    const TermEdges right = derivative(behind_guard(head.a, head.b != 0, context), context);
    const TermEdges part = static_cast<Scope>(head.lo) == Scope::kBehind
                               ? product(left, right, paired)
                               : product(left, right, both);
    edges.insert(edges.end(), part.begin(), part.end());
  }
  return overflowed_ ? TermEdges() : union_of(std::move(edges));
}

}  // namespace espalier
