// A string machine reads JSON string bytes and observes the string's code points.
//
// The idea. Two machines are stacked. The upper one, the *product*, reads code points and is the
// tuple (node of a trie of strings, length, one state per automaton). The lower one reads bytes:
// UTF-8 and JSON escapes, and hands a code point up when its spelling is complete. A byte state is
// the pair (product, what of a spelling has been read), so `a` and `\u0061` lead to the same state.
//
// Example: with strings {"ab"} and one automaton for ^a*$, after the byte `a` the product is
// (trie node "a", 1, automaton state a*); after `\u00` it is still the start's, with two hex digits
// pending.
//
// Surrogates. `\ud83d` may be the first half of a pair or, in kJson, a code point by itself: it
// stays pending (kHigh) until the next byte decides.
//
// Invariants: products and byte states are interned by content; the length is kept only up to the
// last bound that anyone asks about; a product whose automata are all dead, off the trie and at the
// length cap is one state.
//
// Cost: a known byte step is one table look-up; a new one costs a binary search per automaton. A
// search() over the product enumerates the trie below the state and the sets of automaton tuples
// reachable by n more code points; the sequence of those sets is eventually periodic, which is why
// lengths in the millions need no unrolling.
//
// References: RFC 8259 section 7 (strings), RFC 3629 section 4 (UTF-8), The Unicode Standard 3.8
// (surrogates).
#include "string_machine.h"

#include <algorithm>
#include <set>
#include <utility>

namespace espalier {
namespace {

constexpr uint32_t kMaxCodepoint = 0x10FFFF;
constexpr uint32_t kSmallTrie = 256;       // strings below a node up to which a search is exact
constexpr size_t kSearchBudget = 200'000;  // product elements one search may visit

bool is_high(uint32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
bool is_low(uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }
uint32_t combine(uint32_t high, uint32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}
int hex_value(uint8_t b) {
  if (b >= '0' && b <= '9') return b - '0';
  if (b >= 'a' && b <= 'f') return b - 'a' + 10;
  if (b >= 'A' && b <= 'F') return b - 'A' + 10;
  return -1;
}
uint32_t simple_escape(uint8_t b) {
  switch (b) {
    case '"':
    case '\\':
    case '/':
      return b;
    case 'b':
      return 8;
    case 'f':
      return 12;
    case 'n':
      return 10;
    case 'r':
      return 13;
    case 't':
      return 9;
    default:
      return 0;
  }
}
// Control characters that kMinimal spells \u00XX: those without a short escape.
bool minimal_hex(uint32_t c) {
  return c < 0x20 && c != 8 && c != 9 && c != 10 && c != 12 && c != 13;
}

struct Range {
  uint32_t lo, hi;
};
// Code points whose UTF-8 form of `total` bytes starts with bits `acc`, `left` bytes missing.
Range utf8_range(uint32_t total, uint32_t left, uint32_t acc) {
  const uint32_t lo = acc << (6 * left);
  const uint32_t hi = lo | ((1u << (6 * left)) - 1);
  const uint32_t least = total == 2 ? 0x80 : total == 3 ? 0x800 : 0x10000;
  const uint32_t most = total == 2 ? 0x7FF : total == 3 ? 0xFFFF : kMaxCodepoint;
  Range r{std::max(lo, least), std::min(hi, most)};
  if (r.lo >= 0xD800 && r.lo <= 0xDFFF) r.lo = 0xE000;
  if (r.hi >= 0xD800 && r.hi <= 0xDFFF) r.hi = 0xD7FF;
  return r;
}
Range hex_range(uint32_t digits, uint32_t value) {
  const uint32_t shift = 4 * (4 - digits);
  return {value << shift, (value << shift) | ((1u << shift) - 1)};
}

}  // namespace

std::u32string to_codepoints(std::string_view s) {
  std::u32string out;
  for (size_t i = 0; i < s.size();) {
    const auto b = static_cast<uint8_t>(s[i]);
    const size_t n = b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? b : n == 2 ? b & 0x1F : n == 3 ? b & 0x0F : b & 0x07;
    for (size_t k = 1; k < n && i + k < s.size(); ++k)
      c = c << 6 | (static_cast<uint8_t>(s[i + k]) & 0x3F);
    out.push_back(c);
    i += n;
  }
  return out;
}

void append_wtf8(std::string* out, uint32_t c) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

StringMachine::StringMachine(StringSpec spec) : spec_(std::move(spec)) {
  if (!spec_.lengths.empty()) length_cap_ = spec_.lengths.back();
  string_signatures_.resize(spec_.strings.size());
  string_signature_known_.resize(spec_.strings.size());
  states_.emplace_back();
  products_.push_back({});
  uint32_t node = kOff;
  if (!spec_.strings.empty()) {
    TrieNode root;
    root.last = static_cast<uint32_t>(spec_.strings.size());
    if (spec_.strings.front().empty()) root.string = 0;
    node = trie_.push_back(std::move(root));
  }
  std::vector<uint32_t> automata;
  for (const auto& automaton : spec_.automata) automata.push_back(automaton->start());
  start_ = intern_state(intern_product(node, 0, std::move(automata)), kBody);
}

StringMachine::~StringMachine() {
  for (uint32_t i = 0; i < states_.size(); ++i) {
    for (auto& cell : states_[i].next) delete cell.load(std::memory_order_relaxed);
  }
}

uint32_t StringMachine::same_position(const StringMachine& other, uint32_t state) const {
  const std::lock_guard lock(mutex_);
  return intern_state(states_[start_].product, other.states_[state].sub);
}

uint32_t StringMachine::intern_state(uint32_t product, uint32_t sub) const {
  const uint64_t key = uint64_t{product} << 32 | sub;
  const auto [it, inserted] = state_ids_.try_emplace(key, 0);
  if (inserted) {
    const uint32_t id = states_.emplace_back();
    states_[id].product = product;
    states_[id].sub = sub;
    it->second = id;
  }
  return it->second;
}

uint32_t StringMachine::intern_product(uint32_t node, uint64_t length,
                                       std::vector<uint32_t> automata) const {
  std::string key(reinterpret_cast<const char*>(&node), sizeof node);
  key.append(reinterpret_cast<const char*>(&length), sizeof length);
  key.append(reinterpret_cast<const char*>(automata.data()), automata.size() * sizeof(uint32_t));
  const auto [it, inserted] = product_ids_.try_emplace(std::move(key), 0);
  if (inserted) {
    Product product;
    product.node = node;
    product.length = length;
    product.signature.string = node == kOff ? StringSignature::kOther : trie_[node].string;
    product.signature.length_rank = length_rank(length);
    for (size_t i = 0; i < automata.size(); ++i) {
      product.signature.accepted.push_back(spec_.automata[i]->accepting(automata[i]));
    }
    product.automata = std::move(automata);
    it->second = products_.push_back(std::move(product));
  }
  return it->second;
}

uint32_t StringMachine::length_rank(uint64_t length) const {
  return static_cast<uint32_t>(
      std::upper_bound(spec_.lengths.begin(), spec_.lengths.end(), length) - spec_.lengths.begin());
}

const StringMachine::TrieNode& StringMachine::expanded_node(uint32_t id) const {
  if (!trie_[id].expanded) {
    std::vector<std::pair<uint32_t, uint32_t>> children;
    const uint32_t depth = trie_[id].depth, last = trie_[id].last;
    uint32_t i = trie_[id].first;
    while (i < last && spec_.strings[i].size() == depth) ++i;
    while (i < last) {
      const uint32_t c = spec_.strings[i][depth];
      TrieNode child;
      child.first = i;
      child.depth = depth + 1;
      while (i < last && spec_.strings[i][depth] == c) ++i;
      child.last = i;
      if (spec_.strings[child.first].size() == depth + 1) child.string = child.first;
      children.emplace_back(c, trie_.push_back(std::move(child)));
    }
    trie_[id].children = std::move(children);
    trie_[id].expanded = true;
  }
  return trie_[id];
}

uint32_t StringMachine::trie_child(uint32_t node, uint32_t codepoint) const {
  if (node == kOff) return kOff;
  const auto& children = expanded_node(node).children;
  const auto it = std::lower_bound(children.begin(), children.end(), std::pair(codepoint, 0u));
  return it != children.end() && it->first == codepoint ? it->second : kOff;
}

uint32_t StringMachine::step_codepoint(uint32_t product, uint32_t codepoint) const {
  const std::lock_guard lock(mutex_);
  return step_locked(product, codepoint);
}

uint32_t StringMachine::step_locked(uint32_t id, uint32_t codepoint) const {
  const Product& p = products_[id];
  std::vector<uint32_t> automata(p.automata.size());
  for (size_t i = 0; i < automata.size(); ++i) {
    automata[i] = spec_.automata[i]->step(p.automata[i], codepoint);
  }
  return intern_product(trie_child(p.node, codepoint), std::min(p.length + 1, length_cap_),
                        std::move(automata));
}

const StringSignature& StringMachine::signature(uint32_t product) const {
  return products_[product].signature;
}
bool StringMachine::off_trie(uint32_t product) const { return products_[product].node == kOff; }

uint32_t StringMachine::compute_step(uint32_t state, uint8_t byte) const {
  const std::lock_guard lock(mutex_);
  const uint32_t next = raw_step(states_[state].product, states_[state].sub, byte);
  std::atomic<Block*>& cell = states_[state].next[byte >> 4];
  Block* block = cell.load(std::memory_order_relaxed);
  if (block == nullptr) {
    block = new Block;
    for (auto& entry : *block) entry.store(kUnknown, std::memory_order_relaxed);
    cell.store(block, std::memory_order_release);
    ++blocks_;
  }
  (*block)[byte & 15].store(next, std::memory_order_release);
  return next;
}

uint32_t StringMachine::raw_step(uint32_t product, uint32_t sub, uint8_t byte) const {
  const bool json = spec_.spelling == StringSpelling::kJson;
  const uint32_t kind = sub & 0xFF000000u;
  const uint32_t payload = sub & 0x00FFFFFFu;
  const auto done = [&](uint32_t base, uint32_t codepoint) {
    return intern_state(step_locked(base, codepoint), kBody);
  };
  switch (kind) {
    case kBody: {
      if (byte == '"') return intern_state(product, kEnd);
      if (byte == '\\') return intern_state(product, kEscape);
      if (byte < 0x20) return 0;
      if (byte < 0x80) return done(product, byte);
      if (byte < 0xC2 || byte > 0xF4) return 0;
      const uint32_t total = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
      const uint32_t acc = total == 2 ? byte & 0x1F : total == 3 ? byte & 0x0F : byte & 0x07;
      return intern_state(product, kUtf8 | total << 20 | (total - 1) << 18 | acc);
    }
    case kUtf8: {
      if ((byte & 0xC0) != 0x80) return 0;
      const uint32_t total = payload >> 20, left = (payload >> 18 & 3) - 1;
      const uint32_t acc = (payload & 0x3FFFF) << 6 | (byte & 0x3F);
      const Range range = utf8_range(total, left, acc);
      if (range.lo > range.hi) return 0;
      if (left == 0) return done(product, acc);
      return intern_state(product, kUtf8 | total << 20 | left << 18 | acc);
    }
    case kEscape:
    case kHighEscape: {
      const bool high = kind == kHighEscape;
      if (byte == 'u') return intern_state(product, high ? kHighHex | payload << 14 : kHex);
      const uint32_t c = simple_escape(byte);
      if (c == 0 || (!json && byte == '/')) return 0;
      return done(high ? step_locked(product, 0xD800 + payload) : product, c);
    }
    case kHex: {
      const int digit = hex_value(byte);
      if (digit < 0 || (!json && byte >= 'A' && byte <= 'F')) return 0;
      const uint32_t digits = (payload >> 16) + 1;
      const uint32_t value = (payload & 0xFFFF) << 4 | static_cast<uint32_t>(digit);
      if (!json) {
        const Range range = hex_range(digits, value);
        bool any = false;
        for (uint32_t c = range.lo; c <= std::min(range.hi, 0x1Fu); ++c) any |= minimal_hex(c);
        if (!any) return 0;
      }
      if (digits < 4) return intern_state(product, kHex | digits << 16 | value);
      return is_high(value) ? intern_state(product, kHigh | (value - 0xD800))
                            : done(product, value);
    }
    case kHigh: {
      if (byte == '\\') return intern_state(product, kHighEscape | payload);
      return raw_step(step_locked(product, 0xD800 + payload), kBody, byte);
    }
    case kHighHex: {
      const int digit = hex_value(byte);
      if (digit < 0) return 0;
      const uint32_t high = 0xD800 + (payload >> 14);
      const uint32_t digits = (payload >> 12 & 3) + 1;
      const uint32_t value = (payload & 0xFFF) << 4 | static_cast<uint32_t>(digit);
      if (digits < 4)
        return intern_state(product, kHighHex | (high - 0xD800) << 14 | digits << 12 | value);
      if (is_low(value)) return done(product, combine(high, value));
      const uint32_t base = step_locked(product, high);
      return is_high(value) ? intern_state(base, kHigh | (value - 0xD800)) : done(base, value);
    }
    default:
      return 0;  // kEnd
  }
}

size_t StringMachine::completed(uint32_t state, uint8_t byte, uint32_t out[2]) const {
  const uint32_t sub = states_[state].sub;
  const uint32_t payload = sub & 0x00FFFFFFu;
  switch (sub & 0xFF000000u) {
    case kBody:
      if (byte == '"' || byte == '\\' || byte >= 0x80) return 0;
      out[0] = byte;
      return 1;
    case kUtf8:
      if ((payload >> 18 & 3) != 1) return 0;
      out[0] = (payload & 0x3FFFF) << 6 | (byte & 0x3F);
      return 1;
    case kEscape:
      out[0] = simple_escape(byte);
      return byte == 'u' ? 0 : 1;
    case kHex: {
      const uint32_t value = (payload & 0xFFFF) << 4 | static_cast<uint32_t>(hex_value(byte));
      if (payload >> 16 != 3 || is_high(value)) return 0;
      out[0] = value;
      return 1;
    }
    case kHigh:
      if (byte == '\\') return 0;
      out[0] = 0xD800 + payload;
      if (byte == '"' || byte >= 0x80) return 1;
      out[1] = byte;
      return 2;
    case kHighEscape:
      if (byte == 'u') return 0;
      out[0] = 0xD800 + payload;
      out[1] = simple_escape(byte);
      return 2;
    case kHighHex: {
      if ((payload >> 12 & 3) != 3) return 0;
      const uint32_t high = 0xD800 + (payload >> 14);
      const uint32_t value = (payload & 0xFFF) << 4 | static_cast<uint32_t>(hex_value(byte));
      out[0] = is_low(value) ? combine(high, value) : high;
      if (is_low(value) || is_high(value)) return 1;
      out[1] = value;
      return 2;
    }
    default:
      return 0;
  }
}

bool StringMachine::for_ranges(uint32_t node, const std::vector<uint32_t>& automata, uint32_t lo,
                               uint32_t hi,
                               const std::function<bool(uint32_t, uint32_t)>& visit) const {
  if (lo > hi) return false;
  std::vector<uint32_t> starts{lo};
  const auto cut = [&](uint32_t from, uint32_t to) {
    if (from > lo && from <= hi) starts.push_back(from);
    if (to >= lo && to < hi) starts.push_back(to + 1);
  };
  for (size_t i = 0; i < automata.size(); ++i) {
    for (const CodepointEdge& edge : spec_.automata[i]->edges(automata[i])) cut(edge.lo, edge.hi);
  }
  if (node != kOff) {
    for (const auto& child : expanded_node(node).children) cut(child.first, child.first);
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  for (size_t i = 0; i < starts.size(); ++i) {
    if (visit(starts[i], i + 1 < starts.size() ? starts[i + 1] - 1 : hi)) return true;
  }
  return false;
}

bool StringMachine::any_codepoint(uint32_t product, uint32_t lo, uint32_t hi,
                                  const std::function<bool(uint32_t)>& live_product) const {
  // Copied: stepping may intern products.
  const uint32_t node = products_[product].node;
  const std::vector<uint32_t> automata = products_[product].automata;
  return for_ranges(node, automata, lo, hi,
                    [&](uint32_t c, uint32_t) { return live_product(step_locked(product, c)); });
}

// A \u escape whose value lies in [lo, hi]; a high surrogate may become a pair.
bool StringMachine::any_code_unit(uint32_t product, uint32_t lo, uint32_t hi,
                                  const std::function<bool(uint32_t)>& live_product) const {
  if (any_codepoint(product, lo, hi, live_product)) return true;
  const uint32_t first = std::max(lo, 0xD800u), last = std::min(hi, 0xDBFFu);
  return first <= last &&
         any_codepoint(product, combine(first, 0xDC00), combine(last, 0xDFFF), live_product);
}

bool StringMachine::live(uint32_t state, const std::function<bool(uint32_t)>& live_product) const {
  const std::lock_guard lock(mutex_);
  const uint32_t product = states_[state].product, sub = states_[state].sub;
  const uint32_t payload = sub & 0x00FFFFFFu;
  const bool json = spec_.spelling == StringSpelling::kJson;
  const auto any_minimal = [&](Range range) {
    for (uint32_t c = range.lo; c <= std::min(range.hi, 0x1Fu); ++c) {
      if (minimal_hex(c) && live_product(step_locked(product, c))) return true;
    }
    return false;
  };
  switch (sub & 0xFF000000u) {
    case kBody:
      return live_product(product);
    case kUtf8: {
      const Range r = utf8_range(payload >> 20, payload >> 18 & 3, payload & 0x3FFFF);
      return any_codepoint(product, r.lo, r.hi, live_product);
    }
    case kEscape: {
      if (json) return any_codepoint(product, 0, kMaxCodepoint, live_product);
      for (const uint32_t c : {8u, 9u, 10u, 12u, 13u, uint32_t{'"'}, uint32_t{'\\'}}) {
        if (live_product(step_locked(product, c))) return true;
      }
      return any_minimal({0, 0x1F});
    }
    case kHex: {
      const Range r = hex_range(payload >> 16, payload & 0xFFFF);
      return json ? any_code_unit(product, r.lo, r.hi, live_product) : any_minimal(r);
    }
    case kHigh:
    case kHighEscape: {
      const uint32_t high = 0xD800 + payload;
      if (any_codepoint(product, combine(high, 0xDC00), combine(high, 0xDFFF), live_product))
        return true;
      const uint32_t alone = step_locked(product, high);
      if ((sub & 0xFF000000u) == kHigh) return live_product(alone);
      return any_codepoint(alone, 0, kMaxCodepoint, live_product);
    }
    case kHighHex: {
      const uint32_t high = 0xD800 + (payload >> 14);
      const Range r = hex_range(payload >> 12 & 3, payload & 0xFFF);
      const uint32_t lo = std::max(r.lo, 0xDC00u), hi = std::min(r.hi, 0xDFFFu);
      if (lo <= hi && any_codepoint(product, combine(high, lo), combine(high, hi), live_product))
        return true;
      const uint32_t alone = step_locked(product, high);
      return (r.lo < 0xDC00 && any_code_unit(alone, r.lo, std::min(r.hi, 0xDBFFu), live_product)) ||
             (r.hi > 0xDFFF && any_code_unit(alone, std::max(r.lo, 0xE000u), r.hi, live_product));
    }
    default:
      return true;
  }
}

void StringMachine::successors(uint32_t product,
                               const std::function<void(uint32_t, uint32_t)>& visit) const {
  const std::lock_guard lock(mutex_);
  for_ranges(products_[product].node, products_[product].automata, 0, kMaxCodepoint,
             [&](uint32_t lo, uint32_t hi) {
               visit(lo, hi);
               return false;
             });
}

const StringSignature& StringMachine::string_signature(uint32_t index) const {
  if (!string_signature_known_[index]) {
    StringSignature signature;
    signature.string = index;
    const std::u32string& text = spec_.strings[index];
    signature.length_rank = length_rank(std::min<uint64_t>(text.size(), length_cap_));
    for (const auto& automaton : spec_.automata) {
      uint32_t state = automaton->start();
      for (const char32_t c : text) state = automaton->step(state, c);
      signature.accepted.push_back(automaton->accepting(state));
    }
    string_signatures_[index] = std::move(signature);
    string_signature_known_[index] = true;
  }
  return string_signatures_[index];
}

StringMachine::Search StringMachine::search(
    uint32_t product, const std::function<bool(const StringSignature&)>& visit) const {
  const std::lock_guard lock(mutex_);
  const Search other = search_other(product, visit);
  if (other == Search::kFound || !search_listed(product, visit)) return other;
  return Search::kFound;
}

bool StringMachine::search_listed(uint32_t product,
                                  const std::function<bool(const StringSignature&)>& visit) const {
  const std::lock_guard lock(mutex_);
  const uint32_t node = products_[product].node;
  if (node == kOff) return false;
  const uint32_t first = trie_[node].first, last = trie_[node].last;
  for (uint32_t i = first; i < last; ++i) {
    if (visit(string_signature(i))) return true;
  }
  return false;
}

// Strings that are none of spec_.strings: walks the sequence S_0 = {state}, S_(m+1) = successors of
// S_m, whose elements are (trie node while the trie below is small, automata). The sequence is
// deterministic, so the first repetition ends it once the length no longer matters.
StringMachine::Search StringMachine::search_other(
    uint32_t id, const std::function<bool(const StringSignature&)>& visit) const {
  using Element = std::pair<uint32_t, std::vector<uint32_t>>;
  using Layer = std::set<Element>;
  const auto collapse = [&](uint32_t node) {
    return node == kOff || trie_[node].last - trie_[node].first > kSmallTrie ? kOff : node;
  };
  uint64_t length = products_[id].length;
  Layer layer{{collapse(products_[id].node), products_[id].automata}};
  bool at_string = products_[id].signature.string != StringSignature::kOther;
  std::set<std::pair<uint32_t, std::vector<bool>>> seen_signatures;
  std::set<Layer> seen_layers;
  size_t work = 0;
  for (;;) {
    for (const auto& [node, automata] : layer) {
      if (at_string || (node != kOff && trie_[node].string != StringSignature::kOther)) continue;
      StringSignature signature;
      signature.length_rank = length_rank(length);
      for (size_t i = 0; i < automata.size(); ++i) {
        signature.accepted.push_back(spec_.automata[i]->accepting(automata[i]));
      }
      if (seen_signatures.emplace(signature.length_rank, signature.accepted).second &&
          visit(signature)) {
        return Search::kFound;
      }
    }
    at_string = false;
    Layer next;
    for (const auto& [node, automata] : layer) {
      for_ranges(node, automata, 0, kMaxCodepoint, [&](uint32_t c, uint32_t) {
        Element element{collapse(trie_child(node, c)), {}};
        for (size_t i = 0; i < automata.size(); ++i) {
          element.second.push_back(spec_.automata[i]->step(automata[i], c));
        }
        work += 1 + automata.size();
        next.insert(std::move(element));
        return false;
      });
      if (work > kSearchBudget) break;
    }
    if (work > kSearchBudget) return Search::kOverBudget;
    if (length < length_cap_) {
      const bool fixed = next == layer;
      if (fixed) {
        // Nothing changes but the length: go straight to the next bound.
        const auto bound = std::upper_bound(spec_.lengths.begin(), spec_.lengths.end(), length);
        length = bound == spec_.lengths.end() ? length_cap_ : *bound;
      } else {
        ++length;
      }
      layer = std::move(next);
      continue;
    }
    if (!seen_layers.insert(layer).second) return Search::kExhausted;
    layer = std::move(next);
  }
}

bool StringMachine::listed_bytes(uint32_t state, ByteSet* out) const {
  const std::lock_guard lock(mutex_);
  const ByteState& at = states_[state];
  const uint32_t kind = at.sub & 0xFF000000u;
  if (!spec_.automata.empty() || !spec_.lengths.empty()) return false;
  if (kind != kBody && kind != kEscape && kind != kHex) return false;
  const uint32_t node = products_[at.product].node;
  if (node == kOff) return false;
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  const uint32_t digits = at.sub >> 16 & 0xFF, value = at.sub & 0xFFFF;
  const auto insert_hex = [&](uint32_t unit) {
    if (hex_range(digits, value).lo > unit || unit > hex_range(digits, value).hi) return;
    const char digit = kHexDigits[unit >> (4 * (3 - digits)) & 15];
    out->insert(static_cast<uint8_t>(digit));
    if (digit >= 'a') out->insert(static_cast<uint8_t>(digit - 'a' + 'A'));
  };
  if (kind == kBody) out->insert('\\');
  if (kind == kEscape) out->insert('u');
  if (kind == kBody && trie_[node].string != StringSignature::kOther) out->insert('"');
  for (const auto& [codepoint, below] : expanded_node(node).children) {
    if (kind == kBody) {
      std::string first;
      append_wtf8(&first, codepoint);
      out->insert(static_cast<uint8_t>(first[0]));
    } else if (kind == kHex) {
      insert_hex(codepoint < 0x10000 ? codepoint : 0xD800 + ((codepoint - 0x10000) >> 10));
    } else {
      for (const char escape : std::string_view("\"\\/bfnrt")) {
        if (simple_escape(static_cast<uint8_t>(escape)) == codepoint)
          out->insert(static_cast<uint8_t>(escape));
      }
    }
  }
  return true;
}

Status StringMachine::status() const {
  for (const auto& automaton : spec_.automata) {
    if (!automaton->status().ok()) return automaton->status();
  }
  return {};
}

size_t StringMachine::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return states_.size() * (sizeof(ByteState) + 48) + blocks_ * sizeof(Block) +
         products_.size() * (sizeof(Product) + 64 + 8 * spec_.automata.size()) +
         trie_.size() * sizeof(TrieNode) + sizeof *this;
}

}  // namespace espalier
