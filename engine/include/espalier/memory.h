#pragma once

#include <cstddef>

namespace espalier {

/// Byte budgets of what the process remembers so as not to compute it again. None of them changes
/// an answer: a store over its budget forgets, and what is still needed is made again. Budgets of
/// one grammar's states are part of Limits.
struct StoreBudgets {
  size_t leaf_rows = size_t{64} << 20;  ///< rows of leaf states, for all vocabularies
  size_t subtree_rows =
      size_t{16} << 20;  ///< rows of subtrees of the vocabularies, and what may follow strings
  size_t leaves = size_t{64} << 20;  ///< strings' and numbers' automata; those in use may exceed it
  size_t masks = size_t{16} << 20;   ///< masks of each grammar under each vocabulary
  size_t steps = size_t{16} << 20;   ///< steps of each grammar
};

/// Sets the budgets of the process; takes effect as the stores are next filled. Thread-safe.
void set_store_budgets(const StoreBudgets& budgets);

/// Bytes held by what all grammars of the process share. Vocabulary::memory(),
/// Grammar::memory_bytes() and Matcher::memory_bytes() count the rest.
struct ProcessMemory {
  size_t leaf_rows = 0;
  size_t subtree_rows = 0;
  size_t leaves = 0;
  size_t total() const { return leaf_rows + subtree_rows + leaves; }
};

/// Looks through the stores: some microseconds for each thousand leaves. Thread-safe.
ProcessMemory process_memory();

}  // namespace espalier
