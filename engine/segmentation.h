#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/token_trie.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// The fewest tokens of `trie` that spell `text` exactly; nullopt when none do.
std::optional<std::vector<TokenId>> shortest_segmentation(const TokenTrie& trie,
                                                          std::string_view text);

}  // namespace espalier
