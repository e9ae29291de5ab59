#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "schema/expansion/expansion.h"
#include "schema/expansion/text_store.h"

namespace espalier {

/// A value that shows that something is possible. Null pointers to one stand for JSON's null.
struct Example {
  struct Member {
    uint32_t text;  ///< the name's id, TextStore::kUnseen for one that no node lists
    const Example* value;
  };
  ValueClass value_class = ValueClass::kNull;
  /// A string or number of which only this formula is known; kFalse where it is known itself.
  FormulaId known = FormulaPool::kFalse;
  std::u32string string;
  Decimal number;
  std::vector<const Example*> items;
  std::vector<Member> members;
};

/// Finds examples of what schemas ask for and says which formulas they satisfy. Not thread-safe;
/// owned by one Satisfiability. See examples.cpp.
class Examples {
 public:
  using Ternary = FormulaPool::Ternary;
  /// Does some string or number satisfy the formula?
  using ScalarExists = std::function<bool(FormulaId f, ValueClass value_class)>;

  Examples(Expansion* expansion, FormulaPool* pool, TextStore* texts, StringSpelling strings,
           ScalarExists scalar_exists);

  /// A value that satisfies all nodes; nullopt where none is found quickly.
  std::optional<const Example*> value(const std::vector<NodeId>& nodes);
  std::optional<const Example*> value_of_class(const std::vector<NodeId>& nodes, ValueClass c);
  /// A scalar or an array for which the formula about its class holds.
  std::optional<const Example*> scalar(FormulaId f, ValueClass c);
  std::optional<const Example*> array(FormulaId f, uint64_t index);

  /// Calls `accept` with rests of an object that satisfy the formula until it returns true, which
  /// is then the result. Names may be those that are `allowed`; `first`, if given, is one of them.
  bool object(FormulaId f, const std::function<bool(uint32_t text)>& allowed,
              std::optional<uint32_t> first, const std::function<bool(const Example&)>& accept);

  /// The truth of a formula about the example's class; of an array, from this item on.
  Ternary truth(FormulaId f, const Example& example, uint64_t index = 0);
  Ternary satisfies(NodeId node, const Example* example);

 private:
  // What one way to satisfy an object's formula asks for.
  struct Plan {
    std::vector<uint32_t> names;
    std::vector<NodeId> nodes;
    uint64_t least = 0;
    std::vector<FormulaId> open;  // disjunctions of which one part is still to be chosen
  };
  struct Search;

  Ternary truth_of(const Atom& atom, const Example& example, uint64_t index);
  Ternary string_truth(const Atom& atom, const Example& example);
  bool number_truth(const Atom& atom, const Example& example);
  Ternary properties_truth(NodeId node, const Example& example);
  Ternary items_truth(NodeId node, const Example& example, uint64_t index);
  bool children(NodeId node, uint32_t text, std::vector<NodeId>* out, Ternary* allowed);
  const std::u32string& name(uint32_t text);
  const std::string& utf8_name(uint32_t text);

  bool plan(FormulaId f, Plan* out) const;
  bool try_plans(const Plan& plan, Search* search);
  bool try_plan(const Plan& plan, Search* search);
  void collect_scalars(FormulaId f, ValueClass c, bool positive, std::vector<Example>* out);
  std::optional<std::u32string> sample(uint32_t automaton);
  std::optional<const Example*> make(FormulaId f, ValueClass c);
  const Example* keep(Example example);

  Expansion* expansion_;
  FormulaPool* pool_;
  TextStore* texts_;
  StringSpelling strings_;
  ScalarExists scalar_exists_;
  std::deque<Example> kept_;
  std::map<std::vector<NodeId>, std::optional<const Example*>> values_;
  std::unordered_map<uint64_t, std::optional<const Example*>> scalars_;
  std::unordered_map<uint32_t, std::optional<std::u32string>> samples_;
  std::unordered_map<uint32_t, std::pair<std::u32string, std::string>> names_;
  int depth_ = 0;
};

}  // namespace espalier
