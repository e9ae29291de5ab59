#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "schema/expansion.h"
#include "schema/key_shape.h"

namespace espalier {

/// About how many bytes the shortest text of something takes; kNever when there is none.
using Cost = uint64_t;
inline constexpr Cost kNever = UINT64_MAX;
inline Cost add(Cost a, Cost b) { return a == kNever || b == kNever ? kNever : a + b; }

/// What a value must do: satisfy every node of `must`, and for each list in `fail`, not all of it.
struct Goal {
  std::vector<NodeId> must;               ///< sorted, unique
  std::vector<std::vector<NodeId>> fail;  ///< each sorted
  friend auto operator<=>(const Goal&, const Goal&) = default;
};

/// An object's state as far as its future goes.
struct ObjectContext {
  KeyShape* shape;
  uint32_t seen;   ///< set of text ids
  uint32_t order;  ///< names of a rank below it are past (generation profile); 0 otherwise
};

/// Decides whether a value (or the rest of an object or array) exists, with an estimate of its
/// length. Not thread-safe.
class Satisfiability {
 public:
  Satisfiability(Expansion* expansion, FormulaPool* pool, const SetStore* seen,
                 StringSpelling strings, NumberSpelling numbers,
                 std::function<KeyShape*(FormulaId f)> shape_of);

  Cost value(const Goal& goal);
  Cost value_of_class(FormulaId f, ValueClass value_class);
  /// The cheapest rest of an object whose formula is f.
  Cost object(FormulaId f, const ObjectContext& context);
  /// The cheapest rest of an array whose formula is f and whose next item has this index.
  Cost array(FormulaId f, uint64_t index);

  /// The node that item `index` must satisfy for a kItems atom on `id`, or kNoNode.
  NodeId item_node(NodeId id, uint64_t index) const;

 private:
  struct Literals {
    std::vector<FormulaId> positive, negative;
  };
  using Check = std::function<Cost(const Literals&)>;
  Cost solve(FormulaId f, const Check& check, int depth, int* budget);
  FormulaId propagate(FormulaId f, Literals* literals, std::vector<FormulaId>* open);
  std::vector<FormulaId> alternatives(FormulaId open);
  Cost object_literals(const Literals& literals, const ObjectContext& context);
  Cost array_literals(const Literals& literals, uint64_t index);
  Cost scalar(FormulaId f, ValueClass value_class);

  // unevaluated_reach.cpp
  bool has_parts(const Literals& literals) const;
  FormulaId parted_truth(const Literals& literals, FormulaId atom) const;
  FormulaId undecided_part(const Literals& literals) const;
  KeyEffect unevaluated_effect(FormulaId atom, bool demanded, const KeyShape& shape,
                               const KeyClass& key) const;
  NodeId unevaluated_item(FormulaId atom, uint64_t index);
  bool surely_evaluated(FormulaId atom, uint64_t index) const;
  std::vector<NodeId> item_judges(FormulaId atom) const;

  struct Memo {
    Cost cost = kNever;
    bool done = false;
  };

  Expansion* expansion_;
  FormulaPool* pool_;
  const SetStore* seen_;
  StringSpelling strings_;
  NumberSpelling numbers_;
  std::function<KeyShape*(FormulaId)> shape_of_;
  std::map<Goal, Memo> values_;
  std::unordered_map<uint64_t, Memo> classes_;
  std::map<std::tuple<FormulaId, uint32_t, uint32_t, const KeyShape*>, Memo> objects_;
  std::map<std::pair<FormulaId, uint64_t>, Memo> arrays_;
  // Results that were computed while an enclosing question was open hold only if finite.
  int open_questions_ = 0;
  bool tainted_ = false;
};

}  // namespace espalier
