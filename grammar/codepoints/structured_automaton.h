#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/codepoints/codepoint_set.h"
#include "grammar/codepoints/letter_classes.h"
#include "grammar/tables/id_table.h"
#include "grammar/tables/sort_unique.h"
#include "grammar/tables/state_table.h"

namespace espalier {

/// The automaton of a machine whose states are values with a hash(), interned as they are met. The
/// machine decides alone what is dead: its `step` gives only states that can be completed. It has
///
///   State start();
///   std::optional<State> step(const State&, uint32_t codepoint);
///   bool accepting(const State&);
///   std::optional<State> settled(const State&);      // see CodepointAutomaton; none: 0
///   uint32_t toward_end(const State&);               // a code point on the way to acceptance
///   std::optional<State> distant(const State&);      // may be missing
///   State coarse(const State&);                      // the same; see CodepointAutomaton
///   void refine(LetterClasses*);                     // the same
///   void cuts(const State&, std::vector<uint32_t>*); // where a range of successors starts
///
/// or, without toward_end, the machine of a predicate: then relaxed() and relaxed_state(State) as
/// in CodepointAutomaton, and status(), not ok once the machine has given up. One with few states,
/// however long the texts are, says so by `kRemembers = false`; its cuts are those of every
/// state, its successors of code points between two of them are equal, and it has
/// least_length(State) and coarse(State).
///
/// Successors of code points between two cuts must be alike: all dead, all equal, or all told apart
/// by nothing but what they remember, the first being completed by whatever completes another.
/// Machines may intern parts of their states: all calls are made under one mutex.
template <typename Machine>
class StructuredAutomaton final : public CodepointAutomaton {
 public:
  /// `name` is what the error of an exceeded budget speaks of.
  StructuredAutomaton(std::string name, uint32_t max_states,
                      Machine machine = Machine()) requires std::is_default_constructible_v<Machine>
      : StructuredAutomaton(std::move(machine), std::move(name), max_states) {}
  StructuredAutomaton(Machine machine, std::string name, uint32_t max_states)
      : name_(std::move(name)), max_states_(max_states), machine_(std::move(machine)) {
    const std::lock_guard lock(mutex_);
    states_.next().published = true;
    states_.publish_last();
    start_ = intern(machine_.start());
  }

  uint32_t start() const override { return start_; }

  std::span<const CodepointEdge> edges(uint32_t state) const override {
    if (state >= states_.size()) return {};
    Record& record = states_[state];
    if (!record.published.load(std::memory_order_acquire)) publish(state);
    return record.edges;
  }

  bool accepting(uint32_t state) const override {
    return state < states_.size() && states_[state].accepting;
  }
  bool universal(uint32_t) const override { return false; }
  bool remembers() const override { return kRemembers; }

  uint32_t least_length(uint32_t state) const override {
    if constexpr (kRemembers) {
      return CodepointAutomaton::least_length(state);
    } else {
      const std::lock_guard lock(mutex_);
      return machine_.least_length(states_[state].content);
    }
  }
  bool coarsens() const override { return kCoarsens; }
  uint32_t coarse(uint32_t state) const override {
    if constexpr (kCoarsens) {
      if (state == 0) return 0;
      const std::lock_guard lock(mutex_);
      return intern(machine_.coarse(states_[state].content));
    }
    return state;
  }
  bool refine(LetterClasses* classes) const override {
    if constexpr (requires(const Machine& machine) { machine.refine(classes); }) {
      machine_.refine(classes);
      return true;
    } else if constexpr (!kRemembers) {
      std::vector<uint32_t> cuts;
      const std::lock_guard lock(mutex_);
      machine_.cuts(machine_.start(), &cuts);
      classes->cut(std::move(cuts));
    }
    return !kRemembers;
  }

  uint32_t step(uint32_t state, uint32_t codepoint) const override {
    if (state == 0) return 0;
    if constexpr (!kRemembers) return CodepointAutomaton::step(state, codepoint);
    const std::lock_guard lock(mutex_);
    return intern(machine_.step(states_[state].content, codepoint));
  }

  uint32_t distant(uint32_t state, uint32_t* horizon) const override {
    if constexpr (requires(const Machine& machine, const State& at) { machine.distant(at); }) {
      *horizon = std::min(*horizon, kHorizon);
      if (state == 0) return 0;
      const std::lock_guard lock(mutex_);
      const std::optional<State> far = machine_.distant(states_[state].content);
      if (!far || *far == states_[state].content) return state;
      const uint32_t id = intern(far);
      return id == 0 ? state : id;
    }
    return state;
  }

  uint32_t settled(uint32_t state) const override {
    if (state == 0) return 0;
    const std::lock_guard lock(mutex_);
    return intern(machine_.settled(states_[state].content));
  }

  std::optional<uint32_t> survivor(uint32_t state, uint32_t lo, uint32_t hi) const override {
    if (state == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const State& content = states_[state].content;
    if (machine_.step(content, lo)) return lo;
    std::vector<uint32_t> cuts;
    machine_.cuts(content, &cuts);
    std::sort(cuts.begin(), cuts.end());
    for (auto c = std::upper_bound(cuts.begin(), cuts.end(), lo); c != cuts.end() && *c <= hi; ++c)
      if (machine_.step(content, *c)) return *c;
    return std::nullopt;
  }

  std::optional<std::u32string> completion(uint32_t state) const override {
    if constexpr (!kPredicate) {
      if (state == 0) return std::nullopt;
      const std::lock_guard lock(mutex_);
      std::u32string text;
      std::optional<State> at = states_[state].content;
      while (!machine_.accepting(*at)) {
        text.push_back(machine_.toward_end(*at));
        at = machine_.step(*at, text.back());
        if (!at || text.size() > kLongestCompletion) return std::nullopt;
      }
      return text;
    }
    return std::nullopt;
  }

  std::shared_ptr<const CodepointAutomaton> relaxed() const override {
    if constexpr (kPredicate) return machine_.relaxed();
    return nullptr;
  }
  uint32_t relaxed_state(uint32_t state) const override {
    if constexpr (kPredicate) {
      const std::lock_guard lock(mutex_);
      return state == 0 ? 0 : machine_.relaxed_state(states_[state].content);
    }
    return state;
  }

  Status status() const override {
    if (!exceeded_.load(std::memory_order_acquire)) return {};
    if constexpr (kPredicate) {
      const std::lock_guard lock(mutex_);
      if (!machine_.status().ok()) return machine_.status();
    }
    return Status(StatusCode::kBudgetExceeded, "The automaton of " + name_ + " needs more than " +
                                                   std::to_string(max_states_) + " states.");
  }

  bool worn() const override { return states_.size() > kWornStates || !status().ok(); }
  /// An estimate: what a state remembers beside itself is counted by a constant.
  size_t memory_bytes() const override {
    return sizeof *this + states_.size() * (sizeof(Record) + sizeof(State) + kNodeBytes);
  }

 private:
  using State = typename Machine::State;
  static constexpr bool kRemembers = [] {
    if constexpr (requires { Machine::kRemembers; }) return Machine::kRemembers;
    return true;
  }();
  static constexpr bool kCoarsens = requires(const Machine& machine, const State& at) {
    machine.coarse(at);
  };
  static constexpr bool kPredicate = requires(Machine & machine) { machine.relaxed(); };
  static constexpr size_t kLongestCompletion = 100'000;
  static constexpr uint32_t kWornStates = 1u << 16;
  static constexpr size_t kNodeBytes = 128;  // of a map's node, and of edges

  struct Record {
    State content;
    bool accepting = false;
    std::vector<CodepointEdge> edges;
    std::atomic<bool> published = false;  // `edges` are final
  };

  uint32_t intern(const std::optional<State>& content) const {
    if (!content) return 0;
    const uint64_t hash = content->hash();
    const uint32_t known =
        ids_.find(hash, [&](uint32_t id) { return states_[id].content == *content; });
    if (known != IdTable::kNone) return known;
    bool failed = states_.size() > max_states_;
    if constexpr (kPredicate) failed |= !machine_.status().ok();
    if (failed) {
      if (!exceeded_.exchange(true, std::memory_order_acq_rel)) note_exhausted();
      return 0;
    }
    Record& record = states_.next();
    record.content = *content;
    record.accepting = machine_.accepting(*content);
    const uint32_t id = states_.publish_last();
    ids_.insert(hash, id);
    return id;
  }

  void publish(uint32_t state) const {
    const std::lock_guard lock(mutex_);
    Record& record = states_[state];
    if (record.published.load(std::memory_order_relaxed)) return;
    if (kRemembers || cuts_.empty()) {
      cuts_.assign(1, 0);
      machine_.cuts(record.content, &cuts_);
      sort_unique(&cuts_);
    }
    const std::vector<uint32_t>& cuts = cuts_;
    std::vector<CodepointEdge> edges;
    std::optional<State> last;  // neighbours mostly lead to the same state
    uint32_t last_id = 0;
    for (size_t i = 0; i < cuts.size(); ++i) {
      std::optional<State> content = machine_.step(record.content, cuts[i]);
      if (!content) continue;
      if (content != last) {
        last_id = intern(content);
        last = std::move(content);
      }
      const uint32_t next = last_id;
      if (next == 0) continue;
      const uint32_t hi = i + 1 < cuts.size() ? cuts[i + 1] - 1 : kMaxCodepoint;
      if (!edges.empty() && edges.back().next == next && edges.back().hi + 1 == cuts[i]) {
        edges.back().hi = hi;
      } else {
        edges.push_back({cuts[i], hi, next});
      }
    }
    edges.shrink_to_fit();
    record.edges = std::move(edges);
    record.published.store(true, std::memory_order_release);
  }

  const std::string name_;
  const uint32_t max_states_;
  uint32_t start_ = 0;
  mutable StateTable<Record> states_;
  mutable std::atomic<bool> exceeded_ = false;
  mutable std::mutex mutex_;  // guards everything below, and records that are not published
  mutable Machine machine_;
  mutable IdTable ids_;
  mutable std::vector<uint32_t> cuts_;  // of the last state, or of all
};

/// The automaton of a machine that all grammars share; another one is begun when it is worn. It has
/// no budget of its own: what others do cannot exhaust it, and it goes with the last grammar store
/// that was begun before it was worn.
template <typename Machine>
std::shared_ptr<const CodepointAutomaton> shared_automaton(const char* name) {
  static std::mutex mutex;
  static std::shared_ptr<const CodepointAutomaton> shared;
  const std::lock_guard lock(mutex);
  if (shared == nullptr || shared->worn())
    shared = std::make_shared<StructuredAutomaton<Machine>>(name, UINT32_MAX);
  return shared;
}

}  // namespace espalier
