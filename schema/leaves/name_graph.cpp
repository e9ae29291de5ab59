// How many names does a class have?
//
// The idea. Names are used up only where there are few of them, and there are few only where no way
// to one leads in a circle. So the product states are found once for all classes, and for each
// class those that lead to one of its names: a circle among them is the answer, and without one the
// names are the ways, counted from their ends.
//
// Example: with ^x[0-9]$ and ^y the names that the first accepts are ten, those that the second
// accepts are endless, and so are those that neither does.
//
// Cost: StringMachine::successors of each product state, once; a class takes a look at each edge.
#include "schema/leaves/name_graph.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "schema/leaves/scalar_domain.h"

namespace espalier {
namespace {

constexpr size_t kMaxProducts = 300;
constexpr uint64_t kMostNames = 4096;  // that are counted

}  // namespace

NameGraph::NameGraph(const StringMachine& machine)
    : products_{machine.product(machine.start())}, edges_(1) {
  const bool minimal = machine.spec().spelling == StringSpelling::kMinimal;
  std::unordered_map<uint32_t, uint32_t> places{{products_[0], 0}};
  for (uint32_t i = 0; i < products_.size(); ++i) {
    if (products_.size() > kMaxProducts) {
      complete_ = false;
      return;
    }
    machine.successors(products_[i], [&](uint32_t lo, uint32_t hi, uint32_t next) {
      uint64_t width = uint64_t{hi} - lo + 1;
      if (minimal && lo <= 0xDFFF && hi >= 0xD800)
        width -= std::min(hi, 0xDFFFu) - std::max(lo, 0xD800u) + 1;
      if (width == 0) return;
      const auto [at, inserted] = places.try_emplace(next, products_.size());
      if (inserted) {
        products_.push_back(next);
        edges_.emplace_back();
      }
      edges_[i].push_back({at->second, width});
    });
  }
}

uint64_t NameGraph::count(const std::function<bool(uint32_t product)>& wanted) const {
  if (!complete_) return ScalarDomain::kMany;
  const size_t size = products_.size();
  std::vector<std::vector<uint32_t>> before(size);
  std::vector<uint8_t> ends(size), leads(size);
  std::vector<uint32_t> stack;
  for (uint32_t i = 0; i < size; ++i) {
    for (const Edge& edge : edges_[i]) before[edge.to].push_back(i);
    ends[i] = wanted(products_[i]);
    if (ends[i]) stack.push_back(i);
  }
  while (!stack.empty()) {
    const uint32_t at = stack.back();
    stack.pop_back();
    if (std::exchange(leads[at], 1)) continue;
    stack.insert(stack.end(), before[at].begin(), before[at].end());
  }
  if (!leads[0]) return 0;
  // Depth first; what is met again while it is open is a circle.
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> status(size, kNew);
  std::vector<uint64_t> names(size);
  stack.assign(1, 0);
  while (!stack.empty()) {
    const uint32_t at = stack.back();
    if (status[at] == kNew) {
      status[at] = kOpen;
      for (const Edge& edge : edges_[at]) {
        if (!leads[edge.to]) continue;
        if (status[edge.to] == kOpen) return ScalarDomain::kMany;
        if (status[edge.to] == kNew) stack.push_back(edge.to);
      }
      continue;
    }
    stack.pop_back();
    if (std::exchange(status[at], kDone) == kDone) continue;
    names[at] = ends[at];
    for (const Edge& edge : edges_[at]) {
      if (leads[edge.to]) names[at] += edge.width * names[edge.to];
    }
    if (names[at] > kMostNames) return ScalarDomain::kMany;
  }
  return names[0];
}

}  // namespace espalier
