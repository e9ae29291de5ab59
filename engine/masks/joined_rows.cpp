// Rows of strings with what may follow them.
//
// The idea: inside a string two things make up nearly all of a mask, the leaf's row and the tokens
// that close the string and spell something that may follow, more than a thousand. Both are shared,
// and the same few pairs come up again and again: a free string in front of a comma, a name in
// front of a colon. So such a pair is joined once, and its masks begin with one copy.
//
// Example: inside the value of a property that may be the last one, 110,000 tokens stay inside and
// 1,500 end the string (`",`, `"}`, `."`).
//
// A pair is joined when it comes up for the second time: rows of strings with patterns, which
// belong to one place of one schema, are not worth it.
//
// Invariant: a joined row is the union of the two; masks are the same without it.
// Cost: a copy of the row and one word for each of the set's, once.
#include "engine/masks/joined_rows.h"

#include "engine/hash.h"

namespace espalier {

JoinedRowCache& JoinedRowCache::process() {
  static JoinedRowCache* const cache = new JoinedRowCache;
  return *cache;
}

size_t JoinedRowCache::KeyHash::operator()(const Key& key) const {
  const auto number = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  return static_cast<size_t>(mix64(number(key.inside) * kGoldenGamma + number(key.sets)));
}

std::shared_ptr<const JoinedRow> JoinedRowCache::get(
    const std::shared_ptr<const LeafRow::Tokens>& inside,
    const std::shared_ptr<const SuffixSets>& sets) {
  if (inside->dense.empty() || sets->enders.empty()) return nullptr;
  constexpr size_t kEntry = 2 * sizeof(Key) + sizeof(Slot) + 48;
  const std::lock_guard lock(mutex_);
  const auto row_bytes = [](const Slot& slot) {
    return slot.row != nullptr ? slot.row->capacity() * sizeof(MaskWord) : 0;
  };
  while (bytes_ > budget_ && !by_age_.empty()) {
    const auto oldest = slots_.find(by_age_.front());
    bytes_ -= kEntry + row_bytes(oldest->second);
    slots_.erase(oldest);
    by_age_.pop_front();
  }
  const auto [it, inserted] = slots_.try_emplace(Key{inside.get(), sets.get()});
  Slot& slot = it->second;
  if (inserted) {
    bytes_ += kEntry;
    by_age_.push_back(it->first);
  }
  if (slot.inside.lock() != inside || slot.sets.lock() != sets) {
    bytes_ -= row_bytes(slot);
    slot = {inside, sets, nullptr};
    return nullptr;
  }
  if (slot.row == nullptr) {
    auto row = std::make_shared<JoinedRow>(inside->dense);
    sets->enders.add_to(*row);
    slot.row = std::move(row);
    bytes_ += row_bytes(slot);
  }
  return slot.row;
}

void JoinedRowCache::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
}

size_t JoinedRowCache::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace espalier
