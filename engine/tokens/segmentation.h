#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/tokens/token_trie.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// The fewest tokens of `trie` that spell `text` exactly; nullopt when none do.
std::optional<std::vector<TokenId>> shortest_segmentation(const TokenTrie& trie,
                                                          std::string_view text);

/// For each i up to the size of `text`: the fewest tokens that spell text[i:]; SIZE_MAX: none do.
std::vector<size_t> fewest_tokens(const TokenTrie& trie, std::string_view text);

}  // namespace espalier
