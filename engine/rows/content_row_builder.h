#pragma once

#include <cstdint>
#include <memory>

#include "engine/rows/mask_leaf_rows.h"
#include "grammar/strings/content_leaf.h"

namespace espalier {

/// The row of a leaf state that lies between two code points of a string and has this product.
/// `content` is the same leaf as `leaf`. Thread-safe.
std::shared_ptr<const LeafRow> build_content_row(const Vocabulary& vocabulary, const Leaf& leaf,
                                                 const ContentLeaf& content, uint32_t state,
                                                 uint32_t product);

}  // namespace espalier
