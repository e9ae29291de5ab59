#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier::cli {

/// The `.json` files of a folder and the folders in it, as paths relative to it, sorted by name.
/// With `limit` > 0 at most that many, evenly spaced over the whole list.
Result<std::vector<std::string>> list_schema_files(const std::string& folder, size_t limit);

/// The schema in a file's text: the text itself, or of a MaskBench file (an object with an object
/// `schema` and an array `tests`) the text of `schema`, byte for byte. What is not JSON is returned
/// as it is, for the compiler to refuse.
std::string_view schema_text_of(std::string_view file_text);

}  // namespace espalier::cli
