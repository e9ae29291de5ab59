// Names that a token may spell whole.
//
// The idea. Before a name nearly every token that begins one leaves it unfinished: `"id` is a
// token, `"id"` is none. So objects that differ only in whether "id" was used have the same masks
// there, wherever any name may come. What tokens do spell between two quotes, ` "."` or `":"`, is
// in a trie.
//
// Invariant: contains() never misses a name. Cost: a look-up for each letter that some token has.
#include "engine/tokens/whole_names.h"

namespace espalier {

void WholeNames::add(std::string_view token) {
  const size_t quote = token.find_first_not_of(" \t\n\r");
  if (quote == std::string_view::npos || token[quote] != '"') return;
  const std::string_view name = token.substr(quote + 1);
  bool plain = true, any = false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;  // the others mean letters that contains() does not look up
      any |= i < name.size() && (name[i] == 'u' || name[i] == '/');
      plain = false;
    } else if (name[i] == '"') {
      any_ |= any;
      if (plain) spelled_.emplace_back(name.substr(0, i + 1), 0);
      return;
    }
  }
}

bool WholeNames::contains(std::u32string_view name) const {
  if (any_) return true;
  if (names_.size() == 0) return false;
  uint32_t node = 0;
  for (const char32_t letter : name) {
    if (letter < 0x20 || letter >= 0x7F || letter == '"' || letter == '\\') return true;
    node = names_.child(node, static_cast<uint8_t>(letter));
    if (node == 0) return false;
  }
  return names_.child(node, '"') != 0;
}

}  // namespace espalier
