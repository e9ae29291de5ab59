// Reads the parts of a regular expression that stand for code points: ECMA-262, section 22.2.1,
// CharacterEscape, CharacterClassEscape and CharacterClass, and Annex B.1.2 for the lenient mode.
//
//     \u{1F432}  \uD83D\uDC32  \x41  \cJ  \0         one code point
//     \d \w \s \p{Lu} and their complements       a set
//     [a-z\d-]                                     a set
//
// In the lenient mode an escape that means nothing is the escaped character (`\_`, `\@`), digits
// are octal, and a range bounded by a set is its two ends and the hyphen (`[\w-.]`).
#include "grammar/regex/regex_reader.h"

#include <algorithm>

#include "grammar/codepoints/unicode_property.h"
#include "grammar/regex/regex_ast.h"

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

const CodepointSet& name_start_set() {
  static const CodepointSet set = unicode_property("ID_Start")
                                      .value_or(CodepointSet())
                                      .unite(CodepointSet({{'$', '$'}, {'_', '_'}}));
  return set;
}

const CodepointSet& name_part_set() {
  static const CodepointSet set =
      unicode_property("ID_Continue")
          .value_or(CodepointSet())
          .unite(CodepointSet({{'$', '$'}, {'_', '_'}, {0x200C, 0x200D}}));
  return set;
}

namespace {

/// Larger numbers in escapes are cut to this.
constexpr uint32_t kMaxNumber = UINT32_MAX - 1;

int hex_value(uint32_t c) {
  if (RegexReader::is_digit(c)) return static_cast<int>(c - '0');
  if (c < 0x80 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
    return static_cast<int>((c | 0x20) - 'a' + 10);
  return -1;
}

}  // namespace

std::optional<uint32_t> decode_pattern(std::string_view text, std::vector<PatternSymbol>* out) {
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

bool RegexReader::eat(uint32_t codepoint) {
  if (peek() != codepoint) return false;
  ++at_;
  return true;
}

bool RegexReader::eat(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (peek(i) != static_cast<uint8_t>(text[i])) return false;
  }
  at_ += text.size();
  return true;
}

uint32_t RegexReader::fail_at(size_t at, std::string message) {
  if (!failed_) {
    failed_ = true;
    message_ = std::move(message);
    place_ = offset(at);
  }
  at_ = symbols_.size();
  return 0;
}

std::optional<uint32_t> RegexReader::hex(size_t digits) {
  uint32_t value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const int digit = hex_value(peek(i));
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  at_ += digits;
  return value;
}

std::optional<uint32_t> RegexReader::unicode_escape() {
  const size_t begin = at_;
  if (eat('{')) {
    uint64_t value = 0;
    size_t digits = 0;
    for (; hex_value(peek()) >= 0; ++at_, ++digits) {
      value = std::min<uint64_t>(value << 4 | static_cast<uint32_t>(hex_value(peek())), kMaxNumber);
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

bool RegexReader::escape(size_t begin, bool in_class, Atom* out) {
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

bool RegexReader::octal(size_t begin, uint32_t first, Atom* out) {
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

bool RegexReader::property(size_t begin, bool negated, Atom* out) {
  std::string name;
  if (eat('{')) {
    for (; peek() != '}' && peek() < 0x80; ++at_) name.push_back(static_cast<char>(peek()));
    if (!eat('}')) name.clear();
  } else if (!strict_ && is_letter(peek())) {
    name.push_back(static_cast<char>(peek()));
    ++at_;
  }
  auto set = unicode_property(name, strict_ ? ScriptNames::kQualified : ScriptNames::kBare);
  if (!set) {
    fail_at(begin, "Unknown Unicode property '" + name + "'");
    return false;
  }
  out->single = false;
  out->set = negated ? set->complement() : *std::move(set);
  return true;
}

bool RegexReader::class_atom(Atom* out) {
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

std::optional<RegexReader::Class> RegexReader::character_class() {
  const size_t begin = at_;
  ++at_;
  const bool negated = eat('^');
  std::vector<CodepointRange> ranges;
  const auto include = [&](const Atom& atom) {
    if (atom.single) {
      ranges.push_back({atom.codepoint, atom.codepoint});
    } else {
      ranges.insert(ranges.end(), atom.set.ranges().begin(), atom.set.ranges().end());
    }
  };
  while (!eat(']')) {
    const size_t at = at_;
    Atom first;
    if (!class_atom(&first)) {
      fail_at(begin, "A character class is not closed");
      return std::nullopt;
    }
    if (peek() != '-' || peek(1) == ']' || peek(1) == kEndOfPattern) {
      include(first);
      continue;
    }
    ++at_;
    Atom last;
    if (!class_atom(&last)) {
      fail_at(begin, "A character class is not closed");
      return std::nullopt;
    }
    if (first.single && last.single) {
      if (first.codepoint > last.codepoint) {
        fail_at(at, "The bounds of a range are out of order");
        return std::nullopt;
      }
      ranges.push_back({first.codepoint, last.codepoint});
      continue;
    }
    if (strict_) {
      fail_at(at, "A range cannot be bounded by a set");
      return std::nullopt;
    }
    include(first);
    include(last);
    ranges.push_back({'-', '-'});
  }
  return Class{negated, CodepointSet(std::move(ranges))};
}

}  // namespace espalier
