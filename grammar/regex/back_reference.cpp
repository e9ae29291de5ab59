// Patterns with back-references, decided by Boost.Regex.
//
// `^(a+)-\1$` has no finite automaton. Its predicate remembers the text (a path in a trie of code
// points) and asks the matching library two things about it: does the pattern match (acceptance,
// exact), and if it begins with `^`, is there a partial match (else no continuation matches). A
// partial match is no promise: liveness is right when it says dead and may be wrong when it says
// alive. The *relaxed* automaton, in which a back-reference stands for any text, is read alongside;
// its states say what masks may rule out without asking.
//
//     ^(a|b)\1$   after "ab"   dead: no partial match, although the relaxed ^(a|b)[^]*$ is alive
//
// The pattern is spelled anew for the library: `^` and `$` are \A and \z, sets are explicit, and a
// reference to a group that took no part matches nothing, as ECMA-262 has it: (?(1)\g{1}|). One
// difference stays: ECMA-262 forgets a group's text when a repetition around it starts over.
//
// Cost: one or two runs of the library for each new text.
// References: ECMA-262, section 22.2.2; Boost.Regex, "Partial Matches".
#include "grammar/regex/back_reference.h"

#include <algorithm>
#include <boost/regex/icu.hpp>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grammar/codepoints/structured_automaton.h"
#include "grammar/regex/regex_reader.h"
#include "grammar/tables/id_table.h"

namespace espalier {
namespace {

// ---- The pattern for the library ---------------------------------------------------------------

void put_codepoint(uint32_t c, std::string* out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  *out += "\\x{";
  for (int shift = 20; shift >= 0; shift -= 4) *out += kDigits[c >> shift & 15];
  *out += '}';
}

void put_set(const CodepointSet& set, std::string* out) {
  if (set.empty()) {
    *out += "(?!)";
    return;
  }
  *out += '[';
  for (const CodepointRange& range : set.ranges()) {
    put_codepoint(range.lo, out);
    if (range.hi == range.lo) continue;
    *out += '-';
    put_codepoint(range.hi, out);
  }
  *out += ']';
}

/// The capturing groups of a pattern.
struct Groups {
  uint32_t count = 0;
  bool named = false;
};

Groups find_groups(const std::vector<PatternSymbol>& symbols) {
  Groups groups;
  bool in_class = false;
  const auto at = [&](size_t i) { return i < symbols.size() ? symbols[i].codepoint : 0; };
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (at(i) == '\\') {
      ++i;
    } else if (in_class) {
      in_class = at(i) != ']';
    } else if (at(i) == '[') {
      in_class = true;
    } else if (at(i) == '(') {
      const bool named =
          at(i + 1) == '?' && at(i + 2) == '<' && at(i + 3) != '=' && at(i + 3) != '!';
      groups.count += at(i + 1) != '?' || named ? 1 : 0;
      groups.named |= named;
    }
  }
  return groups;
}

class Translator {
 public:
  Translator(RegexReader reader, Groups groups) : in_(std::move(reader)), groups_(groups) {}

  Result<std::string> run() {
    while (in_.peek() != RegexReader::kEndOfPattern && !in_.failed()) term();
    if (in_.failed())
      return Status(StatusCode::kUnsupported, in_.message() + ".", std::to_string(in_.place()));
    return std::move(out_);
  }

 private:
  void term() {
    const uint32_t c = in_.peek();
    switch (c) {
      case '^':
        out_ += "\\A";
        break;
      case '$':
        out_ += "\\z";
        break;
      case '.':
        put_set(line_terminator_set().complement(), &out_);
        break;
      case '[': {
        if (const auto set = in_.character_class())
          put_set(set->negated ? set->set.complement() : set->set, &out_);
        return;
      }
      case '\\':
        return escape();
      case '(':
        return group();
      case '{':
        return braces();
      case ')':
        if (!open_.empty()) {
          closed_.insert(open_.back().begin(), open_.back().end());
          open_.pop_back();
        }
        out_ += ')';
        break;
      case '|':
      case '*':
      case '+':
      case '?':
        out_ += static_cast<char>(c);
        break;
      default:
        put_codepoint(c, &out_);
        break;
    }
    in_.skip();
  }

  void group() {
    const size_t begin = in_.at();
    for (const std::string_view opening : {"(?:", "(?=", "(?!", "(?<=", "(?<!"}) {
      if (!in_.eat(opening)) continue;
      out_ += opening;
      open_.emplace_back();
      return;
    }
    if (in_.eat("(?<")) {
      const std::string text = name();
      out_ += "(?<" + text + ">";
      open_.push_back({std::to_string(++opened_), "<" + text + ">"});
    } else if (in_.eat("(?")) {
      in_.fail_at(begin, "Modifiers are not supported beside back-references");
    } else {
      in_.skip();
      out_ += '(';
      open_.push_back({std::to_string(++opened_)});
    }
  }

  /// A reference to a group that is not closed yet, or took no part, matches nothing.
  void refer(const std::string& group, const std::string& reference) {
    out_ += closed_.contains(group) ? "(?:(?(" + group + ")" + reference + "|))" : "(?:)";
  }

  std::string name() {
    std::string text;
    for (; in_.peek() != '>' && in_.peek() != RegexReader::kEndOfPattern; in_.skip()) {
      const uint32_t c = in_.peek();
      if (!RegexReader::is_letter(c) && !RegexReader::is_digit(c) && c != '_')
        in_.fail("Only ASCII names of groups are supported beside back-references");
      text += static_cast<char>(c);
    }
    in_.eat('>');
    return text;
  }

  void escape() {
    const size_t begin = in_.at();
    in_.skip();
    const uint32_t c = in_.peek();
    if (c == 'b' || c == 'B') {
      in_.skip();
      std::string word;
      put_set(word_set(), &word);
      const std::string before = "(?<=" + word + ")", not_before = "(?<!" + word + ")";
      const std::string after = "(?=" + word + ")", not_after = "(?!" + word + ")";
      out_ += c == 'b' ? "(?:" + before + not_after + "|" + not_before + after + ")"
                       : "(?:" + before + after + "|" + not_before + not_after + ")";
      return;
    }
    if (c >= '1' && c <= '9') {
      uint64_t number = 0;
      size_t digits = 0;
      for (; RegexReader::is_digit(in_.peek(digits)); ++digits)
        number = std::min<uint64_t>(number * 10 + (in_.peek(digits) - '0'), UINT32_MAX);
      if (number <= groups_.count) {
        in_.skip(digits);
        const std::string n = std::to_string(number);
        refer(n, "\\g{" + n + "}");
        return;
      }
    }
    if (c == 'k' && groups_.named) {
      in_.skip(2);
      const std::string n = name();
      refer("<" + n + ">", "\\k<" + n + ">");
      return;
    }
    RegexReader::Atom atom;
    if (!in_.escape(begin, false, &atom)) return;
    if (atom.single) {
      put_codepoint(atom.codepoint, &out_);
    } else {
      put_set(atom.set, &out_);
    }
  }

  /// A quantifier, else a literal brace.
  void braces() {
    size_t size = 1;
    const auto digits = [&] {
      const size_t first = size;
      while (RegexReader::is_digit(in_.peek(size))) ++size;
      return size > first;
    };
    bool quantifier = digits();
    if (quantifier && in_.peek(size) == ',') {
      ++size;
      digits();
    }
    quantifier &= in_.peek(size) == '}';
    if (!quantifier) {
      put_codepoint('{', &out_);
      in_.skip();
      return;
    }
    for (size_t i = 0; i <= size; ++i) out_ += static_cast<char>(in_.peek(i));
    in_.skip(size + 1);
  }

  RegexReader in_;
  const Groups groups_;
  uint32_t opened_ = 0;
  std::vector<std::vector<std::string>> open_;  // what each open group is called, number and name
  std::set<std::string> closed_;
  std::string out_;
};

bool starts_at_start(const RegexAst& ast, uint32_t index) {
  const RegexNode& node = ast[index];
  switch (node.kind) {
    case RegexNode::Kind::kStart:
      return true;
    case RegexNode::Kind::kConcat:
      return starts_at_start(ast, node.children[0]);
    case RegexNode::Kind::kAlternation:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](uint32_t child) { return starts_at_start(ast, child); });
    default:
      return false;
  }
}

// ---- The predicate -----------------------------------------------------------------------------

class BackReferenceMachine {
 public:
  struct State {
    uint32_t text = 0;
    uint32_t relaxed = 0;
    bool operator==(const State&) const = default;
    uint64_t hash() const { return hash_append(text, relaxed); }
  };

  BackReferenceMachine(boost::u32regex expression, bool from_start,
                       std::shared_ptr<const CodepointAutomaton> relaxed)
      : expression_(std::move(expression)), from_start_(from_start), relaxed_(std::move(relaxed)) {
    texts_.push_back({0, 0});
  }

  State start() const { return {0, relaxed_->start()}; }

  std::optional<State> step(const State& state, uint32_t c) {
    State next;
    next.relaxed = relaxed_->step(state.relaxed, c);
    if (next.relaxed == 0) return std::nullopt;
    const auto [it, added] =
        text_ids_.try_emplace({state.text, c}, static_cast<uint32_t>(texts_.size()));
    next.text = it->second;
    if (added) {
      texts_.push_back({state.text, c});
      dead_.push_back(from_start_ && !matches(next, boost::match_partial));
    }
    return dead_[next.text - 1] ? std::nullopt : std::optional(next);
  }

  bool accepting(const State& state) {
    return relaxed_->accepting(state.relaxed) && matches(state, boost::match_default);
  }
  std::optional<State> settled(const State&) const { return std::nullopt; }

  /// The code points of the text are told apart, for a reference may ask for them again.
  void cuts(const State& state, std::vector<uint32_t>* out) const {
    const auto single = [out](uint32_t c) {
      out->push_back(c);
      if (c < kMaxCodepoint) out->push_back(c + 1);
    };
    for (const char32_t c : text_of(state)) single(c);
    for (const CodepointEdge& edge : relaxed_->edges(state.relaxed)) {
      out->push_back(edge.lo);
      if (edge.hi < kMaxCodepoint) out->push_back(edge.hi + 1);
    }
  }

  const std::shared_ptr<const CodepointAutomaton>& relaxed() const { return relaxed_; }
  uint32_t relaxed_state(const State& state) const { return state.relaxed; }
  const Status& status() const { return status_; }

 private:
  struct Text {
    uint32_t parent;
    char32_t last;
  };

  std::u32string text_of(const State& state) const {
    std::u32string text;
    for (uint32_t at = state.text; at != 0; at = texts_[at].parent) text += texts_[at].last;
    std::reverse(text.begin(), text.end());
    return text;
  }

  bool matches(const State& state, boost::match_flag_type flags) {
    const std::u32string text = text_of(state);
    boost::match_results<std::u32string::const_iterator> found;
    try {
      return boost::u32regex_search(text.begin(), text.end(), found, expression_, flags);
    } catch (const std::exception& error) {
      if (status_.ok()) {
        status_ =
            Status(StatusCode::kBudgetExceeded,
                   std::string("A pattern with back-references takes too long: ") + error.what());
      }
      return false;
    }
  }

  boost::u32regex expression_;
  bool from_start_;
  std::shared_ptr<const CodepointAutomaton> relaxed_;
  std::vector<Text> texts_;  // id -> the text of `parent` and one more code point; 0 = ""
  std::vector<bool> dead_;   // of text id + 1
  std::map<std::pair<uint32_t, char32_t>, uint32_t> text_ids_;
  Status status_;
};

}  // namespace

bool has_back_reference(const RegexAst& ast) {
  return std::any_of(ast.nodes.begin(), ast.nodes.end(), [](const RegexNode& node) {
    return node.kind == RegexNode::Kind::kBackReference;
  });
}

Result<std::shared_ptr<const CodepointAutomaton>> back_reference_predicate(
    std::string_view pattern, const RegexAst& ast,
    std::shared_ptr<const CodepointAutomaton> relaxed, const AutomatonLimits& limits) {
  std::vector<PatternSymbol> symbols;
  decode_pattern(pattern, &symbols);
  const Groups groups = find_groups(symbols);
  Translator translator(
      RegexReader(std::move(symbols), static_cast<uint32_t>(pattern.size()), RegexSyntax::kLenient),
      groups);
  Result<std::string> spelled = translator.run();
  if (!spelled.ok()) return spelled.status();
  try {
    BackReferenceMachine machine(boost::make_u32regex(*spelled), starts_at_start(ast, ast.root),
                                 std::move(relaxed));
    return std::shared_ptr<const CodepointAutomaton>(
        std::make_shared<StructuredAutomaton<BackReferenceMachine>>(
            std::move(machine), "a pattern with back-references", limits.max_states));
  } catch (const std::exception& error) {
    return Status(StatusCode::kUnsupported,
                  std::string("A pattern with back-references cannot be matched: ") + error.what(),
                  "0");
  }
}

}  // namespace espalier
