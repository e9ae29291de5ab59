#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/tokens/content_index.h"
#include "grammar/leaf_loop.h"

namespace espalier {

/// Fills `bits` with the plain tokens that a loop settles as alive, and `strays`, which is empty,
/// with those that it does not settle; false, and only `strays` touched, when they are more than
/// `most_strays` or a walk is cheaper. See content_loop.cpp.
bool split_by_loop(const ContentIndex& index, const LeafLoop& loop, size_t most_strays,
                   std::vector<MaskWord>* bits, std::span<MaskWord> strays);

}  // namespace espalier
