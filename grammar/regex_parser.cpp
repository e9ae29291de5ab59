// A recursive-descent parser for ECMA-262 regular expressions.
//
// The grammar is that of section 22.2.1 with the flag "u": patterns and subjects are sequences of
// code points. Real schemas hold many patterns that only parse without that flag (`[\w-.]`, `\_`,
// a lone `{`); in the lenient mode each such construct is read as Annex B.1.2 reads it, construct
// by construct, while the alphabet stays that of code points. What both modes refuse is an error:
// `(?>x)`, `a++`, `^*`, an unknown property name.
//
//   ^(?:[a-z]+\.)*$   ->  concat(start, repeat(concat(repeat(set), set)), end)
//
// Modifiers `(?ims-ims:...)` (ECMA-262 2025) are resolved here: sets are closed under case folding,
// `.` includes line terminators, and multi-line anchors become look-arounds. A parsed tree has no
// flags.
//
// Cost: linear in the pattern. Recursion is bounded by max_nesting.
#include "regex_parser.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicode_property.h"

namespace espalier {

const CodepointSet& digit_set() {
  static const CodepointSet set({{'0', '9'}});
  return set;
}

const CodepointSet& word_set() {
  static const CodepointSet set({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
  return set;
}

const CodepointSet& space_set() {
  static const CodepointSet set({{'\t', '\r'},
                                 {' ', ' '},
                                 {0xA0, 0xA0},
                                 {0x1680, 0x1680},
                                 {0x2000, 0x200A},
                                 {0x2028, 0x2029},
                                 {0x202F, 0x202F},
                                 {0x205F, 0x205F},
                                 {0x3000, 0x3000},
                                 {0xFEFF, 0xFEFF}});
  return set;
}

const CodepointSet& line_terminator_set() {
  static const CodepointSet set({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}});
  return set;
}

namespace {

using Kind = RegexNode::Kind;

constexpr uint32_t kEndOfPattern = UINT32_MAX;
constexpr uint32_t kMaxRepeat = UINT32_MAX - 1;

struct Symbol {
  uint32_t codepoint;
  uint32_t offset;
};

/// Decodes UTF-8, surrogates included; returns the offset of the first malformed byte, if any.
std::optional<uint32_t> decode(std::string_view text, std::vector<Symbol>* out) {
  size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t lead = byte(at);
    const uint32_t offset = static_cast<uint32_t>(at);
    const int extra = lead < 0x80 ? 0 : lead < 0xC2 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (extra < 0 || lead > 0xF4 || at + extra >= text.size()) return offset;
    uint32_t codepoint = extra == 0 ? lead : lead & (0x3F >> extra);
    for (int i = 1; i <= extra; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return offset;
      codepoint = codepoint << 6 | (byte(at + i) & 0x3F);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (codepoint < kSmallest[extra] || codepoint > kMaxCodepoint) return offset;
    out->push_back({codepoint, offset});
    at += extra + 1;
  }
  return std::nullopt;
}

struct Flags {
  bool ignore_case = false;
  bool multiline = false;
  bool dot_all = false;
};

bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(uint32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80; }

int hex_value(uint32_t c) {
  if (is_digit(c)) return static_cast<int>(c - '0');
  if (c < 0x80 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
    return static_cast<int>((c | 0x20) - 'a' + 10);
  return -1;
}

/// An element of a character class: one code point, or a set (`\d`).
struct ClassAtom {
  bool single = true;
  uint32_t codepoint = 0;
  CodepointSet set;
};

class Parser {
 public:
  Parser(std::vector<Symbol> symbols, uint32_t size, RegexSyntax syntax, uint32_t max_nesting)
      : symbols_(std::move(symbols)),
        size_(size),
        strict_(syntax == RegexSyntax::kUnicode),
        max_nesting_(max_nesting) {
    count_groups();
  }

  Result<RegexAst> run() {
    std::vector<std::string> names;
    const uint32_t root = disjunction(0, &names);
    if (!failed_ && peek() == ')') fail("Unmatched ')'");
    if (!failed_) check_references();
    if (failed_) return Status(StatusCode::kParseError, message_ + ".", std::to_string(place_));
    ast_.root = root;
    return std::move(ast_);
  }

 private:
  // Reading.

  uint32_t peek(size_t ahead = 0) const {
    return at_ + ahead < symbols_.size() ? symbols_[at_ + ahead].codepoint : kEndOfPattern;
  }
  bool eat(uint32_t codepoint) {
    if (peek() != codepoint) return false;
    ++at_;
    return true;
  }
  bool eat(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (peek(i) != static_cast<uint8_t>(text[i])) return false;
    }
    at_ += text.size();
    return true;
  }
  uint32_t offset(size_t at) const { return at < symbols_.size() ? symbols_[at].offset : size_; }

  uint32_t fail(std::string message) { return fail_at(at_, std::move(message)); }
  uint32_t fail_at(size_t at, std::string message) {
    if (!failed_) {
      failed_ = true;
      message_ = std::move(message);
      place_ = offset(at);
    }
    at_ = symbols_.size();
    return 0;
  }

  // Building.

  uint32_t add(RegexNode node) {
    if (node.kind == Kind::kStart) node.has_start = true;
    for (uint32_t child : node.children) node.has_start |= ast_.nodes[child].has_start;
    ast_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(ast_.nodes.size() - 1);
  }
  uint32_t add(Kind kind, std::vector<uint32_t> children = {}, bool negated = false) {
    RegexNode node;
    node.kind = kind;
    node.negated = negated;
    node.children = std::move(children);
    node.offset = offset(at_);
    return add(std::move(node));
  }
  uint32_t add_set(CodepointSet set) {
    RegexNode node;
    node.kind = Kind::kSet;
    node.set = flags_.ignore_case ? case_closure(set) : std::move(set);
    node.offset = offset(at_);
    return add(std::move(node));
  }
  uint32_t add_codepoint(uint32_t codepoint) { return add_set(CodepointSet::of(codepoint)); }

  /// Capturing groups must be counted before `\2` can be told from a legacy octal escape.
  void count_groups() {
    bool in_class = false;
    for (size_t i = 0; i < symbols_.size(); ++i) {
      const uint32_t c = symbols_[i].codepoint;
      const auto next = [&](size_t k) {
        return i + k < symbols_.size() ? symbols_[i + k].codepoint : kEndOfPattern;
      };
      if (c == '\\') {
        ++i;
      } else if (in_class) {
        in_class = c != ']';
      } else if (c == '[') {
        in_class = true;
      } else if (c == '(') {
        const bool named = next(1) == '?' && next(2) == '<' && next(3) != '=' && next(3) != '!';
        if (next(1) != '?' || named) ++group_count_;
        has_named_groups_ |= named;
      }
    }
  }

  void check_references() {
    for (const auto& [name, at] : named_references_) {
      if (std::find(all_names_.begin(), all_names_.end(), name) == all_names_.end()) {
        fail_at(at, "There is no group named '" + name + "'");
      }
    }
  }

  // Disjunction, Alternative, Term.

  uint32_t disjunction(uint32_t depth, std::vector<std::string>* names) {
    if (depth > max_nesting_) return fail("Groups are nested too deeply");
    const Flags saved = flags_;
    std::vector<uint32_t> alternatives;
    std::vector<std::string> union_of_names;
    do {
      std::vector<std::string> own;
      alternatives.push_back(alternative(depth, &own));
      union_of_names.insert(union_of_names.end(), own.begin(), own.end());
    } while (eat('|'));
    flags_ = saved;
    for (std::string& name : union_of_names) names->push_back(std::move(name));
    if (alternatives.size() == 1) return alternatives[0];
    return add(Kind::kAlternation, std::move(alternatives));
  }

  uint32_t alternative(uint32_t depth, std::vector<std::string>* names) {
    std::vector<uint32_t> terms;
    while (peek() != kEndOfPattern && peek() != '|' && peek() != ')') {
      terms.push_back(term(depth, names));
      if (failed_) return 0;
    }
    if (terms.empty()) return add(Kind::kEmpty);
    if (terms.size() == 1) return terms[0];
    return add(Kind::kConcat, std::move(terms));
  }

  uint32_t term(uint32_t depth, std::vector<std::string>* names) {
    const size_t begin = at_;
    bool quantifiable = true;
    const uint32_t node = atom(depth, names, &quantifiable);
    if (failed_) return 0;
    uint32_t min = 0;
    uint32_t max = 0;
    const size_t at = at_;
    if (!quantifier(&min, &max)) return node;
    if (failed_) return 0;
    if (!quantifiable) return fail_at(at, "An assertion cannot be repeated");
    RegexNode repeat;
    repeat.kind = Kind::kRepeat;
    repeat.min = min;
    repeat.max = max;
    repeat.children = {node};
    repeat.offset = offset(begin);
    return add(std::move(repeat));
  }

  /// Reads `{m}`, `{m,}` or `{m,n}`; moves only if it is one.
  bool braces(uint32_t* min, uint32_t* max) {
    size_t at = at_ + 1;
    const auto here = [&] { return at < symbols_.size() ? symbols_[at].codepoint : kEndOfPattern; };
    const auto number = [&](uint32_t* out) {
      if (!is_digit(here())) return false;
      uint64_t value = 0;
      for (; is_digit(here()); ++at) {
        value = std::min<uint64_t>(value * 10 + (here() - '0'), kMaxRepeat);
      }
      *out = static_cast<uint32_t>(value);
      return true;
    };
    if (peek() != '{' || !number(min)) return false;
    *max = *min;
    if (here() == ',') {
      ++at;
      if (!number(max)) *max = kUnbounded;
    }
    if (here() != '}') return false;
    at_ = at + 1;
    return true;
  }

  bool quantifier(uint32_t* min, uint32_t* max) {
    const size_t begin = at_;
    if (eat('*')) {
      *max = kUnbounded;
    } else if (eat('+')) {
      *min = 1;
      *max = kUnbounded;
    } else if (eat('?')) {
      *max = 1;
    } else if (!braces(min, max)) {
      return false;
    }
    if (*min > *max) fail_at(begin, "The bounds of a repetition are out of order");
    eat('?');
    return true;
  }

  uint32_t atom(uint32_t depth, std::vector<std::string>* names, bool* quantifiable) {
    const uint32_t c = peek();
    switch (c) {
      case '^':
        ++at_;
        *quantifiable = false;
        return start_anchor();
      case '$':
        ++at_;
        *quantifiable = false;
        return end_anchor();
      case '.':
        ++at_;
        return add_set(flags_.dot_all ? CodepointSet::all() : line_terminator_set().complement());
      case '[':
        return character_class();
      case '(':
        return group(depth, names, quantifiable);
      case '\\':
        return atom_escape(quantifiable);
      case '*':
      case '+':
      case '?':
        return fail("There is nothing to repeat");
      case '{': {
        uint32_t min = 0;
        uint32_t max = 0;
        if (strict_) return fail("A lone '{'");
        if (braces(&min, &max)) return fail("There is nothing to repeat");
        break;
      }
      case '}':
      case ']':
        if (strict_) return fail(c == '}' ? "A lone '}'" : "A lone ']'");
        break;
      default:
        break;
    }
    ++at_;
    return add_codepoint(c);
  }

  uint32_t start_anchor() {
    const uint32_t start = add(Kind::kStart);
    if (!flags_.multiline) return start;
    const uint32_t after_line = add(Kind::kLookbehind, {add_set(line_terminator_set())}, false);
    return add(Kind::kAlternation, {start, after_line});
  }

  uint32_t end_anchor() {
    const uint32_t end = add(Kind::kEnd);
    if (!flags_.multiline) return end;
    const uint32_t before_line = add(Kind::kLookahead, {add_set(line_terminator_set())}, false);
    return add(Kind::kAlternation, {end, before_line});
  }

  uint32_t group(uint32_t depth, std::vector<std::string>* names, bool* quantifiable) {
    const size_t begin = at_;
    Kind look = Kind::kEmpty;
    bool negated = false;
    const Flags saved = flags_;
    if (eat("(?:")) {
    } else if (eat("(?=")) {
      look = Kind::kLookahead;
    } else if (eat("(?!")) {
      look = Kind::kLookahead;
      negated = true;
    } else if (eat("(?<=")) {
      look = Kind::kLookbehind;
    } else if (eat("(?<!")) {
      look = Kind::kLookbehind;
      negated = true;
    } else if (eat("(?<")) {
      if (!group_name(names)) return 0;
    } else if (eat("(?")) {
      if (!modifiers()) return fail_at(begin, "Unknown kind of group '(?'");
    } else {
      eat('(');
    }
    const uint32_t body = disjunction(depth + 1, names);
    flags_ = saved;
    if (failed_) return 0;
    if (!eat(')')) return fail_at(begin, "A group is not closed");
    if (look == Kind::kEmpty) return body;
    *quantifiable = !strict_ && look == Kind::kLookahead;
    return add(look, {body}, negated);
  }

  /// The rest of `(?<name>`.
  bool group_name(std::vector<std::string>* names) {
    const size_t begin = at_;
    auto name = identifier();
    if (!name) {
      fail_at(begin, "A group's name is malformed");
      return false;
    }
    if (std::find(names->begin(), names->end(), *name) != names->end()) {
      fail_at(begin, "Two groups are named '" + *name + "'");
      return false;
    }
    names->push_back(*name);
    all_names_.push_back(*std::move(name));
    return true;
  }

  /// An identifier up to `>`.
  std::optional<std::string> identifier() {
    static const CodepointSet first = unicode_property("ID_Start", false).value_or(CodepointSet());
    static const CodepointSet rest =
        unicode_property("ID_Continue", false).value_or(CodepointSet());
    std::string name;
    while (peek() != kEndOfPattern && peek() != '>') {
      uint32_t c = peek();
      ++at_;
      if (c == '\\') {
        const auto escaped = eat('u') ? unicode_escape() : std::nullopt;
        if (!escaped) return std::nullopt;
        c = *escaped;
      }
      const CodepointSet& allowed = name.empty() ? first : rest;
      const bool joiner = !name.empty() && (c == 0x200C || c == 0x200D);
      if (c != '$' && c != '_' && !joiner && !allowed.contains(c)) return std::nullopt;
      append_utf8(c, &name);
    }
    if (name.empty() || !eat('>')) return std::nullopt;
    return name;
  }

  static void append_utf8(uint32_t c, std::string* out) {
    if (c < 0x80) {
      out->push_back(static_cast<char>(c));
      return;
    }
    const int extra = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    out->push_back(static_cast<char>((0xFF00 >> (extra + 1) & 0xFF) | c >> (6 * extra)));
    for (int i = extra - 1; i >= 0; --i)
      out->push_back(static_cast<char>(0x80 | (c >> (6 * i) & 0x3F)));
  }

  /// The rest of `(?ims-ims:`; the flags hold until the group closes.
  bool modifiers() {
    bool on = true;
    std::string seen;
    for (;; ++at_) {
      const uint32_t c = peek();
      if (c == ':') {
        ++at_;
        return on || seen.size() > 0;
      }
      if (c == '-' && on) {
        on = false;
        continue;
      }
      if (c != 'i' && c != 'm' && c != 's') return false;
      if (seen.find(static_cast<char>(c)) != std::string::npos) return false;
      seen.push_back(static_cast<char>(c));
      (c == 'i' ? flags_.ignore_case : c == 'm' ? flags_.multiline : flags_.dot_all) = on;
    }
  }

  // Escapes.

  uint32_t atom_escape(bool* quantifiable) {
    const size_t begin = at_;
    ++at_;
    const uint32_t c = peek();
    if (c == kEndOfPattern) return fail_at(begin, "A pattern cannot end with '\\'");
    if (c == 'b' || c == 'B') {
      ++at_;
      *quantifiable = false;
      return add(Kind::kWordBoundary, {}, c == 'B');
    }
    if (c >= '1' && c <= '9') {
      if (const auto node = decimal_reference(begin)) return *node;
      if (failed_) return 0;
    }
    if (c == 'k' && (strict_ || has_named_groups_)) return named_reference(begin);
    ClassAtom value;
    if (!escape(begin, false, &value)) return 0;
    return value.single ? add_codepoint(value.codepoint) : add_set(std::move(value.set));
  }

  std::optional<uint32_t> decimal_reference(size_t begin) {
    size_t end = at_;
    uint64_t number = 0;
    for (; end < symbols_.size() && is_digit(symbols_[end].codepoint); ++end) {
      number = std::min<uint64_t>(number * 10 + (symbols_[end].codepoint - '0'), kMaxRepeat);
    }
    if (number > group_count_) {
      if (strict_) fail_at(begin, "There is no group " + std::to_string(number));
      return std::nullopt;
    }
    at_ = end;
    return reference(begin, "\\" + std::to_string(number));
  }

  uint32_t named_reference(size_t begin) {
    ++at_;
    const auto name = eat('<') ? identifier() : std::nullopt;
    if (!name) return fail_at(begin, "A reference to a named group is malformed");
    named_references_.emplace_back(*name, begin);
    return reference(begin, "\\k<" + *name + ">");
  }

  uint32_t reference(size_t begin, std::string spelling) {
    RegexNode node;
    node.kind = Kind::kBackReference;
    node.name = std::move(spelling);
    node.offset = offset(begin);
    return add(std::move(node));
  }

  std::optional<uint32_t> hex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      const int digit = hex_value(peek(i));
      if (digit < 0) return std::nullopt;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    at_ += digits;
    return value;
  }

  /// What follows `\u`; moves only if it is well formed.
  std::optional<uint32_t> unicode_escape() {
    const size_t begin = at_;
    if (eat('{')) {
      uint64_t value = 0;
      size_t digits = 0;
      for (; hex_value(peek()) >= 0; ++at_, ++digits) {
        value =
            std::min<uint64_t>(value << 4 | static_cast<uint32_t>(hex_value(peek())), kMaxRepeat);
      }
      if (digits > 0 && value <= kMaxCodepoint && eat('}')) return static_cast<uint32_t>(value);
      at_ = begin;
      return std::nullopt;
    }
    const auto lead = hex(4);
    if (!lead || *lead < 0xD800 || *lead > 0xDBFF) return lead;
    const size_t after_lead = at_;
    if (eat("\\u")) {
      const auto trail = hex(4);
      if (trail && *trail >= 0xDC00 && *trail <= 0xDFFF) {
        return 0x10000 + ((*lead - 0xD800) << 10) + (*trail - 0xDC00);
      }
    }
    at_ = after_lead;
    return lead;
  }

  /// An escape that stands for code points, in or outside a class; at_ is after the backslash.
  bool escape(size_t begin, bool in_class, ClassAtom* out) {
    const uint32_t c = peek();
    ++at_;
    const auto single = [&](uint32_t codepoint) {
      out->single = true;
      out->codepoint = codepoint;
      return true;
    };
    const auto set = [&](CodepointSet value) {
      out->single = false;
      out->set = std::move(value);
      return true;
    };
    switch (c) {
      case 'd':
        return set(digit_set());
      case 'D':
        return set(digit_set().complement());
      case 'w':
        return set(word_set());
      case 'W':
        return set(word_set().complement());
      case 's':
        return set(space_set());
      case 'S':
        return set(space_set().complement());
      case 'p':
      case 'P':
        return property(begin, c == 'P', out);
      case 't':
        return single('\t');
      case 'n':
        return single('\n');
      case 'v':
        return single('\v');
      case 'f':
        return single('\f');
      case 'r':
        return single('\r');
      case 'b':
        if (in_class) return single('\b');
        break;
      case '-':
        if (in_class) return single('-');
        break;
      case 'c':
        if (is_letter(peek()) || (!strict_ && in_class && (is_digit(peek()) || peek() == '_'))) {
          const uint32_t control = peek() % 32;
          ++at_;
          return single(control);
        }
        if (!strict_) {
          --at_;
          return single('\\');
        }
        break;
      case 'x':
        if (const auto value = hex(2)) return single(*value);
        break;
      case 'u':
        if (const auto value = unicode_escape()) return single(*value);
        break;
      default:
        if (is_digit(c)) return octal(begin, c, out);
        break;
    }
    constexpr std::string_view kSyntax = "^$\\.*+?()[]{}|/";
    const bool syntax = c < 0x80 && kSyntax.find(static_cast<char>(c)) != std::string_view::npos;
    if (!syntax && strict_) {
      fail_at(begin, "Unknown escape");
      return false;
    }
    return single(c);
  }

  bool octal(size_t begin, uint32_t first, ClassAtom* out) {
    out->single = true;
    if (first == '0' && !is_digit(peek())) {
      out->codepoint = 0;
      return true;
    }
    if (strict_) {
      fail_at(begin, "Unknown escape");
      return false;
    }
    out->codepoint = first;
    if (first >= '8') return true;
    out->codepoint = first - '0';
    const int more = first <= '3' ? 2 : 1;
    for (int i = 0; i < more && peek() >= '0' && peek() <= '7'; ++i, ++at_) {
      out->codepoint = out->codepoint * 8 + (peek() - '0');
    }
    return true;
  }

  bool property(size_t begin, bool negated, ClassAtom* out) {
    std::string name;
    if (eat('{')) {
      for (; peek() != '}' && peek() < 0x80; ++at_) name.push_back(static_cast<char>(peek()));
      if (!eat('}')) name.clear();
    } else if (!strict_ && is_letter(peek())) {
      name.push_back(static_cast<char>(peek()));
      ++at_;
    }
    auto set = unicode_property(name, !strict_);
    if (!set) {
      fail_at(begin, "Unknown Unicode property '" + name + "'");
      return false;
    }
    out->single = false;
    out->set = negated ? set->complement() : *std::move(set);
    return true;
  }

  // Classes.

  bool class_atom(ClassAtom* out) {
    const size_t begin = at_;
    if (peek() == kEndOfPattern) return false;
    if (eat('\\')) {
      if (peek() == kEndOfPattern) return false;
      return escape(begin, true, out);
    }
    out->single = true;
    out->codepoint = peek();
    ++at_;
    return true;
  }

  uint32_t character_class() {
    const size_t begin = at_;
    ++at_;
    const bool negated = eat('^');
    std::vector<CodepointRange> ranges;
    const auto include = [&](const ClassAtom& atom) {
      if (atom.single) {
        ranges.push_back({atom.codepoint, atom.codepoint});
      } else {
        ranges.insert(ranges.end(), atom.set.ranges().begin(), atom.set.ranges().end());
      }
    };
    while (!eat(']')) {
      const size_t at = at_;
      ClassAtom first;
      if (!class_atom(&first)) return fail_at(begin, "A character class is not closed");
      if (peek() != '-' || peek(1) == ']' || peek(1) == kEndOfPattern) {
        include(first);
        continue;
      }
      ++at_;
      ClassAtom last;
      if (!class_atom(&last)) return fail_at(begin, "A character class is not closed");
      if (first.single && last.single) {
        if (first.codepoint > last.codepoint) {
          return fail_at(at, "The bounds of a range are out of order");
        }
        ranges.push_back({first.codepoint, last.codepoint});
        continue;
      }
      if (strict_) return fail_at(at, "A range cannot be bounded by a set");
      include(first);
      include(last);
      ranges.push_back({'-', '-'});
    }
    CodepointSet set(std::move(ranges));
    if (!negated) return add_set(std::move(set));
    if (flags_.ignore_case) set = case_closure(set);
    RegexNode node;
    node.kind = Kind::kSet;
    node.set = set.complement();
    node.offset = offset(begin);
    return add(std::move(node));
  }

  const std::vector<Symbol> symbols_;
  const uint32_t size_;
  const bool strict_;
  const uint32_t max_nesting_;
  size_t at_ = 0;
  Flags flags_;
  uint32_t group_count_ = 0;
  bool has_named_groups_ = false;
  std::vector<std::string> all_names_;
  std::vector<std::pair<std::string, size_t>> named_references_;
  RegexAst ast_;
  bool failed_ = false;
  std::string message_;
  uint32_t place_ = 0;
};

}  // namespace

Result<RegexAst> parse_regex(std::string_view pattern, RegexSyntax syntax, uint32_t max_nesting) {
  std::vector<Symbol> symbols;
  symbols.reserve(pattern.size());
  if (const auto malformed = decode(pattern, &symbols)) {
    return Status(StatusCode::kParseError, "The pattern is not valid UTF-8.",
                  std::to_string(*malformed));
  }
  return Parser(std::move(symbols), static_cast<uint32_t>(pattern.size()), syntax, max_nesting)
      .run();
}

}  // namespace espalier
