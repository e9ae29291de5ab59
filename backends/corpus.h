#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// Which files of a corpus: models are trained on one half and reported on the other.
enum class CorpusHalf : uint8_t { kTrain, kHeldOut, kAll };

/// FNV-1a, 64 bits.
uint64_t fnv1a64(std::string_view bytes);

/// The half a file belongs to, by its name alone (no folder): an even FNV-1a hash is for training.
CorpusHalf half_of(std::string_view file_name);

/// The documents of one file.
struct CorpusFile {
  std::string path;  ///< relative to the corpus folder
  std::vector<std::string> documents;
};

/// Reads the valid instances of every MaskBench file (*.json) below `folder`, in path order, each
/// printed as Python's json.dumps(data, ensure_ascii=False). Errors name the file and the place.
Result<std::vector<CorpusFile>> read_corpus(const std::string& folder, CorpusHalf half);

}  // namespace espalier
