#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/aged_map.h"
#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/parted_map.h"
#include "engine/tokens/content_index.h"
#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"
#include "grammar/leaf.h"
#include "grammar/recognizer.h"

namespace espalier {

/// Everything about the tokens of a vocabulary that one leaf state decides by itself: which stay
/// inside the leaf, and which leave it, how, and with what suffix. Immutable once built.
struct LeafRow {
  /// What rows of other leaves may share.
  struct Tokens {
    /// Those that keep the leaf alive to their last byte and do not end it. Either a full row
    /// (`dense`) or, when few, a list (`sparse`).
    std::vector<MaskWord> dense;
    std::vector<TokenId> sparse;

    /// Of strings between two code points: the tokens that end the leaf in one state, by the
    /// vocabulary's own numbering of suffixes. `all`: every one of index->enders(), which `enders`
    /// then leaves out.
    struct Ends {
      bool all = false;
      std::vector<ContentIndex::Ender> enders;
    };
    std::vector<Ends> ends;

    /// Of other leaves, instead: the tokens that end the leaf in one state; the suffix is what they
    /// spell after it. The suffix trie's entries are groups, and tokens of group g are
    /// group_tokens[group_begin[g] .. group_begin[g + 1]).
    struct Exit {
      uint32_t empty_group = kNoGroup;  ///< tokens that end exactly where the leaf ends
      TokenTrie suffixes;
    };
    static constexpr uint32_t kNoGroup = UINT32_MAX;
    std::vector<Exit> exits;
    std::vector<uint32_t> group_begin;
    std::vector<TokenId> group_tokens;

    std::span<const TokenId> group(uint32_t g) const {
      return std::span(group_tokens).subspan(group_begin[g], group_begin[g + 1] - group_begin[g]);
    }
    /// Takes the inside tokens of a row of so many words.
    void set_inside(std::vector<TokenId> tokens, size_t words);
    size_t memory_bytes() const;
  };
  std::shared_ptr<const Tokens> tokens;  ///< never null
  std::vector<uint32_t> end_states;      ///< of tokens->ends, or of tokens->exits
  std::shared_ptr<const ContentIndex> index;

  /// The leaf may end before the token's first byte: any token whose first byte is not `consumed`
  /// follows the leaf as a whole, and is to be walked in the vocabulary's own trie.
  bool exits_here = false;
  ByteSet consumed;

  /// Sets the inside bits; the row is overwritten, words beyond the vocabulary's are cleared.
  void copy_inside(std::span<MaskWord> row) const;
  /// Without its tokens.
  size_t own_bytes() const;
};

/// Builds a row; see leaf_row_builder.cpp.
std::shared_ptr<const LeafRow> build_leaf_row(const Vocabulary& vocabulary, const Leaf& leaf,
                                              uint32_t state);

/// The process-wide store of rows, shared by all grammars. Holds at most `budget` bytes: when it is
/// full, the rows that have not been asked for longest go. Rows in use stay alive with their users.
/// Thread-safe.
class LeafRowCache {
 public:
  static constexpr size_t kDefaultBudget = size_t{56} << 20;

  static LeafRowCache& process();

  std::shared_ptr<const LeafRow> get(const Vocabulary& vocabulary, const Leaf& leaf,
                                     uint32_t state);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;
  void clear();

 private:
  struct Key {
    uint64_t vocabulary;
    uint64_t leaf;
    uint32_t state;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  struct TokensHash {
    size_t operator()(const LeafRow::Tokens* tokens) const {
      return static_cast<size_t>(mix64(reinterpret_cast<uintptr_t>(tokens) * kGoldenGamma));
    }
  };

  size_t held() const { return rows_.bytes() + token_bytes_; }
  std::vector<std::shared_ptr<const LeafRow>> evict();
  size_t count_tokens(const LeafRow& row);
  size_t drop_tokens(const LeafRow& row);

  static constexpr size_t kProductsShare = 8;  // one part in so many is for ContentProductsCache
  static constexpr size_t kMemoShare = 8;      // and one for RowMemo

  mutable std::mutex mutex_;
  AgedMap<Key, std::shared_ptr<const LeafRow>, KeyHash> rows_;
  PartedMap<const LeafRow::Tokens*, uint32_t, TokensHash> sharers_;  // rows with these tokens
  size_t token_bytes_ = 0;
  size_t budget_ = kDefaultBudget - kDefaultBudget / kProductsShare - kDefaultBudget / kMemoShare;
  std::atomic<uint64_t> generation_{0};  // counts what ThreadCache must forget
};

}  // namespace espalier
