#pragma once

#include <cstdint>

#include "grammar/tables/id_table.h"
#include "schema/expansion/expansion.h"

namespace espalier {

/// Finds nodes that are written alike, annotations aside, and so accept the same values: the
/// {"type": "string"} of one property and of another. See alike_nodes.cpp. Not thread-safe.
class AlikeNodes {
 public:
  explicit AlikeNodes(const Expansion* expansion) : expansion_(*expansion) {}

  /// The first node asked about that is written like this one.
  NodeId first_like(NodeId id) { return first_like(id, 0); }

 private:
  NodeId first_like(NodeId id, int depth);
  bool alike(const SchemaNode& a, const SchemaNode& b) const;
  uint64_t hash(const SchemaNode& node) const;
  NodeId known(NodeId id) const;

  const Expansion& expansion_;
  FlatMap<NodeId> first_;  // by node; while its subschemas are looked at, itself
  IdTable nodes_;          // of first_'s values, by hash
};

}  // namespace espalier
