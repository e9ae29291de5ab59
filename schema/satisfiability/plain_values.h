#pragma once

#include "schema/expansion/expansion.h"

namespace espalier {

/// True when some value of the class plainly satisfies the node: a quick "yes" that looks at the
/// node's own keywords and, for required properties, at their schemas. False means "not plain to
/// see". See plain_values.cpp.
bool plainly_possible(const Expansion& expansion, NodeId node, ValueClass value_class);
/// The same for a value of any class.
bool plainly_possible(const Expansion& expansion, NodeId node);

/// True when the node's own `type` excludes the class.
bool plainly_excluded(const SchemaNode& node, ValueClass value_class);

}  // namespace espalier
