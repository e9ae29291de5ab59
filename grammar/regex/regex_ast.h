#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"

namespace espalier {

enum class RegexSyntax : uint8_t {
  kUnicode,  ///< ECMA-262 with flag "u", to the letter
  kLenient,  ///< the same; where that fails, what Annex B (no "u") reads: `\-`, `\_`, a lone
             ///< `{` ...
};

inline constexpr uint32_t kUnbounded = UINT32_MAX;

/// One node of a parsed regular expression. Groups, capturing or not, leave no node of their own:
/// only the language matters. Lazy quantifiers are quantifiers.
struct RegexNode {
  enum class Kind : uint8_t {
    kEmpty,          ///< the empty string
    kSet,            ///< one code point of `set`
    kConcat,         ///< children in order
    kAlternation,    ///< any of children
    kRepeat,         ///< children[0], min to max times (kUnbounded: no limit)
    kStart,          ///< ^, start of text
    kEnd,            ///< $, end of text
    kWordBoundary,   ///< \b, or \B when negated
    kLookahead,      ///< (?=children[0]), or (?!...) when negated
    kLookbehind,     ///< (?<=children[0]), or (?<!...) when negated
    kBackReference,  ///< \1 or \k<name>; `name` is its spelling
  };
  Kind kind = Kind::kEmpty;
  bool negated = false;
  bool has_start = false;  ///< a kStart occurs here or below
  uint32_t min = 0;
  uint32_t max = 0;
  uint32_t offset = 0;  ///< byte offset in the pattern
  std::vector<uint32_t> children;
  CodepointSet set;
  std::string name;
};

/// A parsed regular expression: nodes by index, children before parents.
struct RegexAst {
  std::vector<RegexNode> nodes;
  uint32_t root = 0;
  const RegexNode& operator[](uint32_t index) const { return nodes[index]; }
};

/// The code points of \d, \w, \s and of line terminators (which `.` does not match).
const CodepointSet& digit_set();
const CodepointSet& word_set();
const CodepointSet& space_set();
const CodepointSet& line_terminator_set();

/// The code points that may begin, and go on in, the name of a group.
const CodepointSet& name_start_set();
const CodepointSet& name_part_set();

}  // namespace espalier
