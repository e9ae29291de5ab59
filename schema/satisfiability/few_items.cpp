// Arrays whose items have few values: is there a rest that meets every demand at once?
//
// The idea. The greedy choice of array_literals lets each item do as much as it can, which is wrong
// where demands compete: {"items": {"enum": [1, 2]}, "uniqueItems": true} with `contains` 1 twice
// has no instance, and with [any] before such items and at most two of them the first must be
// another one. Where the values that may come are few and known one by one, all rests are tried, in
// order, as far as they differ in anything that still matters.
//
// Example: after [1, of the first schema without `contains`: 2 is left, then nothing.
//
// Invariants: an answer is exact; nullopt where values are many, the search is long, or items are
// judged by what others evaluate. Cost: at most kMostSteps items tried.
#include <algorithm>
#include <map>
#include <set>

#include "schema/satisfiability/satisfiability.h"

namespace espalier {
namespace {

constexpr uint64_t kMostValues = 8;
constexpr size_t kMostSteps = 3000;

struct Demand {
  NodeId node;
  uint64_t bound;
};

}  // namespace

// What the rest must do, and what it may still hold.
struct Satisfiability::FewItems {
  std::vector<NodeId> must, fail;       // nodes of kItems atoms that hold, that must fail
  std::vector<Demand> wanted, limited;  // so many, at most so many items satisfy the node
  uint64_t least = 0, most = UINT64_MAX, prefix = 0;
  bool distinct = false, repeats = false;

  struct State {
    uint64_t at;
    uint64_t least, most;
    std::vector<uint64_t> wanted, limited;
    std::vector<bool> failed;
    std::set<uint32_t> used;
    bool repeated;
    friend auto operator<=>(const State&, const State&) = default;
  };
};

bool Satisfiability::read_few_items(const Literals& literals, FewItems* out) const {
  bool competing = false;
  for (const bool positive : {true, false}) {
    for (const FormulaId f : positive ? literals.positive : literals.negative) {
      const Atom& atom = pool_->atom_of(f);
      switch (atom.kind) {
        case Atom::Kind::kItems:
          (positive ? out->must : out->fail).push_back(atom.index);
          out->prefix =
              std::max<uint64_t>(out->prefix, expansion_->node(atom.index).prefix_items.size());
          break;
        case Atom::Kind::kMoreItems:
          if (positive) out->least = std::max(out->least, atom.bound);
          if (!positive) out->most = std::min(out->most, atom.bound - 1);
          break;
        case Atom::Kind::kContains:
          if (positive) out->wanted.push_back({atom.index, atom.bound});
          if (!positive) out->limited.push_back({atom.index, atom.bound - 1});
          competing = true;
          break;
        case Atom::Kind::kUnique:
          (positive ? out->distinct : out->repeats) = true;
          break;
        default:
          return false;
      }
    }
  }
  return competing || ((out->distinct || out->repeats) && !out->fail.empty());
}

std::optional<bool> Satisfiability::few_items_possible(const Literals& literals, uint64_t index,
                                                       uint32_t used) {
  FewItems items;
  if (!read_few_items(literals, &items)) return std::nullopt;
  // An unknown value can only be in the way.
  const bool unknown = seen_->contains(used, ValueStore::kUnseen);
  std::map<uint64_t, std::optional<std::vector<uint32_t>>> values;
  std::map<std::pair<NodeId, uint32_t>, bool> admitted;
  const auto satisfies = [&](uint32_t value, NodeId node) {
    const auto [it, inserted] = admitted.try_emplace({node, value}, false);
    if (inserted) it->second = admits({{node}, {}}, value);
    return it->second;
  };
  FewItems::State start{index, items.least, items.most, {}, {}, {}, {}, false};
  for (const Demand& demand : items.wanted) start.wanted.push_back(demand.bound);
  for (const Demand& demand : items.limited) start.limited.push_back(demand.bound);
  start.failed.resize(items.fail.size());
  if (items.distinct || items.repeats)
    seen_->for_each(used, [&](uint32_t value) { start.used.insert(value); });
  if (unknown && items.repeats) return std::nullopt;

  const auto after = [&](const FewItems::State& from, uint32_t value, FewItems::State* to) {
    *to = from;
    const bool again = from.used.contains(value);
    if (again && items.distinct) return false;
    to->repeated = from.repeated || again;
    if (items.distinct || (items.repeats && !to->repeated)) to->used.insert(value);
    if (to->repeated) to->used.clear();
    for (size_t i = 0; i < items.wanted.size(); ++i) {
      if (from.wanted[i] > 0 && satisfies(value, items.wanted[i].node)) --to->wanted[i];
    }
    for (size_t i = 0; i < items.limited.size(); ++i) {
      if (!satisfies(value, items.limited[i].node)) continue;
      if (from.limited[i] == 0) return false;
      --to->limited[i];
    }
    for (size_t i = 0; i < items.fail.size(); ++i) {
      const NodeId child = item_node(items.fail[i], from.at);
      if (child != kNoNode && !satisfies(value, child)) to->failed[i] = true;
    }
    to->at = std::max(from.at, std::min(from.at + 1, items.prefix));
    if (to->least > 0) --to->least;
    if (to->most != UINT64_MAX) --to->most;
    return true;
  };
  const auto complete = [&](const FewItems::State& state) {
    return state.least == 0 && (state.repeated || !items.repeats) &&
           std::ranges::all_of(state.wanted, [](uint64_t n) { return n == 0; }) &&
           std::ranges::all_of(state.failed, [](bool b) { return b; });
  };

  std::set<FewItems::State> met{start};
  std::vector<FewItems::State> stack{start};
  size_t steps = 0;
  while (!stack.empty()) {
    const FewItems::State state = std::move(stack.back());
    stack.pop_back();
    if (complete(state)) return unknown ? std::nullopt : std::optional(true);
    if (state.most == 0) continue;
    const auto [it, inserted] = values.try_emplace(state.at);
    if (inserted) it->second = few_values(item_goal(items.must, state.at), kMostValues);
    if (!it->second) return std::nullopt;
    for (const uint32_t value : *it->second) {
      FewItems::State next;
      if (!after(state, value, &next) || !met.insert(next).second) continue;
      if (++steps > kMostSteps) return std::nullopt;
      stack.push_back(std::move(next));
    }
  }
  return false;
}

}  // namespace espalier
