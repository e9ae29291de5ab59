#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/rows/content_products.h"
#include "engine/rows/mask_leaf_rows.h"
#include "engine/tokens/content_index.h"
#include "espalier/vocabulary.h"
#include "grammar/leaf_loop.h"
#include "grammar/strings/content_leaf.h"

namespace espalier {

/// The tokens of a row that are too long for the distant product which it was made from; see
/// content_long_tokens.cpp.
class LongTokens {
 public:
  /// `product`: the one that the row is for. `loop`: how its state loops, null if that is not
  /// known.
  LongTokens(const Vocabulary& vocabulary, const ContentIndex& index, const ContentLeaf& content,
             ContentProducts* products, const LeafLoop* loop, uint32_t product)
      : vocabulary_(vocabulary),
        index_(index),
        content_(content),
        products_(products),
        loop_(loop),
        product_(product) {}

  /// Drops those of more than `horizon` code points that the leaf does not survive.
  void drop_dead(uint32_t horizon, LeafRow* row);

 private:
  bool loops(std::string_view text) const;
  void keep_dead(std::vector<TokenId>* tokens);

  const Vocabulary& vocabulary_;
  const ContentIndex& index_;
  const ContentLeaf& content_;
  ContentProducts* const products_;
  const LeafLoop* const loop_;
  const uint32_t product_;
};

}  // namespace espalier
