// The formats `date-time`, `date` and `time`: RFC 3339, section 5.6, with the restrictions of
// section 5.7: lengths of months, leap years, and a second 60 only at 23:59:60 UTC.
//
// A text has one shape, `YYYY-MM-DDThh:mm:ss[.f...](Z|+hh:mm)`, so a state is the place in it and
// the little that later characters depend on. That is forgotten as soon as nothing does: a year is
// only whether it is a leap year, and after a month other than February not even that.
//
//     "2023-02-2"   ->   {place 9, the next digit lies in [0, 8]}
//     "12:34:5"     ->   {place 18}        as for any other hour and minute
//     "12:34:6"     ->   {place 18, local time 754}
//
// A leap second at the local time t (in minutes) is 23:59:60 UTC iff the offset is t + 1 east of
// Greenwich or 1439 - t west of it, modulo a day. There always is one, so 60 is never a dead end.
//
// Invariant: a state is live. Cost: a step is a
// few comparisons; 1,440 local times make most of the states, met only as they are asked for.
#include "schema/formats/timestamp.h"

#include <string_view>

namespace espalier {
namespace {

constexpr uint16_t kNoLeapSecond = UINT16_MAX;
constexpr uint16_t kDay = 1440;   // minutes
constexpr uint8_t kAnyHour = 24;  // of a coarse state
// Places: what has been read.
constexpr uint8_t kNothing = 0, kDate = 10, kSeparator = 11, kSeconds = 19, kPoint = 20,
                  kFraction = 21, kSign = 22, kEnd = 27;

std::optional<Timestamp> at(int place, int first = 0, int last = 0,
                            uint16_t minutes = kNoLeapSecond) {
  return Timestamp{static_cast<uint8_t>(place), static_cast<uint8_t>(first),
                   static_cast<uint8_t>(last), minutes};
}

/// The digits of the year. `first` is the first digit modulo 2; then whether the century is
/// divisible by 4; then 1 where the third digit is odd, 2 where it is even, but 0 where another
/// zero makes it no leap year; then whether it is one.
std::optional<Timestamp> year_digit(const Timestamp& from, int digit) {
  switch (from.place) {
    case 0:
      return at(1, digit % 2);
    case 1:
      return at(2, (2 * from.first + digit) % 4 == 0);
    case 2: {
      const int kind = digit % 2 == 1 ? 1 : digit == 0 && from.first == 0 ? 0 : 2;
      return at(3, kind);
    }
    default: {
      const bool divisible = (2 * (from.first % 2) + digit) % 4 == 0;
      return at(4, divisible && !(from.first == 0 && digit == 0));
    }
  }
}

/// The digits of month and day. At place 7 `last` is the last day of the month; at place 9 `first`
/// and `last` bound the digit that follows.
std::optional<Timestamp> month_or_day_digit(const Timestamp& from, int digit) {
  switch (from.place) {
    case 5:  // whether it is a leap year matters for February alone
      if (digit > 1) return std::nullopt;
      return digit == 0 ? at(6, from.first) : at(6, 2);
    case 6: {
      const int month = from.first == 2 ? 10 + digit : digit;
      if (month < 1 || month > 12) return std::nullopt;
      if (month == 2) return at(7, 0, 28 + from.first);
      return at(7, 0, month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
    }
    case 8:
      if (10 * digit > from.last) return std::nullopt;
      return at(9, digit == 0, digit == from.last / 10 ? from.last % 10 : 9);
    default:
      if (digit < from.first || digit > from.last) return std::nullopt;
      return at(kDate);
  }
}

/// The digits of a local time. `first` is the hour's first digit, then the hour, then with `last`
/// the minute's first digit.
std::optional<Timestamp> time_digit(const Timestamp& from, int digit) {
  switch (from.place) {
    case 11:
      return digit <= 2 ? at(12, digit) : std::nullopt;
    case 12:
      return 10 * from.first + digit < 24 ? at(13, 10 * from.first + digit) : std::nullopt;
    case 14:
      return digit <= 5 ? at(15, from.first, digit) : std::nullopt;
    case 15: {
      if (from.first == kAnyHour) return at(16);
      const int local = 60 * from.first + 10 * from.last + digit;
      return at(16, 0, 0, static_cast<uint16_t>(local));
    }
    case 17:
      if (digit < 6) return at(18);
      return digit == 6 ? at(18, 0, 0, from.minutes) : std::nullopt;
    default:
      if (from.minutes != kNoLeapSecond && digit != 0) return std::nullopt;
      return at(kSeconds, 0, 0, from.minutes);
  }
}

/// The digits of an offset; `minutes` is the only one allowed, if any. `last` bounds the hour's
/// second digit.
std::optional<Timestamp> offset_digit(const Timestamp& from, int digit) {
  const bool fixed = from.minutes != kNoLeapSecond;
  const int hour = from.minutes / 60, minute = from.minutes % 60;
  const int after = from.place + 1;
  switch (from.place) {
    case kSign:
      if (fixed ? digit != hour / 10 : digit > 2) return std::nullopt;
      return at(after, 0, digit == 2 && !fixed ? 3 : 9, from.minutes);
    case 23:
      if (fixed ? digit != hour % 10 : digit > from.last) return std::nullopt;
      return at(after, 0, 0, from.minutes);
    case 25:
      if (fixed ? digit != minute / 10 : digit > 5) return std::nullopt;
      return at(after, 0, 0, from.minutes);
    default:
      if (fixed && digit != minute % 10) return std::nullopt;
      return at(after);
  }
}

std::optional<Timestamp> digit_after(const Timestamp& from, int digit) {
  if (from.place < 4) return year_digit(from, digit);
  switch (from.place) {
    case 5:
    case 6:
    case 8:
    case 9:
      return month_or_day_digit(from, digit);
    case 11:
    case 12:
    case 14:
    case 15:
    case 17:
    case 18:
      return time_digit(from, digit);
    case kPoint:
    case kFraction:
      return at(kFraction, 0, 0, from.minutes);
    case kSign:
    case 23:
    case 25:
    case 26:
      return offset_digit(from, digit);
    default:
      return std::nullopt;
  }
}

/// The place after the same state, where the text has but one character.
std::optional<Timestamp> moved(Timestamp from) {
  ++from.place;
  return from;
}

std::optional<Timestamp> zone_after(const Timestamp& from, uint32_t c) {
  const bool fixed = from.minutes != kNoLeapSecond;
  switch (c) {
    case 'Z':
    case 'z':
      return !fixed || from.minutes == kDay - 1 ? at(kEnd) : std::nullopt;
    case '+':
      if (!fixed) return at(kSign);
      return at(kSign, 0, 0, static_cast<uint16_t>((from.minutes + 1) % kDay));
    case '-':
      if (!fixed) return at(kSign);
      return at(kSign, 0, 0, static_cast<uint16_t>(kDay - 1 - from.minutes));
    default:
      return std::nullopt;
  }
}

}  // namespace

template <TimestampPart part>
Timestamp TimestampMachine<part>::start() const {
  return *at(part == TimestampPart::kTime ? kSeparator : kNothing);
}

template <TimestampPart part>
bool TimestampMachine<part>::accepting(const State& state) const {
  return state.place == (part == TimestampPart::kDate ? kDate : kEnd);
}

template <TimestampPart part>
std::optional<Timestamp> TimestampMachine<part>::step(const State& from, uint32_t c) const {
  if (accepting(from)) return std::nullopt;
  if (c >= '0' && c <= '9') return digit_after(from, static_cast<int>(c - '0'));
  switch (from.place) {
    case 4:
    case 7:
      return c == '-' ? moved(from) : std::nullopt;
    case kDate:
      return c == 'T' || c == 't' ? at(kSeparator) : std::nullopt;
    case 13:
    case 16:
    case 24:
      return c == ':' ? moved(from) : std::nullopt;
    case kSeconds:
      if (c == '.') return at(kPoint, 0, 0, from.minutes);
      return zone_after(from, c);
    case kFraction:
      return zone_after(from, c);
    default:
      return std::nullopt;
  }
}

template <TimestampPart part>
uint32_t TimestampMachine<part>::least_length(const State& state) const {
  if constexpr (part == TimestampPart::kDate) return kDate - state.place;
  if (state.place <= kSeconds) return kSeconds + 1u - state.place;  // a text in UTC
  if (state.place == kPoint) return 2;
  return state.place == kFraction ? 1 : kEnd - state.place;
}

template <TimestampPart part>
Timestamp TimestampMachine<part>::coarse(State state) const {
  state.minutes = kNoLeapSecond;  // any offset will do
  if (state.place >= 13 && state.place <= 15) state.first = kAnyHour;
  return state;
}

template <TimestampPart part>
uint32_t TimestampMachine<part>::toward_end(const State& state) const {
  // The zone before further digits of a fraction; all else goes on.
  constexpr std::string_view kOrder = "Z+0123456789-:T";
  for (const char c : kOrder) {
    if (step(state, static_cast<uint8_t>(c))) return static_cast<uint8_t>(c);
  }
  return 0;
}

template <TimestampPart part>
void TimestampMachine<part>::cuts(const State&, std::vector<uint32_t>* out) const {
  constexpr std::string_view kCuts = "+,-./0123456789:;TUZ[tuz{";
  for (const char c : kCuts) out->push_back(static_cast<uint8_t>(c));
}

template class TimestampMachine<TimestampPart::kDateTime>;
template class TimestampMachine<TimestampPart::kDate>;
template class TimestampMachine<TimestampPart::kTime>;

}  // namespace espalier
