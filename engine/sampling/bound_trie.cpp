// A persistent trie of upper bounds.
//
// For a prefix u let c(u) be the probability that the model, left alone, continues it to a valid
// text. The trie keeps bounds B(u) >= c(u): 1 where nothing is known and, for prefixes that were
// visited, what their children say:
//
//   B(u) = sum over allowed a of p(a|u) B(ua)
//
//   root .6      "a" was visited and only a third of what follows it is allowed; "b" is allowed
//   |- a .3      with probability .5 and was not visited:  .6 = .3 * .33 + .5 * 1
//   '- (b 1)
//
// Only visited prefixes are stored: a child's token, its probability after its parent, its bound.
// That suffices to keep all sums right by differences: when B(ua) changes by d, B(u) changes by
// p(a|u) d, and so on up, O(depth) for a draw whatever the number of children. What else a draw
// needs, the allowed tokens and their probabilities, comes with the row of the model.
//
// Invariants: B never rises but by eviction, which sets an unvisited prefix back to 1: the sums
// stay right and the bounds stay bounds. Leaves that no recent draw touched are evicted first.
// Files store tokens and bounds, parents first; no other identity is in them.
//
// Memory: 32 bytes for a prefix and 4 to 8 for its place in the hash index. References: Park et
// al., "Grammar-aligned decoding", arXiv 2405.21047; CARS, arXiv 2510.01902.

#include "engine/sampling/bound_trie.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <type_traits>
#include <utility>

#include "engine/hash.h"

namespace espalier {
namespace {

constexpr std::string_view kMagic = "espalier bounds 1\n";
constexpr size_t kFirstSlots = 64;
/// A row of single-precision probabilities may add up to a little more than 1.
constexpr double kMostBound = 1.001;

template <typename T>
void put(std::string* bytes, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string* bytes, std::string_view text) {
  put(bytes, static_cast<uint64_t>(text.size()));
  bytes->append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  bool get(T* value) {
    if (bytes_.size() < sizeof(T)) return false;
    std::memcpy(value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return true;
  }
  bool get_text(std::string* text) {
    uint64_t size = 0;
    if (!get(&size) || size > bytes_.size()) return false;
    *text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

Status broken(const char* what) {
  return Status(StatusCode::kParseError, std::string("The saved trie is broken: ") + what, "trie");
}

}  // namespace

BoundTrie::BoundTrie(BoundTrieKey key, size_t max_bytes)
    : key_(std::move(key)), max_bytes_(max_bytes), edges_(1), index_(kFirstSlots, kNone) {}

size_t BoundTrie::slot_of(Node node, TokenId token) const {
  const uint64_t key = (uint64_t{node} << 32) | static_cast<uint32_t>(token);
  size_t slot = mix64(key + kGoldenGamma) & (index_.size() - 1);
  while (index_[slot] != kNone) {
    const Edge& edge = edges_[index_[slot]];
    if (edge.parent == node && edge.token == token) break;
    slot = (slot + 1) & (index_.size() - 1);
  }
  return slot;
}

BoundTrie::Node BoundTrie::find(Node node, TokenId token) const {
  return index_[slot_of(node, token)];
}

void BoundTrie::rebuild_index(size_t slots) {
  index_.assign(slots, kNone);
  for (Node node = 1; node < edges_.size(); ++node) {
    if (edges_[node].live) index_[slot_of(edges_[node].parent, edges_[node].token)] = node;
  }
}

void BoundTrie::expand(double bound) {
  if (expanded_) return;
  expanded_ = true;
  edges_[kRoot].bound = bound;
}

void BoundTrie::carry_up(Node node, double change) {
  while (node != kRoot) {
    const Edge& edge = edges_[node];
    change *= std::exp(static_cast<double>(edge.log_probability));
    node = edge.parent;
    edges_[node].bound = std::max(edges_[node].bound + change, 0.0);
  }
}

BoundTrie::Node BoundTrie::add(Node node, TokenId token, float log_probability, double bound) {
  if (free_.empty() && edges_.size() == edges_.capacity() && !grow() && !make_room()) return kNone;
  Edge edge;
  edge.parent = node;
  edge.token = token;
  edge.log_probability = log_probability;
  edge.used = clock_;
  Node made = static_cast<Node>(edges_.size());
  if (free_.empty()) {
    edges_.push_back(edge);
  } else {
    made = free_.back();
    free_.pop_back();
    edges_[made] = edge;
  }
  ++edges_[node].children;
  ++live_;
  index_[slot_of(node, token)] = made;
  set_bound(made, bound);
  return made;
}

void BoundTrie::set_bound(Node node, double bound) {
  const double change = bound - edges_[node].bound;
  edges_[node].bound = bound;
  carry_up(node, change);
}

void BoundTrie::remove(Node node) {
  Edge& edge = edges_[node];
  carry_up(node, 1 - edge.bound);
  --edges_[edge.parent].children;
  edge.live = false;
  free_.push_back(node);
  --live_;
  ++evicted_;
}

/// Room for half as many prefixes again, or for as many as the budget allows; the index is made
/// large enough for all of them.
bool BoundTrie::grow() {
  const size_t wanted = edges_.size() + edges_.size() / 2 + 16;
  size_t slots = index_.size();
  while (wanted * 4 > slots * 3) slots *= 2;
  size_t capacity = wanted;
  constexpr size_t kEach = sizeof(Edge) + sizeof(Node);
  if (capacity * kEach + slots * sizeof(Node) > max_bytes_) {
    slots = index_.size();
    const size_t left = max_bytes_ - std::min(max_bytes_, slots * sizeof(Node));
    capacity = std::min(left / kEach, slots * 3 / 4);
  }
  if (capacity <= edges_.size()) return false;
  edges_.reserve(capacity);
  free_.reserve(capacity);
  if (slots != index_.size()) rebuild_index(slots);
  return true;
}

bool BoundTrie::make_room() {
  std::vector<Node> leaves;
  for (Node node = 1; node < edges_.size(); ++node) {
    const Edge& edge = edges_[node];
    if (edge.live && edge.children == 0 && edge.used != clock_) leaves.push_back(node);
  }
  if (leaves.empty()) return false;
  std::sort(leaves.begin(), leaves.end(),
            [&](Node a, Node b) { return edges_[a].used < edges_[b].used; });
  const size_t removed = std::max<size_t>(1, leaves.size() / 4);
  leaves.erase(leaves.begin() + static_cast<std::ptrdiff_t>(removed), leaves.end());
  for (const Node node : leaves) remove(node);
  rebuild_index(index_.size());
  return true;
}

size_t BoundTrie::memory_bytes() const {
  return edges_.capacity() * sizeof(Edge) + index_.size() * sizeof(Node) +
         free_.capacity() * sizeof(Node);
}

std::string BoundTrie::to_bytes() const {
  std::string bytes(kMagic);
  put(&bytes, static_cast<uint64_t>(key_.prompt.size()));
  for (const TokenId token : key_.prompt) put(&bytes, token);
  put(&bytes, key_.temperature);
  put_text(&bytes, key_.model);
  put_text(&bytes, key_.constraint);
  put(&bytes, static_cast<uint8_t>(expanded_));
  put(&bytes, edges_[kRoot].bound);
  put(&bytes, static_cast<uint64_t>(live_));
  // Parents first: breadth first over the live edges.
  std::vector<std::pair<Node, Node>> by_parent;
  for (Node node = 1; node < edges_.size(); ++node) {
    if (edges_[node].live) by_parent.emplace_back(edges_[node].parent, node);
  }
  std::sort(by_parent.begin(), by_parent.end());
  std::vector<Node> queue{kRoot};
  for (size_t next = 0; next < queue.size(); ++next) {
    auto child =
        std::lower_bound(by_parent.begin(), by_parent.end(), std::make_pair(queue[next], Node{0}));
    for (; child != by_parent.end() && child->first == queue[next]; ++child) {
      const Edge& edge = edges_[child->second];
      put(&bytes, static_cast<uint32_t>(next));
      put(&bytes, edge.token);
      put(&bytes, edge.log_probability);
      put(&bytes, edge.bound);
      queue.push_back(child->second);
    }
  }
  return bytes;
}

Result<BoundTrie> BoundTrie::from_bytes(std::string_view bytes, BoundTrieKey key,
                                        size_t max_bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) return broken("it does not begin as one.");
  Reader reader(bytes.substr(kMagic.size()));
  BoundTrieKey saved;
  uint64_t prompt = 0;
  if (!reader.get(&prompt) || prompt > reader.left() / sizeof(TokenId)) {
    return broken("its prompt is cut off.");
  }
  saved.prompt.resize(prompt);
  for (TokenId& token : saved.prompt) {
    if (!reader.get(&token)) return broken("its prompt is cut off.");
  }
  uint8_t expanded = 0;
  double root = 1;
  uint64_t count = 0;
  if (!reader.get(&saved.temperature) || !reader.get_text(&saved.model) ||
      !reader.get_text(&saved.constraint) || !reader.get(&expanded) || !reader.get(&root) ||
      !reader.get(&count)) {
    return broken("its head is cut off.");
  }
  if (!(saved == key)) {
    return Status(StatusCode::kInvalidArgument,
                  "The saved trie is about another prompt, temperature, model or constraint.",
                  "trie");
  }
  constexpr size_t kEdgeBytes = sizeof(uint32_t) + sizeof(TokenId) + sizeof(float) + sizeof(double);
  if (count > reader.left() / kEdgeBytes) return broken("its edges are cut off.");
  if (!(root >= 0 && root <= kMostBound)) return broken("a bound is not a probability.");
  BoundTrie trie(std::move(key), max_bytes);
  trie.expanded_ = expanded != 0;
  trie.edges_[kRoot].bound = root;
  std::vector<Node> nodes{kRoot};
  trie.begin_draw();
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t parent = 0;
    TokenId token = -1;
    float log_probability = 0;
    double bound = 1;
    reader.get(&parent);
    reader.get(&token);
    reader.get(&log_probability);
    reader.get(&bound);
    if (parent >= nodes.size()) return broken("a prefix comes before its parent.");
    if (!(bound >= 0 && bound <= kMostBound) || !(log_probability <= 0.001F)) {
      return broken("a bound is not a probability.");
    }
    if (nodes[parent] == kNone) {
      nodes.push_back(kNone);
      continue;
    }
    if (trie.find(nodes[parent], token) != kNone) return broken("a prefix stands twice.");
    // The bounds above account for this one already: add it at 1, then set it.
    const Node node = trie.add(nodes[parent], token, log_probability, 1);
    nodes.push_back(node);
    if (node != kNone) {
      trie.edges_[node].bound = bound;
    } else {
      // No room: its parent's bound goes back to what it is without it.
      const double change = std::exp(static_cast<double>(log_probability)) * (1 - bound);
      Edge& above = trie.edges_[nodes[parent]];
      above.bound += change;
      trie.carry_up(nodes[parent], change);
    }
  }
  return trie;
}

Status BoundTrie::save(const std::string& path) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const std::string bytes = to_bytes();
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return Status(StatusCode::kIoError, "The trie cannot be written.", path);
  return Status();
}

Result<BoundTrie> BoundTrie::load(const std::string& path, BoundTrieKey key, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Status(StatusCode::kIoError, "The trie cannot be read.", path);
  Result<BoundTrie> trie = from_bytes(bytes, std::move(key), max_bytes);
  if (trie.ok()) return trie;
  return Status(trie.status().code(), trie.status().message(), path);
}

}  // namespace espalier
