// A matcher's history: a persistent list in chunks.
//
// Entries are written once and never changed while anyone can see them. They stand in chunks that
// point to the chunk before, so that a clone shares everything by sharing the last chunk, and
// rolling back is moving a number. A chunk has room for more entries; whoever comes first takes the
// next one (a compare-exchange on the number taken), and a clone that comes second starts a chunk
// of its own at the place where the ways part.
//
// Example: after the tokens a b c a history has the chunk [a b c . .] and the length 3. A clone
// adds d and takes the fourth entry; then the first adds e: the fourth is gone, so it gets a new
// chunk [e ...] that continues the old one after 3 entries.
//
// Invariants: a history reads only the entries before its own length; entries beyond it belong to
// others, or, when nobody else holds the chunk, are free again (so accepting and rolling back in
// turn allocates nothing). Chunks are counted, since clones may live in different threads; a chain
// is released in a loop, so that a long text needs no call stack.
//
// Cost: 24 bytes a token, and one allocation for up to 64 of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

class History {
 public:
  /// `token` of an entry that holds bytes accepted without a token.
  static constexpr TokenId kRaw = -1;
  struct Entry {
    State state;  ///< after the token
    TokenId token = kRaw;
    bool terminated = false;
  };

  History() = default;
  History(const History& other) : chunk_(other.chunk_), count_(other.count_), depth_(other.depth_) {
    retain(chunk_);
  }
  History(History&& other) noexcept { swap(other); }
  History& operator=(History other) noexcept {
    swap(other);
    return *this;
  }
  ~History() { release(chunk_); }

  /// The last entry, or null.
  const Entry* last() const {
    if (count_ != 0) return &chunk_->entries()[count_ - 1];
    return depth_ == 0 ? nullptr : &chunk_->parent->entries()[chunk_->parent_count - 1];
  }
  uint32_t depth() const { return depth_; }

  void push(const State& state, TokenId token, bool terminated) {
    if (!claim()) add_chunk(capacity_of_next());
    chunk_->entries()[count_++] = {state, token, terminated};
    ++depth_;
  }
  void push_raw(const State& state, std::string bytes) {
    add_chunk(1);
    chunk_->raw = std::move(bytes);
    chunk_->entries()[count_++] = {state, kRaw, false};
    ++depth_;
  }

  /// Drops the last n entries; n <= depth().
  void pop(uint32_t n) {
    depth_ -= n;
    while (n > count_) {
      n -= count_;
      Chunk* parent = chunk_->parent;
      count_ = chunk_->parent_count;
      retain(parent);
      release(std::exchange(chunk_, parent));
    }
    count_ -= n;
  }
  void clear() { pop(depth_); }

  /// Calls visit(entry, raw bytes) from the last entry to the first.
  template <typename Visit>
  void for_each_backwards(Visit&& visit) const {
    uint32_t count = count_;
    for (const Chunk* chunk = chunk_; chunk != nullptr;
         count = chunk->parent_count, chunk = chunk->parent) {
      while (count > 0) visit(chunk->entries()[--count], std::string_view(chunk->raw));
    }
  }

  /// Bytes of the chunks held, those shared with clones included.
  size_t memory_bytes() const {
    size_t bytes = 0;
    for (const Chunk* chunk = chunk_; chunk != nullptr; chunk = chunk->parent) {
      bytes += chunk->memory_bytes();
    }
    return bytes;
  }

 private:
  static constexpr uint32_t kFirstCapacity = 8;
  static constexpr uint32_t kMaxCapacity = 64;

  /// A header with its entries behind it.
  struct Chunk {
    std::atomic<uint32_t> references{1};
    std::atomic<uint32_t> taken{0};  ///< entries that somebody has written or is about to
    uint32_t capacity = 0;
    uint32_t parent_count = 0;  ///< entries of the parent that come before
    Chunk* parent = nullptr;
    std::string raw;  ///< of a single entry that holds bytes

    Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
    const Entry* entries() const { return reinterpret_cast<const Entry*>(this + 1); }
    size_t memory_bytes() const {
      return sizeof(Chunk) + capacity * sizeof(Entry) + (raw.empty() ? 0 : raw.capacity());
    }
  };
  static_assert(sizeof(Entry) == 24 && sizeof(Chunk) % alignof(Entry) == 0);

  /// Takes the entry after the last one, when it is there and free.
  bool claim() {
    if (chunk_ == nullptr || count_ == chunk_->capacity) return false;
    uint32_t expected = count_;
    if (chunk_->taken.compare_exchange_strong(expected, count_ + 1, std::memory_order_relaxed)) {
      return true;
    }
    if (chunk_->references.load(std::memory_order_acquire) != 1) return false;
    chunk_->taken.store(count_ + 1, std::memory_order_relaxed);
    return true;
  }
  uint32_t capacity_of_next() const {
    if (chunk_ == nullptr || count_ != chunk_->capacity) return kFirstCapacity;
    return std::clamp(chunk_->capacity * 2, kFirstCapacity, kMaxCapacity);
  }
  void add_chunk(uint32_t capacity) {
    auto* chunk = new (::operator new(sizeof(Chunk) + capacity * sizeof(Entry))) Chunk;
    std::uninitialized_default_construct_n(chunk->entries(), capacity);
    chunk->capacity = capacity;
    chunk->taken.store(1, std::memory_order_relaxed);
    if (depth_ == 0) {
      release(chunk_);
    } else if (count_ == 0) {  // continue where the unused chunk would
      chunk->parent = chunk_->parent;
      chunk->parent_count = chunk_->parent_count;
      retain(chunk->parent);
      release(chunk_);
    } else {
      chunk->parent = chunk_;
      chunk->parent_count = count_;
    }
    chunk_ = chunk;
    count_ = 0;
  }

  static void retain(Chunk* chunk) {
    if (chunk != nullptr) chunk->references.fetch_add(1, std::memory_order_relaxed);
  }
  static void release(Chunk* chunk) {
    while (chunk != nullptr && chunk->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Chunk* parent = chunk->parent;
      chunk->~Chunk();
      ::operator delete(chunk);
      chunk = parent;
    }
  }
  void swap(History& other) noexcept {
    std::swap(chunk_, other.chunk_);
    std::swap(count_, other.count_);
    std::swap(depth_, other.depth_);
  }

  Chunk* chunk_ = nullptr;
  uint32_t count_ = 0;  ///< entries of the chunk that are ours
  uint32_t depth_ = 0;  ///< entries in all
};

}  // namespace espalier
