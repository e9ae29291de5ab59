#pragma once

#include <memory>
#include <string_view>

#include "grammar/codepoints/codepoint_automaton.h"

namespace espalier {

/// The automaton of strings whose content has this `contentEncoding` ("" = none, "base64") and
/// `contentMediaType` ("" = none, "application/json"); nullptr when neither is one that can be
/// asserted, or an encoding that cannot stands before a media type. Interned process-wide.
Result<std::shared_ptr<const CodepointAutomaton>> content_automaton(std::string_view encoding,
                                                                    std::string_view media_type);

/// Can this value be asserted at all?
bool is_known_encoding(std::string_view encoding);
bool is_known_media_type(std::string_view media_type);

}  // namespace espalier
