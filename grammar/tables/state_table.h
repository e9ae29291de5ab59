#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace espalier {

/// An append-only table of records at stable addresses, for automata that are built lazily: one
/// writer at a time (the caller locks), readers need no lock. Chunk i holds kFirst << i records.
template <typename Record>
class StateTable {
 public:
  StateTable() = default;
  StateTable(const StateTable&) = delete;
  StateTable& operator=(const StateTable&) = delete;
  ~StateTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  uint32_t size() const { return size_.load(std::memory_order_acquire); }

  Record& operator[](uint32_t id) const {
    const uint32_t chunk = chunk_of(id);
    return chunks_[chunk].load(std::memory_order_acquire)[id - first_of(chunk)];
  }

  /// The record after the last one. The caller fills it, then calls publish_last.
  Record& next() {
    const uint32_t id = size_.load(std::memory_order_relaxed);
    const uint32_t chunk = chunk_of(id);
    if (id == first_of(chunk) && chunks_[chunk].load(std::memory_order_relaxed) == nullptr) {
      chunks_[chunk].store(new Record[size_t{kFirst} << chunk], std::memory_order_release);
    }
    return (*this)[id];
  }

  /// Makes the filled record visible to readers; returns its id.
  uint32_t publish_last() { return size_.fetch_add(1, std::memory_order_release); }

 private:
  static constexpr uint32_t kFirst = 16;
  static uint32_t chunk_of(uint32_t id) { return std::bit_width(id / kFirst + 1) - 1; }
  static uint32_t first_of(uint32_t chunk) { return kFirst * ((1u << chunk) - 1); }

  std::array<std::atomic<Record*>, 28> chunks_{};
  std::atomic<uint32_t> size_ = 0;
};

}  // namespace espalier
