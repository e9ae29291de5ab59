#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace espalier {

/// An append-only array whose elements never move. One writer at a time (the owner's mutex);
/// readers need no lock for indices they were handed after the append. Chunks double in size from
/// kFirst elements on; the first is part of the vector, so a small one takes no memory of its own.
template <typename T, uint32_t kFirst = 16>
class StableVector {
 public:
  StableVector() { chunks_[0].store(first_.data(), std::memory_order_relaxed); }
  ~StableVector() {
    for (size_t i = 1; i < chunks_.size(); ++i) {
      T* const chunk = chunks_[i].load(std::memory_order_relaxed);
      if (chunk == nullptr) break;
      delete[] chunk;
    }
  }
  StableVector(const StableVector&) = delete;
  StableVector& operator=(const StableVector&) = delete;

  T& operator[](uint32_t i) { return locate(i); }
  const T& operator[](uint32_t i) const { return const_cast<StableVector*>(this)->locate(i); }
  uint32_t size() const { return size_.load(std::memory_order_acquire); }

  /// Appends and returns the index.
  uint32_t push_back(T value) {
    const uint32_t i = reserve_next();
    locate(i) = std::move(value);
    size_.store(i + 1, std::memory_order_release);
    return i;
  }
  /// Appends a default-constructed element, to be filled in before its index is handed out.
  uint32_t emplace_back() {
    const uint32_t i = reserve_next();
    size_.store(i + 1, std::memory_order_release);
    return i;
  }
  /// Besides the vector itself.
  size_t memory_bytes() const { return bytes_; }

 private:
  static_assert(std::has_single_bit(kFirst));
  static constexpr uint32_t kFirstBits = std::bit_width(kFirst) - 1;

  static std::pair<uint32_t, uint32_t> split(uint32_t i) {
    const uint32_t biased = i + kFirst;
    const uint32_t chunk = 31 - static_cast<uint32_t>(__builtin_clz(biased)) - kFirstBits;
    return {chunk, biased - (kFirst << chunk)};
  }
  uint32_t reserve_next() {
    const uint32_t i = size_.load(std::memory_order_relaxed);
    const uint32_t chunk = split(i).first;
    if (chunks_[chunk].load(std::memory_order_relaxed) == nullptr) {
      chunks_[chunk].store(new T[size_t{kFirst} << chunk](), std::memory_order_release);
      bytes_ += (size_t{kFirst} << chunk) * sizeof(T);
    }
    return i;
  }
  T& locate(uint32_t i) {
    const auto [chunk, offset] = split(i);
    return chunks_[chunk].load(std::memory_order_acquire)[offset];
  }

  std::atomic<uint32_t> size_{0};
  size_t bytes_ = 0;
  std::array<T, kFirst> first_{};
  std::array<std::atomic<T*>, 28> chunks_{};
};

}  // namespace espalier
