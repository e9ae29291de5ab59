#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokens/token_trie.h"

namespace espalier {

/// Which names the tokens of a vocabulary can spell whole, both quotes with them; see
/// NameHeads::whole. Immutable once built.
class WholeNames {
 public:
  /// A token that contains a quote.
  void add(std::string_view token);
  void build() { names_ = TokenTrie(std::exchange(spelled_, {})); }

  /// Never "no" where a token does; names with letters that are spelled in several ways are always
  /// said to be there.
  bool contains(std::u32string_view name) const;

 private:
  std::vector<std::pair<std::string_view, int32_t>> spelled_;  // with the quote after it
  TokenTrie names_;
  bool any_ = false;  // one has escapes that may mean any letter
};

}  // namespace espalier
