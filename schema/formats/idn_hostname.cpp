// The format `idn-hostname`: labels, separated by a dot or one of its ideographic and wide forms,
// that are LDH labels, A-labels or U-labels (RFC 5890, section 2.3.2; separators as in UTS #46).
//
// A state is what the Bidi rule and the lengths ask of finished labels, and the text of the current
// one. A label is judged as a whole when it ends: ICU makes its A-label and checks normalization,
// the contextual rules and the Bidi rule (idna.cpp); its length is that of the A-label.
//
//     "l\u00B7" is alive, for "l\u00B7l" may end; "\u00B7" is dead, no 'l' stands before it
//
// Whether a beginning can be completed is decided by trial: by itself, with one character that some
// rule asks for, or with two. A rule that a label breaks for good is noticed at once, without ICU,
// where a single look at its last two characters tells.
//
// Invariant: every state given has a rest that ends the name; it is remembered.
// Cost: a few conversions by ICU, microseconds each, for a new state; more for a dead one.
// References: RFC 5890 to 5893; UTS #46.
#include "schema/formats/idn_hostname.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {
namespace {

constexpr uint32_t kMaxLabel = 63;
constexpr uint32_t kMaxName = 253;
constexpr uint32_t kMiddleDot = 0xB7;
constexpr uint32_t kKeraia = 0x375;
constexpr uint32_t kGeresh = 0x5F3;
constexpr uint32_t kGershayim = 0x5F4;
constexpr uint32_t kJoiner = 0x200D;
constexpr uint32_t kArabicZero = 0x660;
constexpr uint32_t kExtendedZero = 0x6F0;
constexpr uint8_t kVirama = 9;  // a combining class

bool is_separator(uint32_t c) { return c == '.' || c == 0x3002 || c == 0xFF0E || c == 0xFF61; }

bool is_ldh(uint32_t c) {
  return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; });
}

std::string lower_ascii(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

std::u16string utf16(std::u32string_view text) {
  std::u16string out;
  for (const char32_t c : text) {
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xD7C0 + (c >> 10));
      out += static_cast<char16_t>(0xDC00 + (c & 0x3FF));
    }
  }
  return out;
}

bool is_right_to_left(char32_t c) {
  const UCharDirection direction = u_charDirection(static_cast<UChar32>(c));
  return direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC ||
         direction == U_ARABIC_NUMBER;
}

bool is_composed(std::u32string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfc = unorm2_getNFCInstance(&error);
  const std::u16string units = utf16(text);
  return unorm2_isNormalized(nfc, units.data(), static_cast<int32_t>(units.size()), &error) != 0;
}

bool has_script(char32_t c, UScriptCode script) {
  return uscript_hasScript(static_cast<UChar32>(c), script) != 0;
}

/// The contextual rules of RFC 5892, appendix A, as far as what stands before `c` decides them.
bool context_forbids(std::u32string_view before, uint32_t c) {
  const char32_t last = before.empty() ? 0 : before.back();
  const auto has_digit_of = [before](char32_t zero) {
    return std::any_of(before.begin(), before.end(),
                       [zero](char32_t d) { return d >= zero && d < zero + 10; });
  };
  if (last == kMiddleDot && c != 'l') return true;
  if (last == kKeraia && !has_script(c, USCRIPT_GREEK)) return true;
  if (c == kMiddleDot) return last != 'l';
  if (c == kGeresh || c == kGershayim) return !has_script(last, USCRIPT_HEBREW);
  if (c == kJoiner) return u_getCombiningClass(static_cast<UChar32>(last)) != kVirama;
  if (c >= kArabicZero && c < kArabicZero + 10) return has_digit_of(kExtendedZero);
  if (c >= kExtendedZero && c < kExtendedZero + 10) return has_digit_of(kArabicZero);
  return false;
}

/// Does `c` break a rule that no continuation mends?
bool breaks_for_good(const std::u32string& label, uint32_t c) {
  if (c < 0x80 ? !is_ldh(c) : !is_allowed_in_u_label(c)) return true;
  if (label.empty() && (c == '-' || (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) != 0))
    return true;
  if (label.size() >= kMaxLabel || context_forbids(label, c)) return true;
  const std::u32string longer = label + static_cast<char32_t>(c);
  if (is_ascii(longer)) return false;
  const bool upper =
      std::any_of(longer.begin(), longer.end(), [](char32_t d) { return d >= 'A' && d <= 'Z'; });
  if (upper || (longer.size() > 3 && longer[2] == '-' && longer[3] == '-')) return true;
  const bool wrong_way = is_right_to_left(longer.front())
                             ? u_charDirection(static_cast<UChar32>(c)) == U_LEFT_TO_RIGHT
                             : is_right_to_left(c);
  return wrong_way || !is_composed(longer);
}

/// Characters that some rule wants to see, or that end a label well.
constexpr char32_t kMending[] = {U'l', U'\u03B1', U'\u05D0', U'\u0628', U'\u30A2', U'\u1820', U'0'};

/// Everything about one code point that the rules look at.
auto traits(uint32_t c) {
  const UChar32 u = static_cast<UChar32>(c);
  UErrorCode error = U_ZERO_ERROR;
  return std::tuple(is_allowed_in_u_label(c), is_separator(c),
                    (U_GET_GC_MASK(u) & U_GC_M_MASK) != 0, u_charDirection(u),
                    u_getCombiningClass(u), u_getIntPropertyValue(u, UCHAR_JOINING_TYPE),
                    u_getIntPropertyValue(u, UCHAR_NFC_QUICK_CHECK), uscript_getScript(u, &error));
}

/// Where those traits change, above ASCII.
const std::vector<uint32_t>& changes() {
  static const std::vector<uint32_t> all = [] {
    std::vector<uint32_t> starts;
    auto last = traits(0x80);
    for (uint32_t c = 0x81; c <= kMaxCodepoint; ++c) {
      const auto now = traits(c);
      if (now != last) starts.push_back(c);
      last = now;
    }
    return starts;
  }();
  return all;
}

}  // namespace

uint32_t IdnHostnameMachine::intern(const std::u32string& text) {
  const auto [it, added] = text_ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(&it->first);
  return it->second;
}

std::optional<IdnHostnameMachine::Label> IdnHostnameMachine::check(
    const std::u32string& label) const {
  if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
  if (!is_ascii(label)) {
    const auto checked = check_u_label(utf16(label));
    if (!checked || checked->a_label.size() > kMaxLabel) return std::nullopt;
    return Label{static_cast<uint32_t>(checked->a_label.size()), checked->direction};
  }
  if (label.front() == '-' || label.back() == '-') return std::nullopt;
  const std::string lower = lower_ascii(label);
  LabelDirection direction{.right_to_left = false,
                           .breaks_rule = label.front() >= '0' && label.front() <= '9'};
  if (lower.starts_with("xn--")) {
    const auto checked = check_a_label(lower);
    if (!checked) return std::nullopt;
    direction = *checked;
  }
  return Label{static_cast<uint32_t>(label.size()), direction};
}

bool IdnHostnameMachine::may_end(const State& state, const std::u32string& text) const {
  const auto label = check(text);
  if (!label || state.length + label->length > kMaxName) return false;
  const bool bidi = state.some_right_to_left || label->direction.right_to_left;
  return !(bidi && (state.some_breaks_rule || label->direction.breaks_rule));
}

std::optional<std::u32string> IdnHostnameMachine::a_label_rest(const std::u32string& label) {
  std::optional<Hostname> name = hostname_.start();
  for (const char32_t c : label) {
    name = hostname_.step(*name, c);
    if (!name) return std::nullopt;
  }
  std::u32string rest;
  while (!hostname_.accepting(*name)) {
    rest.push_back(hostname_.toward_end(*name));
    name = hostname_.step(*name, rest.back());
  }
  return rest;
}

std::optional<std::u32string> IdnHostnameMachine::find_rest(const State& state) {
  const std::u32string& label = *texts_[state.label];
  if (may_end(state, label)) return std::u32string();
  if (is_ascii(label) && lower_ascii(label).starts_with("xn--")) {
    const auto rest = a_label_rest(label);
    return rest && may_end(state, label + *rest) ? rest : std::nullopt;
  }
  for (const char32_t c : kMending) {
    if (may_end(state, label + c)) return std::u32string(1, c);
  }
  for (const char32_t c : kMending) {
    for (const char32_t d : kMending) {
      if (may_end(state, label + c + d)) return std::u32string{c, d};
    }
  }
  return std::nullopt;
}

std::optional<IdnHostnameMachine::State> IdnHostnameMachine::step(const State& state, uint32_t c) {
  const std::u32string label = *texts_[state.label];
  State next = state;
  if (is_separator(c)) {
    if (!may_end(state, label)) return std::nullopt;
    const Label finished = *check(label);
    next.length += finished.length + 1;
    next.some_right_to_left |= finished.direction.right_to_left;
    next.some_breaks_rule |= finished.direction.breaks_rule;
    next.label = 0;
  } else {
    if (breaks_for_good(label, c)) return std::nullopt;
    next.label = intern(label + static_cast<char32_t>(c));
  }
  if (rests_.contains(next)) return next;
  auto rest = find_rest(next);
  if (!rest) return std::nullopt;
  rests_.emplace(next, *std::move(rest));
  return next;
}

bool IdnHostnameMachine::accepting(const State& state) {
  const auto rest = rests_.find(state);
  return rest != rests_.end() && rest->second.empty();
}

uint32_t IdnHostnameMachine::toward_end(const State& state) {
  const auto rest = rests_.find(state);
  return rest == rests_.end() ? U'a' : rest->second.front();
}

void IdnHostnameMachine::cuts(const State&, std::vector<uint32_t>* out) const {
  for (uint32_t c = 0; c <= 0x80; ++c) out->push_back(c);
  out->insert(out->end(), changes().begin(), changes().end());
}

}  // namespace espalier
