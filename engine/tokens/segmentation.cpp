// The fewest tokens that spell a text.
//
// rest[i] is the least number of tokens that spell the bytes from i on. From the last position to
// the first the trie is walked along the text; a token that ends at j gives 1 + rest[j].
//
// Example: over {a, ab, bc, c}, "abc" is ab|c or a|bc (2), never a|b|c.
//
// Cost: O(length of the text * longest token), far less in practice.

#include "engine/tokens/segmentation.h"

#include <cstdint>

namespace espalier {
namespace {

struct Step {
  size_t rest = SIZE_MAX;  ///< tokens from here on
  size_t length = 0;       ///< of the first of them
  TokenId token = -1;
};

std::vector<Step> best_steps(const TokenTrie& trie, std::string_view text) {
  std::vector<Step> best(text.size() + 1);
  best.back().rest = 0;
  for (size_t i = text.size(); i-- > 0;) {
    uint32_t node = 0;
    for (size_t j = i; j < text.size() && trie.size() != 0; ++j) {
      node = trie.child(node, static_cast<uint8_t>(text[j]));
      if (node == 0) break;
      const TokenId token = trie.node(node).token;
      const size_t rest = best[j + 1].rest;
      if (token >= 0 && rest != SIZE_MAX && rest + 1 < best[i].rest) {
        best[i] = {rest + 1, j + 1 - i, token};
      }
    }
  }
  return best;
}

}  // namespace

std::vector<size_t> fewest_tokens(const TokenTrie& trie, std::string_view text) {
  std::vector<size_t> counts;
  counts.reserve(text.size() + 1);
  for (const Step& step : best_steps(trie, text)) counts.push_back(step.rest);
  return counts;
}

std::optional<std::vector<TokenId>> shortest_segmentation(const TokenTrie& trie,
                                                          std::string_view text) {
  const std::vector<Step> best = best_steps(trie, text);
  if (best.front().rest == SIZE_MAX) return std::nullopt;
  std::vector<TokenId> tokens;
  tokens.reserve(best.front().rest);
  for (size_t at = 0; at < text.size(); at += best[at].length) tokens.push_back(best[at].token);
  return tokens;
}

}  // namespace espalier
