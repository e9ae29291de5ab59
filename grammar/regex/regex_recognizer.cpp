// A regular expression as a recognizer over bytes.
//
// The automaton reads code points; here its edges are taken byte by byte. A state is the
// automaton's state and how much of a code point's UTF-8 form has been read:
//
//   /[é-ü]+/   start, C3 -> (start, two bytes, one left, bits 3), A9 -> state after é
//
// A byte is live if some code point that begins with the bytes read leads to a live state of the
// automaton, in which every state but 0 has a completion. States are made of those numbers, so
// nothing is interned and nothing has to be dropped; a step is a binary search among the edges.
//
// Shortest completions are found by Dijkstra's algorithm over the automaton, an edge costing the
// bytes of its first code point, up to kMaxVisited states.

#include "grammar/regex/regex_recognizer.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/codepoints/json_spelling.h"

namespace espalier {
namespace {

constexpr size_t kMaxVisited = 200'000;

/// How much of a code point has been read: `left` of `total` bytes are missing, `bits` are known.
struct Partial {
  uint32_t total = 0;  ///< 0: between code points
  uint32_t left = 0;
  uint32_t bits = 0;
};

/// The lead byte's meaning; total 0 for bytes that begin no code point of several bytes.
Partial lead(uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 1, byte & 0x1Fu};
  if (byte >= 0xE0 && byte <= 0xEF) return {3, 2, byte & 0x0Fu};
  if (byte >= 0xF0 && byte <= 0xF4) return {4, 3, byte & 0x07u};
  return {};
}

State make_state(uint32_t automaton, const Partial& partial) {
  if (automaton == 0) return {};
  return {1 + (partial.total << 2 | partial.left), partial.bits, automaton, 0};
}
Partial partial_of(const State& s) { return {(s.frame - 1) >> 2, (s.frame - 1) & 3, s.leaf}; }

class RegexRecognizer : public Recognizer {
 public:
  explicit RegexRecognizer(std::shared_ptr<const CodepointAutomaton> automaton)
      : automaton_(std::move(automaton)) {}

  State start() override { return make_state(automaton_->start(), {}); }

  State step(State s, uint8_t byte) override {
    if (s.dead()) return {};
    Partial partial = partial_of(s);
    if (partial.total == 0) {
      if (byte < 0x80) return make_state(automaton_->step(s.state, byte), {});
      partial = lead(byte);
      if (partial.total == 0) return {};
    } else {
      if ((byte & 0xC0) != 0x80) return {};
      partial = {partial.total, partial.left - 1, partial.bits << 6 | (byte & 0x3Fu)};
    }
    const CodepointRange range = utf8_range(partial.total, partial.left, partial.bits);
    if (range.lo > range.hi) return {};
    if (partial.left == 0) return make_state(automaton_->step(s.state, partial.bits), {});
    return first_edge(s.state, range) == nullptr ? State() : make_state(s.state, partial);
  }
  State probe(State s, uint8_t byte) override { return step(s, byte); }

  void next_bytes(State s, ByteSet* out) override {
    if (s.dead()) return;
    if (partial_of(s).total != 0) {
      for (uint32_t byte = 0x80; byte <= 0xBF; ++byte) out->insert(static_cast<uint8_t>(byte));
      return;
    }
    for (const CodepointEdge& edge : automaton_->edges(s.state)) {
      if (edge.next == 0) continue;
      for (uint32_t byte = edge.lo; byte < 0x80 && byte <= edge.hi; ++byte) {
        out->insert(static_cast<uint8_t>(byte));
      }
      if (edge.hi < 0x80) continue;
      const uint8_t first = first_byte(std::max(edge.lo, 0x80u));
      for (uint32_t byte = first; byte <= first_byte(edge.hi); ++byte) {
        out->insert(static_cast<uint8_t>(byte));
      }
    }
  }

  bool accepting(State s) override {
    return !s.dead() && partial_of(s).total == 0 && automaton_->accepting(s.state);
  }
  Bulk bulk(State /*s*/) override { return {}; }
  State leave(State s, uint32_t /*exit_state*/) override { return s; }

  Result<std::string> shortest_completion(State s) override;

  Explanation explain(State /*s*/, const std::string& /*text*/, uint8_t /*byte*/) override {
    return {"", "", "pattern", "No text that the pattern matches continues with this byte."};
  }
  Status status() const override { return automaton_->status(); }
  size_t memory_bytes() const override { return sizeof(RegexRecognizer); }

 private:
  static uint8_t first_byte(uint32_t codepoint) {
    std::string text;
    append_wtf8(&text, codepoint);
    return static_cast<uint8_t>(text[0]);
  }

  /// The first edge to a live state that some code point of `range` takes.
  const CodepointEdge* first_edge(uint32_t state, const CodepointRange& range) const {
    for (const CodepointEdge& edge : automaton_->edges(state)) {
      if (edge.lo > range.hi) break;
      if (edge.hi >= range.lo && edge.next != 0) return &edge;
    }
    return nullptr;
  }

  std::shared_ptr<const CodepointAutomaton> automaton_;
};

Result<std::string> RegexRecognizer::shortest_completion(State s) {
  if (s.dead()) return Status(StatusCode::kRejected, "The state has no completion.");
  if (accepting(s)) return std::string();
  struct Visit {
    uint32_t length = std::numeric_limits<uint32_t>::max();
    uint32_t from = 0;
    uint32_t codepoint = 0;
  };
  constexpr uint32_t kOrigin = std::numeric_limits<uint32_t>::max();
  std::unordered_map<uint32_t, Visit> visits;
  using Entry = std::pair<uint32_t, uint32_t>;  // length, state
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;

  const auto expand = [&](uint32_t from, uint32_t state, uint32_t length, CodepointRange range) {
    for (const CodepointEdge& edge : automaton_->edges(state)) {
      uint32_t lo = std::max(edge.lo, range.lo);
      if (lo >= 0xD800 && lo <= 0xDFFF) lo = 0xE000;
      if (edge.next == 0 || lo > std::min(edge.hi, range.hi)) continue;
      const uint32_t bytes = lo < 0x80 ? 1 : lo < 0x800 ? 2 : lo < 0x10000 ? 3 : 4;
      Visit& visit = visits[edge.next];
      if (length + bytes >= visit.length) continue;
      visit = {length + bytes, from, lo};
      queue.emplace(visit.length, edge.next);
    }
  };

  const Partial partial = partial_of(s);
  expand(kOrigin, s.state, 0,
         partial.total == 0 ? CodepointRange{0, kMaxCodepoint}
                            : utf8_range(partial.total, partial.left, partial.bits));
  while (!queue.empty()) {
    const auto [length, state] = queue.top();
    queue.pop();
    if (length != visits[state].length) continue;
    if (automaton_->accepting(state)) {
      std::vector<uint32_t> codepoints;
      for (uint32_t at = state; at != kOrigin; at = visits[at].from) {
        codepoints.push_back(visits[at].codepoint);
      }
      std::string text;
      for (auto it = codepoints.rbegin(); it != codepoints.rend(); ++it) append_wtf8(&text, *it);
      return text.substr(partial.total - partial.left);
    }
    if (visits.size() > kMaxVisited) {
      return Status(StatusCode::kBudgetExceeded,
                    "The search for a completion met too many states.");
    }
    expand(state, state, length, {0, kMaxCodepoint});
  }
  return Status(StatusCode::kRejected, "No text completes this one.");
}

}  // namespace

Result<std::shared_ptr<Recognizer>> make_regex_recognizer(std::string_view pattern,
                                                          const AutomatonLimits& limits) {
  Result<std::shared_ptr<const CodepointAutomaton>> automaton = compile_anchored(pattern, limits);
  if (!automaton.ok()) return automaton.status();
  return std::shared_ptr<Recognizer>(std::make_shared<RegexRecognizer>(*std::move(automaton)));
}

}  // namespace espalier
