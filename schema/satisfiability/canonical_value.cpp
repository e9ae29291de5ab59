// Values by identity, for uniqueItems.
//
// The idea: a value is hash-consed bottom up, so that comparing two of any size compares two
// numbers. A string is its text's id (text_store.h), a number the index of its decimal, an array
// the list of its items as a chain of prefixes, an object the set of its (name, value) pairs: order
// and spelling disappear by construction.
//
// Example: {"a": 1, "b": [true]} and {"b": [ true ], "a": 10e-1} are both the set {(a, 1), (b,
// [true])}.
//
// Invariants: ids never change; no id is 0 or kUnseen; what contains something unseen is unseen.
// Cost: one look-up for each item or member; an object of n members holds O(log n) set nodes each.
#include "schema/satisfiability/canonical_value.h"

#include <algorithm>

#include "grammar/codepoints/json_spelling.h"

namespace espalier {
namespace {

// Beyond all code points, so that no name has such a text.
constexpr uint32_t kStringMark = 0x110000, kNumberMark = 0x110001;

}  // namespace

ValueStore::ValueStore(TextStore* texts, SetStore* sets)
    : texts_(texts),
      sets_(sets),
      string_start_(texts->append(TextStore::kEmpty, kStringMark)),
      number_start_(texts->append(TextStore::kEmpty, kNumberMark)),
      lists_(1) {}

uint32_t ValueStore::literal(ValueClass value_class) const {
  return static_cast<uint32_t>(value_class) << 2 | kNumber;
}

uint32_t ValueStore::string(std::u32string_view codepoints) {
  uint32_t text = string_start_;
  for (const char32_t c : codepoints) text = texts_->append(text, c);
  return string(text);
}

uint32_t ValueStore::spelled_number(uint32_t text) {
  if (text == kUnseen) return kUnseen;
  std::string spelling;
  for (const char32_t c : texts_->text(text).substr(1)) spelling += static_cast<char>(c);
  const auto value = Decimal::parse(spelling);
  return value ? number(*value) : kUnseen;
}

uint32_t ValueStore::number(const Decimal& number) {
  const auto [it, inserted] =
      number_ids_.try_emplace(number.key(), static_cast<uint32_t>(numbers_.size()));
  if (inserted) numbers_.push_back(number);
  return (it->second + kLiterals) << 2 | kNumber;
}

uint32_t ValueStore::append_item(uint32_t content, uint32_t value) {
  if (content == kUnseen || value == kUnseen) return kUnseen;
  const auto [it, inserted] =
      list_ids_.try_emplace(pack(content, value), static_cast<uint32_t>(lists_.size()));
  if (inserted) lists_.push_back({content, value, lists_[content].length + 1});
  return it->second;
}

uint32_t ValueStore::add_member(uint32_t content, uint32_t name, uint32_t value) {
  if (content == kUnseen || name == TextStore::kUnseen || value == kUnseen) return kUnseen;
  const auto [it, inserted] =
      pair_ids_.try_emplace(pack(name, value), static_cast<uint32_t>(pairs_.size()));
  if (inserted) {
    pairs_.emplace_back(name, value);
    texts_->mark_used(name);
  }
  return sets_->insert(content, it->second);
}

ValueClass ValueStore::class_of(uint32_t value) const {
  switch (value & 3) {
    case kString:
      return ValueClass::kString;
    case kArray:
      return ValueClass::kArray;
    case kObject:
      return ValueClass::kObject;
    default:
      return value >> 2 < kLiterals ? static_cast<ValueClass>(value >> 2) : ValueClass::kNumber;
  }
}

const std::vector<std::pair<uint32_t, uint32_t>>& ValueStore::members(uint32_t object) {
  const auto [it, inserted] = members_.try_emplace(object);
  if (inserted) {
    sets_->for_each(object >> 2, [&](uint32_t pair) { it->second.push_back(pairs_[pair]); });
    std::sort(it->second.begin(), it->second.end());
  }
  return it->second;
}

const std::vector<uint32_t>& ValueStore::items(uint32_t array) {
  const auto [it, inserted] = items_.try_emplace(array);
  if (inserted) {
    for (uint32_t at = array >> 2; at != kEmpty; at = lists_[at].before)
      it->second.push_back(lists_[at].value);
    std::reverse(it->second.begin(), it->second.end());
  }
  return it->second;
}

uint32_t ValueStore::member(uint32_t object, uint32_t name) {
  const auto& all = members(object);
  const auto it = std::lower_bound(all.begin(), all.end(), std::pair(name, uint32_t{0}));
  return it != all.end() && it->first == name ? it->second : 0;
}

uint32_t ValueStore::item(uint32_t array, size_t index) {
  const auto& all = items(array);
  return index < all.size() ? all[index] : 0;
}

JsonValue ValueStore::json(uint32_t value) {
  JsonValue out;
  const auto utf8 = [](const std::u32string& text) {
    std::string bytes;
    for (const char32_t c : text) append_wtf8(&bytes, c);
    return bytes;
  };
  switch (class_of(value)) {
    case ValueClass::kNull:
      out.kind = JsonValue::Kind::kNull;
      break;
    case ValueClass::kFalse:
      out.kind = JsonValue::Kind::kFalse;
      break;
    case ValueClass::kTrue:
      out.kind = JsonValue::Kind::kTrue;
      break;
    case ValueClass::kNumber:
      out.kind = JsonValue::Kind::kNumber;
      out.number = decimal(value);
      break;
    case ValueClass::kString:
      out.kind = JsonValue::Kind::kString;
      out.string = utf8(codepoints(value));
      break;
    case ValueClass::kArray:
      out.kind = JsonValue::Kind::kArray;
      for (const uint32_t item : std::vector<uint32_t>(items(value)))
        out.items.push_back(json(item));
      break;
    case ValueClass::kObject:
      out.kind = JsonValue::Kind::kObject;
      for (const auto& [name, member] : std::vector<std::pair<uint32_t, uint32_t>>(members(value)))
        out.members.emplace_back(utf8(texts_->text(name)), json(member));
      break;
  }
  return out;
}

uint32_t ValueStore::of(const JsonValue& value) {
  uint32_t content = kEmpty;
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return literal(ValueClass::kNull);
    case JsonValue::Kind::kFalse:
      return literal(ValueClass::kFalse);
    case JsonValue::Kind::kTrue:
      return literal(ValueClass::kTrue);
    case JsonValue::Kind::kNumber:
      return number(value.number);
    case JsonValue::Kind::kString:
      return string(to_codepoints(value.string));
    case JsonValue::Kind::kArray:
      for (const JsonValue& item : value.items) content = append_item(content, of(item));
      return array(content);
    case JsonValue::Kind::kObject:
      for (const auto& [name, member] : value.members)
        content = add_member(content, texts_->intern(to_codepoints(name)), of(member));
      return object(content);
  }
  return kUnseen;
}

size_t ValueStore::memory_bytes() const {
  constexpr size_t kEntry = 48;  // of a hash table
  size_t bytes = numbers_.size() * (sizeof(Decimal) + 96) +
                 lists_.size() * (sizeof(List) + kEntry) + pairs_.size() * (8 + kEntry);
  for (const auto& [object, all] : members_) bytes += kEntry + all.capacity() * sizeof(all[0]);
  for (const auto& [array, all] : items_) bytes += kEntry + all.capacity() * sizeof(all[0]);
  return bytes;
}

}  // namespace espalier
