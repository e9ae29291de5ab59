// What a string machine's states lead to: live products, listed strings, ranges of code points.
//
// The idea. Liveness of a byte state is liveness of a product state: a partial spelling stands for
// a range of code points, one of which must lead to a live product. Listed strings that go on with
// such a range are neighbours in their list.
//
// Example: after `\u00` the pending code point is one of U+0000 to U+00FF; of the strings "Ann",
// "Bob" and one that begins with U+0101 the first two may follow, neighbours in the list.
//
// Cost: a binary search for each automaton, and a step of its edges for each range that is met.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/strings/string_machine.h"
#include "grammar/strings/string_ranges.h"

namespace espalier {

bool StringMachine::any_codepoint(uint32_t product, uint32_t lo, uint32_t hi,
                                  const LiveAfter& live_product) const {
  const Product& at = products_[product];
  if (at.node == kOff && at.automata.size() == 1) {
    const auto c = spec_.automata[0]->survivor(at.automata[0], lo, hi);
    if (c && live_product(step_locked(product, *c), {*c, *c})) return true;
  }
  const uint64_t length = std::min(at.length + 1, length_cap_);
  return for_ranges(at.node, at.automata, lo, hi,
                    [&](uint32_t c, uint32_t last, uint32_t node, std::span<const uint32_t> next) {
                      return live_product(intern_product(node, length, next), {c, last});
                    });
}

// A \u escape whose value lies in [lo, hi]; a high surrogate may become a pair.
bool StringMachine::any_code_unit(uint32_t product, uint32_t lo, uint32_t hi,
                                  const LiveAfter& live_product) const {
  if (any_codepoint(product, lo, hi, live_product)) return true;
  const uint32_t first = std::max(lo, 0xD800u), last = std::min(hi, 0xDBFFu);
  return first <= last &&
         any_codepoint(product, combine(first, 0xDC00), combine(last, 0xDFFF), live_product);
}

bool StringMachine::live(uint32_t state, const std::function<bool(uint32_t)>& live_product) const {
  return live_after(state, [&](uint32_t product, CodepointRange) { return live_product(product); });
}

bool StringMachine::live_after(uint32_t state, const LiveAfter& live_product) const {
  const std::lock_guard lock(mutex_);
  const uint32_t product = states_[state].product, sub = states_[state].sub;
  const uint32_t payload = sub & 0x00FFFFFFu;
  const bool json = spec_.spelling == StringSpelling::kJson;
  const auto any_minimal = [&](CodepointRange range) {
    for (uint32_t c = range.lo; c <= std::min(range.hi, 0x1Fu); ++c) {
      if (minimal_hex(c) && live_product(step_locked(product, c), {c, c})) return true;
    }
    return false;
  };
  // Two code points were read; which, is not told.
  const LiveAfter after_two = [&](uint32_t next, CodepointRange) {
    return live_product(next, {0, kMaxCodepoint});
  };
  switch (sub & 0xFF000000u) {
    case kBody:
      return live_product(product, {1, 0});
    case kUtf8: {
      const CodepointRange r = utf8_range(payload >> 20, payload >> 18 & 3, payload & 0x3FFFF);
      return any_codepoint(product, r.lo, r.hi, live_product);
    }
    case kEscape: {
      if (json) return any_codepoint(product, 0, kMaxCodepoint, live_product);
      for (const uint32_t c : {8u, 9u, 10u, 12u, 13u, uint32_t{'"'}, uint32_t{'\\'}}) {
        if (live_product(step_locked(product, c), {c, c})) return true;
      }
      return any_minimal({0, 0x1F});
    }
    case kHex: {
      const CodepointRange r = hex_range(payload >> 16, payload & 0xFFFF);
      return json ? any_code_unit(product, r.lo, r.hi, live_product) : any_minimal(r);
    }
    case kHigh:
    case kHighEscape: {
      const uint32_t high = 0xD800 + payload;
      if (any_codepoint(product, combine(high, 0xDC00), combine(high, 0xDFFF), live_product))
        return true;
      const uint32_t alone = step_locked(product, high);
      if ((sub & 0xFF000000u) == kHigh) return live_product(alone, {high, high});
      return any_codepoint(alone, 0, kMaxCodepoint, after_two);
    }
    case kHighHex: {
      const uint32_t high = 0xD800 + (payload >> 14);
      const CodepointRange r = hex_range(payload >> 12 & 3, payload & 0xFFF);
      const uint32_t lo = std::max(r.lo, 0xDC00u), hi = std::min(r.hi, 0xDFFFu);
      if (lo <= hi && any_codepoint(product, combine(high, lo), combine(high, hi), live_product))
        return true;
      const uint32_t alone = step_locked(product, high);
      return (r.lo < 0xDC00 && any_code_unit(alone, r.lo, std::min(r.hi, 0xDBFFu), after_two)) ||
             (r.hi > 0xDFFF && any_code_unit(alone, std::max(r.lo, 0xE000u), r.hi, after_two));
    }
    default:
      return true;
  }
}

void StringMachine::successors(
    uint32_t product, const std::function<void(uint32_t, uint32_t, uint32_t)>& visit) const {
  // Visited without the lock: whoever visits may take locks under which others take this one.
  struct Successor {
    uint32_t lo, hi, next;
  };
  std::vector<Successor> found;
  const bool join = !remembers();
  uint32_t last = 0, other = 0;  // ranges mostly take turns between two product states
  {
    const std::lock_guard lock(mutex_);
    const Product& at = products_[product];
    const uint64_t length = std::min(at.length + 1, length_cap_);
    for_ranges(at.node, at.automata, 0, kMaxCodepoint,
               [&](uint32_t lo, uint32_t hi, uint32_t node, std::span<const uint32_t> next) {
                 const auto leads_to = [&](uint32_t to) {
                   return to != 0 && products_[to].node == node &&
                          std::ranges::equal(next, products_[to].automata);
                 };
                 uint32_t id = leads_to(last) ? last : leads_to(other) ? other : 0;
                 if (id == 0) id = intern_product(node, length, next);
                 if (id != last) other = std::exchange(last, id);
                 if (join && !found.empty() && found.back().next == id) {
                   found.back().hi = hi;
                 } else {
                   found.push_back({lo, hi, id});
                 }
                 return false;
               });
  }
  for (const auto& [lo, hi, next] : found) visit(lo, hi, next);
}

uint32_t StringMachine::settled(uint32_t product) const {
  const std::lock_guard lock(mutex_);
  std::vector<uint32_t> automata = products_[product].automata;
  for (size_t i = 0; i < automata.size(); ++i) {
    automata[i] = spec_.automata[i]->settled(automata[i]);
  }
  return intern_product(products_[product].node, products_[product].length, automata);
}

// Neighbours among the children of a trie node stand for neighbours in the list.
bool StringMachine::any_listed_pending(uint32_t state, const VisitListed& visit) const {
  // Visited without the lock, as in successors().
  std::vector<std::pair<uint32_t, uint32_t>> found;
  {
    const std::lock_guard lock(mutex_);
    const uint32_t node = products_[states_[state].product].node;
    if (node == kOff) return false;
    const uint32_t sub = states_[state].sub, kind = sub & 0xFF000000u;
    const uint32_t payload = sub & 0x00FFFFFFu;
    const bool json = spec_.spelling == StringSpelling::kJson;
    const TrieNode& at = expanded_node(node);
    const auto take = [&](uint32_t lo, uint32_t hi) {
      const uint32_t first = child_from(at, lo), last = child_from(at, hi + 1);
      if (first != last) found.emplace_back(trie_[first].first, trie_[last - 1].last);
    };
    const auto take_minimal = [&](CodepointRange range) {
      for (uint32_t c = range.lo; c <= std::min(range.hi, 0x1Fu); ++c) {
        if (minimal_hex(c)) take(c, c);
      }
    };
    if (kind == kUtf8) {
      const CodepointRange r = utf8_range(payload >> 20, payload >> 18 & 3, payload & 0x3FFFF);
      take(r.lo, r.hi);
    } else if (kind == kEscape && json) {
      take(0, kMaxCodepoint);
    } else if (kind == kEscape) {
      for (const uint32_t c : {8u, 9u, 10u, 12u, 13u, uint32_t{'"'}, uint32_t{'\\'}}) take(c, c);
      take_minimal({0, 0x1F});
    } else if (kind == kHex) {
      const CodepointRange r = hex_range(payload >> 16, payload & 0xFFFF);
      if (!json) {
        take_minimal(r);
      } else {
        take(r.lo, r.hi);
        const uint32_t lo = std::max(r.lo, 0xD800u), hi = std::min(r.hi, 0xDBFFu);
        if (lo <= hi) take(combine(lo, 0xDC00), combine(hi, 0xDFFF));
      }
    } else {
      live_after(state, [&](uint32_t product, CodepointRange) {
        const auto below = listed_below(product);
        if (below.first < below.second) found.push_back(below);
        return false;
      });
    }
  }
  return std::any_of(found.begin(), found.end(),
                     [&](const auto& range) { return visit(range.first, range.second); });
}

bool StringMachine::listed_bytes(uint32_t state, ByteSet* out) const {
  const ByteState& at = states_[state];
  const uint32_t kind = at.sub & 0xFF000000u;
  if (!spec_.automata.empty() || !spec_.lengths.empty()) return false;
  if (kind != kBody && kind != kEscape && kind != kHex) return false;
  if (products_[at.product].node == kOff) return false;
  ByteSet characters;
  trie_bytes(state, out, &characters);
  return true;
}

void StringMachine::trie_bytes_at(uint32_t node, Place place, ByteSet* out) const {
  const TrieNode& below = expanded_node(node);
  if (place == Place::kBetween) {
    *out |= below.bytes;
    out->insert('\\');
    if (below.string != StringSignature::kOther) out->insert('"');
    return;
  }
  out->insert('u');
  for (uint32_t i = 0; i < below.num_children; ++i) {
    const uint32_t codepoint = trie_[below.first_child + i].codepoint;
    for (const char escape : std::string_view("\"\\/bfnrt")) {
      if (simple_escape(static_cast<uint8_t>(escape)) == codepoint)
        out->insert(static_cast<uint8_t>(escape));
    }
  }
}

void StringMachine::trie_bytes(uint32_t state, ByteSet* out, ByteSet* characters) const {
  const ByteState& at = states_[state];
  const uint32_t kind = at.sub & 0xFF000000u;
  const uint32_t node = products_[at.product].node;
  if (node == kOff) return;
  if (kind == kBody) {
    *characters |= expanded_node(node).bytes;
    return trie_bytes_at(node, Place::kBetween, out);
  }
  characters->fill();
  if (kind == kEscape) return trie_bytes_at(node, Place::kEscape, out);
  if (kind != kHex) return out->fill();
  const TrieNode& below = expanded_node(node);
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  const uint32_t digits = at.sub >> 16 & 0xFF, value = at.sub & 0xFFFF;
  const auto insert_hex = [&](uint32_t unit) {
    if (hex_range(digits, value).lo > unit || unit > hex_range(digits, value).hi) return;
    const char digit = kHexDigits[unit >> (4 * (3 - digits)) & 15];
    out->insert(static_cast<uint8_t>(digit));
    if (digit >= 'a') out->insert(static_cast<uint8_t>(digit - 'a' + 'A'));
  };
  for (uint32_t i = 0; i < below.num_children; ++i) {
    const uint32_t codepoint = trie_[below.first_child + i].codepoint;
    insert_hex(codepoint < 0x10000 ? codepoint : 0xD800 + ((codepoint - 0x10000) >> 10));
  }
}

}  // namespace espalier
