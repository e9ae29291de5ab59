// Can a string be continued until a formula over patterns, lengths and listed strings holds?
//
// A search over the product of all automata, led by what is lacking. What makes it cheap:
//   - Letters. One code point is tried of each class that no automaton tells apart
//     (grammar/codepoints/letter_classes.h), not each range of their edges; an automaton's
//     successors are a row of a table.
//   - Statuses. Whether a product is acceptable, and whether it may become so, depends on no more
//     than whether each automaton is dead, open, accepting or accepting for good. The formula is
//     evaluated once for each combination of these.
//   - Relevance. Where the statuses decide part of the formula, the automata that occur only there
//     no longer matter: a node of the search has no state of them, nor a length where none matters.
//   - Coarse states. A date-time has a state for each minute of the day, a mailbox for each length.
//     After a short search in vain, one over states that accept more, and are few, tells whether
//     nothing can follow at all.
//   - Bounds. What cannot be completed within the greatest length is dead at once, by the least
//     lengths of what the automata still need.
//
// Example: (A and B) or C for a string that B can no longer match is the search for C alone.
//
// Nodes are kept, with what is known about them, so that each question goes on where others ended:
// those on the way to an acceptable one are live, and when nothing is found all that were seen are
// dead.
//
// Cost: a table look-up for each automaton, letter and node. The problem is PSPACE-complete in the
// patterns; a budget of look-ups bounds a question, and after one that was exceeded a smaller one.
#include "schema/leaves/string_liveness.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "grammar/codepoints/letter_classes.h"

namespace espalier {
namespace {

constexpr size_t kBudget = 300'000;      // look-ups of one question
constexpr size_t kSmallBudget = 20'000;  // the same once one was exceeded
constexpr size_t kEntryCost = 8;         // of a node that is met, in look-ups
constexpr size_t kMaxNodes = 1 << 16;    // kept between questions
constexpr size_t kMaxClasses = 512;

}  // namespace

StringLiveness::StringLiveness(const StringMachine& machine, const Verdict& verdict, Member member,
                               uint64_t longest)
    : machine_(machine),
      verdict_(verdict),
      member_(std::move(member)),
      longest_(longest),
      width_(machine.spec().automata.size() + kExtra) {
  for (const auto& automaton : machine.spec().automata) {
    sides_.push_back({automaton.get(), {}, {}, {}, {}});
  }
}

void StringLiveness::measure() {
  size_t bytes = nodes_.capacity() * sizeof(Node) + contents_.capacity() * sizeof(uint32_t) +
                 successors_.capacity() * sizeof(uint32_t) + ids_.memory_bytes() +
                 judgements_.size() * (sizeof(Judgement) + 2 * sides_.size() + 64);
  for (const Side& side : sides_) {
    bytes +=
        (side.index.capacity() + side.next.capacity() + side.least.capacity()) * sizeof(uint32_t);
  }
  bytes_.store(bytes, std::memory_order_relaxed);
}

void StringLiveness::forget() {
  nodes_.clear();
  contents_.clear();
  successors_.clear();
  ids_ = {};
}

// ---- Automata ----------------------------------------------------------------------------------

uint32_t StringLiveness::index_of(Side* side, uint32_t state) {
  if (state >= side->index.size()) side->index.resize(std::max<size_t>(64, 2 * state), kNone);
  if (side->index[state] != kNone) return side->index[state];
  const CodepointAutomaton& automaton = *side->automaton;
  Status status = Status::kOpen;
  if (state == 0) {
    status = Status::kDead;
  } else if (automaton.universal(state)) {
    status = Status::kUniversal;
  } else if (automaton.accepting(state)) {
    status = Status::kAccepting;
  }
  side->status.push_back(status);
  side->least.push_back(state == 0 ? Verdict::kFar : automaton.least_length(state));
  side->next.resize(side->next.size() + letters_.size(), kNone);
  side->live.push_back(0);
  return side->index[state] = static_cast<uint32_t>(side->status.size() - 1);
}

// Where a state's row of successors starts.
size_t StringLiveness::row_of(Side* side, uint32_t state) {
  const uint32_t index = index_of(side, state);
  const size_t row = index * letters_.size();
  if (side->next[row] != kNone) return row;
  const std::span<const CodepointEdge> edges = side->automaton->edges(state);
  uint64_t live = 0;
  auto edge = edges.begin();
  for (const uint32_t letter : order_) {
    while (edge != edges.end() && edge->hi < letters_[letter]) ++edge;
    const bool covered = edge != edges.end() && edge->lo <= letters_[letter];
    side->next[row + letter] = covered ? edge->next : 0;
    if (covered && edge->next != 0) live |= uint64_t{1} << letter % 64;
  }
  side->live[index] = live;
  return row;
}

// The first code points of the ranges that the automata tell apart here, where classes are not
// known.
std::vector<uint32_t> StringLiveness::letters_at(const uint32_t* content) const {
  std::vector<uint32_t> letters{0};
  for (size_t i = 0; i < sides_.size(); ++i) {
    if (content[i] == kAny) continue;
    for (const CodepointEdge& edge : sides_[i].automaton->edges(content[i])) {
      letters.push_back(edge.lo);
      if (edge.hi < kMaxCodepoint) letters.push_back(edge.hi + 1);
    }
  }
  machine_.trie_letters(content[sides_.size()], &letters);
  std::sort(letters.begin(), letters.end());
  letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
  drop_unspellable(&letters);
  return letters;
}

// What no other letter stands for may have no spelling.
void StringLiveness::drop_unspellable(std::vector<uint32_t>* letters) const {
  if (machine_.spec().spelling == StringSpelling::kMinimal) std::erase_if(*letters, is_surrogate);
}

// ---- Judgements --------------------------------------------------------------------------------

uint32_t StringLiveness::rank_of(uint64_t length) const {
  const auto& lengths = machine_.spec().lengths;
  return static_cast<uint32_t>(std::upper_bound(lengths.begin(), lengths.end(), length) -
                               lengths.begin());
}

bool StringLiveness::reaches(const Atom& atom, uint32_t rank) const {
  const auto& lengths = machine_.spec().lengths;
  return rank > static_cast<size_t>(std::lower_bound(lengths.begin(), lengths.end(), atom.bound) -
                                    lengths.begin());
}

bool StringLiveness::truth(const Atom& atom, const std::vector<bool>& accepted, uint32_t rank,
                           uint32_t string) const {
  switch (atom.kind) {
    case Atom::Kind::kPattern:
      return accepted[atom.index];
    case Atom::Kind::kOneOfStrings:
      return string != StringSignature::kOther && member_(atom, string);
    default:
      return reaches(atom, rank);
  }
}

bool StringLiveness::acceptable(const std::vector<bool>& accepted, uint32_t rank,
                                uint32_t string) const {
  return verdict_.acceptable(std::function<bool(const Atom&)>(
      [&](const Atom& atom) { return truth(atom, accepted, rank, string); }));
}

StringLiveness::Judgement StringLiveness::judged(const uint32_t* content, uint32_t rank) const {
  using Ternary = FormulaPool::Ternary;
  const bool on_trie = content[sides_.size()] != kNone;
  std::vector<Status> statuses;
  std::vector<bool> accepted;
  for (size_t i = 0; i < sides_.size(); ++i) {
    const Side& side = sides_[i];
    const Status status = content[i] == kAny ? Status::kOpen : side.status[side.index[content[i]]];
    statuses.push_back(status);
    accepted.push_back(status == Status::kAccepting || status == Status::kUniversal);
  }
  const std::function<Ternary(const Atom&)> value = [&](const Atom& atom) {
    switch (atom.kind) {
      case Atom::Kind::kPattern: {
        const Status status = statuses[atom.index];
        if (status == Status::kDead) return Ternary::kFalse;
        return status == Status::kUniversal ? Ternary::kTrue : Ternary::kUnknown;
      }
      case Atom::Kind::kOneOfStrings:
        return on_trie ? Ternary::kUnknown : Ternary::kFalse;
      default:
        return reaches(atom, rank) ? Ternary::kTrue : Ternary::kUnknown;
    }
  };
  Judgement out;
  out.possible = verdict_.certain(value) != Ternary::kFalse;
  if (!out.possible) return out;
  out.acceptable = acceptable(accepted, rank, StringSignature::kOther);
  out.automata.assign(sides_.size(), false);
  out.lengths = out.strings = false;
  verdict_.relevant(value, [&](const Atom& atom) {
    if (atom.kind == Atom::Kind::kPattern) out.automata[atom.index] = true;
    if (atom.kind == Atom::Kind::kOneOfStrings) out.strings = true;
    if (atom.kind == Atom::Kind::kLength) out.lengths = true;
  });
  for (size_t i = 0; i < sides_.size(); ++i) {
    const Status status = statuses[i];
    statuses[i] = Status::kDead;
    out.musts.push_back(out.automata[i] && verdict_.certain(value) == Ternary::kFalse);
    statuses[i] = status;
  }
  if (sides_.size() == 1 && !on_trie && statuses[0] != Status::kDead) {
    out.sure = true;
    for (size_t r = rank; r <= machine_.spec().lengths.size() && out.sure; ++r) {
      out.sure = acceptable({true}, static_cast<uint32_t>(r), StringSignature::kOther);
    }
  }
  return out;
}

const StringLiveness::Judgement& StringLiveness::judge(const uint32_t* content, uint64_t length) {
  const uint32_t rank = rank_of(length);
  key_.assign(reinterpret_cast<const char*>(&rank), sizeof rank);
  key_.push_back(content[sides_.size()] != kNone ? 1 : 0);
  for (size_t i = 0; i < sides_.size(); ++i) {
    const Status status =
        content[i] == kAny ? Status::kOpen : sides_[i].status[index_of(&sides_[i], content[i])];
    key_.push_back(static_cast<char>(status));
  }
  const auto known = judgements_.find(key_);
  if (known != judgements_.end()) return known->second;
  return judgements_.emplace(key_, judged(content, rank)).first->second;
}

bool StringLiveness::listed_below(uint32_t trie_node) {
  const auto [entry, added] = listed_below_.try_emplace(trie_node, false);
  if (added) {
    entry->second = machine_.search_listed_below(trie_node, [&](const StringSignature& listed) {
      return acceptable(listed.accepted, listed.length_rank, listed.string);
    });
  }
  return entry->second;
}

// ---- Nodes -------------------------------------------------------------------------------------

StringLiveness::Node StringLiveness::make_node(const uint32_t* content, uint64_t length,
                                               const Judgement& judgement) {
  const uint32_t trie_node = content[sides_.size()];
  const bool on_trie = trie_node != kNone, listed = on_trie && machine_.is_listed(trie_node);
  const auto lack = [&](const Atom& atom) -> Verdict::Lack {
    switch (atom.kind) {
      case Atom::Kind::kPattern: {
        const Side& side = sides_[atom.index];
        if (content[atom.index] == kAny) return {0, 0};
        const uint32_t at = side.index[content[atom.index]];
        const Status status = side.status[at];
        if (status == Status::kUniversal) return {0, Verdict::kFar};
        return {side.least[at], status == Status::kAccepting ? 1u : 0u};
      }
      case Atom::Kind::kOneOfStrings:
        return {on_trie ? 0u : Verdict::kFar, 0};
      default: {
        if (length >= atom.bound) return {0, Verdict::kFar};
        return {static_cast<uint32_t>(std::min<uint64_t>(atom.bound - length, Verdict::kFar)), 0};
      }
    }
  };
  Node node;
  node.lack = verdict_.lack(lack);
  node.acceptable =
      (judgement.acceptable && !listed) || judgement.sure || (on_trie && listed_below(trie_node));
  if (node.acceptable) {
    node.life = Life::kLive;
  } else if (judgement.lengths && length + verdict_.least(lack) > longest_) {
    node.life = Life::kDead;
  }
  return node;
}

// The node of a content, which becomes canonical; kNone where nothing acceptable can follow.
uint32_t StringLiveness::enter(uint32_t* content) {
  const size_t n = sides_.size();
  uint64_t length = uint64_t{content[n + 1]} << 32 | content[n + 2];
  const Judgement& judgement = judge(content, length);
  if (!judgement.possible) return kNone;
  // What is certain decides what matters, and stays.
  const auto certain = [&](size_t i) {
    const Status status = sides_[i].status[sides_[i].index[content[i]]];
    return status == Status::kDead || status == Status::kUniversal;
  };
  for (size_t i = 0; i < n; ++i) {
    if (!judgement.automata[i] && content[i] != kAny && !certain(i)) content[i] = kAny;
  }
  if (!judgement.strings) content[n] = kNone;
  if (!judgement.lengths) {
    const auto& lengths = machine_.spec().lengths;
    length = lengths.empty() ? 0 : lengths.back();
    content[n + 1] = static_cast<uint32_t>(length >> 32);
    content[n + 2] = static_cast<uint32_t>(length);
  }
  uint64_t hash = 0;
  for (size_t i = 0; i < width_; ++i) hash = hash_append(hash, content[i]);
  const size_t bytes = width_ * sizeof(uint32_t);
  const uint32_t known = ids_.find(
      hash, [&](uint32_t id) { return std::memcmp(&contents_[id * width_], content, bytes) == 0; });
  if (known != IdTable::kNone) return known;
  const auto id = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(make_node(content, length, judgement));
  contents_.insert(contents_.end(), content, content + width_);
  ids_.insert(hash, id);
  return id;
}

void StringLiveness::expand(uint32_t id) {
  const size_t n = sides_.size();
  const std::vector<uint32_t> from(&contents_[id * width_], &contents_[id * width_] + width_);
  const std::vector<uint32_t> letters =
      classes_known_ ? std::vector<uint32_t>() : letters_at(&from[0]);
  const std::vector<uint32_t>& tried = classes_known_ ? letters_ : letters;
  const uint64_t before = uint64_t{from[n + 1]} << 32 | from[n + 2];
  const auto& lengths = machine_.spec().lengths;
  uint64_t length = before;
  if (!lengths.empty()) length = std::min(length + 1, lengths.back());
  const auto first = static_cast<uint32_t>(successors_.size());
  std::vector<size_t> rows(n);
  uint64_t live = UINT64_MAX;  // letters that kill none of the automata that must live
  if (classes_known_) {
    const std::vector<bool>& musts = judge(from.data(), before).musts;
    for (size_t i = 0; i < n; ++i) {
      if (from[i] == kAny || from[i] == 0) continue;
      rows[i] = row_of(&sides_[i], from[i]);
      if (musts[i] && letters_.size() <= 64) live &= sides_[i].live[sides_[i].index[from[i]]];
    }
  }
  std::vector<uint32_t> content(width_);
  std::vector<uint32_t> raw;  // contents of this node's successors before they became canonical
  for (size_t letter = 0; letter < tried.size(); ++letter) {
    if ((live >> letter % 64 & 1) == 0) continue;
    for (size_t i = 0; i < n; ++i) {
      const bool stays = from[i] == kAny || from[i] == 0;
      content[i] = stays            ? from[i]
                   : classes_known_ ? sides_[i].next[rows[i] + letter]
                                    : sides_[i].automaton->step(from[i], tried[letter]);
    }
    content[n] = from[n] == kNone ? kNone : machine_.trie_next(from[n], tried[letter]);
    content[n + 1] = static_cast<uint32_t>(length >> 32);
    content[n + 2] = static_cast<uint32_t>(length);
    lookups_ += n + kEntryCost;
    bool met = false;
    for (size_t at = 0; at < raw.size() && !met; at += width_) {
      met = std::equal(content.begin(), content.end(), raw.begin() + static_cast<ptrdiff_t>(at));
    }
    if (met) continue;
    raw.insert(raw.end(), content.begin(), content.end());
    const uint32_t next = enter(content.data());
    if (next == kNone) continue;
    if (std::find(successors_.begin() + first, successors_.end(), next) == successors_.end()) {
      successors_.push_back(next);
    }
  }
  nodes_[id].first = first;
  nodes_[id].last = static_cast<uint32_t>(successors_.size());
}

// The node with coarse states, to which whatever follows here leads as well.
uint32_t StringLiveness::coarse_of(uint32_t id) {
  if (nodes_[id].coarse != kNone) return nodes_[id].coarse;
  std::vector<uint32_t> content(&contents_[id * width_], &contents_[id * width_] + width_);
  for (size_t i = 0; i < sides_.size(); ++i) {
    if (coarsens_[i] && content[i] != kAny) content[i] = sides_[i].automaton->coarse(content[i]);
  }
  const uint32_t coarse = enter(content.data());
  return nodes_[id].coarse = coarse == kNone ? id : coarse;
}

// ---- Search ------------------------------------------------------------------------------------

// Nodes that lack least first, the latest among these; `visited` has each with the index of the one
// before it. True when the last one visited is live.
bool StringLiveness::search(uint32_t from, States states, size_t budget, Visited* visited) {
  std::vector<std::pair<int64_t, size_t>> next_best;  // a heap of (-lack, index in visited)
  std::vector<bool> seen(nodes_.size(), false);
  const auto visit = [&](uint32_t id, size_t before) {
    if (id >= seen.size()) seen.resize(2 * nodes_.size(), false);
    if (seen[id] || nodes_[id].life == Life::kDead) return false;
    seen[id] = true;
    next_best.emplace_back(-int64_t{nodes_[id].lack}, visited->size());
    std::push_heap(next_best.begin(), next_best.end());
    visited->emplace_back(id, before);
    return nodes_[id].life == Life::kLive;
  };
  if (visit(from, 0)) return true;
  const size_t end = lookups_ + budget;
  while (!next_best.empty() && lookups_ < end) {
    std::pop_heap(next_best.begin(), next_best.end());
    const size_t at = next_best.back().second;
    next_best.pop_back();
    const uint32_t id = (*visited)[at].first;
    if (nodes_[id].first == kNone) expand(id);
    ++lookups_;
    for (uint32_t i = nodes_[id].first; i < nodes_[id].last; ++i) {
      const uint32_t next = states == States::kExact ? successors_[i] : coarse_of(successors_[i]);
      if (visit(next, at)) return true;
    }
  }
  return false;
}

StringLiveness::Answer StringLiveness::ask(uint32_t product) {
  if (!begun_) {
    begun_ = classes_known_ = true;
    for (uint32_t i = 0; i < sides_.size(); ++i) {
      const CodepointAutomaton& automaton = *sides_[i].automaton;
      remembers_ |= automaton.remembers();
      coarsens_.push_back(automaton.coarsens() && verdict_.grows([i](const Atom& atom) {
        return atom.kind == Atom::Kind::kPattern && atom.index == i;
      }));
    }
    LetterClasses classes;
    std::set<uint32_t> listed;
    for (const std::u32string_view text : machine_.spec().strings)
      listed.insert(text.begin(), text.end());
    classes.refine_each({listed.begin(), listed.end()});
    for (const Side& side : sides_) classes_known_ &= side.automaton->refine(&classes);
    classes_known_ &= classes.size() <= kMaxClasses;
    if (classes_known_) letters_ = classes.representatives();
    drop_unspellable(&letters_);
    for (uint32_t i = 0; i < letters_.size(); ++i) order_.push_back(i);
    std::sort(order_.begin(), order_.end(),
              [&](uint32_t a, uint32_t b) { return letters_[a] < letters_[b]; });
  }
  if (nodes_.size() > kMaxNodes) forget();
  std::vector<uint32_t> content(width_);
  const size_t n = sides_.size();
  for (size_t i = 0; i < n; ++i) content[i] = machine_.automaton_state(product, i);
  content[n] = machine_.trie_node(product);
  content[n + 1] = static_cast<uint32_t>(machine_.length(product) >> 32);
  content[n + 2] = static_cast<uint32_t>(machine_.length(product));
  const uint32_t from = enter(content.data());
  const Answer found = from == kNone ? Answer::kDead : answer(from);
  measure();
  return found;
}

// Does not even a text lead on of which coarse states know?
bool StringLiveness::coarsely_dead(uint32_t from, size_t budget) {
  Visited visited;
  const size_t end = lookups_ + budget;
  if (search(coarse_of(from), States::kCoarse, budget, &visited) || lookups_ >= end) return false;
  for (const auto& [id, before] : visited) nodes_[id].life = Life::kDead;
  nodes_[from].life = Life::kDead;
  return true;
}

StringLiveness::Answer StringLiveness::answer(uint32_t from) {
  if (nodes_[from].life != Life::kUnknown) {
    return nodes_[from].life == Life::kLive ? Answer::kLive : Answer::kDead;
  }
  const bool coarsens = std::find(coarsens_.begin(), coarsens_.end(), true) != coarsens_.end();
  // Where automata remember, coarse states are few, and cheaper to come by.
  if (remembers_ && coarsens && coarsely_dead(from, kSmallBudget)) return Answer::kDead;
  Visited visited;
  for (const size_t budget : {kSmallBudget, kBudget}) {
    visited.clear();
    const size_t end = lookups_ + budget;
    if (search(from, States::kExact, budget, &visited)) {
      for (size_t i = visited.size() - 1;; i = visited[i].second) {
        nodes_[visited[i].first].life = Life::kLive;
        if (i == 0) return Answer::kLive;
      }
    }
    if (lookups_ < end) {
      for (const auto& [id, before] : visited) nodes_[id].life = Life::kDead;
      return Answer::kDead;
    }
    if (coarsens && budget == kSmallBudget && coarsely_dead(from, kBudget)) return Answer::kDead;
    if (overrun_) break;
  }
  overrun_ = true;
  return Answer::kOverBudget;
}

}  // namespace espalier
