#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace espalier {

/// A growing table of small values (flags, pointers), 0 until set: lock-free reads, one writer at a
/// time.
template <typename T>
class AtomicTable {
 public:
  AtomicTable() = default;
  ~AtomicTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }
  AtomicTable(const AtomicTable&) = delete;
  AtomicTable& operator=(const AtomicTable&) = delete;

  T get(uint32_t i) const {
    const auto [chunk, offset] = split(i);
    const auto* flags = chunks_[chunk].load(std::memory_order_acquire);
    return flags == nullptr ? T() : flags[offset].load(std::memory_order_acquire);
  }
  void set(uint32_t i, T value) {
    const auto [chunk, offset] = split(i);
    auto* flags = chunks_[chunk].load(std::memory_order_relaxed);
    if (flags == nullptr) {
      flags = new std::atomic<T>[size_t{kFirst} << chunk]();
      chunks_[chunk].store(flags, std::memory_order_release);
    }
    flags[offset].store(value, std::memory_order_release);
  }

 private:
  static constexpr uint32_t kFirst = 64;  // size of the first chunk; each next one is twice as long
  static constexpr uint32_t kFirstBits = 6;

  static std::pair<uint32_t, uint32_t> split(uint32_t i) {
    const uint32_t biased = i + kFirst;
    const uint32_t chunk = 31 - static_cast<uint32_t>(__builtin_clz(biased)) - kFirstBits;
    return {chunk, biased - (kFirst << chunk)};
  }

  std::array<std::atomic<std::atomic<T>*>, 26> chunks_{};
};

using FlagTable = AtomicTable<uint8_t>;

}  // namespace espalier
