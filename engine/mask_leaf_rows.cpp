// Rows of leaf states: what a scalar alone decides about a whole vocabulary.
//
// Inside a JSON string nearly every token either spells more of the string or is impossible; only a
// few hundred leave it, and what they spell afterwards (`",`, `":`, `"}` ...) is all that the
// structure around the string has to judge. So one walk of the vocabulary's trie per (leaf,
// state) sorts the tokens:
//
//   inside    the leaf is alive at the last byte, and has not ended
//   boundary  the leaf ends in some exit state e before the last byte or exactly there; the rest of
//             the token is its suffix
//   neither   the leaf dies
//
// Boundary tokens are grouped by (e, suffix) in one small suffix trie per e. Example, for a free
// string: the token `abc",` belongs to the group (closed, `,`), together with `.",` and `x",`;
// `abc"` to the group (closed, ``). The structure walks each suffix once.
//
// A leaf that *may* end (a number) ends at the first byte that is not its own. At the token's very
// first byte that makes nearly the whole vocabulary a boundary; no suffix trie is built for
// these (`exits_here`), as the vocabulary's own trie is that trie.
//
// Invariants: inside and boundary are disjoint; a token has at most one (e, suffix), because a leaf
// is deterministic and ends at a final state or at its first foreign byte.
//
// Cold states. A walk of 128k tokens takes about a millisecond, and strings under patterns and
// lengths have thousands of states. Where the leaf can say how it loops on plain text
// (leaf_loop.h), the inside row is put together from bitmaps (content_index.h), and only the tokens
// that leave the loop are walked: those with a quote or a backslash, and those with a byte that
// goes on elsewhere.
//
// Cost: one table look-up per live trie edge. Leaf states are renumbered densely during the walk,
// with their transitions in a flat table, so that the leaf is asked once for each (state, byte).

#include "engine/mask_leaf_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/content_index.h"
#include "engine/hash.h"
#include "engine/thread_cache.h"
#include "grammar/leaf_loop.h"

namespace espalier {
namespace {

/// A leaf's transitions, renumbered from 0 in order of discovery and filled on demand.
class LocalLeaf {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  static constexpr uint32_t kDead = UINT32_MAX - 1;

  explicit LocalLeaf(const Leaf& leaf) : leaf_(leaf) {}

  const Leaf& leaf() const { return leaf_; }

  uint32_t local(uint32_t state) {
    const auto [it, inserted] = index_.try_emplace(state, static_cast<uint32_t>(states_.size()));
    if (inserted) {
      states_.push_back(state);
      next_.resize(next_.size() + 256, kUnknown);
      exits_.push_back(leaf_.can_exit(state));
      final_.push_back(leaf_.is_final(state));
    }
    return it->second;
  }
  uint32_t step(uint32_t local_state, uint8_t byte) {
    const size_t slot = size_t{local_state} * 256 + byte;
    if (next_[slot] == kUnknown) {
      const uint32_t target = leaf_.step(states_[local_state], byte);
      const uint32_t next = target == 0 ? kDead : local(target);
      next_[slot] = next;
    }
    return next_[slot];
  }
  uint32_t state(uint32_t local_state) const { return states_[local_state]; }
  bool can_exit(uint32_t local_state) const { return exits_[local_state] != 0; }
  bool is_final(uint32_t local_state) const { return final_[local_state] != 0; }

 private:
  const Leaf& leaf_;
  std::unordered_map<uint32_t, uint32_t> index_;
  std::vector<uint32_t> states_;
  std::vector<uint32_t> next_;
  std::vector<uint8_t> exits_;
  std::vector<uint8_t> final_;
};

/// With so few bytes in its loop a walk goes down few branches.
constexpr uint32_t kFewLoopingBytes = 12;
/// Tokens that are read one by one rather than in a walk of the whole trie.
constexpr size_t kMaxStrays = 80'000;

/// The UTF-8 form of a code point above U+007F.
std::basic_string<uint8_t> utf8(uint32_t codepoint) {
  const int more = codepoint < 0x800 ? 1 : codepoint < 0x10000 ? 2 : 3;
  constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  std::basic_string<uint8_t> bytes(1, static_cast<uint8_t>(kLead[more] | codepoint >> (6 * more)));
  for (int k = more; k-- > 0;) {
    bytes.push_back(static_cast<uint8_t>(0x80 | (codepoint >> (6 * k) & 0x3F)));
  }
  return bytes;
}

struct BoundaryToken {
  uint32_t exit_state;
  std::string_view suffix;
  TokenId token;
};

class RowBuilder {
 public:
  RowBuilder(const Vocabulary& vocabulary, const Leaf& leaf)
      : vocabulary_(vocabulary), trie_(vocabulary.trie()), leaf_(leaf) {}

  std::shared_ptr<const LeafRow> build(uint32_t state, bool by_suffix) {
    auto row = std::make_shared<LeafRow>();
    if (state != 0 && !walk_by_loop(state)) walk(trie_, state, row.get());
    store_inside(row.get());
    if (by_suffix) {
      group_by_suffix(row.get());
    } else {
      std::vector<std::pair<std::string_view, TokenId>> entries;
      entries.reserve(boundary_.size());
      for (const BoundaryToken& b : boundary_) {
        entries.emplace_back(vocabulary_.bytes(b.token), b.token);
      }
      row->boundary = TokenTrie(std::move(entries));
    }
    return row;
  }

 private:
  struct Item {
    uint32_t node;
    uint32_t local;
    uint32_t depth;
  };

  template <typename Visit>
  static void for_each_spelling(const TokenTrie& trie, TokenId token, Visit&& visit) {
    if (trie.duplicates().empty()) {
      visit(token);
    } else {
      for (; token >= 0; token = trie.next_same(token)) visit(token);
    }
  }

  /// Sorts the tokens by bitmaps and a walk of the few that leave the leaf's loop; false when the
  /// leaf cannot tell, or when a plain walk is cheaper.
  bool walk_by_loop(uint32_t state) {
    const auto* looping = dynamic_cast<const LoopingLeaf*>(&leaf_.leaf());
    LeafLoop loop;
    if (looping == nullptr || !looping->loop(state, &loop)) return false;
    uint32_t ascii = 0;
    for (const uint64_t word : {loop.bytes.words[0], loop.bytes.words[1]}) {
      ascii += static_cast<uint32_t>(std::popcount(word));
    }
    if (ascii <= kFewLoopingBytes) return false;
    const std::shared_ptr<const ContentIndex> index = ContentIndex::of(vocabulary_);
    std::vector<MaskWord> strays(vocabulary_.row_words(), 0);
    if (!collect_strays(*index, loop, strays)) return false;

    const auto plain = index->plain();
    bits_.assign(plain.begin(), plain.end());
    const auto remove = [&](std::span<const MaskWord> row) { and_not_mask(bits_, row); };
    for (uint32_t byte = 0x20; byte < 0x80; ++byte) {
      if (!loop.bytes.contains(static_cast<uint8_t>(byte)) && byte != '"' && byte != '\\') {
        remove(index->containing(static_cast<uint8_t>(byte)));
      }
    }
    if (!loop.bytes.contains(0x80)) remove(index->high());
    if (loop.max_codepoints < ContentIndex::kLengthRows) {
      remove(index->longer_than(loop.max_codepoints));
    }
    for (const auto& [length, token] : index->long_tokens()) {
      if (length > LeafLoop::kHorizon && mask_bit(bits_, token)) {
        set_mask_bit(strays, token);
        clear_mask_bit(bits_, token);
      } else if (length > loop.max_codepoints) {
        clear_mask_bit(bits_, token);
      }
    }
    and_not_mask(bits_, strays);
    walk(index->marked(), state, nullptr);
    for_each_mask_bit(strays, [&](TokenId token) {
      read_token(state, token);
      return true;
    });
    return true;
  }

  /// The tokens with a byte that may leave the loop alive, those of index.marked() aside; false
  /// when they are too many to be read one by one.
  static bool collect_strays(const ContentIndex& index, const LeafLoop& loop,
                             std::span<MaskWord> strays) {
    bool any = false;
    const auto add = [&](std::span<const MaskWord> row) {
      or_mask(strays, row);
      any = true;
    };
    for (uint32_t byte = 0; byte < 0x80; ++byte) {
      if (loop.others.contains(static_cast<uint8_t>(byte)) && byte != '"' && byte != '\\') {
        add(index.containing(static_cast<uint8_t>(byte)));
      }
    }
    if (loop.others.contains(0x80)) add(index.high());
    for (size_t i = 0; i < loop.num_exceptions; ++i) {
      std::vector<MaskWord> tokens(index.high().begin(), index.high().end());
      for (const uint8_t byte : utf8(loop.exceptions[i])) {
        const auto row = index.containing(byte);
        if (row.empty()) tokens.clear();
        and_mask(tokens, row.first(tokens.size()));
      }
      add(tokens);
    }
    if (!any) return true;
    for (const uint8_t byte : {uint8_t{'"'}, uint8_t{'\\'}}) {
      and_not_mask(strays, index.containing(byte));
    }
    return count_mask_bits(strays) <= kMaxStrays;
  }

  /// One token, byte by byte.
  void read_token(uint32_t state, TokenId token) {
    const std::string_view bytes = vocabulary_.bytes(token);
    uint32_t at = leaf_.local(state);
    for (size_t i = 0; i < bytes.size(); ++i) {
      const uint32_t next = leaf_.step(at, static_cast<uint8_t>(bytes[i]));
      if (next == LocalLeaf::kDead) {
        if (i != 0 && leaf_.can_exit(at)) {
          boundary_.push_back({leaf_.state(at), bytes.substr(i), token});
        }
        return;
      }
      if (leaf_.is_final(next)) {
        boundary_.push_back({leaf_.state(next), bytes.substr(i + 1), token});
        return;
      }
      at = next;
    }
    inside_.push_back(token);
  }

  /// Sorts the tokens of a trie; `row` (may be null) is told whether the leaf may end at once.
  void walk(const TokenTrie& trie, uint32_t state, LeafRow* row) {
    if (trie.size() == 0) return;
    const uint32_t start = leaf_.local(state);
    if (row != nullptr) row->exits_here = leaf_.can_exit(start);
    if (row != nullptr && row->exits_here && !leaf_.is_final(start)) {
      for (uint32_t byte = 0; byte < 256; ++byte) {
        if (leaf_.step(start, static_cast<uint8_t>(byte)) != LocalLeaf::kDead) {
          row->consumed.insert(static_cast<uint8_t>(byte));
        }
      }
    }
    if (leaf_.is_final(start)) return;
    std::vector<Item> stack{{0, start, 0}};
    while (!stack.empty()) {
      const Item item = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(item.node);
      if (node.token >= 0)
        for_each_spelling(trie, node.token, [&](TokenId t) { inside_.push_back(t); });
      const bool may_end = item.depth != 0 && leaf_.can_exit(item.local);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const uint32_t next = leaf_.step(item.local, trie.node(child).byte);
        if (next == LocalLeaf::kDead) {
          if (may_end) add_subtree(trie, child, leaf_.state(item.local), item.depth);
        } else if (leaf_.is_final(next)) {
          add_subtree(trie, child, leaf_.state(next), item.depth + 1);
        } else {
          stack.push_back({child, next, item.depth + 1});
        }
      }
    }
  }

  void add_subtree(const TokenTrie& trie, uint32_t root, uint32_t exit_state,
                   uint32_t suffix_offset) {
    subtree_.assign(1, root);
    while (!subtree_.empty()) {
      const TokenTrie::Node& node = trie.node(subtree_.back());
      subtree_.pop_back();
      if (node.token >= 0) {
        for_each_spelling(trie, node.token, [&](TokenId t) {
          boundary_.push_back({exit_state, vocabulary_.bytes(t).substr(suffix_offset), t});
        });
      }
      for (uint32_t i = 0; i < node.num_children; ++i) subtree_.push_back(node.first_child + i);
    }
  }

  void store_inside(LeafRow* row) {
    const size_t words = vocabulary_.row_words();
    if (bits_.empty() && inside_.size() < words / 2) {
      std::sort(inside_.begin(), inside_.end());
      row->sparse = std::vector<TokenId>(inside_.begin(), inside_.end());
      return;
    }
    bits_.resize(words, 0);
    for (const TokenId token : inside_) set_mask_bit(bits_, token);
    row->dense = std::move(bits_);
  }

  void group_by_suffix(LeafRow* row) {
    std::sort(boundary_.begin(), boundary_.end(),
              [](const BoundaryToken& a, const BoundaryToken& b) {
                if (a.exit_state != b.exit_state) return a.exit_state < b.exit_state;
                if (const int order = a.suffix.compare(b.suffix); order != 0) return order < 0;
                return a.token < b.token;
              });
    row->group_begin.push_back(0);
    row->group_tokens.reserve(boundary_.size());
    std::vector<std::pair<std::string_view, int32_t>> entries;
    for (size_t i = 0; i < boundary_.size();) {
      LeafRow::Exit exit;
      exit.state = boundary_[i].exit_state;
      entries.clear();
      while (i < boundary_.size() && boundary_[i].exit_state == exit.state) {
        const std::string_view suffix = boundary_[i].suffix;
        const auto group = static_cast<uint32_t>(row->group_begin.size() - 1);
        for (; i < boundary_.size() && boundary_[i].exit_state == exit.state &&
               boundary_[i].suffix == suffix;
             ++i) {
          row->group_tokens.push_back(boundary_[i].token);
        }
        row->group_begin.push_back(static_cast<uint32_t>(row->group_tokens.size()));
        if (suffix.empty()) {
          exit.empty_group = group;
        } else {
          entries.emplace_back(suffix, static_cast<int32_t>(group));
        }
      }
      if (!entries.empty()) exit.suffixes = TokenTrie(entries);
      row->exits.push_back(std::move(exit));
    }
  }

  const Vocabulary& vocabulary_;
  const TokenTrie& trie_;
  LocalLeaf leaf_;
  std::vector<MaskWord> bits_;  ///< tokens that stay inside, besides those of inside_
  std::vector<TokenId> inside_;
  std::vector<BoundaryToken> boundary_;
  std::vector<uint32_t> subtree_;
};

}  // namespace

void LeafRow::copy_inside(std::span<MaskWord> row) const {
  if (!dense.empty()) {
    std::memcpy(row.data(), dense.data(), dense.size() * sizeof(MaskWord));
    std::fill(row.begin() + static_cast<ptrdiff_t>(dense.size()), row.end(), 0);
    return;
  }
  std::fill(row.begin(), row.end(), 0);
  for (const TokenId token : sparse) set_mask_bit(row, token);
}

size_t LeafRow::memory_bytes() const {
  size_t bytes = sizeof(LeafRow) + dense.capacity() * sizeof(MaskWord) +
                 sparse.capacity() * sizeof(TokenId) + group_begin.capacity() * sizeof(uint32_t) +
                 group_tokens.capacity() * sizeof(TokenId) + exits.capacity() * sizeof(Exit) +
                 boundary.memory_bytes();
  for (const Exit& exit : exits) bytes += exit.suffixes.memory_bytes();
  return bytes;
}

std::shared_ptr<const LeafRow> build_leaf_row(const Vocabulary& vocabulary, const Leaf& leaf,
                                              uint32_t state, bool by_suffix) {
  return RowBuilder(vocabulary, leaf).build(state, by_suffix);
}

LeafRowCache& LeafRowCache::process() {
  static LeafRowCache* const cache = new LeafRowCache;
  return *cache;
}

size_t LeafRowCache::KeyHash::operator()(const Key& key) const {
  const uint64_t state = (uint64_t{key.state} << 1) | (key.by_suffix ? 1 : 0);
  return static_cast<size_t>(mix64(key.leaf * kGoldenGamma + mix64(state) + key.vocabulary));
}

std::shared_ptr<const LeafRow> LeafRowCache::get(const Vocabulary& vocabulary, const Leaf& leaf,
                                                 uint32_t state, bool by_suffix) {
  const Key key{vocabulary.uid(), leaf.uid(), state, by_suffix};
  thread_local ThreadCache<Key, LeafRow> recent;
  const size_t hash = KeyHash()(key);
  const uint64_t generation = generation_.load(std::memory_order_acquire);
  if (auto row = recent.find(key, hash, generation)) return row;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = rows_.find(key); it != rows_.end()) {
      it->second.last_use = ++clock_;
      recent.insert(key, hash, generation, it->second.row);
      return it->second.row;
    }
  }
  std::shared_ptr<const LeafRow> row = build_leaf_row(vocabulary, leaf, state, by_suffix);
  const size_t bytes = row->memory_bytes() + sizeof(Key) + sizeof(Slot);
  const std::lock_guard lock(mutex_);
  const auto [it, inserted] = rows_.try_emplace(key);
  it->second.last_use = ++clock_;
  if (!inserted) return it->second.row;
  it->second.row = row;
  it->second.bytes = bytes;
  bytes_ += bytes;
  if (bytes_ > budget_) evict();
  return row;
}

void LeafRowCache::evict() {
  std::vector<std::pair<uint64_t, Key>> by_age;
  by_age.reserve(rows_.size());
  for (const auto& [key, slot] : rows_) by_age.emplace_back(slot.last_use, key);
  std::sort(by_age.begin(), by_age.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  generation_.fetch_add(1, std::memory_order_release);
  const size_t target = budget_ - budget_ / 4;
  for (const auto& [age, key] : by_age) {
    if (bytes_ <= target) break;
    const auto it = rows_.find(key);
    bytes_ -= it->second.bytes;
    rows_.erase(it);
  }
}

void LeafRowCache::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
  if (bytes_ > budget_) evict();
}

size_t LeafRowCache::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void LeafRowCache::clear() {
  const std::lock_guard lock(mutex_);
  rows_.clear();
  bytes_ = 0;
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace espalier
