#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "grammar/tables/id_table.h"

namespace espalier {

/// What matters of a date or time that has been read so far; see timestamp.cpp.
struct Timestamp {
  uint8_t place = 0;              ///< characters read of a text without a fraction
  uint8_t first = 0, last = 0;    ///< a digit or number that is known, or bounds of the next one
  uint16_t minutes = UINT16_MAX;  ///< of a leap second: local time, then the offset it asks for
  bool operator==(const Timestamp&) const = default;
  uint64_t hash() const {
    return hash_append(
        0, uint64_t{place} << 32 | uint64_t{first} << 24 | uint64_t{last} << 16 | minutes);
  }
};

/// Which part of a date-time is read.
enum class TimestampPart : uint8_t { kDateTime, kDate, kTime };

/// Reads the formats date-time, date and time as machines of a StructuredAutomaton. Thread-safe.
template <TimestampPart part>
class TimestampMachine {
 public:
  using State = Timestamp;
  static constexpr bool kRemembers = false;

  State start() const;
  std::optional<State> step(const State& state, uint32_t c) const;
  bool accepting(const State& state) const;
  std::optional<State> settled(const State& state) const { return state; }
  uint32_t least_length(const State& state) const;
  State coarse(State state) const;
  uint32_t toward_end(const State& state) const;
  void cuts(const State& state, std::vector<uint32_t>* out) const;
};

extern template class TimestampMachine<TimestampPart::kDateTime>;
extern template class TimestampMachine<TimestampPart::kDate>;
extern template class TimestampMachine<TimestampPart::kTime>;

}  // namespace espalier
