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
};

/// Computes the mask of `state` into `row` (every word is written): the ordinary tokens that the
/// recognizer can read. With `use_rows` the process-wide leaf rows are consulted; the row that was
/// copied is returned, else null. scratch->tokens then holds the other bits.
std::shared_ptr<const LeafRow> build_mask(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state, bool use_rows, MaskScratch* scratch,
                                          std::span<MaskWord> row);

}  // namespace espalier
