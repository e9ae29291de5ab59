#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "grammar/codepoints/json_spelling.h"
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
  /// `next` is the product that `lo` leads to, if it is alive().
  using VisitRange = std::function<void(uint32_t lo, uint32_t hi, uint32_t next)>;
  virtual void ranges(uint32_t product, const VisitRange& visit) const = 0;
  virtual bool alive(uint32_t product) const = 0;
  /// Visits each code point that a product survives, in order, with the product that it leads to:
  /// where nothing but the rest of listed strings may follow. False, and visits none, elsewhere.
  using VisitListed = std::function<void(uint32_t codepoint, uint32_t next)>;
  virtual bool listed(uint32_t /*product*/, const VisitListed& /*visit*/) const { return false; }
  virtual bool remembers() const = 0;
  /// The product after one more code point, or kNoProduct when the leaf is dead then.
  virtual uint32_t step_content(uint32_t product, uint32_t codepoint) const = 0;
  /// For a leaf that remembers(): a product, one of few, that survives whatever this one does, such
  /// that code points which lead it to products that settle to it are survived by this one too, in
  /// any number and order. All of a range of it do so or none. kNoProduct if none is known.
  virtual uint32_t settled(uint32_t /*product*/) const { return kNoProduct; }
  /// True only if the leaf lives on and may end after any further code points.
  virtual bool universal(uint32_t product) const = 0;
  /// True only if no code points, however many, make the leaf die.
  virtual bool everlasting() const { return false; }
  /// How many code points the leaf may read at least before it matters how far the product is from
  /// bounds of length; 0: it matters at once. Otherwise the product becomes the one that stands for
  /// all that differ from it in distance alone.
  virtual uint32_t distant(uint32_t* /*product*/) const { return 0; }
  /// The one that stands for what a product given by distant() leads to, or kNoProduct if that is
  /// dead. nullopt: the distance matters after all; then distant() is 0 from now on.
  virtual std::optional<uint32_t> after_distant(uint32_t next) const {
    return alive(next) ? next : kNoProduct;
  }
  /// The final state after a closing quote, or 0.
  virtual uint32_t quote(uint32_t product) const = 0;
  /// What is known about loops at a state; false when nothing is.
  virtual bool loop(uint32_t state, LeafLoop* out) const = 0;
};

}  // namespace espalier
