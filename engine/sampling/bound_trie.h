#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// What a trie's bounds are about; they hold for equal keys only.
struct BoundTrieKey {
  std::vector<TokenId> prompt;
  double temperature = 1;
  std::string model;
  std::string constraint;  ///< names the constraint, its vocabulary and the token budget

  friend bool operator==(const BoundTrieKey&, const BoundTrieKey&) = default;
};

/// Upper bounds B(u) on the probability that a prefix u is continued validly, for the prefixes that
/// were visited; 1 for all others. What ASAp, CARS, MARS and trie importance sampling learn of one
/// prompt and keep. About 40 bytes a prefix. Single-threaded; can be saved and loaded.
class BoundTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;

  explicit BoundTrie(BoundTrieKey key, size_t max_bytes = size_t{64} << 20);

  const BoundTrieKey& key() const { return key_; }
  /// B(u).
  double bound(Node node) const { return edges_[node].bound; }
  /// The visited prefix, or kNone.
  Node find(Node node, TokenId token) const;
  /// Sets B(root) at its first visit.
  void expand(double bound);
  /// Adds a visited prefix: its probability after its parent, and its bound. The bounds of all
  /// prefixes above fall accordingly. kNone when the byte budget has no room beside the current
  /// path, which costs nothing but what would have been learned.
  Node add(Node node, TokenId token, float log_probability, double bound);
  /// Changes a bound, and with it those above.
  void set_bound(Node node, double bound);
  /// Prefixes that begin() .. now have touched are not evicted.
  void begin_draw() { ++clock_; }
  void touch(Node node) { edges_[node].used = clock_; }

  size_t size() const { return live_; }
  size_t memory_bytes() const;
  size_t evicted() const { return evicted_; }

  /// A byte string that from_bytes reads; what it says does not depend on this process.
  std::string to_bytes() const;
  /// kParseError for what is not such a string; kInvalidArgument when its key differs.
  static Result<BoundTrie> from_bytes(std::string_view bytes, BoundTrieKey key,
                                      size_t max_bytes = size_t{64} << 20);
  Status save(const std::string& path) const;
  static Result<BoundTrie> load(const std::string& path, BoundTrieKey key,
                                size_t max_bytes = size_t{64} << 20);

 private:
  struct Edge {
    double bound = 1;
    uint32_t parent = kNone;
    TokenId token = -1;
    float log_probability = 0;
    uint32_t children = 0;
    uint32_t used = 0;
    bool live = true;
  };
  static_assert(sizeof(Edge) == 32);

  void carry_up(Node node, double change);
  bool grow();
  bool make_room();
  void remove(Node node);
  void rebuild_index(size_t slots);
  size_t slot_of(Node node, TokenId token) const;

  BoundTrieKey key_;
  size_t max_bytes_;
  std::vector<Edge> edges_;
  std::vector<Node> free_;
  std::vector<Node> index_;  ///< open addressing by (parent, token); at most three quarters full
  size_t live_ = 0;
  size_t evicted_ = 0;
  uint32_t clock_ = 0;
  bool expanded_ = false;
};

}  // namespace espalier
