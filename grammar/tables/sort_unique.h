#pragma once

#include <algorithm>
#include <vector>

namespace espalier {

/// Sorts a vector and drops what is there twice.
template <typename T>
void sort_unique(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

}  // namespace espalier
