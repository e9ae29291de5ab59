// Inside tokens of a state that loops.
//
// The idea: what is made of looping bytes alone is alive, what holds a byte that is neither looping
// nor one of the others is dead, both by bitmaps of the tokens that contain a byte; what is left is
// to be read.
//
// Example: for ^[^x]*$ the row is the plain tokens without those that contain an x.
//
// Cost: one pass over a row for each byte that does not loop, or for eight of them.
#include "engine/rows/content_loop.h"

#include <bit>
#include <cstdint>
#include <string>

namespace espalier {
namespace {

/// With so few ASCII characters in its loop a walk goes down few branches.
constexpr uint32_t kFewLoopingBytes = 12;

/// The UTF-8 form of a code point above U+007F.
std::basic_string<uint8_t> utf8(uint32_t codepoint) {
  const int more = codepoint < 0x800 ? 1 : codepoint < 0x10000 ? 2 : 3;
  constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  std::basic_string<uint8_t> bytes(1, static_cast<uint8_t>(kLead[more] | codepoint >> (6 * more)));
  for (int k = more; k-- > 0;) {
    bytes.push_back(static_cast<uint8_t>(0x80 | (codepoint >> (6 * k) & 0x3F)));
  }
  return bytes;
}

/// The plain tokens with a byte that may leave the loop alive; false when they are too many to be
/// read one by one.
bool collect_strays(const ContentIndex& index, const LeafLoop& loop, size_t most,
                    std::span<MaskWord> strays) {
  const LetterCounts& counts = index.plain_texts().counts();
  Letters letters;
  // Tokens that begin with a space are not counted, but are many.
  bool many = loop.others.contains(' ') && count_mask_bits(index.containing(' ')) > most;
  for (uint32_t byte = 0x21; byte < 0x80; ++byte) {
    if (!loop.others.contains(static_cast<uint8_t>(byte)) || byte == '"' || byte == '\\') continue;
    letters.add(byte);
    many = many || counts.with[byte] > most;
  }
  if (many) return false;
  if (loop.others.contains(' ')) or_mask(strays, index.containing(' '));
  if (loop.others.contains(0x80)) or_mask(strays, index.high());
  for (size_t i = 0; i < loop.num_exceptions; ++i) {
    if (Letters::of(loop.exceptions[i]) == Letters::kSpace) {
      letters.add(Letters::kSpace);
      continue;
    }
    std::vector<MaskWord> tokens(index.high().begin(), index.high().end());
    for (const uint8_t byte : utf8(loop.exceptions[i])) {
      const auto with_byte = index.containing(byte);
      if (with_byte.empty()) tokens.clear();
      for (size_t word = 0; word < tokens.size(); ++word) tokens[word] &= with_byte[word];
    }
    or_mask(strays, tokens);
  }
  letters.for_each([&](uint32_t letter) { or_mask(strays, index.with_letter(letter)); });
  and_mask(strays, index.plain());
  return count_mask_bits(strays) <= most;
}

}  // namespace

bool split_by_loop(const ContentIndex& index, const LeafLoop& loop, size_t most_strays,
                   std::vector<MaskWord>* bits, std::span<MaskWord> strays) {
  uint32_t ascii = 0;
  for (const uint64_t word : {loop.bytes.words[0], loop.bytes.words[1]}) {
    ascii += static_cast<uint32_t>(std::popcount(word));
  }
  if (ascii <= kFewLoopingBytes) return false;
  if (!collect_strays(index, loop, most_strays, strays)) return false;

  bits->assign(index.plain().begin(), index.plain().end());
  const auto remove = [&](std::span<const MaskWord> tokens) { and_not_mask(*bits, tokens); };
  for (size_t group = 0x20 / ContentIndex::kGroupBytes; group < ContentIndex::kGroups; ++group) {
    const size_t first = group * ContentIndex::kGroupBytes;
    const auto leaves = [&](size_t byte) {
      return !loop.bytes.contains(static_cast<uint8_t>(byte));
    };
    bool all = true;
    for (size_t i = 0; i < ContentIndex::kGroupBytes; ++i) all = all && leaves(first + i);
    if (all) {
      remove(index.containing_group(group));
      continue;
    }
    for (size_t byte = first; byte < first + ContentIndex::kGroupBytes; ++byte) {
      const bool plain = byte != '"' && byte != '\\';
      if (plain && leaves(byte)) remove(index.containing(static_cast<uint8_t>(byte)));
    }
  }
  if (!loop.bytes.contains(0x80)) remove(index.high());
  if (loop.max_codepoints < ContentIndex::kLengthRows) {
    remove(index.longer_than(loop.max_codepoints));
  }
  for (const auto& [length, token] : index.long_tokens()) {
    if (length > LeafLoop::kHorizon && mask_bit(*bits, token)) {
      set_mask_bit(strays, token);
    } else if (length > loop.max_codepoints) {
      clear_mask_bit(*bits, token);
    }
  }
  remove(strays);
  return true;
}

}  // namespace espalier
