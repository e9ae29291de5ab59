// A value in the spelling that a grammar takes.
//
// The idea. The value's text is read from the left, and each piece of it is offered to the
// recognizer as it stands: white space, a string, a number. What is refused is offered in the plain
// form (no white space, the escapes JSON needs, digits without an exponent). Members go in the
// order of their names' ranks (Recognizer::name_rank), those of equal rank as they were.
//
//     {"b": 1e2, "a": "\u0041"}   under the profile `generation` of {"properties": {"a", "b"}}
//     {"a": "A", "b": 100.0}      property order + numbers + escapes
//
// Invariants: the new text spells the same value; a difference is reported only where the given
// spelling was refused. Cost: each nesting level is scanned once for every level above it.
#include "espalier/respell.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/numbers/decimal.h"
#include "grammar/recognizer.h"
#include "schema/json/json_document.h"

namespace espalier {
namespace {

constexpr int64_t kMostZeros = 1 << 16;
constexpr std::string_view kSpace = " \t\n\r";

/// The characters of a JSON string with its quotes.
std::u32string decode(std::string_view string) {
  const auto document = JsonDocument::parse(string, SIZE_MAX, 1);
  return document.ok() ? to_codepoints((**document)[(*document)->root()].text) : std::u32string();
}

std::string plain_string(std::string_view string) {
  std::string out = "\"";
  for (const char32_t c : decode(string)) append_json_codepoint(&out, c);
  return out + '"';
}

/// Without an exponent, and with a fraction if the given spelling has one or the other: in draft-04
/// `1e2` is no integer, as `100` is. nullopt where that needs too many zeros.
std::optional<std::string> plain_number(std::string_view number) {
  const auto decimal = Decimal::parse(number);
  if (!decimal || decimal->exponent > kMostZeros || decimal->exponent < -kMostZeros) return {};
  std::string digits = decimal->is_zero() ? "0" : decimal->digits;
  if (decimal->exponent >= 0) {
    digits.append(static_cast<size_t>(decimal->exponent), '0');
    if (number.find_first_of(".eE") != number.npos) digits += ".0";
  } else {
    const auto places = static_cast<size_t>(-decimal->exponent);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    digits.insert(digits.size() - places, ".");
  }
  return (decimal->negative ? "-" : "") + digits;
}

/// Reads a text that is known to be JSON.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  void skip() { ++at_; }
  std::string_view space() {
    const size_t begin = at_;
    at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }
  std::string_view value() {
    const size_t begin = at_;
    size_t depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      skip();
      if (depth == 0 && c != '}' && c != ']')
        at_ = std::min(text_.find_first_of(",]} \t\n\r", at_), text_.size());
    } while (depth > 0);
    return text_.substr(begin, at_ - begin);
  }

 private:
  void string() {
    for (skip(); peek() != '"'; skip()) {
      if (peek() == '\\') skip();
    }
    skip();
  }

  std::string_view text_;
  size_t at_ = 0;
};

/// A member of an object or an item of an array, with the white space around its parts.
struct Element {
  std::string_view before, name, after_name, before_value, value, after;
  uint32_t rank = 0;
};

class Respeller {
 public:
  explicit Respeller(Recognizer* recognizer)
      : recognizer_(*recognizer), state_(recognizer->start()) {}

  bool document(std::string_view text) {
    Scanner scanner(text);
    const std::string_view before = scanner.space(), value = scanner.value();
    return space(before) && this->value(value) && space(scanner.space()) &&
           recognizer_.accepting(state_);
  }
  Respelling take() { return {std::move(out_), difference_}; }
  const std::string& out() const { return out_; }

 private:
  State after(std::string_view bytes) const {
    State s = state_;
    for (const char c : bytes) {
      if (s.dead()) break;
      s = recognizer_.step(s, static_cast<uint8_t>(c));
    }
    return s;
  }
  bool put(std::string_view bytes) {
    const State next = after(bytes);
    if (next.dead()) return false;
    state_ = next;
    out_ += bytes;
    return true;
  }

  // Also adds what white space the grammar demands.
  bool space(std::string_view given) {
    if (!put(given)) difference_.whitespace = true;
    while (true) {
      ByteSet next;
      recognizer_.next_bytes(state_, &next);
      size_t demanded = 0, all = 0;
      char byte = 0;
      for (int b = 0; b < 256; ++b) {
        if (!next.contains(static_cast<uint8_t>(b))) continue;
        ++all;
        if (kSpace.find(static_cast<char>(b)) == kSpace.npos) continue;
        ++demanded;
        byte = static_cast<char>(b);
      }
      if (demanded != 1 || all != 1) return true;
      if (!put({&byte, 1})) return false;
      difference_.whitespace = true;
    }
  }

  bool value(std::string_view text) {
    switch (text[0]) {
      case '"':
        return string(text);
      case '{':
      case '[':
        return container(text);
      case 't':
      case 'f':
      case 'n':
        return put(text);
      default:
        return number(text);
    }
  }

  bool string(std::string_view text) {
    if (put(text)) return true;
    difference_.escapes = true;
    return put(plain_string(text));
  }

  // A number shows only by what follows it that it may end.
  bool complete(std::string_view number) const {
    const State s = after(number);
    if (s.dead()) return false;
    return recognizer_.accepting(s) || std::ranges::any_of(std::string_view(",]}"), [&](char c) {
             return !recognizer_.step(s, static_cast<uint8_t>(c)).dead();
           });
  }

  bool number(std::string_view text) {
    if (complete(text)) return put(text);
    difference_.numbers = true;
    const auto plain = plain_number(text);
    return plain && complete(*plain) && put(*plain);
  }

  bool container(std::string_view text) {
    const bool object = text[0] == '{';
    Scanner scanner(text);
    scanner.skip();
    if (!put(text.substr(0, 1))) return false;
    std::string_view before = scanner.space();
    std::vector<Element> elements;
    while (scanner.peek() != text.back()) {
      Element element;
      element.before = before;
      if (object) {
        element.name = scanner.value();
        element.after_name = scanner.space();
        scanner.skip();
        element.before_value = scanner.space();
        element.rank = recognizer_.name_rank(state_, decode(element.name));
      }
      element.value = scanner.value();
      element.after = scanner.space();
      elements.push_back(element);
      if (scanner.peek() != ',') break;
      scanner.skip();
      before = scanner.space();
    }
    if (elements.empty()) return space(before) && put(text.substr(text.size() - 1));
    if (!std::ranges::is_sorted(elements, {}, &Element::rank)) {
      difference_.property_order = true;
      const std::vector<Element> given = elements;
      std::ranges::stable_sort(elements, {}, &Element::rank);
      // White space belongs to the place.
      for (size_t i = 0; i < given.size(); ++i) {
        elements[i].before = given[i].before;
        elements[i].after = given[i].after;
      }
    }
    for (size_t i = 0; i < elements.size(); ++i) {
      const Element& e = elements[i];
      if ((i > 0 && !put(",")) || !space(e.before)) return false;
      if (object && !(string(e.name) && space(e.after_name) && put(":") && space(e.before_value)))
        return false;
      if (!value(e.value) || !space(e.after)) return false;
    }
    return put(text.substr(text.size() - 1));
  }

  Recognizer& recognizer_;
  State state_;
  std::string out_;
  SpellingDifference difference_;
};

}  // namespace

std::string SpellingDifference::to_string() const {
  std::string out;
  const auto add = [&](bool differs, const char* name) {
    if (differs) out += (out.empty() ? "" : " + ") + std::string(name);
  };
  add(property_order, "property order");
  add(whitespace, "whitespace");
  add(numbers, "numbers");
  add(escapes, "escapes");
  return out;
}

Result<Respelling> respell(const Grammar& grammar, std::string_view text) {
  const Limits limits;
  const auto parsed = JsonDocument::parse(text, limits.max_schema_bytes, limits.max_nesting);
  if (!parsed.ok()) return parsed.status();
  const std::shared_ptr<Recognizer> recognizer = grammar.recognizer();
  Respeller respeller(recognizer.get());
  const bool accepted = respeller.document(text);
  if (Status status = recognizer->status(); !status.ok()) return status;
  if (!accepted) {
    return Status(StatusCode::kRejected, "No spelling of the value is accepted.",
                  "byte " + std::to_string(respeller.out().size()));
  }
  return respeller.take();
}

}  // namespace espalier
