// Masks of many sequences at once: one task per row.
//
// Rows are independent, so any schedule gives the same result; oneTBB's work stealing evens out
// rows that cost a copy and rows that are met for the first time. A draft tree is first walked in
// order, one clone and one accept a node (tens of nanoseconds each), then its rows are tasks like
// any others.
//
// Example: the tree {5, 7 after 5, 9} below a sequence has four rows: of the sequence, after 5,
// after 5 7, after 9.
#include "espalier/batch.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier {
namespace {

class TaskArena final : public TaskRunner {
 public:
  explicit TaskArena(int threads) : arena_(threads > 0 ? threads : tbb::task_arena::automatic) {}

  void run(size_t count, const std::function<void(size_t)>& task) override {
    // What the caller did is visible to the tasks, and what they did to the caller. oneTBB gives
    // the same order; this one the thread sanitizer can see.
    std::atomic<size_t> open{0};
    open.store(count, std::memory_order_release);
    arena_.execute([&] {
      tbb::parallel_for(tbb::blocked_range<size_t>(0, count),
                        [&](const tbb::blocked_range<size_t>& range) {
                          (void)open.load(std::memory_order_acquire);
                          for (size_t i = range.begin(); i != range.end(); ++i) task(i);
                          open.fetch_sub(range.size(), std::memory_order_acq_rel);
                        });
    });
    (void)open.load(std::memory_order_acquire);
  }

 private:
  tbb::task_arena arena_;
};

void run(const BatchOptions& options, size_t count, const std::function<void(size_t)>& task) {
  if (options.runner != nullptr && count > 1) return options.runner->run(count, task);
  for (size_t i = 0; i < count; ++i) task(i);
}

Status too_few(size_t words, size_t count, size_t row_words) {
  return {StatusCode::kInvalidArgument,
          "rows: " + std::to_string(words) + " words do not hold " + std::to_string(count) +
              " rows of " + std::to_string(row_words),
          "rows"};
}

Status first_failure(const std::vector<Status>& statuses) {
  const auto failed = std::find_if(statuses.begin(), statuses.end(),
                                   [](const Status& status) { return !status.ok(); });
  return failed == statuses.end() ? Status() : *failed;
}

Status check(const DraftTree& draft, size_t index) {
  const TokenTree& tree = *draft.tree;
  bool ordered = tree.token.size() == tree.parent.size();
  for (size_t i = 0; i < tree.parent.size() && ordered; ++i) {
    ordered = tree.parent[i] >= -1 && tree.parent[i] < static_cast<int32_t>(i);
  }
  if (ordered) return {};
  return {StatusCode::kInvalidArgument, "A tree's parents must come before their children.",
          "trees:" + std::to_string(index)};
}

}  // namespace

std::unique_ptr<TaskRunner> make_task_arena(int threads) {
  return std::make_unique<TaskArena>(threads);
}

Status fill_masks(std::span<Matcher* const> matchers, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options) {
  if (row_words == 0 || rows.size() / row_words < matchers.size()) {
    return too_few(rows.size(), matchers.size(), row_words);
  }
  std::vector<Status> statuses(matchers.size());
  run(options, matchers.size(), [&](size_t i) {
    statuses[i] = matchers[i]->fill_mask(rows.subspan(i * row_words, row_words));
  });
  return first_failure(statuses);
}

Status fill_masks(std::span<const DraftTree> trees, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options) {
  size_t count = 0;
  for (size_t k = 0; k < trees.size(); ++k) {
    if (Status status = check(trees[k], k); !status.ok()) return status;
    count += trees[k].tree->token.size() + 1;
  }
  if (row_words == 0 || rows.size() / row_words < count) {
    return too_few(rows.size(), count, row_words);
  }
  std::vector<std::optional<Matcher>> nodes;
  nodes.reserve(count);
  for (const DraftTree& draft : trees) {
    const TokenTree& tree = *draft.tree;
    const size_t root = nodes.size();
    nodes.emplace_back(draft.root->clone());
    for (size_t i = 0; i < tree.token.size(); ++i) {
      const auto& parent = nodes[root + static_cast<size_t>(tree.parent[i] + 1)];
      std::optional<Matcher> node;
      if (parent.has_value()) node.emplace(parent->clone());
      if (node.has_value() && !node->accept(tree.token[i]).ok()) node.reset();
      nodes.push_back(std::move(node));
    }
  }
  std::vector<Status> statuses(count);
  run(options, count, [&](size_t i) {
    const auto row = rows.subspan(i * row_words, row_words);
    if (nodes[i].has_value()) {
      statuses[i] = nodes[i]->fill_mask(row);
    } else {
      std::fill(row.begin(), row.end(), 0);
    }
  });
  return first_failure(statuses);
}

size_t prefetch(std::span<const Matcher* const> matchers, const PrefetchOptions& what,
                const BatchOptions& options) {
  std::atomic<size_t> made{0};
  run(options, matchers.size(), [&](size_t i) { made += matchers[i]->prefetch(what); });
  return made;
}

}  // namespace espalier
