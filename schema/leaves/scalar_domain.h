#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "grammar/numbers/number_machine.h"
#include "grammar/strings/string_machine.h"

namespace espalier {

/// How many different values a scalar leaf accepts, and which if they are few.
struct ScalarDomain {
  static constexpr uint64_t kMany = uint64_t{1} << 20;

  uint64_t at_least = 0;  ///< values that exist for certain; kMany or more: as many as one likes
  bool complete = false;  ///< the lists below hold all of them
  std::vector<std::u32string> strings;
  std::vector<Decimal> numbers;
};

/// The strings that end in an acceptable product; products that are not `possible` lead to none,
/// and one of which that is not known ends the count.
ScalarDomain string_domain(const StringMachine& machine,
                           const std::function<bool(uint32_t product)>& acceptable,
                           const std::function<std::optional<bool>(uint32_t product)>& possible);
/// The numbers with an acceptable truth of `atoms`.
ScalarDomain number_domain(const NumberMachine& machine, const std::vector<NumberAtom>& atoms,
                           const std::function<bool(NumberMachine::Truth)>& acceptable);

}  // namespace espalier
