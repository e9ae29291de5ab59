// Pre-tokenization by regular expressions with Unicode properties.
//
// Idea: tokenizers publish the pattern that cuts text into words, numbers, punctuation and white
// space, and the ids depend on cutting exactly so. Boost.Regex with ICU matches those patterns over
// code points; these things are put right between its dialect and the tokenizers' (Rust regex,
// Oniguruma):
//   - \p{Lu} inside a set is read by Boost as the letters p, {, L, u, }: it is rewritten to [:Lu:];
//   - the category groups L M N P S Z C are not all known to Boost, and \S looks up the name "S":
//     they are rewritten to names of our own, "gcL" and so on;
//   - \s is Unicode's White_Space (ICU's u_isspace also takes U+001C..U+001F), and case is ignored
//     by folding, so that U+017F matches s;
//   - $ is the end of the text, never of a line: it is rewritten to \z.
// What cannot be carried over (set intersections, nested sets) is refused by name, not misread.
//
// Example (gpt2): "Hello  world's" -> "Hello" " " " world" "'s".
//
// Invariants: the pieces are consecutive and, except for kRemoved, cover the text byte for byte,
// valid UTF-8 or not.
//
// Cost: about 0.1 us a code point; four bytes a code point and four an offset while splitting.
//
// Reference: Unicode Technical Standard #18 (properties, 1.2); Boost.Regex "Perl syntax".
#include "engine/tokenizers/pretokenizer.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <boost/regex/icu.hpp>
#include <exception>
#include <utility>

#include "engine/tokenizers/utf8.h"

namespace espalier {
namespace {

class PretokenizerTraits : public boost::icu_regex_traits {
 public:
  using Base = boost::icu_regex_traits;

  PretokenizerTraits() {
    const UChar32 name[] = {'s', 'p', 'a', 'c', 'e'};
    space_ = Base::lookup_classname(name, name + 5);
  }

  char_type translate(char_type c) const { return c; }
  char_type translate_nocase(char_type c) const { return u_foldCase(c, U_FOLD_CASE_DEFAULT); }
  char_type translate(char_type c, bool icase) const { return icase ? translate_nocase(c) : c; }

  char_class_type lookup_classname(const char_type* begin, const char_type* end) const {
    if (end - begin == 3 && begin[0] == 'g' && begin[1] == 'c') {
      switch (begin[2]) {
        case 'L':
          return U_GC_L_MASK;
        case 'M':
          return U_GC_M_MASK;
        case 'N':
          return U_GC_N_MASK;
        case 'P':
          return U_GC_P_MASK;
        case 'S':
          return U_GC_S_MASK;
        case 'Z':
          return U_GC_Z_MASK;
        case 'C':
          return U_GC_C_MASK;
        default:
          break;
      }
    }
    return Base::lookup_classname(begin, end);
  }

  bool isctype(char_type c, char_class_type wanted) const {
    constexpr char_class_type kCategories = (char_class_type{1} << U_CHAR_CATEGORY_COUNT) - 1;
    if ((char_class_type{1} << u_charType(c) & wanted) != 0) return true;
    if ((wanted & ~kCategories) == 0) return false;
    if ((wanted & space_) != 0 && u_isUWhiteSpace(c)) return true;
    const char_class_type rest = wanted & ~kCategories & ~space_;
    return rest != 0 && Base::isctype(c, rest);
  }

 private:
  char_class_type space_;
};

using Regex = boost::basic_regex<UChar32, PretokenizerTraits>;
using RegexIterator = boost::regex_iterator<const UChar32*, UChar32, PretokenizerTraits>;

Status unsupported(const std::string& what, size_t offset) {
  return Status(StatusCode::kUnsupported,
                "The pre-tokenization pattern uses " + what + ", which is not supported.",
                "pattern:" + std::to_string(offset));
}

// Rewrites a pattern from the tokenizers' dialect into Boost's.
class PatternTranslator {
 public:
  explicit PatternTranslator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::vector<UChar32>> translate() {
    while (at_ < pattern_.size()) {
      const Status status = in_set_ ? set_item() : item();
      if (!status.ok()) return status;
    }
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }
  void put(std::string_view text) { out_.insert(out_.end(), text.begin(), text.end()); }
  Status copy() {
    const Utf8Char c = decode_utf8(pattern_, at_);
    if (!c.valid) {
      return Status(StatusCode::kParseError, "The pre-tokenization pattern is not UTF-8.",
                    "pattern:" + std::to_string(at_));
    }
    out_.push_back(static_cast<UChar32>(c.code));
    at_ += c.length;
    return Status();
  }

  Status item() {
    if (peek() == '\\') return escape();
    if (peek() == '$') {
      put("\\z");
      ++at_;
      return Status();
    }
    if (peek() == '[') {
      in_set_ = true;
      put("[");
      ++at_;
      if (peek() == '^') {
        put("^");
        ++at_;
      }
      if (peek() == ']') {
        put("\\]");
        ++at_;
      }
      return Status();
    }
    return copy();
  }

  Status set_item() {
    if (peek() == '\\') return escape();
    if (peek() == '&' && peek(1) == '&') return unsupported("a set intersection (&&)", at_);
    if (peek() == '[') {
      if (peek(1) != ':') return unsupported("a nested set", at_);
      const size_t end = pattern_.find(":]", at_ + 2);
      if (end == std::string_view::npos) return unsupported("an unfinished class", at_);
      put(pattern_.substr(at_, end + 2 - at_));
      at_ = end + 2;
      return Status();
    }
    if (peek() == ']') in_set_ = false;
    return copy();
  }

  Status escape() {
    if (peek(1) == 'p' || peek(1) == 'P') return property();
    if (Status status = copy(); !status.ok()) return status;
    return at_ < pattern_.size() ? copy() : Status();
  }

  Status property() {
    const size_t start = at_;
    bool negated = peek(1) == 'P';
    at_ += 2;
    std::string_view name;
    if (peek() == '{') {
      const size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return unsupported("an unfinished property", start);
      name = pattern_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      if (name.starts_with('^')) {
        negated = !negated;
        name.remove_prefix(1);
      }
    } else if (at_ < pattern_.size()) {
      name = pattern_.substr(at_, 1);
      ++at_;
    }
    put(in_set_ ? (negated ? "[:^" : "[:") : (negated ? "\\P{" : "\\p{"));
    if (name.size() == 1) put("gc");
    put(name);
    put(in_set_ ? ":]" : "}");
    return Status();
  }

  std::string_view pattern_;
  size_t at_ = 0;
  bool in_set_ = false;
  std::vector<UChar32> out_;
};

// Half-open range of code points or bytes, and whether a pattern matched it.
struct Span {
  size_t begin;
  size_t end;
  bool match = false;
};

// Joins matches and gaps, which alternate in any way, as the rule says.
void apply_behavior(const SplitRule& rule, std::vector<Span>& spans, std::vector<Span>& out) {
  const size_t first = out.size();
  bool joined = false;  // the last span may still take the next one in
  for (Span span : spans) {
    if (rule.invert) span.match = !span.match;
    if (span.begin == span.end) continue;
    const bool has_last = out.size() > first;
    switch (rule.behavior) {
      case SplitBehavior::kIsolated:
        out.push_back(span);
        break;
      case SplitBehavior::kRemoved:
        if (!span.match) out.push_back(span);
        break;
      case SplitBehavior::kContiguous:
        if (has_last && span.match && out.back().match) {
          out.back().end = span.end;
        } else {
          out.push_back(span);
        }
        break;
      case SplitBehavior::kMergedWithPrevious:
        if (has_last && span.match && joined) {
          out.back().end = span.end;
          joined = false;
        } else {
          out.push_back(span);
          joined = !span.match;
        }
        break;
      case SplitBehavior::kMergedWithNext:
        if (has_last && !span.match && joined) {
          out.back().end = span.end;
        } else {
          out.push_back(span);
        }
        joined = span.match;
        break;
    }
  }
}

// Code points of a text with their byte offsets (one more, for the end).
struct CodePoints {
  std::vector<UChar32> codes;
  std::vector<uint32_t> offsets;

  explicit CodePoints(std::string_view text) {
    codes.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (size_t i = 0; i < text.size();) {
      const Utf8Char c = decode_utf8(text, i);
      codes.push_back(static_cast<UChar32>(c.code));
      offsets.push_back(static_cast<uint32_t>(i));
      i += c.length;
    }
    offsets.push_back(static_cast<uint32_t>(text.size()));
  }
};

void add_match(size_t begin, size_t end, Span segment, std::vector<Span>& spans) {
  const size_t last = spans.empty() ? segment.begin : spans.back().end;
  if (begin > last) spans.push_back({last, begin});
  spans.push_back({begin, end, true});
}

void close_segment(Span segment, std::vector<Span>& spans) {
  const size_t last = spans.empty() ? segment.begin : spans.back().end;
  if (segment.end > last) spans.push_back({last, segment.end});
}

}  // namespace

struct Pretokenizer::Rule {
  SplitRule rule;
  Regex regex;
  std::vector<UChar32> literal;

  void find_literal(const std::vector<UChar32>& codes, Span segment,
                    std::vector<Span>& spans) const {
    const auto end = codes.begin() + static_cast<ptrdiff_t>(segment.end);
    auto at = codes.begin() + static_cast<ptrdiff_t>(segment.begin);
    while ((at = std::search(at, end, literal.begin(), literal.end())) != end) {
      const size_t begin = static_cast<size_t>(at - codes.begin());
      add_match(begin, begin + literal.size(), segment, spans);
      at += static_cast<ptrdiff_t>(literal.size());
    }
  }

  void find_regex(const std::vector<UChar32>& codes, Span segment, std::vector<Span>& spans) const {
    const UChar32* data = codes.data();
    for (RegexIterator it(data + segment.begin, data + segment.end, regex), end; it != end; ++it) {
      add_match(static_cast<size_t>((*it)[0].first - data),
                static_cast<size_t>((*it)[0].second - data), segment, spans);
    }
  }
};

Pretokenizer::Pretokenizer() = default;
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;
Pretokenizer::~Pretokenizer() = default;

Result<Pretokenizer> Pretokenizer::create(std::vector<SplitRule> rules) {
  Pretokenizer result;
  for (SplitRule& rule : rules) {
    auto compiled = std::make_unique<Rule>();
    if (rule.literal) {
      compiled->literal = CodePoints(rule.pattern).codes;
      if (compiled->literal.empty()) continue;
    } else {
      Result<std::vector<UChar32>> pattern = PatternTranslator(rule.pattern).translate();
      if (!pattern) return pattern.status();
      try {
        compiled->regex.assign(pattern->data(), pattern->data() + pattern->size(),
                               boost::regex_constants::perl);
      } catch (const std::exception& error) {
        return Status(StatusCode::kParseError,
                      std::string("The pre-tokenization pattern is invalid: ") + error.what(),
                      "pattern:" + rule.pattern);
      }
    }
    compiled->rule = std::move(rule);
    result.rules_.push_back(std::move(compiled));
  }
  return result;
}

Status Pretokenizer::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  if (text.empty()) return Status();
  if (text.size() >= UINT32_MAX) {
    return Status(StatusCode::kBudgetExceeded, "The text is longer than 4 GiB.");
  }
  if (rules_.empty()) {
    pieces.push_back(text);
    return Status();
  }
  const CodePoints points(text);
  std::vector<Span> segments = {{0, points.codes.size()}};
  std::vector<Span> next;
  std::vector<Span> spans;
  for (const auto& rule : rules_) {
    next.clear();
    for (const Span segment : segments) {
      spans.clear();
      try {
        if (rule->rule.literal) {
          rule->find_literal(points.codes, segment, spans);
        } else {
          rule->find_regex(points.codes, segment, spans);
        }
      } catch (const std::exception& error) {
        return Status(
            StatusCode::kBudgetExceeded,
            std::string("The pre-tokenization pattern backtracks too much: ") + error.what(),
            "offset " + std::to_string(points.offsets[segment.begin]));
      }
      close_segment(segment, spans);
      apply_behavior(rule->rule, spans, next);
    }
    segments.swap(next);
  }
  for (const Span segment : segments) {
    const uint32_t begin = points.offsets[segment.begin];
    pieces.push_back(text.substr(begin, points.offsets[segment.end] - begin));
  }
  return Status();
}

std::string_view Pretokenizer::pattern() const {
  if (rules_.size() != 1) return {};
  const SplitRule& rule = rules_[0]->rule;
  const bool plain = !rule.literal && !rule.invert && rule.behavior == SplitBehavior::kIsolated;
  return plain ? std::string_view(rule.pattern) : std::string_view();
}

size_t Pretokenizer::memory_bytes() const {
  constexpr size_t kAutomatonBytesPerUnit = 64;
  size_t total = 0;
  for (const auto& rule : rules_) {
    total += sizeof(Rule) + rule->rule.pattern.size() * kAutomatonBytesPerUnit;
  }
  return total;
}

}  // namespace espalier
