// White space out of a JSON text, without parsing it.
//
// The idea: outside of strings, white space next to a bracket, a comma, a colon, a quote or an end
// of the text separates nothing. Between two other bytes it does (`1 2` is no JSON, `12` is), so
// there one space stays, and the text is as wrong as it was.
//
// Example: `{ "a" : [1, 2 3] }` becomes `{"a":[1,2 3]}`.
//
// Invariants: two texts with the same result are both invalid, or spell the same value alike. Cost:
// one pass.
#include "engine/grammars/compact_json.h"

#include <algorithm>

namespace espalier {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool separates(char c) { return std::string_view("[]{},:\"").find(c) != std::string_view::npos; }

}  // namespace

std::string compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      const size_t begin = at++;
      while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
      at = std::min(at + 1, text.size());
      out.append(text, begin, at - begin);
      continue;
    }
    if (!is_space(c)) {
      out.push_back(c);
      ++at;
      continue;
    }
    while (at < text.size() && is_space(text[at])) ++at;
    const bool needed =
        !out.empty() && at < text.size() && !separates(out.back()) && !separates(text[at]);
    if (needed) out.push_back(' ');
  }
  return out;
}

}  // namespace espalier
