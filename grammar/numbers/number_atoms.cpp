// Preparing the atoms of a number machine.
//
// Order atoms (kLess, kEqual, and each member of a kOneOf as one kEqual more with the same bit) are
// split by sign and kept twice: as digit strings in lexicographic
// order, which is how a number being read meets them (its significant digits so far select a
// contiguous range of operands they are a prefix of), and as magnitudes in ascending order, which
// cut the line into points and open regions of constant order truth.
//
// multipleOf operands m = M * 10^k are split as 2^a * 5^b * rest. Which sets of them can be exactly
// the divisors of one value? Precisely those *closed* under divisibility: T is closed when every
// operand that divides lcm(T) is in T. Example: for {2, 3, 6} the closed sets are {}, {2}, {3}, {2,
// 3, 6}. For a closed T and an operand m outside, lcm(T) * q is a multiple of m iff q is one of
// some c > 1 (the Exclusion); among `window` successive q at least one avoids all c (Jacobsthal's
// function of r primes is below 4 + 4 r^2 for every r that occurs here).
//
// Invariants: moduli hold no factor 10; closed_sets[0] is the empty set.
// Cost: r log r for order atoms, closed sets times operands for divisibility; more than
// kMaxClosedSets closed sets is a budget error.

#include "grammar/numbers/number_atoms.h"

#include <algorithm>
#include <set>

namespace espalier::number {
namespace {

constexpr size_t kMaxAtoms = 64;
constexpr size_t kMaxClosedSets = 4096;
constexpr size_t kMaxOperandDigits = 1u << 16;
constexpr size_t kMaxModulusDigits = 36;

using Kind = NumberAtom::Kind;

struct Factors {
  BigInt coprime = 1;
  int64_t twos = 0, fives = 0;
};

struct Draft {
  std::vector<uint32_t> members;
  Factors lcm;
};

Decimal magnitude(const Decimal& value) {
  Decimal result = value;
  result.negative = false;
  return result;
}

// One comparison of the value with a constant. Several may decide the same atom.
struct Comparison {
  const Decimal* operand;
  Truth bit;
  bool equal;  // kEqual, else kLess
};

std::vector<Comparison> comparisons(const std::vector<NumberAtom>& atoms) {
  std::vector<Comparison> out;
  for (size_t i = 0; i < atoms.size(); ++i) {
    const NumberAtom& atom = atoms[i];
    if (atom.kind == Kind::kLess || atom.kind == Kind::kEqual)
      out.push_back({&atom.operand, Truth{1} << i, atom.kind == Kind::kEqual});
    for (const Decimal& member : atom.members) out.push_back({&member, Truth{1} << i, true});
  }
  return out;
}

// kLess atoms at `value`, or (when `inside`) at a value a little nearer to zero.
Truth less_truth(const std::vector<Comparison>& terms, const Decimal& value, bool inside) {
  Truth truth = 0;
  for (const Comparison& term : terms) {
    if (term.equal) continue;
    auto order = compare(value, *term.operand);
    if (order == 0 && inside) order = value.negative ? 1 <=> 0 : 0 <=> 1;
    if (order < 0) truth |= term.bit;
  }
  return truth;
}

Truth multiple_truth(const std::vector<Multiple>& multiples, const Decimal& value) {
  Truth truth = 0;
  for (const Multiple& m : multiples) {
    if (is_multiple(value, m.operand)) truth |= m.bits;
  }
  return truth;
}

bool divides(const Multiple& m, const Factors& f) {
  return m.twos <= f.twos && m.fives <= f.fives && f.coprime % m.coprime == 0;
}

void join(Factors& f, const Multiple& m, bool first) {
  f.twos = first ? m.twos : std::max(f.twos, m.twos);
  f.fives = first ? m.fives : std::max(f.fives, m.fives);
  f.coprime = first ? m.coprime : BigInt(lcm(f.coprime, m.coprime));
}

Draft close(const std::vector<Multiple>& multiples, Draft draft, uint32_t added) {
  join(draft.lcm, multiples[added], draft.members.empty());
  draft.members.clear();
  for (uint32_t i = 0; i < multiples.size(); ++i) {
    if (divides(multiples[i], draft.lcm)) draft.members.push_back(i);
  }
  return draft;
}

ClosedSet finish(const std::vector<Multiple>& multiples, const Draft& draft) {
  ClosedSet set;
  if (draft.members.empty()) return set;
  set.max_exponent = INT64_MIN;
  for (uint32_t i : draft.members) {
    const Multiple& m = multiples[i];
    set.bits |= m.bits;
    set.integer |= m.operand.digits == "1" && m.exponent == 0;
    set.max_exponent = std::max(set.max_exponent, m.exponent);
  }
  const Factors& f = draft.lcm;
  const int64_t exponent = std::min(f.twos, f.fives);
  BigInt mantissa = f.coprime << static_cast<unsigned>(f.twos - exponent);
  for (int64_t i = exponent; i < f.fives; ++i) mantissa *= 5;
  set.lcm = make_scaled(std::move(mantissa), exponent);
  for (uint32_t i = 0; i < multiples.size(); ++i) {
    if (std::binary_search(draft.members.begin(), draft.members.end(), i)) continue;
    const Multiple& m = multiples[i];
    set.exclusions.push_back({m.coprime / gcd(f.coprime, m.coprime),
                              static_cast<uint64_t>(std::max<int64_t>(0, m.twos - f.twos)),
                              static_cast<uint64_t>(std::max<int64_t>(0, m.fives - f.fives))});
  }
  return set;
}

Status prepare_closed_sets(Atoms& out) {
  std::set<std::vector<uint32_t>> seen{{}};
  std::vector<Draft> drafts(1);
  for (size_t next = 0; next < drafts.size(); ++next) {
    for (uint32_t i = 0; i < out.multiples.size(); ++i) {
      const auto& members = drafts[next].members;
      if (std::binary_search(members.begin(), members.end(), i)) continue;
      Draft closed = close(out.multiples, drafts[next], i);
      if (!seen.insert(closed.members).second) continue;
      if (drafts.size() == kMaxClosedSets) {
        return {StatusCode::kBudgetExceeded,
                "the multipleOf operands at one location divide each other in more than " +
                    std::to_string(kMaxClosedSets) + " ways"};
      }
      drafts.push_back(std::move(closed));
    }
  }
  for (const Draft& draft : drafts) out.closed_sets.push_back(finish(out.multiples, draft));
  const auto count = static_cast<int64_t>(out.multiples.size());
  out.window = 4 + 4 * count * count;
  return {};
}

Status prepare_multiple(Atoms& out, const Decimal& operand, Truth bit) {
  if (operand.is_zero() || operand.negative) {
    return {StatusCode::kInvalidArgument, "multipleOf must be greater than 0"};
  }
  out.all_multiples |= bit;
  for (Multiple& m : out.multiples) {
    if (m.operand == operand) {
      m.bits |= bit;
      return {};
    }
  }
  if (operand.digits.size() > kMaxModulusDigits) {
    return {
        StatusCode::kBudgetExceeded,
        "multipleOf has more than " + std::to_string(kMaxModulusDigits) + " significant digits"};
  }
  Multiple m;
  m.operand = operand;
  m.bits = bit;
  m.exponent = operand.exponent;
  Modulus modulus;
  modulus.modulus = 0;
  for (char c : operand.digits)
    modulus.modulus = modulus.modulus * 10 + static_cast<Residue>(c - '0');
  modulus.coprime = modulus.modulus;
  m.twos = m.fives = m.exponent;
  for (; modulus.coprime % 2 == 0; modulus.coprime /= 2) ++m.twos;
  for (; modulus.coprime % 5 == 0; modulus.coprime /= 5) ++m.fives;
  modulus.power = static_cast<uint32_t>(std::max(m.twos, m.fives) - m.exponent);
  modulus.prime = m.twos > m.exponent ? 2 : (m.fives > m.exponent ? 5 : 0);
  m.coprime = BigInt(modulus.coprime);
  if (modulus.modulus > 1) {
    const auto same = std::find_if(out.moduli.begin(), out.moduli.end(), [&](const Modulus& other) {
      return other.modulus == modulus.modulus;
    });
    m.modulus = static_cast<int32_t>(same - out.moduli.begin());
    if (same == out.moduli.end()) out.moduli.push_back(modulus);
  }
  out.min_exponent = out.multiples.empty() ? m.exponent : std::min(out.min_exponent, m.exponent);
  out.scale_limit = std::max({out.scale_limit, m.twos, m.fives});
  out.multiples.push_back(std::move(m));
  return {};
}

void prepare_side(Atoms& out, const std::vector<Comparison>& terms, bool negative) {
  Side& side = out.side[negative ? 1 : 0];
  side.negative = negative;
  const auto elsewhere = [&](const Comparison& term) {
    return term.operand->is_zero() || term.operand->negative != negative;
  };
  for (const Comparison& term : terms) {
    const Decimal& operand = *term.operand;
    if (elsewhere(term)) {
      if (!term.equal && negative) side.fixed |= term.bit;
      continue;
    }
    side.operands.push_back(operand.digits);
    side.points.push_back(magnitude(operand));
  }
  auto unique = [](auto& values) {
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  std::sort(side.operands.begin(), side.operands.end());
  unique(side.operands);
  std::sort(side.points.begin(), side.points.end(),
            [](const Decimal& a, const Decimal& b) { return compare(a, b) < 0; });
  unique(side.points);
  std::vector<Truth> equal_truth(side.points.size());
  for (const Comparison& term : terms) {
    if (elsewhere(term)) continue;
    const Decimal& operand = *term.operand;
    if (term.equal) {
      const auto point =
          std::lower_bound(side.points.begin(), side.points.end(), magnitude(operand),
                           [](const Decimal& a, const Decimal& b) { return compare(a, b) < 0; });
      equal_truth[static_cast<size_t>(point - side.points.begin())] |= term.bit;
    }
    const auto index = std::lower_bound(side.operands.begin(), side.operands.end(), operand.digits);
    side.atoms.push_back({static_cast<uint32_t>(index - side.operands.begin()),
                          operand.exponent + static_cast<int64_t>(operand.digits.size()), term.bit,
                          term.equal});
  }
  for (size_t i = 0; i < side.points.size(); ++i) {
    Decimal value = side.points[i];
    const int64_t position = value.exponent + static_cast<int64_t>(value.digits.size());
    side.min_position = i == 0 ? position : std::min(side.min_position, position);
    side.max_position = i == 0 ? position : std::max(side.max_position, position);
    side.scaled.push_back(make_scaled(BigInt(value.digits), value.exponent));
    value.negative = negative;
    side.point_truth.push_back(less_truth(terms, value, false) | equal_truth[i] |
                               multiple_truth(out.multiples, value));
    side.region_truth.push_back(less_truth(terms, value, true));
  }
  Truth beyond = side.fixed;
  for (const OrderAtom& atom : side.atoms) {
    if (!atom.equal && negative) beyond |= atom.bit;
  }
  side.region_truth.push_back(beyond);
}

}  // namespace

BigInt power_of_ten(uint64_t n) { return pow(BigInt(10), static_cast<unsigned>(n)); }

Scaled make_scaled(BigInt mantissa, int64_t exponent) {
  const auto digits = static_cast<int64_t>(mantissa.str().size());
  return {std::move(mantissa), exponent, exponent + digits};
}

Result<Atoms> prepare_atoms(const std::vector<NumberAtom>& atoms, NumberSpelling spelling) {
  if (atoms.size() > kMaxAtoms) {
    return Status(StatusCode::kBudgetExceeded,
                  "more than " + std::to_string(kMaxAtoms) + " assertions about one number");
  }
  Atoms out;
  out.spelling = spelling;
  const std::vector<Comparison> terms = comparisons(atoms);
  for (const Comparison& term : terms) {
    if (term.operand->digits.size() <= kMaxOperandDigits) continue;
    return Status(StatusCode::kBudgetExceeded,
                  "a number has more than " + std::to_string(kMaxOperandDigits) + " digits");
  }
  for (size_t i = 0; i < atoms.size(); ++i) {
    const NumberAtom& atom = atoms[i];
    const Truth bit = Truth{1} << i;
    Status status;
    switch (atom.kind) {
      case Kind::kLess:
      case Kind::kEqual:
      case Kind::kOneOf:
        out.has_order = true;
        break;
      case Kind::kMultipleOf:
        status = prepare_multiple(out, atom.operand, bit);
        break;
      case Kind::kInteger:
        status = prepare_multiple(out, Decimal{false, "1", 0}, bit);
        break;
      case Kind::kIntegerSpelling:
        out.spelling_bits |= bit;
        break;
    }
    if (!status.ok()) return status;
  }
  out.has_multiples = !out.multiples.empty();
  if (out.spelling_bits != 0) {
    const bool tracked = out.has_multiples;
    if (Status status = prepare_multiple(out, Decimal{false, "1", 0}, 0); !status.ok())
      return status;
    out.has_multiples = tracked;
  }
  if (Status status = prepare_closed_sets(out); !status.ok()) return status;
  out.zero_truth = less_truth(terms, Decimal{}, false) | out.all_multiples;
  for (const Comparison& term : terms) {
    if (term.equal && term.operand->is_zero()) out.zero_truth |= term.bit;
  }
  prepare_side(out, terms, false);
  prepare_side(out, terms, true);
  return out;
}

}  // namespace espalier::number
