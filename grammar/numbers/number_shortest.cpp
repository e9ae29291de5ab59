// A shortest way to finish a number.
//
// Breadth first over contents (number_state.h), one byte a level: two texts of one content have the
// same completions, so a level holds few of them. Exponents are not walked: from `e` the truth is a
// step function, and the shortest digits that reach a wanted step follow by arithmetic. Example:
// for `minimum 1e400000` after "1" the answer is "e400000" although ten thousand exponents lie
// before it.
//
// When a divisor is so large that more than kMaxContents contents lie within reach (a multiple of
// 1000000007 below some bound), the search stops there, and the shortest spelling of a witness
// value from number_reach.cpp is taken instead if it is better: right, but maybe not the shortest.
//
// Cost: at most kMaxContents contents; a number near its end takes a handful.

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "grammar/numbers/number_reach.h"

namespace espalier::number {
namespace {

constexpr size_t kMaxContents = 3000;
constexpr int64_t kMaxZeros = 1 << 20;
constexpr size_t kMaxExponentDigits = 20;

class Shortest {
 public:
  Shortest(const Atoms& atoms, const Content& content, std::string_view text,
           const std::vector<Truth>& wanted)
      : atoms_(atoms), content_(content), text_(text), wanted_(wanted) {}

  std::string find() {
    if (content_.phase >= Phase::kExponentMark) {
      finish_exponent(content_, "");
    } else if (!walk()) {
      try_witnesses();
    }
    return best_ ? *best_ : std::string();
  }

 private:
  bool is_wanted(Truth truth) const {
    return std::binary_search(wanted_.begin(), wanted_.end(), truth);
  }

  void offer(std::string suffix) {
    if (!best_ || suffix.size() < best_->size()) best_ = std::move(suffix);
  }

  void finish_exponent(const Content& content, const std::string& suffix) {
    if (content.phase != Phase::kExponentMark) {
      finish_digits(content, suffix);
      return;
    }
    Content sign;
    if (advance(atoms_, content, '+', sign)) finish_digits(sign, suffix);
    if (advance(atoms_, content, '-', sign)) finish_digits(sign, suffix + "-");
  }

  void finish_digits(const Content& content, const std::string& suffix) {
    const bool any = content.phase == Phase::kExponentDigits;
    __extension__ __int128 low = any ? content.exponent : 0;
    __extension__ __int128 size = 1;
    for (size_t added = 0; added <= kMaxExponentDigits; ++added, low *= 10, size *= 10) {
      if (added == 0 && !any) continue;
      for (size_t i = 0; i < content.outcome.size(); ++i) {
        if (!is_wanted(content.outcome[i].truth)) continue;
        __extension__ __int128 value = std::max<__int128>(low, content.outcome[i].start);
        const bool inside = i + 1 == content.outcome.size() || value < content.outcome[i + 1].start;
        if (!inside || value >= low + size) continue;
        std::string digits;
        value -= low;
        for (size_t d = 0; d < added; ++d, value /= 10) {
          digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
        }
        offer(suffix + digits);
        return;
      }
    }
  }

  // False when the search stopped at its budget.
  bool walk() {
    std::unordered_set<Content, ContentHash> seen{content_};
    std::vector<std::pair<Content, std::string>> level{{content_, ""}};
    for (size_t depth = 0; !level.empty(); ++depth) {
      std::vector<std::pair<Content, std::string>> next;
      for (const auto& [content, suffix] : level) {
        if (is_complete(atoms_, content) && is_wanted(truth_of(atoms_, content))) offer(suffix);
        if (best_ && best_->size() <= depth) return true;
        if (best_ && best_->size() <= depth + 2) continue;  // an exponent has a digit
        Content mark;
        if (advance(atoms_, content, 'e', mark)) finish_exponent(mark, suffix + "e");
      }
      if (best_ && best_->size() <= depth + 1) return true;
      for (const auto& [content, suffix] : level) {
        for (char byte : std::string_view("0123456789.-")) {
          Content to;
          if (!advance(atoms_, content, static_cast<uint8_t>(byte), to)) continue;
          if (!seen.insert(to).second) continue;
          if (seen.size() > kMaxContents) return false;
          next.emplace_back(std::move(to), suffix + byte);
        }
      }
      level = std::move(next);
    }
    return true;
  }

  void try_suffix(const std::string& suffix) {
    if (best_ && best_->size() <= suffix.size()) return;
    Content content = content_;
    for (char byte : suffix) {
      Content to;
      if (!advance(atoms_, content, static_cast<uint8_t>(byte), to)) return;
      content = std::move(to);
    }
    if (is_complete(atoms_, content) && is_wanted(truth_of(atoms_, content))) offer(suffix);
  }

  // Spellings of digits * 10^exponent after `head`, when no point has been written.
  void try_value(const std::string& head, const std::string& digits, int64_t exponent) {
    const auto size = static_cast<int64_t>(digits.size());
    try_suffix(head + digits + "e" + std::to_string(exponent));
    if (exponent >= 0 && exponent <= kMaxZeros) {
      const std::string whole = head + digits + std::string(static_cast<size_t>(exponent), '0');
      try_suffix(whole);
      try_suffix(whole + ".0");
    }
    if (exponent < 0 && size + exponent >= 0) {
      const auto split = static_cast<size_t>(size + exponent);
      const std::string whole = digits.substr(0, split);
      try_suffix(head + whole + "." + digits.substr(split));
      try_suffix(head + (whole.empty() ? "0" : whole) + "." + digits.substr(split));
    }
    if (exponent < 0 && size + exponent < 0 && -exponent <= kMaxZeros) {
      const std::string zeros(static_cast<size_t>(-exponent - size), '0');
      try_suffix(head + "0." + zeros + digits);
    }
  }

  void try_witness(const Found& witness, const std::string& written, int64_t fraction) {
    std::string digits = witness.value.mantissa.str();
    int64_t exponent = witness.value.exponent;
    const size_t last = digits.find_last_not_of('0');
    exponent += static_cast<int64_t>(digits.size() - 1 - last);
    digits.resize(last + 1);
    while (digits.size() < written.size()) {
      digits += '0';
      --exponent;
    }
    const std::string rest = digits.substr(written.size());
    const auto size = static_cast<int64_t>(rest.size());
    switch (content_.phase) {
      case Phase::kStart:
        try_value(witness.negative ? "-" : "", digits, exponent);
        break;
      case Phase::kMinus:
      case Phase::kInteger:
        try_value("", rest, exponent);
        break;
      default:
        break;
    }
    const std::string point = content_.phase == Phase::kZero ? "." : "";
    const int64_t power = exponent + fraction + size;
    try_suffix(point + rest);
    try_suffix(point + rest + "e" + std::to_string(power));
    try_suffix(point + rest + "0e" + std::to_string(power + 1));
    if (written.empty() && power < 0 && -power <= kMaxZeros) {
      try_suffix(point + std::string(static_cast<size_t>(-power), '0') + rest);
    }
  }

  void try_witnesses() {
    for (const char* zero : {"", "0", "0.0", ".0", "0e0", "e0"}) try_suffix(zero);
    std::string written;
    int64_t fraction = 0;
    bool point = false;
    for (char c : text_) {
      if (c == '.') point = true;
      if (c < '0' || c > '9') continue;
      if (point) ++fraction;
      if (c != '0' || !written.empty()) written += c;
    }
    for (const auto& [truth, witness] : reach(atoms_, content_, text_, Witnesses::kGiven)) {
      if (witness.value.mantissa != 0 && is_wanted(truth)) try_witness(witness, written, fraction);
    }
  }

  const Atoms& atoms_;
  const Content& content_;
  const std::string_view text_;
  const std::vector<Truth>& wanted_;
  std::optional<std::string> best_;
};

}  // namespace

std::string shortest_completion(const Atoms& atoms, const Content& content, std::string_view text,
                                const std::vector<Truth>& wanted) {
  return Shortest(atoms, content, text, wanted).find();
}

}  // namespace espalier::number
