#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "espalier/matcher.h"
#include "espalier/model.h"
#include "espalier/status.h"

namespace espalier {

/// Runs independent tasks, such as the rows of a batch. A host with a thread pool of its own
/// implements this over it; make_task_arena() gives one over oneTBB.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  /// Calls task(0) ... task(count - 1), each once, in any order and from any threads, and returns
  /// when all have returned. Tasks do not throw.
  virtual void run(size_t count, const std::function<void(size_t)>& task) = 0;
};

/// A task arena of oneTBB in which at most `threads` (0: as many as the machine has) work, the
/// caller included. It can be kept and used from several threads. No global setting is changed;
/// oneTBB's workers start with the first run.
std::unique_ptr<TaskRunner> make_task_arena(int threads = 0);

struct BatchOptions {
  /// Null: one by one in the calling thread.
  TaskRunner* runner = nullptr;
};

/// Fills row i of `rows` (each `row_words` int32 words) with the mask of `matchers[i]`. The
/// matchers must be distinct objects; they may share grammars and vocabularies. The rows do not
/// depend on the runner. Returns the status of the first matcher, in order, whose row could not be
/// filled (the other rows are filled all the same), or kInvalidArgument when `rows` is too small.
Status fill_masks(std::span<Matcher* const> matchers, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options = {});

/// A token tree that grows from where a matcher stands. Neither is changed; both outlive the call.
struct DraftTree {
  const Matcher* root = nullptr;
  const TokenTree* tree = nullptr;
};

/// Fills the masks at every node of draft trees, in the order of LanguageModel::tree_log_probs: for
/// each tree in turn one row for the root and one for each node. The row of a node whose token, or
/// an ancestor's, is refused is all zero. Returns as above; kInvalidArgument also for a tree whose
/// parents do not come before their children.
Status fill_masks(std::span<const DraftTree> trees, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options = {});

/// Matcher::prefetch for each of the matchers, in another thread than the one that waits for the
/// model, say; they may not be changed meanwhile. Returns the masks that were made.
size_t prefetch(std::span<const Matcher* const> matchers, const PrefetchOptions& what,
                const BatchOptions& options = {});

}  // namespace espalier
