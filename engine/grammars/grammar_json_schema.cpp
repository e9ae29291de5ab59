// Grammars from JSON Schemas: the schema layer makes the recognizer.

#include "espalier/grammar.h"
#include "schema/machine/schema_machine.h"

namespace espalier {

Result<std::shared_ptr<const Grammar>> Grammar::from_json_schema(std::string_view schema_text,
                                                                 const SchemaOptions& options) {
  Result<std::shared_ptr<Recognizer>> recognizer = make_schema_recognizer(schema_text, options);
  if (!recognizer.ok()) return recognizer.status();
  return from_recognizer(*std::move(recognizer), options.limits.max_store_bytes);
}

}  // namespace espalier
