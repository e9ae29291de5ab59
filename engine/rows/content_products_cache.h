#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/rows/content_products.h"

namespace espalier {

/// The process-wide store of what content leaves' products lead to: the rows of one leaf's states
/// ask about the same products, one row after another. Within a byte budget; the leaves that have
/// not been asked for longest go. Thread-safe.
class ContentProductsCache {
 public:
  static constexpr size_t kMaxProducts = 4'096;  // of one leaf; with more it starts afresh

  struct Entry;
  /// The products of one leaf, for the thread that holds the lease. Where another thread holds
  /// them, fresh ones.
  class Lease {
   public:
    Lease(ContentProductsCache* cache, uint64_t leaf, std::shared_ptr<Entry> entry,
          const ContentLeaf& content);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ContentProducts& operator*() { return *products_; }

   private:
    ContentProductsCache* const cache_;
    const uint64_t leaf_;
    const std::shared_ptr<Entry> entry_;
    std::unique_lock<std::mutex> lock_;
    std::unique_ptr<ContentProducts> own_;
    ContentProducts* products_;
  };

  static ContentProductsCache& process();

  /// `content` is the leaf with this uid.
  Lease borrow(uint64_t leaf, const ContentLeaf& content);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  void settle(uint64_t leaf, const std::shared_ptr<Entry>& entry, const ContentProducts& products);

  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<Entry>> entries_;
  size_t budget_ = size_t{8} << 20;
  std::list<uint64_t> by_age_;  // leaves, the one not asked for longest first
  size_t bytes_ = 0;
};

}  // namespace espalier
