#pragma once

#include <cstdint>

#include "engine/hash.h"
#include "engine/random.h"

namespace espalier {

/// What a stream of random numbers is used for; streams of different purposes are independent.
enum class StreamPurpose : uint32_t { kDraw, kResample, kProposal, kAccept, kSurrogate };

/// The random stream of one decision: a function of (seed, purpose, who, when) and of nothing else,
/// so a result does not depend on the order in which particles are served or on who shares work.
inline Random random_stream(uint64_t seed, StreamPurpose purpose, uint64_t who, uint64_t when) {
  uint64_t key = mix64(seed + kGoldenGamma);
  key = mix64(key ^ (static_cast<uint64_t>(purpose) + 1) * kGoldenGamma);
  key = mix64(key + (who + 1) * kGoldenGamma);
  return Random(key ^ mix64(when + kGoldenGamma));
}

}  // namespace espalier
