// From the parsed pattern to terms: places, anchors and look-arounds.
//
// `^` is resolved here and leaves no trace. Every node is converted for the place it may stand at:
// the start of the text, where `^` is the empty string, or later, where it matches nothing. In a
// concatenation xy at the start whose x may be empty, y stands at both places:
//     x y   =   consuming(x) y[later]  |  assertions(x) y[start]
// so `(a|^)b$` becomes ab|b at the start and ab later on.
//
// Search semantics: p matches somewhere in the text iff the text is in
//     p[start] anything  |  (one code point) (any text) p[later] anything,
// or, without `^`, simply in (any text) p anything.
//
//     $            look(epsilon)                 (?=A) look(A anything)      (?!A) its complement
//     (?<=A)       lookbehind number i, whose term is (any text) A
//     \b           (?<=\w)(?!\w) | (?<!\w)(?=\w)
//
// Cost: linear in the pattern, times its nesting where `^` stands inside repetitions.
#include "grammar/regex/regex_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace espalier {

using Kind = RegexNode::Kind;

FragmentId RegexBuilder::convert(uint32_t index, Place place, Scope scope) {
  const RegexNode& node = ast_[index];
  if (!node.has_start) place = Place::kLater;
  switch (node.kind) {
    case Kind::kSet:
      return store_.set(node.set);
    case Kind::kConcat:
      return concatenation(node, place, scope);
    case Kind::kAlternation: {
      std::vector<FragmentId> choices;
      choices.reserve(node.children.size());
      for (uint32_t child : node.children) choices.push_back(convert(child, place, scope));
      return store_.alternation(std::move(choices));
    }
    case Kind::kRepeat:
      return repetition(node, place, scope);
    case Kind::kStart:
      return place == Place::kTextStart ? kEmptyFragment : kNoFragment;
    case Kind::kEnd:
      return store_.look(kEpsilon, scope);
    case Kind::kWordBoundary:
      return word_boundary(node, scope);
    case Kind::kLookahead:
      return refers_back(node) ? kEmptyFragment : lookahead(node, place, scope);
    case Kind::kLookbehind:
      return refers_back(node) ? kEmptyFragment : lookbehind(node, scope);
    case Kind::kBackReference:
      return store_.repeat(store_.set(CodepointSet::all()), 0, kUnbounded);
    case Kind::kEmpty:
      break;
  }
  return kEmptyFragment;
}

FragmentId RegexBuilder::concatenation(const RegexNode& node, Place place, Scope scope) {
  FragmentId later = kEmptyFragment;
  FragmentId start = kEmptyFragment;
  bool has_start = false;
  for (size_t i = node.children.size(); i-- > 0;) {
    const uint32_t child = node.children[i];
    const bool rest_has_start = has_start;
    has_start |= ast_[child].has_start;
    const FragmentId rest = later;
    later = store_.concat(convert(child, Place::kLater, scope), rest);
    if (place == Place::kLater || !has_start) {
      start = later;
      continue;
    }
    const FragmentId head = convert(child, Place::kTextStart, scope);
    if (!rest_has_start || store_.min_length(head) > 0) {
      start = store_.concat(head, rest);
    } else {
      start = store_.alternation({store_.concat(store_.consuming(head), rest),
                                  store_.concat(store_.assertions(head), start)});
    }
  }
  return place == Place::kLater ? later : start;
}

FragmentId RegexBuilder::repetition(const RegexNode& node, Place place, Scope scope) {
  const FragmentId later = convert(node.children[0], Place::kLater, scope);
  if (place == Place::kLater) return store_.repeat(later, node.min, node.max);
  if (node.max == 0) return kEmptyFragment;
  const auto less = [](uint32_t bound, uint32_t by) {
    return bound == kUnbounded ? bound : bound > by ? bound - by : 0;
  };
  const FragmentId first = convert(node.children[0], Place::kTextStart, scope);
  const FragmentId step = store_.consuming(first);
  const FragmentId empty = store_.assertions(first);
  std::vector<FragmentId> choices = {
      store_.concat(step, store_.repeat(later, less(node.min, 1), less(node.max, 1)))};
  if (node.min == 0) {
    choices.push_back(kEmptyFragment);
  } else {
    choices.push_back(empty);
    if (node.max > 1) {
      const FragmentId rest = store_.concat(step, store_.repeat(later, 0, less(node.max, 2)));
      choices.push_back(store_.concat(empty, rest));
    }
  }
  return store_.alternation(std::move(choices));
}

// A look-around that refers back is left out: not asking is never stricter.
bool RegexBuilder::refers_back(const RegexNode& node) const {
  return node.kind == Kind::kBackReference ||
         std::any_of(node.children.begin(), node.children.end(),
                     [this](uint32_t child) { return refers_back(ast_[child]); });
}

FragmentId RegexBuilder::lookahead(const RegexNode& node, Place place, Scope scope) {
  const TermId guard = store_.then(convert(node.children[0], place, Scope::kText), kAnything);
  return store_.look(node.negated ? store_.none_of(guard) : guard, scope);
}

FragmentId RegexBuilder::lookbehind(const RegexNode& node, Scope scope) {
  const TermId ended = search_of(node.children[0], kEpsilon, Scope::kBehind);
  return store_.behind(store_.add_behind(ended), node.negated, scope);
}

FragmentId RegexBuilder::word_boundary(const RegexNode& node, Scope scope) {
  const FragmentId word = store_.set(word_set());
  const TermId ahead = store_.then(word, kAnything);
  const FragmentId before_word = store_.look(ahead, scope);
  const FragmentId before_other = store_.look(store_.none_of(ahead), scope);
  const FragmentId any = store_.repeat(store_.set(CodepointSet::all()), 0, kUnbounded);
  const uint32_t index = store_.add_behind(store_.then(any, store_.then(word, kEpsilon)));
  const FragmentId after_word = store_.behind(index, false, scope);
  const FragmentId after_other = store_.behind(index, true, scope);
  return store_.alternation(
      {store_.concat(after_word, node.negated ? before_word : before_other),
       store_.concat(after_other, node.negated ? before_other : before_word)});
}

TermId RegexBuilder::search_of(uint32_t index, TermId rest, Scope scope) {
  const FragmentId any = store_.set(CodepointSet::all());
  const FragmentId prefix = store_.repeat(any, 0, kUnbounded);
  const TermId later = store_.then(convert(index, Place::kLater, scope), rest);
  if (!ast_[index].has_start) return store_.then(prefix, later);
  const TermId start = store_.then(convert(index, Place::kTextStart, scope), rest);
  return store_.any_of({start, store_.then(any, store_.then(prefix, later))});
}

}  // namespace espalier
