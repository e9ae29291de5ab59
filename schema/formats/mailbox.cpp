// The formats `email` and `idn-email`: RFC 5321, section 4.1.2 (Mailbox) with the limits of
// 4.5.3.1, and RFC 6531, section 3.3.
//
// A state is the part of the mailbox that is being read and the lengths that are bounded: 64 code
// points of the local part, 63 of a label, 255 of the domain. As a regular expression these bounds
// are intersections of counters; here each is a number.
//
//     "ab.c"   ->   {kAtom, local 4}          "ab.c@x-"   ->   {kDomain, label 2, domain 2, hyphen}
//
// idn-email bounds the local part by code points where the RFC says octets, and takes any
// non-ASCII character in a domain label, except for line separators. An address literal in brackets
// is read by an automaton of its own.
//
// Invariant: a state is live; what is begun still fits. Cost: a step is a few comparisons.
#include "schema/formats/mailbox.h"

#include <algorithm>
#include <string_view>

#include "schema/formats/format_patterns.h"

namespace espalier {
namespace {

constexpr uint8_t kMaxLocal = 64, kMaxLabel = 63, kMaxDomain = 255;

bool letter_or_digit(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool surrogate(uint32_t c) { return c >= 0xD800 && c <= 0xDFFF; }
bool international(uint32_t c) { return c >= 0x80 && !surrogate(c); }

bool atom_character(uint32_t c) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  return letter_or_digit(c) ||
         (c < 0x80 && kOthers.find(static_cast<char>(c)) != std::string_view::npos);
}

/// The state with one more code point of the local part, if what is open can still be closed.
std::optional<Mailbox> in_local(const Mailbox& from, Mailbox::Part part) {
  using Part = Mailbox::Part;
  const int open = part == Part::kPair ? 2 : part == Part::kDot || part == Part::kQuoted ? 1 : 0;
  if (from.local + 1 + open > kMaxLocal) return std::nullopt;
  return Mailbox{.part = part, .local = static_cast<uint8_t>(from.local + 1)};
}

}  // namespace

template <bool kInternational>
MailboxMachine<kInternational>::MailboxMachine() {
  auto literals =
      compile_anchored("(?:" + ipv4_pattern() + "|[Ii][Pp][Vv]6:(?:" + ipv6_pattern(2) + "))\\]");
  if (literals.ok()) literals_ = *std::move(literals);
}

template <bool kInternational>
bool MailboxMachine<kInternational>::accepting(const State& state) const {
  switch (state.part) {
    case Mailbox::Part::kDomain:
      return state.label > 0 && !state.last_hyphen;
    case Mailbox::Part::kLiteral:
      return literals_->accepting(state.literal);
    default:
      return false;
  }
}

template <bool kInternational>
std::optional<Mailbox> MailboxMachine<kInternational>::step(const State& from, uint32_t c) const {
  using Part = Mailbox::Part;
  const bool other = kInternational && international(c);
  switch (from.part) {
    case Part::kStart:
      if (c == '"') return in_local(from, Part::kQuoted);
      [[fallthrough]];
    case Part::kAtom:
    case Part::kDot:
      if (other || atom_character(c)) return in_local(from, Part::kAtom);
      if (from.part != Part::kAtom) return std::nullopt;
      if (c == '.') return in_local(from, Part::kDot);
      return c == '@' ? std::optional(Mailbox{.part = Part::kDomain}) : std::nullopt;
    case Part::kQuoted:
      if (c == '"') return in_local(from, Part::kQuotedEnd);
      if (c == '\\') return in_local(from, Part::kPair);
      if (other || (c >= ' ' && c <= '~')) return in_local(from, Part::kQuoted);
      return std::nullopt;
    case Part::kPair:
      return c >= ' ' && c <= '~' ? in_local(from, Part::kQuoted) : std::nullopt;
    case Part::kQuotedEnd:
      return c == '@' ? std::optional(Mailbox{.part = Part::kDomain}) : std::nullopt;
    case Part::kLiteral: {
      const uint32_t next = literals_->step(from.literal, c);
      if (next == 0) return std::nullopt;
      return Mailbox{.part = Part::kLiteral, .literal = next};
    }
    case Part::kDomain:
      break;
  }
  if (c == '[' && from.domain == 0 && literals_ != nullptr) {
    return Mailbox{.part = Part::kLiteral, .literal = literals_->start()};
  }
  Mailbox next = from;
  ++next.domain;
  if (c == '.') {
    if (from.label == 0 || from.last_hyphen) return std::nullopt;
    next.label = 0;
  } else {
    const bool part_of_label = letter_or_digit(c) || (other && c != 0x2028 && c != 0x2029);
    if (!part_of_label && (c != '-' || from.label == 0)) return std::nullopt;
    ++next.label;
    next.last_hyphen = c == '-';
  }
  const int open = next.label == 0 || next.last_hyphen ? 1 : 0;
  if (from.domain + 1 + open > kMaxDomain || next.label + open > kMaxLabel) return std::nullopt;
  return next;
}

template <bool kInternational>
uint32_t MailboxMachine<kInternational>::least_length(const State& state) const {
  using Part = Mailbox::Part;
  switch (state.part) {
    case Part::kDomain:
      return accepting(state) ? 0 : 1;
    case Part::kLiteral:
      return literals_->least_length(state.literal);
    case Part::kAtom:
    case Part::kQuotedEnd:
      return 2;
    case Part::kPair:
      return 4;
    default:
      return 3;
  }
}

// Less that was read leaves more room.
template <bool kInternational>
Mailbox MailboxMachine<kInternational>::coarse(State state) const {
  state.local = std::min<uint8_t>(state.local, 1);
  state.label = std::min<uint8_t>(state.label, 1);
  state.domain = std::min<uint8_t>(state.domain, 1);
  return state;
}

// With room for kHorizon code points and the two that may be open, what was counted does not
// matter.
template <bool kInternational>
std::optional<Mailbox> MailboxMachine<kInternational>::distant(const State& state) const {
  constexpr uint32_t kRoom = CodepointAutomaton::kHorizon + 2;
  if (state.local + kRoom > kMaxLocal || state.label + kRoom > kMaxLabel ||
      state.domain + kRoom > kMaxDomain) {
    return std::nullopt;
  }
  return coarse(state);
}

template <bool kInternational>
uint32_t MailboxMachine<kInternational>::toward_end(const State& state) const {
  switch (state.part) {
    case Mailbox::Part::kAtom:
    case Mailbox::Part::kQuotedEnd:
      return '@';
    case Mailbox::Part::kQuoted:
      return '"';
    case Mailbox::Part::kLiteral:
      for (const char c : std::string_view("].1:")) {
        if (literals_->step(state.literal, static_cast<uint8_t>(c)) != 0)
          return static_cast<uint8_t>(c);
      }
      return '0';
    default:
      return 'a';
  }
}

template <bool kInternational>
void MailboxMachine<kInternational>::cuts(const State&, std::vector<uint32_t>* out) const {
  for (uint32_t c = ' '; c <= 0x80; ++c) out->push_back(c);
  if (kInternational) {
    for (const uint32_t c : {0x2028u, 0x202Au, 0xD800u, 0xE000u}) out->push_back(c);
  }
}

template class MailboxMachine<false>;
template class MailboxMachine<true>;

}  // namespace espalier
