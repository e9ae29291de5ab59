#pragma once

#include <cstddef>
#include <cstdint>

#include "grammar/strings/string_machine.h"

namespace espalier {

/// Visits what may be observed of strings, whether a string has it or not, while `visit(signature)`
/// says so. False, visiting none, where there are too many automata, listed strings and lengths.
template <typename Visit>
bool visit_signatures(const StringSpec& spec, Visit&& visit) {
  constexpr size_t kFew = 4;
  const size_t automata = spec.automata.size();
  if (automata > kFew || spec.strings.size() + spec.lengths.size() > kFew) return false;
  for (size_t bits = 0; bits < size_t{1} << automata; ++bits) {
    StringSignature signature;
    for (size_t i = 0; i < automata; ++i) signature.accepted.push_back((bits >> i & 1) != 0);
    for (size_t rank = 0; rank <= spec.lengths.size(); ++rank) {
      signature.length_rank = static_cast<uint32_t>(rank);
      for (size_t string = 0; string <= spec.strings.size(); ++string) {
        signature.string =
            string < spec.strings.size() ? static_cast<uint32_t>(string) : StringSignature::kOther;
        if (!visit(signature)) return true;
      }
    }
  }
  return true;
}

}  // namespace espalier
