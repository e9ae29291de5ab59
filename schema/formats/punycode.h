#pragma once

#include <cstdint>
#include <optional>

namespace espalier {

/// Reads the extended part of a Punycode string digit by digit (RFC 3492, section 6.2).
class PunycodeReader {
 public:
  enum class Step : uint8_t {
    kInvalid,   ///< no continuation is valid
    kPartial,   ///< inside a number
    kInserted,  ///< a number is complete: inserted() was added to the text
  };

  /// `basic_length` characters stand before the last hyphen.
  explicit PunycodeReader(uint32_t basic_length) : length_(basic_length) {}

  Step feed(uint32_t digit) {
    if (digit > (kLimit - index_) / weight_) return Step::kInvalid;
    index_ += digit * weight_;
    const uint32_t threshold = position_ <= bias_                ? 1
                               : position_ >= bias_ + kThreshold ? kThreshold
                                                                 : position_ - bias_;
    if (digit >= threshold) {
      if (weight_ > kLimit / (kBase - threshold)) return Step::kInvalid;
      weight_ *= kBase - threshold;
      position_ += kBase;
      return Step::kPartial;
    }
    ++length_;
    bias_ = adapt(index_ - start_, start_ == 0);
    codepoint_ += index_ / length_;
    if (codepoint_ > 0x10FFFF) return Step::kInvalid;
    place_ = index_ % length_;
    index_ = place_ + 1;
    start_ = index_;
    weight_ = 1;
    position_ = kBase;
    return Step::kInserted;
  }

  uint32_t inserted() const { return codepoint_; }
  /// Where in the text it was inserted.
  uint32_t place() const { return place_; }

  /// The value of a digit, nullopt for other characters.
  static std::optional<uint32_t> digit_value(char c) {
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= '0' && c <= '9') return c - '0' + 26;
    return std::nullopt;
  }

 private:
  static constexpr uint32_t kLimit = 0x7FFFFFFF;
  static constexpr uint32_t kBase = 36;
  static constexpr uint32_t kThreshold = 26;

  uint32_t adapt(uint32_t delta, bool first) const {
    delta = first ? delta / 700 : delta / 2;
    delta += delta / length_;
    uint32_t k = 0;
    for (; delta > (kBase - 1) * kThreshold / 2; k += kBase) delta /= kBase - 1;
    return k + kBase * delta / (delta + 38);
  }

  uint32_t length_;
  uint32_t codepoint_ = 0x80;
  uint32_t index_ = 0;
  uint32_t place_ = 0;
  uint32_t start_ = 0;
  uint32_t bias_ = 72;
  uint32_t weight_ = 1;
  uint32_t position_ = kBase;
};

}  // namespace espalier
