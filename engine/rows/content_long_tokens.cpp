// Tokens that are longer than the horizon of a distant product.
//
// The idea: a row is made from a product that stands for all those far from some bound, which only
// long tokens could reach (ContentLeaf::distant). So these are read again from the product itself:
// few in most vocabularies, and runs of one character mostly, of which the loop of the state says
// how many survive.
//
// Example: for ^[a-z]{1,63}$ after one letter the row is that of [a-z]*, without the tokens of more
// than 62 letters.
//
// Cost: a step for each code point that a long token does not share with its neighbour.
#include "engine/rows/content_long_tokens.h"

#include <algorithm>
#include <utility>

namespace espalier {

void LongTokens::drop_dead(uint32_t horizon, LeafRow* row) {
  const std::vector<MaskWord>& dense = row->tokens->dense;
  const std::vector<TokenId>& sparse = row->tokens->sparse;
  std::vector<TokenId> tokens, dead;
  const auto consider = [&](TokenId token) {
    if (!loops(vocabulary_.bytes(token))) {
      tokens.push_back(token);
    } else if (static_cast<uint64_t>(plain_length(vocabulary_.bytes(token))) >
               loop_->max_codepoints) {
      dead.push_back(token);
    }
  };
  const auto consider_dense = [&](TokenId token) {
    if (mask_bit(dense, token)) consider(token);
    return true;
  };
  if (dense.empty()) {
    for (const TokenId token : sparse) {
      if (mask_bit(index_.plain(), token) &&
          plain_length(vocabulary_.bytes(token)) > int64_t{horizon})
        consider(token);
    }
  } else if (horizon < ContentIndex::kLengthRows) {
    for_each_mask_bit(index_.longer_than(horizon), consider_dense);
  } else {
    for (const auto& [length, token] : index_.long_tokens()) {
      if (length > horizon) consider_dense(token);
    }
  }
  keep_dead(&tokens);
  dead.insert(dead.end(), tokens.begin(), tokens.end());
  if (dead.empty()) return;
  auto own = std::make_shared<LeafRow::Tokens>(*row->tokens);
  for (const TokenId token : dead) {
    if (own->dense.empty()) {
      std::erase(own->sparse, token);
    } else {
      clear_mask_bit(own->dense, token);
    }
  }
  row->tokens = std::move(own);
}

/// Is it known of this text when it survives, as it is made of looping bytes?
bool LongTokens::loops(std::string_view text) const {
  return loop_ != nullptr && text.size() <= LeafLoop::kHorizon &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           const auto byte = static_cast<uint8_t>(c);
           return loop_->bytes.contains(byte) && (byte < 0x80 || loop_->num_exceptions == 0);
         });
}

/// Keeps the tokens that the leaf does not survive. What neighbours have in common (runs of one
/// character, often) is read once.
void LongTokens::keep_dead(std::vector<TokenId>* tokens) {
  std::sort(tokens->begin(), tokens->end(),
            [&](TokenId a, TokenId b) { return vocabulary_.bytes(a) < vocabulary_.bytes(b); });
  std::vector<std::pair<size_t, uint32_t>> path{{0, product_}};  // bytes read, product
  std::string_view last;
  std::erase_if(*tokens, [&](TokenId token) {
    const std::string_view text = vocabulary_.bytes(token);
    const auto common = static_cast<size_t>(
        std::mismatch(text.begin(), text.end(), last.begin(), last.end()).first - text.begin());
    last = text;
    while (path.back().first > common) path.pop_back();
    while (path.back().first < text.size()) {
      const auto [read, product] = path.back();
      if (product == ContentLeaf::kNoProduct) return false;
      const PlainCodepoint next = first_codepoint(text.substr(read));
      if (!next.whole()) return products_->any(products_->number(product), next.lo, next.hi);
      path.emplace_back(read + next.bytes, content_.step_content(product, next.lo));
    }
    return path.back().second != ContentLeaf::kNoProduct;
  });
}

}  // namespace espalier
