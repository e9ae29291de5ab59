#pragma once

// A slow, obvious matcher for parsed regular expressions: ECMA-262's own definition, by
// backtracking over the tree with continuations. It shares nothing with the automaton but the tree.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "grammar/regex/regex_ast.h"

namespace espalier::testing {

class RegexOracle {
 public:
  RegexOracle(const RegexAst& ast, std::u32string text) : ast_(ast), text_(std::move(text)) {}

  /// Does the pattern match somewhere?
  bool search() {
    for (size_t i = 0; i <= text_.size(); ++i) {
      if (match(ast_.root, i, [](size_t) { return true; })) return true;
    }
    return false;
  }

  /// Does the pattern match the whole text?
  bool whole() {
    return match(ast_.root, 0, [this](size_t end) { return end == text_.size(); });
  }

 private:
  using Continuation = std::function<bool(size_t)>;

  bool is_word(size_t i) const { return i < text_.size() && word_set().contains(text_[i]); }

  bool match(uint32_t index, size_t at, const Continuation& next) {
    const RegexNode& node = ast_[index];
    switch (node.kind) {
      case RegexNode::Kind::kEmpty:
        return next(at);
      case RegexNode::Kind::kSet:
        return at < text_.size() && node.set.contains(text_[at]) && next(at + 1);
      case RegexNode::Kind::kConcat:
        return sequence(node, 0, at, next);
      case RegexNode::Kind::kAlternation:
        for (uint32_t child : node.children) {
          if (match(child, at, next)) return true;
        }
        return false;
      case RegexNode::Kind::kRepeat:
        return repeat(node, 0, at, next);
      case RegexNode::Kind::kStart:
        return at == 0 && next(at);
      case RegexNode::Kind::kEnd:
        return at == text_.size() && next(at);
      case RegexNode::Kind::kWordBoundary:
        return ((at > 0 && is_word(at - 1)) != is_word(at)) != node.negated && next(at);
      case RegexNode::Kind::kLookahead:
        return match(node.children[0], at, [](size_t) { return true; }) != node.negated && next(at);
      case RegexNode::Kind::kLookbehind: {
        bool found = false;
        for (size_t from = 0; from <= at && !found; ++from) {
          found = match(node.children[0], from, [at](size_t end) { return end == at; });
        }
        return found != node.negated && next(at);
      }
      case RegexNode::Kind::kBackReference:
        return false;
    }
    return false;
  }

  bool sequence(const RegexNode& node, size_t child, size_t at, const Continuation& next) {
    if (child == node.children.size()) return next(at);
    return match(node.children[child], at,
                 [&, child](size_t end) { return sequence(node, child + 1, end, next); });
  }

  bool repeat(const RegexNode& node, uint32_t count, size_t at, const Continuation& next) {
    if (count < node.max) {
      const auto again = [&, count, at](size_t end) {
        const bool useless = end == at && count >= node.min;
        return !useless && repeat(node, count + 1, end, next);
      };
      if (match(node.children[0], at, again)) return true;
    }
    return count >= node.min && next(at);
  }

  const RegexAst& ast_;
  const std::u32string text_;
};

}  // namespace espalier::testing
