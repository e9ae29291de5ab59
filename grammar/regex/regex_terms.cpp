// Terms: languages over all the text that remains, as Boolean combinations of continuations.
//
//     then(f, T)    a match of fragment f, then a text of T
//     any_of, all_of, none_of    union, intersection, complement
//     pair(T, U)    inside lookbehinds: T up to the point that looks behind, U the whole text
//
// Because a continuation holds everything to its right, assertions need no machinery of their own:
//     x(?=A)y   is   then(x, all_of(then(A, anything), y))
//     x(?!A)y   is   then(x, all_of(none_of(then(A, anything)), y))
//     x$y       is   then(x, all_of(epsilon, y))
// Only what an assertion in a loop needs is resolved late, when a derivative unrolls the loop.
//
// Normal form. Unions are flat, sorted and absorb: a | (a & b) is a. Complements stand only before
// continuations and unions of continuations. An intersection is distributed over a union only when
// that union itself contains intersections, so terms are at most any_of(all_of(any_of(...))): with
// finitely many continuations there are then finitely many terms, and still (a|b|c) & (d|e|f) is
// one node and not nine. Counters merge: x{2,5}T | x{4,9}T is x{2,9}T, which keeps ambiguous
// counted loops (`(.{1,63}\.){1,127}`) at one counter per continuation.
//
// A term without intersection, complement or assertion always accepts some text: sets are not
// empty, and what cannot match is dropped during construction.
//
// Reference: Antimirov, "Partial derivatives of regular expressions and finite automaton
// constructions" (1996); Brzozowski, "Derivatives of regular expressions" (1964).
#include "grammar/regex/regex_terms.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <tuple>
#include <utility>

#include "grammar/regex/regex_terms_intern.h"

namespace espalier {
namespace {

/// Distributing an intersection may make at most this many parts.
constexpr size_t kMaxParts = 1 << 14;
/// Unions with more intersections than this are not searched for inclusions among them.
constexpr size_t kMaxAbsorb = 32;

}  // namespace

TermId TermStore::add_term(Term node, std::span<const uint32_t> list) {
  const bool listed = node.kind == TermKind::kAnyOf || node.kind == TermKind::kAllOf;
  uint64_t hash = hash_append(static_cast<uint64_t>(node.kind), list.size());
  if (listed) {
    for (uint32_t child : list) hash = hash_append(hash, child);
  } else {
    hash = hash_append(hash_append(hash, node.a), node.b);
  }
  const auto same = [&](const Term& other) {
    if (other.kind != node.kind) return false;
    if (!listed) return other.a == node.a && other.b == node.b;
    return std::ranges::equal(children(other), list);
  };
  if (listed) {
    node.a = static_cast<uint32_t>(lists_.size());
    node.b = static_cast<uint32_t>(list.size());
  }
  const size_t before = terms_.size();
  const uint32_t id = intern(&terms_, &term_ids_, hash, node, same);
  if (terms_.size() != before && listed) {
    lists_.insert(lists_.end(), list.begin(), list.end());
    bytes_ += list.size_bytes();
  }
  return TermId{id};
}

TermId TermStore::then(FragmentId id, TermId rest) {
  if (fragment(id).regular || rest == kNoTerm) return then_one(id, rest);
  std::vector<FragmentId> parts;
  for (; fragment(id).kind == FragmentKind::kConcat; id = FragmentId{fragment(id).b}) {
    parts.push_back(FragmentId{fragment(id).a});
  }
  parts.push_back(id);
  for (size_t i = parts.size(); i-- > 0;) rest = then_one(parts[i], rest);
  return rest;
}

TermId TermStore::then_one(FragmentId id, TermId rest) {
  if (id == kNoFragment || rest == kNoTerm || overflowed_) return kNoTerm;
  if (id == kEmptyFragment) return rest;
  const Fragment head = fragment(id);
  if (!head.regular && head.kind == FragmentKind::kAlternation) {
    std::vector<TermId> choices;
    for (uint32_t i = 0; i < head.b; ++i) {
      choices.push_back(then(FragmentId{lists_[head.a + i]}, rest));
    }
    return any_of(std::move(choices));
  }
  if (head.kind == FragmentKind::kLook) {
    const TermId guard{head.a};
    return static_cast<Scope>(head.lo) == Scope::kBehind ? pair(rest, guard)
                                                         : conjunction(guard, rest);
  }
  if (rest == kAnything && head.nullable) return kAnything;
  if (rest == kEpsilon && id == any_star_) return kAnything;
  const Term tail = term(rest);
  if (head.kind == FragmentKind::kRepeat && tail.kind == TermKind::kThen) {
    const Fragment next = fragment(tail.a);
    if (next.kind == FragmentKind::kRepeat && next.a == head.a) {
      const FragmentId merged =
          repeat_consuming(FragmentId{head.a}, sum(head.lo, next.lo), sum(head.hi, next.hi));
      return then_one(merged, TermId{tail.b});
    }
  }
  return add_term({.kind = TermKind::kThen,
                   .regular = head.regular && tail.regular,
                   .nullable = head.at_end && tail.nullable,
                   .live = head.regular && tail.live,
                   .layered = false,
                   .a = index_of(id),
                   .b = index_of(rest),
                   .min_length = sum(head.min_length, tail.min_length),
                   .behinds = head.behinds | tail.behinds});
}

TermId TermStore::pair(TermId until_here, TermId whole) {
  if (until_here == kNoTerm || whole == kNoTerm) return kNoTerm;
  if (whole == kAnything) return until_here;
  const Term left = term(until_here);
  if (left.kind == TermKind::kPair) {
    return pair(TermId{left.a}, conjunction(TermId{left.b}, whole));
  }
  if (left.kind == TermKind::kAnyOf && left.layered) {
    std::vector<TermId> parts;
    for (uint32_t i = 0; i < left.b; ++i) parts.push_back(pair(TermId{lists_[left.a + i]}, whole));
    return any_of(std::move(parts));
  }
  const Term right = term(whole);
  return add_term({.kind = TermKind::kPair,
                   .regular = false,
                   .nullable = left.nullable && right.nullable,
                   .live = false,
                   .layered = false,
                   .a = index_of(until_here),
                   .b = index_of(whole),
                   .min_length = left.min_length,
                   .behinds = left.behinds | right.behinds});
}

void TermStore::merge_repeats(std::vector<TermId>* members) {
  using Counted = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t, TermId>;
  std::vector<Counted> counted;
  for (TermId id : *members) {
    const Term& node = term(id);
    if (node.kind != TermKind::kThen) continue;
    const Fragment& head = fragment(node.a);
    if (head.kind == FragmentKind::kRepeat) {
      counted.emplace_back(head.a, node.b, head.lo, head.hi, id);
    }
  }
  if (counted.size() < 2) return;
  std::ranges::sort(counted);
  std::vector<TermId> dropped;
  std::vector<TermId> merged;
  for (size_t i = 0; i < counted.size();) {
    auto [body, rest, lo, hi, id] = counted[i];
    size_t j = i + 1;
    for (; j < counted.size(); ++j) {
      const auto& [next_body, next_rest, next_lo, next_hi, next_id] = counted[j];
      if (next_body != body || next_rest != rest || next_lo > sum(hi, 1)) break;
      hi = std::max(hi, next_hi);
    }
    if (j > i + 1) {
      for (size_t k = i; k < j; ++k) dropped.push_back(std::get<4>(counted[k]));
      merged.push_back(then(repeat_consuming(FragmentId{body}, lo, hi), TermId{rest}));
    }
    i = j;
  }
  if (merged.empty()) return;
  std::ranges::sort(dropped);
  std::erase_if(*members, [&](TermId id) { return std::ranges::binary_search(dropped, id); });
  members->insert(members->end(), merged.begin(), merged.end());
  std::ranges::sort(*members);
  members->erase(std::ranges::unique(*members).begin(), members->end());
}

void TermStore::absorb(std::vector<TermId>* members) {
  std::vector<TermId> conjunctions;
  for (TermId id : *members) {
    if (term(id).kind == TermKind::kAllOf) conjunctions.push_back(id);
  }
  if (conjunctions.empty()) return;
  const auto parts = [&](TermId id) { return children(term(id)); };
  const auto included = [&](TermId id) {
    for (uint32_t part : parts(id)) {
      if (std::ranges::binary_search(*members, TermId{part})) return true;
    }
    if (conjunctions.size() > kMaxAbsorb) return false;
    return std::ranges::any_of(conjunctions, [&](TermId other) {
      return parts(other).size() < parts(id).size() &&
             std::ranges::includes(parts(id), parts(other));
    });
  };
  std::vector<TermId> dropped;
  std::ranges::copy_if(conjunctions, std::back_inserter(dropped), included);
  if (dropped.empty()) return;
  std::erase_if(*members, [&](TermId id) { return std::ranges::binary_search(dropped, id); });
}

TermId TermStore::any_of(std::vector<TermId> given) {
  std::vector<TermId> members;
  members.reserve(given.size());
  for (TermId id : given) {
    const Term& node = term(id);
    if (id == kAnything) return kAnything;
    if (node.kind == TermKind::kAnyOf) {
      for (uint32_t child : children(node)) members.push_back(TermId{child});
    } else if (id != kNoTerm) {
      members.push_back(id);
    }
  }
  std::ranges::sort(members);
  members.erase(std::ranges::unique(members).begin(), members.end());
  if (members.empty() || overflowed_) return kNoTerm;
  if (members.size() == 1) return members[0];
  merge_repeats(&members);
  absorb(&members);
  if (members.size() == 1) return members[0];
  Term node{.kind = TermKind::kAnyOf,
            .regular = true,
            .nullable = false,
            .live = false,
            .layered = false,
            .min_length = kInfiniteLength};
  for (TermId id : members) {
    const Term& child = term(id);
    if (id == kAnything) return kAnything;
    if (child.kind == TermKind::kNot) {
      const Term& inner = term(child.a);
      const bool covered =
          inner.kind == TermKind::kAnyOf
              ? std::ranges::all_of(
                    children(inner),
                    [&](uint32_t c) { return std::ranges::binary_search(members, TermId{c}); })
              : std::ranges::binary_search(members, TermId{child.a});
      if (covered) return kAnything;
    }
    node.regular &= child.regular;
    node.nullable |= child.nullable;
    node.live |= child.live;
    node.layered |= child.kind == TermKind::kAllOf || child.kind == TermKind::kPair;
    node.min_length = std::min(node.min_length, child.min_length);
    node.behinds |= child.behinds;
  }
  std::vector<uint32_t> ids;
  ids.reserve(members.size());
  for (TermId id : members) ids.push_back(index_of(id));
  return add_term(node, ids);
}

TermId TermStore::all_of(std::vector<TermId> members) {
  TermId result = kAnything;
  for (TermId id : members) result = conjunction(result, id);
  return result;
}

std::vector<TermId> TermStore::layers(TermId id) {
  const Term node = term(id);
  if (node.kind != TermKind::kAnyOf || !node.layered) return {id};
  std::vector<TermId> parts;
  std::vector<TermId> plain;
  for (uint32_t child : children(node)) {
    (term(child).kind == TermKind::kAllOf ? parts : plain).push_back(TermId{child});
  }
  if (!plain.empty()) parts.push_back(any_of(std::move(plain)));
  return parts;
}

TermId TermStore::conjunction(TermId left, TermId right) {
  if (left == kNoTerm || right == kNoTerm || overflowed_) return kNoTerm;
  if (left == kAnything || left == right) return right;
  if (right == kAnything) return left;
  if (!term(left).layered && !term(right).layered) return flat_conjunction(left, right);
  const std::vector<TermId> left_parts = layers(left);
  const std::vector<TermId> right_parts = layers(right);
  if (left_parts.size() * right_parts.size() > kMaxParts) {
    overflowed_ = true;
    return kNoTerm;
  }
  std::vector<TermId> products;
  for (TermId l : left_parts) {
    for (TermId r : right_parts) products.push_back(flat_conjunction(l, r));
  }
  return any_of(std::move(products));
}

TermId TermStore::flat_conjunction(TermId left, TermId right) {
  std::vector<TermId> members;
  std::vector<TermId> refused;
  for (TermId side : {left, right}) {
    const Term& node = term(side);
    const uint32_t own = index_of(side);
    for (uint32_t child : node.kind == TermKind::kAllOf ? children(node) : std::span(&own, 1)) {
      if (term(child).kind == TermKind::kNot) {
        refused.push_back(TermId{term(child).a});
      } else {
        members.push_back(TermId{child});
      }
    }
  }
  std::ranges::sort(members);
  members.erase(std::ranges::unique(members).begin(), members.end());
  if (std::ranges::binary_search(members, kNoTerm)) return kNoTerm;
  std::erase(members, kAnything);
  if (!refused.empty()) {
    const TermId all_refused = any_of(std::move(refused));
    if (all_refused == kAnything) return kNoTerm;
    const Term& node = term(all_refused);
    const uint32_t own = index_of(all_refused);
    for (uint32_t child : node.kind == TermKind::kAnyOf ? children(node) : std::span(&own, 1)) {
      if (std::ranges::binary_search(members, TermId{child})) return kNoTerm;
    }
    members.push_back(none_of(all_refused));
    std::ranges::sort(members);
  }
  if (members.empty()) return kAnything;
  if (members.size() == 1) return members[0];
  Term node{.kind = TermKind::kAllOf,
            .regular = false,
            .nullable = true,
            .live = false,
            .layered = false};
  for (TermId id : members) {
    const Term& child = term(id);
    node.nullable &= child.nullable;
    node.min_length = std::max(node.min_length, child.min_length);
    node.behinds |= child.behinds;
  }
  if (members[0] == kEpsilon && node.behinds == 0) return node.nullable ? kEpsilon : kNoTerm;
  if (node.min_length == kInfiniteLength) return kNoTerm;
  std::vector<uint32_t> ids;
  for (TermId id : members) ids.push_back(index_of(id));
  return add_term(node, ids);
}

TermId TermStore::none_of(TermId id) {
  const Term node = term(id);
  switch (node.kind) {
    case TermKind::kNone:
      return kAnything;
    case TermKind::kAnything:
      return kNoTerm;
    case TermKind::kNot:
      return TermId{node.a};
    case TermKind::kAllOf: {
      std::vector<TermId> parts;
      for (uint32_t i = 0; i < node.b; ++i) parts.push_back(none_of(TermId{lists_[node.a + i]}));
      return any_of(std::move(parts));
    }
    case TermKind::kAnyOf: {
      std::vector<TermId> plain;
      std::vector<TermId> parts;
      for (uint32_t i = 0; i < node.b; ++i) {
        const TermId child{lists_[node.a + i]};
        const TermKind kind = term(child).kind;
        if (kind == TermKind::kAllOf || kind == TermKind::kNot) {
          parts.push_back(none_of(child));
        } else {
          plain.push_back(child);
        }
      }
      if (parts.empty()) break;
      if (!plain.empty()) parts.push_back(none_of(any_of(std::move(plain))));
      return all_of(std::move(parts));
    }
    default:
      break;
  }
  return add_term({.kind = TermKind::kNot,
                   .regular = false,
                   .nullable = !node.nullable,
                   .live = false,
                   .layered = false,
                   .a = index_of(id),
                   .behinds = node.behinds});
}

std::vector<TermId> TermStore::disjuncts(TermId from) {
  std::vector<TermId> out;
  std::vector<TermId> work = {from};
  while (!work.empty() && !overflowed_) {
    const TermId id = work.back();
    work.pop_back();
    const Term node = term(id);
    if (node.kind == TermKind::kAnyOf) {
      for (uint32_t child : children(node)) work.push_back(TermId{child});
      continue;
    }
    if (node.kind == TermKind::kThen && node.behinds == 0 && fragment(node.a).regular) {
      work.push_back(TermId{node.b});
      continue;
    }
    TermId choice = kNoTerm;
    std::vector<TermId> others;
    if (node.kind == TermKind::kAllOf) {
      for (uint32_t child : children(node)) {
        const bool choose = choice == kNoTerm && term(child).kind == TermKind::kAnyOf;
        if (choose) {
          choice = TermId{child};
        } else {
          others.push_back(TermId{child});
        }
      }
    }
    if (choice == kNoTerm) {
      out.push_back(id);
      continue;
    }
    const TermId rest = all_of(std::move(others));
    const Term choices = term(choice);
    for (uint32_t i = 0; i < choices.b; ++i) {
      const TermId chosen = conjunction(TermId{lists_[choices.a + i]}, rest);
      if (chosen != kNoTerm) work.push_back(chosen);
    }
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

uint32_t TermStore::add_behind(TermId id) {
  const auto known = std::ranges::find(behinds_, id);
  if (known != behinds_.end()) return static_cast<uint32_t>(known - behinds_.begin());
  behinds_.push_back(id);
  return static_cast<uint32_t>(behinds_.size() - 1);
}

bool TermStore::needs_behind(TermId id, uint32_t index) const {
  return (term(id).behinds & behind_bit(index)) != 0;
}

}  // namespace espalier
