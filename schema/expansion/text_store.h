#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/codepoints/codepoint_set.h"
#include "grammar/tables/flag_table.h"
#include "grammar/tables/id_table.h"

namespace espalier {

/// Strings interned as prefix chains (text, next code point) -> text, so that a property name being
/// spelled is one number at every point, equal names have equal ids, and asking whether a text was
/// ever interned costs one look-up per code point. Id 0 is the empty string. Few of them are
/// *used*: names and strings that another one may have to differ from.
class TextStore {
 public:
  static constexpr uint32_t kEmpty = 0;
  /// A text that equals none that is stored.
  static constexpr uint32_t kUnseen = UINT32_MAX;

  TextStore() { nodes_.push_back({0, 0, 0, 0}); }

  /// Makes room for so many more, if that is much.
  void reserve(size_t more) {
    if (more > nodes_.size()) nodes_.reserve(nodes_.size() + more);
    ids_.reserve(nodes_.size() + more);
  }
  /// text + codepoint, stored.
  uint32_t append(uint32_t text, uint32_t codepoint) {
    const auto [it, inserted] =
        ids_.try_emplace(key(text, codepoint), static_cast<uint32_t>(nodes_.size()));
    if (inserted) {
      nodes_.push_back({text, codepoint, 0, nodes_[text].first_child});
      nodes_[text].first_child = it->second;
    }
    return it->second;
  }
  /// text + codepoint if stored, else kUnseen.
  uint32_t find(uint32_t text, uint32_t codepoint) const {
    if (text == kUnseen) return kUnseen;
    const auto it = ids_.find(key(text, codepoint));
    return it == ids_.end() ? kUnseen : it->second;
  }
  /// Visits the code points c for which text + c is used or the beginning of one that is.
  template <typename Visit>
  void for_each_used_child(uint32_t text, Visit&& visit) const {
    for (uint32_t at = nodes_[text].first_child; at != 0; at = nodes_[at].next_sibling) {
      if (matters(at)) visit(nodes_[at].codepoint);
    }
  }
  /// Visits the code points c for which text + c was stored since `last`, which an earlier call
  /// returned (0 at first).
  template <typename Visit>
  uint32_t for_each_child(uint32_t text, uint32_t last, Visit&& visit) const {
    const uint32_t first = nodes_[text].first_child;
    for (uint32_t at = first; at != last; at = nodes_[at].next_sibling) visit(nodes_[at].codepoint);
    return first;
  }
  /// Marks the text as used, and those that it extends as leading to one that is: up to the root,
  /// or to what stands for something else than a code point.
  void mark_used(uint32_t text) {
    flags_.set(text, static_cast<uint8_t>(flags_.get(text) | kUsed));
    while (text != kEmpty && nodes_[text].codepoint <= kMaxCodepoint) {
      text = nodes_[text].parent;
      const uint8_t flags = flags_.get(text);
      if ((flags & kLeads) != 0) return;
      flags_.set(text, static_cast<uint8_t>(flags | kLeads));
    }
  }
  /// Is it used? Is a longer text? Either of them? Need no lock.
  bool used(uint32_t text) const { return (flags_.get(text) & kUsed) != 0; }
  bool leads(uint32_t text) const { return (flags_.get(text) & kLeads) != 0; }
  bool matters(uint32_t text) const { return flags_.get(text) != 0; }
  uint32_t intern(std::u32string_view text) {
    uint32_t id = kEmpty;
    for (const char32_t c : text) id = append(id, c);
    return id;
  }
  /// Is it the id of a text?
  bool knows(uint32_t id) const { return id < nodes_.size(); }
  std::u32string text(uint32_t id) const {
    std::u32string out;
    for (; id != kEmpty && id != kUnseen; id = nodes_[id].parent)
      out.push_back(nodes_[id].codepoint);
    return {out.rbegin(), out.rend()};
  }
  size_t memory_bytes() const { return nodes_.size() * 36; }

 private:
  struct Node {
    uint32_t parent, codepoint, first_child, next_sibling;
  };
  static uint64_t key(uint32_t text, uint32_t codepoint) {
    return uint64_t{text} << 32 | codepoint;
  }
  static constexpr uint8_t kUsed = 1, kLeads = 2;
  std::vector<Node> nodes_;
  FlatMap<uint32_t> ids_;
  FlagTable flags_;
};

/// Persistent sets of numbers, hash-consed: equal sets have equal ids, inserting copies O(log n)
/// nodes. Big-endian Patricia trees (Okasaki and Gill, "Fast Mergeable Integer Maps", 1998), whose
/// shape depends on the content alone. Id 0 is the empty set.
class SetStore {
 public:
  static constexpr uint32_t kEmpty = 0;

  SetStore() { nodes_.push_back({0, 0, 0, 0, 0}); }

  bool contains(uint32_t set, uint32_t value) const {
    while (set != kEmpty) {
      const Node& n = nodes_[set];
      if (n.mask == 0) return n.prefix == value;
      if ((value & ~(n.mask | (n.mask - 1))) != n.prefix) return false;
      set = value & n.mask ? n.right : n.left;
    }
    return false;
  }
  uint32_t insert(uint32_t set, uint32_t value) {
    const uint32_t leaf = intern({value, 0, 0, 0, 1});
    return set == kEmpty ? leaf : insert_below(set, value, leaf);
  }
  /// How many numbers the set holds.
  uint32_t size(uint32_t set) const { return nodes_[set].size; }
  /// Calls visit(number) for each, in ascending order.
  template <typename Visit>
  void for_each(uint32_t set, const Visit& visit) const {
    if (set == kEmpty) return;
    const Node n = nodes_[set];
    if (n.mask == 0) {
      visit(n.prefix);
      return;
    }
    for_each(n.left, visit);
    for_each(n.right, visit);
  }
  size_t memory_bytes() const { return nodes_.size() * 40; }

 private:
  struct Node {
    uint32_t prefix, mask, left, right;  // mask: the branching bit, 0 in a leaf
    uint32_t size;
    friend bool operator==(const Node&, const Node&) = default;
  };
  uint32_t intern(const Node& n) {
    const uint64_t hash = hash_append(hash_append(0, uint64_t{n.prefix} << 32 | n.mask),
                                      uint64_t{n.left} << 32 | n.right);
    const uint32_t known = ids_.find(hash, [&](uint32_t id) { return nodes_[id] == n; });
    if (known != IdTable::kNone) return known;
    nodes_.push_back(n);
    ids_.insert(hash, static_cast<uint32_t>(nodes_.size() - 1));
    return static_cast<uint32_t>(nodes_.size() - 1);
  }
  uint32_t join(uint32_t prefix, uint32_t mask, uint32_t left, uint32_t right) {
    return intern({prefix, mask, left, right, size(left) + size(right)});
  }
  uint32_t insert_below(uint32_t set, uint32_t value, uint32_t leaf) {
    const Node n = nodes_[set];
    const uint32_t inside = n.mask == 0 ? n.prefix : value & ~(n.mask | (n.mask - 1));
    if (n.mask == 0 ? n.prefix == value : false) return set;
    if (n.mask != 0 && inside == n.prefix) {
      return value & n.mask ? join(n.prefix, n.mask, n.left, insert_below(n.right, value, leaf))
                            : join(n.prefix, n.mask, insert_below(n.left, value, leaf), n.right);
    }
    const uint32_t bit = uint32_t{1} << (31 - __builtin_clz(n.prefix ^ value));
    const uint32_t prefix = value & ~(bit | (bit - 1));
    return value & bit ? join(prefix, bit, set, leaf) : join(prefix, bit, leaf, set);
  }
  std::vector<Node> nodes_;
  IdTable ids_;
};

}  // namespace espalier
