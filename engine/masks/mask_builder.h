#pragma once

#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/masks/mask_parts.h"
#include "engine/masks/mask_subtree.h"
#include "engine/masks/mask_walk.h"
#include "engine/masks/suffix_memo.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// Working space of mask computations, kept between calls.
struct MaskScratch {
  std::vector<WalkItem> stack;
  /// What the mask is put together from.
  MaskParts parts;
  /// One bit for each token that only the recognizer can judge; empty when there is none.
  std::vector<MaskWord> unknown;
  /// Tokens of which looking ahead cannot tell, not in the mask; see settle_doubts.
  std::vector<TokenId> doubtful;
  std::vector<WalkItem> ended;
  /// Where tokens that are not in the row of a leaf have left it.
  std::vector<WalkItem> foreign;
  SubtreeScratch subtrees;
  std::vector<TokenId> exceptions;
  std::vector<TokenId> exceptional_and_allowed;
};

/// Computes the mask of `state` into `row` (every word is written) and scratch->parts: the ordinary
/// tokens that the recognizer can read. With `memo` the process-wide rows are consulted, and the
/// memo for what may follow strings; scratch->unknown then holds the tokens that were left open:
/// those the recognizer can read are in the mask too, but not in `row`. Without it the vocabulary
/// is walked, and the parts are ids alone.
void build_mask(Recognizer& recognizer, const Vocabulary& vocabulary, State state, SuffixMemo* memo,
                MaskScratch* scratch, std::span<MaskWord> row);

/// Adds those of scratch->doubtful to the mask that can be read from `state`, by stepping them.
void settle_doubts(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                   MaskScratch* scratch, std::span<MaskWord> row);

}  // namespace espalier
