#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/leaves/machine_leaf.h"
#include "schema/leaves/name_set.h"
#include "schema/leaves/scalar_leaf.h"

namespace espalier {

/// The leaf of those strings of a list that are still allowed: a machine that reads the whole list,
/// shared, and one bit for each string. Made for a list whose strings must not be repeated, where
/// each item has a set of its own: a leaf costs its bits, and is walked instead of tabulated.
///
/// Example: {"enum": ["x", "y"], ...} in an array with uniqueItems after "x" has the bit of "y".
class ListedLeaf final : public MachineLeaf<ScalarLeaf> {
 public:
  /// `allowed`: by index in the machine's list, all known.
  ListedLeaf(std::shared_ptr<const StringMachine> machine, NameSet allowed)
      : MachineLeaf(std::move(machine)), allowed_(std::move(allowed)) {}

  /// The string that ends in this state.
  std::u32string_view text(uint32_t state) const { return machine_->spec().strings[string(state)]; }

  bool walked() const override { return true; }
  Outcome outcome(uint32_t) const override { return {}; }
  std::optional<std::vector<Outcome>> outcomes() const override {
    return std::vector<Outcome>{Outcome()};
  }
  std::string shortest_exit(uint32_t state) const override {
    std::deque<std::pair<uint32_t, std::string>> queue{{state, ""}};
    std::set<uint32_t> seen{state};
    for (; !queue.empty(); queue.pop_front()) {
      const auto& [at, text] = queue.front();
      if (machine_->ended(at)) return text;
      for (int b = 0; b < 256; ++b) {
        const uint32_t next = step(at, static_cast<uint8_t>(b));
        if (next != 0 && seen.insert(next).second)
          queue.emplace_back(next, text + static_cast<char>(b));
      }
    }
    return {};
  }
  size_t completed(uint32_t state, uint8_t byte, uint32_t codepoints[2]) const override {
    return machine_->completed(state, byte, codepoints);
  }
  bool endless() const override { return false; }
  ScalarDomain domain() const override {
    ScalarDomain out;
    const auto& strings = machine_->spec().strings;
    for (uint32_t i = 0; i < strings.size(); ++i) {
      if (allowed_.any(i, i + 1) == NameSet::Any::kSome) out.strings.emplace_back(strings[i]);
    }
    out.at_least = out.strings.size();
    out.complete = true;
    return out;
  }
  Status status() const override { return {}; }
  const StringMachine* string_machine() const override { return machine_.get(); }
  size_t memory_bytes() const override { return sizeof *this + allowed_.memory_bytes(); }
  size_t own_bytes() const override { return memory_bytes(); }

 private:
  uint32_t string(uint32_t state) const {
    return machine_->signature(machine_->product(state)).string;
  }
  bool live(uint32_t state) const override {
    if (machine_->ended(state)) {
      const uint32_t index = string(state);
      return index != StringSignature::kOther &&
             allowed_.any(index, index + 1) == NameSet::Any::kSome;
    }
    return allowed_.any_after(*machine_, state) == NameSet::Any::kSome;
  }

  NameSet allowed_;
};

}  // namespace espalier
