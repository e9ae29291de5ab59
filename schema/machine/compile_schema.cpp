// From a schema text to a recognizer: load and build the machine.
#include "schema/machine/schema_machine.h"

namespace espalier {
Result<std::shared_ptr<Recognizer>> make_schema_recognizer(std::string_view text,
                                                           const SchemaOptions& options) {
  auto graph = load_schema(text, options, KeywordReports::kNone);
  if (!graph.ok()) return graph.status();
  auto machine = std::make_shared<SchemaMachine>(*graph, (*graph)->options);
  if (Status status = machine->status(); !status.ok()) return status;
  return std::shared_ptr<Recognizer>(std::move(machine));
}

}  // namespace espalier
