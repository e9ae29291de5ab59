#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "grammar/tables/id_table.h"

namespace espalier {

using FormulaId = uint32_t;
using AtomId = uint32_t;

/// One assertion whose truth is not known yet. What `index` and `bound` mean depends on the kind.
struct Atom {
  enum class Kind : uint8_t {
    // Objects. `index`: a node, a property name's text id, or unused; `bound`: how many more.
    kProperties,      ///< all properties so far satisfy node `index`; true until violated
    kRequired,        ///< the property named text `index` is present; false until seen
    kMoreProperties,  ///< at least `bound` more properties follow
    kDemanded,        ///< some subschema that holds requires text `index`; see omission.cpp
    // Arrays.
    kItems,      ///< all items so far satisfy node `index`; true until violated
    kMoreItems,  ///< at least `bound` more items follow
    kContains,   ///< at least `bound` more items satisfy node `index`
    kUnique,     ///< no two items so far are equal; true until violated
    // Either. A kUnevaluated atom has parts (see unevaluated.cpp); true until something is left
    // over.
    kUnevaluatedProperties,  ///< what no part evaluates satisfies `index`'s unevaluatedProperties
    kUnevaluatedItems,       ///< the same for items and unevaluatedItems
    kValue,                  ///< the value being read satisfies node `index`
    // Strings and numbers; decided when the scalar ends.
    kPattern,       ///< automaton `index` accepts the string
    kOneOfStrings,  ///< the string is in string set `index`
    kLength,        ///< the string has at least `bound` code points
    kNumber,        ///< number atom `index` holds
  };
  Kind kind;
  uint32_t index = 0;
  uint64_t bound = 0;
  friend bool operator==(const Atom&, const Atom&) = default;
};

/// Does the atom speak of elements still to come, so that it is true at the close?
inline bool true_at_close(const Atom& atom) {
  return atom.kind == Atom::Kind::kProperties || atom.kind == Atom::Kind::kItems ||
         atom.kind == Atom::Kind::kUnevaluatedProperties ||
         atom.kind == Atom::Kind::kUnevaluatedItems || atom.kind == Atom::Kind::kUnique;
}

/// Hash-consed Boolean formulas over atoms, kept simplified: constants are propagated, conjunctions
/// and disjunctions flat and sorted, x and not x in one of them cancel. Equal formulas (up to
/// these rules) have equal ids. Not thread-safe; owned by one schema machine.
class FormulaPool {
 public:
  static constexpr FormulaId kFalse = 0;
  static constexpr FormulaId kTrue = 1;
  enum class Op : uint8_t { kFalse, kTrue, kAtom, kNot, kAnd, kOr, kExactlyOne };

  FormulaPool();

  /// `parts`: formulas the atom speaks of; substitution reaches them, evaluation does not.
  FormulaId atom(const Atom& atom, std::vector<FormulaId> parts = {});
  FormulaId negate(FormulaId f);
  FormulaId conjunction(std::vector<FormulaId> parts);
  FormulaId disjunction(std::vector<FormulaId> parts);
  FormulaId exactly_one(std::vector<FormulaId> parts);

  Op op(FormulaId f) const { return nodes_[f].op; }
  const Atom& atom_of(FormulaId f) const { return atoms_[nodes_[f].atom]; }
  const std::vector<FormulaId>& parts(FormulaId f) const { return nodes_[f].parts; }

  /// f with every atom replaced by what `map` gives (itself to keep it).
  using AtomMap = std::function<FormulaId(FormulaId atom)>;
  FormulaId substitute(FormulaId f, const AtomMap& map);
  /// The same for the parts of an atom, the atom itself kept.
  FormulaId substitute_parts(FormulaId atom, const AtomMap& map);

  /// f with each part of a conjunction put into the others, so that And(a, Not(And(a, b))) is
  /// And(a, Not(b)), and And(Or(a, b), Or(c, Not(Or(a, b)))) is And(Or(a, b), c).
  FormulaId propagate(FormulaId f);

  /// A formula of another pool, its atoms renamed by `rename`, in this pool.
  FormulaId copy(const FormulaPool& from, FormulaId f, const std::function<Atom(Atom)>& rename);

  /// The truth of f under an assignment of all its atoms.
  bool evaluate(FormulaId f, const std::function<bool(const Atom&)>& value) const;

  /// The truth of f when some atoms are unknown; kUnknown where that leaves it open.
  enum class Ternary : uint8_t { kFalse, kTrue, kUnknown };
  Ternary evaluate_partly(FormulaId f, const std::function<Ternary(const Atom&)>& value) const {
    return truth_by_parts(f, [&](FormulaId g) {
      return op(g) == Op::kAtom ? std::optional(value(atom_of(g))) : std::nullopt;
    });
  }
  /// The same where `known` tells the truth of atoms, and of what else it can (nullopt: it cannot).
  /// It may add formulas.
  template <typename Known>
  Ternary truth_by_parts(FormulaId f, const Known& known) const;

  /// Atoms that occur in f and in the parts of its atoms (as formula ids), sorted.
  const std::vector<FormulaId>& atoms(FormulaId f);

  size_t memory_bytes() const { return bytes_; }

 private:
  struct Node {
    Op op;
    AtomId atom = 0;
    std::vector<FormulaId> parts;
  };
  bool among(FormulaId f, Op apart, const std::vector<FormulaId>& all) const;
  FormulaId combine(Op op, std::vector<FormulaId> parts);
  FormulaId intern(Op op, AtomId atom, std::vector<FormulaId> parts);
  FormulaId substitute_parts_in(FormulaId atom, const AtomMap& map,
                                std::unordered_map<FormulaId, FormulaId>* memo);
  FormulaId substitute_in(FormulaId f, const AtomMap& map,
                          std::unordered_map<FormulaId, FormulaId>* memo);
  FormulaId substitute_composite(FormulaId f, const AtomMap& map,
                                 std::unordered_map<FormulaId, FormulaId>* memo);
  bool literal(FormulaId f) const {
    return op(f) == Op::kNot ? literal(parts(f)[0])
                             : parts(f).empty();  // an atom that speaks of nothing
  }

  std::vector<Node> nodes_;
  std::vector<Atom> atoms_;
  IdTable ids_, atom_ids_;
  std::unordered_map<FormulaId, std::vector<FormulaId>> atom_sets_;
  size_t bytes_ = 0;
};

template <typename Known>
FormulaPool::Ternary FormulaPool::truth_by_parts(FormulaId f, const Known& known) const {
  if (f <= kTrue) return f == kTrue ? Ternary::kTrue : Ternary::kFalse;
  if (const std::optional<Ternary> truth = known(f)) return *truth;
  // By position, as the pool may grow.
  const Op op = this->op(f);
  const size_t all = parts(f).size();
  size_t yes = 0, no = 0;
  for (size_t i = 0; i < all; ++i) {
    const Ternary part = truth_by_parts(parts(f)[i], known);
    yes += part == Ternary::kTrue ? 1 : 0;
    no += part == Ternary::kFalse ? 1 : 0;
    if (op == Op::kAnd && no > 0) return Ternary::kFalse;
    if (op == Op::kOr && yes > 0) return Ternary::kTrue;
    if (op == Op::kExactlyOne && yes > 1) return Ternary::kFalse;
  }
  switch (op) {
    case Op::kNot:
      return yes > 0 ? Ternary::kFalse : no > 0 ? Ternary::kTrue : Ternary::kUnknown;
    case Op::kAnd:
      return yes == all ? Ternary::kTrue : Ternary::kUnknown;
    case Op::kOr:
      return no == all ? Ternary::kFalse : Ternary::kUnknown;
    default:
      if (no == all) return Ternary::kFalse;
      return yes == 1 && no == all - 1 ? Ternary::kTrue : Ternary::kUnknown;
  }
}

}  // namespace espalier
