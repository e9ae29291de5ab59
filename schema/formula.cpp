// Boolean formulas over undecided assertions.
//
// The idea: what a location still has to satisfy is a formula whose atoms are assertions that the
// text has not decided yet. When one is decided it is substituted, and the formula shrinks: a
// `oneOf` of 400 tool calls becomes a plain conjunction as soon as the name is known. Because
// formulas are hash-consed, the formula itself is the state.
//
// Example: {"required": ["a"], "maxProperties": 2} is
//   And(kRequired a, Not(kMoreProperties 3));
// after the property "a" it is Not(kMoreProperties 2).
//
// Invariants: parts of And/Or are sorted, unique, never constants, never of the same operator, and
// never contain both x and Not x, nor all parts of x; Not is never on a constant or a Not;
// ExactlyOne has at least two parts, none constant. A formula is kFalse or kTrue only by these
// rules: satisfiability beyond them is satisfiability.cpp's business.
//
// Cost: building is linear in the number of parts; substitution visits each distinct node once.
#include "schema/formula.h"

#include <algorithm>

#include "grammar/tables/sort_unique.h"

namespace espalier {

FormulaPool::FormulaPool() {
  nodes_.push_back({Op::kFalse, 0, {}});
  nodes_.push_back({Op::kTrue, 0, {}});
}

FormulaId FormulaPool::intern(Op op, AtomId atom, std::vector<FormulaId> parts) {
  uint64_t hash = hash_append(static_cast<uint64_t>(op), atom);
  for (const FormulaId part : parts) hash = hash_append(hash, part);
  const auto same = [&](FormulaId id) {
    const Node& node = nodes_[id];
    return node.op == op && node.atom == atom && node.parts == parts;
  };
  if (const FormulaId known = ids_.find(hash, same); known != IdTable::kNone) return known;
  const auto id = static_cast<FormulaId>(nodes_.size());
  bytes_ += sizeof(Node) + parts.size() * sizeof(FormulaId) + 16;
  nodes_.push_back({op, atom, std::move(parts)});
  ids_.insert(hash, id);
  return id;
}

FormulaId FormulaPool::atom(const Atom& atom, std::vector<FormulaId> parts) {
  if (atom.bound == 0 &&
      (atom.kind == Atom::Kind::kMoreProperties || atom.kind == Atom::Kind::kMoreItems ||
       atom.kind == Atom::Kind::kContains || atom.kind == Atom::Kind::kLength)) {
    return kTrue;
  }
  const uint64_t hash =
      hash_append(hash_append(static_cast<uint64_t>(atom.kind), atom.index), atom.bound);
  uint32_t id = atom_ids_.find(hash, [&](uint32_t known) {
    const Atom& a = atoms_[known];
    return a.kind == atom.kind && a.index == atom.index && a.bound == atom.bound;
  });
  if (id == IdTable::kNone) {
    id = static_cast<uint32_t>(atoms_.size());
    atoms_.push_back(atom);
    atom_ids_.insert(hash, id);
  }
  return intern(Op::kAtom, id, std::move(parts));
}

FormulaId FormulaPool::negate(FormulaId f) {
  if (f == kFalse) return kTrue;
  if (f == kTrue) return kFalse;
  if (op(f) == Op::kNot) return parts(f)[0];
  return intern(Op::kNot, 0, {f});
}

// Is f, or each of its parts where they were taken apart, one of these (sorted)?
bool FormulaPool::among(FormulaId f, Op apart, const std::vector<FormulaId>& all) const {
  const auto one = [&](FormulaId g) { return std::binary_search(all.begin(), all.end(), g); };
  return op(f) == apart ? std::ranges::all_of(parts(f), one) : one(f);
}

FormulaId FormulaPool::conjunction(std::vector<FormulaId> in) {
  std::vector<FormulaId> out;
  for (const FormulaId f : in) {
    if (f == kFalse) return kFalse;
    if (f == kTrue) continue;
    if (op(f) == Op::kAnd) {
      out.insert(out.end(), parts(f).begin(), parts(f).end());
    } else {
      out.push_back(f);
    }
  }
  sort_unique(&out);
  for (const FormulaId f : out) {
    if (op(f) == Op::kNot && among(parts(f)[0], Op::kAnd, out)) return kFalse;
  }
  if (out.empty()) return kTrue;
  return out.size() == 1 ? out[0] : intern(Op::kAnd, 0, std::move(out));
}

FormulaId FormulaPool::disjunction(std::vector<FormulaId> in) {
  std::vector<FormulaId> out;
  for (const FormulaId f : in) {
    if (f == kTrue) return kTrue;
    if (f == kFalse) continue;
    if (op(f) == Op::kOr) {
      out.insert(out.end(), parts(f).begin(), parts(f).end());
    } else {
      out.push_back(f);
    }
  }
  sort_unique(&out);
  for (const FormulaId f : out) {
    if (op(f) == Op::kNot && among(parts(f)[0], Op::kOr, out)) return kTrue;
  }
  if (out.empty()) return kFalse;
  return out.size() == 1 ? out[0] : intern(Op::kOr, 0, std::move(out));
}

FormulaId FormulaPool::exactly_one(std::vector<FormulaId> in) {
  std::vector<FormulaId> out;
  size_t certain = 0;
  for (const FormulaId f : in) {
    if (f == kTrue) ++certain;
    if (f != kTrue && f != kFalse) out.push_back(f);
  }
  if (certain > 1) return kFalse;
  std::sort(out.begin(), out.end());
  // The same formula twice can never be the one that holds.
  std::vector<FormulaId> unique, excluded;
  for (size_t i = 0; i < out.size();) {
    size_t j = i;
    while (j < out.size() && out[j] == out[i]) ++j;
    (j - i > 1 ? excluded : unique).push_back(out[i]);
    i = j;
  }
  std::vector<FormulaId> all;
  for (const FormulaId f : excluded) all.push_back(negate(f));
  if (certain == 1) {
    for (const FormulaId f : unique) all.push_back(negate(f));
  } else if (unique.empty()) {
    return kFalse;
  } else {
    all.push_back(unique.size() == 1 ? unique[0] : intern(Op::kExactlyOne, 0, std::move(unique)));
  }
  return conjunction(std::move(all));
}

FormulaId FormulaPool::substitute(FormulaId f, const AtomMap& map) {
  std::unordered_map<FormulaId, FormulaId> memo;
  return f == kFalse || f == kTrue || literal(f) ? substitute_in(f, map, &memo)
                                                 : substitute_composite(f, map, &memo);
}

FormulaId FormulaPool::substitute_parts(FormulaId atom, const AtomMap& map) {
  std::unordered_map<FormulaId, FormulaId> memo;
  return substitute_parts_in(atom, map, &memo);
}

FormulaId FormulaPool::substitute_parts_in(FormulaId atom, const AtomMap& map,
                                           std::unordered_map<FormulaId, FormulaId>* memo) {
  std::vector<FormulaId> fresh = parts(atom);
  for (FormulaId& part : fresh) part = substitute_in(part, map, memo);
  return intern(Op::kAtom, nodes_[atom].atom, std::move(fresh));
}

FormulaId FormulaPool::substitute_in(FormulaId f, const AtomMap& map,
                                     std::unordered_map<FormulaId, FormulaId>* memo) {
  if (f == kFalse || f == kTrue) return f;
  if (literal(f)) return op(f) == Op::kNot ? negate(map(parts(f)[0])) : map(f);
  const auto it = memo->find(f);
  if (it != memo->end()) return it->second;
  const FormulaId result = substitute_composite(f, map, memo);
  memo->emplace(f, result);
  return result;
}

FormulaId FormulaPool::substitute_composite(FormulaId f, const AtomMap& map,
                                            std::unordered_map<FormulaId, FormulaId>* memo) {
  if (op(f) == Op::kAtom) return map(substitute_parts_in(f, map, memo));
  // Nothing is copied before a part changes; the pool may grow below.
  const size_t count = parts(f).size();
  std::vector<FormulaId> fresh;
  for (size_t i = 0; i < count; ++i) {
    const FormulaId part = parts(f)[i];
    const FormulaId mapped = substitute_in(part, map, memo);
    if (fresh.empty() && mapped != part) {
      fresh.reserve(count);
      fresh.assign(parts(f).begin(), parts(f).begin() + static_cast<ptrdiff_t>(i));
      fresh.push_back(mapped);
    } else if (!fresh.empty()) {
      fresh.push_back(mapped);
    }
  }
  return fresh.empty() ? f : combine(op(f), std::move(fresh));
}

FormulaId FormulaPool::combine(Op op, std::vector<FormulaId> parts) {
  switch (op) {
    case Op::kNot:
      return negate(parts[0]);
    case Op::kAnd:
      return conjunction(std::move(parts));
    case Op::kOr:
      return disjunction(std::move(parts));
    default:
      return exactly_one(std::move(parts));
  }
}

// No part of a conjunction occurs within itself, so each is put into all the others at once.
FormulaId FormulaPool::propagate(FormulaId f) {
  while (op(f) == Op::kAnd) {
    const std::vector<FormulaId> all = parts(f);
    std::unordered_map<FormulaId, FormulaId> truth;
    for (const FormulaId part : all) {
      const bool negated = op(part) == Op::kNot;
      truth.emplace(negated ? parts(part)[0] : part, negated ? kFalse : kTrue);
    }
    std::unordered_map<FormulaId, FormulaId> memo = truth;
    const AtomMap map = [&](FormulaId atom) {
      const auto it = truth.find(atom);
      return it != truth.end() ? it->second : atom;
    };
    std::vector<FormulaId> fresh;
    for (const FormulaId part : all) {
      const bool negated = op(part) == Op::kNot;
      FormulaId body = negated ? parts(part)[0] : part;
      if (op(body) != Op::kAtom) body = substitute_composite(body, map, &memo);
      fresh.push_back(negated ? negate(body) : body);
    }
    const FormulaId next = conjunction(std::move(fresh));
    if (next == f) return f;
    f = next;
  }
  return f;
}

FormulaId FormulaPool::copy(const FormulaPool& from, FormulaId f,
                            const std::function<Atom(Atom)>& rename) {
  if (f == kFalse || f == kTrue) return f;
  if (from.op(f) == Op::kAtom) return atom(rename(from.atom_of(f)));
  std::vector<FormulaId> parts;
  for (const FormulaId part : from.parts(f)) parts.push_back(copy(from, part, rename));
  return combine(from.op(f), std::move(parts));
}

bool FormulaPool::evaluate(FormulaId f, const std::function<bool(const Atom&)>& value) const {
  const auto& node = nodes_[f];
  switch (node.op) {
    case Op::kFalse:
      return false;
    case Op::kTrue:
      return true;
    case Op::kAtom:
      return value(atoms_[node.atom]);
    case Op::kNot:
      return !evaluate(node.parts[0], value);
    case Op::kAnd:
      return std::all_of(node.parts.begin(), node.parts.end(),
                         [&](FormulaId p) { return evaluate(p, value); });
    case Op::kOr:
      return std::any_of(node.parts.begin(), node.parts.end(),
                         [&](FormulaId p) { return evaluate(p, value); });
    case Op::kExactlyOne: {
      size_t count = 0;
      for (const FormulaId p : node.parts) count += evaluate(p, value) ? 1 : 0;
      return count == 1;
    }
  }
  return false;
}

const std::vector<FormulaId>& FormulaPool::atoms(FormulaId f) {
  const auto it = atom_sets_.find(f);
  if (it != atom_sets_.end()) return it->second;
  std::vector<FormulaId> out;
  if (op(f) == Op::kAtom) out.push_back(f);
  for (const FormulaId part : std::vector<FormulaId>(parts(f))) {
    const auto& below = atoms(part);
    out.insert(out.end(), below.begin(), below.end());
  }
  sort_unique(&out);
  return atom_sets_.emplace(f, std::move(out)).first->second;
}

}  // namespace espalier
