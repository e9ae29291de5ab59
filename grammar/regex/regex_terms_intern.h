#pragma once

#include <cstdint>

#include "grammar/regex/regex_ast.h"
#include "grammar/regex/regex_terms.h"

namespace espalier {

inline constexpr uint32_t kInfiniteLength = UINT32_MAX;

/// Saturating arithmetic on repetition bounds and lengths, where the largest value is infinity.
inline uint32_t sum(uint32_t a, uint32_t b) { return a > UINT32_MAX - b ? UINT32_MAX : a + b; }
inline uint32_t times(uint32_t a, uint32_t b) {
  const uint64_t product = uint64_t{a} * b;
  return product > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(product);
}

/// The bit of a lookbehind in Fragment::behinds and Term::behinds; the last one is shared.
inline uint64_t behind_bit(uint32_t index) { return uint64_t{1} << (index < 63 ? index : 63); }

template <typename Node, typename Same>
uint32_t TermStore::intern(std::vector<Node>* nodes, IdTable* ids, uint64_t hash, const Node& node,
                           const Same& same) {
  const uint32_t known = ids->find(hash, [&](uint32_t id) { return same((*nodes)[id]); });
  if (known != IdTable::kNone) return known;
  const auto id = static_cast<uint32_t>(nodes->size());
  nodes->push_back(node);
  ids->insert(hash, id);
  bytes_ += sizeof(Node) + 2 * sizeof(uint64_t);
  if (bytes_ > max_bytes_) overflowed_ = true;
  return id;
}

}  // namespace espalier
