#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// A token that is cut out of the text before anything else sees it (Hugging Face "added_tokens",
/// GGUF's user-defined tokens). Special ones are not listed: encode() never parses their names.
struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool strip_left = false;   ///< takes the white space before it along
  bool strip_right = false;  ///< and after it
  bool single_word = false;  ///< only where no word character touches it
};

/// Finds added tokens in text: leftmost first, longest among those. Immutable, thread-safe.
class AddedTokens {
 public:
  struct Match {
    size_t begin;
    size_t end;
    TokenId id;
  };

  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  /// All matches, in order, not overlapping.
  std::vector<Match> find(std::string_view text) const;
  size_t memory_bytes() const;

 private:
  bool longest_at(std::string_view text, size_t begin, Match& match) const;

  std::vector<AddedToken> tokens_;
  TokenTrie trie_;  // of indices into tokens_
};

}  // namespace espalier
