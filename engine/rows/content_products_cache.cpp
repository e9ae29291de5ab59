#include "engine/rows/content_products_cache.h"

#include <utility>
#include <vector>

namespace espalier {

struct ContentProductsCache::Entry {
  std::mutex mutex;
  std::unique_ptr<ContentProducts> products;  // under `mutex`
  size_t bytes = 0;                           // this and the next: under the cache's mutex
  std::list<uint64_t>::iterator age;
};

ContentProductsCache::Lease::Lease(ContentProductsCache* cache, uint64_t leaf,
                                   std::shared_ptr<Entry> entry, const ContentLeaf& content)
    : cache_(cache), leaf_(leaf), entry_(std::move(entry)), lock_(entry_->mutex, std::try_to_lock) {
  std::unique_ptr<ContentProducts>& products = lock_.owns_lock() ? entry_->products : own_;
  if (products == nullptr || products->size() > kMaxProducts) {
    products = std::make_unique<ContentProducts>(content);
  }
  products_ = products.get();
}

ContentProductsCache::Lease::~Lease() {
  if (lock_.owns_lock()) cache_->settle(leaf_, entry_, *products_);
}

ContentProductsCache& ContentProductsCache::process() {
  static ContentProductsCache* const cache = new ContentProductsCache;
  return *cache;
}

ContentProductsCache::Lease ContentProductsCache::borrow(uint64_t leaf,
                                                         const ContentLeaf& content) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& found = entries_[leaf];
    if (found == nullptr) {
      found = std::make_shared<Entry>();
      found->age = by_age_.insert(by_age_.end(), leaf);
    }
    by_age_.splice(by_age_.end(), by_age_, found->age);
    entry = found;
  }
  return {this, leaf, std::move(entry), content};
}

// Counts what an entry has grown by, and drops the oldest entries where that is too much, no more
// than needed: each may take thousands of blocks of memory with it.
void ContentProductsCache::settle(uint64_t leaf, const std::shared_ptr<Entry>& entry,
                                  const ContentProducts& products) {
  std::vector<std::shared_ptr<Entry>> gone;  // freed after the lock
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(leaf);
  if (it == entries_.end() || it->second != entry) return;  // dropped meanwhile
  bytes_ -= entry->bytes;
  entry->bytes = products.memory_bytes();
  bytes_ += entry->bytes;
  while (bytes_ > budget_) {
    const auto oldest = entries_.find(by_age_.front());
    by_age_.pop_front();
    bytes_ -= oldest->second->bytes;
    gone.push_back(std::move(oldest->second));
    entries_.erase(oldest);
  }
}

void ContentProductsCache::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
  if (bytes_ <= budget_) return;
  entries_.clear();
  by_age_.clear();
  bytes_ = 0;
}

size_t ContentProductsCache::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace espalier
