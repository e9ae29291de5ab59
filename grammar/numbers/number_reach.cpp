// Which truth vectors can a number still get?
//
// Continuations of a text with significant digits D are the values in pieces
//   [D * 10^j, (D + 1) * 10^j)
// where j ranges over all integers while an exponent may follow, over j >= 0 for an integer part
// without one, and is fixed behind a point without one. (No digit yet: all positive values, or
// those below 10^-zeros.) Example: `12` reaches 12, 120..129.99, 1.2e-7 and so on.
//
// Points and regions. The operands of order atoms are points; between them the order atoms are
// constant. A point is reachable if its digits start with D. An open region that meets a piece
// contains an interval, hence values that are multiples of nothing.
//
// Multiples. The operands dividing one value form a closed set T (number_atoms.cpp). In a region
// cut with a piece, walk the multiples x = lcm(T) * q upwards and take the first q that avoids the
// exclusions; among `window` successive ones there is one, so the walk is short, and a cut longer
// than that always holds one. Below the largest exponent of T's members only x = D * 10^j itself
// can be a multiple; those values are exactly the outcomes of writing `e` now. The remaining j run
// until the pieces are longer than the window.
//
// Exactness: every step is integer arithmetic; powers of ten are expanded only up to the number of
// digits of D and the operands, and numbers whose exponents are further apart than kMaxExpand
// compare by position. Cost: (points + regions * closed sets * a few pieces) big-integer divisions,
// once per state.

#include "grammar/numbers/number_reach.h"

#include <algorithm>
#include <optional>

namespace espalier::number {
namespace {

constexpr int64_t kMaxExpand = 1 << 17;
constexpr int64_t kFar = int64_t{1} << 61;

struct Prefix {
  std::string digits;  // significant ones
  int64_t fraction = 0;
  bool negative = false;
};

Prefix parse_prefix(std::string_view text) {
  Prefix prefix;
  bool point = false;
  for (char c : text) {
    if (c == '-') prefix.negative = true;
    if (c == '.') point = true;
    if (c < '0' || c > '9') continue;
    if (point) ++prefix.fraction;
    if (c != '0' || !prefix.digits.empty()) prefix.digits += c;
  }
  return prefix;
}

// A set of nonzero values of one sign: the pieces of `digits` for j in [low, high], or without
// digits all values below `cap`.
struct Family {
  bool negative = false;
  bool integer = false;  // only integers, and spelled so
  std::string digits;
  Scaled first, last;  // D and D + 1
  int64_t low = -kFar, high = kFar;
  std::optional<Scaled> cap;
  bool has_outcomes = false;  // x = D * 10^j is dealt with elsewhere
};

int compare(const Scaled& a, const Scaled& b) {
  if (a.position != b.position) return a.position < b.position ? -1 : 1;
  const int64_t exponent = std::min(a.exponent, b.exponent);
  const auto shift = [&](const Scaled& s) { return static_cast<uint64_t>(s.exponent - exponent); };
  if (shift(a) == 0 && shift(b) == 0) return a.mantissa.compare(b.mantissa);
  return BigInt(a.mantissa * power_of_ten(shift(a)))
      .compare(BigInt(b.mantissa * power_of_ten(shift(b))));
}

Scaled shifted(const Scaled& s, int64_t by) {
  return {s.mantissa, s.exponent + by, s.position + by};
}

BigInt expand(const Scaled& s, int64_t exponent) {
  if (s.exponent == exponent) return s.mantissa;
  return s.mantissa * power_of_ten(static_cast<uint64_t>(s.exponent - exponent));
}

bool is_excluded(const ClosedSet& set, const BigInt& q) {
  for (const Exclusion& e : set.exclusions) {
    if (e.coprime != 1 && q % e.coprime != 0) continue;
    if (e.twos != 0 && lsb(q) < e.twos) continue;
    BigInt rest = q;
    uint64_t fives = 0;
    while (fives < e.fives && rest % 5 == 0) {
      rest /= 5;
      ++fives;
    }
    if (fives == e.fives) return true;
  }
  return false;
}

// Collects truths; or, given which are wanted, looks for one of these alone.
class Search {
 public:
  Search(const Atoms& atoms, Witnesses witnesses, const std::function<bool(Truth)>* wanted)
      : atoms_(atoms), witnesses_(witnesses == Witnesses::kGiven), wanted_(wanted) {
    window_position_ = static_cast<int64_t>(std::to_string(atoms.window).size());
  }

  void add(Truth truth, bool negative) {
    add(truth, negative, [] { return Scaled{}; });
  }
  /// `value` gives the value; it is called only where one is asked for.
  template <typename Value>
  void add(Truth truth, bool negative, const Value& value) {
    if (wanted_ != nullptr) {
      satisfied_ = satisfied_ || (*wanted_)(truth);
      return;
    }
    const auto [place, added] = found_.try_emplace(truth);
    if (!added) return;
    place->second.negative = negative;
    if (witnesses_) place->second.value = value();
  }
  /// Need the truth not be looked for any more?
  bool has(Truth truth) const {
    return wanted_ != nullptr ? satisfied_ || !(*wanted_)(truth) : found_.count(truth) != 0;
  }
  bool satisfied() const { return satisfied_; }

  void add_family(const Family& family) {
    const Side& side = atoms_.side[family.negative ? 1 : 0];
    const Truth spelling = family.integer ? atoms_.spelling_bits : 0;
    for (size_t i = 0; i < side.points.size(); ++i) {
      if (has(side.point_truth[i] | spelling)) continue;
      if (family.integer && !side.points[i].is_integer()) continue;
      if (!contains(family, side.points[i])) continue;
      add(side.point_truth[i] | spelling, family.negative, [&] { return side.scaled[i]; });
    }
    for (size_t i = 0; i <= side.points.size(); ++i) {
      const Scaled* above = i == 0 ? nullptr : &side.scaled[i - 1];
      const Scaled* below = i == side.points.size() ? nullptr : &side.scaled[i];
      const Truth order = side.region_truth[i] | spelling;
      if (known(family, order)) continue;
      const auto at = meeting(family, above, below);
      if (!at) continue;
      if (!family.integer && !has(order)) {
        add(order, family.negative, [&] { return dense(family, above, below, *at); });
      }
      for (size_t t = 1; t < atoms_.closed_sets.size(); ++t) {
        const ClosedSet& set = atoms_.closed_sets[t];
        if (family.integer && !set.integer) continue;
        if (!has(order | set.bits)) find(family, set, above, below, order | set.bits);
      }
    }
  }

  std::map<Truth, Found> take() { return std::move(found_); }

 private:
  // Is every truth that a region of this order can have found already?
  bool known(const Family& family, Truth order) const {
    if (!family.integer && !has(order)) return false;
    return std::all_of(atoms_.closed_sets.begin() + 1, atoms_.closed_sets.end(),
                       [&](const ClosedSet& set) {
                         return (family.integer && !set.integer) || has(order | set.bits);
                       });
  }
  static bool contains(const Family& family, const Decimal& point) {
    const int64_t position = point.exponent + static_cast<int64_t>(point.digits.size());
    if (family.digits.empty()) {
      return !family.cap || position < family.cap->position;  // the cap is a power of ten
    }
    const size_t n = family.digits.size();
    const int64_t j = position - static_cast<int64_t>(n);
    if (j < family.low || j > family.high) return false;
    const size_t common = std::min(n, point.digits.size());
    return point.digits.compare(0, common, family.digits, 0, common) == 0 &&
           family.digits.find_first_not_of('0', common) == std::string::npos;
  }

  // Some j whose piece meets the open region (0 for a family without digits).
  static std::optional<int64_t> meeting(const Family& family, const Scaled* above,
                                        const Scaled* below) {
    if (family.digits.empty()) {
      if (family.cap && above != nullptr && compare(*above, *family.cap) >= 0) return std::nullopt;
      return 0;
    }
    const auto n = static_cast<int64_t>(family.digits.size());
    std::vector<int64_t> candidates;
    if (above != nullptr) candidates = {above->position - n, above->position - n + 1};
    if (below != nullptr)
      candidates.insert(candidates.end(), {below->position - n, below->position - n - 1});
    if (candidates.empty()) candidates.push_back(0);
    for (int64_t j : candidates) {
      j = std::clamp(j, family.low, family.high);
      if (below != nullptr && compare(shifted(family.first, j), *below) >= 0) continue;
      if (above != nullptr && compare(shifted(family.last, j), *above) <= 0) continue;
      return j;
    }
    return std::nullopt;
  }

  // A value inside the region and the piece j that is a multiple of no operand.
  Scaled dense(const Family& family, const Scaled* above, const Scaled* below, int64_t j) const {
    const Scaled first = shifted(family.first, j);
    const Scaled last = shifted(family.last, j);
    const Scaled* start = above;
    const Scaled* end = below;
    if (!family.digits.empty()) {
      if (start == nullptr || compare(first, *start) > 0) start = &first;
      if (end == nullptr || compare(last, *end) < 0) end = &last;
    } else if (family.cap && (end == nullptr || compare(*family.cap, *end) < 0)) {
      end = &*family.cap;
    }
    int64_t exponent = atoms_.min_exponent;
    if (start != nullptr) exponent = std::min(exponent, start->exponent);
    if (end != nullptr) {
      exponent = std::min(exponent, start != nullptr ? end->exponent : end->position - 1);
    }
    exponent -= 1;
    if (start == nullptr) return make_scaled(1, exponent);
    if (start->exponent - exponent > kMaxExpand) return {};
    return make_scaled(expand(*start, exponent) + 1, exponent);
  }

  void find(const Family& family, const ClosedSet& set, const Scaled* above, const Scaled* below,
            Truth truth) {
    const int64_t floor =
        std::max(set.lcm.position, above != nullptr ? above->position : INT64_MIN);
    if (below != nullptr && below->position < floor) return;
    if (family.digits.empty()) {
      const Scaled* end = below;
      if (family.cap && (end == nullptr || compare(*family.cap, *end) < 0)) end = &*family.cap;
      walk(family, set, above != nullptr ? *above : set.lcm, above != nullptr, end, truth);
      return;
    }
    // Where nothing ends the pieces, some are longer than the window.
    const int64_t long_enough = set.lcm.position + window_position_ + 1;
    if (!witnesses_ && below == nullptr && family.high >= long_enough)
      return add(truth, family.negative);
    const auto n = static_cast<int64_t>(family.digits.size());
    int64_t j = std::max(family.low, floor - n);
    if (family.has_outcomes) j = std::max(j, set.max_exponent);
    int64_t last = std::max(j, set.lcm.position + window_position_) + 2;
    if (below != nullptr) last = std::min(last, below->position - n);
    last = std::min(last, family.high);
    for (; j <= last; ++j) {
      const Scaled piece = shifted(family.first, j);
      const Scaled next = shifted(family.last, j);
      const bool cut = above != nullptr && compare(*above, piece) >= 0;
      const Scaled* end = below != nullptr && compare(*below, next) < 0 ? below : &next;
      if (walk(family, set, cut ? *above : piece, cut, end, truth)) return;
    }
  }

  // The first multiple of lcm in [start, end) (or (start, end) if `open`) that avoids the
  // exclusions.
  bool walk(const Family& family, const ClosedSet& set, const Scaled& start, bool open,
            const Scaled* end, Truth truth) {
    const Scaled& lcm = set.lcm;
    const bool early = compare(start, lcm) < 0;
    const Scaled& from = early ? lcm : start;
    const int64_t enough = std::max(from.position, lcm.position + window_position_) + 2;
    const Scaled horizon{1, enough, enough + 1};
    if (end == nullptr || end->position > horizon.position) end = &horizon;
    if (compare(from, *end) >= 0) return false;
    const int64_t common = std::min(from.exponent, end->exponent);
    if (common > lcm.position + window_position_ &&
        (!witnesses_ || common - lcm.exponent > kMaxExpand)) {
      add(truth, family.negative);
      return true;
    }
    const int64_t exponent = std::min(common, lcm.exponent);
    const BigInt unit = expand(lcm, exponent);
    const BigInt limit = expand(*end, exponent);
    BigInt q, rest;
    divide_qr(expand(from, exponent), unit, q, rest);
    if (rest != 0 || (open && !early)) ++q;
    for (BigInt x = q * unit; x < limit; x += unit, ++q) {
      if (is_excluded(set, q)) continue;
      add(truth, family.negative, [&] { return make_scaled(q * lcm.mantissa, lcm.exponent); });
      return true;
    }
    return false;
  }

  const Atoms& atoms_;
  const bool witnesses_;
  const std::function<bool(Truth)>* const wanted_;
  bool satisfied_ = false;
  int64_t window_position_ = 0;
  std::map<Truth, Found> found_;
};

void reach_exponent(const Content& content, Search& search) {
  const StepFunction& steps = content.outcome;
  if (content.phase != Phase::kExponentDigits || content.exponent == 0) {
    for (const Step& step : steps) search.add(step.truth, false);
    return;
  }
  search.add(value_at(steps, static_cast<int64_t>(content.exponent)), false);
  __extension__ __int128 low = content.exponent;
  __extension__ __int128 next = low + 1;
  while (low <= steps.back().start) {
    low *= 10;
    next *= 10;
    for (size_t i = 0; i < steps.size(); ++i) {
      const bool before_end = i + 1 == steps.size() || low < steps[i + 1].start;
      if (steps[i].start < next && before_end) search.add(steps[i].truth, false);
    }
  }
}

void add_outcomes(const Atoms& atoms, const Content& content, const Prefix& prefix,
                  Search& search) {
  Content base = content;
  if (base.phase == Phase::kPoint) base.phase = Phase::kInteger;
  Content mark;
  advance(atoms, base, 'e', mark);
  const StepFunction& steps = mark.outcome;
  for (size_t i = 0; i < steps.size(); ++i) {
    int64_t exponent = steps[i].start;
    if (i == 0) exponent = steps.size() == 1 ? 0 : steps[1].start - 1;
    search.add(steps[i].truth, content.negative,
               [&] { return make_scaled(BigInt(prefix.digits), exponent - prefix.fraction); });
  }
}

void search_all(const Atoms& atoms, const Content& content, std::string_view text, Search& search) {
  if (content.phase >= Phase::kExponentMark) return reach_exponent(content, search);
  const bool json = atoms.spelling == NumberSpelling::kJson;
  const Prefix prefix = parse_prefix(text);
  Family family;
  family.digits = prefix.digits;
  if (!family.digits.empty()) {
    const BigInt digits(prefix.digits);
    const auto size = static_cast<int64_t>(prefix.digits.size());
    const bool nines = prefix.digits.find_first_not_of('9') == std::string::npos;
    family.first = {digits, 0, size};
    family.last = {digits + 1, 0, nines ? size + 1 : size};
  }
  const Phase phase = content.phase;
  const bool integer_part = phase < Phase::kPoint;
  if (!json) {
    family.low = integer_part ? 0 : -prefix.fraction;
    if (!integer_part) family.high = family.low;
    if (phase >= Phase::kZero) family.cap = Scaled{1, -prefix.fraction, 1 - prefix.fraction};
  }
  for (const bool negative : {false, true}) {
    if (phase != Phase::kStart && negative != prefix.negative) continue;
    // With no order atoms both signs have the same truths.
    if (phase == Phase::kStart && negative && !atoms.has_order) continue;
    family.negative = negative;
    if (content.zero && (json || !negative)) {
      search.add(atoms.zero_truth, negative);
      if (integer_part) search.add(atoms.zero_truth | atoms.spelling_bits, negative);
    }
    family.integer = false;
    family.has_outcomes = json && !family.digits.empty();
    if (family.has_outcomes) add_outcomes(atoms, content, prefix, search);
    search.add_family(family);
    if (integer_part && phase != Phase::kZero && atoms.spelling_bits != 0) {
      Family integers = family;
      integers.integer = true;
      integers.has_outcomes = false;
      integers.low = 0;
      search.add_family(integers);
    }
  }
}

}  // namespace

std::map<Truth, Found> reach(const Atoms& atoms, const Content& content, std::string_view text,
                             Witnesses witnesses) {
  Search search(atoms, witnesses, nullptr);
  search_all(atoms, content, text, search);
  return search.take();
}

bool reaches(const Atoms& atoms, const Content& content, const std::function<std::string()>& text,
             const std::function<bool(Truth)>& wanted) {
  Search search(atoms, Witnesses::kNone, &wanted);
  // Mostly some exponent will do, and what these lead to the content alone says.
  const bool may_scale = atoms.spelling == NumberSpelling::kJson && !content.zero &&
                         content.phase >= Phase::kInteger && content.phase < Phase::kExponentMark;
  if (may_scale) add_outcomes(atoms, content, {}, search);
  if (!search.satisfied()) search_all(atoms, content, text(), search);
  return search.satisfied();
}

}  // namespace espalier::number
