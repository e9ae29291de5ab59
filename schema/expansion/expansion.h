#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/tables/id_table.h"
#include "schema/expansion/text_store.h"
#include "schema/formula.h"
#include "schema/leaves/scalar_leaf.h"
#include "schema/schema_graph.h"

namespace espalier {

/// What a JSON value's first byte tells of it.
enum class ValueClass : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };
inline constexpr int kValueClasses = 7;

/// Turns a schema node into a formula over the assertions that matter for one class of values. All
/// in-place applicators (allOf, anyOf, oneOf, not, if, $ref, dependentSchemas) and `type` disappear
/// here; const and enum with arrays or objects become nodes of their own.
class Expansion {
 public:
  Expansion(const SchemaGraph& graph, FormulaPool* pool, TextStore* texts);

  const SchemaNode& node(NodeId id) const {
    return id < graph_->nodes.size() ? graph_->nodes[id] : added_[id - graph_->nodes.size()];
  }
  /// The formula that says "a value of this class satisfies the node".
  FormulaId expand(NodeId id, ValueClass value_class);
  /// The same, keyword by keyword; `node` is the subschema for keywords that apply one in place.
  struct Piece {
    const char* keyword;
    FormulaId formula;
    NodeId node = kNoNode;
  };
  std::vector<Piece> pieces(NodeId id, ValueClass value_class);
  /// The formula of a value that all these nodes apply to.
  FormulaId expand_all(const std::vector<NodeId>& ids, ValueClass value_class);
  /// The formula of each list, for a value to which the first applies and the others may.
  std::vector<FormulaId> expand_lists(const std::vector<std::vector<NodeId>>& lists,
                                      ValueClass value_class);
  /// Does the node accept (reject) everything, as far as its own keywords show?
  bool trivially_true(NodeId id) const { return node(id).kind == SchemaNode::Kind::kTrue; }
  bool trivially_false(NodeId id) const { return node(id).kind == SchemaNode::Kind::kFalse; }
  const ScalarAtoms& atoms() const { return atoms_; }
  TextStore& texts() const { return *texts_; }

  // evaluation.cpp: what a kUnevaluatedProperties or kUnevaluatedItems atom means.
  /// The nodes whose own keywords evaluate something, one for each part of the atom.
  const std::vector<NodeId>& evaluators(const Atom& atom) const;
  /// The subschema for what nobody evaluates.
  NodeId unevaluated_node(const Atom& atom) const;
  /// Does node `id`, one of the atom's evaluators, evaluate all that its other keywords leave?
  bool evaluates_rest(const Atom& atom, NodeId id) const;
  /// Does it evaluate item `index`, whatever that is?
  bool evaluates_item(const Atom& atom, NodeId id, uint64_t index) const;
  /// The subschema whose matches node `id` evaluates (`contains`), or kNoNode.
  NodeId evaluates_matches(const Atom& atom, NodeId id) const;
  /// A node that holds where one of these does; kNoNode where one of them always does.
  NodeId any_of_node(std::vector<NodeId> nodes);

  /// Where the schema first demands a name (`required`, `dependentRequired`), among all that it
  /// demands; UINT32_MAX where nothing does.
  uint32_t demand_rank(const std::string& name);

  /// Nodes that no schema has: one for "a value among these", one as given.
  NodeId enum_node(std::vector<JsonValue> values);
  NodeId add_node(SchemaNode node);
  /// "The string (number) is one of these."
  FormulaId strings_atom(std::vector<std::u32string> strings);
  FormulaId numbers_atom(std::vector<Decimal> numbers);

 private:
  FormulaId unevaluated(NodeId id, ValueClass c);

  // in_place.cpp
  struct Passage;
  struct Reached {
    NodeId node;
    FormulaId when;
  };
  enum class Ways : uint8_t {
    kAnnotating,  // whose annotations reach the node
    kAsserting,   // whose assertions hold where the node holds
  };
  std::vector<Passage> passages(NodeId from, Ways ways);
  std::vector<Reached> reached_in_place(NodeId from, ValueClass c, Ways ways);

  // omission.cpp
  using Demand = std::pair<uint32_t, FormulaId>;  // a name's text, and when it is required
  const std::vector<Demand>& demands(NodeId id);
  std::vector<FormulaId> expand_demanding(const std::vector<std::vector<NodeId>>& lists);
  FormulaId as_written(FormulaId f);

  NodeId condition_node(const PropertyDependency& dependency);
  void in_place(const SchemaNode& node, ValueClass value_class, std::vector<Piece>* out);
  FormulaId type_formula(const SchemaNode& node, ValueClass value_class);
  FormulaId one_of_values(const SchemaNode& node, const std::vector<const JsonValue*>& values,
                          ValueClass c);
  FormulaId required_atom(std::string_view name);
  FormulaId pattern_atom(const std::shared_ptr<const CodepointAutomaton>& automaton);
  FormulaId number_atom(NumberAtom::Kind kind, const Decimal& operand);
  FormulaId at_least(Atom::Kind kind, uint64_t bound) { return pool_->atom({kind, 0, bound}); }
  NodeId value_node(const JsonValue& value, const SchemaNode& like);
  void string_assertions(const SchemaNode& node, std::vector<Piece>* out);
  void number_assertions(const SchemaNode& node, std::vector<Piece>* out);
  void object_assertions(NodeId id, const SchemaNode& node, std::vector<Piece>* out);
  void array_assertions(NodeId id, const SchemaNode& node, std::vector<Piece>* out);

  const SchemaGraph* graph_;
  std::unordered_map<std::string, uint32_t> demand_ranks_;  // made when first asked for
  const bool omits_;                                        // optional properties
  const StringSpelling spelling_;
  std::deque<SchemaNode> added_;  // nodes that no schema has, after the graph's; never move
  FormulaPool* pool_;
  TextStore* texts_;
  ScalarAtoms atoms_;
  std::map<const CodepointAutomaton*, uint32_t> automaton_ids_;
  IdTable string_set_ids_;
  std::map<std::pair<int, std::string>, uint32_t> number_ids_;
  void rest_on(size_t depth);
  struct Open {
    uint64_t key;
    size_t lowest;  // the outermost open expansion that this one took for true, or itself
  };
  std::vector<Open> open_;
  std::unordered_map<uint64_t, size_t> provisional_;  // memo_ keys that rest on an open expansion
  std::unordered_map<uint64_t, FormulaId> memo_;
  std::map<std::pair<NodeId, Atom::Kind>, std::vector<NodeId>> evaluators_;
  std::map<std::vector<NodeId>, NodeId> any_of_nodes_;
  std::map<std::pair<std::string, std::string>, NodeId> condition_nodes_;
  std::unordered_map<const JsonValue*, NodeId> value_nodes_;
  std::unordered_map<NodeId, std::vector<Demand>> demands_;
  static constexpr FormulaId kInProgress = UINT32_MAX;
};

}  // namespace espalier
