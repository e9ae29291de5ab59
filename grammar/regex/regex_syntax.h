#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grammar/tables/id_table.h"

namespace espalier {

/// Reads ECMA-262 regular expressions (flag "u") code point by code point and knows which
/// beginnings can be completed: the language of parse_regex with RegexSyntax::kUnicode, as a
/// machine of a StructuredAutomaton. See regex_syntax.cpp. A pattern that refers to a numbered
/// group more than kMaxAhead groups before it is opened is not read. Not thread-safe.
class RegexSyntaxMachine {
 public:
  static constexpr uint32_t kMaxNesting = 250;
  static constexpr uint32_t kMaxAhead = 100;

  /// What has been read of the current term.
  enum class Mode : uint8_t {
    kTerm,           ///< nothing that could be repeated
    kAtom,           ///< an atom
    kQuantified,     ///< an atom and a quantifier
    kGroup,          ///< `(`
    kGroupMark,      ///< `(?`
    kGroupAngle,     ///< `(?<`
    kModifiers,      ///< `(?i`; number = flags seen, bit 3: after the hyphen
    kName,           ///< `(?<ab` or `\k<ab`; text = ab
    kReference,      ///< `\k`
    kDecimal,        ///< `\12`; number
    kBrace,          ///< `{`
    kMinimum,        ///< `{3`; number
    kComma,          ///< `{3,`; other = 3
    kMaximum,        ///< `{3,5`; other = 3, number, up to other
    kEscape,         ///< a backslash
    kZero,           ///< `\0`
    kControl,        ///< `\c`
    kHex,            ///< `\x` and other = digits read; number
    kUnicode,        ///< `\u`
    kUnicodeHex,     ///< ... and 1 to 3 digits, other = how many
    kUnicodeBraces,  ///< `\u{` and, with other = 1, digits; number
    kLead,           ///< an escaped high surrogate, lead; the low half may follow
    kLeadEscape,     ///< ... and a backslash
    kLeadUnicode,    ///< ... and `\u`
    kPropertyMark,   ///< `\p`
    kProperty,       ///< `\p{L`; text = L
    kClassStart,     ///< `[`
    kClass,          ///< inside a class, between members
    kClassMember,    ///< after a member that may start a range: first
    kClassRange,     ///< `a-` with first = a
  };
  /// What an escape is part of.
  enum class Place : uint8_t { kPattern, kMember, kRangeEnd, kGroupName, kReferenceName };

  struct State {
    uint32_t context = 0;  ///< groups, names and references
    Mode mode = Mode::kTerm;
    Place place = Place::kPattern;
    uint32_t number = 0;
    uint32_t other = 0;
    uint32_t first = 0;
    uint32_t lead = 0;
    uint32_t text = 0;
    bool operator==(const State&) const = default;
    uint64_t hash() const {
      const uint64_t kind = static_cast<uint64_t>(mode) << 8 | static_cast<uint64_t>(place);
      const uint64_t numbers = hash_append(uint64_t{number} << 32 | other, uint64_t{first} << 32);
      return hash_append(hash_append(hash_append(context, kind), numbers),
                         uint64_t{lead} << 32 | text);
    }
  };

  RegexSyntaxMachine();

  State start() const { return State(); }
  std::optional<State> step(const State& state, uint32_t c);
  bool accepting(const State& state) const;
  State settled(const State& state);
  uint32_t toward_end(const State& state);
  void cuts(const State& state, std::vector<uint32_t>* out) const;

 private:
  /// One open group (the first is the pattern): may it be repeated once closed, and the names in
  /// its current alternative and in those before.
  struct Level {
    bool repeatable = true;
    std::set<uint32_t> names, earlier_names;
    bool operator==(const Level&) const = default;
  };
  struct Context {
    std::vector<Level> levels;
    std::set<uint32_t> missing;  ///< names referred to and not seen yet
    uint32_t opened = 0;         ///< capturing groups
    uint32_t highest = 0;        ///< the highest group referred to, 0 if all are opened
    bool operator==(const Context&) const = default;
    uint64_t hash() const;
  };
  using Next = std::optional<State>;
  static constexpr uint32_t kNoName = 0;        // text id of ""
  static constexpr uint32_t kSet = UINT32_MAX;  // State::first: a member that is a set

  const Context& context(const State& state) const { return contexts_[state.context]; }
  uint32_t intern(Context context);
  uint32_t intern(const std::u32string& text);
  static State at(const State& state, Mode mode);

  Next term(const State& state, uint32_t c);
  Next open(const State& state, bool repeatable, std::optional<uint32_t> name, bool capturing);
  Next close(const State& state);
  Next group(const State& state, uint32_t c);
  Next modifiers(State state, uint32_t c);
  Next name_character(State state, uint32_t c);
  Next end_name(const State& state);
  Next decimal(State state, uint32_t c);
  Next braces(State state, uint32_t c) const;
  Next escape(State state, uint32_t c);
  Next hex(State state, uint32_t c);
  Next unicode(State state, uint32_t c);
  Next after_lead(State state, uint32_t c);
  Next property(State state, uint32_t c);
  Next class_character(State state, uint32_t c);
  Next end_escape(const State& state, uint32_t value);
  Next end_escape_with_set(const State& state) const;
  bool possible(const State& state, uint32_t lo, uint32_t hi) const;
  bool hex_possible(const State& state) const;
  bool known_name(const Context& context, uint32_t name) const;
  bool name_taken(const Context& context, uint32_t name) const;
  uint32_t name_toward_end(const State& state);

  IdTable context_ids_;
  std::deque<Context> contexts_;
  std::map<std::u32string, uint32_t> text_ids_;
  std::vector<const std::u32string*> texts_;
};

}  // namespace espalier
