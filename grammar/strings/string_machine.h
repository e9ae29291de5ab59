#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "grammar/byte_set.h"
#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/codepoints/json_spelling.h"
#include "grammar/tables/id_table.h"
#include "grammar/tables/stable_vector.h"
#include "grammar/tables/string_list.h"

namespace espalier {

/// What a string machine observes.
struct StringSpec {
  StringList strings;  ///< sorted, unique: which of these is the string?
  std::vector<std::shared_ptr<const CodepointAutomaton>> automata;  ///< which of these accept it?
  std::vector<uint64_t> lengths;  ///< sorted, unique: how many of these does its length reach?
  StringSpelling spelling = StringSpelling::kJson;
};

/// What is known of a string when it ends.
struct StringSignature {
  static constexpr uint32_t kOther = UINT32_MAX;
  uint32_t string = kOther;    ///< index into StringSpec::strings, or kOther
  uint32_t length_rank = 0;    ///< how many of StringSpec::lengths are <= the length
  std::vector<bool> accepted;  ///< per automaton
  friend bool operator==(const StringSignature&, const StringSignature&) = default;
};

/// Reads the bytes of a JSON string after its opening quote, the closing quote included, and runs a
/// product over its *code points*: a trie of strings, any number of automata, and a length counter.
/// See string_machine.cpp. State 0 is dead: the bytes are no JSON string. Thread-safe; states are
/// stable once returned, and a known step is lock-free.
class StringMachine {
 public:
  explicit StringMachine(StringSpec spec);

  uint32_t start() const { return start_; }
  uint32_t step(uint32_t state, uint8_t byte) const {
    const ByteState& from = states_[state];
    const Block* block = from.next[byte / kBlock].load(std::memory_order_acquire);
    if (block != nullptr) {
      const uint32_t next = (*block)[byte % kBlock].load(std::memory_order_acquire);
      if (next != kUnknown) return next;
    }
    const uint64_t first = from.first.load(std::memory_order_acquire);
    if (first >> 32 == byte + 1u) return static_cast<uint32_t>(first);
    return compute_step(state, byte);
  }
  /// Has the closing quote been read?
  bool ended(uint32_t state) const { return states_[state].sub == kEnd; }
  /// The byte state after a closing quote.
  uint32_t end_state(uint32_t product) const;
  /// The product state below a byte state: what the code points read so far amount to.
  uint32_t product(uint32_t state) const { return states_[state].product; }
  /// True when the byte state lies between two code points (no partial encoding or escape pending).
  bool between(uint32_t state) const { return states_[state].sub == kBody; }
  /// The byte state of *this* machine with the same partial encoding as `state` of `other` has; its
  /// product is the start's. For machines that observe nothing.
  uint32_t same_position(const StringMachine& other, uint32_t state) const;
  /// The byte state of *this* machine that stands for `state` of `other`, from which it differs in
  /// that automata of predicates are relaxed; see CodepointAutomaton::relaxed.
  uint32_t relaxed_state(const StringMachine& other, uint32_t state) const;

  /// The byte state of *this* machine, which observes what `other` does but for its list of
  /// strings, that corresponds to `state` of `other`.
  uint32_t unlisted_position(const StringMachine& other, uint32_t state) const;

  /// The product that differs from this one in that no listed string begins so.
  uint32_t unlisted(uint32_t product) const;

  /// The code points (at most two) whose spelling `byte` completes in `state`; the closing quote
  /// completes a pending lone surrogate.
  size_t completed(uint32_t state, uint8_t byte, uint32_t codepoints[2]) const;

  /// The signature of a string that ends in this product state.
  const StringSignature& signature(uint32_t product) const;
  /// The product state after one more code point.
  uint32_t step_codepoint(uint32_t product, uint32_t codepoint) const;
  /// How many more code points may change what is known of the length.
  uint64_t lengths_left(uint32_t product) const { return length_cap_ - products_[product].length; }
  /// The length rank of strings that are one code point longer.
  uint32_t longer_rank(uint32_t product) const;
  /// Has the product left the trie of strings?
  bool off_trie(uint32_t product) const;

  /// Visits signatures of strings that extend the product state (itself included), listed strings
  /// last, until `visit` returns true. Where there are predicates also such as may be none: then
  /// kExhausted says that there are no others, kOverBudget all else.
  enum class Search : uint8_t { kFound, kExhausted, kOverBudget };
  using VisitSignature = std::function<bool(const StringSignature&)>;
  Search search(uint32_t product, const VisitSignature& visit) const;
  /// The same for strings that are not listed alone.
  Search search_unlisted(uint32_t product, const VisitSignature& visit) const;
  /// The same for the listed strings below the product state alone.
  bool search_listed(uint32_t product, const VisitSignature& visit) const;
  bool search_listed_below(uint32_t trie_node, const VisitSignature& visit) const;
  /// The state of automaton i.
  uint32_t automaton_state(uint32_t product, size_t i) const {
    return products_[product].automata[i];
  }

  /// The node of the trie of strings, kOffTrie if the product state has left it; where it goes with
  /// a code point; whether it is one of the strings; appends the letters that lead on, each with
  /// the code point after it.
  static constexpr uint32_t kOffTrie = UINT32_MAX;
  uint32_t trie_node(uint32_t product) const { return products_[product].node; }
  uint32_t trie_next(uint32_t node, uint32_t codepoint) const;
  bool is_listed(uint32_t node) const { return trie_[node].string != StringSignature::kOther; }
  void trie_letters(uint32_t node, std::vector<uint32_t>* out) const;
  /// The range of strings at and below a node, that at the node first; the byte state after the
  /// code points that lead there.
  std::pair<uint32_t, uint32_t> listed_at(uint32_t node) const {
    return {trie_[node].first, trie_[node].last};
  }
  uint32_t state_at(uint32_t node) const;
  /// The code points that lead on in the trie of strings, in order, each with the product state
  /// after it.
  using TrieStep = std::pair<uint32_t, uint32_t>;
  std::vector<TrieStep> trie_steps(uint32_t product) const;

  /// Does an automaton remember what it has read? See CodepointAutomaton::remembers.
  bool remembers() const;
  /// The product state with `n` more code points counted.
  uint32_t lengthened(uint32_t product, uint64_t n) const;
  /// The product state with another state of automaton i.
  uint32_t with_automaton(uint32_t product, size_t i, uint32_t state) const;
  /// The product state with another length.
  uint32_t at_length(uint32_t product, uint64_t length) const;
  uint64_t length(uint32_t product) const { return products_[product].length; }
  /// The byte state between two code points whose product this is.
  uint32_t between_state(uint32_t product) const;
  /// The product state with its automata settled; see CodepointAutomaton::settled.
  uint32_t settled(uint32_t product) const;

  /// Visits ranges of code points that together cover all, each leading to one product state, or to
  /// such as differ in what an automaton remembers; `next` is the one that `lo` leads to.
  void successors(uint32_t product,
                  const std::function<void(uint32_t lo, uint32_t hi, uint32_t next)>& visit) const;

  /// Is a byte state worth keeping, given which product states are live? The pending code point of
  /// a partial encoding must be completable to one that leads to a live product.
  bool live(uint32_t state, const std::function<bool(uint32_t product)>& live_product) const;
  /// The same where it matters which code point is pending: `live_product` is told those that lead
  /// to the product, none (an empty range) where nothing is pending.
  using LiveAfter = std::function<bool(uint32_t product, CodepointRange read)>;
  bool live_after(uint32_t state, const LiveAfter& live_product) const;

  /// Visits ranges [first, last) of the listed strings that a byte state may become, until `visit`
  /// returns true.
  template <typename Visit>
  bool any_listed(uint32_t state, const Visit& visit) const {
    if (!between(state)) return any_listed_pending(state, visit);
    const auto [first, last] = listed_below(states_[state].product);
    return first < last && visit(first, last);
  }
  /// The range of listed strings that extend a product state.
  std::pair<uint32_t, uint32_t> listed_below(uint32_t product) const {
    const uint32_t node = products_[product].node;
    return node == kOff ? std::pair(0u, 0u) : listed_at(node);
  }

  /// When nothing but the listed strings below `state` can still be meant, inserts every byte that
  /// may come next towards one of them and returns true; false when that is not known to be all.
  bool listed_bytes(uint32_t state, ByteSet* out) const;

  /// Inserts every byte that may lead from `state` towards a listed string, or end one.
  void trie_bytes(uint32_t state, ByteSet* out, ByteSet* characters) const;
  /// The same where the code points that lead to a node of the trie have been read, or after a
  /// backslash there.
  enum class Place : uint8_t { kBetween, kEscape };
  void trie_bytes_at(uint32_t node, Place place, ByteSet* out) const;

  const StringSpec& spec() const { return spec_; }
  Status status() const;
  /// Takes no lock: searches call their visitors under the machine's own.
  size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  static constexpr uint32_t kOff = kOffTrie;
  // What of a code point's encoding has been read, in the top byte; details below it.
  static constexpr uint32_t kBody = 0;
  static constexpr uint32_t kEnd = 1u << 24;
  static constexpr uint32_t kUtf8 = 2u << 24;        // total length, bytes left, bits so far
  static constexpr uint32_t kEscape = 3u << 24;      // after the backslash
  static constexpr uint32_t kHex = 4u << 24;         // digits read, value so far
  static constexpr uint32_t kHigh = 5u << 24;        // after an escaped high surrogate
  static constexpr uint32_t kHighEscape = 6u << 24;  // ... and a backslash
  static constexpr uint32_t kHighHex = 7u << 24;     // ... and \u with digits
  // Transitions of neighbouring bytes; made when one of them is first taken, but for the very first
  // one of a state, the only one of most.
  static constexpr uint32_t kBlock = 32;
  using Block = std::array<std::atomic<uint32_t>, kBlock>;

  struct ByteState {
    uint32_t product = 0;
    uint32_t sub = 0;
    mutable std::atomic<uint64_t> first = 0;  // above 32 bits the byte and one, 0: none yet
    mutable std::array<std::atomic<Block*>, 256 / kBlock> next{};
  };
  struct Product {
    uint32_t node = kOff;  // trie node
    uint64_t length = 0;   // saturated at the last of lengths
    std::vector<uint32_t> automata;
    StringSignature signature;
  };
  class UnlistedSearch;
  /// One letter of each class that no automaton tells apart, on the trie no listed string either;
  /// none where these are too many, or not known.
  struct Letters {
    std::vector<uint32_t> off_trie, on_trie;
  };
  struct TrieNode {
    uint32_t first = 0, last = 0, depth = 0;  // strings [first, last) share their first `depth`
    uint32_t string = StringSignature::kOther;
    uint32_t codepoint = 0;                      // that leads here
    uint32_t first_child = 0, num_children = 0;  // neighbours, by code point
    ByteSet bytes;                               // that their spelling as they are begins with
    mutable std::atomic<bool> expanded = false;  // are the last three known?
  };

  void measure() const;
  uint32_t compute_step(uint32_t state, uint8_t byte) const;
  uint32_t raw_step(uint32_t product, uint32_t sub, uint8_t byte) const;
  uint32_t intern_state(uint32_t product, uint32_t sub) const;
  uint32_t intern_product(uint32_t node, uint64_t length, std::span<const uint32_t> automata) const;
  uint32_t step_locked(uint32_t product, uint32_t codepoint) const;
  const TrieNode& expanded_node(uint32_t node) const;
  void expand(uint32_t node) const;
  uint32_t child_from(const TrieNode& node, uint32_t codepoint) const;
  std::u32string path_to(uint32_t node) const;
  uint32_t trie_child(uint32_t node, uint32_t codepoint) const;
  using VisitListed = std::function<bool(uint32_t first, uint32_t last)>;
  bool any_listed_pending(uint32_t state, const VisitListed& visit) const;
  uint32_t length_rank(uint64_t length) const;
  const StringSignature& string_signature(uint32_t index) const;
  template <typename Visit>
  bool for_ranges(uint32_t node, std::span<const uint32_t> automata, uint32_t lo, uint32_t hi,
                  Visit&& visit) const;
  bool any_codepoint(uint32_t product, uint32_t lo, uint32_t hi,
                     const LiveAfter& live_product) const;
  bool any_code_unit(uint32_t product, uint32_t lo, uint32_t hi,
                     const LiveAfter& live_product) const;
  Search search_lengths(uint32_t product, const VisitSignature& visit) const;
  Search search_other(uint32_t product, const VisitSignature& visit) const;
  Search search_relaxed(uint32_t product, const VisitSignature& visit) const;
  const Letters& letters() const;
  uint32_t relaxed_product(const StringMachine& other, uint32_t product) const;

  mutable std::atomic<size_t> bytes_ = 0;  // first: asked for where nothing else is
  StringSpec spec_;
  uint64_t length_cap_ = 0;
  uint32_t start_ = 0;
  // All below is filled lazily under mutex_ and read without it once published.
  mutable std::recursive_mutex mutex_;
  // Most machines are names of objects and stay small.
  template <typename T>
  using Vector = StableVector<T, 4>;
  mutable Vector<ByteState> states_;
  mutable Vector<Product> products_;
  mutable FlatMap<uint32_t> state_ids_;
  mutable Vector<Block> blocks_;
  mutable IdTable product_ids_;
  mutable Vector<TrieNode> trie_;
  mutable std::vector<StringSignature> string_signatures_;  // kOther: not asked for yet
  mutable std::optional<Letters> letters_;
  mutable std::unique_ptr<const StringMachine> relaxed_;  // with relaxed automata for predicates
};

}  // namespace espalier
