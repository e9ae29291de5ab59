// Masks of many sequences at once: one task per row, in an arena of the call.
//
// Rows are independent, so any schedule gives the same result; oneTBB's work stealing evens out
// rows that cost a copy and rows that are met for the first time.
#include "espalier/batch.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <string>
#include <vector>

namespace espalier {

Status fill_masks(std::span<Matcher* const> matchers, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options) {
  if (row_words == 0 || rows.size() / row_words < matchers.size()) {
    return {StatusCode::kInvalidArgument,
            "rows: " + std::to_string(rows.size()) + " words do not hold " +
                std::to_string(matchers.size()) + " rows of " + std::to_string(row_words),
            "rows"};
  }
  std::vector<Status> statuses(matchers.size());
  const auto fill = [&](size_t i) {
    statuses[i] = matchers[i]->fill_mask(rows.subspan(i * row_words, row_words));
  };
  if (options.max_threads == 1 || matchers.size() < 2) {
    for (size_t i = 0; i < matchers.size(); ++i) fill(i);
  } else {
    tbb::task_arena arena(options.max_threads > 0 ? options.max_threads
                                                  : tbb::task_arena::automatic);
    arena.execute([&] {
      tbb::parallel_for(tbb::blocked_range<size_t>(0, matchers.size()),
                        [&](const tbb::blocked_range<size_t>& range) {
                          for (size_t i = range.begin(); i != range.end(); ++i) fill(i);
                        });
    });
  }
  for (const Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace espalier
