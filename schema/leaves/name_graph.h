#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "grammar/strings/string_machine.h"

namespace espalier {

/// The product states of a machine of names and how code points lead from one to another, for
/// counting the names of a class. See name_graph.cpp.
class NameGraph {
 public:
  explicit NameGraph(const StringMachine& machine);

  /// How many names end in a product state that is `wanted`; ScalarDomain::kMany where they are
  /// more than a few thousand, or the machine has more product states than are looked at.
  uint64_t count(const std::function<bool(uint32_t product)>& wanted) const;

 private:
  struct Edge {
    uint32_t to;     // place in products_
    uint64_t width;  // code points
  };
  bool complete_ = true;
  std::vector<uint32_t> products_;  // the start first
  std::vector<std::vector<Edge>> edges_;
};

}  // namespace espalier
