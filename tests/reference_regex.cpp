// ECMA-262 patterns on ICU: the pattern is rewritten symbol by symbol (\d \w \s \b and . have
// ECMA's meaning, $ is the very end, class members are spelled as \x{...}) and matched over UTF-16,
// where lone surrogates are code points of their own.

#include "tests/reference_regex.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "tests/reference_json.h"

namespace espalier::reference {
namespace {

constexpr const char* kSpace =
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"
    "\\x{"
    "3000}\\x{feff}";
constexpr const char* kWord = "0-9A-Z_a-z";

icu::UnicodeString to_utf16(std::string_view text) {
  icu::UnicodeString result;
  for (uint32_t c : code_points(text)) result.append(static_cast<UChar32>(c));
  return result;
}

std::string literal(uint32_t c) {
  static const char* kHex = "0123456789abcdef";
  std::string hex;
  do {
    hex.insert(hex.begin(), kHex[c & 15]);
    c >>= 4;
  } while (c != 0);
  return "\\x{" + hex + "}";
}

enum class LookBehind { kAsIs, kAsLookAhead };

class Translator {
 public:
  explicit Translator(std::string_view pattern, LookBehind look_behind = LookBehind::kAsIs)
      : in_(code_points(pattern)), look_behind_(look_behind) {}

  std::string translate() {
    while (at_ < in_.size()) symbol();
    return out_;
  }

 private:
  struct Member {
    std::optional<uint32_t> code_point;
    std::string set;  // else a set
  };

  uint32_t peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : 0; }
  bool looking_at(std::string_view text) const {
    for (size_t i = 0; i < text.size(); ++i) {
      if (peek(i) != static_cast<unsigned char>(text[i])) return false;
    }
    return true;
  }

  void symbol() {
    const uint32_t c = in_[at_];
    switch (c) {
      case '\\':
        ++at_;
        escape();
        return;
      case '[':
        ++at_;
        character_class();
        return;
      case '.':
        ++at_;
        out_ += "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]";
        return;
      case '^':
        ++at_;
        out_ += "\\A";
        return;
      case '$':
        ++at_;
        out_ += "\\z";
        return;
      case '{':
        quantifier();
        return;
      case '(':
        ++at_;
        out_ += '(';
        for (std::string_view head : {"?:", "?=", "?!", "?<=", "?<!"}) {
          if (!looking_at(head)) continue;
          const bool behind = head.size() == 3 && look_behind_ == LookBehind::kAsLookAhead;
          out_ += behind ? std::string("?") + head.back() : std::string(head);
          at_ += head.size();
          return;
        }
        if (looking_at("?<")) {
          while (at_ < in_.size() && out_.back() != '>') append_code_point(out_, in_[at_++]);
        } else if (peek() == '?') {
          throw std::invalid_argument("unknown group");
        }
        return;
      case ')':
      case '|':
      case '*':
      case '+':
      case '?':
        ++at_;
        out_ += static_cast<char>(c);
        return;
      default:
        ++at_;
        out_ += literal(c);
    }
  }

  void quantifier() {
    size_t end = at_ + 1;
    while (end < in_.size() && ((in_[end] >= '0' && in_[end] <= '9') || in_[end] == ',')) ++end;
    const bool real = end < in_.size() && in_[end] == '}' && end > at_ + 1 && in_[at_ + 1] != ',';
    if (!real) {
      ++at_;
      out_ += "\\{";
      return;
    }
    for (; at_ <= end; ++at_) out_ += static_cast<char>(in_[at_]);
  }

  void escape() {
    const uint32_t c = peek();
    const std::string word = std::string("[") + kWord + "]";
    if (c == 'b' || c == 'B') {
      ++at_;
      const std::string in = "(?<=" + word + ")", not_in = "(?<!" + word + ")";
      const std::string next = "(?=" + word + ")", not_next = "(?!" + word + ")";
      out_ += c == 'b' ? "(?:" + in + not_next + "|" + not_in + next + ")"
                       : "(?:" + in + next + "|" + not_in + not_next + ")";
      return;
    }
    if (c >= '1' && c <= '9') {
      out_ += '\\';
      while (peek() >= '0' && peek() <= '9') out_ += static_cast<char>(in_[at_++]);
      out_ += "(?:)";
      return;
    }
    if (c == 'k' && peek(1) == '<') {
      out_ += '\\';
      while (at_ < in_.size() && out_.back() != '>') append_code_point(out_, in_[at_++]);
      return;
    }
    const Member member = escaped_member();
    out_ += member.code_point ? literal(*member.code_point) : "[" + member.set + "]";
  }

  uint32_t hex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      const uint32_t c = peek();
      const uint32_t lower = c | 32;
      if (c >= '0' && c <= '9') {
        value = value * 16 + (c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + (lower - 'a' + 10);
      } else {
        throw std::invalid_argument("bad hexadecimal escape");
      }
      ++at_;
    }
    return value;
  }

  // After a backslash; the escapes that a class may hold.
  Member escaped_member() {
    if (at_ >= in_.size()) throw std::invalid_argument("pattern ends in a backslash");
    const uint32_t c = in_[at_++];
    switch (c) {
      case 'd':
        return {{}, "0-9"};
      case 'D':
        return {{}, "[^0-9]"};
      case 'w':
        return {{}, kWord};
      case 'W':
        return {{}, std::string("[^") + kWord + "]"};
      case 's':
        return {{}, kSpace};
      case 'S':
        return {{}, std::string("[^") + kSpace + "]"};
      case 'p':
      case 'P': {
        std::string set = c == 'p' ? "\\p" : "\\P";
        if (peek() != '{') throw std::invalid_argument("\\p without {");
        while (at_ < in_.size() && set.back() != '}') append_code_point(set, in_[at_++]);
        return {{}, set};
      }
      case 'n':
        return {'\n', {}};
      case 'r':
        return {'\r', {}};
      case 't':
        return {'\t', {}};
      case 'v':
        return {0x0B, {}};
      case 'f':
        return {0x0C, {}};
      case '0':
        return {0, {}};
      case 'x':
        return {hex(2), {}};
      case 'c': {
        const uint32_t letter = peek() | 32;
        if (letter < 'a' || letter > 'z') throw std::invalid_argument("bad control escape");
        return {in_[at_++] & 31, {}};
      }
      case 'u': {
        if (peek() == '{') {
          ++at_;
          uint32_t value = 0;
          while (peek() != '}') value = value * 16 + hex(1);
          ++at_;
          return {value, {}};
        }
        const uint32_t unit = hex(4);
        if (unit >= 0xD800 && unit < 0xDC00 && looking_at("\\u")) {
          const size_t back = at_;
          at_ += 2;
          const uint32_t low = hex(4);
          if (low >= 0xDC00 && low < 0xE000)
            return {0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), {}};
          at_ = back;
        }
        return {unit, {}};
      }
      default:
        if ((c | 32) >= 'a' && (c | 32) <= 'z') throw std::invalid_argument("unknown escape");
        return {c, {}};
    }
  }

  Member class_member() {
    const uint32_t c = in_[at_++];
    if (c != '\\') return {c, {}};
    if (peek() == 'b') {
      ++at_;
      return {8, {}};
    }
    return escaped_member();
  }

  void character_class() {
    const bool negated = peek() == '^';
    if (negated) ++at_;
    std::string set;
    while (at_ < in_.size() && peek() != ']') {
      const Member first = class_member();
      const bool range = peek() == '-' && at_ + 1 < in_.size() && peek(1) != ']';
      if (!range) {
        set += first.code_point ? literal(*first.code_point) : first.set;
        continue;
      }
      ++at_;
      const Member last = class_member();
      if (first.code_point && last.code_point) {
        if (*first.code_point > *last.code_point)
          throw std::invalid_argument("class range out of order");
        set += literal(*first.code_point) + "-" + literal(*last.code_point);
      } else {
        set += (first.code_point ? literal(*first.code_point) : first.set) + literal('-') +
               (last.code_point ? literal(*last.code_point) : last.set);
      }
    }
    if (at_ >= in_.size()) throw std::invalid_argument("unterminated class");
    ++at_;
    if (set.empty()) {
      out_ += negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)";
    } else {
      out_ += (negated ? "[^" : "[") + set + "]";
    }
  }

  std::vector<uint32_t> in_;
  const LookBehind look_behind_;
  size_t at_ = 0;
  std::string out_;
};

class IcuRegex final : public Regex {
 public:
  explicit IcuRegex(std::unique_ptr<icu::RegexPattern> pattern) : pattern_(std::move(pattern)) {}

  bool search(std::string_view text) const override {
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString input = to_utf16(text);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(input, status));
    const bool found = U_SUCCESS(status) && matcher->find(status);
    if (U_FAILURE(status)) throw std::runtime_error(u_errorName(status));
    return found;
  }

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
};

std::unique_ptr<icu::RegexPattern> compile(std::string_view pattern, LookBehind look_behind,
                                           std::string* error) {
  std::string translated;
  try {
    translated = Translator(pattern, look_behind).translate();
  } catch (const std::invalid_argument& reason) {
    if (error != nullptr) *error = reason.what();
    return nullptr;
  }
  UErrorCode status = U_ZERO_ERROR;
  UParseError where;
  std::unique_ptr<icu::RegexPattern> compiled(icu::RegexPattern::compile(
      to_utf16(translated), UREGEX_ERROR_ON_UNKNOWN_ESCAPES, where, status));
  if (U_SUCCESS(status)) return compiled;
  if (error != nullptr) *error = u_errorName(status);
  return nullptr;
}

}  // namespace

std::shared_ptr<const Regex> Regex::create(std::string_view pattern, std::string* error) {
  auto compiled = compile(pattern, LookBehind::kAsIs, error);
  return compiled == nullptr ? nullptr : std::make_shared<IcuRegex>(std::move(compiled));
}

bool Regex::is_pattern(std::string_view text) {
  return compile(text, LookBehind::kAsLookAhead, nullptr) != nullptr;
}

}  // namespace espalier::reference
