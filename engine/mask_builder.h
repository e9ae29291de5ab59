#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/mask_leaf_rows.h"
#include "engine/mask_walk.h"
#include "engine/suffix_memo.h"
#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// Working space of mask computations, kept between calls.
struct MaskScratch {
  std::vector<WalkItem> stack;
  /// The tokens that were set one by one, that is, besides those of the leaf's row.
  std::vector<TokenId> tokens;
  /// One bit for each token that only the recognizer can judge; empty when there is none.
  std::vector<MaskWord> unknown;
  /// Tokens of which looking ahead cannot tell, not in the mask; see settle_doubts.
  std::vector<TokenId> doubtful;
  std::vector<WalkItem> ended;
  std::vector<TokenId> exceptions;
  std::vector<TokenId> exceptional_and_allowed;
  SuffixSets suffixes;
};

/// Computes the mask of `state` into `row` (every word is written): the ordinary tokens that the
/// recognizer can read. With `memo` the process-wide leaf rows are consulted, and the memo for
/// what may follow strings; the row that was copied is returned, else null. scratch->tokens then
/// holds the other bits, and scratch->unknown the tokens that were left open: those the recognizer
/// can read are in the mask too, but not in `row`. Without it the vocabulary is walked.
std::shared_ptr<const LeafRow> build_mask(Recognizer& recognizer, const Vocabulary& vocabulary,
                                          State state, SuffixMemo* memo, MaskScratch* scratch,
                                          std::span<MaskWord> row);

/// Adds those of scratch->doubtful to the mask that can be read from `state`, by stepping them.
void settle_doubts(Recognizer& recognizer, const Vocabulary& vocabulary, State state,
                   MaskScratch* scratch, std::span<MaskWord> row);

}  // namespace espalier
