// Bitmaps of a vocabulary's tokens as string content.
//
// Nearly all tokens are plain text: no quote, no backslash, no control character, well-formed
// UTF-8. Whether a string leaf that loops on a set of bytes stays alive through such a token is a
// question about the set of its bytes and its number of code points alone:
//
//   inside = plain AND NOT (tokens containing a byte that does not loop) AND NOT (tokens too long)
//
// For `[^x]*` that is two rows; for `maxLength` with 5 characters left, two rows as well. The
// tokens left to be walked are those that contain a quote, a backslash, or a byte that leaves the
// loop alive.
//
// A token that ends within a code point is plain, as the rest may follow; one that begins within is
// not, as the leaf is between code points. Surrogates, overlong forms and values beyond U+10FFFF
// are not well-formed (RFC 3629 section 4).
//
// Cost: about 4 MiB and some milliseconds for a vocabulary of 128k tokens, once.

#include "engine/content_index.h"

#include <algorithm>
#include <string_view>

namespace espalier {
namespace {

/// Code points of plain text, one cut short at the end included; -1 when the text is not plain.
int64_t plain_length(std::string_view text) {
  int64_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x20 || lead == '"' || lead == '\\') return -1;
    if (lead < 0x80) continue;
    if (lead < 0xC2 || lead > 0xF4) return -1;
    const int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint8_t least = 0x80;
    uint8_t most = 0xBF;
    if (lead == 0xE0) least = 0xA0;
    if (lead == 0xED) most = 0x9F;
    if (lead == 0xF0) least = 0x90;
    if (lead == 0xF4) most = 0x8F;
    for (int k = 0; k < more && i < text.size(); ++k, ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      if (byte < least || byte > most) return -1;
      least = 0x80;
      most = 0xBF;
    }
  }
  return count;
}

}  // namespace

ContentIndex::ContentIndex(const Vocabulary& vocabulary) {
  const size_t words = vocabulary.row_words();
  plain_.assign(words, 0);
  high_.assign(words, 0);
  const auto set = [&](std::vector<MaskWord>& row, TokenId token) {
    if (row.empty()) row.assign(words, 0);
    set_mask_bit(row, token);
  };
  std::vector<std::pair<std::string_view, int32_t>> marked;
  std::vector<std::pair<uint32_t, TokenId>> lengths;
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()); ++token) {
    const std::string_view bytes = vocabulary.bytes(token);
    if (vocabulary.is_special(token) || bytes.empty()) continue;
    for (const char c : bytes) {
      const auto byte = static_cast<uint8_t>(c);
      set(containing_[byte], token);
      if (byte >= 0x80) set_mask_bit(high_, token);
    }
    if (bytes.find_first_of("\"\\") != std::string_view::npos) marked.emplace_back(bytes, token);
    const int64_t length = plain_length(bytes);
    if (length < 0) continue;
    set_mask_bit(plain_, token);
    if (static_cast<size_t>(length) > kLengthRows) {
      long_.emplace_back(static_cast<uint32_t>(length), token);
    }
    lengths.emplace_back(static_cast<uint32_t>(length), token);
  }
  for (auto& row : longer_) row.assign(words, 0);
  for (const auto& [length, token] : lengths) {
    if (length > 0) set_mask_bit(longer_[std::min<size_t>(length, kLengthRows) - 1], token);
  }
  for (size_t n = kLengthRows - 1; n-- > 0;) {
    for (size_t word = 0; word < words; ++word) longer_[n][word] |= longer_[n + 1][word];
  }
  marked_ = TokenTrie(std::move(marked));
}

size_t ContentIndex::memory_bytes() const {
  size_t words = plain_.size() + high_.size();
  for (const auto& row : containing_) words += row.size();
  for (const auto& row : longer_) words += row.size();
  return sizeof(ContentIndex) + words * sizeof(MaskWord) + long_.size() * sizeof(long_[0]) +
         marked_.memory_bytes();
}

}  // namespace espalier
