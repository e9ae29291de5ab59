// The format `hostname`: labels of letters, digits and inner hyphens, at most 63 characters each
// and 253 in all (RFC 1123, section 2.1; RFC 1034, section 3.1), where a label that starts with
// "xn--" is the A-label of an internationalized name and must decode to a valid U-label (RFC 5890).
//
// A state is what matters of the text so far: its length, what the Bidi rule remembers of finished
// labels (RFC 5893: a name with a right-to-left label has only labels that keep the rule), and the
// current label: its length and last character or, after "xn--", its text.
//
//     "www.xn--ll"   ->   {length 10, label "xn--ll"}
//
// Plain labels are finite and small. Punycode has no useful finite automaton; whether a prefix of
// an A-label can be completed is decided by trial: first the Punycode of the prefix with a
// letter put before or behind it, then all continuations of up to three digits, but for those in
// which the text has more faults than the digits left can insert code points. Within the first
// 50 characters of a label the former always succeeds; near the limit of 63 a prefix that only a
// longer continuation could rescue is refused.
//
// Cost: a plain state is a few comparisons, an A-label state some Punycode conversions.
#include "schema/formats/hostname.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <string_view>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/codepoints/letter_classes.h"
#include "schema/formats/idna.h"
#include "schema/formats/punycode.h"

namespace espalier {
namespace {

constexpr int kMaxLabel = 63;
constexpr int kMaxName = 253;
constexpr std::string_view kAcePrefix = "xn--";
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr int kTrialDigits = 3;

bool is_a_label(const Hostname& name) { return name.label.size() >= kAcePrefix.size(); }

int room(const Hostname& name) {
  return std::min(kMaxLabel - name.label_length, kMaxName - name.length);
}

bool fits(const Hostname& name, LabelDirection direction) {
  const bool bidi = name.some_right_to_left || direction.right_to_left;
  return !(bidi && (name.some_breaks_rule || direction.breaks_rule));
}

/// What the current label is if it ends here; nullopt if it cannot end here.
std::optional<LabelDirection> finished_label(const Hostname& name) {
  if (name.label_length == 0 || name.label_length > kMaxLabel || name.last_hyphen) {
    return std::nullopt;
  }
  LabelDirection direction{.right_to_left = false, .breaks_rule = name.first_digit};
  if (is_a_label(name)) {
    const auto checked = check_a_label(name.label);
    if (!checked) return std::nullopt;
    direction = *checked;
  }
  if (!fits(name, direction)) return std::nullopt;
  return direction;
}

Hostname with_character(Hostname name, char c) {
  const bool could_be_ace = name.label.size() == static_cast<size_t>(name.label_length);
  name.first_digit = name.label_length == 0 ? c >= '0' && c <= '9' : name.first_digit;
  name.last_hyphen = c == '-';
  ++name.label_length;
  ++name.length;
  if (!could_be_ace) return name;
  name.label += c;
  const size_t known = std::min(name.label.size(), kAcePrefix.size());
  if (name.label.compare(0, known, kAcePrefix, 0, known) != 0) name.label.clear();
  return name;
}

bool can_end_as(const Hostname& name, const std::string& label) {
  Hostname longer = name;
  longer.label = label;
  longer.label_length = static_cast<int>(label.size());
  longer.last_hyphen = label.back() == '-';
  return finished_label(longer).has_value();
}

std::optional<std::string> completed_by_letters(const Hostname& name) {
  constexpr char16_t kLetters[] = {u'\u00E0', u'\u03B1'};
  const size_t limit = name.label.size() + static_cast<size_t>(room(name));
  std::vector<std::u16string> stems;
  stems.emplace_back(name.label.begin() + kAcePrefix.size(), name.label.end());
  if (name.last_hyphen && !stems[0].empty()) {
    stems.push_back(stems[0].substr(0, stems[0].size() - 1));
  }
  for (const std::u16string& stem : stems) {
    for (char16_t letter : kLetters) {
      for (const std::u16string& text : {stem + letter, letter + stem, letter + stem + letter}) {
        std::string label = to_a_label(text);
        if (label.size() <= limit && label.starts_with(name.label) && can_end_as(name, label)) {
          return label;
        }
      }
    }
  }
  return std::nullopt;
}

/// The text that digits of Punycode stand for, as far as they have been read.
class Decoded {
 public:
  explicit Decoded(std::string_view basic)
      : reader_(static_cast<uint32_t>(basic.size())), text_(basic.begin(), basic.end()) {}

  /// False where no continuation is valid.
  bool feed(char digit) {
    const auto step = reader_.feed(*PunycodeReader::digit_value(digit));
    inserted_ = step == PunycodeReader::Step::kInserted;
    if (!inserted_) return step == PunycodeReader::Step::kPartial;
    text_.insert(reader_.place(), 1, static_cast<char32_t>(reader_.inserted()));
    return is_allowed_in_u_label(reader_.inserted());
  }
  bool whole() const { return inserted_; }

  /// How many more code points the text needs at least. One is inserted at one place, where it may
  /// part two marks that are out of order, or go before a mark that is the first; but nothing makes
  /// up for both directions in one label (RFC 5893, section 2).
  int lack() const {
    const auto class_of = [&](size_t i) {
      return u_getCombiningClass(static_cast<UChar32>(text_[i]));
    };
    int lack = !text_.empty() && (U_GET_GC_MASK(static_cast<UChar32>(text_[0])) & U_GC_M_MASK) != 0;
    bool left = false, right = false;
    for (size_t i = 0; i < text_.size(); ++i) {
      const UCharDirection direction = u_charDirection(static_cast<UChar32>(text_[i]));
      left |= direction == U_LEFT_TO_RIGHT;
      right |= direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC ||
               direction == U_ARABIC_NUMBER;
      if (i > 0 && class_of(i) != 0 && class_of(i - 1) > class_of(i)) ++lack;
    }
    return left && right ? kMaxLabel : lack;
  }

 private:
  PunycodeReader reader_;
  std::u32string text_;
  bool inserted_ = false;
};

/// Tries all digits after `label`, at most `depth`, that insert only allowed code points.
bool completed_by_digits(const Hostname& name, const Decoded& decoded, std::string* label,
                         int depth) {
  if (depth <= 0 || decoded.lack() > depth) return false;
  for (char c : kDigits) {
    Decoded next = decoded;
    if (!next.feed(c)) continue;
    label->push_back(c);
    if (next.whole() && next.lack() == 0 && can_end_as(name, *label)) return true;
    if (completed_by_digits(name, next, label, depth - 1)) return true;
    label->pop_back();
  }
  return false;
}

/// Reads the digits after the last hyphen; nullopt if no continuation of them is valid.
std::optional<Decoded> read_digits(std::string_view text) {
  const size_t hyphen = text.rfind('-');
  const bool basic = hyphen != std::string_view::npos;
  Decoded decoded(text.substr(0, basic ? hyphen : 0));
  for (char c : text.substr(basic ? hyphen + 1 : 0)) {
    if (!decoded.feed(c)) return std::nullopt;
  }
  return decoded;
}

/// A label that starts as the current A-label does and may end, if one is found.
std::optional<std::string> completed_label(const Hostname& name) {
  std::string label = name.label;
  if (can_end_as(name, label)) return label;
  if (auto longer = completed_by_letters(name)) return longer;
  const int depth = std::min(room(name), kTrialDigits);
  const std::string text = label.substr(kAcePrefix.size());
  const auto decoded = read_digits(text);
  if (decoded && completed_by_digits(name, *decoded, &label, depth)) return label;
  const Decoded fresh(text);
  label.push_back('-');
  if (completed_by_digits(name, fresh, &label, depth - 1)) return label;
  return std::nullopt;
}

bool is_live_plain(const Hostname& name) {
  if (name.first_digit && name.some_right_to_left) return false;
  return room(name) > 0 || (name.label_length > 0 && !name.last_hyphen);
}

}  // namespace

bool HostnameMachine::is_live(const State& name, const std::string& completion) {
  if (room(name) < 0) return false;
  if (!is_a_label(name)) return is_live_plain(name);
  if (completions_.contains(name)) return true;
  const auto own = completion.starts_with(name.label) ? completion : completed_label(name);
  if (own) completions_.emplace(name, *own);
  return own.has_value();
}

std::optional<Hostname> HostnameMachine::step(const State& state, uint32_t c) {
  if (c == '.') {
    const auto label = finished_label(state);
    if (!label) return std::nullopt;
    Hostname after;
    after.length = state.length + 1;
    after.some_right_to_left = state.some_right_to_left || label->right_to_left;
    after.some_breaks_rule = state.some_breaks_rule || label->breaks_rule;
    return is_live(after, {}) ? std::optional(after) : std::nullopt;
  }
  if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  const bool letter_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  if (!letter_digit && (c != '-' || state.label_length == 0)) return std::nullopt;
  const auto known = completions_.find(state);
  Hostname next = with_character(state, static_cast<char>(c));
  const bool live = is_live(next, known == completions_.end() ? std::string() : known->second);
  return live ? std::optional(std::move(next)) : std::nullopt;
}

bool HostnameMachine::accepting(const State& state) const {
  return finished_label(state).has_value();
}

// Far from both limits plain characters are not worth counting. An A-label that is begun later has
// as much room as its own limit leaves.
std::optional<Hostname> HostnameMachine::distant(const State& state) const {
  constexpr int kRoom = CodepointAutomaton::kHorizon + 1;
  if (state.length + kRoom + kMaxLabel > kMaxName || state.label_length + kRoom > kMaxLabel ||
      is_a_label(state)) {
    return std::nullopt;
  }
  State far = state;
  if (state.label.empty()) far.label_length = std::min(state.label_length, 1);
  far.length = std::min(state.length, 4);
  return far;
}

// Lengths and directions only forbid, and any character may follow in some A-label.
Hostname HostnameMachine::coarse(const State& state) const {
  Hostname out;
  out.length = out.label_length = std::min(state.label_length, 1);
  out.last_hyphen = state.last_hyphen;
  return out;
}

void HostnameMachine::refine(LetterClasses* classes) const {
  classes->refine_each({'-', '.'});
  for (const char c : kDigits) {
    const auto digit = static_cast<uint32_t>(static_cast<uint8_t>(c));
    const uint32_t upper = c >= 'a' ? digit - 'a' + 'A' : digit;
    classes->refine(CodepointSet({{upper, upper}, {digit, digit}}));
  }
}

uint32_t HostnameMachine::toward_end(const State& state) const {
  const auto known = completions_.find(state);
  if (known == completions_.end()) return 'a';
  return static_cast<uint8_t>(known->second[state.label.size()]);
}

void HostnameMachine::cuts(const State& state, std::vector<uint32_t>* out) const {
  if (is_a_label(state)) {
    for (uint32_t c = '-'; c <= 0x80; ++c) out->push_back(c);
    return;
  }
  for (const char c : std::string_view("-./0:A[a{")) out->push_back(static_cast<uint8_t>(c));
  if (state.label.size() < static_cast<size_t>(state.label_length)) return;
  // The next character of the prefix leads to a label that may become an A-label.
  const auto next = static_cast<uint8_t>(kAcePrefix[state.label.size()]);
  for (const uint32_t c : {next - 'a' + 'A', next - 'a' + 'B', next + 0, next + 1}) {
    if (next != '-') out->push_back(c);
  }
}

}  // namespace espalier
