#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/tokens/content_trie.h"
#include "engine/tokens/high_texts.h"
#include "engine/tokens/token_trie.h"
#include "engine/tokens/whole_names.h"
#include "espalier/vocabulary.h"
#include "grammar/byte_set.h"
#include "grammar/codepoints/json_spelling.h"
#include "grammar/recognizer.h"

namespace espalier {

/// A vocabulary seen as pieces of JSON string content: bitmaps from which the rows of string leaves
/// are put together. Built when the vocabulary is loaded; see content_index.cpp.
class ContentIndex {
 public:
  /// Plain tokens are told apart by their number of code points up to here.
  static constexpr size_t kLengthRows = 64;

  explicit ContentIndex(const Vocabulary& vocabulary);
  /// The index of a vocabulary.
  static const std::shared_ptr<const ContentIndex>& of(const Vocabulary& vocabulary) {
    return vocabulary.content();
  }

  /// Never that of another index in this process.
  uint64_t uid() const { return uid_; }

  /// A token that ends a string, in the middle or at its end: after the closing quote it spells
  /// suffix number `suffix`.
  struct Ender {
    uint32_t suffix;
    TokenId token;
    friend auto operator<=>(const Ender&, const Ender&) = default;
  };

  /// Plain tokens (see LeafLoop).
  std::span<const MaskWord> plain() const { return plain_; }
  /// Tokens that contain a byte above 0x7F.
  std::span<const MaskWord> high() const { return high_; }
  /// Tokens that contain `byte`; empty when there are none.
  std::span<const MaskWord> containing(uint8_t byte) const { return containing_[byte]; }
  /// Tokens that contain a byte of [kGroupBytes * group, kGroupBytes * (group + 1)), the quote
  /// aside.
  static constexpr size_t kGroupBytes = 8, kGroups = 128 / kGroupBytes;
  std::span<const MaskWord> containing_group(size_t group) const { return groups_[group]; }
  /// Plain tokens with a letter; empty when there are none. Those of the space have one that is not
  /// their first.
  std::span<const MaskWord> with_letter(uint32_t letter) const {
    return letter > ' '    ? containing(static_cast<uint8_t>(letter))
           : letter == ' ' ? std::span<const MaskWord>(inner_space_)
                           : std::span<const MaskWord>(high_letters_[letter]);
  }
  /// Tokens that begin with a space.
  std::span<const MaskWord> leading_space() const { return leading_space_; }
  /// Plain tokens of more than n code points, n < kLengthRows.
  std::span<const MaskWord> longer_than(size_t n) const { return longer_[n]; }
  /// Plain tokens of more than kLengthRows code points with their number.
  std::span<const std::pair<uint32_t, TokenId>> long_tokens() const { return long_; }
  /// The greatest number of code points, up to n, that some plain token has.
  uint32_t longest_within(uint64_t n) const {
    const auto it = std::upper_bound(lengths_.begin(), lengths_.end(), n);
    return it == lengths_.begin() ? 0 : *(it - 1);
  }
  /// Tokens that contain a quote or a backslash.
  const TokenTrie& marked() const { return marked_; }
  /// Of those, the ones whose string ends with the byte of this node of marked(): its first
  /// quote outside of escapes.
  std::span<const Ender> marked_enders(uint32_t node) const {
    return std::span(marked_enders_)
        .subspan(first_marked_ender_[node],
                 first_marked_ender_[node + 1] - first_marked_ender_[node]);
  }
  /// The node of those whose string ends with their first byte; 0 where there are none.
  uint32_t bare_node() const { return marked_.size() != 0 ? marked_.child(0, '"') : 0; }
  /// The plain tokens by their code points; values are tokens.
  const ContentTrie& plain_texts() const { return plain_texts_; }

  /// Those that have code points above U+007F, by these.
  const HighTexts& high_texts() const { return high_texts_; }

  /// Suffix number 0 is empty; the trie holds the others.
  static constexpr uint32_t kNoSuffix = 0;
  const TokenTrie& suffixes() const { return suffixes_; }
  size_t num_suffixes() const { return suffix_ids_.size(); }
  std::string_view suffix(uint32_t id) const { return suffix_texts_[id]; }
  /// The number of a suffix that some token has.
  uint32_t suffix_id(std::string_view suffix) const { return suffix_ids_.find(suffix)->second; }
  std::optional<uint32_t> find_suffix(std::string_view suffix) const {
    const auto it = suffix_ids_.find(suffix);
    return it != suffix_ids_.end() ? std::optional(it->second) : std::nullopt;
  }
  /// The tokens in which a quote comes before any backslash, sorted.
  std::span<const Ender> enders() const { return enders_; }
  /// Those with one suffix.
  std::span<const Ender> enders(uint32_t suffix) const {
    return std::span(enders_).subspan(first_ender_[suffix],
                                      first_ender_[suffix + 1] - first_ender_[suffix]);
  }
  /// What they spell before the quote; values are indices into enders().
  const ContentTrie& ender_texts() const { return ender_texts_; }

  /// The tokens with a backslash before any quote, by what their escapes mean in a spelling.
  struct Escapes {
    ContentTrie inside;       ///< values are tokens
    ContentTrie ender_texts;  ///< what is spelled before a quote; values are indices into enders
    std::vector<Ender> enders;
    TokenTrie others;         ///< those that escape surrogates, or end where one may be
    TokenTrie quoted_others;  ///< of these, the ones with a quote
    ByteSet meant;            ///< the first bytes of all code points in ender_texts
    size_t memory_bytes() const;
  };
  const Escapes& escapes(StringSpelling spelling) const {
    return escapes_[static_cast<size_t>(spelling)];
  }
  const NameHeads& name_heads() const { return name_heads_; }
  size_t memory_bytes() const;

 private:
  struct Texts;
  static uint64_t next_uid();
  Texts read_tokens(const Vocabulary& vocabulary);
  void read_marked(TokenId token, std::string_view bytes, size_t mark, Texts* texts);
  void index_groups(size_t words);
  void index_lengths(const std::vector<std::pair<uint32_t, TokenId>>& lengths, size_t words);
  void index_name_heads(std::string_view token);
  void index_enders(const Vocabulary& vocabulary,
                    const std::vector<std::pair<TokenId, size_t>>& quoted);
  void index_escapes(const Vocabulary& vocabulary, const std::vector<TokenId>& escaped,
                     StringSpelling spelling);
  void index_marked(const Vocabulary& vocabulary);

  const uint64_t uid_ = next_uid();
  NameHeads name_heads_;
  WholeNames whole_names_;
  std::vector<MaskWord> plain_;
  std::vector<MaskWord> high_;
  std::array<std::vector<MaskWord>, 256> containing_;
  std::array<std::vector<MaskWord>, kGroups> groups_;
  std::array<std::vector<MaskWord>, kLengthRows> longer_;
  std::array<std::vector<MaskWord>, Letters::kFirstBlock + Letters::kBlocks.size()> high_letters_;
  std::vector<MaskWord> leading_space_, inner_space_;
  std::vector<std::pair<uint32_t, TokenId>> long_;
  std::vector<uint32_t> lengths_;  // that plain tokens have, sorted
  TokenTrie marked_;
  std::vector<uint32_t> first_marked_ender_;  // by node of marked_
  std::vector<Ender> marked_enders_;
  ContentTrie plain_texts_;
  HighTexts high_texts_;
  std::unordered_map<std::string_view, uint32_t> suffix_ids_;  // views into the vocabulary
  std::vector<std::string_view> suffix_texts_;
  TokenTrie suffixes_;
  std::vector<Ender> enders_;
  std::vector<uint32_t> first_ender_;
  ContentTrie ender_texts_;
  std::array<Escapes, 2> escapes_;
};

}  // namespace espalier
