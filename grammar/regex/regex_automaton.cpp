// A deterministic automaton over code points whose states are terms, built as it is asked for.
//
// A state is a term (regex_terms.cpp) and, if the term looks behind, the residues of those
// lookbehinds. Its edges are the derivatives of the term (regex_derivative.cpp). Nothing is built
// ahead: `^.{0,10000}$` has as many states as characters were read.
//
// State 0 is reached exactly when no completion exists: every successor is checked for life
// (regex_liveness.cpp) before it becomes a state.
//
// Threads. A state's edges are published by one atomic pointer and never change; reading them takes
// no lock. The first reader computes them under the automaton's mutex.
//
// Reference: Owens, Reppy and Turon (2009), on derivative classes and lazy construction.
#include "grammar/regex/regex_automaton.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/codepoints/letter_classes.h"
#include "grammar/regex/regex_builder.h"
#include "grammar/regex/regex_liveness.h"
#include "grammar/regex/regex_position.h"
#include "grammar/regex/regex_terms.h"
#include "grammar/tables/state_table.h"

namespace espalier {
namespace {

enum class Exceeded : uint8_t { kNothing, kStates, kMemory };

struct StateRecord {
  Position position;
  bool accepting = false;
  bool regular = false;
  uint32_t least_length = 0;
  std::vector<CodepointEdge> edges;
  std::atomic<bool> published = false;  // `edges` are final
  uint32_t distant = 0, distant_horizon = 0;
  std::atomic<bool> distant_known = false;  // these two are final
};

class RegexAutomaton final : public CodepointAutomaton {
 public:
  explicit RegexAutomaton(const AutomatonLimits& limits)
      : limits_(limits),
        store_(limits.max_bytes),
        stepper_(&store_),
        liveness_(&store_, &stepper_, limits.max_states) {}

  void build(const RegexAst& ast, MatchKind kind) {
    const std::lock_guard lock(mutex_);
    states_.next().published = true;
    states_.publish_last();
    RegexBuilder builder(ast, &store_);
    const TermId term = kind == MatchKind::kSearch ? builder.search() : builder.whole();
    start_ = intern(stepper_.initial(term));
    if (out_of_budget()) start_ = 0;
    counts_ = std::ranges::any_of(ast.nodes, [](const RegexNode& node) {
      return node.kind == RegexNode::Kind::kRepeat && node.max > 1 && node.max != kUnbounded;
    });
    everlasting_ = start_ != 0 && kind == MatchKind::kSearch &&
                   std::ranges::all_of(ast.nodes, [](const RegexNode& node) {
                     return node.kind == RegexNode::Kind::kEmpty ||
                            node.kind == RegexNode::Kind::kSet ||
                            node.kind == RegexNode::Kind::kConcat ||
                            node.kind == RegexNode::Kind::kAlternation ||
                            node.kind == RegexNode::Kind::kRepeat;
                   });
  }

  uint32_t start() const override { return start_; }

  std::span<const CodepointEdge> edges(uint32_t state) const override {
    if (state >= states_.size()) return {};
    StateRecord& record = states_[state];
    if (!record.published.load(std::memory_order_acquire)) publish(state);
    return record.edges;
  }

  bool accepting(uint32_t state) const override {
    return state < states_.size() && states_[state].accepting;
  }

  bool universal(uint32_t state) const override {
    return state < states_.size() && states_[state].position.term == kAnything;
  }

  bool everlasting() const override { return everlasting_; }

  uint32_t least_length(uint32_t state) const override {
    return state < states_.size() ? states_[state].least_length : 0;
  }

  bool is_narrow(uint32_t state) const override {
    return counts_ && state < states_.size() && !states_[state].regular;
  }

  uint32_t distant_alone(uint32_t state, uint32_t* horizon) const override {
    if (!counts_ || state == 0 || state >= states_.size()) return state;
    StateRecord& record = states_[state];
    if (!record.distant_known.load(std::memory_order_acquire)) {
      const std::lock_guard lock(mutex_);
      const auto [term, reach] = store_.distant(record.position.term, kHorizon);
      const bool far = term != record.position.term;
      const uint32_t id =
          far ? intern(stepper_.with_term(term, record.position.context)) : uint32_t{0};
      record.distant = id == 0 ? state : id;
      record.distant_horizon = id == 0 ? UINT32_MAX : reach;
      if (id != 0 && !store_.regular(term)) {
        record.distant_horizon -= kRest;
        if (record.distant_horizon < kHorizon) {
          record.distant = state;
          record.distant_horizon = UINT32_MAX;
        }
      }
      record.distant_known.store(true, std::memory_order_release);
    }
    *horizon = std::min(*horizon, record.distant_horizon);
    return record.distant;
  }

  bool refine(LetterClasses* classes) const override {
    const std::lock_guard lock(mutex_);
    for (const CodepointSet& set : store_.sets()) classes->refine(set);
    return true;
  }

  Status status() const override {
    switch (exceeded_.load(std::memory_order_acquire)) {
      case Exceeded::kNothing:
        return {};
      case Exceeded::kStates:
        return Status(StatusCode::kBudgetExceeded, "The automaton of a pattern needs more than " +
                                                       std::to_string(limits_.max_states) +
                                                       " states.");
      case Exceeded::kMemory:
        break;
    }
    return Status(StatusCode::kBudgetExceeded, "The automaton of a pattern needs more than " +
                                                   std::to_string(limits_.max_bytes) +
                                                   " bytes of memory.");
  }

  size_t memory_bytes() const override {
    const std::lock_guard lock(mutex_);
    return sizeof *this + held_bytes();
  }

 private:
  size_t held_bytes() const {
    return store_.memory_bytes() + stepper_.memory_bytes() + liveness_.memory_bytes() + bytes_;
  }

  uint32_t intern(Position position) const {
    if (position.term == kNoTerm || out_of_budget()) return 0;
    const auto [entry, added] = ids_.try_emplace(position.key(), 0);
    if (!added) return entry->second;
    if (states_.size() > limits_.max_states) {
      ids_.erase(entry);
      exceed(Exceeded::kStates);
      return 0;
    }
    if (!liveness_.is_live(position)) return 0;
    StateRecord& record = states_.next();
    record.position = position;
    record.accepting = stepper_.accepting(position);
    record.least_length = store_.min_length(position.term);
    record.regular = store_.regular(position.term);
    bytes_ += sizeof(StateRecord) + 48;
    entry->second = states_.publish_last();
    return entry->second;
  }

  void publish(uint32_t state) const {
    const std::lock_guard lock(mutex_);
    StateRecord& record = states_[state];
    if (record.published.load(std::memory_order_relaxed)) return;
    std::vector<CodepointEdge> edges;
    for (const PositionEdge& edge : stepper_.successors(record.position)) {
      const uint32_t next = intern(edge.to);
      if (next == 0) continue;
      if (!edges.empty() && edges.back().next == next && edges.back().hi + 1 == edge.lo) {
        edges.back().hi = edge.hi;
      } else {
        edges.push_back({edge.lo, edge.hi, next});
      }
    }
    edges.shrink_to_fit();
    bytes_ += edges.size() * sizeof(CodepointEdge);
    record.edges = std::move(edges);
    record.published.store(true, std::memory_order_release);
  }

  void exceed(Exceeded what) const {
    Exceeded expected = Exceeded::kNothing;
    if (exceeded_.compare_exchange_strong(expected, what, std::memory_order_acq_rel))
      note_exhausted();
  }

  bool out_of_budget() const {
    if (exceeded_.load(std::memory_order_relaxed) != Exceeded::kNothing) return true;
    if (liveness_.exhausted()) {
      exceed(Exceeded::kStates);
    } else if (store_.overflowed() || held_bytes() > limits_.max_bytes) {
      exceed(Exceeded::kMemory);
    }
    return exceeded_.load(std::memory_order_relaxed) != Exceeded::kNothing;
  }

  const AutomatonLimits limits_;
  uint32_t start_ = 0;
  bool everlasting_ = false;
  bool counts_ = false;  // does a loop have a bound?
  mutable StateTable<StateRecord> states_;
  mutable std::atomic<Exceeded> exceeded_ = Exceeded::kNothing;

  mutable std::mutex mutex_;  // guards everything below, and records that are not published
  mutable TermStore store_;
  mutable PositionStepper stepper_;
  mutable Liveness liveness_;
  mutable std::unordered_map<uint64_t, uint32_t> ids_;
  mutable size_t bytes_ = 0;
};

}  // namespace

Result<std::shared_ptr<const CodepointAutomaton>> build_regex_automaton(
    const RegexAst& ast, MatchKind kind, const AutomatonLimits& limits) {
  auto automaton = std::make_shared<RegexAutomaton>(limits);
  automaton->build(ast, kind);
  if (Status status = automaton->status(); !status.ok()) return status;
  return std::shared_ptr<const CodepointAutomaton>(std::move(automaton));
}

}  // namespace espalier
