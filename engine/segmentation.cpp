// The fewest tokens that spell a text.
//
// best[i] is the least number of tokens that spell the first i bytes. From every position that can
// be reached the trie is walked along the text; each token met at position j relaxes best[j]. A
// position is final when it is visited, as all tokens go forward.
//
// Example: over {a, ab, bc, c}, "abc" is ab|c or a|bc (2), never a|b|c.
//
// Cost: O(length of the text * longest token), far less in practice.

#include "engine/segmentation.h"

#include <algorithm>
#include <cstdint>

namespace espalier {

std::optional<std::vector<TokenId>> shortest_segmentation(const TokenTrie& trie,
                                                          std::string_view text) {
  if (text.empty()) return std::vector<TokenId>();
  if (trie.size() == 0) return std::nullopt;
  struct Arrival {
    uint32_t count = UINT32_MAX;
    TokenId token = -1;
    uint32_t length = 0;
  };
  std::vector<Arrival> best(text.size() + 1);
  best[0].count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (best[i].count == UINT32_MAX) continue;
    const uint32_t count = best[i].count + 1;
    uint32_t node = 0;
    for (size_t j = i; j < text.size(); ++j) {
      node = trie.child(node, static_cast<uint8_t>(text[j]));
      if (node == 0) break;
      const TokenId token = trie.node(node).token;
      if (token >= 0 && count < best[j + 1].count) {
        best[j + 1] = {count, token, static_cast<uint32_t>(j + 1 - i)};
      }
    }
  }
  if (best.back().count == UINT32_MAX) return std::nullopt;
  std::vector<TokenId> tokens;
  for (size_t at = text.size(); at != 0; at -= best[at].length) tokens.push_back(best[at].token);
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

}  // namespace espalier
