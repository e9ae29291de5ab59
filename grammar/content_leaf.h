#pragma once

#include <cstdint>
#include <functional>

#include "grammar/json_spelling.h"
#include "grammar/leaf_loop.h"

namespace espalier {

/// A leaf over the content of JSON strings that can be read by code points instead of bytes. A
/// *product* is what the code points so far amount to; a state of the leaf between two code points
/// has one. Masks of states met for the first time are built from it. Thread-safe.
class ContentLeaf {
 public:
  static constexpr uint32_t kNoProduct = UINT32_MAX;

  virtual ~ContentLeaf() = default;

  virtual StringSpelling spelling() const = 0;
  /// The product of a state that lies between two code points; false for other states.
  virtual bool content(uint32_t state, uint32_t* product) const = 0;
  /// Visits ranges of code points that together cover all, in order; all of a range lead to one
  /// product, unless the leaf remembers() what it has read: then they are alive or dead together.
  virtual void ranges(uint32_t product,
                      const std::function<void(uint32_t lo, uint32_t hi)>& visit) const = 0;
  virtual bool remembers() const = 0;
  /// The product after one more code point, or kNoProduct when the leaf is dead then.
  virtual uint32_t step_content(uint32_t product, uint32_t codepoint) const = 0;
  /// True only if the leaf lives on and may end after any further code points.
  virtual bool universal(uint32_t product) const = 0;
  /// So many code points at least, whichever they are, leave the leaf alive; UINT32_MAX: any
  /// number. 0 where that is not known or not worth finding out.
  virtual uint32_t lifetime(uint32_t /*product*/) const { return 0; }
  /// The final state after a closing quote, or 0.
  virtual uint32_t quote(uint32_t product) const = 0;
  /// What is known about loops at a state; false when nothing is.
  virtual bool loop(uint32_t state, LeafLoop* out) const = 0;
};

}  // namespace espalier
