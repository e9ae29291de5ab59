// Forced text, and the tokens it is certain to be made of.
//
// While a state does not accept and exactly one byte leads on, that byte is certain. After
// `{"` in a closed object with the one required property "name", `name":` is forced.
//
// Tokens are less certain than bytes: the text goes on, and a tokenizer may merge its end with what
// comes next. A token of the encoding that starts at byte i stays what it is unless the vocabulary
// has a token that starts at i as well, agrees with the forced text to its end, goes beyond it, and
// is possible there. The encoding is cut before the first token with such a rival. In the example
// `":` may be cut, as `": ` and `":"` are tokens, and `name` is kept.
//
// Cost: a few probes for each forced byte; one walk down the trie for each token.

#include "engine/generation/forced.h"

#include <bit>
#include <string_view>

#include "engine/tokens/token_trie.h"

namespace espalier {
namespace {

/// The only byte that leads on from `state`, or -1.
int only_byte(Recognizer& recognizer, State state) {
  ByteSet bytes;
  recognizer.next_bytes(state, &bytes);
  int only = -1;
  for (int word = 0; word < 4; ++word) {
    for (uint64_t bits = bytes.words[word]; bits != 0; bits &= bits - 1) {
      const int byte = word * 64 + std::countr_zero(bits);
      if (recognizer.probe(state, static_cast<uint8_t>(byte)).dead()) continue;
      if (only >= 0) return -1;
      only = byte;
    }
  }
  return only;
}

/// Does a token start with all of `rest` and continue in a way that `end` allows?
bool has_rival(Recognizer& recognizer, const TokenTrie& trie, std::string_view rest, State end) {
  uint32_t node = 0;
  for (const char c : rest) {
    node = trie.child(node, static_cast<uint8_t>(c));
    if (node == 0) return false;
  }
  const TokenTrie::Node& last = trie.node(node);
  for (uint32_t i = 0; i < last.num_children; ++i) {
    if (!recognizer.probe(end, trie.node(last.first_child + i).byte).dead()) return true;
  }
  return false;
}

}  // namespace

ForcedText find_forced_bytes(Recognizer& recognizer, State state) {
  ForcedText forced{std::string(), state};
  while (!forced.end.dead() && forced.bytes.size() < kMaxForcedBytes &&
         !recognizer.accepting(forced.end)) {
    const int byte = only_byte(recognizer, forced.end);
    if (byte < 0) break;
    const State next = recognizer.step(forced.end, static_cast<uint8_t>(byte));
    if (next.dead()) break;
    forced.end = next;
    forced.bytes.push_back(static_cast<char>(byte));
  }
  return forced;
}

std::vector<TokenId> certain_tokens(Recognizer& recognizer, const Vocabulary& vocabulary,
                                    const ForcedText& forced) {
  if (forced.bytes.empty()) return {};
  Result<std::vector<TokenId>> encoded = vocabulary.encode(forced.bytes);
  if (!encoded.ok()) return {};
  std::vector<TokenId> tokens = std::move(*encoded);
  const std::string_view text = forced.bytes;
  size_t start = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view bytes = vocabulary.bytes(tokens[i]);
    const bool spells = text.substr(start, bytes.size()) == bytes;
    if (!spells || has_rival(recognizer, vocabulary.trie(), text.substr(start), forced.end)) {
      tokens.resize(i);
      break;
    }
    start += bytes.size();
  }
  return tokens;
}

}  // namespace espalier
