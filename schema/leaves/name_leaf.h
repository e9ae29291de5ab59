#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "grammar/leaf.h"
#include "grammar/strings/string_machine.h"

namespace espalier {

/// The names that one object may use next, as a leaf over the bytes after the opening quote: its
/// states are those of `machine`, and a name is acceptable iff its signature is among `acceptable`.
/// Interned process-wide by content. Names of the object that were spelled before are not its
/// business. kAny: every text is the beginning of an acceptable name.
enum class NameBeginnings : uint8_t { kSome, kAny };
std::shared_ptr<const Leaf> name_leaf(const std::shared_ptr<const StringMachine>& machine,
                                      std::vector<StringSignature> acceptable,
                                      NameBeginnings beginnings);

}  // namespace espalier
