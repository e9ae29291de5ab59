#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "grammar/numbers/number_atoms.h"

namespace espalier::number {

/// Where in a number's spelling the text so far ends.
enum class Phase : uint8_t {
  kStart,
  kMinus,
  kZero,     ///< the integer part is 0
  kInteger,  ///< digits, the first not 0
  kPoint,
  kFraction,
  kExponentMark,  ///< after e or E
  kExponentSign,
  kExponentDigits,
};

/// From `start` on (until the next step's start) the number's truth is `truth`.
struct Step {
  int64_t start;
  Truth truth;
  friend bool operator==(const Step&, const Step&) = default;
};
/// Truth as a function of an exponent: piecewise constant, starts ascending, neighbours different.
using StepFunction = std::vector<Step>;
Truth value_at(const StepFunction& function, int64_t argument);

/// The content of a number state: all of the text so far that any continuation can still depend on,
/// in one canonical form. Equal contents have equal futures. See number_state.cpp.
struct Content {
  Phase phase = Phase::kStart;
  bool negative = false;
  bool zero = true;      ///< no significant digit yet
  bool settled = false;  ///< multiples: `settled_truth` if only zeros follow, else none (kPlain)
  uint32_t low = 0, high = 0;  ///< operands[low, high) start with the significant digits so far
  uint32_t matched = 0;        ///< how many digits those are; 0 when low == high
  int64_t position = 0;        ///< value = 0.digits * 10^position
  int64_t fraction = 0;        ///< digits after the point
  int64_t scale = 0;           ///< value = digits without trailing zeros * 10^scale
  uint64_t exponent = 0;       ///< digits of the exponent so far
  Truth settled_truth = 0;
  std::vector<Residue> residues;    ///< all significant digits, modulo each of moduli
  std::vector<uint8_t> valuations;  ///< of those without trailing zeros, by prime, capped at power
  StepFunction outcome;  ///< kExponentMark: by exponent; afterwards by the exponent's magnitude

  /// Equal contents, equal hashes.
  uint64_t hash() const;
  friend bool operator==(const Content&, const Content&) = default;
};

struct ContentHash {
  size_t operator()(const Content& content) const { return static_cast<size_t>(content.hash()); }
};

/// The content after one more byte; false when no number continues so.
bool advance(const Atoms& atoms, const Content& from, uint8_t byte, Content& to);
bool is_complete(const Atoms& atoms, const Content& content);
/// Truth of the atoms if the number ends here (a complete content).
Truth truth_of(const Atoms& atoms, const Content& content);

}  // namespace espalier::number
