#pragma once

#include <cstdint>
#include <functional>

#include "grammar/leaf_loop.h"
#include "grammar/strings/string_machine.h"

namespace espalier {

/// The loop of a string machine's byte state. `live_product` is the leaf's liveness; `hopeless`
/// says of a product that no string that passes through its automaton states is acceptable,
/// whatever its length. False when the state is inside a code point's spelling or may still become
/// one of the listed strings.
bool string_loop(const StringMachine& machine, uint32_t state,
                 const std::function<bool(uint32_t product)>& live_product,
                 const std::function<bool(uint32_t product)>& hopeless, LeafLoop* out);

}  // namespace espalier
