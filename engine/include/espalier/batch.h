#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "espalier/matcher.h"
#include "espalier/status.h"

namespace espalier {

struct BatchOptions {
  /// Threads that fill rows, the caller's included; 1 = serially, 0 = as many as the machine has.
  /// They come from a task arena of this call; no global pool is configured.
  int max_threads = 0;
};

/// Fills row i of `rows` (each `row_words` int32 words) with the mask of `matchers[i]`. The
/// matchers must be distinct objects; they may share grammars and vocabularies. The rows do not
/// depend on the number of threads. Returns the status of the first matcher, in order, whose row
/// could not be filled (the other rows are filled all the same), or kInvalidArgument when `rows` is
/// too small.
Status fill_masks(std::span<Matcher* const> matchers, std::span<int32_t> rows, size_t row_words,
                  const BatchOptions& options = {});

}  // namespace espalier
