#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"
#include "grammar/regex/regex_ast.h"

namespace espalier {

/// A code point of the pattern and the byte offset where it stands.
struct PatternSymbol {
  uint32_t codepoint;
  uint32_t offset;
};

/// Decodes UTF-8, surrogates included; returns the offset of the first malformed byte, if any.
std::optional<uint32_t> decode_pattern(std::string_view text, std::vector<PatternSymbol>* out);

/// The symbols of a pattern, a position among them, the first error, and the parts of the grammar
/// that stand for code points: escapes and character classes. See regex_reader.cpp.
class RegexReader {
 public:
  static constexpr uint32_t kEndOfPattern = UINT32_MAX;

  /// What an escape or an element of a class stands for: one code point, or a set (`\d`).
  struct Atom {
    bool single = true;
    uint32_t codepoint = 0;
    CodepointSet set;
  };
  /// `[...]` or, negated, `[^...]`; `set` holds what stands between the brackets.
  struct Class {
    bool negated = false;
    CodepointSet set;
  };

  RegexReader(std::vector<PatternSymbol> symbols, uint32_t size, RegexSyntax syntax)
      : symbols_(std::move(symbols)), size_(size), strict_(syntax == RegexSyntax::kUnicode) {}

  bool strict() const { return strict_; }
  size_t at() const { return at_; }
  size_t symbol_count() const { return symbols_.size(); }
  void skip(size_t count = 1) { at_ += count; }
  uint32_t peek(size_t ahead = 0) const { return symbol(at_ + ahead); }
  uint32_t symbol(size_t at) const {
    return at < symbols_.size() ? symbols_[at].codepoint : kEndOfPattern;
  }
  bool eat(uint32_t codepoint);
  bool eat(std::string_view text);
  /// The byte offset of a position.
  uint32_t offset(size_t at) const { return at < symbols_.size() ? symbols_[at].offset : size_; }

  bool failed() const { return failed_; }
  const std::string& message() const { return message_; }
  uint32_t place() const { return place_; }
  /// Records the first error and moves to the end; returns 0.
  uint32_t fail_at(size_t at, std::string message);
  uint32_t fail(std::string message) { return fail_at(at_, std::move(message)); }

  /// What follows `\u`; moves only if it is well formed.
  std::optional<uint32_t> unicode_escape();
  /// An escape that stands for code points, in or outside a class. The position is after the
  /// backslash, which stands at `begin`. False after an error.
  bool escape(size_t begin, bool in_class, Atom* out);
  /// A character class; the position is at its bracket. nullopt after an error.
  std::optional<Class> character_class();

  static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
  static bool is_letter(uint32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80; }

 private:
  std::optional<uint32_t> hex(size_t digits);
  bool octal(size_t begin, uint32_t first, Atom* out);
  bool property(size_t begin, bool negated, Atom* out);
  bool class_atom(Atom* out);

  const std::vector<PatternSymbol> symbols_;
  const uint32_t size_;
  const bool strict_;
  size_t at_ = 0;
  bool failed_ = false;
  std::string message_;
  uint32_t place_ = 0;
};

}  // namespace espalier
