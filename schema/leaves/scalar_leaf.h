#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grammar/leaf.h"
#include "grammar/numbers/number_machine.h"
#include "grammar/strings/string_machine.h"
#include "grammar/tables/flag_table.h"
#include "schema/formula.h"
#include "schema/leaves/scalar_domain.h"

namespace espalier {

/// What the string and number atoms of a schema's formulas stand for.
struct ScalarAtoms {
  std::vector<std::shared_ptr<const CodepointAutomaton>> automata;  ///< Atom::kPattern
  std::vector<std::vector<std::u32string>> string_sets;             ///< Atom::kOneOfStrings, sorted
  std::vector<NumberAtom> numbers;                                  ///< Atom::kNumber
};

/// Truths of the tracked formulas of a location; see ScalarLeaf.
using Outcome = std::vector<bool>;

/// A leaf that decides formulas. The first formula must hold when the leaf ends; the truths of the
/// others are its outcome. If `allowed` is given, only those outcomes are acceptable. Every live
/// state can reach an acceptable end.
class ScalarLeaf : public Leaf {
 public:
  /// Truths of the tracked formulas when the leaf ends in this (exit) state.
  virtual Outcome outcome(uint32_t state) const = 0;
  /// Every outcome that a live end may have; nullopt if there are too many cases to look at.
  virtual std::optional<std::vector<Outcome>> outcomes() const = 0;
  /// A short text that leads from a live state to an exit; "" if it may exit at once (not for
  /// final states' predecessors: a string's text includes the closing quote).
  virtual std::string shortest_exit(uint32_t state) const = 0;
  /// The code points (of a number: the byte) that `byte` completes in `state`, at most two.
  virtual size_t completed(uint32_t state, uint8_t byte, uint32_t codepoints[2]) const = 0;
  /// True when every live state leads to infinitely many acceptable values (false: unknown).
  virtual bool endless() const = 0;
  virtual ScalarDomain domain() const = 0;
  virtual Status status() const = 0;
  /// The machine whose states a string leaf's are; null for others.
  virtual const StringMachine* string_machine() const { return nullptr; }
  /// Bytes held, with and without the automata that other leaves may share.
  virtual size_t memory_bytes() const = 0;
  virtual size_t own_bytes() const = 0;
};

/// The string leaf (after the opening quote) and the number leaf of a list of formulas (first: must
/// hold; rest: tracked). Leaves are interned process-wide by content: the same formulas over the
/// same atoms give the same object. `allowed` empty pointer: every outcome. start() is 0 when
/// nothing is acceptable.
std::shared_ptr<const ScalarLeaf> string_leaf(const FormulaPool& pool,
                                              const std::vector<FormulaId>& formulas,
                                              const ScalarAtoms& atoms, StringSpelling spelling,
                                              const std::vector<Outcome>* allowed);
Result<std::shared_ptr<const ScalarLeaf>> number_leaf(const FormulaPool& pool,
                                                      const std::vector<FormulaId>& formulas,
                                                      const ScalarAtoms& atoms,
                                                      NumberSpelling spelling,
                                                      const std::vector<Outcome>* allowed);

/// The budget of the process-wide tables of leaves and their automata: beyond it, what nobody uses
/// is dropped; what alone takes a quarter of it is not handed out again. Thread-safe.
void set_leaf_budget(size_t bytes);
/// Bytes held by those tables.
size_t leaf_memory_bytes();

/// The string machine of a spec, interned process-wide by content.
std::shared_ptr<const StringMachine> string_machine(StringSpec spec);

/// A leaf that reads one fixed text, its first byte included: true, false, null.
class LiteralLeaf final : public Leaf {
 public:
  explicit LiteralLeaf(std::string text) : text_(std::move(text)) {}
  uint32_t start() const override { return 1; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    return state <= text_.size() && static_cast<uint8_t>(text_[state - 1]) == byte ? state + 1 : 0;
  }
  bool can_exit(uint32_t state) const override { return state == text_.size() + 1; }
  bool is_final(uint32_t state) const override { return can_exit(state); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Any amount of JSON white space, the empty one included.
class SpaceLeaf final : public Leaf {
 public:
  uint32_t start() const override { return 1; }
  uint32_t step(uint32_t, uint8_t byte) const override {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' ? 1 : 0;
  }
  bool can_exit(uint32_t) const override { return true; }
  bool is_final(uint32_t) const override { return false; }
};

}  // namespace espalier
