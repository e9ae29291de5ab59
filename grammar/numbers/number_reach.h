#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/numbers/number_atoms.h"
#include "grammar/numbers/number_state.h"

namespace espalier::number {

/// A value of some continuation.
struct Found {
  bool negative = false;
  Scaled value;  ///< its magnitude; mantissa 0 where none is given (too many digits, or not asked)
};

/// Is a value given for each truth vector? Only where no exponent has begun.
enum class Witnesses : uint8_t { kNone, kGiven };
/// The truth vectors of all numbers that extend `text` (a prefix whose content is `content`), each
/// with a value that has it.
std::map<Truth, Found> reach(const Atoms& atoms, const Content& content, std::string_view text,
                             Witnesses witnesses);

/// Is one of those truth vectors wanted? Looks for wanted ones alone, until one is found; `text`
/// gives the prefix, which is seldom needed.
bool reaches(const Atoms& atoms, const Content& content, const std::function<std::string()>& text,
             const std::function<bool(Truth)>& wanted);

/// The text with the fewest bytes found that, appended to `text`, gives a truth in `wanted`
/// (sorted, a subset of what is reachable). Exact unless more than a few thousand contents lie
/// within reach.
std::string shortest_completion(const Atoms& atoms, const Content& content, std::string_view text,
                                const std::vector<Truth>& wanted);

}  // namespace espalier::number
