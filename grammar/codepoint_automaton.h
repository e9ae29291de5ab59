#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "espalier/status.h"

namespace espalier {

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
  /// reported as 0 and status() says so.
  virtual std::span<const CodepointEdge> edges(uint32_t state) const = 0;
  virtual bool accepting(uint32_t state) const = 0;
  /// True when every continuation (the empty one included) is accepted from here on.
  virtual bool universal(uint32_t state) const = 0;
  virtual Status status() const = 0;

  /// Convenience over edges(): binary search.
  uint32_t step(uint32_t state, uint32_t codepoint) const;
  /// Convenience: whole match over UTF-8 text (WTF-8 surrogates allowed).
  bool matches(std::string_view utf8) const;
};

/// The automaton of an ECMA-262 pattern (Unicode mode, flags "u"), with JSON Schema's *search*
/// semantics: a string is accepted iff the pattern matches somewhere in it. Interned process-wide
/// by source: the same pattern gives the same object. Errors: kParseError (place = offset in the
/// pattern), kUnsupported (a back-reference), kBudgetExceeded.
Result<std::shared_ptr<const CodepointAutomaton>> compile_pattern(
    std::string_view pattern, const AutomatonLimits& limits = {});

/// The same with *whole-string* semantics: the pattern must match all of the string.
Result<std::shared_ptr<const CodepointAutomaton>> compile_anchored(
    std::string_view pattern, const AutomatonLimits& limits = {});

}  // namespace espalier
