// From a schema text to a recognizer: load, check that every keyword is enforced, build the
// machine.
#include "schema/schema_machine.h"

namespace espalier {
namespace {

Status refused(const SchemaNode& node, const std::string& keyword, const std::string& reason) {
  return {StatusCode::kUnsupported, keyword + ": " + reason, node.pointer + "/" + keyword};
}

Status check_enforced(const SchemaGraph& graph) {
  for (const SchemaNode& node : graph.nodes) {
    if (node.unique_items) return refused(node, "uniqueItems", "is not enforced yet");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<Recognizer>> make_schema_recognizer(std::string_view text,
                                                           const SchemaOptions& options) {
  auto graph = load_schema(text, options);
  if (!graph.ok()) return graph.status();
  if (Status status = check_enforced(**graph); !status.ok()) return status;
  auto machine = std::make_shared<SchemaMachine>(*graph, options);
  if (Status status = machine->status(); !status.ok()) return status;
  return std::shared_ptr<Recognizer>(std::move(machine));
}

}  // namespace espalier
