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
#include "grammar/regex/regex_parser.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grammar/codepoints/unicode_property.h"
#include "grammar/regex/regex_reader.h"
#include "grammar/tables/sort_unique.h"

namespace espalier {
namespace {

using Kind = RegexNode::Kind;

constexpr uint32_t kEndOfPattern = RegexReader::kEndOfPattern;
constexpr uint32_t kMaxRepeat = UINT32_MAX - 1;

struct Flags {
  bool ignore_case = false;
  bool multiline = false;
  bool dot_all = false;
};

class Parser {
 public:
  Parser(RegexReader reader, uint32_t max_nesting)
      : in_(std::move(reader)), max_nesting_(max_nesting) {
    count_groups();
  }

  Result<RegexAst> run() {
    std::vector<std::string> names;
    const uint32_t root = disjunction(0, &names);
    if (!in_.failed() && in_.peek() == ')') in_.fail("Unmatched ')'");
    if (!in_.failed()) check_references();
    if (in_.failed()) {
      return Status(too_deep_ ? StatusCode::kBudgetExceeded : StatusCode::kParseError,
                    in_.message() + ".", std::to_string(in_.place()));
    }
    ast_.root = root;
    return std::move(ast_);
  }

 private:
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
    node.offset = in_.offset(in_.at());
    return add(std::move(node));
  }
  uint32_t add_set(CodepointSet set) {
    RegexNode node;
    node.kind = Kind::kSet;
    node.set = flags_.ignore_case ? case_closure(set) : std::move(set);
    node.offset = in_.offset(in_.at());
    return add(std::move(node));
  }
  uint32_t add_codepoint(uint32_t codepoint) { return add_set(CodepointSet::of(codepoint)); }

  /// Capturing groups must be counted before `\2` can be told from a legacy octal escape.
  void count_groups() {
    bool in_class = false;
    for (size_t i = 0; i < in_.symbol_count(); ++i) {
      const uint32_t c = in_.symbol(i);
      const auto next = [&](size_t k) { return in_.symbol(i + k); };
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
        in_.fail_at(at, "There is no group named '" + name + "'");
      }
    }
  }

  // Disjunction, Alternative, Term.

  uint32_t disjunction(uint32_t depth, std::vector<std::string>* names) {
    if (depth > max_nesting_) {
      too_deep_ = true;
      return in_.fail("Groups are nested more than " + std::to_string(max_nesting_) + " deep");
    }
    const Flags saved = flags_;
    std::vector<uint32_t> alternatives;
    std::vector<std::string> union_of_names;
    do {
      std::vector<std::string> own;
      alternatives.push_back(alternative(depth, &own));
      union_of_names.insert(union_of_names.end(), own.begin(), own.end());
    } while (in_.eat('|'));
    flags_ = saved;
    sort_unique(&union_of_names);
    for (std::string& name : union_of_names) {
      if (std::find(names->begin(), names->end(), name) != names->end()) {
        return in_.fail("Two groups are named '" + name + "'");
      }
      names->push_back(std::move(name));
    }
    if (alternatives.size() == 1) return alternatives[0];
    return add(Kind::kAlternation, std::move(alternatives));
  }

  uint32_t alternative(uint32_t depth, std::vector<std::string>* names) {
    std::vector<uint32_t> terms;
    while (in_.peek() != kEndOfPattern && in_.peek() != '|' && in_.peek() != ')') {
      terms.push_back(term(depth, names));
      if (in_.failed()) return 0;
    }
    if (terms.empty()) return add(Kind::kEmpty);
    if (terms.size() == 1) return terms[0];
    return add(Kind::kConcat, std::move(terms));
  }

  uint32_t term(uint32_t depth, std::vector<std::string>* names) {
    const size_t begin = in_.at();
    bool quantifiable = true;
    const uint32_t node = atom(depth, names, &quantifiable);
    if (in_.failed()) return 0;
    uint32_t min = 0;
    uint32_t max = 0;
    const size_t at = in_.at();
    if (!quantifier(&min, &max)) return node;
    if (in_.failed()) return 0;
    if (!quantifiable) return in_.fail_at(at, "An assertion cannot be repeated");
    RegexNode repeat;
    repeat.kind = Kind::kRepeat;
    repeat.min = min;
    repeat.max = max;
    repeat.children = {node};
    repeat.offset = in_.offset(begin);
    return add(std::move(repeat));
  }

  /// Reads `{m}`, `{m,}` or `{m,n}`; moves only if it is one.
  bool braces(uint32_t* min, uint32_t* max) {
    size_t at = in_.at() + 1;
    const auto here = [&] { return in_.symbol(at); };
    const auto number = [&](uint32_t* out) {
      if (!RegexReader::is_digit(here())) return false;
      uint64_t value = 0;
      for (; RegexReader::is_digit(here()); ++at) {
        value = std::min<uint64_t>(value * 10 + (here() - '0'), kMaxRepeat);
      }
      *out = static_cast<uint32_t>(value);
      return true;
    };
    if (in_.peek() != '{' || !number(min)) return false;
    *max = *min;
    if (here() == ',') {
      ++at;
      if (!number(max)) *max = kUnbounded;
    }
    if (here() != '}') return false;
    in_.skip(at + 1 - in_.at());
    return true;
  }

  bool quantifier(uint32_t* min, uint32_t* max) {
    const size_t begin = in_.at();
    if (in_.eat('*')) {
      *max = kUnbounded;
    } else if (in_.eat('+')) {
      *min = 1;
      *max = kUnbounded;
    } else if (in_.eat('?')) {
      *max = 1;
    } else if (!braces(min, max)) {
      return false;
    }
    if (*min > *max) in_.fail_at(begin, "The bounds of a repetition are out of order");
    in_.eat('?');
    return true;
  }

  uint32_t atom(uint32_t depth, std::vector<std::string>* names, bool* quantifiable) {
    const uint32_t c = in_.peek();
    switch (c) {
      case '^':
        in_.skip();
        *quantifiable = false;
        return start_anchor();
      case '$':
        in_.skip();
        *quantifiable = false;
        return end_anchor();
      case '.':
        in_.skip();
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
        return in_.fail("There is nothing to repeat");
      case '{': {
        uint32_t min = 0;
        uint32_t max = 0;
        if (in_.strict()) return in_.fail("A lone '{'");
        if (braces(&min, &max)) return in_.fail("There is nothing to repeat");
        break;
      }
      case '}':
      case ']':
        if (in_.strict()) return in_.fail(c == '}' ? "A lone '}'" : "A lone ']'");
        break;
      default:
        break;
    }
    in_.skip();
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
    const size_t begin = in_.at();
    Kind look = Kind::kEmpty;
    bool negated = false;
    const Flags saved = flags_;
    if (in_.eat("(?:")) {
    } else if (in_.eat("(?=")) {
      look = Kind::kLookahead;
    } else if (in_.eat("(?!")) {
      look = Kind::kLookahead;
      negated = true;
    } else if (in_.eat("(?<=")) {
      look = Kind::kLookbehind;
    } else if (in_.eat("(?<!")) {
      look = Kind::kLookbehind;
      negated = true;
    } else if (in_.eat("(?<")) {
      if (!group_name(names)) return 0;
    } else if (in_.eat("(?")) {
      if (!modifiers()) return in_.fail_at(begin, "Unknown kind of group '(?'");
    } else {
      in_.eat('(');
    }
    const uint32_t body = disjunction(depth + 1, names);
    flags_ = saved;
    if (in_.failed()) return 0;
    if (!in_.eat(')')) return in_.fail_at(begin, "A group is not closed");
    if (look == Kind::kEmpty) return body;
    *quantifiable = !in_.strict() && look == Kind::kLookahead;
    return add(look, {body}, negated);
  }

  /// The rest of `(?<name>`.
  bool group_name(std::vector<std::string>* names) {
    const size_t begin = in_.at();
    auto name = identifier();
    if (!name) {
      in_.fail_at(begin, "A group's name is malformed");
      return false;
    }
    if (std::find(names->begin(), names->end(), *name) != names->end()) {
      in_.fail_at(begin, "Two groups are named '" + *name + "'");
      return false;
    }
    names->push_back(*name);
    all_names_.push_back(*std::move(name));
    return true;
  }

  /// An identifier up to `>`.
  std::optional<std::string> identifier() {
    std::string name;
    while (in_.peek() != kEndOfPattern && in_.peek() != '>') {
      uint32_t c = in_.peek();
      in_.skip();
      if (c == '\\') {
        const auto escaped = in_.eat('u') ? in_.unicode_escape() : std::nullopt;
        if (!escaped) return std::nullopt;
        c = *escaped;
      }
      if (!(name.empty() ? name_start_set() : name_part_set()).contains(c)) return std::nullopt;
      append_utf8(c, &name);
    }
    if (name.empty() || !in_.eat('>')) return std::nullopt;
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
    for (;; in_.skip()) {
      const uint32_t c = in_.peek();
      if (c == ':') {
        in_.skip();
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
    const size_t begin = in_.at();
    in_.skip();
    const uint32_t c = in_.peek();
    if (c == kEndOfPattern) return in_.fail_at(begin, "A pattern cannot end with '\\'");
    if (c == 'b' || c == 'B') {
      in_.skip();
      *quantifiable = false;
      return add(Kind::kWordBoundary, {}, c == 'B');
    }
    if (c >= '1' && c <= '9') {
      if (const auto node = decimal_reference(begin)) return *node;
      if (in_.failed()) return 0;
    }
    if (c == 'k' && (in_.strict() || has_named_groups_)) return named_reference(begin);
    RegexReader::Atom value;
    if (!in_.escape(begin, false, &value)) return 0;
    return value.single ? add_codepoint(value.codepoint) : add_set(std::move(value.set));
  }

  std::optional<uint32_t> decimal_reference(size_t begin) {
    size_t end = in_.at();
    uint64_t number = 0;
    for (; RegexReader::is_digit(in_.symbol(end)); ++end) {
      number = std::min<uint64_t>(number * 10 + (in_.symbol(end) - '0'), kMaxRepeat);
    }
    if (number > group_count_) {
      if (in_.strict()) in_.fail_at(begin, "There is no group " + std::to_string(number));
      return std::nullopt;
    }
    in_.skip(end - in_.at());
    return reference(begin, "\\" + std::to_string(number));
  }

  uint32_t named_reference(size_t begin) {
    in_.skip();
    const auto name = in_.eat('<') ? identifier() : std::nullopt;
    if (!name) return in_.fail_at(begin, "A reference to a named group is malformed");
    named_references_.emplace_back(*name, begin);
    return reference(begin, "\\k<" + *name + ">");
  }

  uint32_t character_class() {
    const size_t begin = in_.at();
    auto read = in_.character_class();
    if (!read) return 0;
    if (!read->negated) return add_set(std::move(read->set));
    RegexNode node;
    node.kind = Kind::kSet;
    node.set = (flags_.ignore_case ? case_closure(read->set) : read->set).complement();
    node.offset = in_.offset(begin);
    return add(std::move(node));
  }

  uint32_t reference(size_t begin, std::string spelling) {
    RegexNode node;
    node.kind = Kind::kBackReference;
    node.name = std::move(spelling);
    node.offset = in_.offset(begin);
    return add(std::move(node));
  }

  RegexReader in_;
  const uint32_t max_nesting_;
  bool too_deep_ = false;
  Flags flags_;
  uint32_t group_count_ = 0;
  bool has_named_groups_ = false;
  std::vector<std::string> all_names_;
  std::vector<std::pair<std::string, size_t>> named_references_;
  RegexAst ast_;
};

}  // namespace

Result<RegexAst> parse_regex(std::string_view pattern, RegexSyntax syntax, uint32_t max_nesting) {
  std::vector<PatternSymbol> symbols;
  symbols.reserve(pattern.size());
  if (const auto malformed = decode_pattern(pattern, &symbols)) {
    return Status(StatusCode::kParseError, "The pattern is not valid UTF-8.",
                  std::to_string(*malformed));
  }
  RegexReader reader(std::move(symbols), static_cast<uint32_t>(pattern.size()), syntax);
  return Parser(std::move(reader), max_nesting).run();
}

}  // namespace espalier
