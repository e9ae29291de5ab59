#pragma once

#include "espalier/grammar.h"
#include "grammar/codepoints/json_spelling.h"
#include "grammar/numbers/number_machine.h"
#include "schema/json/json_document.h"

namespace espalier {

/// The member of a root schema that holds options of its own.
inline constexpr std::string_view kOptionsMember = "x-espalier";

/// The options with what the root's `x-espalier` member adds where they leave it open (in the
/// generation profile; the exact one does not look at it). Errors: kInvalidArgument for separators
/// that are none (place: the option's name), kParseError for a member that is unknown or of the
/// wrong kind (place: its JSON pointer).
Result<SchemaOptions> complete_options(const SchemaOptions& options, const JsonDocument& schema);

// What complete options come to.
bool allows_any_space(const SchemaOptions& options);
bool allows_optional_space(const SchemaOptions& options);
bool orders_properties(const SchemaOptions& options);
StringSpelling string_spelling(const SchemaOptions& options);
NumberSpelling number_spelling(const SchemaOptions& options);

}  // namespace espalier
