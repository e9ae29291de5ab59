#include "engine/tokenizers/tokenizer.h"

#include <string>

#include "engine/tokens/token_trie.h"

namespace espalier {

Status uncovered_byte(std::string_view text, size_t offset) {
  constexpr const char* kHex = "0123456789ABCDEF";
  const auto byte = static_cast<uint8_t>(text[offset]);
  const char spelled[] = {'0', 'x', kHex[byte >> 4], kHex[byte & 15], '\0'};
  return Status(StatusCode::kInvalidArgument,
                std::string("No token covers the byte ") + spelled + ".",
                "offset " + std::to_string(offset));
}

Status GreedyTokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const {
  const TokenTrie& trie = vocabulary_.trie();
  for (size_t i = 0; i < text.size();) {
    uint32_t node = 0;
    TokenId best = -1;
    size_t end = i;
    for (size_t j = i; j < text.size(); ++j) {
      node = trie.child(node, static_cast<uint8_t>(text[j]));
      if (node == 0) break;
      if (trie.node(node).token >= 0) {
        best = trie.node(node).token;
        end = j + 1;
      }
    }
    if (best < 0) return uncovered_byte(text, i);
    ids.push_back(best);
    i = end;
  }
  return Status();
}

}  // namespace espalier
