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

#include "engine/tokens/content_index.h"

#include <algorithm>
#include <atomic>
#include <string_view>

#include "grammar/tables/sort_unique.h"

namespace espalier {

uint64_t ContentIndex::next_uid() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// What is read of all tokens, to be indexed.
struct ContentIndex::Texts {
  std::vector<std::pair<std::string_view, int32_t>> marked;  // with a quote or a backslash
  std::vector<std::pair<std::string_view, int32_t>> plain;
  std::vector<TokenId> escaped;
  std::vector<std::pair<TokenId, size_t>> quoted;     // and where the quote stands
  std::vector<std::pair<uint32_t, TokenId>> lengths;  // of plain ones
};

ContentIndex::ContentIndex(const Vocabulary& vocabulary) {
  Texts texts = read_tokens(vocabulary);
  index_groups(vocabulary.row_words());
  index_lengths(texts.lengths, vocabulary.row_words());
  marked_ = TokenTrie(std::move(texts.marked));
  plain_texts_ = ContentTrie(std::move(texts.plain));
  high_texts_.build();
  for (uint32_t i = 0; i < plain_texts_.num_values(); ++i) {
    (plain_texts_.letters(i) & Letters::high()).for_each([&](uint32_t letter) {
      std::vector<MaskWord>& row = high_letters_[letter];
      if (row.empty()) row.assign(vocabulary.row_words(), 0);
      set_mask_bit(row, plain_texts_.value(i));
    });
  }
  index_enders(vocabulary, texts.quoted);
  index_escapes(vocabulary, texts.escaped, StringSpelling::kJson);
  index_escapes(vocabulary, texts.escaped, StringSpelling::kMinimal);
  index_marked(vocabulary);
  whole_names_.build();
  name_heads_.uid = uid_;
  name_heads_.whole = [this](std::u32string_view name) { return whole_names_.contains(name); };
}

ContentIndex::Texts ContentIndex::read_tokens(const Vocabulary& vocabulary) {
  const size_t words = vocabulary.row_words();
  plain_.assign(words, 0);
  high_.assign(words, 0);
  leading_space_.assign(words, 0);
  inner_space_.assign(words, 0);
  Texts texts;
  suffix_ids_.try_emplace(std::string_view(), 0);
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()); ++token) {
    const std::string_view bytes = vocabulary.bytes(token);
    if (vocabulary.is_special(token) || bytes.empty()) continue;
    for (const char c : bytes) {
      const auto byte = static_cast<uint8_t>(c);
      if (containing_[byte].empty()) containing_[byte].assign(words, 0);
      set_mask_bit(containing_[byte], token);
      if (byte >= 0x80) set_mask_bit(high_, token);
    }
    if (const size_t mark = bytes.find_first_of("\"\\"); mark != std::string_view::npos) {
      read_marked(token, bytes, mark, &texts);
      continue;
    }
    const int64_t length = plain_length(bytes);
    if (length < 0) continue;
    texts.plain.emplace_back(bytes, token);
    high_texts_.add(bytes, token);
    set_mask_bit(plain_, token);
    if (bytes[0] == ' ') set_mask_bit(leading_space_, token);
    if (bytes.find(' ', 1) != std::string_view::npos) set_mask_bit(inner_space_, token);
    if (static_cast<size_t>(length) > kLengthRows) {
      long_.emplace_back(static_cast<uint32_t>(length), token);
    }
    texts.lengths.emplace_back(static_cast<uint32_t>(length), token);
  }
  return texts;
}

/// A token whose first quote or backslash is at `mark`.
void ContentIndex::read_marked(TokenId token, std::string_view bytes, size_t mark, Texts* texts) {
  texts->marked.emplace_back(bytes, token);
  index_name_heads(bytes);
  whole_names_.add(bytes);
  bool cut = false;
  if (plain_length(bytes.substr(0, mark), &cut) < 0 || cut) return;
  if (bytes[mark] == '"') {
    suffix_ids_.try_emplace(bytes.substr(mark + 1), 0);
    texts->quoted.emplace_back(token, mark);
    return;
  }
  texts->escaped.push_back(token);
  for (size_t at = mark; (at = bytes.find('"', at + 1)) != std::string_view::npos;) {
    suffix_ids_.try_emplace(bytes.substr(at + 1), 0);
  }
}

void ContentIndex::index_groups(size_t words) {
  for (size_t group = 0; group < kGroups; ++group) {
    for (size_t byte = group * kGroupBytes; byte < (group + 1) * kGroupBytes; ++byte) {
      if (byte == '"' || containing_[byte].empty()) continue;
      if (groups_[group].empty()) groups_[group].assign(words, 0);
      or_mask(groups_[group], containing_[byte]);
    }
  }
}

void ContentIndex::index_lengths(const std::vector<std::pair<uint32_t, TokenId>>& lengths,
                                 size_t words) {
  for (auto& row : longer_) row.assign(words, 0);
  for (const auto& [length, token] : lengths) {
    if (length > 0) set_mask_bit(longer_[std::min<size_t>(length, kLengthRows) - 1], token);
    lengths_.push_back(length);
  }
  sort_unique(&lengths_);
  lengths_.shrink_to_fit();
  for (size_t n = kLengthRows - 1; n-- > 0;) or_mask(longer_[n], longer_[n + 1]);
}

void ContentIndex::index_name_heads(std::string_view token) {
  constexpr std::string_view kSpace = " \t\n\r";
  for (size_t comma = token.find(','); comma != std::string_view::npos;
       comma = token.find(',', comma + 1)) {
    const size_t quote = token.find_first_not_of(kSpace, comma + 1);
    if (quote == std::string_view::npos || token[quote] != '"') continue;
    const std::string_view name = token.substr(quote + 1);
    if (name.empty()) continue;
    const auto byte = static_cast<uint8_t>(name[0]);
    if (byte == '\\') {
      name_heads_.deep |= name.size() > 1;
    } else if (byte >= 0x80) {
      name_heads_.deep = true;
    } else if (byte >= 0x20 && byte != '"') {
      name_heads_.first.insert(byte);
    }
    const size_t end = name.find('"');  // an escaped one would only be taken for an end
    if (end == std::string_view::npos) continue;
    const size_t after = name.find_first_not_of(kSpace, end + 1);
    name_heads_.deep |= after == std::string_view::npos || name[after] == ':';
  }
}

namespace {

/// The next code point of a string's content, escapes being read.
struct Unescaped {
  enum Kind : uint8_t { kWhole, kOther, kImpossible } kind;
  uint32_t codepoint = 0;
  size_t bytes = 0;
};

Unescaped unescape(std::string_view text, StringSpelling spelling) {
  if (text[0] != '\\') {
    const PlainCodepoint next = first_codepoint(text);
    if (next.bytes == 0) return {Unescaped::kImpossible};
    if (!next.whole()) return {Unescaped::kOther};
    return {Unescaped::kWhole, next.lo, next.bytes};
  }
  const bool minimal = spelling == StringSpelling::kMinimal;
  if (text.size() < 2) return {Unescaped::kOther};
  const auto letter = static_cast<uint8_t>(text[1]);
  if (letter != 'u') {
    const uint32_t meant = simple_escape(letter);
    if (meant == 0 || (minimal && letter == '/')) return {Unescaped::kImpossible};
    return {Unescaped::kWhole, meant, 2};
  }
  uint32_t value = 0;
  for (size_t i = 2; i < 6; ++i) {
    if (i == text.size()) return {Unescaped::kOther};
    const int digit = hex_value(static_cast<uint8_t>(text[i]));
    if (digit < 0 || (minimal && text[i] >= 'A' && text[i] <= 'F')) return {Unescaped::kImpossible};
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  if (minimal && !minimal_hex(value)) return {Unescaped::kImpossible};
  if (is_high(value) || is_low(value)) return {Unescaped::kOther};
  return {Unescaped::kWhole, value, 6};
}

/// What a code point cut short at the end of a text may be, where that is a range.
std::optional<ContentTrie::Partial> cut_codepoint(std::string_view text, StringSpelling spelling) {
  if (text[0] != '\\') {
    const PlainCodepoint next = first_codepoint(text);
    return ContentTrie::Partial{next.lo, next.hi};
  }
  if (spelling != StringSpelling::kJson || text.size() >= 6) return std::nullopt;
  if (text.size() <= 2) return ContentTrie::Partial{0, kMaxCodepoint};
  uint32_t value = 0;
  for (const char digit : text.substr(2)) {
    value = value << 4 | static_cast<uint32_t>(hex_value(static_cast<uint8_t>(digit)));
  }
  const auto left = static_cast<uint32_t>(4 * (6 - text.size()));
  const ContentTrie::Partial range{value << left, (value + 1) << left};
  // Surrogates may go on.
  if (range.lo <= 0xDFFF && range.hi > 0xD800) return std::nullopt;
  return ContentTrie::Partial{range.lo, range.hi - 1};
}

}  // namespace

void ContentIndex::index_escapes(const Vocabulary& vocabulary, const std::vector<TokenId>& escaped,
                                 StringSpelling spelling) {
  std::vector<std::pair<std::u32string, int32_t>> inside, ending;
  std::vector<std::pair<std::string_view, int32_t>> others;
  Escapes& escapes = escapes_[static_cast<size_t>(spelling)];
  std::vector<ContentTrie::Partial> cuts;
  for (const TokenId token : escaped) {
    std::string_view rest = vocabulary.bytes(token);
    std::u32string text;
    Unescaped::Kind kind = Unescaped::kWhole;
    while (!rest.empty() && rest[0] != '"' && kind == Unescaped::kWhole) {
      const Unescaped next = unescape(rest, spelling);
      kind = next.kind;
      if (kind == Unescaped::kOther) break;
      if (kind == Unescaped::kWhole) text.push_back(next.codepoint);
      rest.remove_prefix(next.bytes);
    }
    if (const auto cut = kind == Unescaped::kOther ? cut_codepoint(rest, spelling) : std::nullopt) {
      text.push_back(ContentTrie::kPartial + static_cast<char32_t>(cuts.size()));
      cuts.push_back(*cut);
      inside.emplace_back(std::move(text), token);
    } else if (kind == Unescaped::kOther) {
      others.emplace_back(vocabulary.bytes(token), token);
    } else if (kind == Unescaped::kWhole && rest.empty()) {
      inside.emplace_back(std::move(text), token);
    } else if (kind == Unescaped::kWhole) {
      for (const char32_t c : text) {
        std::string first;
        append_wtf8(&first, c);
        escapes.meant.insert(static_cast<uint8_t>(first[0]));
      }
      ending.emplace_back(std::move(text), static_cast<int32_t>(escapes.enders.size()));
      escapes.enders.push_back({suffix_id(rest.substr(1)), token});
    }
  }
  escapes.inside = ContentTrie(std::move(inside), cuts);
  escapes.ender_texts = ContentTrie(std::move(ending), {});
  escapes.others = TokenTrie(others);
  std::erase_if(others,
                [](const auto& other) { return other.first.find('"') == other.first.npos; });
  escapes.quoted_others = TokenTrie(std::move(others));
}

void ContentIndex::index_marked(const Vocabulary& vocabulary) {
  std::vector<std::pair<uint32_t, Ender>> found;  // node, ender
  const auto add = [&](const Ender& ender) {
    const std::string_view bytes = vocabulary.bytes(ender.token);
    const size_t end = bytes.size() - suffix_texts_[ender.suffix].size();
    uint32_t node = 0;
    for (size_t i = 0; i < end; ++i) node = marked_.child(node, static_cast<uint8_t>(bytes[i]));
    found.emplace_back(node, ender);
  };
  for (const Ender& ender : enders_) add(ender);
  for (const Ender& ender : escapes(StringSpelling::kJson).enders) add(ender);
  std::sort(found.begin(), found.end());
  first_marked_ender_.assign(marked_.size() + 1, 0);
  for (const auto& [node, ender] : found) {
    ++first_marked_ender_[node + 1];
    marked_enders_.push_back(ender);
  }
  for (size_t i = 0; i < marked_.size(); ++i) first_marked_ender_[i + 1] += first_marked_ender_[i];
}

size_t ContentIndex::Escapes::memory_bytes() const {
  return inside.memory_bytes() + ender_texts.memory_bytes() + enders.capacity() * sizeof(Ender) +
         others.memory_bytes() + quoted_others.memory_bytes();
}

void ContentIndex::index_enders(const Vocabulary& vocabulary,
                                const std::vector<std::pair<TokenId, size_t>>& quoted) {
  std::vector<std::string_view>& names = suffix_texts_;
  for (const auto& [suffix, id] : suffix_ids_) names.push_back(suffix);
  std::sort(names.begin(), names.end());
  std::vector<std::pair<std::string_view, int32_t>> suffixes;
  for (uint32_t id = 0; id < names.size(); ++id) {
    suffix_ids_[names[id]] = id;
    if (id != kNoSuffix) suffixes.emplace_back(names[id], static_cast<int32_t>(id));
  }
  suffixes_ = TokenTrie(std::move(suffixes));
  std::vector<std::pair<Ender, std::string_view>> enders;
  for (const auto& [token, mark] : quoted) {
    const std::string_view bytes = vocabulary.bytes(token);
    enders.push_back({{suffix_id(bytes.substr(mark + 1)), token}, bytes.substr(0, mark)});
  }
  std::sort(enders.begin(), enders.end());
  std::vector<std::pair<std::string_view, int32_t>> texts;
  first_ender_.assign(names.size() + 1, 0);
  for (const auto& [ender, text] : enders) {
    texts.emplace_back(text, static_cast<int32_t>(enders_.size()));
    enders_.push_back(ender);
    ++first_ender_[ender.suffix + 1];
  }
  for (size_t id = 0; id < names.size(); ++id) first_ender_[id + 1] += first_ender_[id];
  ender_texts_ = ContentTrie(std::move(texts));
}

size_t ContentIndex::memory_bytes() const {
  size_t words = plain_.size() + high_.size() + leading_space_.size() + inner_space_.size();
  for (const auto& row : high_letters_) words += row.size();
  for (const auto& row : containing_) words += row.size();
  for (const auto& row : groups_) words += row.size();
  for (const auto& row : longer_) words += row.size();
  return sizeof(ContentIndex) + words * sizeof(MaskWord) + long_.size() * sizeof(long_[0]) +
         marked_.memory_bytes() + marked_enders_.size() * sizeof(Ender) +
         first_marked_ender_.size() * sizeof(uint32_t) + escapes_[0].memory_bytes() +
         escapes_[1].memory_bytes() + plain_texts_.memory_bytes() + high_texts_.memory_bytes() +
         suffix_ids_.size() * 40 + suffixes_.memory_bytes() + enders_.size() * sizeof(Ender) +
         first_ender_.size() * sizeof(uint32_t) + ender_texts_.memory_bytes();
}

}  // namespace espalier
