// Fragments: regular expressions that have more text to their right, hash-consed in normal form.
//
// Normal form, so that equal derivatives get equal ids as often as is cheap:
//   - concatenation is right-nested: (ab)c is a(bc); adjacent repetitions of one body add up:
//     x{1,2}x{0,3} is x{1,5};
//   - alternations are flat, sorted, without duplicates; their sets are united: (a|[bc]) is [abc];
//     x|empty is x{0,1}; common heads are factored out, so a list of words is a trie;
//   - the body of a repetition always consumes a code point: (a*|b)* is (aa*|b)*. A derivative then
//     unrolls a repetition once and terminates, and counters stay numbers: .{0,10000} is one node.
//
// Zero-width assertions make "may be empty" a condition. consuming() and assertions() split any
// fragment f into the matches that take a code point and the conditions under which it takes none:
//     ((?=x)|y)z?   ->  consuming: (?=x)z | yz?     assertions: (?=x)
// A repetition whose body may be empty only under a condition E becomes
//     f{m,n} = s{m,n} | (s{0,n-1} with E at some point),   s = consuming(f),
// because one E can stand for any number of iterations at the same point.
//
// Cost: amortized linear in the size of what is built. Reference: Owens, Reppy and Turon,
// "Regular-expression derivatives re-examined" (2009).
#include <algorithm>
#include <utility>

#include "grammar/regex/regex_terms.h"
#include "grammar/regex/regex_terms_intern.h"

namespace espalier {
namespace {

/// Conditional repetitions are unrolled up to this bound.
constexpr uint32_t kMaxConditionalRepeat = 1000;

uint32_t less(uint32_t bound, uint32_t by) {
  if (bound == kUnbounded) return bound;
  return bound > by ? bound - by : 0;
}

}  // namespace

TermStore::TermStore(size_t max_bytes) : max_bytes_(max_bytes) {
  add_fragment({.kind = FragmentKind::kNone,
                .regular = true,
                .nullable = false,
                .at_end = false,
                .min_length = kInfiniteLength});
  add_fragment({.kind = FragmentKind::kEmpty, .regular = true, .nullable = true, .at_end = true});
  add_term({.kind = TermKind::kNone,
            .regular = true,
            .nullable = false,
            .live = false,
            .layered = false,
            .min_length = kInfiniteLength});
  add_term({.kind = TermKind::kEpsilon,
            .regular = true,
            .nullable = true,
            .live = true,
            .layered = false});
  add_term({.kind = TermKind::kAnything,
            .regular = true,
            .nullable = true,
            .live = true,
            .layered = false});
  any_star_ = repeat(set(CodepointSet::all()), 0, kUnbounded);
}

FragmentId TermStore::add_fragment(Fragment node, std::span<const uint32_t> list) {
  uint64_t hash = hash_append(static_cast<uint64_t>(node.kind), node.lo);
  hash = hash_append(hash_append(hash, node.hi), list.size());
  if (node.kind == FragmentKind::kAlternation) {
    for (uint32_t child : list) hash = hash_append(hash, child);
  } else {
    hash = hash_append(hash_append(hash, node.a), node.b);
  }
  const auto same = [&](const Fragment& other) {
    if (other.kind != node.kind || other.lo != node.lo || other.hi != node.hi) return false;
    if (node.kind != FragmentKind::kAlternation) return other.a == node.a && other.b == node.b;
    return std::ranges::equal(children(other), list);
  };
  if (node.kind == FragmentKind::kAlternation) {
    node.a = static_cast<uint32_t>(lists_.size());
    node.b = static_cast<uint32_t>(list.size());
  }
  const size_t before = fragments_.size();
  const uint32_t id = intern(&fragments_, &fragment_ids_, hash, node, same);
  if (fragments_.size() != before && node.kind == FragmentKind::kAlternation) {
    lists_.insert(lists_.end(), list.begin(), list.end());
    bytes_ += list.size_bytes();
  }
  return FragmentId{id};
}

FragmentId TermStore::set(const CodepointSet& set) {
  if (set.empty()) return kNoFragment;
  uint64_t hash = 0;
  for (const CodepointRange& range : set.ranges())
    hash = hash_append(hash_append(hash, range.lo), range.hi);
  uint32_t index = set_ids_.find(hash, [&](uint32_t id) { return sets_[id] == set; });
  if (index == IdTable::kNone) {
    index = static_cast<uint32_t>(sets_.size());
    set_ids_.insert(hash, index);
    sets_.push_back(set);
    bytes_ += set.ranges().size() * sizeof(CodepointRange) + sizeof(CodepointSet) + 16;
  }
  return add_fragment({.kind = FragmentKind::kSet,
                       .regular = true,
                       .nullable = false,
                       .at_end = false,
                       .a = index,
                       .min_length = 1});
}

FragmentId TermStore::look(TermId guard, Scope scope) {
  if (guard == kNoTerm) return kNoFragment;
  if (guard == kAnything) return kEmptyFragment;
  return add_fragment({.kind = FragmentKind::kLook,
                       .regular = false,
                       .nullable = false,
                       .at_end = term(guard).nullable,
                       .a = index_of(guard),
                       .lo = static_cast<uint32_t>(scope),
                       .behinds = term(guard).behinds});
}

FragmentId TermStore::behind(uint32_t index, bool negated, Scope scope) {
  return add_fragment({.kind = FragmentKind::kBehind,
                       .regular = false,
                       .nullable = false,
                       .at_end = false,
                       .a = index,
                       .b = negated,
                       .lo = static_cast<uint32_t>(scope),
                       .behinds = behind_bit(index) | term(behinds_[index]).behinds});
}

FragmentId TermStore::concat(FragmentId left, FragmentId right) {
  if (left == kNoFragment || right == kNoFragment) return kNoFragment;
  if (left == kEmptyFragment) return right;
  if (right == kEmptyFragment) return left;
  std::vector<FragmentId> heads;
  while (fragment(left).kind == FragmentKind::kConcat) {
    heads.push_back(FragmentId{fragment(left).a});
    left = FragmentId{fragment(left).b};
  }
  heads.push_back(left);
  for (size_t i = heads.size(); i-- > 0;) {
    const Fragment head = fragment(heads[i]);
    if (head.kind == FragmentKind::kRepeat) {
      const bool longer = fragment(right).kind == FragmentKind::kConcat;
      const FragmentId next = longer ? FragmentId{fragment(right).a} : right;
      const Fragment other = fragment(next);
      if (other.kind == FragmentKind::kRepeat && other.a == head.a) {
        const FragmentId merged =
            repeat_consuming(FragmentId{head.a}, sum(head.lo, other.lo), sum(head.hi, other.hi));
        right = longer ? concat(merged, FragmentId{fragment(right).b}) : merged;
        continue;
      }
    }
    const Fragment tail = fragment(right);
    right = add_fragment({.kind = FragmentKind::kConcat,
                          .regular = head.regular && tail.regular,
                          .nullable = head.nullable && tail.nullable,
                          .at_end = head.at_end && tail.at_end,
                          .a = index_of(heads[i]),
                          .b = index_of(right),
                          .min_length = sum(head.min_length, tail.min_length),
                          .behinds = head.behinds | tail.behinds});
  }
  return right;
}

FragmentId TermStore::alternation(std::vector<FragmentId> given) {
  std::vector<FragmentId> flat;
  std::vector<CodepointRange> ranges;
  size_t sets = 0;
  FragmentId last_set = kNoFragment;
  bool has_empty = false;
  const auto include = [&](FragmentId id) {
    const Fragment& node = fragment(id);
    if (node.kind == FragmentKind::kSet) {
      const auto& more = sets_[node.a].ranges();
      ranges.insert(ranges.end(), more.begin(), more.end());
      ++sets;
      last_set = id;
    } else if (id == kEmptyFragment) {
      has_empty = true;
    } else if (id != kNoFragment) {
      flat.push_back(id);
    }
  };
  for (FragmentId id : given) {
    if (fragment(id).kind == FragmentKind::kAlternation) {
      for (uint32_t child : children(fragment(id))) include(FragmentId{child});
    } else {
      include(id);
    }
  }
  if (sets > 0) flat.push_back(sets == 1 ? last_set : set(CodepointSet(std::move(ranges))));
  if (has_empty) {
    std::erase_if(flat, [&](FragmentId id) {
      const FragmentKind kind = fragment(id).kind;
      return kind == FragmentKind::kLook || kind == FragmentKind::kBehind;
    });
  }
  factor_heads(&flat);
  std::ranges::sort(flat);
  flat.erase(std::ranges::unique(flat).begin(), flat.end());
  if (flat.empty()) return has_empty ? kEmptyFragment : kNoFragment;
  FragmentId result = flat[0];
  if (flat.size() > 1) {
    Fragment node{.kind = FragmentKind::kAlternation,
                  .regular = true,
                  .nullable = false,
                  .at_end = false,
                  .min_length = kInfiniteLength};
    for (FragmentId id : flat) {
      const Fragment& child = fragment(id);
      node.regular &= child.regular;
      node.nullable |= child.nullable;
      node.at_end |= child.at_end;
      node.min_length = std::min(node.min_length, child.min_length);
      node.behinds |= child.behinds;
    }
    std::vector<uint32_t> ids;
    ids.reserve(flat.size());
    for (FragmentId id : flat) ids.push_back(index_of(id));
    result = add_fragment(node, ids);
  }
  return has_empty && !fragment(result).nullable ? repeat(result, 0, 1) : result;
}

void TermStore::factor_heads(std::vector<FragmentId>* choices) {
  std::vector<std::pair<uint32_t, FragmentId>> by_head;
  for (FragmentId id : *choices) {
    if (fragment(id).kind == FragmentKind::kConcat) by_head.emplace_back(fragment(id).a, id);
  }
  if (by_head.size() < 2) return;
  std::ranges::sort(by_head);
  by_head.erase(std::ranges::unique(by_head).begin(), by_head.end());
  std::erase_if(*choices,
                [&](FragmentId id) { return fragment(id).kind == FragmentKind::kConcat; });
  for (size_t i = 0; i < by_head.size();) {
    const uint32_t head = by_head[i].first;
    std::vector<FragmentId> tails;
    size_t j = i;
    for (; j < by_head.size() && by_head[j].first == head; ++j) {
      tails.push_back(FragmentId{fragment(by_head[j].second).b});
    }
    if (tails.size() == 1) {
      choices->push_back(by_head[i].second);
    } else {
      std::vector<FragmentId> prefix = {FragmentId{head}};
      const auto shared = [&](FragmentId tail) {
        return fragment(tail).kind == FragmentKind::kConcat &&
               fragment(tail).a == fragment(tails[0]).a;
      };
      while (std::ranges::all_of(tails, shared)) {
        prefix.push_back(FragmentId{fragment(tails[0]).a});
        for (FragmentId& tail : tails) tail = FragmentId{fragment(tail).b};
      }
      FragmentId joined = alternation(std::move(tails));
      for (size_t k = prefix.size(); k-- > 0;) joined = concat(prefix[k], joined);
      choices->push_back(joined);
    }
    i = j;
  }
}

FragmentId TermStore::repeat_consuming(FragmentId body, uint32_t min, uint32_t max) {
  if (max == 0) return kEmptyFragment;
  if (body == kNoFragment || body == kEmptyFragment) {
    return min == 0 ? kEmptyFragment : body;
  }
  if (min == 1 && max == 1) return body;
  const Fragment inner = fragment(body);
  return add_fragment({.kind = FragmentKind::kRepeat,
                       .regular = inner.regular,
                       .nullable = min == 0,
                       .at_end = min == 0,
                       .a = index_of(body),
                       .lo = min,
                       .hi = max,
                       .min_length = times(inner.min_length, min),
                       .behinds = inner.behinds});
}

FragmentId TermStore::repeat(FragmentId body, uint32_t min, uint32_t max) {
  const Fragment inner = fragment(body);
  if (max == 0 || body == kEmptyFragment) return kEmptyFragment;
  if (body == kNoFragment) return min == 0 ? kEmptyFragment : kNoFragment;
  if (inner.kind == FragmentKind::kRepeat && inner.hi == kUnbounded && inner.lo <= 1) {
    return repeat_consuming(FragmentId{inner.a}, inner.lo == 0 ? 0 : min, kUnbounded);
  }
  if (inner.min_length > 0) return repeat_consuming(body, min, max);
  const FragmentId step = consuming(body);
  if (inner.nullable || min == 0) return repeat_consuming(step, 0, max);
  const FragmentId condition = assertions(body);
  std::vector<FragmentId> choices = {repeat_consuming(step, min, max)};
  if (max == kUnbounded) {
    const FragmentId some = repeat_consuming(step, 0, kUnbounded);
    choices.push_back(concat(some, concat(condition, some)));
    return alternation(std::move(choices));
  }
  if (max > kMaxConditionalRepeat) {
    overflowed_ = true;
    return kNoFragment;
  }
  for (uint32_t before = 0; before < max; ++before) {
    choices.push_back(concat(repeat_consuming(step, before, before),
                             concat(condition, repeat_consuming(step, 0, max - 1 - before))));
  }
  return alternation(std::move(choices));
}

FragmentId TermStore::assertions(FragmentId id) {
  const Fragment node = fragment(id);
  if (node.nullable) return kEmptyFragment;
  if (node.min_length > 0) return kNoFragment;
  if (node.kind == FragmentKind::kAlternation) {
    std::vector<FragmentId> parts;
    for (uint32_t i = 0; i < node.b; ++i) {
      parts.push_back(assertions(FragmentId{lists_[node.a + i]}));
    }
    return alternation(std::move(parts));
  }
  if (node.kind != FragmentKind::kConcat) return id;
  FragmentId result = kEmptyFragment;
  std::vector<FragmentId> parts;
  FragmentId rest = id;
  for (; fragment(rest).kind == FragmentKind::kConcat; rest = FragmentId{fragment(rest).b}) {
    parts.push_back(FragmentId{fragment(rest).a});
  }
  parts.push_back(rest);
  for (size_t i = parts.size(); i-- > 0;) result = concat(assertions(parts[i]), result);
  return result;
}

FragmentId TermStore::consuming(FragmentId id) {
  const Fragment node = fragment(id);
  if (node.min_length > 0) return id;
  if (const auto known = consuming_.find(index_of(id)); known != consuming_.end()) {
    return known->second;
  }
  FragmentId result = kNoFragment;
  if (node.kind == FragmentKind::kAlternation) {
    std::vector<FragmentId> parts;
    for (uint32_t i = 0; i < node.b; ++i) {
      parts.push_back(consuming(FragmentId{lists_[node.a + i]}));
    }
    result = alternation(std::move(parts));
  } else if (node.kind == FragmentKind::kRepeat) {
    const FragmentId body{node.a};
    result = concat(body, repeat_consuming(body, 0, less(node.hi, 1)));
  } else if (node.kind == FragmentKind::kConcat) {
    std::vector<FragmentId> suffixes = {id};
    while (fragment(suffixes.back()).kind == FragmentKind::kConcat) {
      suffixes.push_back(FragmentId{fragment(suffixes.back()).b});
    }
    result = consuming(suffixes.back());
    for (size_t i = suffixes.size() - 1; i-- > 0;) {
      const FragmentId head{fragment(suffixes[i]).a};
      result =
          alternation({concat(consuming(head), suffixes[i + 1]), concat(assertions(head), result)});
    }
  }
  consuming_[index_of(id)] = result;
  return result;
}

}  // namespace espalier
