#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "grammar/leaf.h"
#include "grammar/strings/live_products.h"
#include "grammar/strings/string_machine.h"
#include "grammar/tables/flag_table.h"
#include "grammar/tables/id_table.h"

namespace espalier {

/// Names of certain unlisted classes of a shape, shared by the objects in which those may come.
struct OtherNames {
  static constexpr uint8_t kYes = 1, kNo = 2;
  std::vector<uint32_t> classes;    ///< sorted
  LiveProducts products;            ///< may one begin so?
  FlagTable states;                 ///< the same by byte state
  AtomicTable<uint32_t> positions;  ///< by byte state: what stands for it in `machine`; 0: unknown
  /// How many names begin so, as far as known; see SchemaMachine::count_others.
  struct Room {
    uint32_t known = 0;
    bool all = false;  ///< there is no need to look again
  };
  FlatMap<Room> rooms;                           ///< by byte state, or 2^32 and a product
  std::shared_ptr<const StringMachine> machine;  ///< reads names without their list
  std::shared_ptr<const Leaf> leaf;              ///< over its states; null until asked for
};

/// Which of an object's listed names, by index, may come next: each known to be so, known not to
/// be, or not known yet. One writer at a time (the owner's mutex); reads need no lock.
class NameSet {
 public:
  enum class Any : uint8_t { kNone, kSome, kUnknown };

  /// `others`: unlisted names that may come; null for none, or where all may and mean the same.
  NameSet(size_t size, OtherNames* others)
      : others_(others), words_((size + 63) / 64), bits_(std::make_unique<Word[]>(words_)) {}

  OtherNames* others() const { return others_; }
  /// Settles one name.
  void set(uint32_t name, bool live) {
    Word& word = bits_[name / 64];
    const uint64_t bit = uint64_t{1} << (name % 64);
    if (live)
      word.live.store(word.live.load(std::memory_order_relaxed) | bit, std::memory_order_relaxed);
    word.known.store(word.known.load(std::memory_order_relaxed) | bit, std::memory_order_release);
  }
  bool known(uint32_t name) const {
    return bits_[name / 64].known.load(std::memory_order_acquire) >> (name % 64) & 1;
  }
  /// Is there one in [first, last)? kUnknown: not among those that are known.
  Any any(uint32_t first, uint32_t last) const {
    bool all_known = true;
    for (uint32_t w = first / 64; w * 64 < last; ++w) {
      uint64_t mask = ~uint64_t{0};
      if (w == first / 64) mask <<= first % 64;
      if (last - w * 64 < 64) mask &= (uint64_t{1} << (last - w * 64)) - 1;
      const uint64_t known = bits_[w].known.load(std::memory_order_acquire) & mask;
      if (known & bits_[w].live.load(std::memory_order_relaxed)) return Any::kSome;
      all_known &= known == mask;
    }
    return all_known ? Any::kNone : Any::kUnknown;
  }
  /// May a name begin with what led to this byte state of the shape's machine?
  Any any_after(const StringMachine& machine, uint32_t state) const {
    Any result = Any::kNone;
    machine.any_listed(state, [&](uint32_t first, uint32_t last) {
      const Any here = any(first, last);
      if (here != Any::kNone) result = here;
      return here == Any::kSome;
    });
    if (result == Any::kSome || others_ == nullptr) return result;
    const uint8_t other = others_->states.get(state);
    if (other == OtherNames::kYes) return Any::kSome;
    return other == 0 ? Any::kUnknown : result;
  }
  /// Is it known that no unlisted name begins with what led to this byte state?
  bool only_listed_after(uint32_t state) const {
    return others_ == nullptr || others_->states.get(state) == OtherNames::kNo;
  }
  size_t memory_bytes() const { return sizeof *this + words_ * sizeof(Word); }

 private:
  struct Word {
    std::atomic<uint64_t> known{0}, live{0};
  };
  OtherNames* others_;
  size_t words_;
  std::unique_ptr<Word[]> bits_;
};

}  // namespace espalier
