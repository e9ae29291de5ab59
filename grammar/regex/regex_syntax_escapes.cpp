// The escapes and character classes of patterns that are being written; see regex_syntax.cpp.
//
// The idea: what an escape may stand for depends on its place. In a pattern or as a member of a
// class every code point will do, the end of a range must not lie before its start, and a name
// takes few characters. So digits are checked against the place as they come, by the range of
// values that they can still become.
//
//     [z-\u00   ->   only digits that lead to 'z' or beyond
//     \uD83D    ->   a high surrogate, which `\uDE00` would complete and all else leaves alone
//
// Invariant: a state is given only if some value that its place allows is still possible.
// Cost: a few comparisons a character; a name's character costs a binary search.
// Reference: ECMA-262, section 22.2.1, RegExpUnicodeEscapeSequence and ClassRanges.
#include <algorithm>
#include <string>
#include <string_view>

#include "grammar/codepoints/codepoint_set.h"
#include "grammar/codepoints/unicode_property.h"
#include "grammar/regex/regex_ast.h"
#include "grammar/regex/regex_reader.h"
#include "grammar/regex/regex_syntax.h"

namespace espalier {
namespace {

bool is_lead(uint32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
bool is_trail(uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }
uint32_t combine(uint32_t lead, uint32_t trail) {
  return 0x10000 + ((lead - 0xD800) << 10) + (trail - 0xDC00);
}
std::optional<uint32_t> hex_digit(uint32_t c) {
  if (RegexReader::is_digit(c)) return c - '0';
  if (RegexReader::is_letter(c) && (c | 0x20) <= 'f') return (c | 0x20) - 'a' + 10;
  return std::nullopt;
}
bool is_syntax(uint32_t c) {
  constexpr std::string_view kSyntax = "^$\\.*+?()[]{}|/";
  return c < 0x80 && kSyntax.find(static_cast<char>(c)) != std::string_view::npos;
}
bool intersects(const CodepointSet& set, uint32_t lo, uint32_t hi) {
  const auto& ranges = set.ranges();
  const auto it = std::partition_point(ranges.begin(), ranges.end(),
                                       [lo](const CodepointRange& r) { return r.hi < lo; });
  return lo <= hi && it != ranges.end() && it->lo <= hi;
}

}  // namespace

// ---- Escapes -----------------------------------------------------------------------------------

// May an escape in this place stand for a code point in [lo, hi]?
bool RegexSyntaxMachine::possible(const State& state, uint32_t lo, uint32_t hi) const {
  switch (state.place) {
    case Place::kPattern:
    case Place::kMember:
      return lo <= hi;
    case Place::kRangeEnd:
      return lo <= hi && hi >= state.first;
    case Place::kGroupName:
    case Place::kReferenceName:
      return intersects(state.text == kNoName ? name_start_set() : name_part_set(), lo, hi);
  }
  return false;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::end_escape(const State& state, uint32_t value) {
  if (!possible(state, value, value)) return std::nullopt;
  switch (state.place) {
    case Place::kPattern:
      return at(state, Mode::kAtom);
    case Place::kRangeEnd:
      return at(state, Mode::kClass);
    case Place::kMember: {
      State next = at(state, Mode::kClassMember);
      next.first = value;
      return next;
    }
    case Place::kGroupName:
    case Place::kReferenceName: {
      State name = at(state, Mode::kName);
      name.place = state.place;
      name.text = state.text;
      return name_character(name, value);
    }
  }
  return std::nullopt;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::end_escape_with_set(const State& state) const {
  if (state.place == Place::kPattern) return at(state, Mode::kAtom);
  if (state.place != Place::kMember) return std::nullopt;
  State next = at(state, Mode::kClassMember);
  next.first = kSet;
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::escape(State state, uint32_t c) {
  const auto enter = [&](Mode mode) {
    state.mode = mode;
    state.number = 0;
    state.other = 0;
    return Next(state);
  };
  const bool in_pattern = state.place == Place::kPattern;
  if (c == 'u') return enter(Mode::kUnicode);
  if (state.place == Place::kGroupName || state.place == Place::kReferenceName) return {};
  const auto if_possible = [&](Mode mode, uint32_t lo, uint32_t hi) {
    return possible(state, lo, hi) ? enter(mode) : std::nullopt;
  };
  switch (c) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
    case 's':
    case 'S':
      return end_escape_with_set(state);
    case 'p':
    case 'P':
      return state.place == Place::kRangeEnd ? std::nullopt : enter(Mode::kPropertyMark);
    case 't':
      return end_escape(state, '\t');
    case 'n':
      return end_escape(state, '\n');
    case 'v':
      return end_escape(state, '\v');
    case 'f':
      return end_escape(state, '\f');
    case 'r':
      return end_escape(state, '\r');
    case 'b':
      return in_pattern ? Next(at(state, Mode::kTerm)) : end_escape(state, '\b');
    case 'B':
      return in_pattern ? Next(at(state, Mode::kTerm)) : std::nullopt;
    case 'k':
      return in_pattern ? Next(at(state, Mode::kReference)) : std::nullopt;
    case '-':
      return in_pattern ? std::nullopt : end_escape(state, '-');
    case 'c':
      return if_possible(Mode::kControl, 1, 26);
    case 'x':
      return if_possible(Mode::kHex, 0, 0xFF);
    case '0':
      return if_possible(Mode::kZero, 0, 0);
    default:
      break;
  }
  if (RegexReader::is_digit(c)) {
    if (!in_pattern) return std::nullopt;
    state.mode = Mode::kDecimal;
    state.number = c - '0';
    return state;
  }
  return is_syntax(c) ? end_escape(state, c) : std::nullopt;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::unicode(State state, uint32_t c) {
  if (c == '{') {
    state.mode = Mode::kUnicodeBraces;
    return state;
  }
  state.mode = Mode::kUnicodeHex;
  return hex(state, c);
}

// Can the digits read so far be continued to a value that the place allows?
bool RegexSyntaxMachine::hex_possible(const State& state) const {
  if (state.mode == Mode::kUnicodeBraces) {
    for (uint64_t lo = state.number, size = 1; lo <= kMaxCodepoint; lo <<= 4, size <<= 4) {
      const uint64_t hi = std::min<uint64_t>(lo + size - 1, kMaxCodepoint);
      if (possible(state, static_cast<uint32_t>(lo), static_cast<uint32_t>(hi))) return true;
      if (size > kMaxCodepoint) break;
    }
    return false;
  }
  const uint32_t digits = state.mode == Mode::kHex ? 2 : 4;
  const uint32_t open = 4 * (digits - state.other);
  const uint32_t lo = state.number << open, hi = lo + (1u << open) - 1;
  if (state.lead != 0) {
    const uint32_t first = std::max(lo, 0xDC00u), last = std::min(hi, 0xDFFFu);
    if (first <= last && possible(state, combine(state.lead, first), combine(state.lead, last))) {
      return true;
    }
    // Else the lead stands alone, and what follows it is a member or an atom without bounds.
    return possible(state, state.lead, state.lead) && (lo < 0xDC00 || hi > 0xDFFF) &&
           state.place != Place::kGroupName && state.place != Place::kReferenceName;
  }
  if (possible(state, lo, hi)) return true;
  const uint32_t first = std::max(lo, 0xD800u), last = std::min(hi, 0xDBFFu);
  return first <= last && possible(state, combine(first, 0xDC00), combine(last, 0xDFFF));
}

RegexSyntaxMachine::Next RegexSyntaxMachine::hex(State state, uint32_t c) {
  const bool braces = state.mode == Mode::kUnicodeBraces;
  if (braces && c == '}') {
    return state.other != 0 ? end_escape(state, state.number) : std::nullopt;
  }
  const auto digit = hex_digit(c);
  if (!digit) return std::nullopt;
  state.number = state.number << 4 | *digit;
  state.other = braces ? 1 : state.other + 1;
  if (state.number > kMaxCodepoint || !hex_possible(state)) return std::nullopt;
  if (braces || state.other < (state.mode == Mode::kHex ? 2u : 4u)) return state;
  const uint32_t value = state.number;
  if (state.lead != 0 && is_trail(value)) return end_escape(state, combine(state.lead, value));
  if (state.lead != 0) {
    const Next after = end_escape(state, state.lead);
    if (!after) return std::nullopt;
    const Place place = state.place == Place::kPattern ? Place::kPattern : Place::kMember;
    state = at(*after, Mode::kUnicodeHex);
    state.place = place;
  }
  if (!is_lead(value) || (state.mode == Mode::kHex)) return end_escape(state, value);
  State next = at(state, Mode::kLead);
  next.place = state.place;
  next.first = state.first;
  next.text = state.text;
  next.lead = value;
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::after_lead(State state, uint32_t c) {
  const auto alone = [&]() -> Next {
    const Next after = end_escape(state, state.lead);
    if (!after || state.mode == Mode::kLead) return after;
    State again = at(*after, state.mode == Mode::kLeadEscape ? Mode::kEscape : Mode::kUnicode);
    again.place = state.place == Place::kPattern ? Place::kPattern : Place::kMember;
    return again;
  };
  const bool in_name = state.place == Place::kGroupName || state.place == Place::kReferenceName;
  if (state.mode == Mode::kLead && c == '\\') {
    state.mode = Mode::kLeadEscape;
    return state;
  }
  if (state.mode == Mode::kLeadEscape && c == 'u') {
    state.mode = Mode::kLeadUnicode;
    return state;
  }
  if (state.mode == Mode::kLeadUnicode && c != '{') {
    state.mode = Mode::kUnicodeHex;
    state.number = 0;
    state.other = 0;
    return hex(state, c);
  }
  const Next after = in_name ? std::nullopt : alone();
  return after ? step(*after, c) : std::nullopt;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::property(State state, uint32_t c) {
  if (state.mode == Mode::kPropertyMark) {
    if (c != '{') return std::nullopt;
    state.mode = Mode::kProperty;
    return state;
  }
  const auto& all = unicode_property_expressions();
  const std::u32string& text = *texts_[state.text];
  std::string name(text.begin(), text.end());
  if (c == '}') {
    const bool known = std::binary_search(all.begin(), all.end(), name);
    return known ? end_escape_with_set(state) : std::nullopt;
  }
  if (c >= 0x80) return std::nullopt;
  name.push_back(static_cast<char>(c));
  const auto it = std::lower_bound(all.begin(), all.end(), name);
  if (it == all.end() || !it->starts_with(name)) return std::nullopt;
  state.text = intern(std::u32string(name.begin(), name.end()));
  return state;
}

// ---- Character classes -------------------------------------------------------------------------

RegexSyntaxMachine::Next RegexSyntaxMachine::class_character(State state, uint32_t c) {
  if (c == ']') return at(state, Mode::kAtom);
  if (state.mode == Mode::kClassStart && c == '^') return at(state, Mode::kClass);
  const bool in_range = state.mode == Mode::kClassRange;
  if (state.mode == Mode::kClassMember && c == '-') {
    state.mode = Mode::kClassRange;
    return state;
  }
  if (in_range && state.first == kSet) return std::nullopt;
  State member = at(state, Mode::kEscape);
  member.place = in_range ? Place::kRangeEnd : Place::kMember;
  if (in_range) member.first = state.first;
  return c == '\\' ? Next(member) : end_escape(member, c);
}

}  // namespace espalier
