#pragma once

#include <cstdint>

#include "grammar/regex/regex_ast.h"
#include "grammar/regex/regex_terms.h"

namespace espalier {

inline constexpr uint32_t kInfiniteLength = UINT32_MAX;

inline uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

/// Saturating arithmetic on repetition bounds and lengths, where the largest value is infinity.
inline uint32_t sum(uint32_t a, uint32_t b) { return a > UINT32_MAX - b ? UINT32_MAX : a + b; }
inline uint32_t times(uint32_t a, uint32_t b) {
  const uint64_t product = uint64_t{a} * b;
  return product > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(product);
}

/// The bit of a lookbehind in Fragment::behinds and Term::behinds; the last one is shared.
inline uint64_t behind_bit(uint32_t index) { return uint64_t{1} << (index < 63 ? index : 63); }

template <typename Node, typename Same>
uint32_t TermStore::intern(std::vector<Node>* nodes, Table* table, Node node, const Same& same) {
  if ((table->used + 1) * 2 > table->slots.size()) {
    std::vector<uint32_t> slots(table->slots.size() * 2, 0);
    const size_t mask = slots.size() - 1;
    for (uint32_t id = 0; id < nodes->size(); ++id) {
      size_t at = (*nodes)[id].hash & mask;
      while (slots[at] != 0) at = (at + 1) & mask;
      slots[at] = id + 1;
    }
    table->slots = std::move(slots);
  }
  const size_t mask = table->slots.size() - 1;
  size_t at = node.hash & mask;
  for (; table->slots[at] != 0; at = (at + 1) & mask) {
    const uint32_t id = table->slots[at] - 1;
    if ((*nodes)[id].hash == node.hash && same((*nodes)[id])) return id;
  }
  nodes->push_back(node);
  const uint32_t id = static_cast<uint32_t>(nodes->size() - 1);
  table->slots[at] = id + 1;
  ++table->used;
  bytes_ += sizeof(Node) + 2 * sizeof(uint32_t);
  if (bytes_ > max_bytes_) overflowed_ = true;
  return id;
}

}  // namespace espalier
