// Which tokens have which code points above U+007F.
//
// The letters of texts (content_letters.h) do not tell such code points apart within a block. Where
// a pattern does, as in ^[\u0041-\u00D6\u00D8-\u00F6]+$, what tokens have one that it refuses is
// looked up here: there are few such code points among those that tokens have, or few tokens.
//
// Example: U+00D7 leads to the tokens that hold a multiplication sign.
//
// Cost: eight bytes for each token and code point of it, some 60,000 in vocabularies of 128,000.
#include "engine/tokens/high_texts.h"

#include "engine/tokens/content_trie.h"

namespace espalier {

void HighTexts::add(std::string_view text, TokenId token) {
  const size_t before = entries_.size();
  while (!text.empty()) {
    const PlainCodepoint next = first_codepoint(text);
    if (!next.whole()) {
      entries_.resize(before);
      cut_.push_back(token);
      return;
    }
    if (next.lo >= 0x80) entries_.emplace_back(next.lo, token);
    text.remove_prefix(next.bytes);
  }
}

void HighTexts::build() {
  std::sort(entries_.begin(), entries_.end());
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
  entries_.shrink_to_fit();
  cut_.shrink_to_fit();
}

}  // namespace espalier
