#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/status.h"
#include "grammar/numbers/decimal.h"

namespace espalier {

/// One assertion about a number.
struct NumberAtom {
  enum class Kind : uint8_t {
    kLess,             ///< value < operand
    kEqual,            ///< value == operand (numerically)
    kMultipleOf,       ///< value is an integer multiple of operand (operand > 0)
    kInteger,          ///< value is a mathematical integer: 1.0 and 1.5e1 are
    kIntegerSpelling,  ///< spelled without fraction and exponent (draft-04's integer)
    kOneOf,            ///< value equals one of members
  };
  Kind kind;
  Decimal operand;
  std::vector<Decimal> members;
};

/// Which spellings of a number the machine reads.
enum class NumberSpelling : uint8_t {
  kJson,   ///< all of RFC 8259, exponents included (profile `exact`)
  kPlain,  ///< -?int(.digits)? without an exponent, no "-0" (profile `generation`)
};

/// Reads the bytes of one JSON number and knows, at each point, the truth of every atom if the
/// number ended there, and which combinations of truths can still be reached. Exact over decimals
/// of any size; with exponents the language is not regular, so a state is structured (order against
/// each operand, digit counts, residues, exponent so far) and interned; see number_machine.cpp.
///
/// State 0 is dead (not a prefix of a number). Thread-safe; states are stable once returned.
class NumberMachine {
 public:
  /// A truth vector: bit i is the truth of atom i. At most 64 atoms.
  using Truth = uint64_t;

  static Result<std::shared_ptr<const NumberMachine>> create(std::vector<NumberAtom> atoms,
                                                             NumberSpelling spelling);
  virtual ~NumberMachine() = default;
  virtual uint32_t start() const = 0;
  virtual uint32_t step(uint32_t state, uint8_t byte) const = 0;
  /// Is the text so far a complete number?
  virtual bool complete(uint32_t state) const = 0;
  /// Truths of the atoms if the number ends here; only when complete(state).
  virtual Truth truth(uint32_t state) const = 0;
  /// The truth vectors of all numbers that extend the text so far (itself included if complete),
  /// sorted, without duplicates; exact. Valid for the machine's lifetime.
  virtual std::span<const Truth> reachable(uint32_t state) const = 0;
  /// Is one of them wanted? Quicker than to list them all.
  virtual bool reaches(uint32_t state, const std::function<bool(Truth)>& wanted) const = 0;
  /// A shortest text that, appended, completes the number with a truth t for which wanted[i] holds
  /// for the i-th entry of reachable(state). Empty string if it may end here.
  virtual std::string shortest(uint32_t state, std::span<const bool> wanted) const = 0;
  virtual size_t memory_bytes() const = 0;
};

}  // namespace espalier
