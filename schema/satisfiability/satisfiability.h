#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "schema/expansion/expansion.h"
#include "schema/satisfiability/canonical_value.h"
#include "schema/satisfiability/examples.h"
#include "schema/satisfiability/key_shape.h"

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

/// What a question is for: existence alone takes the first witness, and its cost means nothing.
enum class Answer : uint8_t { kExistence, kCost };

inline constexpr Cost kUnknownCost = 64;  ///< assumed where a search gave up

/// Decides whether a value (or the rest of an object or array) exists, with an estimate of its
/// length. Not thread-safe.
class Satisfiability {
 public:
  Satisfiability(Answer answer, Expansion* expansion, FormulaPool* pool, const SetStore* seen,
                 ValueStore* ids, StringSpelling strings, NumberSpelling numbers,
                 std::function<KeyShape*(FormulaId f)> shape_of);

  Cost value(const Goal& goal);
  Cost value_of_class(FormulaId f, ValueClass value_class);
  /// The cheapest rest of an object whose formula is f.
  Cost object(FormulaId f, const ObjectContext& context);
  /// The cheapest rest of an array whose formula is f, whose next item has this index and which has
  /// used this set of values as far as they must differ.
  Cost array(FormulaId f, uint64_t index, uint32_t used);

  // value_ways.cpp. How many different values (rests of an object, of an array) exist: a lower
  // bound, up to ScalarDomain::kMany.
  uint64_t ways(const Goal& goal);
  uint64_t object_ways(FormulaId f, const ObjectContext& context);
  uint64_t array_ways(FormulaId f, uint64_t index, uint32_t used);
  /// The values of a goal, as ids, when they are no more than `enough` and known one by one.
  std::optional<std::vector<uint32_t>> few_values(const Goal& goal, uint64_t enough);
  /// Does this value meet the goal?
  bool admits(Goal goal, uint32_t id) { return cost_as(std::move(goal), id) != kNever; }
  /// Can the rest of a container always be made longer, whatever it holds so far?
  bool always_extensible(FormulaId f, ValueClass value_class);
  /// Values that further items of an array with different items may need for themselves.
  std::vector<uint32_t> tight_values(FormulaId f, uint64_t index, uint32_t used);

  /// May the property of this name come next, as far as its name goes?
  bool may_follow(const ObjectContext& context, uint32_t text) const;

  /// What this finds exists; for Answer::kExistence.
  Examples& examples();

  /// The node that item `index` must satisfy for a kItems atom on `id`, or kNoNode.
  NodeId item_node(NodeId id, uint64_t index) const;

 private:
  struct Literals {
    std::vector<FormulaId> positive, negative;
  };
  // satisfiability_cases.cpp
  struct Cases {
    int left = 4000;     // splits for one question
    int unchecked = 16;  // splits before literals are checked early
  };
  using Check = std::function<Cost(const Literals&)>;
  Cost solve(FormulaId f, const Check& check, int depth, Cases* cases);
  FormulaId propagate(FormulaId f, Literals* literals, std::vector<FormulaId>* open);
  std::vector<FormulaId> alternatives(FormulaId open);

  // object_rest.cpp, array_rest.cpp
  struct ObjectAsks {
    std::vector<size_t> must, fail;    // indices into the shape's nodes(), then into left_over
    std::vector<FormulaId> left_over;  // kUnevaluatedProperties
    std::set<uint32_t> present, absent;
    uint64_t least = 0, most = UINT64_MAX;
  };
  ObjectAsks read_object(const Literals& literals, const KeyShape& shape) const;
  class ObjectRest;
  class ArrayRest;
  Cost object_literals(const Literals& literals, const ObjectContext& context);
  Cost array_literals(const Literals& literals, uint64_t index, uint32_t used);

  Cost solve_object(FormulaId f, const ObjectContext& context);
  Cost scalar(FormulaId f, ValueClass value_class);
  bool scalar_exists(FormulaId f, ValueClass value_class);
  std::shared_ptr<const ScalarLeaf> scalar_leaf(FormulaId f, ValueClass value_class);
  FormulaId formula_of(const Goal& goal, ValueClass value_class);

  // few_items.cpp
  struct FewItems;
  bool read_few_items(const Literals& literals, FewItems* out) const;
  std::optional<bool> few_items_possible(const Literals& literals, uint64_t index, uint32_t used);

  // few_containers.cpp
  std::optional<std::vector<uint32_t>> few_containers(const Goal& goal, ValueClass value_class);
  bool make_arrays(FormulaId f, std::vector<uint32_t>* out);
  bool make_objects(FormulaId f, std::vector<uint32_t>* out);

  // value_ways.cpp
  struct Places {
    std::vector<NodeId> must;                       // nodes of kItems atoms that hold
    std::vector<std::pair<Goal, uint64_t>> needed;  // what comes next, how often
    uint64_t most = UINT64_MAX;
    bool unique = false;
    uint64_t count() const {
      uint64_t n = 0;
      for (const auto& place : needed) n += place.second;
      return n;
    }
  };
  static constexpr int kWaysCases = 64;
  uint64_t ways_of_class(FormulaId f, ValueClass value_class);
  uint64_t most_ways(FormulaId f, const std::function<uint64_t(const Literals&)>& count);
  std::optional<Goal> property_goal(const std::vector<size_t>& must, const KeyClass& key) const;
  uint64_t count_object(const Literals& literals, const ObjectContext& context);
  const std::vector<std::u32string>* listed_strings(FormulaId f) const;
  const ScalarDomain& domain(FormulaId f, ValueClass value_class);
  Goal item_goal(const std::vector<NodeId>& must, uint64_t at) const;
  bool places_of(const Literals& literals, uint64_t index, Places* out);
  bool tight_places(const Places& places, uint32_t used, std::vector<std::vector<uint32_t>>* tight);
  bool matches_left(const Literals& literals, uint64_t index, uint32_t used);
  bool distinct_possible(const Literals& literals, uint64_t index, uint32_t used);
  bool repetition_possible(const Literals& literals, uint64_t index, uint32_t used);
  NodeId constant(uint32_t id);
  Cost cost_as(Goal goal, uint32_t id);
  Cost cost_of_unused(const Goal& goal, uint32_t used, Cost otherwise,
                      std::vector<uint32_t>* taken);
  bool listed_values(const Goal& goal, ValueClass value_class, std::vector<uint32_t>* out);
  bool plain_scalar(FormulaId f, ValueClass value_class) const;
  bool found(Cost cost) const { return cost != kNever && answer_ == Answer::kExistence; }

  // unevaluated_reach.cpp
  bool has_parts(const Literals& literals) const;
  FormulaId parted_truth(const Literals& literals, FormulaId atom) const;
  FormulaId undecided_part(const Literals& literals) const;
  KeyEffect unevaluated_effect(FormulaId atom, bool demanded, const KeyShape& shape,
                               const KeyClass& key) const;
  NodeId unevaluated_item(FormulaId atom, uint64_t index);
  bool surely_evaluated(FormulaId atom, uint64_t index) const;
  std::vector<NodeId> item_judges(FormulaId atom) const;

  // What is known of a question.
  struct Memo {
    enum class State : uint8_t {
      kUnknown,
      kOpen,     // it is being asked: "no" meanwhile
      kAssumed,  // "no", as long as the open question it rests on may be one
      kSure
    };
    static Memo sure(Cost cost) { return {cost, State::kSure}; }
    Cost cost = kNever;
    State state = State::kUnknown;
    uint32_t rests_on = 0;  // the outermost open question: its place, this one's own where it is
  };
  static constexpr uint32_t kNothing = UINT32_MAX;
  template <typename Memos>
  std::optional<Cost> known(const Memos& memos, const typename Memos::key_type& key);
  template <typename Memos, typename Find>
  Cost answered(Memos* memos, const typename Memos::key_type& key, const Find& find);

  const Answer answer_;
  Expansion* expansion_;
  FormulaPool* pool_;
  const SetStore* seen_;
  ValueStore* ids_;
  StringSpelling strings_;
  NumberSpelling numbers_;
  std::function<KeyShape*(FormulaId)> shape_of_;
  std::unique_ptr<Examples> examples_;  // made when first asked for
  std::map<Goal, Memo> values_;
  std::unordered_map<uint64_t, Memo> classes_;
  std::map<std::tuple<FormulaId, uint32_t, uint32_t, const KeyShape*>, Memo> objects_;
  std::map<std::tuple<FormulaId, uint64_t, uint32_t>, Memo> arrays_;
  std::map<Goal, uint64_t> ways_;
  std::map<std::tuple<FormulaId, uint32_t, uint32_t, const KeyShape*>, uint64_t> object_ways_;
  std::map<std::tuple<FormulaId, uint64_t, uint32_t>, uint64_t> array_ways_;
  std::unordered_map<uint64_t, ScalarDomain> domains_;
  std::map<std::pair<Goal, ValueClass>, std::optional<std::vector<uint32_t>>> few_containers_;
  int containers_depth_ = 0;
  std::unordered_map<uint64_t, bool> extensible_;
  std::unordered_map<uint32_t, NodeId> constants_;  // by value: the node that accepts it alone
  uint32_t open_questions_ = 0;
  uint32_t rests_on_ = kNothing;  // the outermost open question on which a "no" found since rests
  std::vector<Memo*> assumed_;    // in the order in which they were found
};

}  // namespace espalier
