// Host names with internationalized labels for the reference validator, as the RFCs read: RFC 5890
// (labels), 5891 (protocol), 5892 (code points and contextual rules), 5893 (Bidi), 3492 (Punycode).

#include "tests/reference_hostname.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <limits>
#include <set>

#include "tests/reference_json.h"

namespace espalier::reference {
namespace {

using Label = std::vector<uint32_t>;

bool is_ascii(const Label& label) {
  return std::all_of(label.begin(), label.end(), [](uint32_t c) { return c < 0x80; });
}
bool is_lower_ldh(uint32_t c) {
  return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}
UChar32 character(uint32_t c) { return static_cast<UChar32>(c); }

// RFC 3492, section 6.
struct Punycode {
  static constexpr uint32_t kBase = 36, kMin = 1, kMax = 26, kSkew = 38, kDamp = 700;
  uint32_t n = 0x80, bias = 72;

  static uint32_t threshold(uint32_t k, uint32_t bias) {
    return k <= bias ? kMin : std::min(k - bias, kMax);
  }
  void adapt(uint64_t delta, uint64_t points, bool first) {
    delta = first ? delta / kDamp : delta / 2;
    delta += delta / points;
    uint32_t k = 0;
    for (; delta > ((kBase - kMin) * kMax) / 2; k += kBase) delta /= kBase - kMin;
    bias = k + static_cast<uint32_t>((kBase - kMin + 1) * delta / (delta + kSkew));
  }
};

std::optional<Label> decode(const std::string& text) {
  const size_t hyphen = text.rfind('-');
  Label out;
  size_t at = 0;
  if (hyphen != std::string::npos) {
    out.assign(text.begin(), text.begin() + static_cast<ptrdiff_t>(hyphen));
    at = hyphen + 1;
  }
  Punycode state;
  uint64_t i = 0;
  while (at < text.size()) {
    const uint64_t old = i;
    uint64_t weight = 1;
    for (uint32_t k = Punycode::kBase;; k += Punycode::kBase) {
      if (at == text.size()) return std::nullopt;
      const char c = text[at++];
      if (c == '-') return std::nullopt;
      const uint32_t digit = static_cast<uint32_t>(c >= 'a' ? c - 'a' : c - '0' + 26);
      i += digit * weight;
      const uint32_t t = Punycode::threshold(k, state.bias);
      if (digit < t) break;
      weight *= Punycode::kBase - t;
      if (i > std::numeric_limits<uint32_t>::max() || weight > std::numeric_limits<uint32_t>::max())
        return std::nullopt;
    }
    const uint64_t points = out.size() + 1;
    state.adapt(i - old, points, old == 0);
    const uint64_t code = state.n + i / points;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
    state.n = static_cast<uint32_t>(code);
    i %= points;
    out.insert(out.begin() + static_cast<ptrdiff_t>(i), state.n);
    ++i;
  }
  return out;
}

std::string encode(const Label& label) {
  std::string out;
  for (const uint32_t c : label) {
    if (c < 0x80) out += static_cast<char>(c);
  }
  size_t handled = out.size();
  const size_t basic = handled;
  if (basic > 0) out += '-';
  Punycode state;
  uint64_t delta = 0;
  while (handled < label.size()) {
    uint32_t next = 0x110000;
    for (const uint32_t c : label) {
      if (c >= state.n) next = std::min(next, c);
    }
    delta += uint64_t{next - state.n} * (handled + 1);
    state.n = next;
    for (const uint32_t c : label) {
      if (c < state.n) ++delta;
      if (c != state.n) continue;
      uint64_t q = delta;
      for (uint32_t k = Punycode::kBase;; k += Punycode::kBase) {
        const uint32_t t = Punycode::threshold(k, state.bias);
        const uint64_t digit = q < t ? q : t + (q - t) % (Punycode::kBase - t);
        out += static_cast<char>(digit < 26 ? 'a' + digit : '0' + digit - 26);
        if (q < t) break;
        q = (q - t) / (Punycode::kBase - t);
      }
      state.adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++state.n;
  }
  return out;
}

// RFC 5892, section 3: PVALID, CONTEXTJ or CONTEXTO.
bool is_permitted(uint32_t code) {
  static const std::set<uint32_t> kValid = {0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007};
  static const std::set<uint32_t> kContext = {0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB};
  static const std::set<uint32_t> kDisallowed = {0x640,  0x7FA,  0x302E, 0x302F, 0x3031,
                                                 0x3032, 0x3033, 0x3034, 0x3035, 0x303B};
  const UChar32 c = character(code);
  if (kValid.count(code) != 0 || kContext.count(code) != 0) return true;
  if (kDisallowed.count(code) != 0) return false;
  if (is_lower_ldh(code) || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL)) return true;
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCInstance(error);
  const icu::UnicodeString self(c);
  icu::UnicodeString folded = nfkc->normalize(self, error);
  folded.foldCase();
  if (nfkc->normalize(folded, error) != self) return false;
  if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
      u_hasBinaryProperty(c, UCHAR_WHITE_SPACE) || (code & 0xFFFE) == 0xFFFE)
    return false;
  const UBlockCode block = ublock_getCode(c);
  if (block == UBLOCK_COMBINING_MARKS_FOR_SYMBOLS || block == UBLOCK_MUSICAL_SYMBOLS ||
      block == UBLOCK_ANCIENT_GREEK_MUSICAL_NOTATION)
    return false;
  const int syllable = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
  if (syllable == U_HST_LEADING_JAMO || syllable == U_HST_VOWEL_JAMO ||
      syllable == U_HST_TRAILING_JAMO)
    return false;
  switch (u_charType(c)) {
    case U_LOWERCASE_LETTER:
    case U_UPPERCASE_LETTER:
    case U_OTHER_LETTER:
    case U_MODIFIER_LETTER:
    case U_DECIMAL_DIGIT_NUMBER:
    case U_NON_SPACING_MARK:
    case U_COMBINING_SPACING_MARK:
      return true;
    default:
      return false;
  }
}

bool has_script(uint32_t c, UScriptCode script) {
  UErrorCode error = U_ZERO_ERROR;
  return uscript_getScript(character(c), &error) == script;
}

// RFC 5892, appendix A.1: between a joining letter and the next, whatever is transparent aside.
bool joins(const Label& label, size_t at) {
  const auto type = [&](size_t i) {
    return u_getIntPropertyValue(character(label[i]), UCHAR_JOINING_TYPE);
  };
  size_t left = at, right = at + 1;
  while (left > 0 && type(left - 1) == U_JT_TRANSPARENT) --left;
  while (right < label.size() && type(right) == U_JT_TRANSPARENT) ++right;
  if (left == 0 || right == label.size()) return false;
  return (type(left - 1) == U_JT_LEFT_JOINING || type(left - 1) == U_JT_DUAL_JOINING) &&
         (type(right) == U_JT_RIGHT_JOINING || type(right) == U_JT_DUAL_JOINING);
}

// RFC 5892, appendix A.
bool context_permits(const Label& label, size_t at) {
  constexpr uint8_t kVirama = 9;
  const auto any = [&](auto&& predicate) {
    return std::any_of(label.begin(), label.end(), predicate);
  };
  const uint32_t c = label[at];
  const uint32_t before = at > 0 ? label[at - 1] : 0;
  const uint32_t after = at + 1 < label.size() ? label[at + 1] : 0;
  const bool virama = at > 0 && u_getCombiningClass(character(before)) == kVirama;
  if (c == 0x200C) return virama || joins(label, at);
  if (c == 0x200D) return virama;
  if (c == 0xB7) return before == 'l' && after == 'l';
  if (c == 0x375) return after != 0 && has_script(after, USCRIPT_GREEK);
  if (c == 0x5F3 || c == 0x5F4) return at > 0 && has_script(before, USCRIPT_HEBREW);
  if (c == 0x30FB) {
    return any([](uint32_t d) {
      return has_script(d, USCRIPT_HIRAGANA) || has_script(d, USCRIPT_KATAKANA) ||
             has_script(d, USCRIPT_HAN);
    });
  }
  if (c >= 0x660 && c <= 0x669) return !any([](uint32_t d) { return d >= 0x6F0 && d <= 0x6F9; });
  if (c >= 0x6F0 && c <= 0x6F9) return !any([](uint32_t d) { return d >= 0x660 && d <= 0x669; });
  return true;
}

// RFC 5891, section 4.2, without Bidi.
bool is_u_label(const Label& label) {
  if (label.empty() || is_ascii(label) || label.front() == '-' || label.back() == '-') return false;
  if (label.size() > 3 && label[2] == '-' && label[3] == '-') return false;
  icu::UnicodeString text;
  for (const uint32_t c : label) text.append(character(c));
  UErrorCode error = U_ZERO_ERROR;
  if (!icu::Normalizer2::getNFCInstance(error)->isNormalized(text, error)) return false;
  if ((U_GET_GC_MASK(character(label[0])) & U_GC_M_MASK) != 0) return false;
  for (size_t i = 0; i < label.size(); ++i) {
    if (!is_permitted(label[i]) || !context_permits(label, i)) return false;
  }
  return 4 + encode(label).size() <= 63;
}

bool is_right_to_left(const Label& label) {
  return std::any_of(label.begin(), label.end(), [](uint32_t c) {
    const UCharDirection d = u_charDirection(character(c));
    return d == U_RIGHT_TO_LEFT || d == U_RIGHT_TO_LEFT_ARABIC || d == U_ARABIC_NUMBER;
  });
}

// RFC 5893, section 2.
bool keeps_bidi_rule(const Label& label) {
  std::set<UCharDirection> seen;
  UCharDirection last = U_OTHER_NEUTRAL;
  for (const uint32_t c : label) {
    const UCharDirection d = u_charDirection(character(c));
    seen.insert(d);
    if (d != U_DIR_NON_SPACING_MARK) last = d;
  }
  const UCharDirection first = u_charDirection(character(label[0]));
  const bool right = first == U_RIGHT_TO_LEFT || first == U_RIGHT_TO_LEFT_ARABIC;
  if (!right && first != U_LEFT_TO_RIGHT) return false;
  std::set<UCharDirection> allowed = {U_EUROPEAN_NUMBER,         U_EUROPEAN_NUMBER_SEPARATOR,
                                      U_COMMON_NUMBER_SEPARATOR, U_EUROPEAN_NUMBER_TERMINATOR,
                                      U_OTHER_NEUTRAL,           U_BOUNDARY_NEUTRAL,
                                      U_DIR_NON_SPACING_MARK};
  if (right) {
    allowed.insert({U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC, U_ARABIC_NUMBER});
  } else {
    allowed.insert(U_LEFT_TO_RIGHT);
  }
  if (!std::includes(allowed.begin(), allowed.end(), seen.begin(), seen.end())) return false;
  if (!right) return last == U_LEFT_TO_RIGHT || last == U_EUROPEAN_NUMBER;
  if (seen.count(U_EUROPEAN_NUMBER) != 0 && seen.count(U_ARABIC_NUMBER) != 0) return false;
  return last == U_RIGHT_TO_LEFT || last == U_RIGHT_TO_LEFT_ARABIC || last == U_EUROPEAN_NUMBER ||
         last == U_ARABIC_NUMBER;
}

// The label as it is shown (an A-label decoded) and its length on the wire; none: invalid.
struct Checked {
  Label shown;
  size_t length;
};
std::optional<Checked> check(const Label& label) {
  if (label.empty()) return std::nullopt;
  if (!is_ascii(label)) {
    if (!is_u_label(label)) return std::nullopt;
    return Checked{label, 4 + encode(label).size()};
  }
  std::string lower;
  for (const uint32_t c : label) {
    lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (!is_lower_ldh(static_cast<uint32_t>(lower.back()))) return std::nullopt;
  }
  if (lower.size() > 63 || lower.front() == '-' || lower.back() == '-') return std::nullopt;
  if (lower.rfind("xn--", 0) != 0) return Checked{label, label.size()};
  const std::string rest = lower.substr(4);
  const auto decoded = decode(rest);
  if (!decoded || !is_u_label(*decoded) || encode(*decoded) != rest) return std::nullopt;
  return Checked{*decoded, label.size()};
}

}  // namespace

bool is_hostname(const std::string& text, HostnameKind kind) {
  std::vector<Label> labels(1);
  for (const uint32_t c : code_points(text)) {
    const bool wide = c == 0x3002 || c == 0xFF0E || c == 0xFF61;
    if (c >= 0x80 && kind == HostnameKind::kAscii) return false;
    if (c == '.' || wide) {
      labels.emplace_back();
    } else {
      labels.back().push_back(c);
    }
  }
  size_t length = labels.size() - 1;
  bool right_to_left = false, keeps_rule = true;
  for (const Label& label : labels) {
    const auto checked = check(label);
    if (!checked) return false;
    length += checked->length;
    right_to_left |= is_right_to_left(checked->shown);
    keeps_rule &= keeps_bidi_rule(checked->shown);
  }
  return length <= 253 && (!right_to_left || keeps_rule);
}

}  // namespace espalier::reference
