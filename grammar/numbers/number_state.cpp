// Number states: what must be remembered of the digits read so far.
//
// With D the significant digits so far, f digits after the point and an exponent e still to come,
// the value is D * 10^(e - f). No finite automaton decides even `value < 1`: 1000...0e-n needs to
// count. So a state is structured, and holds per kind of atom only what that kind can still depend
// on:
//
//  - order: the range of operands of which D is a digit prefix (else where D falls between them),
//    and the position of D's first digit. At position q of an operand the digits decide, elsewhere
//    the position does. Example: D = 12 against 125: still open; against 3: less, if the positions
//    agree.
//  - multiples: with D = N * 10^t, N not ending in 0, and m = M * 10^k, M = prime^power * coprime,
//    the value is a multiple of m iff coprime | D and scale = t - f + e >= k + power - v(N), where
//    v(N) is N's valuation at `prime` capped at `power`: the other of 2 and 5 either does not
//    divide M or cannot exceed what scale supplies. So D modulo M, v(N), f and t - f are enough;
//    both residue and valuation follow the next digit.
//  - at `e` all of this becomes one step function from the exponent to the truth vector, and from
//    there on only the function and the exponent's digits matter. Once every longer exponent gives
//    the same truth the function is constant and the digits are dropped; so exponents of any length
//    cost nothing.
//
// What no atom asks for is kept at 0: without atoms "1", "12" and "123" are one state. In kPlain
// there is no exponent, so positions and scales beyond the last operand saturate, and once more
// digits after the point can only break divisibility, the multiples become the fixed
// `settled_truth`.
//
// Invariant: a content is a function of the text only through what its future depends on, i.e.
// contents form a bisimulation; number_reach.cpp relies on it to work on any representative text.
// Cost: O(atoms) per new state; none of it is touched on a known transition.

#include "grammar/numbers/number_state.h"

#include <algorithm>

#include "grammar/tables/id_table.h"
#include "grammar/tables/sort_unique.h"

namespace espalier::number {
namespace {

constexpr uint64_t kExponentCap = uint64_t{1} << 61;

bool in_exponent(Phase phase) { return phase >= Phase::kExponentMark; }
bool after_point(Phase phase) { return phase == Phase::kPoint || phase == Phase::kFraction; }

const Side& side_of(const Atoms& atoms, const Content& c) { return atoms.side[c.negative ? 1 : 0]; }

int64_t fraction_limit(const Atoms& atoms) { return std::max<int64_t>(0, -atoms.min_exponent); }

Truth order_at(const Side& side, const Content& c, int64_t position) {
  Truth truth = side.fixed;
  for (const OrderAtom& atom : side.atoms) {
    int order = 0;  // of the magnitude against the operand's
    if (position != atom.position) {
      order = position < atom.position ? -1 : 1;
    } else if (atom.operand < c.low) {
      order = 1;
    } else if (atom.operand >= c.high) {
      order = -1;
    } else {
      order = c.matched < side.operands[atom.operand].size() ? -1 : 0;
    }
    if (atom.equal ? order == 0 : (side.negative ? order > 0 : order < 0)) truth |= atom.bit;
  }
  return truth;
}

// The least scale from which the digits so far are a multiple; INT64_MAX if none.
int64_t needed_scale(const Atoms& atoms, const Content& c, const Multiple& m) {
  if (m.modulus < 0) return m.exponent;
  const auto index = static_cast<size_t>(m.modulus);
  const Modulus& modulus = atoms.moduli[index];
  if (c.residues[index] % modulus.coprime != 0) return INT64_MAX;
  return m.exponent + modulus.power - c.valuations[index];
}

Truth multiples_at(const Atoms& atoms, const Content& c, int64_t scale) {
  if (!atoms.has_multiples) return 0;
  if (c.settled) return c.settled_truth;
  Truth truth = 0;
  for (const Multiple& m : atoms.multiples) {
    if (scale >= needed_scale(atoms, c, m)) truth |= m.bits;
  }
  return truth;
}

Truth mantissa_truth(const Atoms& atoms, const Content& c) {
  const bool plain_integer = c.phase == Phase::kZero || c.phase == Phase::kInteger;
  const Truth spelling = plain_integer ? atoms.spelling_bits : 0;
  if (c.zero) return atoms.zero_truth | spelling;
  return order_at(side_of(atoms, c), c, c.position) | multiples_at(atoms, c, c.scale) | spelling;
}

void append_digit(const Atoms& atoms, Content& c, uint32_t digit) {
  const Side& side = side_of(atoms, c);
  const bool first = c.zero;
  const bool fractional = after_point(c.phase);
  if (first) {
    c.zero = false;
    c.low = 0;
    c.high = static_cast<uint32_t>(side.operands.size());
    c.matched = 0;
    c.position = fractional ? -c.fraction : 0;
    c.residues.assign(atoms.moduli.size(), 0);
    c.valuations.assign(atoms.moduli.size(), 0);
  }
  if (!fractional) ++c.position;
  if (fractional) ++c.fraction;
  if (c.low < c.high) {
    auto at = [&](uint32_t i) {
      const std::string& operand = side.operands[i];
      return c.matched < operand.size() ? static_cast<uint32_t>(operand[c.matched] - '0') : 0u;
    };
    uint32_t low = c.low;
    while (low < c.high && at(low) < digit) ++low;
    uint32_t high = low;
    while (high < c.high && at(high) == digit) ++high;
    c.low = low;
    c.high = high;
    ++c.matched;
  }
  if (c.settled) {
    if (digit != 0) c.settled_truth = 0;
    return;
  }
  if (digit != 0) {
    c.scale = fractional ? -c.fraction : 0;
  } else if (!fractional) {
    ++c.scale;
  }
  for (size_t i = 0; i < atoms.moduli.size(); ++i) {
    const Modulus& modulus = atoms.moduli[i];
    c.residues[i] = (c.residues[i] * 10 + digit) % modulus.modulus;
    if (digit == 0) continue;
    c.valuations[i] = 0;
    if (modulus.prime == 0) continue;
    Residue rest = c.residues[i];
    while (c.valuations[i] < modulus.power && rest % modulus.prime == 0) {
      rest /= modulus.prime;
      ++c.valuations[i];
    }
  }
}

// Keeps of a mantissa only what can still matter.
void canonicalize(const Atoms& atoms, Content& c) {
  const bool plain = atoms.spelling == NumberSpelling::kPlain;
  if (!atoms.has_order && !(plain && c.zero)) c.negative = false;
  const Side& side = side_of(atoms, c);
  const bool ordered = !side.operands.empty();
  if (!atoms.has_multiples) {
    c.scale = 0;
    c.residues.clear();
    c.valuations.clear();
  }
  if (!ordered) c.position = 0;
  if (!atoms.has_multiples && !(ordered && c.zero)) c.fraction = 0;
  if (c.low == c.high) {
    c.matched = 0;
  } else if (c.low + 1 == c.high) {
    const auto length = static_cast<uint32_t>(side.operands[c.low].size());
    c.matched = std::min(c.matched, length);
  }
  if (!plain) return;
  if (c.zero) {
    int64_t limit = atoms.has_multiples ? fraction_limit(atoms) : 0;
    if (ordered) limit = std::max(limit, 1 - side.min_position);
    c.fraction = std::min(c.fraction, limit);
    return;
  }
  if (ordered) {
    c.position = std::min(c.position, side.max_position + 1);
    if (after_point(c.phase)) c.position = std::max(c.position, side.min_position - 1);
  }
  if (!atoms.has_multiples) return;
  c.scale = std::min(c.scale, atoms.scale_limit);
  if (after_point(c.phase) && !c.settled && c.fraction >= fraction_limit(atoms)) {
    c.settled_truth = multiples_at(atoms, c, c.scale);
    c.settled = true;
  }
  if (c.settled) {
    c.fraction = 0;
    c.scale = 0;
    c.residues.clear();
    c.valuations.clear();
  }
}

void append_step(StepFunction& function, int64_t start, Truth truth) {
  if (function.empty() || function.back().truth != truth) function.push_back({start, truth});
}

StepFunction outcomes(const Atoms& atoms, const Content& c) {
  StepFunction result;
  if (c.zero) return {{INT64_MIN, atoms.zero_truth}};
  const Side& side = side_of(atoms, c);
  std::vector<int64_t> starts{INT64_MIN};
  for (const OrderAtom& atom : side.atoms) {
    starts.push_back(atom.position - c.position);
    starts.push_back(atom.position - c.position + 1);
  }
  if (atoms.has_multiples) {
    for (const Multiple& m : atoms.multiples) {
      const int64_t needed = needed_scale(atoms, c, m);
      if (needed != INT64_MAX) starts.push_back(needed - c.scale);
    }
  }
  sort_unique(&starts);
  for (int64_t start : starts) {
    // Before the first breakpoint every position and scale is below all others.
    const int64_t sample = start != INT64_MIN ? start : (starts.size() > 1 ? starts[1] - 1 : 0);
    append_step(result, start,
                order_at(side, c, c.position + sample) | multiples_at(atoms, c, c.scale + sample));
  }
  return result;
}

StepFunction by_magnitude(const StepFunction& function, bool minus) {
  StepFunction result;
  append_step(result, 0, value_at(function, 0));
  if (!minus) {
    for (const Step& step : function) {
      if (step.start > 0) append_step(result, step.start, step.truth);
    }
    return result;
  }
  for (size_t i = function.size(); i-- > 1;) {
    if (function[i].start <= 0) append_step(result, 1 - function[i].start, function[i - 1].truth);
  }
  return result;
}

void enter_exponent(Content& c, Phase phase, StepFunction outcome) {
  c = Content{};
  c.phase = phase;
  c.zero = false;
  c.outcome = std::move(outcome);
}

void append_exponent_digit(Content& c, uint32_t digit) {
  c.exponent = std::min(kExponentCap, c.exponent * 10 + digit);
  auto& steps = c.outcome;
  if (c.exponent != 0) {
    const auto reached = static_cast<int64_t>(c.exponent);
    while (steps.size() > 1 && steps[1].start <= reached) steps.erase(steps.begin());
    steps.front().start = 0;
  }
  if (steps.size() == 1) c.exponent = 1;
}

}  // namespace

Truth value_at(const StepFunction& function, int64_t argument) {
  size_t i = function.size() - 1;
  while (i > 0 && function[i].start > argument) --i;
  return function[i].truth;
}

uint64_t Content::hash() const {
  uint64_t hash = static_cast<uint64_t>(phase) | uint64_t{negative} << 8 | uint64_t{zero} << 9 |
                  uint64_t{settled} << 10 | uint64_t{matched} << 32;
  hash = hash_append(hash, uint64_t{low} << 32 | high);
  for (const int64_t count : {position, fraction, scale}) {
    hash = hash_append(hash, static_cast<uint64_t>(count));
  }
  hash = hash_append(hash_append(hash, exponent), settled_truth);
  for (const Residue residue : residues) {
    hash = hash_append(hash, static_cast<uint64_t>(residue));
    hash = hash_append(hash, static_cast<uint64_t>(residue >> 64));
  }
  for (const uint8_t valuation : valuations) hash = hash_append(hash, valuation);
  for (const Step& step : outcome) {
    hash = hash_append(hash_append(hash, static_cast<uint64_t>(step.start)), step.truth);
  }
  return hash;
}

bool advance(const Atoms& atoms, const Content& from, uint8_t byte, Content& to) {
  const bool json = atoms.spelling == NumberSpelling::kJson;
  const Phase phase = from.phase;
  if (byte >= '0' && byte <= '9') {
    const auto digit = static_cast<uint32_t>(byte - '0');
    if (phase == Phase::kZero) return false;
    to = from;
    if (in_exponent(phase)) {
      if (phase == Phase::kExponentMark) to.outcome = by_magnitude(from.outcome, false);
      to.phase = Phase::kExponentDigits;
      append_exponent_digit(to, digit);
      return true;
    }
    if (phase == Phase::kPoint) to.phase = Phase::kFraction;
    if (phase == Phase::kStart || phase == Phase::kMinus) {
      to.phase = digit == 0 ? Phase::kZero : Phase::kInteger;
    }
    if (digit != 0 || !to.zero) {
      append_digit(atoms, to, digit);
    } else if (after_point(to.phase)) {
      ++to.fraction;
    }
    canonicalize(atoms, to);
    return true;
  }
  switch (byte) {
    case '-':
      if (phase == Phase::kStart) {
        to = from;
        to.phase = Phase::kMinus;
        to.negative = true;
        canonicalize(atoms, to);
        return true;
      }
      [[fallthrough]];
    case '+':
      if (phase != Phase::kExponentMark) return false;
      enter_exponent(to, Phase::kExponentSign, by_magnitude(from.outcome, byte == '-'));
      return true;
    case '.':
      if (phase != Phase::kZero && phase != Phase::kInteger) return false;
      to = from;
      to.phase = Phase::kPoint;
      canonicalize(atoms, to);
      return true;
    case 'e':
    case 'E':
      if (!json ||
          (phase != Phase::kZero && phase != Phase::kInteger && phase != Phase::kFraction)) {
        return false;
      }
      enter_exponent(to, Phase::kExponentMark, outcomes(atoms, from));
      return true;
    default:
      return false;
  }
}

bool is_complete(const Atoms& atoms, const Content& c) {
  switch (c.phase) {
    case Phase::kZero:
    case Phase::kInteger:
    case Phase::kFraction:
      return atoms.spelling == NumberSpelling::kJson || !c.zero || !c.negative;
    case Phase::kExponentDigits:
      return true;
    default:
      return false;
  }
}

Truth truth_of(const Atoms& atoms, const Content& c) {
  if (!in_exponent(c.phase)) return mantissa_truth(atoms, c);
  return value_at(c.outcome, static_cast<int64_t>(c.exponent));
}

}  // namespace espalier::number
