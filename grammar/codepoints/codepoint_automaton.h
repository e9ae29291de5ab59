#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "espalier/status.h"

namespace espalier {

class LetterClasses;

/// One outgoing edge of a code-point automaton: code points [lo, hi] lead to `next`.
struct CodepointEdge {
  uint32_t lo;
  uint32_t hi;
  uint32_t next;
};

/// Budgets for building automata.
struct AutomatonLimits {
  uint32_t max_states = 100'000;
  uint32_t max_pattern_bytes = 1 << 20;
  uint32_t max_nesting = 250;
  size_t max_bytes = size_t{256} << 20;  ///< memory of one automaton
};

/// A deterministic automaton over code points (0..0x10FFFF, lone surrogates included), built
/// lazily: states are dense ids interned by content, computed on first use and stable afterwards.
/// State 0 is dead (accepts nothing, ever) and is reached exactly when no completion exists.
/// Thread-safe.
class CodepointAutomaton {
 public:
  virtual ~CodepointAutomaton() = default;
  virtual uint32_t start() const = 0;
  /// All edges of a state, sorted, disjoint; code points not covered lead to state 0. The span
  /// stays valid for the automaton's lifetime. If the state budget is exceeded, new successors are
  /// reported as 0 and status() says so. In an automaton that remembers(), an edge leads its first
  /// code point to `next` and the others to states of their own, live as well.
  virtual std::span<const CodepointEdge> edges(uint32_t state) const = 0;
  virtual bool accepting(uint32_t state) const = 0;
  /// True when every continuation (the empty one included) is accepted from here on.
  virtual bool universal(uint32_t state) const = 0;
  /// True only if no text kills it and every state leads to a universal one: nothing but matches
  /// somewhere in the text are asked for.
  virtual bool everlasting() const { return false; }
  /// A lower bound on the length of the texts that a live state accepts.
  virtual uint32_t least_length(uint32_t state) const { return accepting(state) ? 0 : 1; }
  /// A state that accepts at least what `state` does, of few such.
  virtual uint32_t coarse(uint32_t state) const { return state; }
  virtual bool coarsens() const { return false; }
  /// Refines classes until no state tells code points of one class apart; false if what states tell
  /// apart is not known beforehand.
  virtual bool refine(LetterClasses* /*classes*/) const { return false; }
  virtual Status status() const = 0;
  /// How many automata of the process have run out of a budget so far: while it stands still, so
  /// does every status().
  static uint64_t exhausted() { return exhausted_.load(std::memory_order_acquire); }
  /// Is it time that whoever compiles from now on, or begins a new grammar store, has another one?
  virtual bool worn() const { return !status().ok(); }
  /// Bytes of the states built so far, where they are kept.
  virtual size_t memory_bytes() const { return 0; }

  /// The state after a code point. By default a binary search in edges().
  virtual uint32_t step(uint32_t state, uint32_t codepoint) const;
  /// Do states remember code points, so that there are as many as texts?
  virtual bool remembers() const { return false; }
  /// For an automaton that remembers(): a state that survives whatever `state` survives, such that
  /// code points which lead it to states that settle to itself keep `state` alive too, in any
  /// number and order. 0 if none is known.
  virtual uint32_t settled(uint32_t state) const { return state; }
  /// A state that no text of at most `*horizon` code points tells from this one, and that survives
  /// whatever longer texts this one survives: that of counters far from their bounds. The horizon
  /// is lowered as needed, not below kHorizon; so it is where no state but this one is distant, but
  /// one that follows has a distant state.
  static constexpr uint32_t kHorizon = 40;
  virtual uint32_t distant(uint32_t state, uint32_t* /*horizon*/) const { return state; }
  /// The same where it does not matter how long the texts are that the state accepts, for the first
  /// state of a walk. Each state of the walk that is_narrow() must accept a text of at most kRest
  /// code points.
  static constexpr uint32_t kRest = 8;
  virtual bool is_narrow(uint32_t /*state*/) const { return false; }
  virtual uint32_t distant_alone(uint32_t state, uint32_t* horizon) const {
    return distant(state, horizon);
  }
  /// A code point of [lo, hi] that leads to a live state, if any; the first of a range of edges().
  virtual std::optional<uint32_t> survivor(uint32_t state, uint32_t lo, uint32_t hi) const;
  /// A text that leads from a live state to acceptance, not always a shortest one; nullopt when
  /// only a search would tell.
  virtual std::optional<std::u32string> completion(uint32_t /*state*/) const { return {}; }
  /// Not null: the automaton of a predicate, whose live states may have no completion. The
  /// automaton returned accepts whatever this one accepts, with relaxed_state for each of its
  /// states.
  virtual std::shared_ptr<const CodepointAutomaton> relaxed() const { return nullptr; }
  virtual uint32_t relaxed_state(uint32_t state) const { return state; }

  /// Convenience: whole match over UTF-8 text (WTF-8 surrogates allowed).
  bool matches(std::string_view utf8) const;

 protected:
  /// Called once, when status() turns bad.
  static void note_exhausted() { exhausted_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  static inline std::atomic<uint64_t> exhausted_{0};
};

/// The automaton of an ECMA-262 pattern (Unicode mode, flags "u"), with JSON Schema's *search*
/// semantics: a string is accepted iff the pattern matches somewhere in it. Interned process-wide
/// by source: the same pattern gives the same object. Errors: kParseError (place = offset in the
/// pattern), kUnsupported (what a pattern with back-references cannot have beside
/// them), kBudgetExceeded. A pattern with back-references is a predicate and not shared.
Result<std::shared_ptr<const CodepointAutomaton>> compile_pattern(
    std::string_view pattern, const AutomatonLimits& limits = {});

/// The same with *whole-string* semantics: the pattern must match all of the string.
Result<std::shared_ptr<const CodepointAutomaton>> compile_anchored(
    std::string_view pattern, const AutomatonLimits& limits = {});

/// Bytes of all automata of patterns in the process.
size_t pattern_memory_bytes();
/// The bytes up to which recent patterns are kept although nobody uses them.
void set_pattern_budget(size_t bytes);

}  // namespace espalier
