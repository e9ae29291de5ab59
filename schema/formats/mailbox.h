#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/tables/id_table.h"

namespace espalier {

/// What matters of a mailbox that has been read so far; see mailbox.cpp.
struct Mailbox {
  enum class Part : uint8_t { kStart, kAtom, kDot, kQuoted, kPair, kQuotedEnd, kDomain, kLiteral };
  Part part = Part::kStart;
  uint8_t local = 0;         ///< code points of the local part
  uint8_t label = 0;         ///< code points of the current label of the domain
  bool last_hyphen = false;  ///< ... which end in a hyphen
  uint8_t domain = 0;        ///< code points of the domain
  uint32_t literal = 0;      ///< state of the automaton of address literals
  bool operator==(const Mailbox&) const = default;
  uint64_t hash() const {
    const uint64_t lengths = uint64_t{local} << 16 | uint64_t{label} << 8 | domain;
    const uint64_t kind = static_cast<uint64_t>(part) << 1 | (last_hyphen ? 1 : 0);
    return hash_append(lengths, kind << 32 | literal);
  }
};

/// Reads the formats email and idn-email as machines of a StructuredAutomaton. Not thread-safe.
template <bool kInternational>
class MailboxMachine {
 public:
  using State = Mailbox;
  static constexpr bool kRemembers = false;

  MailboxMachine();
  State start() const { return State(); }
  std::optional<State> step(const State& state, uint32_t c) const;
  bool accepting(const State& state) const;
  std::optional<State> distant(const State& state) const;
  std::optional<State> settled(const State& state) const { return state; }
  uint32_t least_length(const State& state) const;
  State coarse(State state) const;
  uint32_t toward_end(const State& state) const;
  void cuts(const State& state, std::vector<uint32_t>* out) const;

 private:
  std::shared_ptr<const CodepointAutomaton> literals_;
};

extern template class MailboxMachine<false>;
extern template class MailboxMachine<true>;

}  // namespace espalier
