// Which files a run measures.
//
// Shards interleave: of files 0..9, shard 1/3 is 1, 4, 7. The list is sorted by name and so by
// split, and interleaving gives each shard its share of every split and about the same work. A
// limit of k out of n takes element floor(j * n / k) for j = 0..k-1, evenly spaced for the same
// reason.

#include "jsonschemabench/shards.h"

#include <algorithm>
#include <charconv>

namespace espalier {

Result<Shard> parse_shard(std::string_view text) {
  if (text.empty()) return Shard{};
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
    const auto count = std::from_chars(index.ptr + 1, end, shard.count);
    if (count.ec == std::errc() && count.ptr == end && shard.index < shard.count) return shard;
  }
  return Status(StatusCode::kInvalidArgument, "A shard is i/n with 0 <= i < n.", "shard");
}

std::vector<std::string> choose_files(std::vector<std::string> names, std::string_view filter,
                                      Shard shard, size_t limit) {
  std::sort(names.begin(), names.end());
  std::erase_if(names, [&](const std::string& name) { return name.find(filter) == name.npos; });
  std::vector<std::string> part;
  for (size_t i = shard.index; i < names.size(); i += shard.count) part.push_back(names[i]);
  if (limit == 0 || limit >= part.size()) return part;
  std::vector<std::string> sample;
  for (size_t j = 0; j < limit; ++j) sample.push_back(part[j * part.size() / limit]);
  return sample;
}

}  // namespace espalier
