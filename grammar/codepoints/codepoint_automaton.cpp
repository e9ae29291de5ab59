#include "grammar/codepoints/codepoint_automaton.h"

#include <algorithm>
#include <iterator>

namespace espalier {

uint32_t CodepointAutomaton::step(uint32_t state, uint32_t codepoint) const {
  const std::span<const CodepointEdge> out = edges(state);
  const auto it = std::ranges::upper_bound(out, codepoint, {}, &CodepointEdge::lo);
  return it != out.begin() && codepoint <= std::prev(it)->hi ? std::prev(it)->next : 0;
}

std::optional<uint32_t> CodepointAutomaton::survivor(uint32_t state, uint32_t lo,
                                                     uint32_t hi) const {
  for (const CodepointEdge& edge : edges(state)) {
    if (edge.hi >= lo && edge.lo <= hi) return std::max(lo, edge.lo);
  }
  return std::nullopt;
}

bool CodepointAutomaton::matches(std::string_view utf8) const {
  uint32_t state = start();
  for (size_t i = 0; i < utf8.size() && state != 0;) {
    const uint8_t lead = static_cast<uint8_t>(utf8[i]);
    const size_t extra = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || i + extra >= utf8.size()) return false;
    uint32_t codepoint = extra == 0 ? lead : lead & (0x3Fu >> extra);
    for (size_t k = 1; k <= extra; ++k) {
      const uint8_t byte = static_cast<uint8_t>(utf8[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      codepoint = codepoint << 6 | (byte & 0x3F);
    }
    state = step(state, codepoint);
    i += extra + 1;
  }
  return accepting(state);
}

}  // namespace espalier
