#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// Part `index` of `count` parts of a run.
struct Shard {
  size_t index = 0;
  size_t count = 1;
};

/// Reads "i/n" with 0 <= i < n; "" is the whole.
Result<Shard> parse_shard(std::string_view text);

/// The files of a run: those of the sorted `names` that contain `filter`; of these every count-th
/// from the index-th on; of these at most `limit` (0 = all), evenly spaced.
std::vector<std::string> choose_files(std::vector<std::string> names, std::string_view filter,
                                      Shard shard, size_t limit);

}  // namespace espalier
