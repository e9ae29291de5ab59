#pragma once

#include "espalier/grammar.h"
#include "schema/schema_graph.h"

namespace espalier {

/// Narrows a loaded schema as optional_properties and additional_properties ask; its root changes.
void narrow_schema(const SchemaOptions& options, SchemaGraph* graph);

}  // namespace espalier
