#include "engine/tokenizers/added_tokens.h"

#include <unicode/uchar.h>

#include <utility>

#include "engine/tokenizers/utf8.h"

namespace espalier {
namespace {

bool is_word(char32_t code) {
  const auto c = static_cast<UChar32>(code);
  return c == '_' || u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

bool is_space(char32_t code) { return u_isUWhiteSpace(static_cast<UChar32>(code)); }

// The code point that ends before `end`.
Utf8Char decode_before(std::string_view text, size_t end) {
  for (size_t length = 1; length <= 4 && length <= end; ++length) {
    const Utf8Char c = decode_utf8(text.substr(0, end), end - length);
    if (c.valid && c.length == length) return c;
  }
  return {0xFFFD, 1, false};
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word(decode_before(text, begin).code)) return true;
  return end < text.size() && is_word(decode_utf8(text, end).code);
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::pair<std::string_view, int32_t>> entries;
  entries.reserve(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    entries.emplace_back(tokens_[i].content, static_cast<int32_t>(i));
  }
  trie_ = TokenTrie(std::move(entries));
}

bool AddedTokens::longest_at(std::string_view text, size_t begin, Match& match) const {
  bool found = false;
  uint32_t node = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    node = trie_.child(node, static_cast<uint8_t>(text[i]));
    if (node == 0) break;
    const int32_t token = trie_.node(node).token;
    if (token < 0) continue;
    const AddedToken& added = tokens_[static_cast<size_t>(token)];
    if (added.single_word && touches_word(text, begin, i + 1)) continue;
    match = {begin, i + 1, token};
    found = true;
  }
  return found;
}

std::vector<AddedTokens::Match> AddedTokens::find(std::string_view text) const {
  std::vector<Match> matches;
  if (tokens_.empty()) return matches;
  size_t last = 0;
  for (size_t i = 0; i < text.size();) {
    Match match{};
    if (!longest_at(text, i, match)) {
      ++i;
      continue;
    }
    const AddedToken& added = tokens_[static_cast<size_t>(match.id)];
    match.id = added.id;
    while (added.strip_left && match.begin > last) {
      const Utf8Char c = decode_before(text, match.begin);
      if (!is_space(c.code)) break;
      match.begin -= c.length;
    }
    while (added.strip_right && match.end < text.size()) {
      const Utf8Char c = decode_utf8(text, match.end);
      if (!is_space(c.code)) break;
      match.end += c.length;
    }
    matches.push_back(match);
    last = i = match.end;
  }
  return matches;
}

size_t AddedTokens::memory_bytes() const {
  size_t total = trie_.memory_bytes() + tokens_.capacity() * sizeof(AddedToken);
  for (const AddedToken& token : tokens_) total += token.content.capacity();
  return total;
}

}  // namespace espalier
