#pragma once

#include <cstdint>
#include <functional>

#include "grammar/strings/string_machine.h"
#include "grammar/tables/flag_table.h"

namespace espalier {

/// From which product states of one string machine an acceptable string that is not listed can be
/// reached, as far as that is known: each search leaves behind what it saw. See live_products.cpp.
/// One writer at a time (the owner's mutex); known() needs no lock.
class LiveProducts {
 public:
  enum class Answer : uint8_t { kUnknown, kLive, kDead };
  /// Is a string with this signature acceptable? Always the same for one object of this class.
  using Acceptable = std::function<bool(const StringSignature&)>;

  Answer known(uint32_t product) const { return static_cast<Answer>(products_.get(product)); }
  void set(uint32_t product, Answer answer) {
    products_.set(product, static_cast<uint8_t>(answer));
  }
  /// kUnknown where lengths, a predicate or what an automaton remembers has a say, where a listed
  /// string may begin so, and where too many product states would have to be looked at.
  Answer find(const StringMachine& machine, uint32_t product, const Acceptable& acceptable);

 private:
  FlagTable products_;  // Answer
};

}  // namespace espalier
