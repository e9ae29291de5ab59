#pragma once

// The leaf of strings; see scalar_leaf.cpp, the one file that uses it.

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "grammar/strings/string_loop.h"
#include "schema/leaves/machine_leaf.h"
#include "schema/leaves/scalar_leaf.h"
#include "schema/leaves/string_liveness.h"
#include "schema/leaves/string_signatures.h"
#include "schema/leaves/verdict.h"

namespace espalier {

// The leaf of a string machine. Where an automaton is a predicate's, `relaxed` is the leaf that
// stands for this one; see Leaf::relaxed.
class StringLeaf final : public MachineContentLeaf<ScalarLeaf> {
 public:
  StringLeaf(std::shared_ptr<const StringMachine> machine, Verdict verdict,
             std::vector<std::vector<bool>> membership,
             std::shared_ptr<const StringLeaf> relaxed = nullptr)
      : MachineContentLeaf(std::move(machine)),
        verdict_(std::move(verdict)),
        membership_(std::move(membership)),
        relaxed_(std::move(relaxed)),
        liveness_(*machine_, verdict_, member(), longest()) {
    start_ = live(machine_->start()) ? machine_->start() : 0;
    everlasting_ = start_ != 0 && (matches_alone() || all_acceptable());
    const auto& lengths = machine_->spec().lengths;
    lengths_near_ = lengths.empty() || (capped() ? least_length() : lengths.back()) <= kRoom;
    capped_ = start_ != 0 && relaxed_ == nullptr && !remembers() && capped();
    only_listed_ = !machine_->spec().strings.empty() && only_listed();
  }
  uint32_t start() const override { return start_; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint32_t next = machine_->step(state, byte);
    if (next == 0) return 0;
    if (const uint8_t flag = flags_.get(next)) return flag == kLive ? next : 0;
    return live(next) ? next : 0;
  }
  Outcome outcome(uint32_t state) const override {
    return verdict_.outcome(value(machine_->signature(machine_->product(state))));
  }
  std::optional<std::vector<Outcome>> outcomes() const override {
    std::call_once(searched_, [this] { outcomes_ = search_outcomes(); });
    return outcomes_;
  }
  // Where signatures allow few outcomes these are asked for one by one, which needs no walk through
  // all strings.
  std::optional<std::vector<Outcome>> search_outcomes() const {
    if (const auto allowed = outcomes_of_signatures()) {
      std::vector<Outcome> possible;
      for (const Outcome& outcome : *allowed) {
        const Verdict verdict = verdict_.with_outcome(outcome);
        StringLiveness liveness(*machine_, verdict, member(), longest());
        const auto answer = liveness.ask(machine_->product(machine_->start()));
        if (answer == StringLiveness::Answer::kOverBudget) return std::nullopt;
        if (answer == StringLiveness::Answer::kLive) possible.push_back(outcome);
      }
      return possible;
    }
    std::set<Outcome> found;
    const auto all = machine_->search(machine_->product(machine_->start()),
                                      [&](const StringSignature& signature) {
                                        if (verdict_.acceptable(value(signature)))
                                          found.insert(verdict_.outcome(value(signature)));
                                        return false;
                                      });
    if (all == StringMachine::Search::kOverBudget) return std::nullopt;
    return std::vector<Outcome>(found.begin(), found.end());
  }
  size_t completed(uint32_t state, uint8_t byte, uint32_t codepoints[2]) const override {
    return machine_->completed(state, byte, codepoints);
  }
  bool endless() const override {
    // Any string may be made longer until no length matters any more.
    StringSignature longest;
    longest.length_rank = static_cast<uint32_t>(machine_->spec().lengths.size());
    return machine_->spec().automata.empty() && verdict_.acceptable(value(longest));
  }
  ScalarDomain domain() const override {
    return string_domain(
        *machine_,
        [this](uint32_t product) {
          return verdict_.acceptable(value(machine_->signature(product)));
        },
        [this](uint32_t product) -> std::optional<bool> {
          const std::lock_guard lock(mutex_);
          const bool live = live_product(product);
          return live && overrun_ ? std::nullopt : std::optional(live);
        });
  }
  Status status() const override { return machine_->status(); }
  const StringMachine* string_machine() const override { return machine_.get(); }
  size_t own_bytes() const override { return sizeof *this + liveness_.memory_bytes(); }
  size_t memory_bytes() const override { return own_bytes() + machine_->memory_bytes(); }
  Relaxed relaxed(uint32_t state) const override {
    if (relaxed_ == nullptr) return {};
    const StringMachine& plain = *relaxed_->machine_;
    const bool observes = plain.spec().automata.size() == machine_->spec().automata.size();
    return {relaxed_.get(), observes ? plain.relaxed_state(*machine_, state)
                                     : plain.same_position(*machine_, state)};
  }

  bool alive(uint32_t product) const override {
    if (const uint8_t flag = product_flags_.get(product)) return flag == kLive;
    const std::lock_guard lock(mutex_);
    return live_product(product);
  }
  bool listed(uint32_t product, const VisitListed& visit) const override {
    if (!only_listed_ || machine_->off_trie(product)) return false;
    for (const auto& [codepoint, next] : machine_->trie_steps(product)) {
      if (alive(next)) visit(codepoint, next);
    }
    return true;
  }
  // What survives beside others may depend on what it remembers.
  uint32_t settled(uint32_t product) const override {
    if (!remembers() || machine_->spec().automata.size() > 1 ||
        machine_->lengths_left(product) > 0 || !machine_->off_trie(product)) {
      return kNoProduct;
    }
    const uint32_t settled = machine_->settled(product);
    return machine_->automaton_state(settled, 0) != 0 && alive(settled) ? settled : kNoProduct;
  }
  bool universal(uint32_t product) const override {
    return !verdict_.restricted() && certain(product) == FormulaPool::Ternary::kTrue;
  }
  bool everlasting() const override { return everlasting_; }
  uint32_t distant(uint32_t* product) const override {
    if (distances_matter_.load(std::memory_order_acquire)) return 0;
    if (relaxed_ != nullptr || !machine_->off_trie(*product)) return 0;
    uint32_t horizon = UINT32_MAX;
    if (capped_) {
      horizon = distant_length(product);
      if (horizon == 0) return 0;
    }
    *product = distant_automata(*product, Walk::kStart, &horizon);
    return horizon == UINT32_MAX ? 0 : horizon;
  }
  // Where nothing but a maximum length lies ahead, fewer characters left means fewer ways to end:
  // what is live with all of them and with kRoom of them is so in between.
  std::optional<uint32_t> after_distant(uint32_t next) const override {
    uint32_t horizon = UINT32_MAX;
    if (!ends_soon(next)) {
      distances_matter_.store(true, std::memory_order_release);
      return std::nullopt;
    }
    if (!capped_ || !below_last_bound(next))
      return alive(next) ? distant_automata(next, Walk::kWithin, &horizon) : kNoProduct;
    const uint32_t early = machine_->at_length(next, least_length());
    const uint32_t late = machine_->at_length(next, machine_->spec().lengths.back() - kRoom);
    const std::lock_guard lock(mutex_);
    const bool lives = live_product(early);
    if (lives != live_product(late) || overrun_) {
      distances_matter_.store(true, std::memory_order_release);
      return std::nullopt;
    }
    return lives ? distant_automata(early, Walk::kWithin, &horizon) : kNoProduct;
  }
  uint32_t row_state(uint32_t state) const override {
    if (!machine_->between(state)) return state;
    uint32_t product = machine_->product(state);
    if (capped_ && room(product) < kRowHorizon) return state;
    if (distant(&product) >= kRowHorizon) return machine_->between_state(product);
    product = machine_->product(state);
    if (!capped_ || distances_matter_.load(std::memory_order_acquire) ||
        !machine_->off_trie(product) || distant_length(&product) < kRowHorizon) {
      return state;
    }
    return machine_->between_state(product);
  }
  uint32_t quote(uint32_t product) const override {
    return verdict_.acceptable(value(machine_->signature(product))) ? machine_->end_state(product)
                                                                    : 0;
  }
  bool loop(uint32_t state, LeafLoop* out) const override {
    const std::lock_guard lock(mutex_);
    return string_loop(
        *machine_, state, [this](uint32_t product) { return live_product(product); },
        [this](uint32_t product) {
          return certain(product, Lengths::kUnknown) == FormulaPool::Ternary::kFalse;
        },
        out);
  }

  std::string shortest_exit(uint32_t state) const override {
    std::string text;
    if (!machine_->between(state)) {
      state = finish_codepoint(state, &text);
      if (state == 0 || machine_->ended(state)) return text;
    }
    if (const auto rest = known_rest(machine_->product(state))) {
      for (const char32_t c : *rest) append_json_codepoint(&text, c);
      return text + "\"";
    }
    return text + shortest_from(machine_->product(state)) + "\"";
  }

 private:
  using Ternary = FormulaPool::Ternary;
  static constexpr uint8_t kLive = 1, kDead = 2;
  static constexpr size_t kShortestBudget = 20'000;  // products one shortest_exit may visit
  static constexpr size_t kPredicateBudget = 1'000;  // the same where a predicate is asked
  static constexpr size_t kDistanceBudget = 200;     // states one search for acceptance may visit
  static constexpr uint32_t kDistanceFailures = 32;  // searches in vain after which there are none
  static constexpr size_t kFewOutcomes = 4;          // that are asked for one by one
  static constexpr size_t kRests = 10'000;           // products whose shortest rest is remembered
  static constexpr uint64_t kRoom = 16;  // characters before the maximum length in which to end
  static constexpr uint64_t kManyLengths = 256;  // lengths to the last bound that are not walked

  std::function<bool(const Atom&)> value(const StringSignature& signature) const {
    return [this, &signature](const Atom& atom) {
      switch (atom.kind) {
        case Atom::Kind::kPattern:
          return static_cast<bool>(signature.accepted[atom.index]);
        case Atom::Kind::kOneOfStrings:
          return signature.string != StringSignature::kOther &&
                 static_cast<bool>(membership_[atom.index][signature.string]);
        default: {
          const auto& lengths = machine_->spec().lengths;
          return signature.length_rank >
                 static_cast<size_t>(std::lower_bound(lengths.begin(), lengths.end(), atom.bound) -
                                     lengths.begin());
        }
      }
    };
  }
  // What is certain about every string that extends the product state (kUnknown: at any length).
  enum class Lengths : uint8_t { kKnown, kUnknown };
  FormulaPool::Ternary certain(uint32_t product, Lengths lengths = Lengths::kKnown) const {
    const StringSignature& signature = machine_->signature(product);
    const StringSpec& spec = machine_->spec();
    return verdict_.certain([&](const Atom& atom) {
      switch (atom.kind) {
        case Atom::Kind::kPattern: {
          const uint32_t state = machine_->automaton_state(product, atom.index);
          if (state == 0) return Ternary::kFalse;
          return spec.automata[atom.index]->universal(state) ? Ternary::kTrue : Ternary::kUnknown;
        }
        case Atom::Kind::kOneOfStrings:
          return machine_->off_trie(product) ? Ternary::kFalse : Ternary::kUnknown;
        default:
          return lengths == Lengths::kKnown && value(signature)(atom) ? Ternary::kTrue
                                                                      : Ternary::kUnknown;
      }
    });
  }

  // Is a string with a match of every pattern acceptable, if it is long enough and not listed? Then
  // any string can be continued to one.
  bool matches_alone() const {
    const StringSpec& spec = machine_->spec();
    StringSignature signature;
    signature.length_rank = static_cast<uint32_t>(spec.lengths.size());
    signature.accepted.assign(spec.automata.size(), true);
    return std::all_of(spec.automata.begin(), spec.automata.end(),
                       [](const auto& automaton) { return automaton->everlasting(); }) &&
           verdict_.acceptable(value(signature));
  }

  // Is a string acceptable whatever is observed of it?
  bool all_acceptable() const {
    if (machine_->spec().automata.empty()) return false;
    bool all = true;
    const bool few = visit_signatures(machine_->spec(), [&](const StringSignature& signature) {
      return all = verdict_.acceptable(value(signature));
    });
    return few && all;
  }

  // The product with its automata's distant states, at the start of a walk or within one. What
  // several automata or a minimum length ask for beside one may need long texts.
  enum class Walk : uint8_t { kStart, kWithin };
  uint32_t distant_automata(uint32_t product, Walk walk, uint32_t* horizon) const {
    const auto& automata = machine_->spec().automata;
    for (size_t i = 0; i < automata.size() && lengths_near_; ++i) {
      const uint32_t state = machine_->automaton_state(product, i);
      const uint32_t far = walk == Walk::kStart && automata.size() == 1
                               ? automata[i]->distant_alone(state, horizon)
                               : automata[i]->distant(state, horizon);
      if (far != state) product = machine_->with_automaton(product, i, far);
    }
    return product;
  }
  // The same for its length, where it is capped(): how far it is from the greatest one. Below the
  // least length of which as much is known, it stays.
  uint32_t distant_length(uint32_t* product) const {
    const uint32_t horizon = room(*product);
    if (horizon != 0 && below_last_bound(*product))
      *product = machine_->at_length(*product, least_length());
    return horizon;
  }
  uint32_t room(uint32_t product) const {
    const uint64_t last = machine_->spec().lengths.back(), length = machine_->length(product);
    if (kRoom + std::max(length, least_length()) >= last) return 0;
    return static_cast<uint32_t>(std::min<uint64_t>(last - kRoom - length, UINT32_MAX - 1));
  }
  // Does what may follow not depend on how far bounds are? See CodepointAutomaton::distant_alone.
  bool ends_soon(uint32_t product) const {
    if (machine_->spec().automata.size() != 1) return true;
    const uint32_t state = machine_->automaton_state(product, 0);
    if (state == 0 || !machine_->spec().automata[0]->is_narrow(state)) return true;
    const std::lock_guard lock(mutex_);
    const auto more = until_accepting(state);
    return more && *more <= CodepointAutomaton::kRest;
  }
  // Does nothing but the greatest length lie ahead?
  bool below_last_bound(uint32_t product) const {
    return machine_->signature(product).length_rank + 1 == machine_->spec().lengths.size();
  }
  // The least length of which as much is known as of any below the greatest.
  uint64_t least_length() const {
    const auto& lengths = machine_->spec().lengths;
    return lengths.size() > 1 ? lengths[lengths.size() - 2] : 0;
  }

  StringLiveness::Member member() const {
    return [this](const Atom& atom, uint32_t string) -> bool {
      return membership_[atom.index][string];
    };
  }
  uint64_t longest() const { return capped() ? machine_->spec().lengths.back() - 1 : UINT64_MAX; }

  // The outcomes of all acceptable signatures; nullopt where they are too many.
  std::optional<std::set<Outcome>> outcomes_of_signatures() const {
    if (relaxed_ != nullptr || machine_->spec().automata.empty()) return std::nullopt;
    std::set<Outcome> found;
    const bool few = visit_signatures(machine_->spec(), [&](const StringSignature& signature) {
      if (verdict_.acceptable(value(signature))) found.insert(verdict_.outcome(value(signature)));
      return found.size() <= kFewOutcomes;
    });
    return few && found.size() <= kFewOutcomes ? std::optional(std::move(found)) : std::nullopt;
  }

  // Is every string of the greatest length, or longer, unacceptable?
  bool capped() const {
    return !machine_->spec().lengths.empty() && verdict_.certain([](const Atom& atom) {
      const bool length = atom.kind == Atom::Kind::kLength;
      return length ? Ternary::kTrue : Ternary::kUnknown;
    }) == Ternary::kFalse;
  }

  // Is every string that is not listed unacceptable?
  bool only_listed() const {
    return verdict_.certain([](const Atom& atom) {
      return atom.kind == Atom::Kind::kOneOfStrings ? Ternary::kFalse : Ternary::kUnknown;
    }) == Ternary::kFalse;
  }

  // With nothing but one automaton and lengths to observe, is what it accepts acceptable, however
  // long it is? A live state of it leads there.
  bool accepted_alone(uint32_t product) const {
    const StringSpec& spec = machine_->spec();
    if (spec.automata.size() != 1 || !(spec.strings.empty() || machine_->off_trie(product)) ||
        machine_->automaton_state(product, 0) == 0) {
      return false;
    }
    StringSignature signature = machine_->signature(product);
    // What is not accepted yet is so after one more code point at the earliest.
    if (!signature.accepted[0]) signature.length_rank = machine_->longer_rank(product);
    signature.string = StringSignature::kOther;
    signature.accepted[0] = true;
    for (; signature.length_rank <= spec.lengths.size(); ++signature.length_rank) {
      if (!verdict_.acceptable(value(signature))) return false;
    }
    return true;
  }

  // How many code points the only automaton lacks until it accepts, where few states show it.
  std::optional<uint32_t> until_accepting(uint32_t from) const {
    const CodepointAutomaton& automaton = *machine_->spec().automata[0];
    if (from == 0) return std::nullopt;
    if (automaton.accepting(from)) return 0;
    const auto [it, inserted] = until_accepting_.try_emplace(from);
    if (!inserted || distances_failed_ >= kDistanceFailures) return it->second;
    struct Reached {
      uint32_t state, distance;
      size_t parent;
    };
    std::vector<Reached> queue{{from, 0, 0}};
    std::unordered_set<uint32_t> seen{from};
    for (size_t i = 0; i < queue.size() && queue.size() < kDistanceBudget; ++i) {
      for (const CodepointEdge& edge : automaton.edges(queue[i].state)) {
        if (automaton.accepting(edge.next)) {
          const uint32_t total = queue[i].distance + 1;
          for (size_t j = i;; j = queue[j].parent) {
            until_accepting_[queue[j].state] = total - queue[j].distance;
            if (j == 0) return total;
          }
        }
        if (seen.insert(edge.next).second) queue.push_back({edge.next, queue[i].distance + 1, i});
      }
    }
    ++distances_failed_;
    return std::nullopt;
  }

  // The same, where lengths matter: is what its automaton accepts soonest acceptable?
  bool accepted_soon(uint32_t product) const {
    const StringSpec& spec = machine_->spec();
    if (spec.automata.size() != 1 || !machine_->off_trie(product)) return false;
    const auto more = until_accepting(machine_->automaton_state(product, 0));
    if (!more) return false;
    StringSignature signature = machine_->signature(machine_->lengthened(product, *more));
    signature.accepted[0] = true;
    return verdict_.acceptable(value(signature));
  }

  // A string that leads from the product to acceptance by one of its automata and is acceptable,
  // where an automaton knows one without a search.
  std::optional<std::u32string> known_rest(uint32_t product) const {
    const auto& automata = machine_->spec().automata;
    for (size_t i = 0; i < automata.size(); ++i) {
      const auto rest = automata[i]->completion(machine_->automaton_state(product, i));
      if (!rest) continue;
      uint32_t end = product;
      for (const char32_t c : *rest) end = machine_->step_codepoint(end, c);
      if (verdict_.acceptable(value(machine_->signature(end)))) return rest;
    }
    return std::nullopt;
  }

  // Can an acceptable string be reached? Without automata the machine's own search answers at once.
  bool live_product(uint32_t product) const {
    if (const uint8_t flag = product_flags_.get(product)) return flag == kLive;
    const bool live = relaxed_ != nullptr ? certain(product) != Ternary::kFalse
                      : machine_->spec().automata.empty()
                          ? listed_live(product)
                          : accepted_alone(product) || accepted_soon(product) ||
                                known_rest(product) || searched_live(product);
    product_flags_.set(product, live ? kLive : kDead);
    return live;
  }

  bool listed_live(uint32_t product) const {
    const bool observes_list_alone = machine_->spec().lengths.empty();
    const auto acceptable = [&](const StringSignature& signature) {
      if (!observes_list_alone) return verdict_.acceptable(value(signature));
      const uint32_t index = signature.string + 1;  // 0: not listed
      if (const uint8_t flag = string_flags_.get(index)) return flag == kLive;
      const bool accepted = verdict_.acceptable(value(signature));
      string_flags_.set(index, accepted ? kLive : kDead);
      return accepted;
    };
    return machine_->search(product, acceptable) != StringMachine::Search::kExhausted;
  }

  // Over budget the answer is an optimistic yes, which may cost a dead end but never a wrong
  // string.
  bool searched_live(uint32_t product) const {
    if (machine_->lengths_left(product) > kManyLengths) {
      const auto search = machine_->search(product, [&](const StringSignature& signature) {
        return verdict_.acceptable(value(signature));
      });
      if (search != StringMachine::Search::kOverBudget)
        return search == StringMachine::Search::kFound;
    }
    const StringLiveness::Answer answer = liveness_.ask(product);
    overrun_ = overrun_ || answer == StringLiveness::Answer::kOverBudget;
    return answer != StringLiveness::Answer::kDead;
  }

  bool live(uint32_t state) const override {
    if (const uint8_t flag = flags_.get(state)) return flag == kLive;
    const std::lock_guard lock(mutex_);
    const bool found =
        machine_->ended(state)
            ? verdict_.acceptable(value(machine_->signature(machine_->product(state))))
            : machine_->live(state, [this](uint32_t product) { return live_product(product); });
    flags_.set(state, found ? kLive : kDead);
    return found;
  }

  // Breadth first over the bytes that complete a partly spelled code point (a lone surrogate may be
  // completed by the closing quote).
  uint32_t finish_codepoint(uint32_t from, std::string* text) const {
    std::deque<std::pair<uint32_t, std::string>> queue{{from, ""}};
    std::set<uint32_t> seen{from};
    while (!queue.empty() && seen.size() < 10'000) {
      auto [state, path] = std::move(queue.front());
      queue.pop_front();
      for (int b = 0; b < 256; ++b) {
        const uint32_t next = step(state, static_cast<uint8_t>(b));
        if (next == 0 || !seen.insert(next).second) continue;
        if (machine_->between(next) || machine_->ended(next)) {
          *text = path + static_cast<char>(b);
          return next;
        }
        queue.emplace_back(next, path + static_cast<char>(b));
      }
    }
    return 0;
  }

  // Breadth first over products, one readable code point for each distinct successor, up to an
  // acceptable product or one whose rest is known. The rest is remembered along the way.
  std::string shortest_from(uint32_t from) const {
    struct Step {
      uint32_t product;
      size_t parent;
      uint32_t codepoint;
    };
    const std::lock_guard lock(mutex_);
    if (restless_.contains(from)) return {};
    std::vector<Step> steps{{from, 0, 0}};
    std::set<uint32_t> seen{from};
    const size_t budget = relaxed_ != nullptr ? kPredicateBudget : kShortestBudget;
    for (size_t i = 0; i < steps.size() && i < budget; ++i) {
      const uint32_t product = steps[i].product;
      const auto known = rests_.find(product);
      if (known != rests_.end() || verdict_.acceptable(value(machine_->signature(product)))) {
        std::string rest = known != rests_.end() ? known->second : "";
        if (rests_.size() > kRests) rests_.clear();
        for (size_t j = i;; j = steps[j].parent) {
          rests_[steps[j].product] = rest;
          if (j == 0) return rest;
          std::string longer;
          append_json_codepoint(&longer, steps[j].codepoint);
          rest = longer + rest;
        }
      }
      machine_->successors(product, [&](uint32_t lo, uint32_t hi, uint32_t) {
        uint32_t c = readable_codepoint(lo, hi);
        if (machine_->spec().spelling == StringSpelling::kMinimal && is_surrogate(c)) return;
        const uint32_t next = machine_->step_codepoint(product, c);
        if (seen.insert(next).second && certain(next) != FormulaPool::Ternary::kFalse)
          steps.push_back({next, i, c});
      });
    }
    restless_.insert(from);
    return {};
  }

  Verdict verdict_;
  mutable std::once_flag searched_;
  mutable std::optional<std::vector<Outcome>> outcomes_;
  std::vector<std::vector<bool>> membership_;  // [set][string]
  std::shared_ptr<const StringLeaf> relaxed_;
  uint32_t start_ = 0;
  bool everlasting_ = false;
  bool capped_ = false;
  bool only_listed_ = false;
  bool lengths_near_ = false;  // are all lengths that matter small, but a greatest one?
  mutable std::recursive_mutex mutex_;
  mutable StringLiveness liveness_;
  mutable bool overrun_ = false;  // did a liveness question exceed its budget?
  mutable std::atomic<bool> distances_matter_ = false;
  mutable std::unordered_map<uint32_t, std::optional<uint32_t>> until_accepting_;
  mutable uint32_t distances_failed_ = 0;
  mutable FlagTable flags_, product_flags_;
  mutable FlagTable string_flags_;  // acceptable? 0: what is not listed, then each listed string
  mutable std::unordered_map<uint32_t, std::string> rests_;  // product -> a short acceptable rest
  mutable std::unordered_set<uint32_t> restless_;            // products of which none was found
};

}  // namespace espalier
