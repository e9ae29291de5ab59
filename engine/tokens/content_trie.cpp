// A trie of texts over code points, laid out in preorder.
//
// The idea: the order of UTF-8 bytes is the order of code points, so the sorted texts are the
// preorder, and one pass over them with the path of the last text builds the nodes. A walk keeps a
// stack of (end, state) and goes through the array once; where a state is dead it goes on at `end`.
//
// Example: {"a", "ab", "b"} is root, a, b (below a), b, with ends 4, 3, 3, 4.
//
// For subtrees of some size the letters in them are kept: where all these lie in a state's region
// (content_regions.h), the subtree need not be walked.
//
// Invariant: texts with a common beginning of whole code points share its nodes.
// Cost: twelve bytes a node; the build sorts the texts once.
#include "engine/tokens/content_trie.h"

#include <algorithm>

namespace espalier {
namespace {

constexpr uint32_t kBlockNodes = 64;

}  // namespace

PlainCodepoint first_codepoint(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) {
    const bool plain = lead >= 0x20 && lead != '"' && lead != '\\';
    return {lead, lead, plain ? size_t{1} : 0};
  }
  if (lead < 0xC2 || lead > 0xF4) return {};
  const int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  uint32_t value = more == 1 ? lead & 0x1Fu : more == 2 ? lead & 0x0Fu : lead & 0x07u;
  uint8_t least = 0x80, most = 0xBF;
  if (lead == 0xE0) least = 0xA0;
  if (lead == 0xED) most = 0x9F;
  if (lead == 0xF0) least = 0x90;
  if (lead == 0xF4) most = 0x8F;
  int k = 0;
  for (; k < more && static_cast<size_t>(k) + 1 < text.size(); ++k) {
    const auto byte = static_cast<uint8_t>(text[static_cast<size_t>(k) + 1]);
    if (byte < least || byte > most) return {};
    value = value << 6 | (byte & 0x3Fu);
    least = 0x80;
    most = 0xBF;
  }
  if (k == more) return {value, value, static_cast<size_t>(more) + 1};
  const int left = 6 * (more - k);
  uint32_t lo = value << left, hi = lo | ((1u << left) - 1);
  // The next byte's own bounds rule out overlong forms, surrogates and what lies beyond Unicode.
  lo = std::max(lo, more == 1 ? 0x80u : more == 2 ? 0x800u : 0x10000u);
  hi = std::min(hi, 0x10FFFFu);
  if (lead == 0xED) hi = std::min(hi, 0xD7FFu);
  return {lo, hi, static_cast<size_t>(k) + 1};
}

int64_t plain_length(std::string_view text, bool* cut) {
  int64_t count = 0;
  if (cut != nullptr) *cut = false;
  while (!text.empty()) {
    const PlainCodepoint next = first_codepoint(text);
    if (next.bytes == 0) return -1;
    if (cut != nullptr) *cut = !next.whole();
    text.remove_prefix(next.bytes);
    ++count;
  }
  return count;
}

/// Takes texts in order.
class ContentTrie::Builder {
 public:
  explicit Builder(ContentTrie* trie) : trie_(*trie) { trie_.nodes_.push_back({0, 0, 0}); }

  void begin() {
    depth_ = 1;
    following_ = true;
  }
  void append(uint32_t lo, uint32_t hi) {
    uint32_t codepoint = lo;
    if (lo != hi) {
      codepoint = kPartial + static_cast<uint32_t>(trie_.partials_.size());
      // Equal partial texts are neighbours: the open node is this one.
      if (following_ && path_.size() == depth_ + 1 && path_[depth_].first >= kPartial) {
        const Partial& open = trie_.partials_[path_[depth_].first - kPartial];
        if (open.lo == lo && open.hi == hi) codepoint = path_[depth_].first;
      }
      if (codepoint == kPartial + trie_.partials_.size()) trie_.partials_.push_back({lo, hi});
    }
    if (following_ && depth_ < path_.size() && path_[depth_].first == codepoint) {
      ++depth_;
      return;
    }
    if (following_) close(depth_);
    following_ = false;
    path_.emplace_back(codepoint, static_cast<uint32_t>(trie_.nodes_.size()));
    trie_.nodes_.push_back({codepoint, 0, static_cast<uint32_t>(trie_.values_.size())});
    ++depth_;
  }
  void end(int32_t value) {
    if (following_) close(depth_);
    trie_.values_.push_back(value);
  }
  void finish() {
    close(0);
    trie_.nodes_.push_back({0, 0, static_cast<uint32_t>(trie_.values_.size())});
    trie_.nodes_.shrink_to_fit();
    trie_.summarize();
  }

 private:
  void close(size_t depth) {
    for (; path_.size() > depth; path_.pop_back()) {
      trie_.nodes_[path_.back().second].end = static_cast<uint32_t>(trie_.nodes_.size());
    }
  }

  ContentTrie& trie_;
  std::vector<std::pair<uint32_t, uint32_t>> path_{{0, 0}};  // (code point, node)
  size_t depth_ = 1;
  bool following_ = true;  // has the text been that of the path so far?
};

ContentTrie::ContentTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::sort(entries.begin(), entries.end());
  // What is less than a code point goes to the end of the root's list, so that this is in order.
  std::stable_partition(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.first.empty() || first_codepoint(entry.first).whole();
  });
  Builder builder(this);
  letters_.reserve(entries.size());
  tail_letters_.reserve(entries.size());
  for (const auto& [entry, value] : entries) {
    builder.begin();
    Letters& letters = letters_.emplace_back();
    Letters& tail = tail_letters_.emplace_back();
    uint32_t length = 0;
    Letters counted;
    for (std::string_view text = entry; !text.empty(); ++length) {
      const PlainCodepoint next = first_codepoint(text);
      const uint32_t letter =
          next.whole() ? Letters::of(next.lo) : Letters::of_cut(next.lo, next.hi);
      letters.add(letter);
      if (length > 0) tail.add(letter);
      if (length > 0 || letter != ' ') counted.add(letter);
      builder.append(next.lo, next.hi);
      text.remove_prefix(next.bytes);
    }
    builder.end(value);
    counted.for_each([&](uint32_t letter) { ++counts_.with[letter]; });
    const bool word = !counted.meets(LetterCounts::others());
    for (uint32_t n = 0; n < std::min(length, LetterCounts::kLengths + 1); ++n) {
      ++counts_.longer[n];
      if (word) ++counts_.longer_words[n];
    }
  }
  builder.finish();
}

ContentTrie::ContentTrie(std::vector<std::pair<std::u32string, int32_t>> entries,
                         std::span<const Partial> cuts) {
  std::sort(entries.begin(), entries.end());
  Builder builder(this);
  for (const auto& [text, value] : entries) {
    builder.begin();
    for (const char32_t c : text) {
      if (c < kPartial) {
        builder.append(c, c);
      } else {
        builder.append(cuts[c - kPartial].lo, cuts[c - kPartial].hi);
      }
    }
    builder.end(value);
  }
  builder.finish();
}

uint32_t ContentTrie::root_after(uint32_t codepoint) const {
  const auto it = std::partition_point(
      roots_.begin(), roots_.end(), [&](uint32_t i) { return nodes_[i].codepoint <= codepoint; });
  return it == roots_.end() ? size() : *it;
}

std::span<const std::pair<uint32_t, uint32_t>> ContentTrie::fan(uint32_t node) const {
  const auto it = std::lower_bound(fans_.begin(), fans_.end(), std::pair(node, 0u));
  if (it == fans_.end() || it->first != node) return {};
  const size_t end = it + 1 == fans_.end() ? children_.size() : (it + 1)->second;
  return std::span(children_).subspan(it->second, end - it->second);
}

uint32_t ContentTrie::below_from(uint32_t node) const {
  const auto it = std::partition_point(below_.begin(), below_.end(),
                                       [&](const Below& each) { return each.node < node; });
  return static_cast<uint32_t>(it - below_.begin());
}

const ContentTrie::Block* ContentTrie::block_at(uint32_t node) const {
  const auto it = std::partition_point(blocks_.begin(), blocks_.end(),
                                       [&](const Block& block) { return block.node < node; });
  return it != blocks_.end() && it->node == node ? &*it : nullptr;
}

void ContentTrie::make_blocks() {
  for (size_t r = 0; r < roots_.size(); ++r) {
    const uint32_t root = roots_[r], codepoint = nodes_[root].codepoint;
    if (codepoint < 0x80 || codepoint >= kPartial) continue;
    if (blocks_.empty() || (root - blocks_.back().node) > kBlockNodes) {
      blocks_.push_back({root, root, 0, {root}});
    }
    Block& block = blocks_.back();
    block.last = codepoint;
    block.end = nodes_[root].end;
    std::vector<uint32_t> path;  // ends of the nodes around this one
    for (uint32_t i = root + 1; i < block.end; ++i) {
      while (!path.empty() && path.back() <= i) path.pop_back();
      path.push_back(nodes_[i].end);
      block.below.depth = std::max(block.below.depth, static_cast<uint32_t>(path.size()));
      block.below.letters.add(letter(nodes_[i]));
    }
  }
  blocks_.shrink_to_fit();
}

void ContentTrie::make_fans() {
  std::vector<std::pair<uint32_t, uint32_t>> children;
  for (uint32_t i = 0; i < size(); ++i) {
    const uint32_t end = i == 0 ? size() : nodes_[i].end;
    if (end - i <= kManyChildren) continue;
    children.clear();
    for (uint32_t child = i + 1; child < end; child = nodes_[child].end) {
      children.emplace_back(nodes_[child].codepoint, child);
    }
    if (children.size() <= kManyChildren) continue;
    std::sort(children.begin(), children.end());
    fans_.emplace_back(i, static_cast<uint32_t>(children_.size()));
    children_.insert(children_.end(), children.begin(), children.end());
  }
  fans_.shrink_to_fit();
  children_.shrink_to_fit();
}

void ContentTrie::summarize() {
  for (uint32_t i = 1; i < size(); i = nodes_[i].end) roots_.push_back(i);
  roots_.shrink_to_fit();
  std::vector<size_t> open;        // indices into below_ of the nodes around this one
  std::vector<uint32_t> path;      // ends of the nodes around this one
  std::vector<uint32_t> depth_of;  // of the nodes in below_
  for (uint32_t i = 0; i < size(); ++i) {
    const Node& node = nodes_[i];
    while (!open.empty() && nodes_[below_[open.back()].node].end <= i) {
      below_[open.back()].end = static_cast<uint32_t>(below_.size());
      open.pop_back();
    }
    while (!path.empty() && path.back() <= i) path.pop_back();
    for (const size_t k : open) {
      const auto depth = static_cast<uint32_t>(path.size()) - depth_of[k];
      below_[k].depth = std::max(below_[k].depth, depth);
      below_[k].letters.add(letter(node));
    }
    if (node.end - i > kManyNodes) {
      open.push_back(below_.size());
      below_.push_back({i});
      depth_of.push_back(static_cast<uint32_t>(path.size()));
    }
    path.push_back(node.end);
    depth_ = std::max(depth_, static_cast<uint32_t>(path.size()) - 1);  // the root is in the path
  }
  for (const size_t k : open) below_[k].end = static_cast<uint32_t>(below_.size());
  below_.shrink_to_fit();
  make_blocks();
  make_fans();
}

size_t ContentTrie::memory_bytes() const {
  return nodes_.capacity() * sizeof(Node) + roots_.capacity() * sizeof(uint32_t) +
         (fans_.capacity() + children_.capacity()) * sizeof(fans_[0]) +
         below_.capacity() * sizeof(Below) + blocks_.capacity() * sizeof(Block) +
         partials_.capacity() * sizeof(Partial) + values_.capacity() * sizeof(int32_t) +
         (letters_.capacity() + tail_letters_.capacity()) * sizeof(Letters);
}

}  // namespace espalier
