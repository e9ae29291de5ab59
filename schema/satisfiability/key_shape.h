#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "espalier/grammar.h"
#include "grammar/tables/id_table.h"
#include "schema/expansion/expansion.h"
#include "schema/leaves/name_graph.h"
#include "schema/leaves/scalar_domain.h"

namespace espalier {

/// What a property name means to one node of a shape.
struct KeyEffect {
  bool violates = false;   ///< the name itself is forbidden (additionalProperties: false, ...)
  bool evaluates = false;  ///< properties or patternProperties of the node look at it
  std::vector<NodeId> children;  ///< schemas its value must satisfy, trivially true ones left out
};

/// All names that mean the same to all nodes of a shape, or one listed name.
struct KeyClass {
  uint32_t string = StringSignature::kOther;  ///< index of a listed name
  uint32_t text = TextStore::kUnseen;         ///< its text id
  uint32_t order = UINT32_MAX;     ///< its rank in schema order; unlisted names come last
  std::vector<KeyEffect> effects;  ///< one per KeyShape::nodes()
};

/// The names of one object location: which nodes look at properties there, the machine that reads a
/// name, and what each name means to each node. Not thread-safe; owned by one schema machine.
class KeyShape {
 public:
  /// Where several alternatives are open, names whose values tell them apart come first in the
  /// generation profile's order.
  enum class Alternatives : uint8_t { kOne, kSeveral };
  /// `nodes`: nodes with a kProperties atom; `required`: text ids of kRequired atoms; both sorted.
  KeyShape(std::vector<NodeId> nodes, const std::vector<uint32_t>& required,
           Alternatives alternatives, const SchemaOptions& options, Expansion* expansion,
           const FormulaPool& pool, TextStore* texts);

  const std::vector<NodeId>& nodes() const { return nodes_; }
  size_t node_index(NodeId id) const;
  const StringMachine& machine() const { return *machine_; }
  /// The same machine without the list of names, so that it is shared by shapes with the same
  /// patterns.
  std::shared_ptr<const StringMachine> unlisted_machine() const {
    const StringSpec& spec = machine_->spec();
    return string_machine({{}, spec.automata, spec.lengths, spec.spelling});
  }
  /// The class of a finished name.
  uint32_t class_of(const StringSignature& signature);
  /// The class of a listed name by text id, or nullopt.
  std::optional<uint32_t> class_of_text(uint32_t text);
  /// A name's rank in schema order; UINT32_MAX for unlisted ones.
  uint32_t rank_of(std::u32string_view name) const;
  /// The same by text id.
  uint32_t rank_of(uint32_t text) const {
    const auto* const string = string_of_text_.find(text);
    return string != nullptr ? order_of_string_[string->second] : UINT32_MAX;
  }
  /// The classes of the listed names, in the order of machine().spec().strings.
  const std::vector<uint32_t>& listed_classes();
  /// How many names of an unlisted class there are besides those in `seen` (a set of text ids), as
  /// far as that is few; else ScalarDomain::kMany.
  uint64_t names_left(uint32_t id, const SetStore& sets, uint32_t seen);
  /// What stands in such a set for a name of this unlisted class that was only looked at: an id of
  /// the class where it has few names, else TextStore::kUnseen.
  uint32_t unseen_name(uint32_t id, const SetStore& sets, uint32_t seen) {
    const bool few = names_left(id, sets, seen) < ScalarDomain::kMany;
    return few && id < kUnseenNames ? unseen_name(id) : TextStore::kUnseen;
  }
  static uint32_t unseen_name(uint32_t id) { return TextStore::kUnseen - 1 - id; }
  const KeyClass& key_class(uint32_t id) const { return classes_[id]; }
  const StringSignature& signature_of(uint32_t id) const { return signatures_[id]; }
  /// Classes of names that are not listed.
  const std::vector<uint32_t>& other_classes();
  /// False when there were too many to look at all of them.
  bool other_classes_known();
  /// True when the names observe nothing but the list: no patterns, no propertyNames.
  bool only_listed() const {
    return machine_->spec().automata.empty() && machine_->spec().lengths.empty();
  }
  size_t memory_bytes() const;

 private:
  void order_demanded(const std::vector<uint32_t>& demanded, std::vector<uint32_t> ranks,
                      const StringList& strings);
  static constexpr uint32_t kUnseenNames = 1u << 20;  // classes of which a used name can be told

  /// A listed name as a property of a node.
  struct Property {
    uint32_t string, node;  // indices
    NodeId child;
    friend auto operator<=>(const Property&, const Property&) = default;
  };
  static constexpr uint32_t kNoClass = UINT32_MAX;

  uint32_t class_of_name(std::u32string_view name);
  KeyClass describe(const StringSignature& signature);

  std::vector<NodeId> nodes_;
  Expansion* expansion_;
  const FormulaPool* pool_;
  const TextStore* texts_;
  std::unique_ptr<const StringMachine> machine_;
  std::vector<uint32_t> text_of_string_, order_of_string_;
  FlatMap<uint32_t> string_of_text_;
  std::vector<Property> properties_;  // sorted
  std::unordered_map<const CodepointAutomaton*, uint32_t> automaton_index_;
  std::vector<FormulaId> name_formulas_;  // per node: propertyNames, for strings
  std::vector<uint32_t> class_of_string_;
  std::unordered_map<std::string, uint32_t> class_ids_;  // of names that are not listed
  std::deque<KeyClass> classes_;                         // never moves
  std::deque<StringSignature> signatures_;               // one of each class
  std::vector<uint32_t> listed_classes_;                 // empty: not asked for yet
  std::optional<std::vector<uint32_t>> other_classes_;
  std::optional<NameGraph> name_graph_;                 // made when names are first counted
  std::unordered_map<uint32_t, uint64_t> name_counts_;  // by unlisted class
  bool other_classes_known_ = false;
};

}  // namespace espalier
