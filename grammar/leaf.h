#pragma once

#include <atomic>
#include <cstdint>

#include "grammar/byte_set.h"

namespace espalier {

/// A scalar machine over bytes: string content up to and including its closing quote, a number, a
/// literal. States are dense ids, 0 is dead, built on first use and never changed afterwards, so a
/// state id means the same thing for as long as the leaf lives. Leaves are interned process-wide by
/// content and shared by all schemas; every live state can still reach an acceptable exit.
///
/// Two ways to end: a *final* state (a string after its closing quote) has no byte transitions and
/// has ended; an *exitable* state (a number) may end here if the next byte is not the leaf's own.
/// Thread-safe.
class Leaf {
 public:
  virtual ~Leaf() = default;

  /// Unique in the process, never reused: memo tables key on (uid, state).
  uint64_t uid() const { return uid_; }

  virtual uint32_t start() const = 0;
  /// The state after `byte`, or 0.
  virtual uint32_t step(uint32_t state, uint8_t byte) const = 0;
  /// May the leaf end in this state (final or exitable)?
  virtual bool can_exit(uint32_t state) const = 0;
  /// Has the leaf ended (can_exit, and no byte may follow inside the leaf)?
  virtual bool is_final(uint32_t state) const = 0;

  /// A state that all texts of at most kRowHorizon code points treat alike: they kill both or
  /// neither, and end both with the same outcome or neither. What is stored of one serves the
  /// other. May turn out to be wrong while a row is built; then the state is its own from now on.
  static constexpr uint32_t kRowHorizon = 128;
  virtual uint32_t row_state(uint32_t state) const { return state; }

  /// For a leaf with a predicate in it, whose states are costly to ask: a state of a plain leaf
  /// that reads all that `state` reads, and perhaps more. No leaf: this one is plain.
  struct Relaxed {
    const Leaf* leaf = nullptr;
    uint32_t state = 0;
  };
  virtual Relaxed relaxed(uint32_t /*state*/) const { return {}; }

  /// Where these are few: the only bytes that it ever reads.
  virtual const ByteSet* alphabet() const { return nullptr; }

  /// Is it so short-lived, and are its texts so few, that masks are walked rather than tabulated?
  virtual bool walked() const { return false; }

 protected:
  Leaf() : uid_(next_uid_.fetch_add(1, std::memory_order_relaxed)) {}

 private:
  static inline std::atomic<uint64_t> next_uid_{1};
  const uint64_t uid_;
};

}  // namespace espalier
