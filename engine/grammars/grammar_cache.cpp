// A cache of compiled grammars: least recently used first out, one compilation per content.
//
// The key is the schema's compact text (compact_json.h) and the options. An entry is put in place
// before its grammar exists, holding a future; whoever finds it waits for that future outside of
// the lock, so other schemas are never held up. When the compilation is done the entry gets its
// size and older ones make room.
//
// A grammar grows while it is used, so sizes age. Each insertion measures the new entry, a few of
// the others in turn, and the oldest before it is dropped.
//
// Invariants: `order` lists each entry once, most recently used first; `bytes` is the sum of the
// entries' last sizes. Cost of a hit: one pass over the text and one look-up.
#include "espalier/grammar_cache.h"

#include <future>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/grammars/compact_json.h"

namespace espalier {
namespace {

using Compiled = Result<std::shared_ptr<const Grammar>>;

constexpr size_t kMeasuredInTurn = 4;

}  // namespace

struct GrammarCache::Impl {
  struct Entry {
    std::string text;
    SchemaOptions options;
    std::shared_future<Compiled> result;
    std::shared_ptr<const Grammar> grammar;  // null until compiled
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  explicit Impl(size_t max_bytes_in) : max_bytes(max_bytes_in) {}

  Entries::iterator find(const std::string& text, const SchemaOptions& options) {
    const auto [begin, end] = index.equal_range(text);
    for (auto it = begin; it != end; ++it) {
      if (it->second->options == options) return it->second;
    }
    return order.end();
  }

  void measure(Entry* entry) {
    if (entry->grammar == nullptr) return;
    const size_t now = sizeof(Entry) + entry->text.size() + entry->grammar->memory_bytes();
    bytes += now - entry->bytes;
    entry->bytes = now;
  }

  void erase(Entries::iterator it) {
    const auto [begin, end] = index.equal_range(it->text);
    for (auto known = begin; known != end; ++known) {
      if (known->second != it) continue;
      index.erase(known);
      break;
    }
    bytes -= it->bytes;
    order.erase(it);
  }

  void make_room() {
    size_t turns = kMeasuredInTurn;
    for (auto it = order.rbegin(); it != order.rend() && turns > 0; ++it, --turns) measure(&*it);
    auto last = order.end();
    while (bytes > max_bytes && last != order.begin()) {
      --last;
      if (last == order.begin()) break;
      if (last->grammar == nullptr) continue;
      measure(&*last);
      if (bytes <= max_bytes) break;
      const auto victim = last++;
      erase(victim);
      ++evicted;
    }
  }

  const size_t max_bytes;
  mutable std::mutex mutex;
  Entries order;
  std::unordered_multimap<std::string_view, Entries::iterator> index;  // keys view Entry::text
  size_t bytes = 0;
  uint64_t hits = 0, compiled = 0, evicted = 0;
  uint64_t generation = 0;  // of clear()
};

GrammarCache::GrammarCache(size_t max_bytes) : impl_(std::make_unique<Impl>(max_bytes)) {}
GrammarCache::~GrammarCache() = default;

Result<std::shared_ptr<const Grammar>> GrammarCache::json_schema(std::string_view schema_text,
                                                                 const SchemaOptions& options) {
  std::string text = compact_json(schema_text);
  std::promise<Compiled> promise;
  std::shared_future<Compiled> known;
  Impl::Entries::iterator entry;
  uint64_t generation = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    entry = impl_->find(text, options);
    if (entry != impl_->order.end()) {
      ++impl_->hits;
      impl_->order.splice(impl_->order.begin(), impl_->order, entry);
      known = entry->result;
    } else {
      ++impl_->compiled;
      generation = impl_->generation;
      impl_->order.push_front({std::move(text), options, promise.get_future().share(), nullptr, 0});
      entry = impl_->order.begin();
      impl_->index.emplace(entry->text, entry);
    }
  }
  if (known.valid()) return known.get();

  // The text as it was given: places in error messages are its own.
  Compiled result = Grammar::from_json_schema(schema_text, options);
  {
    const std::lock_guard lock(impl_->mutex);
    if (generation == impl_->generation) {
      if (result.ok()) {
        entry->grammar = *result;
        impl_->measure(&*entry);
        impl_->make_room();
      } else {
        impl_->erase(entry);
      }
    }
  }
  promise.set_value(result);
  return result;
}

GrammarCache::Stats GrammarCache::stats() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->hits, impl_->compiled, impl_->evicted, impl_->order.size(), impl_->bytes};
}

void GrammarCache::clear() {
  const std::lock_guard lock(impl_->mutex);
  impl_->index.clear();
  impl_->order.clear();
  impl_->bytes = 0;
  ++impl_->generation;
}

}  // namespace espalier
