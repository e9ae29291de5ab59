#pragma once

#include <cstdint>

#include "grammar/regex/regex_ast.h"
#include "grammar/regex/regex_terms.h"

namespace espalier {

/// Turns a parsed pattern into a term of `store`; see regex_builder.cpp.
class RegexBuilder {
 public:
  RegexBuilder(const RegexAst& ast, TermStore* store) : ast_(ast), store_(*store) {}

  /// The texts that match somewhere.
  TermId search() { return search_of(ast_.root, kAnything, Scope::kText); }
  /// The texts that match as a whole.
  TermId whole() {
    return store_.then(convert(ast_.root, Place::kTextStart, Scope::kText), kEpsilon);
  }

 private:
  enum class Place : uint8_t { kTextStart, kLater };

  FragmentId convert(uint32_t index, Place place, Scope scope);
  FragmentId concatenation(const RegexNode& node, Place place, Scope scope);
  FragmentId repetition(const RegexNode& node, Place place, Scope scope);
  FragmentId lookahead(const RegexNode& node, Place place, Scope scope);
  FragmentId lookbehind(const RegexNode& node, Scope scope);
  bool refers_back(const RegexNode& node) const;
  FragmentId word_boundary(const RegexNode& node, Scope scope);
  TermId search_of(uint32_t index, TermId rest, Scope scope);

  const RegexAst& ast_;
  TermStore& store_;
};

}  // namespace espalier
