#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokens/content_letters.h"
#include "engine/tokens/content_regions.h"

namespace espalier {

/// Texts as a trie over code points, its nodes in preorder: the nodes below node i are i + 1 ..
/// end(i), so that a walk is one pass over an array that jumps over what is dead. A text may end
/// in the middle of a code point; it then stands below its last whole one as a *partial* node.
class ContentTrie {
 public:
  struct Node {
    uint32_t codepoint;    ///< or kPartial + index into partials()
    uint32_t end;          ///< one past the last node below this one
    uint32_t first_value;  ///< values of texts that end here: up to the next node's first_value
  };
  static constexpr uint32_t kPartial = 0x110000;
  /// Which letters occur below a node. Kept where there are many.
  struct Below {
    uint32_t node;
    uint32_t end = 0;  ///< the index of the first entry of a node that is not below this one
    Letters letters;
    uint32_t depth = 0;  ///< nodes on the longest path
  };
  static constexpr uint32_t kManyNodes = 12;
  /// Neighbours below the root, from `node` up to `end`, whose code points are above U+007F and
  /// none greater than `last`; and what occurs below them.
  struct Block {
    uint32_t node, end, last;
    Below below;
  };
  /// The code points that a cut-off encoding may become.
  struct Partial {
    uint32_t lo, hi;
  };

  ContentTrie() = default;
  /// Texts must be plain (see plain_length); equal ones may occur more than once.
  explicit ContentTrie(std::vector<std::pair<std::string_view, int32_t>> entries);
  /// Any texts; kPartial + i at the end of one stands for cuts[i].
  ContentTrie(std::vector<std::pair<std::u32string, int32_t>> entries,
              std::span<const Partial> cuts);
  /// Are these plain texts, whose letters are known?
  bool plain() const { return !letters_.empty(); }

  uint32_t size() const { return nodes_.empty() ? 0 : static_cast<uint32_t>(nodes_.size() - 1); }
  const Node& node(uint32_t i) const { return nodes_[i]; }
  uint32_t letter(const Node& node) const {
    if (node.codepoint < kPartial) return Letters::of(node.codepoint);
    return Letters::of_cut(partial(node).lo, partial(node).hi);
  }
  const Partial& partial(const Node& node) const { return partials_[node.codepoint - kPartial]; }
  /// The first node below the root whose code point is greater, or the end.
  uint32_t root_after(uint32_t codepoint) const;
  /// The children of a node with many, by code point, partial ones last; empty where they are few.
  static constexpr uint32_t kManyChildren = 8;
  std::span<const std::pair<uint32_t, uint32_t>> fan(uint32_t node) const;
  /// The index in below() of the first entry of a node that is not before this one.
  uint32_t below_from(uint32_t node) const;
  /// Values in preorder: those of node i are [node(i).first_value, node(i + 1).first_value), those
  /// of its subtree end at node(node(i).end).first_value.
  const int32_t& value(uint32_t i) const { return values_.data()[i]; }
  uint32_t num_values() const { return static_cast<uint32_t>(values_.size()); }
  /// The letters of the text that value i belongs to; kept for plain texts.
  const Letters& letters(uint32_t i) const { return letters_[i]; }
  /// The same without its first code point.
  const Letters& tail_letters(uint32_t i) const { return tail_letters_[i]; }
  /// Of plain texts; a space at the beginning does not count.
  const LetterCounts& counts() const { return counts_; }
  /// What occurs below nodes with kManyNodes nodes below them, in preorder.
  std::span<const Below> below() const { return below_; }
  /// Code points of the longest text.
  uint32_t depth() const { return depth_; }
  /// The block that begins with this node, or null.
  const Block* block_at(uint32_t node) const;
  size_t memory_bytes() const;

 private:
  class Builder;
  void summarize();
  void make_blocks();
  void make_fans();

  std::vector<Node> nodes_;                              // and a sentinel
  std::vector<uint32_t> roots_;                          // nodes below the root
  std::vector<std::pair<uint32_t, uint32_t>> fans_;      // (node, its first in children_), sorted
  std::vector<std::pair<uint32_t, uint32_t>> children_;  // (code point, node)
  std::vector<Below> below_;
  std::vector<Block> blocks_;
  std::vector<Partial> partials_;
  std::vector<int32_t> values_;
  std::vector<Letters> letters_, tail_letters_;  // by value
  LetterCounts counts_;
  uint32_t depth_ = 0;
};

/// The first code point of a plain text that is not empty: lo == hi, or, where the text ends within
/// it, the range it may come from. `bytes` is 0 when the text is not plain: well-formed UTF-8 but
/// for its end, without control characters, quotes and backslashes.
struct PlainCodepoint {
  uint32_t lo = 0, hi = 0;
  size_t bytes = 0;
  bool whole() const { return lo == hi; }
};
PlainCodepoint first_codepoint(std::string_view text);

/// Code points of plain text, one cut short at the end included (`cut`, may be null, tells); -1
/// when the text is not plain.
int64_t plain_length(std::string_view text, bool* cut = nullptr);

}  // namespace espalier
