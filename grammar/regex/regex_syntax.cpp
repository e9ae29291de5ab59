// Which texts begin an ECMA-262 regular expression, for the format `regex`.
//
// The grammar is that of section 22.2.1 with the flag "u". Its language is not regular: groups
// nest, two groups that may both take part must not share a name, `\k<n>` needs a group named n
// and `\3` a third group, and `[b-a]` is out of order. So a state is structured: what has been read
// of the current term, and an interned *context*, the open groups with the names seen in them, the
// names still missing and the number of groups.
//
//     (?<a>x|\k<b>[z      ->   a class with the member z that may start a range; one open group,
//                              named a; the name b is missing
//
// Invariants: step gives only states that can be completed: an escape is checked digit by digit
// against what its place allows (the end of a range, a name's character), a repetition's bounds can
// always grow, missing names and groups can always be added later. toward_end makes progress in
// every state.
//
// Escapes and classes are read in regex_syntax_escapes.cpp.
//
// Cost: a step within a term is a few comparisons; one that opens or closes a group copies the
// context, whose size is the depth plus the names.
#include "grammar/regex/regex_syntax.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "grammar/codepoints/codepoint_set.h"
#include "grammar/codepoints/unicode_property.h"
#include "grammar/regex/regex_ast.h"
#include "grammar/regex/regex_reader.h"

namespace espalier {
namespace {

// State::number in settled states; see settled().
constexpr uint32_t kSettled = 1;      // kAtom, and kQuantified after it
constexpr uint32_t kLettersOnly = 1;  // kName
constexpr uint32_t kMaxCount = UINT32_MAX - 1;
constexpr char32_t kNoCharacter = 0xFFFF;  // no name contains it

uint32_t with_digit(uint32_t number, uint32_t c) {
  return static_cast<uint32_t>(std::min<uint64_t>(uint64_t{number} * 10 + (c - '0'), kMaxCount));
}

}  // namespace

RegexSyntaxMachine::RegexSyntaxMachine() {
  intern(Context{.levels = {Level()}, .missing = {}});
  intern(std::u32string());
}

uint64_t RegexSyntaxMachine::Context::hash() const {
  uint64_t hash = hash_append(uint64_t{opened} << 32 | highest, levels.size());
  const auto append = [&](const std::set<uint32_t>& ids) {
    hash = hash_append(hash, ids.size());
    for (const uint32_t id : ids) hash = hash_append(hash, id);
  };
  for (const Level& level : levels) {
    hash = hash_append(hash, level.repeatable ? 1 : 0);
    append(level.names);
    append(level.earlier_names);
  }
  append(missing);
  return hash;
}

uint32_t RegexSyntaxMachine::intern(Context context) {
  const uint64_t hash = context.hash();
  const uint32_t known =
      context_ids_.find(hash, [&](uint32_t id) { return contexts_[id] == context; });
  if (known != IdTable::kNone) return known;
  const auto id = static_cast<uint32_t>(contexts_.size());
  contexts_.push_back(std::move(context));
  context_ids_.insert(hash, id);
  return id;
}

uint32_t RegexSyntaxMachine::intern(const std::u32string& text) {
  const auto [it, added] = text_ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(&it->first);
  return it->second;
}

RegexSyntaxMachine::State RegexSyntaxMachine::at(const State& state, Mode mode) {
  State next;
  next.context = state.context;
  next.mode = mode;
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::step(const State& state, uint32_t c) {
  switch (state.mode) {
    case Mode::kTerm:
      return term(state, c);
    case Mode::kAtom:
      if (c == '*' || c == '+' || c == '?') {
        State next = at(state, Mode::kQuantified);
        next.number = state.number;
        return next;
      }
      if (c == '{') return at(state, Mode::kBrace);
      return term(state, c);
    case Mode::kQuantified:
      return c == '?' ? at(state, Mode::kTerm) : term(state, c);
    case Mode::kGroup:
    case Mode::kGroupMark:
    case Mode::kGroupAngle:
      return group(state, c);
    case Mode::kModifiers:
      return modifiers(state, c);
    case Mode::kName:
      if (c == '>') return end_name(state);
      if (c == '\\') {
        State next = state;
        next.mode = Mode::kEscape;
        return next;
      }
      return name_character(state, c);
    case Mode::kReference: {
      if (c != '<') return std::nullopt;
      State next = at(state, Mode::kName);
      next.place = Place::kReferenceName;
      return next;
    }
    case Mode::kDecimal:
      return decimal(state, c);
    case Mode::kBrace:
    case Mode::kMinimum:
    case Mode::kComma:
    case Mode::kMaximum:
      return braces(state, c);
    case Mode::kEscape:
      return escape(state, c);
    case Mode::kZero: {
      if (RegexReader::is_digit(c)) return std::nullopt;
      const Next next = end_escape(state, 0);
      return next ? step(*next, c) : std::nullopt;
    }
    case Mode::kControl:
      return RegexReader::is_letter(c) ? end_escape(state, c % 32) : std::nullopt;
    case Mode::kHex:
    case Mode::kUnicodeHex:
    case Mode::kUnicodeBraces:
      return hex(state, c);
    case Mode::kUnicode:
      return unicode(state, c);
    case Mode::kLead:
    case Mode::kLeadEscape:
    case Mode::kLeadUnicode:
      return after_lead(state, c);
    case Mode::kPropertyMark:
    case Mode::kProperty:
      return property(state, c);
    case Mode::kClassStart:
    case Mode::kClass:
    case Mode::kClassMember:
    case Mode::kClassRange:
      return class_character(state, c);
  }
  return std::nullopt;
}

// ---- Terms and groups --------------------------------------------------------------------------

RegexSyntaxMachine::Next RegexSyntaxMachine::term(const State& state, uint32_t c) {
  switch (c) {
    case '^':
    case '$':
      return at(state, Mode::kTerm);
    case '|': {
      Context changed = context(state);
      Level& level = changed.levels.back();
      level.earlier_names.merge(level.names);
      level.names.clear();
      State next = at(state, Mode::kTerm);
      next.context = intern(std::move(changed));
      return next;
    }
    case '(':
      if (context(state).levels.size() > kMaxNesting) return std::nullopt;
      return at(state, Mode::kGroup);
    case ')':
      return close(state);
    case '[':
      return at(state, Mode::kClassStart);
    case '\\':
      return at(state, Mode::kEscape);
    case '*':
    case '+':
    case '?':
    case '{':
    case '}':
    case ']':
      return std::nullopt;
    default:
      return at(state, Mode::kAtom);
  }
}

RegexSyntaxMachine::Next RegexSyntaxMachine::open(const State& state, bool repeatable,
                                                  std::optional<uint32_t> name, bool capturing) {
  Context changed = context(state);
  if (name) {
    changed.levels.back().names.insert(*name);
    changed.missing.erase(*name);
  }
  if (capturing && ++changed.opened >= changed.highest) changed.highest = 0;
  changed.levels.emplace_back().repeatable = repeatable;
  State next = at(state, Mode::kTerm);
  next.context = intern(std::move(changed));
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::close(const State& state) {
  if (context(state).levels.size() == 1) return std::nullopt;
  Context changed = context(state);
  Level closed = std::move(changed.levels.back());
  changed.levels.pop_back();
  changed.levels.back().names.merge(closed.names);
  changed.levels.back().names.merge(closed.earlier_names);
  State next = at(state, closed.repeatable ? Mode::kAtom : Mode::kTerm);
  next.context = intern(std::move(changed));
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::group(const State& state, uint32_t c) {
  if (state.mode == Mode::kGroup) {
    if (c == '?') return at(state, Mode::kGroupMark);
    const Next inside = open(state, true, std::nullopt, true);
    return step(*inside, c);
  }
  if (c == '=' || c == '!') return open(state, false, std::nullopt, false);
  if (state.mode == Mode::kGroupMark) {
    if (c == ':') return open(state, true, std::nullopt, false);
    if (c == '<') return at(state, Mode::kGroupAngle);
    return modifiers(at(state, Mode::kModifiers), c);
  }
  State name = at(state, Mode::kName);
  name.place = Place::kGroupName;
  return c == '>' ? std::nullopt : step(name, c);
}

RegexSyntaxMachine::Next RegexSyntaxMachine::modifiers(State state, uint32_t c) {
  constexpr uint32_t kAfterHyphen = 8;
  uint32_t bit = 0;
  switch (c) {
    case ':':
      if (state.number == kAfterHyphen) return std::nullopt;
      return open(state, true, std::nullopt, false);
    case 'i':
      bit = 1;
      break;
    case 'm':
      bit = 2;
      break;
    case 's':
      bit = 4;
      break;
    case '-':
      bit = kAfterHyphen;
      break;
    default:
      return std::nullopt;
  }
  if ((state.number & bit) != 0) return std::nullopt;
  state.number |= bit;
  return state;
}

// ---- Names and references ----------------------------------------------------------------------

bool RegexSyntaxMachine::name_taken(const Context& context, uint32_t name) const {
  return std::any_of(context.levels.begin(), context.levels.end(),
                     [name](const Level& level) { return level.names.contains(name); });
}

bool RegexSyntaxMachine::known_name(const Context& context, uint32_t name) const {
  return name_taken(context, name) ||
         std::any_of(context.levels.begin(), context.levels.end(),
                     [name](const Level& level) { return level.earlier_names.contains(name); });
}

RegexSyntaxMachine::Next RegexSyntaxMachine::name_character(State state, uint32_t c) {
  const bool empty = state.text == kNoName || state.number == kLettersOnly;
  if (!name_part_set().contains(c)) return std::nullopt;
  if (!name_start_set().contains(c)) {
    if (state.text == kNoName) return std::nullopt;
    state.number = 0;
  } else if (!empty || state.text == kNoName) {
    state.number = 0;
  }
  std::u32string text = *texts_[state.text];
  text.push_back(c);
  state.text = intern(text);
  state.mode = Mode::kName;
  return state;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::end_name(const State& state) {
  const Context& now = context(state);
  if (state.text == kNoName) return std::nullopt;
  if (state.place == Place::kGroupName) {
    if (name_taken(now, state.text)) return std::nullopt;
    return open(state, true, state.text, true);
  }
  State next = at(state, Mode::kAtom);
  if (!known_name(now, state.text)) {
    Context changed = now;
    changed.missing.insert(state.text);
    next.context = intern(std::move(changed));
  }
  return next;
}

RegexSyntaxMachine::Next RegexSyntaxMachine::decimal(State state, uint32_t c) {
  const uint32_t opened = context(state).opened;
  if (RegexReader::is_digit(c)) {
    state.number = with_digit(state.number, c);
    return state.number <= opened + kMaxAhead ? Next(state) : std::nullopt;
  }
  State after = at(state, Mode::kAtom);
  if (state.number > std::max(opened, context(state).highest)) {
    Context changed = context(state);
    changed.highest = state.number;
    after.context = intern(std::move(changed));
  }
  return step(after, c);
}

RegexSyntaxMachine::Next RegexSyntaxMachine::braces(State state, uint32_t c) const {
  const bool bounded = state.mode == Mode::kComma || state.mode == Mode::kMaximum;
  if (RegexReader::is_digit(c)) {
    state.number = with_digit(state.number, c);
    // A maximum that is large enough stays so.
    if (bounded) state.number = std::min(state.number, state.other);
    state.mode = bounded ? Mode::kMaximum : Mode::kMinimum;
    return state;
  }
  if (c == '}' && state.mode != Mode::kBrace) {
    const bool ordered = state.mode != Mode::kMaximum || state.other <= state.number;
    return ordered ? Next(at(state, Mode::kQuantified)) : std::nullopt;
  }
  if (c != ',' || state.mode != Mode::kMinimum) return std::nullopt;
  State next = at(state, Mode::kComma);
  next.other = state.number;
  return next;
}

// ---- The automaton's questions -----------------------------------------------------------------

bool RegexSyntaxMachine::accepting(const State& state) const {
  const Context& now = context(state);
  if (now.levels.size() != 1 || !now.missing.empty() || now.highest != 0) return false;
  switch (state.mode) {
    case Mode::kTerm:
    case Mode::kAtom:
    case Mode::kQuantified:
      return true;
    case Mode::kDecimal:
      return state.number <= now.opened;
    case Mode::kZero:
    case Mode::kLead:
      return state.place == Place::kPattern;
    default:
      return false;
  }
}

// Any number of plain characters: an atom before them only adds what may follow, as does a member
// of a class. What repeats that atom settles elsewhere, for it cannot be read twice. A name stands
// for all names by one that no group can have, and while it has letters only, a name yet to begin
// is told apart from one that may go on with a digit.
RegexSyntaxMachine::State RegexSyntaxMachine::settled(const State& state) {
  switch (state.mode) {
    case Mode::kGroup:
      return settled(*open(state, true, std::nullopt, true));
    case Mode::kQuantified:
      if (state.number == kSettled) return state;
      [[fallthrough]];
    case Mode::kTerm:
    case Mode::kAtom: {
      State atom = at(state, Mode::kAtom);
      atom.number = kSettled;
      return atom;
    }
    case Mode::kClassStart:
    case Mode::kClass:
    case Mode::kClassMember:
      return at(state, Mode::kClassMember);
    case Mode::kName: {
      State name = state;
      const bool letters = state.text == kNoName || state.number == kLettersOnly;
      name.number = letters ? kLettersOnly : 0;
      name.text = intern(std::u32string(1, kNoCharacter));
      return name;
    }
    default:
      return state;
  }
}

uint32_t RegexSyntaxMachine::name_toward_end(const State& state) {
  const Context& now = context(state);
  const std::u32string& text = *texts_[state.text];
  const bool wants_missing = state.place == Place::kGroupName && !now.missing.empty();
  if (wants_missing) {
    for (const uint32_t id : now.missing) {
      const std::u32string& name = *texts_[id];
      if (name == text) return '>';
      if (name.starts_with(text)) return name[text.size()];
    }
  }
  const bool usable =
      !text.empty() && !(state.place == Place::kGroupName && name_taken(now, state.text));
  return usable ? '>' : 'a';
}

uint32_t RegexSyntaxMachine::toward_end(const State& state) {
  const Context& now = context(state);
  const auto first_live = [&](std::string_view candidates) -> uint32_t {
    for (const char c : candidates) {
      if (step(state, static_cast<uint8_t>(c))) return static_cast<uint8_t>(c);
    }
    return ')';
  };
  switch (state.mode) {
    case Mode::kGroup:
      return now.missing.empty() ? ')' : '?';
    case Mode::kGroupMark:
      return now.missing.empty() ? ':' : '<';
    case Mode::kGroupAngle: {
      State name = at(state, Mode::kName);
      name.place = Place::kGroupName;
      return now.missing.empty() ? '=' : name_toward_end(name);
    }
    case Mode::kModifiers:
      return first_live(":i");
    case Mode::kName:
      return name_toward_end(state);
    case Mode::kReference:
      return '<';
    case Mode::kBrace:
      return '0';
    case Mode::kMinimum:
    case Mode::kComma:
    case Mode::kMaximum:
      return first_live("}9");
    case Mode::kEscape:
      return first_live("^}u");
    case Mode::kControl:
      return 'Z';
    case Mode::kHex:
    case Mode::kUnicode:
    case Mode::kUnicodeHex:
    case Mode::kUnicodeBraces:
    case Mode::kLeadUnicode:
      return first_live("}FEDCBA9876543210{");
    case Mode::kLeadEscape:
      return 'u';
    case Mode::kPropertyMark:
      return '{';
    case Mode::kProperty: {
      const std::u32string& text = *texts_[state.text];
      const std::string name(text.begin(), text.end());
      const auto& all = unicode_property_expressions();
      const std::string& whole = *std::lower_bound(all.begin(), all.end(), name);
      return whole.size() == name.size() ? '}' : static_cast<uint8_t>(whole[name.size()]);
    }
    case Mode::kClassStart:
    case Mode::kClass:
    case Mode::kClassMember:
    case Mode::kClassRange:
      return ']';
    case Mode::kLead:
    case Mode::kZero:
      if (state.place == Place::kPattern) break;
      if (state.mode == Mode::kLead && !possible(state, state.lead, state.lead)) return '\\';
      return state.place == Place::kGroupName || state.place == Place::kReferenceName ? '\\' : ']';
    default:
      break;
  }
  if (now.levels.size() > 1) return ')';
  return '(';  // a missing name or group
}

void RegexSyntaxMachine::cuts(const State& state, std::vector<uint32_t>* out) const {
  const auto single = [&](uint32_t c) {
    out->push_back(c);
    out->push_back(c + 1);
  };
  const auto each = [&](std::string_view characters) {
    out->push_back(0);
    for (const char c : characters) single(static_cast<uint8_t>(c));
  };
  switch (state.mode) {
    case Mode::kTerm:
    case Mode::kAtom:
    case Mode::kQuantified:
    case Mode::kGroup:
      each("$()*+?[\\]^{|}");
      return;
    case Mode::kDecimal:
      each("$()*+?[\\]^{|}0123456789");
      return;
    case Mode::kBrace:
    case Mode::kMinimum:
    case Mode::kComma:
    case Mode::kMaximum:
      each(",0123456789}");
      return;
    case Mode::kGroupMark:
    case Mode::kModifiers:
      each("!-:<=ims");
      return;
    case Mode::kHex:
    case Mode::kUnicode:
    case Mode::kUnicodeHex:
    case Mode::kUnicodeBraces:
      each("0123456789ABCDEFabcdef{}");
      return;
    case Mode::kClassRange:
      each("\\]");
      if (state.first != kSet) out->push_back(state.first);
      return;
    case Mode::kClassStart:
    case Mode::kClass:
    case Mode::kClassMember:
      each("-\\]^");
      out->push_back(kMaxCodepoint);  // the one after which the fewest ranges can be written
      return;
    default:
      break;
  }
  for (uint32_t c = 0; c <= 0x80; ++c) out->push_back(c);
  switch (state.mode) {
    case Mode::kZero:
    case Mode::kLead:
      out->push_back(kMaxCodepoint);
      break;
    case Mode::kGroupAngle:
    case Mode::kName: {
      for (const CodepointSet* set : {&name_start_set(), &name_part_set()}) {
        for (const CodepointRange& range : set->ranges()) {
          out->push_back(range.lo);
          out->push_back(range.hi + 1);
        }
      }
      const std::u32string& text = *texts_[state.text];
      const auto tell_apart = [&](uint32_t id) {
        const std::u32string& name = *texts_[id];
        if (name.size() > text.size() && name.starts_with(text)) single(name[text.size()]);
      };
      const Context& now = context(state);
      for (const uint32_t id : now.missing) tell_apart(id);
      for (const Level& level : now.levels) {
        for (const uint32_t id : level.names) tell_apart(id);
        for (const uint32_t id : level.earlier_names) tell_apart(id);
      }
      break;
    }
    default:
      break;
  }
  std::erase_if(*out, [](uint32_t c) { return c > kMaxCodepoint; });
}

}  // namespace espalier
