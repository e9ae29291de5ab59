// The process-wide stores seen together: their budgets and what they hold.
#include "espalier/memory.h"

#include "engine/masks/joined_rows.h"
#include "engine/masks/mask_memo.h"
#include "engine/masks/mask_subtree.h"
#include "engine/masks/suffix_memo.h"
#include "engine/rows/mask_leaf_rows.h"
#include "grammar/tables/step_memo.h"
#include "schema/leaves/scalar_leaf.h"

namespace espalier {

void set_store_budgets(const StoreBudgets& budgets) {
  constexpr size_t kJoinedShare = 8;  // one part in so many of the leaf rows
  JoinedRowCache::process().set_budget(budgets.leaf_rows / kJoinedShare);
  LeafRowCache::process().set_budget(budgets.leaf_rows - budgets.leaf_rows / kJoinedShare);
  constexpr size_t kSuffixShare = 4;  // one part in so many of the rows of subtrees
  SuffixSetStore::process().set_budget(budgets.subtree_rows / kSuffixShare);
  SubtreeRowCache::process().set_budget(budgets.subtree_rows - budgets.subtree_rows / kSuffixShare);
  MaskMemo::set_budget(budgets.masks);
  StepMemo::set_budget(budgets.steps);
  set_leaf_budget(budgets.leaves);
}

ProcessMemory process_memory() {
  ProcessMemory memory;
  memory.leaf_rows =
      LeafRowCache::process().memory_bytes() + JoinedRowCache::process().memory_bytes();
  memory.subtree_rows =
      SubtreeRowCache::process().memory_bytes() + SuffixSetStore::process().memory_bytes();
  memory.leaves = leaf_memory_bytes();
  return memory;
}

}  // namespace espalier
