#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/numbers/decimal.h"
#include "schema/expansion/expansion.h"
#include "schema/expansion/text_store.h"
#include "schema/json/json_value.h"

namespace espalier {

/// JSON values by identity: equal values (numbers by value, strings by code points, objects without
/// regard to order) have equal ids, and nothing else has. See canonical_value.cpp. A *content* is
/// what an array or object holds so far; kEmpty at its start. Not thread-safe.
class ValueStore {
 public:
  static constexpr uint32_t kEmpty = 0;
  /// A value or content that equals none that is stored.
  static constexpr uint32_t kUnseen = UINT32_MAX;

  ValueStore(TextStore* texts, SetStore* sets);

  /// Texts of strings and spellings of numbers start here, apart from names and never 0.
  uint32_t string_start() const { return string_start_; }
  uint32_t number_start() const { return number_start_; }

  uint32_t literal(ValueClass value_class) const;
  /// The string with this text, which starts at string_start(). It is stored from now on, as no
  /// mere beginning of a string is.
  uint32_t string(uint32_t text) {
    if (text == kUnseen) return kUnseen;
    texts_->mark_used(text);
    return text << 2 | kString;
  }
  /// The same if it is stored, else kUnseen.
  uint32_t find_string(uint32_t text) const {
    return text != kUnseen && texts_->used(text) ? text << 2 | kString : kUnseen;
  }
  uint32_t string(std::u32string_view codepoints);
  /// The number with this spelling, whose text starts at number_start().
  uint32_t spelled_number(uint32_t text);
  uint32_t number(const Decimal& number);
  uint32_t array(uint32_t content) const { return close(content, kArray); }
  uint32_t object(uint32_t content) const { return close(content, kObject); }
  uint32_t append_item(uint32_t content, uint32_t value);
  uint32_t add_member(uint32_t content, uint32_t name, uint32_t value);
  /// Has any content that is stored this member?
  bool knows_member(uint32_t name, uint32_t value) const {
    return pair_ids_.contains(pack(name, value));
  }

  ValueClass class_of(uint32_t value) const;
  /// The value of a member, of an item, or 0 if there is none.
  uint32_t member(uint32_t object, uint32_t name);
  uint32_t item(uint32_t array, size_t index);
  /// Names and values of an object that is stored; items of an array.
  const std::vector<std::pair<uint32_t, uint32_t>>& members(uint32_t object);
  const std::vector<uint32_t>& items(uint32_t array);
  size_t length(uint32_t content) const { return lists_[content].length; }
  std::u32string codepoints(uint32_t string) const { return texts_->text(string >> 2).substr(1); }
  const Decimal& decimal(uint32_t number) const { return numbers_[(number >> 2) - kLiterals]; }
  JsonValue json(uint32_t value);
  uint32_t of(const JsonValue& value);

  size_t memory_bytes() const;

 private:
  enum Tag : uint32_t { kString, kNumber, kArray, kObject };  // the lowest bits of an id
  static constexpr uint32_t kLiterals = 3;                    // tagged as the first numbers
  struct List {
    uint32_t before = 0, value = 0;
    size_t length = 0;
  };
  static uint32_t close(uint32_t content, Tag tag) {
    return content == kUnseen ? kUnseen : content << 2 | tag;
  }
  static uint64_t pack(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

  TextStore* texts_;
  SetStore* sets_;
  uint32_t string_start_, number_start_;
  std::vector<Decimal> numbers_;
  std::unordered_map<std::string, uint32_t> number_ids_;
  std::vector<List> lists_;  // an array's content: all but the last item, the last item
  std::unordered_map<uint64_t, uint32_t> list_ids_;
  std::vector<std::pair<uint32_t, uint32_t>> pairs_;  // an object's content: a set of these
  std::unordered_map<uint64_t, uint32_t> pair_ids_;
  std::unordered_map<uint32_t, std::vector<std::pair<uint32_t, uint32_t>>> members_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> items_;
};

}  // namespace espalier
