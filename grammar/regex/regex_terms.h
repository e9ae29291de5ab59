#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"
#include "grammar/tables/id_table.h"

namespace espalier {

/// A fragment: a regular expression with more text to its right.
enum class FragmentId : uint32_t {};
/// A term: a language over *all* of the text that remains.
enum class TermId : uint32_t {};

inline constexpr FragmentId kNoFragment{0};     ///< matches nothing
inline constexpr FragmentId kEmptyFragment{1};  ///< matches the empty string
inline constexpr TermId kNoTerm{0};             ///< accepts nothing
inline constexpr TermId kEpsilon{1};            ///< accepts the end of the text
inline constexpr TermId kAnything{2};           ///< accepts every text

inline constexpr uint32_t index_of(FragmentId id) { return static_cast<uint32_t>(id); }
inline constexpr uint32_t index_of(TermId id) { return static_cast<uint32_t>(id); }

/// Code points [lo, hi] lead to `to`.
struct TermEdge {
  uint32_t lo;
  uint32_t hi;
  TermId to;
};
/// Sorted, disjoint; code points not covered lead to kNoTerm.
using TermEdges = std::vector<TermEdge>;

/// The fragment or term that no text of at most `horizon` code points tells from another one, and
/// that accepts whatever that one does.
template <typename Id>
struct Distant {
  Id id;
  uint32_t horizon;
};

/// Whether an assertion stands in the body of a lookbehind, where "the rest" ends at the point that
/// looks behind while assertions speak of the whole remaining text.
enum class Scope : uint8_t { kText, kBehind };

/// The residues of all lookbehinds at one point of the text.
using BehindContext = std::span<const TermId>;

/// Hash-consed extended regular expressions, their normal forms and derivatives; see
/// regex_terms.cpp (normal forms), regex_fragments.cpp and regex_derivative.cpp. Equal ids, equal
/// content. Not thread-safe.
class TermStore {
 public:
  explicit TermStore(size_t max_bytes);

  // Fragments.
  FragmentId set(const CodepointSet& set);
  FragmentId concat(FragmentId left, FragmentId right);
  FragmentId alternation(std::vector<FragmentId> children);
  FragmentId repeat(FragmentId body, uint32_t min, uint32_t max);
  /// The remaining text must be in `guard`.
  FragmentId look(TermId guard, Scope scope);
  /// Lookbehind number `index` must hold here (must not, when negated).
  FragmentId behind(uint32_t index, bool negated, Scope scope);
  /// fragment = consuming(fragment) | assertions(fragment): the part that takes at least one code
  /// point, and the part that takes none.
  FragmentId consuming(FragmentId fragment);
  FragmentId assertions(FragmentId fragment);
  /// The least length of a match, zero also when only an assertion allows it.
  uint32_t min_length(FragmentId fragment) const {
    return fragments_[index_of(fragment)].min_length;
  }

  // Terms.
  TermId then(FragmentId fragment, TermId rest);
  TermId any_of(std::vector<TermId> children);
  TermId all_of(std::vector<TermId> children);
  TermId none_of(TermId term);
  /// The term without bounds that take texts of more than `horizon` (always the same) code points;
  /// see regex_distant.cpp.
  Distant<TermId> distant(TermId term, uint32_t horizon);

  /// A term that accepts a part of what the term does, the same for many that differ in how far
  /// bounds are; see regex_distant.cpp.
  TermId narrowed(TermId term);

  /// Registers a lookbehind by the term of the texts that end in a match; equal terms share.
  uint32_t add_behind(TermId term);
  BehindContext behinds() const { return behinds_; }

  // Queries.
  bool nullable(TermId term, BehindContext context) const;
  TermEdges derivative(TermId term, BehindContext context);
  /// Does the term or what it leads to ask for lookbehind `index`?
  bool needs_behind(TermId term, uint32_t index) const;
  bool needs_behind(TermId term) const { return terms_[index_of(term)].behinds != 0; }
  /// True only if some text is certainly accepted, whatever the context.
  bool surely_live(TermId term) const { return terms_[index_of(term)].live; }
  /// Terms one of which is non-empty iff `term` is: members of unions, choices of members of unions
  /// in intersections, without regular prefixes.
  std::vector<TermId> disjuncts(TermId term);
  /// No assertion, conjunction or complement?
  bool regular(TermId term) const { return terms_[index_of(term)].regular; }
  /// A lower bound on the length of accepted texts.
  uint32_t min_length(TermId term) const { return terms_[index_of(term)].min_length; }
  /// The sets of code points that derivatives tell apart: unions of others may be missing.
  const std::vector<CodepointSet>& sets() const { return sets_; }

  size_t memory_bytes() const { return bytes_; }
  /// Set once a construction went over the budget; results are then meaningless.
  bool overflowed() const { return overflowed_; }

 private:
  enum class FragmentKind : uint8_t {
    kNone,
    kEmpty,
    kSet,          // a: set
    kConcat,       // a: head (no concat), b: tail
    kAlternation,  // a, b: list
    kRepeat,       // a: body, lo, hi; the body always consumes
    kLook,         // a: guard (a term), lo: scope
    kBehind,       // a: index, b: negated, lo: scope
  };
  struct Fragment {
    FragmentKind kind;
    bool regular;   // no assertion anywhere
    bool nullable;  // matches the empty string unconditionally
    bool at_end;    // matches the empty string at the end of the text; if behinds == 0
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t lo = 0;
    uint32_t hi = 0;
    uint32_t min_length = 0;
    uint64_t behinds = 0;
  };
  enum class TermKind : uint8_t {
    kNone,
    kEpsilon,
    kAnything,
    kThen,   // a: fragment, b: rest
    kAnyOf,  // a, b: list
    kAllOf,  // a, b: list
    kNot,    // a: term
    kPair,   // a: term up to the point that looks behind, b: term of the whole text
  };
  struct Term {
    TermKind kind;
    bool regular;   // no assertion, conjunction or complement
    bool nullable;  // if behinds == 0
    bool live;
    bool layered;  // an kAnyOf with kAllOf or kPair children
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t min_length = 0;
    uint64_t behinds = 0;
  };

  template <typename Node, typename Same>
  uint32_t intern(std::vector<Node>* nodes, IdTable* ids, uint64_t hash, const Node& node,
                  const Same& same);
  FragmentId add_fragment(Fragment node, std::span<const uint32_t> list = {});
  TermId add_term(Term node, std::span<const uint32_t> list = {});
  std::span<const uint32_t> list(uint32_t offset, uint32_t size) const {
    return {lists_.data() + offset, size};
  }
  std::span<const uint32_t> children(const Fragment& node) const { return list(node.a, node.b); }
  std::span<const uint32_t> children(const Term& node) const { return list(node.a, node.b); }
  const Fragment& fragment(FragmentId id) const { return fragments_[index_of(id)]; }
  const Fragment& fragment(uint32_t id) const { return fragments_[id]; }
  const Term& term(TermId id) const { return terms_[index_of(id)]; }
  const Term& term(uint32_t id) const { return terms_[id]; }

  Distant<FragmentId> distant(FragmentId fragment, uint32_t horizon);
  template <typename Id>
  Id distant_part(Id part, uint32_t horizon, uint32_t* least);
  FragmentId narrowed(FragmentId fragment);
  void factor_heads(std::vector<FragmentId>* choices);
  FragmentId repeat_consuming(FragmentId body, uint32_t min, uint32_t max);
  TermId then_one(FragmentId fragment, TermId rest);
  void merge_repeats(std::vector<TermId>* children);
  void absorb(std::vector<TermId>* children);
  TermId conjunction(TermId left, TermId right);
  TermId flat_conjunction(TermId left, TermId right);
  std::vector<TermId> layers(TermId term);
  TermId pair(TermId until_here, TermId whole);

  /// What must hold of the remaining text for lookbehind `index` to hold here.
  TermId behind_guard(uint32_t index, bool negated, BehindContext context);
  TermId end_guard(TermId term, BehindContext context);
  TermEdges union_of(std::vector<TermEdge> edges);
  template <typename Combine>
  TermEdges product(const TermEdges& left, const TermEdges& right, const Combine& combine);
  const TermEdges& remembered_derivative(TermId term, BehindContext context, TermEdges* scratch);
  void push(TermId term);

  const size_t max_bytes_;
  size_t bytes_ = 0;
  bool overflowed_ = false;
  std::vector<Fragment> fragments_;
  std::vector<Term> terms_;
  IdTable fragment_ids_, term_ids_, set_ids_;
  std::vector<uint32_t> lists_;
  std::vector<CodepointSet> sets_;
  std::vector<TermId> behinds_;
  std::unordered_map<uint32_t, FragmentId> consuming_;
  std::unordered_map<uint32_t, TermEdges> derivatives_;
  std::unordered_map<uint32_t, Distant<FragmentId>> distant_fragments_;
  std::unordered_map<uint32_t, Distant<TermId>> distant_terms_;
  std::unordered_map<uint32_t, FragmentId> narrowed_fragments_;
  std::unordered_map<uint32_t, TermId> narrowed_terms_;
  FragmentId any_star_ = kNoFragment;

  std::vector<TermId> work_;
  std::vector<uint32_t> seen_;
  uint32_t epoch_ = 0;
};

}  // namespace espalier
