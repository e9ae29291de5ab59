// How many values a scalar has, for uniqueItems: as long as more are left than were used, nothing
// needs to be listed.
//
// The idea. Strings: count the paths through the product states, one code point a layer; a free
// string has more than kMany after the first. Numbers: an acceptable truth without a multipleOf
// holds on a whole interval, one with it holds infinitely often beyond the last bound; between
// bounds only whole numbers are counted. What is not decided so has at least the values found.
//
// Example: {"enum": ["a", "b"]} has two, {"type": "integer", "minimum": 1, "maximum": 6} six,
// {"pattern": "^[0-9]{3}$"} a thousand (counted, not listed).
//
// Cost: kMaxProducts product states, or kListed numbers read once each.
#include "schema/leaves/scalar_domain.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

namespace espalier {
namespace {

constexpr double kExact = 1e15;        // below it a double tells whole numbers apart
constexpr size_t kListed = 4096;       // values that are listed at most
constexpr size_t kMaxProducts = 4000;  // product states that a count visits
constexpr size_t kMaxLayers = 64;      // code points of a counted string

using Kind = NumberAtom::Kind;
using Truth = NumberMachine::Truth;

uint64_t times(uint64_t a, uint64_t b) { return std::min(a * b, ScalarDomain::kMany); }

// Lists the strings of a finite domain.
class Lister {
 public:
  Lister(const StringMachine& machine, const std::function<bool(uint32_t)>& acceptable,
         const std::function<bool(uint32_t)>& possible, std::vector<std::u32string>* out)
      : machine_(machine), acceptable_(acceptable), possible_(possible), out_(out) {}
  void list(uint32_t product) {
    if (acceptable_(product)) out_->push_back(text_);
    std::vector<std::pair<uint32_t, uint32_t>> ranges;
    machine_.successors(product,
                        [&](uint32_t lo, uint32_t hi, uint32_t) { ranges.emplace_back(lo, hi); });
    for (const auto& [lo, hi] : ranges) {
      const uint32_t next = machine_.step_codepoint(product, lo);
      if (!possible_(next)) continue;
      for (uint32_t c = lo; c <= hi; ++c) {
        text_.push_back(c);
        list(next);
        text_.pop_back();
      }
    }
  }

 private:
  const StringMachine& machine_;
  const std::function<bool(uint32_t)>& acceptable_;
  const std::function<bool(uint32_t)>& possible_;
  std::vector<std::u32string>* out_;
  std::u32string text_;
};

std::optional<Truth> truth_of(const NumberMachine& machine, const std::string& text) {
  uint32_t state = machine.start();
  for (const char byte : text) state = machine.step(state, static_cast<uint8_t>(byte));
  if (state == 0 || !machine.complete(state)) return std::nullopt;
  return machine.truth(state);
}

}  // namespace

ScalarDomain string_domain(const StringMachine& machine,
                           const std::function<bool(uint32_t)>& acceptable,
                           const std::function<bool(uint32_t)>& possible) {
  ScalarDomain out;
  const uint32_t start = machine.product(machine.start());
  std::map<uint32_t, uint64_t> layer{{start, 1}};
  size_t visited = 0;
  for (size_t depth = 0; !layer.empty() && depth < kMaxLayers; ++depth) {
    std::map<uint32_t, uint64_t> next;
    for (const auto& [product, count] : layer) {
      if (acceptable(product)) out.at_least += count;
      if (out.at_least >= ScalarDomain::kMany) return out;
      if (++visited > kMaxProducts) return out;
      std::vector<std::pair<uint32_t, uint64_t>> found;
      machine.successors(product, [&](uint32_t lo, uint32_t hi, uint32_t to) {
        uint64_t width = uint64_t{hi} - lo + 1;
        if (machine.spec().spelling == StringSpelling::kMinimal && lo <= 0xDFFF && hi >= 0xD800)
          width -= std::min(hi, 0xDFFFu) - std::max(lo, 0xD800u) + 1;
        if (width != 0) found.emplace_back(to, width);
      });
      for (const auto& [to, width] : found) {
        if (possible(to)) next[to] = std::min(next[to] + times(count, width), ScalarDomain::kMany);
      }
    }
    layer = std::move(next);
  }
  if (layer.empty() && out.at_least <= kListed) {
    Lister(machine, acceptable, possible, &out.strings).list(start);
    out.complete = true;
  }
  return out;
}

ScalarDomain number_domain(const NumberMachine& machine, const std::vector<NumberAtom>& atoms,
                           const std::function<bool(Truth)>& acceptable) {
  ScalarDomain out;
  Truth less = 0, equal = 0, multiples = 0, integer = 0;
  std::vector<Decimal> candidates;
  std::optional<Decimal> least, most;  // of the bounds
  for (size_t i = 0; i < atoms.size(); ++i) {
    const NumberAtom& atom = atoms[i];
    const Truth bit = Truth{1} << i;
    if (atom.kind == Kind::kLess) {
      less |= bit;
      if (!least || compare(atom.operand, *least) < 0) least = atom.operand;
      if (!most || compare(atom.operand, *most) > 0) most = atom.operand;
    }
    if (atom.kind == Kind::kEqual) candidates.push_back(atom.operand);
    candidates.insert(candidates.end(), atom.members.begin(), atom.members.end());
    if (atom.kind == Kind::kEqual || atom.kind == Kind::kOneOf) equal |= bit;
    if (atom.kind == Kind::kMultipleOf) multiples |= bit;
    if (atom.kind == Kind::kInteger || atom.kind == Kind::kIntegerSpelling) integer |= bit;
  }
  bool bounded_multiples = false;
  for (const Truth truth : machine.reachable(machine.start())) {
    if ((truth & equal) != 0 || !acceptable(truth)) continue;
    if ((truth & (multiples | integer)) == 0 || (truth & less) == 0 || (truth & less) == less) {
      // kIntegerSpelling and kInteger make every value of an interval whole only together.
      out.at_least = ScalarDomain::kMany;
      return out;
    }
    bounded_multiples = true;
  }
  out.complete = true;
  if (bounded_multiples) {
    // Whole numbers between the bounds, where they are few enough to be tried.
    const auto value = [](const std::optional<Decimal>& bound) {
      return bound ? std::strtod(bound->to_string().c_str(), nullptr) : HUGE_VAL;
    };
    const double from = value(least), to = value(most);
    out.complete = multiples == 0 && std::abs(from) < kExact && std::abs(to) < kExact;
    if (out.complete) {
      if (to - from > static_cast<double>(kListed)) {
        out.at_least = static_cast<uint64_t>(to - from) - candidates.size() - 2;
        out.complete = false;
      } else {
        for (auto whole = static_cast<int64_t>(from) - 1; whole <= static_cast<int64_t>(to) + 1;
             ++whole) {
          candidates.push_back(*Decimal::parse(std::to_string(whole)));
        }
      }
    }
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Decimal& a, const Decimal& b) { return compare(a, b) < 0; });
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const Decimal& candidate : candidates) {
    std::string text = candidate.to_string();
    auto truth = truth_of(machine, text);
    // A value may be acceptable in one spelling only ("1.0" is no integer in draft-04).
    if (truth && !acceptable(*truth) && candidate.is_integer())
      truth = truth_of(machine, text + ".0");
    if (truth && acceptable(*truth)) out.numbers.push_back(candidate);
  }
  out.at_least = std::max<uint64_t>(out.at_least, out.numbers.size());
  return out;
}

}  // namespace espalier
