#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/mask_leaf_rows.h"
#include "engine/mask_walk.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// Working space of a mask computation, kept between calls.
struct MaskScratch {
  std::vector<WalkItem> stack;
  /// The tokens that were set one by one, that is, besides those of the leaf's row.
  std::vector<TokenId> tokens;
  /// One bit for each token that only the recognizer can judge; empty when there is none.
  std::vector<MaskWord> unknown;
  /// Tokens of which looking ahead cannot tell.
  std::vector<TokenId> doubtful;
};

/// Computes the mask of `state` into `row` (every word is written): the ordinary tokens that the
/// recognizer can read. With `use_rows` the process-wide leaf rows are consulted; the row that was
/// copied is returned, else null. scratch->tokens then holds the other bits, and scratch->unknown
/// the tokens that were left open: those the recognizer can read are in the mask too, but not in
/// `row`.
std::shared_ptr<const LeafRow> build_mask(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state, bool use_rows, MaskScratch* scratch,
                                          std::span<MaskWord> row);

}  // namespace espalier
