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
// Where it is not known whether a product state leads anywhere, the count ends with what was found.
//
// Cost: kMaxProducts product states, and kListed strings along those that lead to one; or kListed
// numbers read once each.
#include "schema/leaves/scalar_domain.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <unordered_map>

namespace espalier {
namespace {

constexpr double kExact = 1e15;        // below it a double tells whole numbers apart
constexpr size_t kListed = 4096;       // values that are listed at most
constexpr size_t kMaxProducts = 4000;  // product states that a count visits
constexpr size_t kMaxLayers = 64;      // code points of a counted string

using Kind = NumberAtom::Kind;
using Truth = NumberMachine::Truth;

uint64_t times(uint64_t a, uint64_t b) { return std::min(a * b, ScalarDomain::kMany); }

// Counts and lists the strings that lead from one product state to acceptable ones.
class StringCounter {
 public:
  StringCounter(const StringMachine& machine, const std::function<bool(uint32_t)>& acceptable,
                const std::function<std::optional<bool>(uint32_t)>& possible)
      : machine_(machine), acceptable_(acceptable), possible_(possible) {}

  ScalarDomain count(uint32_t start) {
    ScalarDomain out;
    std::map<uint32_t, uint64_t> layer{{start, 1}};
    size_t visited = 0;
    for (size_t depth = 0; !layer.empty() && depth < kMaxLayers; ++depth) {
      std::map<uint32_t, uint64_t> next;
      for (const auto& [product, paths] : layer) {
        if (acceptable_(product)) out.at_least += paths;
        if (out.at_least >= ScalarDomain::kMany || ++visited > kMaxProducts) return out;
        const std::vector<Successor>* successors = successors_of(product);
        if (successors == nullptr) return out;
        for (const auto& [lo, hi, to] : *successors) {
          next[to] = std::min(next[to] + times(paths, uint64_t{hi} - lo + 1), ScalarDomain::kMany);
        }
      }
      layer = std::move(next);
    }
    if (!layer.empty() || out.at_least > kListed) return out;
    list(start, &out.strings);
    out.complete = true;
    return out;
  }

 private:
  struct Successor {
    uint32_t lo, hi, to;
  };

  // Null where a question about one of them was given up.
  const std::vector<Successor>* successors_of(uint32_t product) {
    const auto [it, inserted] = successors_.try_emplace(product);
    if (!inserted) return &it->second;
    std::vector<Successor> found;
    machine_.successors(product, [&](uint32_t lo, uint32_t hi, uint32_t) {
      if (machine_.spec().spelling == StringSpelling::kMinimal) {
        if (lo >= kFirstSurrogate && lo <= kLastSurrogate) lo = kLastSurrogate + 1;
        if (hi >= kFirstSurrogate && hi <= kLastSurrogate) hi = kFirstSurrogate - 1;
      }
      if (lo <= hi) found.push_back({lo, hi, 0});
    });
    for (Successor& one : found) {
      one.to = machine_.step_codepoint(product, one.lo);
      const std::optional<bool> possible = possible_(one.to);
      if (!possible) return nullptr;
      if (*possible) it->second.push_back(one);
    }
    return &it->second;
  }

  // No path of the finite domain comes back to a product state.
  bool leads_on(uint32_t product) {
    const auto [it, inserted] = leads_on_.try_emplace(product, acceptable_(product));
    if (!inserted) return it->second;
    bool found = it->second;
    for (const Successor& one : successors_.at(product)) found = leads_on(one.to) || found;
    return leads_on_[product] = found;
  }

  void list(uint32_t product, std::vector<std::u32string>* out) {
    if (!leads_on(product)) return;
    if (acceptable_(product)) out->push_back(text_);
    for (const Successor& one : successors_.at(product)) {
      if (!leads_on(one.to)) continue;
      for (uint32_t c = one.lo; c <= one.hi; ++c) {
        text_.push_back(c);
        list(one.to, out);
        text_.pop_back();
      }
    }
  }

  const StringMachine& machine_;
  const std::function<bool(uint32_t)>& acceptable_;
  const std::function<std::optional<bool>(uint32_t)>& possible_;
  std::unordered_map<uint32_t, std::vector<Successor>> successors_;
  std::unordered_map<uint32_t, bool> leads_on_;
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
                           const std::function<std::optional<bool>(uint32_t)>& possible) {
  return StringCounter(machine, acceptable, possible).count(machine.product(machine.start()));
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
