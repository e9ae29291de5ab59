#pragma once

#include <cstddef>
#include <string>

namespace espalier {

/// A call of one of many tools: an `anyOf` of `tools` objects told apart by a constant `name`, each
/// with arguments of its own (one to five, of all types).
std::string tool_call_schema(size_t tools);
/// A call that tool_call_schema(tools) accepts, of the tool with this number.
std::string tool_call_instance(size_t tool);

/// An object with `properties` properties of mixed types, closed or open.
std::string wide_object_schema(size_t properties, bool closed);
/// An instance of it with the first `properties` of them.
std::string wide_object_instance(size_t properties);

}  // namespace espalier
