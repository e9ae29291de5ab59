#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "espalier/status.h"
#include "grammar/numbers/decimal.h"
#include "grammar/numbers/number_machine.h"

namespace espalier::number {

using Truth = NumberMachine::Truth;
using BigInt = boost::multiprecision::cpp_int;
__extension__ typedef unsigned __int128 Residue;

/// mantissa * 10^exponent with mantissa > 0, not normalized, and the least position with
/// value < 10^position.
struct Scaled {
  BigInt mantissa;
  int64_t exponent = 0;
  int64_t position = 0;
};

/// 10^n for moderate n.
BigInt power_of_ten(uint64_t n);
Scaled make_scaled(BigInt mantissa, int64_t exponent);

/// A bound or constant as seen from nonzero values of its own sign: |operand| = 0.digits *
/// 10^position.
struct OrderAtom {
  uint32_t operand = 0;  ///< index into Side::operands
  int64_t position = 0;
  Truth bit = 0;
  bool equal = false;  ///< kEqual, else kLess
};

/// Everything the order atoms say about nonzero values of one sign. Magnitudes throughout: with
/// `negative`, a value is less than its operand when its magnitude is greater.
struct Side {
  bool negative = false;
  std::vector<std::string> operands;  ///< distinct digit strings, sorted
  std::vector<OrderAtom> atoms;
  Truth fixed = 0;  ///< order atoms whose operand is zero or of the other sign
  int64_t min_position = 0, max_position = 0;
  std::vector<Decimal> points;      ///< distinct magnitudes, ascending
  std::vector<Scaled> scaled;       ///< the same
  std::vector<Truth> point_truth;   ///< at points[i]: order, multipleOf and integer
  std::vector<Truth> region_truth;  ///< between points[i - 1] and points[i]: order only
};

/// A distinct M of multipleOf operands M * 10^k (M > 1, not divisible by 10), M = prime^power *
/// coprime with prime 2 or 5 (power 0: neither divides M).
struct Modulus {
  Residue modulus = 1;
  Residue coprime = 1;
  uint32_t prime = 0;
  uint32_t power = 0;
};

/// A distinct multipleOf operand; `integer` is multipleOf 1.
struct Multiple {
  Decimal operand;
  Truth bits = 0;
  int32_t modulus = -1;         ///< index into moduli, -1 when M is 1
  int64_t exponent = 0;         ///< k
  int64_t twos = 0, fives = 0;  ///< valuations of the operand
  BigInt coprime;               ///< the operand's part free of 2 and 5
};

/// What a multiple L*q of a closed set's L must satisfy to be a multiple of an operand outside it.
struct Exclusion {
  BigInt coprime;
  uint64_t twos = 0, fives = 0;
};

/// A set of operands closed under divisibility: the values that are multiples of exactly these
/// exist.
struct ClosedSet {
  Truth bits = 0;
  bool integer = false;      ///< contains multipleOf 1
  Scaled lcm;                ///< least common multiple of the members
  int64_t max_exponent = 0;  ///< largest k among members
  std::vector<Exclusion> exclusions;
};

/// The atoms of a machine, prepared; immutable.
struct Atoms {
  NumberSpelling spelling = NumberSpelling::kJson;
  bool has_order = false;
  bool has_multiples = false;
  Truth spelling_bits = 0;  ///< kIntegerSpelling
  Truth zero_truth = 0;     ///< value 0, without spelling_bits
  Truth all_multiples = 0;
  Side side[2];  ///< [0] positive, [1] negative values
  std::vector<Multiple> multiples;
  std::vector<Modulus> moduli;
  std::vector<ClosedSet> closed_sets;  ///< the empty set first
  int64_t min_exponent = 0;            ///< least k; 0 without multiples
  int64_t scale_limit =
      0;               ///< a value d * 10^s with s at least this satisfies what its residues allow
  int64_t window = 1;  ///< among this many successive multiples of an L one avoids all exclusions
};

Result<Atoms> prepare_atoms(const std::vector<NumberAtom>& atoms, NumberSpelling spelling);

}  // namespace espalier::number
