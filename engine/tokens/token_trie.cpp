// The byte trie over a vocabulary.
//
// Idea: sort the spellings once; every trie node is then a range of the sorted list, and its
// children are the runs of equal bytes at its depth. Nodes are emitted in depth-first order of
// *sibling blocks*: all children of a node stand together, sorted by byte, and the subtree below a
// block follows it closely, so that a walk down a few bytes touches few cache lines.
//
// Example: {a:0, ab:1, ac:2, b:3} becomes
//   0 root [1,3)   1 'a' token 0 [3,5)   2 'b' token 3   3 'b' token 1   4 'c' token 2
//
// Invariants: node 0 is the root and nobody's child, so 0 can mean "no child"; children have
// strictly increasing bytes; equal spellings keep the smallest id in the node and chain the others
// through `duplicates_` in increasing order.
//
// Cost: O(n log n) comparisons, most decided by the first eight bytes, which are kept beside the
// entry as one big-endian integer; O(total bytes) to emit the nodes, allocated once.
#include "engine/tokens/token_trie.h"

#include <algorithm>

namespace espalier {
namespace {

struct Entry {
  uint64_t head;  // the first eight bytes, big-endian, zero-padded
  std::string_view spelling;
  int32_t token;
};

uint64_t head_of(std::string_view spelling) {
  uint64_t head = 0;
  const size_t n = std::min<size_t>(spelling.size(), 8);
  for (size_t i = 0; i < n; ++i) {
    head |= static_cast<uint64_t>(static_cast<uint8_t>(spelling[i])) << (56 - 8 * i);
  }
  return head;
}

bool before(const Entry& a, const Entry& b) {
  if (a.head != b.head) return a.head < b.head;
  const int order = a.spelling.compare(b.spelling);
  return order != 0 ? order < 0 : a.token < b.token;
}

size_t common_prefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

struct Range {
  uint32_t node;
  uint32_t begin;
  uint32_t end;
  uint32_t depth;
};

}  // namespace

TokenTrie::TokenTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::vector<Entry> sorted;
  sorted.reserve(entries.size());
  for (const auto& [spelling, token] : entries) {
    if (!spelling.empty()) sorted.push_back({head_of(spelling), spelling, token});
  }
  std::sort(sorted.begin(), sorted.end(), before);

  size_t total = 1;
  std::string_view previous;
  for (const Entry& entry : sorted) {
    total += entry.spelling.size() - common_prefix(previous, entry.spelling);
    previous = entry.spelling;
  }
  nodes_.reserve(total);
  nodes_.push_back({0, -1, 0, 0});

  std::vector<Range> pending;
  pending.push_back({0, 0, static_cast<uint32_t>(sorted.size()), 0});
  while (!pending.empty()) {
    const Range range = pending.back();
    pending.pop_back();
    uint32_t i = range.begin;
    for (; i < range.end && sorted[i].spelling.size() == range.depth; ++i) {
      if (i == range.begin) {
        nodes_[range.node].token = sorted[i].token;
      } else {
        duplicates_.emplace_back(sorted[i - 1].token, sorted[i].token);
      }
    }
    if (i == range.end) continue;
    const uint32_t first_child = static_cast<uint32_t>(nodes_.size());
    const size_t first_pending = pending.size();
    while (i < range.end) {
      const uint8_t byte = static_cast<uint8_t>(sorted[i].spelling[range.depth]);
      const uint32_t begin = i;
      while (i < range.end && static_cast<uint8_t>(sorted[i].spelling[range.depth]) == byte) ++i;
      pending.push_back({static_cast<uint32_t>(nodes_.size()), begin, i, range.depth + 1});
      nodes_.push_back({0, -1, 0, byte});
    }
    std::reverse(pending.begin() + static_cast<ptrdiff_t>(first_pending), pending.end());
    nodes_[range.node].first_child = first_child;
    nodes_[range.node].num_children = static_cast<uint16_t>(nodes_.size() - first_child);
  }
  std::sort(duplicates_.begin(), duplicates_.end());
}

uint32_t TokenTrie::child(uint32_t node, uint8_t byte) const {
  const Node& parent = nodes_[node];
  uint32_t begin = parent.first_child;
  uint32_t count = parent.num_children;
  if (count == 256) return begin + byte;
  while (count > 1) {
    const uint32_t half = count / 2;
    if (nodes_[begin + half].byte <= byte) begin += half;
    count -= half;
  }
  return count == 1 && nodes_[begin].byte == byte ? begin : 0;
}

int32_t TokenTrie::next_same(int32_t token) const {
  const auto found = std::lower_bound(duplicates_.begin(), duplicates_.end(),
                                      std::pair<int32_t, int32_t>(token, -1));
  return found != duplicates_.end() && found->first == token ? found->second : -1;
}

size_t TokenTrie::memory_bytes() const {
  return nodes_.capacity() * sizeof(Node) + duplicates_.capacity() * sizeof(duplicates_[0]);
}

}  // namespace espalier
