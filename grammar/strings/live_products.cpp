// From where can an acceptable string be reached?
//
// The idea. The names that an object may use under dozens of patterns are asked about beginning by
// beginning, and each answer takes a search through the product of the patterns. But a search that
// ends well has shown a whole path to be live, and one that ends for want of states has shown that
// all it met are dead. So it goes depth first, notes that, and stops at what is noted already: what
// is asked letter by letter along a name is searched once.
//
// Where all automata but one are dead, no search is needed: a live automaton has a completion.
//
// Example: under ^contacts:[0-3]:givenName$ and twenty other patterns that begin in other ways,
// `con` leaves one automaton alive, and a string that it alone accepts is acceptable.
//
// Invariant: the answer is that of StringMachine::search_unlisted, unless one of them gives up.
// Cost: StringMachine::successors of each product state at most once, but for those that a search
// left without an answer: they are few, as it left them beside its path.
#include "grammar/strings/live_products.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace espalier {
namespace {

constexpr size_t kMostProducts = 1000;  // of one search

bool searchable(const StringMachine& machine) {
  const StringSpec& spec = machine.spec();
  return spec.lengths.empty() && !machine.remembers() &&
         std::none_of(spec.automata.begin(), spec.automata.end(),
                      [](const auto& automaton) { return automaton->relaxed() != nullptr; });
}

}  // namespace

LiveProducts::Answer LiveProducts::find(const StringMachine& machine, uint32_t product,
                                        const Acceptable& acceptable) {
  if (!machine.off_trie(product) || !searchable(machine)) return Answer::kUnknown;
  const size_t automata = machine.spec().automata.size();
  const auto live = [&](uint32_t at) {
    if (known(at) == Answer::kLive || acceptable(machine.signature(at))) return true;
    size_t alive = 0, last = 0;
    for (size_t i = 0; i < automata; ++i) {
      if (machine.automaton_state(at, i) == 0) continue;
      ++alive;
      last = i;
    }
    if (alive != 1) return false;
    StringSignature alone;
    alone.accepted.resize(automata);
    alone.accepted[last] = true;
    return acceptable(alone);
  };
  struct Met {
    uint32_t product;
    size_t from;  // place in `met`
  };
  std::vector<Met> met{{product, 0}};
  const auto mark_path = [&](size_t at) {
    for (; at != 0; at = met[at].from) set(met[at].product, Answer::kLive);
    set(product, Answer::kLive);
    return Answer::kLive;
  };
  if (live(product)) return mark_path(0);
  std::unordered_set<uint32_t> seen{product};
  std::vector<size_t> stack{0};
  while (!stack.empty()) {
    const size_t at = stack.back();
    stack.pop_back();
    bool found = false;
    machine.successors(met[at].product, [&](uint32_t, uint32_t, uint32_t next) {
      if (found || known(next) == Answer::kDead || !seen.insert(next).second) return;
      stack.push_back(met.size());
      met.push_back({next, at});
      found = live(next);
    });
    if (found) return mark_path(met.size() - 1);
    if (met.size() > kMostProducts) return Answer::kUnknown;
  }
  for (const Met& each : met) set(each.product, Answer::kDead);
  return Answer::kDead;
}

}  // namespace espalier
