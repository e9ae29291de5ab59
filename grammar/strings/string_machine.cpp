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
#include "grammar/strings/string_machine.h"

#include <algorithm>
#include <utility>

#include "grammar/codepoints/json_spelling.h"

namespace espalier {

StringMachine::StringMachine(StringSpec spec) : spec_(std::move(spec)) {
  if (!spec_.lengths.empty()) length_cap_ = spec_.lengths.back();
  states_.emplace_back();
  products_.push_back({});  // no content is interned as this one
  uint32_t node = kOff;
  if (!spec_.strings.empty()) {
    node = trie_.emplace_back();
    trie_[node].last = static_cast<uint32_t>(spec_.strings.size());
    if (spec_.strings.front().empty()) trie_[node].string = 0;
  }
  std::vector<uint32_t> automata;
  for (const auto& automaton : spec_.automata) automata.push_back(automaton->start());
  start_ = intern_state(intern_product(node, 0, automata), kBody);
}

uint32_t StringMachine::same_position(const StringMachine& other, uint32_t state) const {
  const std::lock_guard lock(mutex_);
  return intern_state(states_[start_].product, other.states_[state].sub);
}

uint32_t StringMachine::relaxed_state(const StringMachine& other, uint32_t state) const {
  const ByteState& at = other.states_[state];
  const std::lock_guard lock(mutex_);
  return intern_state(relaxed_product(other, at.product), at.sub);
}

uint32_t StringMachine::relaxed_product(const StringMachine& other, uint32_t product) const {
  const Product& at = other.products_[product];
  std::vector<uint32_t> automata = at.automata;
  for (size_t i = 0; i < automata.size(); ++i) {
    automata[i] = other.spec_.automata[i]->relaxed_state(automata[i]);
  }
  const std::lock_guard lock(mutex_);
  const std::u32string path = at.node == kOff ? std::u32string() : other.path_to(at.node);
  uint32_t node = spec_.strings.empty() || at.node == kOff ? kOff : 0;
  for (const char32_t c : path) node = trie_child(node, c);
  return intern_product(node, at.length, automata);
}

std::u32string StringMachine::path_to(uint32_t node) const {
  const TrieNode& at = trie_[node];
  return std::u32string(spec_.strings[at.first].substr(0, at.depth));
}

bool StringMachine::remembers() const {
  return std::any_of(spec_.automata.begin(), spec_.automata.end(),
                     [](const auto& automaton) { return automaton->remembers(); });
}

uint32_t StringMachine::lengthened(uint32_t product, uint64_t n) const {
  const std::lock_guard lock(mutex_);
  const Product& from = products_[product];
  return intern_product(from.node, std::min(from.length + n, length_cap_), from.automata);
}

uint32_t StringMachine::with_automaton(uint32_t product, size_t i, uint32_t state) const {
  const std::lock_guard lock(mutex_);
  const Product& from = products_[product];
  std::vector<uint32_t> automata = from.automata;
  automata[i] = state;
  return intern_product(from.node, from.length, automata);
}

uint32_t StringMachine::at_length(uint32_t product, uint64_t length) const {
  const std::lock_guard lock(mutex_);
  const Product& from = products_[product];
  return intern_product(from.node, std::min(length, length_cap_), from.automata);
}

uint32_t StringMachine::between_state(uint32_t product) const {
  const std::lock_guard lock(mutex_);
  return intern_state(product, kBody);
}

uint32_t StringMachine::state_at(uint32_t node) const {
  const std::lock_guard lock(mutex_);
  uint32_t product = states_[start_].product;
  for (const char32_t c : path_to(node)) product = step_locked(product, c);
  return intern_state(product, kBody);
}

uint32_t StringMachine::end_state(uint32_t product) const {
  const std::lock_guard lock(mutex_);
  return intern_state(product, kEnd);
}

uint32_t StringMachine::unlisted_position(const StringMachine& other, uint32_t state) const {
  const std::lock_guard lock(mutex_);
  const Product& product = other.products_[other.states_[state].product];
  return intern_state(intern_product(kOff, product.length, product.automata),
                      other.states_[state].sub);
}

uint32_t StringMachine::unlisted(uint32_t product) const {
  const Product& at = products_[product];
  if (at.node == kOff) return product;
  const std::lock_guard lock(mutex_);
  return intern_product(kOff, at.length, at.automata);
}

uint32_t StringMachine::intern_state(uint32_t product, uint32_t sub) const {
  const uint64_t key = uint64_t{product} << 32 | sub;
  const auto [it, inserted] = state_ids_.try_emplace(key, 0);
  if (inserted) {
    const uint32_t id = states_.emplace_back();
    states_[id].product = product;
    states_[id].sub = sub;
    it->second = id;
    measure();
  }
  return it->second;
}

namespace {

uint64_t product_hash(uint32_t node, uint64_t length, std::span<const uint32_t> automata) {
  uint64_t hash = (uint64_t{node} << 32 ^ length) * 0x9e3779b97f4a7c15u;
  for (const uint32_t state : automata) {
    hash = ((hash ^ hash >> 29) + state) * 0xbf58476d1ce4e5b9u;
  }
  return hash ^ hash >> 32;
}

}  // namespace

uint32_t StringMachine::intern_product(uint32_t node, uint64_t length,
                                       std::span<const uint32_t> automata) const {
  const uint64_t hash = product_hash(node, length, automata);
  const uint32_t known = product_ids_.find(hash, [&](uint32_t id) {
    const Product& product = products_[id];
    return product.node == node && product.length == length &&
           std::equal(automata.begin(), automata.end(), product.automata.begin());
  });
  if (known != IdTable::kNone) return known;
  Product product;
  product.node = node;
  product.length = length;
  product.signature.string = node == kOff ? StringSignature::kOther : trie_[node].string;
  product.signature.length_rank = length_rank(length);
  if (!automata.empty()) {
    product.signature.accepted.resize(automata.size());
    for (size_t i = 0; i < automata.size(); ++i) {
      product.signature.accepted[i] = automata[i] != 0 && spec_.automata[i]->accepting(automata[i]);
    }
    product.automata.assign(automata.begin(), automata.end());
  }
  const uint32_t id = products_.push_back(std::move(product));
  product_ids_.insert(hash, id);
  measure();
  return id;
}

uint32_t StringMachine::longer_rank(uint32_t product) const {
  return length_rank(std::min(products_[product].length + 1, length_cap_));
}

uint32_t StringMachine::length_rank(uint64_t length) const {
  return static_cast<uint32_t>(
      std::upper_bound(spec_.lengths.begin(), spec_.lengths.end(), length) - spec_.lengths.begin());
}

// Takes the lock where it is needed.
const StringMachine::TrieNode& StringMachine::expanded_node(uint32_t node) const {
  if (!trie_[node].expanded.load(std::memory_order_acquire)) expand(node);
  return trie_[node];
}

void StringMachine::expand(uint32_t id) const {
  const std::lock_guard lock(mutex_);
  TrieNode& node = trie_[id];
  if (node.expanded.load(std::memory_order_relaxed)) return;
  const uint32_t depth = node.depth, last = node.last;
  uint32_t i = node.first;
  while (i < last && spec_.strings[i].size() == depth) ++i;
  node.first_child = trie_.size();
  while (i < last) {
    const uint32_t c = spec_.strings[i][depth];
    TrieNode& child = trie_[trie_.emplace_back()];
    child.codepoint = c;
    child.first = i;
    child.depth = depth + 1;
    while (i < last && spec_.strings[i][depth] == c) ++i;
    child.last = i;
    if (spec_.strings[child.first].size() == depth + 1) child.string = child.first;
    node.bytes.insert(first_wtf8_byte(c));
  }
  node.num_children = trie_.size() - node.first_child;
  measure();
  node.expanded.store(true, std::memory_order_release);
}

// The first child whose code point is not less; one past the last where all are.
uint32_t StringMachine::child_from(const TrieNode& node, uint32_t codepoint) const {
  uint32_t first = node.first_child, last = first + node.num_children;
  while (first < last) {
    const uint32_t middle = (first + last) / 2;
    if (trie_[middle].codepoint < codepoint) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

uint32_t StringMachine::trie_child(uint32_t node, uint32_t codepoint) const {
  if (node == kOff) return kOff;
  const TrieNode& at = expanded_node(node);
  const uint32_t child = child_from(at, codepoint);
  const bool found =
      child < at.first_child + at.num_children && trie_[child].codepoint == codepoint;
  return found ? child : kOff;
}

uint32_t StringMachine::trie_next(uint32_t node, uint32_t codepoint) const {
  return trie_child(node, codepoint);
}

void StringMachine::trie_letters(uint32_t node, std::vector<uint32_t>* out) const {
  if (node == kOff) return;
  const TrieNode& at = expanded_node(node);
  for (uint32_t i = 0; i < at.num_children; ++i) {
    const uint32_t codepoint = trie_[at.first_child + i].codepoint;
    out->push_back(codepoint);
    out->push_back(codepoint + 1);
  }
}

std::vector<StringMachine::TrieStep> StringMachine::trie_steps(uint32_t product) const {
  if (off_trie(product)) return {};
  const std::lock_guard lock(mutex_);
  const TrieNode& node = expanded_node(products_[product].node);
  std::vector<TrieStep> steps;
  steps.reserve(node.num_children);
  for (uint32_t i = 0; i < node.num_children; ++i) {
    const uint32_t codepoint = trie_[node.first_child + i].codepoint;
    steps.emplace_back(codepoint, step_locked(product, codepoint));
  }
  return steps;
}

uint32_t StringMachine::step_codepoint(uint32_t product, uint32_t codepoint) const {
  const std::lock_guard lock(mutex_);
  return step_locked(product, codepoint);
}

uint32_t StringMachine::step_locked(uint32_t id, uint32_t codepoint) const {
  const Product& p = products_[id];
  std::vector<uint32_t> automata(p.automata.size());
  for (size_t i = 0; i < automata.size(); ++i) {
    if (p.automata[i] != 0) automata[i] = spec_.automata[i]->step(p.automata[i], codepoint);
  }
  return intern_product(trie_child(p.node, codepoint), std::min(p.length + 1, length_cap_),
                        automata);
}

const StringSignature& StringMachine::signature(uint32_t product) const {
  return products_[product].signature;
}
bool StringMachine::off_trie(uint32_t product) const { return products_[product].node == kOff; }

uint32_t StringMachine::compute_step(uint32_t state, uint8_t byte) const {
  const std::lock_guard lock(mutex_);
  const ByteState& from = states_[state];
  const uint32_t next = raw_step(from.product, from.sub, byte);
  if (from.first.load(std::memory_order_relaxed) == 0) {
    from.first.store(uint64_t{byte + 1u} << 32 | next, std::memory_order_release);
    return next;
  }
  std::atomic<Block*>& cell = from.next[byte / kBlock];
  Block* block = cell.load(std::memory_order_relaxed);
  if (block == nullptr) {
    block = &blocks_[blocks_.emplace_back()];
    for (auto& entry : *block) entry.store(kUnknown, std::memory_order_relaxed);
    cell.store(block, std::memory_order_release);
    measure();
  }
  (*block)[byte % kBlock].store(next, std::memory_order_release);
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
      const CodepointRange range = utf8_range(total, left, acc);
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
        const CodepointRange range = hex_range(digits, value);
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

Status StringMachine::status() const {
  for (const auto& automaton : spec_.automata) {
    if (!automaton->status().ok()) return automaton->status();
  }
  return {};
}

void StringMachine::measure() const {
  bytes_.store(states_.memory_bytes() + states_.size() * 24 + blocks_.memory_bytes() +
                   products_.memory_bytes() + products_.size() * 8 * (5 + spec_.automata.size()) +
                   trie_.memory_bytes() + spec_.strings.memory_bytes() + sizeof *this,
               std::memory_order_relaxed);
}

}  // namespace espalier
