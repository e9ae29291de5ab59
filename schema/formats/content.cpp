// Content of strings: base64 (RFC 4648, section 4), JSON (RFC 8259), and JSON in base64.
//
// Base64 alone is a regular expression. JSON nests, so its reader has a structured state: what has
// been read of the current token, and an interned stack of open arrays and objects. It reads bytes:
// a code point of the string is read as its UTF-8 form, a base64 digit as six bits, of which some
// complete a byte and the others wait for the next digit.
//
//     "eyI"   ->   the bytes `{"`, two bits of the third byte are known to be 0
//
// Invariants: every state of the reader can be completed; with bits waiting, some byte that begins
// with them is read on, or the text may end there.
//
// Whether more can follow beside a pattern takes a search, which must not go from depth to depth:
// its coarse states know of no open container but the outermost. They accept more: names and values
// mix, and what is closed as that one would be may be that one.
//
// Cost: a comparison or two for each byte; opening a container costs a hash look-up. After a digit
// up to 64 bytes are tried.
#include "schema/formats/content.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/codepoints/structured_automaton.h"
#include "grammar/tables/id_table.h"
#include "schema/json/unicode.h"

namespace espalier {
namespace {

constexpr uint32_t kMaxDepth = 512;

enum class Expect : uint8_t {
  kValue,
  kValueOrEnd,  // after '['
  kNameOrEnd,   // after '{'
  kName,        // after ',' in an object
  kColon,
  kAfterValue,
  kString,  // detail: bytes of a UTF-8 sequence to come, and their bounds
  kEscape,
  kHex,  // detail: digits to come
  kMinus,
  kZero,
  kDigits,
  kPoint,
  kFraction,
  kExponent,
  kExponentSign,
  kExponentDigits,
  kLiteral,  // detail: which, and how much of it
};

struct JsonText {
  uint32_t stack = 0;  // open containers; 0: none
  Expect expect = Expect::kValue;
  bool name = false;  // the string is a name
  uint32_t detail = 0;
  bool operator==(const JsonText&) const = default;
  uint64_t hash() const {
    const uint64_t kind = static_cast<uint64_t>(expect) << 1 | (name ? 1 : 0);
    return hash_append(kind, uint64_t{stack} << 32 | detail);
  }
};

constexpr std::array<std::string_view, 3> kLiterals = {"true", "false", "null"};

bool is_space(uint8_t b) { return b == ' ' || b == '\t' || b == '\n' || b == '\r'; }
bool is_digit(uint8_t b) { return b >= '0' && b <= '9'; }

class JsonReader {
 public:
  JsonReader() : containers_(kCoarseStacks + 1) {
    for (const uint32_t some : {kSomeInArray, kSomeInObject})
      containers_[some].object = containers_[some + 1].object = some == kSomeInObject;
  }

  std::optional<JsonText> step(JsonText at, uint8_t b) {
    switch (at.expect) {
      case Expect::kValueOrEnd:
        if (b == ']') return close(at, b);
        [[fallthrough]];
      case Expect::kValue:
        return is_space(b) ? std::optional(at) : value(at, b);
      case Expect::kNameOrEnd:
        if (b == '}') return close(at, b);
        [[fallthrough]];
      case Expect::kName:
        if (is_space(b)) return at;
        return b == '"' ? to(at, Expect::kString, 0, true) : std::nullopt;
      case Expect::kColon:
        if (is_space(b)) return at;
        return b == ':' ? to(at, Expect::kValue) : std::nullopt;
      case Expect::kAfterValue:
        return after_value(at, b);
      case Expect::kString:
        return string(at, b);
      case Expect::kEscape:
        if (b == 'u') return to(at, Expect::kHex, 4, at.name);
        if (std::string_view("\"\\/bfnrt").find(static_cast<char>(b)) == std::string_view::npos)
          return std::nullopt;
        return to(at, Expect::kString, 0, at.name);
      case Expect::kHex: {
        const uint8_t lower = b | 0x20;
        if (!is_digit(b) && !(lower >= 'a' && lower <= 'f')) return std::nullopt;
        if (at.detail == 1) return to(at, Expect::kString, 0, at.name);
        return to(at, Expect::kHex, at.detail - 1, at.name);
      }
      case Expect::kLiteral: {
        const std::string_view word = kLiterals[at.detail >> 8];
        const uint32_t read = at.detail & 0xFF;
        if (static_cast<uint8_t>(word[read]) != b) return std::nullopt;
        if (read + 1 == word.size()) return to(at, Expect::kAfterValue);
        return to(at, Expect::kLiteral, at.detail + 1);
      }
      default:
        return number(at, b);
    }
  }

  bool accepting(const JsonText& at) const {
    if (is_coarse(at.stack)) return perhaps_closed(at.stack) && at.expect == Expect::kAfterValue;
    return at.stack == 0 && (at.expect == Expect::kAfterValue || number_may_end(at.expect));
  }

  /// Accepts at least as much, in few states.
  JsonText coarse(JsonText at) const {
    if (at.stack == 0 || is_coarse(at.stack)) return at;
    uint32_t outermost = at.stack;
    while (containers_[outermost].parent != 0) outermost = containers_[outermost].parent;
    at.stack = containers_[outermost].object ? kSomeInObject : kSomeInArray;
    return at;
  }

  /// Tells bytes apart as step() does, and all code points that JSON reads alike.
  static void refine(LetterClasses* classes) {
    std::vector<uint32_t> singles;
    for (const char c : std::string_view(" \"+,-./0:E[\\]abeflnrstu{}"))
      singles.push_back(static_cast<uint8_t>(c));
    classes->refine_each(singles);
    classes->refine(CodepointSet({{'\t', '\n'}, {'\r', '\r'}}));
    classes->refine(CodepointSet({{0, 0x1F}}));
    classes->refine(CodepointSet({{'0', '9'}}));
    classes->refine(CodepointSet({{'A', 'F'}, {'a', 'f'}}));
    classes->refine(CodepointSet({{kFirstSurrogate, kLastSurrogate}}));
  }

  /// A byte on the way to the end.
  uint8_t toward_end(const JsonText& at) const {
    const bool object = containers_[at.stack].object;
    switch (at.expect) {
      case Expect::kValueOrEnd:
        return ']';
      case Expect::kNameOrEnd:
        return '}';
      case Expect::kName:
        return '"';
      case Expect::kColon:
        return ':';
      case Expect::kString:
        return at.detail == 0 ? '"' : static_cast<uint8_t>(at.detail >> 8 & 0xFF);
      case Expect::kEscape:
        return 'n';
      case Expect::kExponent:
      case Expect::kExponentSign:
      case Expect::kMinus:
      case Expect::kPoint:
      case Expect::kHex:
      case Expect::kValue:
        return '0';
      case Expect::kLiteral:
        return static_cast<uint8_t>(kLiterals[at.detail >> 8][at.detail & 0xFF]);
      default:
        return object ? '}' : ']';
    }
  }

 private:
  // Stacks of coarse states: some containers are open, the outermost of this kind; the same where
  // that one may have been closed as well.
  static constexpr uint32_t kSomeInArray = 1, kSomeInObject = 3, kCoarseStacks = 4;
  static bool is_coarse(uint32_t stack) { return stack != 0 && stack <= kCoarseStacks; }
  static bool perhaps_closed(uint32_t stack) { return stack % 2 == 0; }

  struct Container {
    uint32_t parent;
    bool object;
    uint32_t depth;
  };

  static std::optional<JsonText> to(JsonText at, Expect expect, uint32_t detail = 0,
                                    bool name = false) {
    return JsonText{at.stack, expect, name, detail};
  }
  static bool number_may_end(Expect expect) {
    return expect == Expect::kZero || expect == Expect::kDigits || expect == Expect::kFraction ||
           expect == Expect::kExponentDigits;
  }

  std::optional<JsonText> value(JsonText at, uint8_t b) {
    switch (b) {
      case '"':
        return to(at, Expect::kString);
      case '-':
        return to(at, Expect::kMinus);
      case '0':
        return to(at, Expect::kZero);
      case '{':
      case '[': {
        if (is_coarse(at.stack)) {
          return to(at, b == '{' ? Expect::kNameOrEnd : Expect::kValueOrEnd);
        }
        if (containers_[at.stack].depth >= kMaxDepth) return std::nullopt;
        const auto [it, added] =
            ids_.try_emplace({at.stack, b == '{'}, static_cast<uint32_t>(containers_.size()));
        if (added) containers_.push_back({at.stack, b == '{', containers_[at.stack].depth + 1});
        at.stack = it->second;
        return to(at, b == '{' ? Expect::kNameOrEnd : Expect::kValueOrEnd);
      }
      default:
        break;
    }
    if (is_digit(b)) return to(at, Expect::kDigits);
    for (uint32_t i = 0; i < kLiterals.size(); ++i) {
      if (static_cast<uint8_t>(kLiterals[i][0]) == b) return to(at, Expect::kLiteral, i << 8 | 1);
    }
    return std::nullopt;
  }

  std::optional<JsonText> close(JsonText at, uint8_t b) const {
    if (!is_coarse(at.stack)) {
      at.stack = containers_[at.stack].parent;
    } else {
      const bool object = containers_[at.stack].object, outermost = b == (object ? '}' : ']');
      at.stack = (object ? kSomeInObject : kSomeInArray) + (outermost ? 1 : 0);
    }
    return to(at, Expect::kAfterValue);
  }

  std::optional<JsonText> after_value(JsonText at, uint8_t b) {
    if (is_space(b)) return to(at, Expect::kAfterValue);
    if (at.stack == 0) return std::nullopt;
    if (is_coarse(at.stack)) {
      if (b == '}' || b == ']') return close(at, b);
      at.stack = containers_[at.stack].object ? kSomeInObject : kSomeInArray;
      return b == ',' || b == ':' ? to(at, Expect::kValue) : std::nullopt;
    }
    const bool object = containers_[at.stack].object;
    if (b == ',') return to(at, object ? Expect::kName : Expect::kValue);
    return b == (object ? '}' : ']') ? close(at, b) : std::nullopt;
  }

  // detail of a string inside a UTF-8 sequence: bytes to come, least and greatest next byte.
  std::optional<JsonText> string(JsonText at, uint8_t b) {
    const auto sequence = [&](uint32_t left, uint32_t lo, uint32_t hi) {
      return to(at, Expect::kString, left << 16 | lo << 8 | hi, at.name);
    };
    if (at.detail != 0) {
      if (b < (at.detail >> 8 & 0xFF) || b > (at.detail & 0xFF)) return std::nullopt;
      const uint32_t left = (at.detail >> 16) - 1;
      return left == 0 ? to(at, Expect::kString, 0, at.name) : sequence(left, 0x80, 0xBF);
    }
    if (b == '"') return to(at, at.name ? Expect::kColon : Expect::kAfterValue);
    if (b == '\\') return to(at, Expect::kEscape, 0, at.name);
    if (b < 0x20) return std::nullopt;
    if (b < 0x80) return at;
    if (b < 0xC2 || b > 0xF4) return std::nullopt;
    if (b < 0xE0) return sequence(1, 0x80, 0xBF);
    if (b < 0xF0) return sequence(2, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
    return sequence(3, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
  }

  std::optional<JsonText> number(JsonText at, uint8_t b) {
    const bool exponent = b == 'e' || b == 'E';
    switch (at.expect) {
      case Expect::kMinus:
        if (b == '0') return to(at, Expect::kZero);
        return is_digit(b) ? to(at, Expect::kDigits) : std::nullopt;
      case Expect::kPoint:
        return is_digit(b) ? to(at, Expect::kFraction) : std::nullopt;
      case Expect::kExponent:
        if (b == '+' || b == '-') return to(at, Expect::kExponentSign);
        [[fallthrough]];
      case Expect::kExponentSign:
        return is_digit(b) ? to(at, Expect::kExponentDigits) : std::nullopt;
      default:
        break;
    }
    if (is_digit(b) && at.expect != Expect::kZero) return at;
    const bool whole = at.expect == Expect::kZero || at.expect == Expect::kDigits;
    if (b == '.' && whole) return to(at, Expect::kPoint);
    if (exponent && at.expect != Expect::kExponentDigits) return to(at, Expect::kExponent);
    return after_value(at, b);
  }

  std::vector<Container> containers_;
  std::map<std::pair<uint32_t, bool>, uint32_t> ids_;
};

/// The string is a JSON text.
class JsonMachine {
 public:
  using State = JsonText;
  State start() const { return State(); }
  std::optional<State> step(const State& state, uint32_t c) {
    if (c >= 0xD800 && c <= 0xDFFF) return std::nullopt;
    std::string bytes;
    append_wtf8(&bytes, c);
    std::optional<State> at = state;
    for (size_t i = 0; i < bytes.size() && at; ++i)
      at = reader_.step(*at, static_cast<uint8_t>(bytes[i]));
    return at;
  }
  bool accepting(const State& state) const { return reader_.accepting(state); }
  State coarse(const State& state) const { return reader_.coarse(state); }
  void refine(LetterClasses* classes) const { JsonReader::refine(classes); }
  std::optional<State> settled(const State&) const { return std::nullopt; }
  uint32_t toward_end(const State& state) const { return reader_.toward_end(state); }
  void cuts(const State&, std::vector<uint32_t>* out) const {
    for (uint32_t c = 0; c <= 0x80; ++c) out->push_back(c);
    out->push_back(0xD800);
    out->push_back(0xE000);
  }

 private:
  JsonReader reader_;
};

/// The string is the base64 form of a JSON text.
class Base64JsonMachine {
 public:
  struct State {
    JsonText text;
    uint8_t digits = 0;   // of the group, 0 to 3; 4: one '=' read, another to come; 5: ended
    uint8_t waiting = 0;  // the bits that begin the next byte
    bool operator==(const State&) const = default;
    uint64_t hash() const { return hash_append(text.hash(), uint64_t{digits} << 8 | waiting); }
  };

  State start() const { return State(); }

  std::optional<State> step(const State& state, uint32_t c) {
    if (state.digits >= 4) {
      if (state.digits == 5 || c != '=') return std::nullopt;
      return State{state.text, 5, 0};
    }
    if (c == '=') {
      if (state.digits < 2 || !reader_.accepting(state.text)) return std::nullopt;
      return State{state.text, static_cast<uint8_t>(state.digits == 2 ? 4 : 5), 0};
    }
    const auto value = value_of(c);
    if (!value) return std::nullopt;
    State next = state;
    next.digits = (state.digits + 1) % 4;
    if (state.digits == 0) {
      next.waiting = static_cast<uint8_t>(*value);
    } else {
      // Bits known of the byte so far: 6, 4, 2.
      const int known = 8 - 2 * state.digits, rest = 8 - known;
      const auto byte = static_cast<uint8_t>(state.waiting << rest | *value >> (6 - rest));
      const auto text = reader_.step(state.text, byte);
      if (!text) return std::nullopt;
      next.text = *text;
      next.waiting = static_cast<uint8_t>(*value & ((1u << (6 - rest)) - 1));
    }
    return live(next) ? std::optional(next) : std::nullopt;
  }

  bool accepting(const State& state) const {
    return state.digits == 5 || (state.digits == 0 && reader_.accepting(state.text));
  }
  std::optional<State> settled(const State&) const { return std::nullopt; }
  State coarse(const State& state) const {
    return {reader_.coarse(state.text), state.digits, state.waiting};
  }
  void refine(LetterClasses* classes) const {
    std::vector<uint32_t> singles;
    for (uint32_t c = 0; c < 0x80; ++c) {
      if (c == '=' || value_of(c)) singles.push_back(c);
    }
    classes->refine_each(singles);
  }

  uint32_t toward_end(const State& state) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (state.digits == 4) return '=';
    if (state.digits >= 2 && reader_.accepting(state.text)) return '=';
    // The digit that holds the next bits of the byte that comes next on the way.
    const int known = state.digits == 0 ? 0 : 8 - 2 * state.digits;
    const auto byte = next_byte(state.text, known, state.waiting);
    if (!byte) return '=';
    const int rest = 8 - known;
    if (rest >= 6) return static_cast<uint8_t>(kDigits[*byte >> (rest - 6) & 63]);
    const auto after = reader_.step(state.text, *byte);
    const bool ends = reader_.accepting(*after);
    const uint8_t following = ends ? uint8_t{' '} : reader_.toward_end(*after);
    const uint32_t bits = static_cast<uint32_t>(*byte & ((1u << rest) - 1)) << (6 - rest) |
                          following >> (8 - (6 - rest));
    return static_cast<uint8_t>(kDigits[bits & 63]);
  }

  void cuts(const State&, std::vector<uint32_t>* out) const {
    for (uint32_t c = 0; c <= 0x80; ++c) out->push_back(c);
  }

 private:
  static std::optional<uint32_t> value_of(uint32_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return std::nullopt;
  }

  /// A byte that begins with the known bits and may be read, the best way to the end first.
  std::optional<uint8_t> next_byte(const JsonText& text, int known, uint8_t waiting) {
    const auto begins = [&](uint32_t b) { return b >> (8 - known) == waiting; };
    const uint8_t wanted = reader_.toward_end(text);
    if (!reader_.accepting(text) && begins(wanted)) return wanted;
    for (uint32_t b = 0; b < 256; ++b) {
      if (begins(b) && reader_.step(text, static_cast<uint8_t>(b))) return static_cast<uint8_t>(b);
    }
    return std::nullopt;
  }

  bool live(const State& state) {
    if (state.digits == 0) return true;
    if (state.digits >= 2 && reader_.accepting(state.text)) return true;
    return next_byte(state.text, 8 - 2 * state.digits, state.waiting).has_value();
  }

  JsonReader reader_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

bool is_known_encoding(std::string_view encoding) { return lower(encoding) == "base64"; }
bool is_known_media_type(std::string_view type) { return lower(type) == "application/json"; }

Result<std::shared_ptr<const CodepointAutomaton>> content_automaton(std::string_view encoding,
                                                                    std::string_view media_type) {
  const bool json = is_known_media_type(media_type);
  if (encoding.empty()) {
    if (!json) return std::shared_ptr<const CodepointAutomaton>();
    return shared_automaton<JsonMachine>("the media type application/json");
  }
  if (!is_known_encoding(encoding)) return std::shared_ptr<const CodepointAutomaton>();
  if (json) return shared_automaton<Base64JsonMachine>("application/json in base64");
  return compile_anchored("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?");
}

}  // namespace espalier
