// Loops of string machines.
//
// Off the trie of listed strings, a product is (one state per automaton, length). A code point that
// leaves every automaton where it is only moves the length, so any number of such code points leads
// to (same states, length + n). Death is absorbing, so there is one n up to which these products
// are live: the room that is left below a maximum length, or no bound at all.
//
// Example: {"pattern": "^[^/]*$", "maxLength": 40} after 35 characters: every byte but "/" loops,
// for at most 5 code points; the slash kills, and besides it only the quote and the backslash are
// left.
//
// An automaton that remembers what it has read never is where it was; it says which state stands
// for all that survive the same (CodepointAutomaton::settled).
//
// Above U+007F all code points loop, with a few exceptions (those that \s matches, say), or it is
// not said which do.
//
// Cost: one look at each ASCII character and each range of the automata's edges; with lengths,
// kHorizon products, which neighbouring states share, and a binary search among them.

#include "grammar/strings/string_loop.h"

#include <algorithm>

namespace espalier {
namespace {

bool plain(uint32_t codepoint) {
  return codepoint >= 0x20 && codepoint != '"' && codepoint != '\\' &&
         (codepoint < 0xD800 || codepoint > 0xDFFF);
}

}  // namespace

bool string_loop(const StringMachine& machine, uint32_t state,
                 const std::function<bool(uint32_t product)>& live_product,
                 const std::function<bool(uint32_t product)>& hopeless, LeafLoop* out) {
  if (!machine.between(state)) return false;
  if (!machine.off_trie(machine.product(state))) return false;
  const auto& automata = machine.spec().automata;
  // An automaton that remembers what it has read loops by itself only: what survives beside others
  // may depend on what it remembers.
  const bool remembers = machine.remembers();
  if (remembers && (automata.size() > 1 || machine.lengths_left(machine.product(state)) > 0))
    return false;
  const uint32_t product =
      remembers ? machine.settled(machine.product(state)) : machine.product(state);
  if (remembers && machine.automaton_state(product, 0) == 0) return false;
  const auto loops = [&](uint32_t next) {
    for (size_t i = 0; i < automata.size(); ++i) {
      uint32_t reached = machine.automaton_state(next, i);
      if (remembers) reached = automata[i]->settled(reached);
      if (reached != machine.automaton_state(product, i)) return false;
    }
    return true;
  };

  *out = LeafLoop();
  out->others.insert('"');
  out->others.insert('\\');
  bool high_possible = false;
  uint64_t high_strays = 0;
  uint32_t looping = 0;
  machine.successors(product, [&](uint32_t lo, uint32_t hi, uint32_t next) {
    // All of a range leads to one product state, or to such as settle alike.
    const bool loop = loops(next);
    const bool possible = !loop && !hopeless(next);
    if (hi >= 0x80 && !(lo >= 0xD800 && hi <= 0xDFFF)) {
      high_possible |= loop || possible;
      if (loop && looping == 0) looping = std::max(lo, 0x80u);
      for (uint32_t c = std::max(lo, 0x80u); !loop && c <= hi; ++c) {
        if (high_strays < LeafLoop::kMaxExceptions) out->exceptions[high_strays] = c;
        if (++high_strays > LeafLoop::kMaxExceptions) break;
      }
    }
    for (uint32_t c = lo; c <= std::min(hi, 0x7Fu); ++c) {
      if (!plain(c)) continue;
      if (loop) {
        out->bytes.insert(static_cast<uint8_t>(c));
        looping = c;
      } else if (possible) {
        out->others.insert(static_cast<uint8_t>(c));
      }
    }
  });
  const bool high_loops = high_strays <= LeafLoop::kMaxExceptions;
  out->num_exceptions = high_loops ? high_strays : 0;
  if (high_loops || high_possible) {
    ByteSet& set = high_loops ? out->bytes : out->others;
    for (uint32_t b = 0x80; b < 0x100; ++b) set.insert(static_cast<uint8_t>(b));
  }
  if (looping == 0) return false;
  if (machine.spec().lengths.empty()) return true;
  // The longest run of looping code points that is alive.
  uint64_t alive = 0, dead = LeafLoop::kHorizon + 1;
  while (alive + 1 < dead) {
    const uint64_t middle = alive + (dead - alive) / 2;
    (live_product(machine.lengthened(product, middle)) ? alive : dead) = middle;
  }
  if (dead <= LeafLoop::kHorizon) out->max_codepoints = alive;
  return true;
}

}  // namespace espalier
