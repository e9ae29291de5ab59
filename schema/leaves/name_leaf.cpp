// Property names under patterns, as a leaf.
//
// The idea: where an object takes any name, the rows of a free string serve its names. Where
// patterns or propertyNames forbid some, the names that are left are a language of their own, the
// same in every object with the same patterns; as a leaf it gets rows, loops and bitmaps like any
// string.
//
// Example: {"patternProperties": {"^.+$": {}}, "additionalProperties": false} leaves every name but
// the empty one; one row serves all its states after the first character.
//
// Invariant: a state is live here iff the structure's own step calls it live.
// Cost: a search for product states that no search before has met (live_products.h).
#include "schema/leaves/name_leaf.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>

#include "grammar/strings/live_products.h"
#include "grammar/strings/string_loop.h"
#include "grammar/tables/flag_table.h"
#include "schema/leaves/content_table.h"
#include "schema/leaves/machine_leaf.h"

namespace espalier {
namespace {

constexpr uint8_t kLive = 1, kDead = 2;
constexpr size_t kMaxLeaves = 1024;  // beyond it, leaves that nobody uses are dropped

class NameLeaf final : public MachineContentLeaf<Leaf> {
 public:
  NameLeaf(std::shared_ptr<const StringMachine> machine, std::vector<StringSignature> acceptable,
           NameBeginnings beginnings)
      : MachineContentLeaf(std::move(machine)),
        acceptable_(std::move(acceptable)),
        everlasting_(beginnings == NameBeginnings::kAny || matches_alone()) {}

  bool alive(uint32_t product) const override { return product_live(product); }
  bool universal(uint32_t) const override { return false; }
  bool everlasting() const override { return everlasting_; }
  uint32_t quote(uint32_t product) const override {
    return accepts(machine_->signature(product)) ? machine_->end_state(product) : 0;
  }
  bool loop(uint32_t state, LeafLoop* out) const override {
    const auto live_product = [this](uint32_t product) { return product_live(product); };
    // Only with lengths may a dead product's automaton states be alive at another length.
    const bool lengths = !machine_->spec().lengths.empty();
    return string_loop(
        *machine_, state, live_product,
        [this, lengths](uint32_t product) { return !lengths && !product_live(product); }, out);
  }

 private:
  // Is a name with a match of every pattern acceptable, if it is long enough? Then any text can be
  // continued to one.
  bool matches_alone() const {
    const StringSpec& spec = machine_->spec();
    StringSignature signature;
    signature.length_rank = static_cast<uint32_t>(spec.lengths.size());
    signature.accepted.assign(spec.automata.size(), true);
    return std::all_of(spec.automata.begin(), spec.automata.end(),
                       [](const auto& automaton) { return automaton->everlasting(); }) &&
           accepts(signature);
  }
  bool accepts(const StringSignature& signature) const {
    return std::find(acceptable_.begin(), acceptable_.end(), signature) != acceptable_.end();
  }
  bool product_live(uint32_t product) const {
    using Answer = LiveProducts::Answer;
    if (everlasting_) return true;
    if (const Answer known = products_.known(product); known != Answer::kUnknown)
      return known == Answer::kLive;
    const std::lock_guard lock(mutex_);
    const LiveProducts::Acceptable possible = [this](const StringSignature& signature) {
      return accepts(signature);
    };
    Answer found = products_.find(*machine_, product, possible);
    if (found == Answer::kUnknown) {
      const bool any = machine_->search_listed(product, possible) ||
                       machine_->search(product, possible) != StringMachine::Search::kExhausted;
      found = any ? Answer::kLive : Answer::kDead;
      products_.set(product, found);
    }
    return found == Answer::kLive;
  }
  bool live(uint32_t state) const override {
    if (const uint8_t flag = states_.get(state)) return flag == kLive;
    const std::lock_guard lock(mutex_);
    const bool found =
        machine_->ended(state)
            ? accepts(machine_->signature(machine_->product(state)))
            : machine_->live(state, [this](uint32_t product) { return product_live(product); });
    states_.set(state, found ? kLive : kDead);
    return found;
  }

  std::vector<StringSignature> acceptable_;
  const bool everlasting_;
  mutable std::recursive_mutex mutex_;
  mutable FlagTable states_;
  mutable LiveProducts products_;
};

}  // namespace

std::shared_ptr<const Leaf> name_leaf(const std::shared_ptr<const StringMachine>& machine,
                                      std::vector<StringSignature> acceptable,
                                      NameBeginnings beginnings) {
  static const std::atomic<size_t> limit{kMaxLeaves};
  static std::atomic<size_t> count{0};
  static auto* const table = new ContentTable<Leaf>(
      [](const std::string&, const Leaf&) { return size_t{1}; }, &limit, &count);
  const StringMachine* address = machine.get();
  std::string key(reinterpret_cast<const char*>(&address), sizeof address);
  key += beginnings == NameBeginnings::kAny ? '*' : '.';
  for (const StringSignature& signature : acceptable) {
    key +=
        ';' + std::to_string(signature.string) + ',' + std::to_string(signature.length_rank) + ',';
    for (const bool bit : signature.accepted) key += bit ? '1' : '0';
  }
  if (auto known = table->find(key, [](const Leaf&) { return true; })) return known;
  return table->insert(std::move(key),
                       std::make_shared<NameLeaf>(machine, std::move(acceptable), beginnings));
}

}  // namespace espalier
