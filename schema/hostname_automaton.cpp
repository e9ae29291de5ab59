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
// letter put before or behind it, then all continuations of up to three digits. Within the first
// 50 characters of a label the former always succeeds; near the limit of 63 a prefix that only a
// longer continuation could rescue is refused.
//
// Cost: a plain state is a few comparisons, an A-label state about 40 Punycode conversions.
#include "schema/hostname_automaton.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "grammar/state_table.h"
#include "schema/idna.h"
#include "schema/punycode.h"

namespace espalier {
namespace {

constexpr int kMaxLabel = 63;
constexpr int kMaxName = 253;
constexpr uint32_t kMaxStates = 1'000'000;
constexpr std::string_view kAcePrefix = "xn--";
constexpr std::string_view kAlphabet = "-0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = kAlphabet.substr(1);
constexpr int kTrialDigits = 3;

struct Hostname {
  int length = 0;
  bool some_right_to_left = false;
  bool some_breaks_rule = false;
  int label_length = 0;
  bool first_digit = false;
  bool last_hyphen = false;
  std::string label;  // lower case; only while it is a prefix of "xn--" or starts with it

  auto key() const {
    return std::tie(length, some_right_to_left, some_breaks_rule, label_length, first_digit,
                    last_hyphen, label);
  }
  friend bool operator<(const Hostname& a, const Hostname& b) { return a.key() < b.key(); }

  bool is_a_label() const { return label.size() >= kAcePrefix.size(); }
  int room() const { return std::min(kMaxLabel - label_length, kMaxName - length); }
  bool fits(LabelDirection direction) const {
    const bool bidi = some_right_to_left || direction.right_to_left;
    return !(bidi && (some_breaks_rule || direction.breaks_rule));
  }
};

/// What the current label is if it ends here; nullopt if it cannot end here.
std::optional<LabelDirection> finished_label(const Hostname& name) {
  if (name.label_length == 0 || name.label_length > kMaxLabel || name.last_hyphen) {
    return std::nullopt;
  }
  LabelDirection direction{.right_to_left = false, .breaks_rule = name.first_digit};
  if (name.is_a_label()) {
    const auto checked = check_a_label(name.label);
    if (!checked) return std::nullopt;
    direction = *checked;
  }
  if (!name.fits(direction)) return std::nullopt;
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
  const size_t limit = name.label.size() + static_cast<size_t>(name.room());
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

/// Tries all digits after `label`, at most `depth`, that insert only allowed code points.
bool completed_by_digits(const Hostname& name, PunycodeReader reader, std::string* label,
                         int depth) {
  if (depth <= 0) return false;
  for (char c : kDigits) {
    PunycodeReader next = reader;
    const auto step = next.feed(*PunycodeReader::digit_value(c));
    if (step == PunycodeReader::Step::kInvalid) continue;
    const bool inserted = step == PunycodeReader::Step::kInserted;
    if (inserted && !is_allowed_in_u_label(next.inserted())) continue;
    label->push_back(c);
    if (inserted && can_end_as(name, *label)) return true;
    if (completed_by_digits(name, next, label, depth - 1)) return true;
    label->pop_back();
  }
  return false;
}

/// Reads the digits after the last hyphen; nullopt if no continuation of them is valid.
std::optional<PunycodeReader> read_digits(std::string_view text) {
  const size_t hyphen = text.rfind('-');
  const size_t digits = hyphen == std::string_view::npos ? 0 : hyphen + 1;
  PunycodeReader reader(static_cast<uint32_t>(digits == 0 ? 0 : hyphen));
  for (char c : text.substr(digits)) {
    const auto step = reader.feed(*PunycodeReader::digit_value(c));
    if (step == PunycodeReader::Step::kInvalid) return std::nullopt;
    if (step == PunycodeReader::Step::kInserted && !is_allowed_in_u_label(reader.inserted())) {
      return std::nullopt;
    }
  }
  return reader;
}

/// A label that starts as the current A-label does and may end, if one is found.
std::optional<std::string> completed_label(const Hostname& name) {
  std::string label = name.label;
  if (can_end_as(name, label)) return label;
  if (auto longer = completed_by_letters(name)) return longer;
  const int depth = std::min(name.room(), kTrialDigits);
  const auto reader = read_digits(std::string_view(label).substr(kAcePrefix.size()));
  if (reader && completed_by_digits(name, *reader, &label, depth)) return label;
  const PunycodeReader fresh(static_cast<uint32_t>(label.size() - kAcePrefix.size()));
  label.push_back('-');
  if (completed_by_digits(name, fresh, &label, depth - 1)) return label;
  return std::nullopt;
}

bool is_live_plain(const Hostname& name) {
  if (name.first_digit && name.some_right_to_left) return false;
  return name.room() > 0 || (name.label_length > 0 && !name.last_hyphen);
}

struct HostnameRecord {
  Hostname name;
  std::string completion;  // of an A-label, so that some successor is live as long as this one is
  bool accepting = false;
  std::vector<CodepointEdge> edges;
  std::atomic<bool> published = false;
};

class HostnameAutomaton final : public CodepointAutomaton {
 public:
  HostnameAutomaton() {
    const std::lock_guard lock(mutex_);
    states_.next().published = true;
    states_.publish_last();
    start_ = intern(Hostname(), {});
  }

  uint32_t start() const override { return start_; }

  std::span<const CodepointEdge> edges(uint32_t state) const override {
    if (state >= states_.size()) return {};
    HostnameRecord& record = states_[state];
    if (!record.published.load(std::memory_order_acquire)) publish(state);
    return record.edges;
  }

  bool accepting(uint32_t state) const override {
    return state < states_.size() && states_[state].accepting;
  }

  bool universal(uint32_t) const override { return false; }

  Status status() const override {
    if (!exceeded_.load(std::memory_order_acquire)) return {};
    return Status(StatusCode::kBudgetExceeded,
                  "The automaton of the format 'hostname' needs more than " +
                      std::to_string(kMaxStates) + " states.");
  }

 private:
  /// The state of `name`, 0 if dead; `completion` is that of the state before, if any.
  uint32_t intern(const Hostname& name, const std::string& completion) const {
    if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
    if (states_.size() > kMaxStates) {
      exceeded_.store(true, std::memory_order_release);
      return 0;
    }
    std::optional<std::string> own = std::string();
    if (name.room() < 0) {
      own = std::nullopt;
    } else if (!name.is_a_label()) {
      if (!is_live_plain(name)) own = std::nullopt;
    } else if (completion.starts_with(name.label)) {
      own = completion;
    } else {
      own = completed_label(name);
    }
    uint32_t id = 0;
    if (own) {
      HostnameRecord& record = states_.next();
      record.name = name;
      record.completion = *std::move(own);
      record.accepting = finished_label(name).has_value();
      id = states_.publish_last();
    }
    ids_.emplace(name, id);
    return id;
  }

  void publish(uint32_t state) const {
    const std::lock_guard lock(mutex_);
    HostnameRecord& record = states_[state];
    if (record.published.load(std::memory_order_relaxed)) return;
    std::vector<CodepointEdge> edges;
    const auto add = [&](char c, uint32_t next) {
      const uint32_t codepoint = static_cast<uint8_t>(c);
      if (next != 0) edges.push_back({codepoint, codepoint, next});
    };
    for (char c : kAlphabet) {
      if (c == '-' && record.name.label_length == 0) continue;
      const uint32_t next = intern(with_character(record.name, c), record.completion);
      add(c, next);
      if (c >= 'a' && c <= 'z') add(static_cast<char>(c - 'a' + 'A'), next);
    }
    if (const auto label = finished_label(record.name)) {
      Hostname after;
      after.length = record.name.length + 1;
      after.some_right_to_left = record.name.some_right_to_left || label->right_to_left;
      after.some_breaks_rule = record.name.some_breaks_rule || label->breaks_rule;
      add('.', intern(after, {}));
    }
    std::ranges::sort(edges, {}, &CodepointEdge::lo);
    record.edges = std::move(edges);
    record.published.store(true, std::memory_order_release);
  }

  uint32_t start_ = 0;
  mutable StateTable<HostnameRecord> states_;
  mutable std::atomic<bool> exceeded_ = false;
  mutable std::mutex mutex_;  // guards everything below, and records that are not published
  mutable std::map<Hostname, uint32_t> ids_;
};

}  // namespace

Result<std::shared_ptr<const CodepointAutomaton>> hostname_automaton() {
  static std::mutex mutex;
  static std::shared_ptr<const CodepointAutomaton> shared;
  const std::lock_guard lock(mutex);
  if (shared == nullptr || !shared->status().ok()) shared = std::make_shared<HostnameAutomaton>();
  return shared;
}

}  // namespace espalier
