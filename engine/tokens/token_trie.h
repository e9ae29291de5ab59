#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

/// A byte trie over a set of (token id, bytes). Nodes are laid out so that the children of a node
/// are contiguous and sorted by byte: going down only the bytes that a constraint allows never
/// scans past them. Node 0 is the root. Several ids may share one spelling: `token` is the first of
/// them.
class TokenTrie {
 public:
  struct Node {
    uint32_t first_child;  ///< index of the first child node
    int32_t token;         ///< token that ends here, or -1
    uint16_t num_children;
    uint8_t byte;  ///< the byte that leads to this node
    uint8_t unused = 0;
  };

  TokenTrie() = default;
  /// Entries in any order; empty spellings are left out.
  explicit TokenTrie(std::vector<std::pair<std::string_view, int32_t>> entries);

  const Node& node(uint32_t i) const { return nodes_[i]; }
  size_t size() const { return nodes_.size(); }
  /// The child by `byte`, or 0.
  uint32_t child(uint32_t node, uint8_t byte) const;
  /// Further tokens with the same bytes as `token`: pairs (token, next), sorted by token; almost
  /// always empty.
  std::span<const std::pair<int32_t, int32_t>> duplicates() const { return duplicates_; }
  /// The next token spelled like `token`, or -1.
  int32_t next_same(int32_t token) const;
  /// Visits a node's token, if there is one, and all that are spelled alike.
  template <typename Visit>
  void for_each_spelling(int32_t token, Visit&& visit) const {
    while (token >= 0) {
      visit(token);
      token = duplicates_.empty() ? -1 : next_same(token);
    }
  }
  size_t memory_bytes() const;

 private:
  std::vector<Node> nodes_;
  std::vector<std::pair<int32_t, int32_t>> duplicates_;
};

}  // namespace espalier
