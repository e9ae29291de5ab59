// The process-wide store of pattern automata.
//
// Equal patterns share one automaton, so what one request has built is warm for the next. Automata
// are held weakly, and the most recently compiled ones strongly as well, within a budget, so that a
// server that compiles and drops schemas keeps its common patterns without growing for ever.
// Automata grow while they are used: with each that is added a few are measured, and the oldest
// one goes while they are too large. An automaton that ran out of budget is not handed out again.
#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "grammar/regex/back_reference.h"
#include "grammar/regex/regex_automaton.h"
#include "grammar/regex/regex_parser.h"

namespace espalier {
namespace {

using Automaton = std::shared_ptr<const CodepointAutomaton>;

class AutomatonStore {
 public:
  static AutomatonStore& instance() {
    static AutomatonStore* store = new AutomatonStore();
    return *store;
  }

  Automaton find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto entry = known_.find(key);
    if (entry == known_.end()) return nullptr;
    Automaton automaton = entry->second.lock();
    return automaton != nullptr && automaton->status().ok() ? automaton : nullptr;
  }

  /// Keeps `fresh`, unless another thread was faster; returns the one that is kept.
  Automaton keep(const std::string& key, Automaton fresh) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<const CodepointAutomaton>& entry = known_[key];
    if (Automaton other = entry.lock(); other != nullptr && other->status().ok()) return other;
    entry = fresh;
    recent_.push_back({fresh, 0});
    measure_some();
    if (known_.size() > next_sweep_) {
      std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
      next_sweep_ = 2 * known_.size() + kRecent;
    }
    return fresh;
  }
  void set_budget(size_t bytes) {
    const std::lock_guard lock(mutex_);
    budget_ = bytes;
    for (size_t i = 0; i <= recent_.size() / kMeasured; ++i) measure_some();
    while (held_ > budget_ && !recent_.empty()) drop_oldest();
  }
  size_t memory_bytes() {
    std::vector<Automaton> held;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [pattern, entry] : known_) {
        if (Automaton automaton = entry.lock()) held.push_back(std::move(automaton));
      }
    }
    size_t bytes = 0;
    for (const Automaton& automaton : held) bytes += automaton->memory_bytes();
    return bytes;
  }

 private:
  static constexpr size_t kRecent = 4096;
  static constexpr size_t kMeasured = 16;  // automata measured for each that is added
  struct Recent {
    Automaton automaton;
    size_t bytes;  // as last measured
  };

  void drop_oldest() {
    held_ -= recent_.front().bytes;
    recent_.pop_front();
  }
  void measure_some() {
    for (size_t i = 0; i < std::min(kMeasured, recent_.size()); ++i) {
      if (next_measured_ >= recent_.size()) next_measured_ = 0;
      Recent& at = recent_[next_measured_++];
      held_ -= at.bytes;
      held_ += at.bytes = at.automaton->memory_bytes();
    }
    if (!recent_.empty() && (held_ > budget_ || recent_.size() > kRecent)) drop_oldest();
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<const CodepointAutomaton>> known_;
  std::deque<Recent> recent_;
  size_t next_measured_ = 0;
  size_t held_ = 0;  // the bytes of recent_
  size_t budget_ = size_t{16} << 20;
  size_t next_sweep_ = 2 * kRecent;
};

Result<Automaton> compile(std::string_view pattern, MatchKind kind, const AutomatonLimits& limits) {
  if (pattern.size() > limits.max_pattern_bytes) {
    return Status(
        StatusCode::kBudgetExceeded,
        "A pattern is longer than " + std::to_string(limits.max_pattern_bytes) + " bytes.");
  }
  std::string key = kind == MatchKind::kSearch ? "search" : "whole";
  for (uint64_t limit :
       {uint64_t{limits.max_states}, uint64_t{limits.max_nesting}, uint64_t{limits.max_bytes}}) {
    key += ' ' + std::to_string(limit);
  }
  key += ' ';
  key += pattern;
  if (Automaton known = AutomatonStore::instance().find(key)) return known;
  Result<RegexAst> ast = parse_regex(pattern, RegexSyntax::kLenient, limits.max_nesting);
  if (!ast.ok()) return ast.status();
  Result<Automaton> built = build_regex_automaton(*ast, kind, limits);
  if (!built.ok()) return built;
  if (has_back_reference(*ast)) {
    if (kind == MatchKind::kWhole) {
      return Status(StatusCode::kUnsupported, "A whole match with back-references.", "0");
    }
    return back_reference_predicate(pattern, *ast, *std::move(built), limits);
  }
  return AutomatonStore::instance().keep(key, *std::move(built));
}

}  // namespace

Result<Automaton> compile_pattern(std::string_view pattern, const AutomatonLimits& limits) {
  return compile(pattern, MatchKind::kSearch, limits);
}

Result<Automaton> compile_anchored(std::string_view pattern, const AutomatonLimits& limits) {
  return compile(pattern, MatchKind::kWhole, limits);
}

void set_pattern_budget(size_t bytes) { AutomatonStore::instance().set_budget(bytes); }
size_t pattern_memory_bytes() { return AutomatonStore::instance().memory_bytes(); }

}  // namespace espalier
