#pragma once

#include <cstddef>
#include <random>
#include <string>

#include "grammar/strings/string_machine.h"

namespace espalier::testing {

/// Adds the automata of `count` patterns drawn from a list to a spec, and their texts to `shown`.
template <size_t kPatterns>
void add_patterns(const char* const (&patterns)[kPatterns], size_t count, std::mt19937_64* random,
                  StringSpec* spec, std::string* shown) {
  for (; count > 0; --count) {
    const char* pattern = patterns[(*random)() % kPatterns];
    spec->automata.push_back(*compile_pattern(pattern));
    *shown += std::string(pattern) + "  ";
  }
}

}  // namespace espalier::testing
