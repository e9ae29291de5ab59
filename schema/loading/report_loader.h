#pragma once

#include <memory>
#include <string_view>

#include "schema/schema_graph.h"

namespace espalier {

/// load_schema for a report: keywords that are refused are noted in the graph's report and left out
/// of it otherwise.
Result<std::shared_ptr<const SchemaGraph>> load_schema_for_report(std::string_view text,
                                                                  const SchemaOptions& options);

}  // namespace espalier
