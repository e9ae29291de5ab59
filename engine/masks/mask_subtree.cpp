// Rows of subtrees: what a scalar decides about the tokens that begin before it.
//
// The idea: outside of scalars the vocabulary's trie is walked byte by byte, but most of its nodes
// lie where such a walk has just entered a scalar: after `, "` come hundreds of tokens that spell
// the beginning of a string. From there on the leaf decides alone, as in mask_leaf_rows.h, and
// always in the same way for the same (leaf state, nodes). So their subtrees are read once, all
// those that are reached in one state together: tokens that stay inside are kept as a piece, and
// those in which the leaf ends by what they spell after it, as for whole masks (suffix_memo.h), and
// the nodes where it may end as the places where the walk goes on.
//
// Example: at the node ` "` in the start state of a free string, `Ann` below it is inside, and the
// quote below it is an exit from which `,` and `}` are tried.
//
// White space between tokens of JSON is such a leaf too (Bulk::spacing): at the root of the trie
// its row lists the white-space tokens, and every node below them by the byte that leads there.
//
// Invariant: a walk that uses a row emits the same tokens as one that does not.
// Cost: one leaf step for each edge of the subtree, once; afterwards a copy of the list.
#include "engine/masks/mask_subtree.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/hash.h"
#include "engine/thread_cache.h"

namespace espalier {
namespace {

constexpr size_t kFew = 8;  // tokens that are not worth a piece

// Sorts (key, value) pairs and lists the values; returns the ranges with one key each.
template <typename Key, typename Value>
std::vector<SubtreeRow::Range> group(std::vector<std::pair<Key, Value>>* pairs,
                                     std::vector<Value>* values) {
  std::sort(pairs->begin(), pairs->end());
  values->reserve(pairs->size());
  std::vector<SubtreeRow::Range> ranges;
  for (const auto& [key, value] : *pairs) {
    const auto at = static_cast<uint32_t>(values->size());
    if (ranges.empty() || ranges.back().key != key) ranges.push_back({key, at, at});
    values->push_back(value);
    ranges.back().last = at + 1;
  }
  return ranges;
}

std::shared_ptr<const SubtreeRow> build(const Vocabulary& vocabulary, const Bulk& bulk,
                                        std::span<const uint32_t> roots) {
  struct Item {
    uint32_t node, state, depth;
  };
  const TokenTrie& trie = vocabulary.trie();
  const Leaf& leaf = *bulk.leaf;
  const ContentIndex& index = *vocabulary.content();
  auto row = std::make_shared<SubtreeRow>();
  std::map<uint32_t, std::vector<std::pair<uint8_t, uint32_t>>> open;
  std::map<uint32_t, std::vector<std::pair<uint32_t, TokenId>>> ended;  // (suffix, token) by state
  std::map<uint32_t, std::vector<std::pair<TokenId, uint32_t>>> others;
  std::vector<std::pair<uint32_t, uint32_t>> below;
  std::vector<Item> stack;
  for (const uint32_t root : roots) stack.push_back({root, bulk.state, 0});
  while (!stack.empty()) {
    const Item item = stack.back();
    stack.pop_back();
    const TokenTrie::Node& node = trie.node(item.node);
    if (item.depth != 0)
      trie.for_each_spelling(node.token, [&](TokenId token) { row->inside.push_back(token); });
    const bool may_end = leaf.can_exit(item.state);
    for (uint32_t i = 0; i < node.num_children; ++i) {
      const uint32_t child = node.first_child + i;
      const uint8_t byte = trie.node(child).byte;
      const uint32_t next = leaf.step(item.state, byte);
      if (next == 0) {
        if (may_end) open[item.state].emplace_back(byte, child);
        continue;
      }
      if (!leaf.is_final(next)) {
        stack.push_back({child, next, item.depth + 1});
      } else {
        for_each_below(trie, child, &below, [&](TokenId token, uint32_t depth) {
          const std::string_view text = vocabulary.bytes(token);
          const size_t rest = text.size() - depth;
          if (const auto suffix = index.find_suffix(text.substr(rest))) {
            ended[next].emplace_back(*suffix, token);
          } else {
            others[next].emplace_back(token, static_cast<uint32_t>(rest));
          }
        });
      }
    }
  }
  if (row->inside.size() > kFew) {
    row->many_inside = SparseMask(std::exchange(row->inside, {}));
  } else {
    row->inside.shrink_to_fit();
  }
  for (auto& [state, tokens] : others) ended.try_emplace(state);
  for (auto& [state, tokens] : ended) {
    SubtreeRow::Ends& ends = row->ends.emplace_back();
    ends.state = state;
    ends.suffixes = group(&tokens, &ends.tokens);
    ends.others = std::move(others[state]);
  }
  for (auto& [state, children] : open) {
    SubtreeRow::OpenExit& exit = row->open.emplace_back();
    exit.state = state;
    exit.bytes = group(&children, &exit.children);
  }
  return row;
}

}  // namespace

size_t SubtreeRow::memory_bytes() const {
  size_t bytes = sizeof *this + inside.capacity() * sizeof(TokenId) + many_inside.memory_bytes() +
                 ends.capacity() * sizeof(Ends) + open.capacity() * sizeof(OpenExit);
  for (const Ends& end : ends) {
    bytes += end.suffixes.capacity() * sizeof(end.suffixes[0]) +
             end.tokens.capacity() * sizeof(TokenId) +
             end.others.capacity() * sizeof(end.others[0]);
  }
  for (const OpenExit& exit : open) {
    bytes += exit.children.capacity() * sizeof(exit.children[0]) +
             exit.bytes.capacity() * sizeof(exit.bytes[0]);
  }
  return bytes;
}

SubtreeRowCache& SubtreeRowCache::process() {
  static SubtreeRowCache* const cache = new SubtreeRowCache;
  return *cache;
}

size_t SubtreeRowCache::Hash::operator()(const Place& place) const {
  uint64_t h = mix64(place.leaf * kGoldenGamma + place.state) + place.vocabulary;
  for (const uint32_t node : place.nodes) h = (h ^ node) * kGoldenGamma;
  return static_cast<size_t>(mix64(h));
}

void SubtreeRowCache::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
}

size_t SubtreeRowCache::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return rows_.bytes();
}

std::shared_ptr<const SubtreeRow> SubtreeRowCache::get(const Vocabulary& vocabulary,
                                                       const Bulk& bulk,
                                                       std::span<const uint32_t> nodes) {
  const Place place{vocabulary.uid(), bulk.leaf->uid(), bulk.state, nodes};
  constexpr size_t kRecent = 256;  // a mask asks for some ten
  thread_local ThreadCache<Key, SubtreeRow, kRecent> recent;
  const size_t hash = Hash()(place);
  const uint64_t generation = generation_.load(std::memory_order_acquire);
  if (auto row = recent.find(place, hash, generation)) return row;
  {
    const std::lock_guard lock(mutex_);
    if (const auto* known = rows_.find(place)) {
      recent.insert(Key(place), hash, generation, *known);
      return *known;
    }
  }
  std::shared_ptr<const SubtreeRow> row = build(vocabulary, bulk, nodes);
  const size_t bytes = row->memory_bytes() + rows_.entry_bytes() + 64 + nodes.size_bytes();
  std::vector<std::shared_ptr<const SubtreeRow>> gone;  // freed after the lock
  const std::lock_guard lock(mutex_);
  if (rows_.bytes() > budget_) {
    // A few at a time, so that no mask waits for thousands to be freed.
    constexpr size_t kShare = 256;
    generation_.fetch_add(1, std::memory_order_release);
    while (rows_.bytes() > budget_ - budget_ / kShare && !rows_.empty())
      gone.push_back(rows_.drop_oldest());
  }
  return *rows_.insert(Key(place), std::move(row), bytes).first;
}

}  // namespace espalier
