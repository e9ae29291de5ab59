#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace espalier {

/// Learns byte-level BPE tokens from counted words (pieces of text that no token may cross).
class BpeTrainer {
 public:
  void add_word(std::string_view word, uint64_t count = 1);

  /// At most `size` tokens in rank order: the 256 single bytes, then merges by falling count, until
  /// no pair occurs twice. Equal words give equal tokens, in whatever order they were added.
  std::vector<std::string> train(size_t size) const;

 private:
  std::unordered_map<std::string, uint64_t> words_;
};

}  // namespace espalier
