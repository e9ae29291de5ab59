#pragma once

#include <string>

#include "espalier/grammar.h"
#include "espalier/status.h"
#include "schema/json/json_document.h"
#include "schema/loading/schema_keywords.h"
#include "schema/schema_graph.h"

namespace espalier {

/// Where an assertion stands.
struct AssertionContext {
  const JsonDocument& json;
  JsonId schema;  ///< the object that holds the keyword
  Dialect dialect;
  const SchemaOptions& options;
};

/// A kParseError that says what the value at `id` should have been; its place is the JSON pointer.
Status expected(const JsonDocument& json, JsonId id, std::string_view what);

/// The automaton of a regular expression found at `id` (the keyword's value, or a member of
/// patternProperties whose name it is).
Result<std::shared_ptr<const CodepointAutomaton>> read_pattern(const JsonDocument& json, JsonId id,
                                                               std::string_view pattern,
                                                               const SchemaOptions& options);

/// Reads the value of a keyword without subschemas into `node`. Sets *annotation to a reason when
/// the keyword asserts nothing here. Failures: kParseError, kUnsupported, kBudgetExceeded.
Status read_assertion(const AssertionContext& context, const KeywordInfo& keyword, JsonId value,
                      SchemaNode* node, std::string* annotation);

/// A list of distinct strings (`required`).
Status read_names(const JsonDocument& json, JsonId value, std::vector<std::string>* names);

}  // namespace espalier
