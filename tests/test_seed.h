#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace espalier::testing {

/// The seed of a randomized test: $ESPALIER_SEED, else a fresh one; printed, and shown on failure.
inline uint64_t test_seed() {
  static const uint64_t seed = [] {
    const char* env = std::getenv("ESPALIER_SEED");
    const uint64_t value =
        env != nullptr ? std::strtoull(env, nullptr, 10) : uint64_t{std::random_device()()};
    ::testing::Test::RecordProperty("seed", std::to_string(value));
    std::printf("[   SEED   ] ESPALIER_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

}  // namespace espalier::testing
