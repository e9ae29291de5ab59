// What can still become of a string: the part of StringMachine that looks ahead.
//
// The idea. Liveness of a byte state is liveness of a product state: a partial spelling stands for
// a range of code points, one of which must lead to a live product (live). Which signatures a
// product can still reach is answered by search(): the listed strings below its trie node are
// finite, and all others are found by walking sets of automaton tuples, one code point at a time.
//
// Example: with automaton ^a{3}$ and lengths {5}, search from the start visits the signatures (not
// accepted), (accepted) and, once the length matters no more, (not accepted, length reached).
//
// Invariants: search() visits every reachable signature, unless it says kOverBudget; with many
// listed strings below a node it may take unlisted ones to be possible that are not.
//
// Cost: one automaton step for each range of code points of each tuple, once for all lengths that
// matter no more, before that once for each length; while what can follow comes back in turns, as
// of ^([a-z][0-9])+$, lengths are skipped from bound to bound.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/strings/string_machine.h"
#include "grammar/tables/id_table.h"

namespace espalier {
namespace {

constexpr uint32_t kSmallTrie = 32;       // strings below a node up to which a search is exact
constexpr size_t kSearchBudget = 50'000;  // automaton steps of one search
constexpr size_t kMostLayers = 64;        // among which one that comes back is looked for

/// Tuples of one width, each once, in the order in which they came.
class TupleList {
 public:
  explicit TupleList(size_t width) : width_(width) {}
  size_t size() const { return words_.size() / width_; }
  std::span<const uint32_t> operator[](size_t i) const {
    return std::span(words_).subspan(i * width_, width_);
  }
  void insert(std::span<const uint32_t> tuple) {
    uint64_t hash = 0;
    for (const uint32_t word : tuple) hash = hash_append(hash, word);
    const auto same = [&](uint32_t id) { return std::ranges::equal((*this)[id], tuple); };
    if (ids_.find(hash, same) != IdTable::kNone) return;
    ids_.insert(hash, static_cast<uint32_t>(size()));
    words_.insert(words_.end(), tuple.begin(), tuple.end());
  }

 private:
  size_t width_;
  std::vector<uint32_t> words_;
  IdTable ids_;
};

}  // namespace

// Goes through the sorted edges of all automata side by side. `visit` gets a range, the trie node
// and the states of the automata after its first code point; it may end the visit by true.
template <typename Visit>
bool StringMachine::for_ranges(uint32_t node, std::span<const uint32_t> automata, uint32_t lo,
                               uint32_t hi, Visit&& visit) const {
  struct Side {
    size_t automaton;
    std::span<const CodepointEdge> edges;
    size_t at = 0;
    bool remembers = false;
  };
  std::vector<Side> sides;  // the dead stay so
  sides.reserve(automata.size());
  std::vector<uint32_t> next(automata.size());
  for (size_t i = 0; i < automata.size(); ++i) {
    if (automata[i] == 0) continue;
    const std::span<const CodepointEdge> edges = spec_.automata[i]->edges(automata[i]);
    const auto first = std::partition_point(edges.begin(), edges.end(),
                                            [&](const CodepointEdge& e) { return e.hi < lo; });
    sides.push_back({i, edges.subspan(static_cast<size_t>(first - edges.begin())), 0,
                     spec_.automata[i]->remembers()});
  }
  uint32_t child = 0, last_child = 0;
  if (node != kOff) {
    const TrieNode& at = expanded_node(node);
    child = child_from(at, lo);
    last_child = at.first_child + at.num_children;
  }
  for (uint32_t from = lo; from <= hi;) {
    uint32_t end = hi;
    for (Side& side : sides) {
      const size_t i = side.automaton;
      while (side.at < side.edges.size() && side.edges[side.at].hi < from) ++side.at;
      next[i] = 0;
      if (side.at == side.edges.size()) continue;
      const CodepointEdge& edge = side.edges[side.at];
      if (edge.lo > from) {
        end = std::min(end, edge.lo - 1);
        continue;
      }
      end = std::min(end, edge.hi);
      next[i] = side.remembers && edge.lo != from ? spec_.automata[i]->step(automata[i], from)
                                                  : edge.next;
    }
    uint32_t next_node = kOff;
    if (child < last_child && trie_[child].codepoint == from) {
      next_node = child++;
      end = from;
    } else if (child < last_child) {
      end = std::min(end, trie_[child].codepoint - 1);
    }
    if (visit(from, end, next_node, next)) return true;
    from = end + 1;
  }
  return false;
}

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

const StringSignature& StringMachine::string_signature(uint32_t index) const {
  if (string_signatures_.empty()) string_signatures_.resize(spec_.strings.size());
  if (string_signatures_[index].string == StringSignature::kOther) {
    StringSignature signature;
    signature.string = index;
    const std::u32string_view text = spec_.strings[index];
    signature.length_rank = length_rank(std::min<uint64_t>(text.size(), length_cap_));
    for (const auto& automaton : spec_.automata) {
      uint32_t state = automaton->start();
      for (const char32_t c : text) {
        if (state == 0) break;
        state = automaton->step(state, c);
      }
      signature.accepted.push_back(automaton->accepting(state));
    }
    string_signatures_[index] = std::move(signature);
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

StringMachine::Search StringMachine::search_unlisted(
    uint32_t product, const std::function<bool(const StringSignature&)>& visit) const {
  const std::lock_guard lock(mutex_);
  return search_other(product, visit);
}

bool StringMachine::search_listed(uint32_t product,
                                  const std::function<bool(const StringSignature&)>& visit) const {
  const uint32_t node = products_[product].node;
  return node != kOff && search_listed_below(node, visit);
}

bool StringMachine::search_listed_below(
    uint32_t node, const std::function<bool(const StringSignature&)>& visit) const {
  const std::lock_guard lock(mutex_);
  const uint32_t first = trie_[node].first, last = trie_[node].last;
  for (uint32_t i = first; i < last; ++i) {
    if (visit(string_signature(i))) return true;
  }
  return false;
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

// Without automata any code point may follow, so an unlisted string of every greater length exists.
StringMachine::Search StringMachine::search_lengths(
    uint32_t id, const std::function<bool(const StringSignature&)>& visit) const {
  const Product& product = products_[id];
  StringSignature signature;
  signature.length_rank = product.signature.length_rank;
  if (product.signature.string == StringSignature::kOther && visit(signature)) {
    return Search::kFound;
  }
  const uint32_t longer = length_rank(std::min(product.length + 1, length_cap_));
  if (longer != signature.length_rank || product.signature.string != StringSignature::kOther) {
    signature.length_rank = longer;
    if (visit(signature)) return Search::kFound;
  }
  while (signature.length_rank < spec_.lengths.size()) {
    ++signature.length_rank;
    if (visit(signature)) return Search::kFound;
  }
  return Search::kExhausted;
}

// Strings that are none of spec_.strings. An element is (trie node while the trie below is small,
// automata). Of what can follow where one automaton is left nothing need be read: it accepts some
// text, and mostly refuses one. While the length matters this walks the sequence S_0 = {state},
// S_(m+1) = successors of S_m; from then on the elements that can be reached are met once each.
StringMachine::Search StringMachine::search_other(
    uint32_t id, const std::function<bool(const StringSignature&)>& visit) const {
  if (spec_.automata.empty()) return search_lengths(id, visit);
  for (const auto& automaton : spec_.automata) {
    if (automaton->relaxed() != nullptr) return Search::kOverBudget;
  }
  using Element = std::span<const uint32_t>;  // the node, then a state of each automaton
  using Layer = std::set<std::vector<uint32_t>>;
  const auto collapse = [&](uint32_t node) {
    return node == kOff || trie_[node].last - trie_[node].first > kSmallTrie ? kOff : node;
  };
  std::set<std::pair<uint32_t, std::vector<bool>>> seen_signatures;
  const auto report = [&](StringSignature signature) {
    return seen_signatures.emplace(signature.length_rank, signature.accepted).second &&
           visit(signature);
  };
  std::optional<uint32_t> refused_at;  // the last length rank at which none accepted
  const auto found = [&](Element element, uint64_t length) {
    if (element[0] != kOff && trie_[element[0]].string != StringSignature::kOther) return false;
    StringSignature signature;
    signature.length_rank = length_rank(length);
    bool any = false;
    for (size_t i = 0; i < spec_.automata.size(); ++i) {
      const uint32_t state = element[i + 1];
      signature.accepted.push_back(state != 0 && spec_.automata[i]->accepting(state));
      any = any || signature.accepted.back();
    }
    if (!any && refused_at == signature.length_rank) return false;
    if (!any) refused_at = signature.length_rank;
    return report(std::move(signature));
  };
  size_t work = 0;
  std::vector<uint32_t> taken, last, other;  // ranges mostly take turns between two elements
  const auto expand = [&](Element element, const auto& take) {
    last.clear();
    other.clear();
    const auto visit_range = [&](uint32_t, uint32_t, uint32_t node,
                                 std::span<const uint32_t> next) {
      work += 1 + next.size();
      taken.assign(1, collapse(node));
      taken.insert(taken.end(), next.begin(), next.end());
      if (taken == last || taken == other) return false;
      take(Element(taken));
      other.swap(last);
      last.swap(taken);
      return false;
    };
    if (spec_.spelling == StringSpelling::kMinimal) {
      for_ranges(element[0], element.subspan(1), 0, kFirstSurrogate - 1, visit_range);
      for_ranges(element[0], element.subspan(1), kLastSurrogate + 1, kMaxCodepoint, visit_range);
    } else {
      for_ranges(element[0], element.subspan(1), 0, kMaxCodepoint, visit_range);
    }
    return work <= kSearchBudget;
  };

  // The one automaton that is left, if there is a text that it refuses; it accepts one, as it
  // lives.
  const auto torn = [&](Element element) -> std::optional<size_t> {
    const auto alive = [](uint32_t state) { return state != 0; };
    const Element automata = element.subspan(1);
    const auto first = std::find_if(automata.begin(), automata.end(), alive);
    if (element[0] != kOff || first == automata.end() ||
        std::any_of(first + 1, automata.end(), alive)) {
      return std::nullopt;
    }
    const auto last = static_cast<size_t>(first - automata.begin());
    const CodepointAutomaton& automaton = *spec_.automata[last];
    if (!automaton.accepting(*first)) return last;
    uint32_t covered = 0;  // code points from 0 on
    for (const CodepointEdge& edge : automaton.edges(*first)) {
      if (covered == kFirstSurrogate && spec_.spelling == StringSpelling::kMinimal) {
        covered = std::min(edge.lo, kLastSurrogate + 1);
      }
      if (edge.lo != covered) break;
      covered = edge.hi + 1;
    }
    return covered <= kMaxCodepoint ? std::optional(last) : std::nullopt;
  };

  uint64_t length = products_[id].length;
  std::vector<uint32_t> start(1, collapse(products_[id].node));
  start.insert(start.end(), products_[id].automata.begin(), products_[id].automata.end());
  Layer layer{std::move(start)};
  std::map<Layer, uint64_t> met_at;  // by layer, a length since the last bound
  // The string read so far may be a listed one, even where its node is not told from others.
  bool listed = products_[id].signature.string != StringSignature::kOther;
  while (length < length_cap_) {
    Layer next;
    for (const Element element : layer) {
      if (!listed && found(element, length)) return Search::kFound;
      if (!expand(element, [&](Element e) { next.emplace(e.begin(), e.end()); }))
        return Search::kOverBudget;
    }
    listed = false;
    ++length;
    layer = std::move(next);
    // Layers that come back do so with the same signatures until the next bound: go round as often
    // as fits below it.
    if (length_rank(length) != length_rank(length - 1)) met_at.clear();
    if (const auto [it, first] = met_at.try_emplace(layer, length); !first) {
      const uint64_t period = length - it->second;
      const auto bound = std::upper_bound(spec_.lengths.begin(), spec_.lengths.end(), length);
      const uint64_t end = bound == spec_.lengths.end() ? length_cap_ : *bound;
      if (end > length) length += (end - length) / period * period;
      met_at.clear();
    }
    if (met_at.size() >= kMostLayers) met_at.clear();
  }
  TupleList met(1 + spec_.automata.size());
  const auto meet = [&](Element element) { met.insert(element); };
  for (const Element element : layer) {
    if (!listed) {
      meet(element);
    } else if (!expand(element, meet)) {
      return Search::kOverBudget;
    }
  }
  std::vector<uint32_t> element;
  for (size_t i = 0; i < met.size(); ++i) {
    element.assign(met[i].begin(), met[i].end());
    if (found(element, length)) return Search::kFound;
    if (const auto automaton = torn(element)) {
      StringSignature signature;
      signature.length_rank = length_rank(length);
      signature.accepted.resize(spec_.automata.size());
      if (report(signature)) return Search::kFound;
      signature.accepted[*automaton] = true;
      if (report(std::move(signature))) return Search::kFound;
      continue;
    }
    if (!expand(element, meet)) return Search::kOverBudget;
  }
  return Search::kExhausted;
}

}  // namespace espalier
