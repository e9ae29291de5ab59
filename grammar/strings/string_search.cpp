// What can still become of a string: the signatures that its product state leads to.
//
// The idea. The listed strings below a product's trie node are finite, and all others are found by
// walking sets of *elements*, one code point at a time. An element is a node of the trie, while the
// trie below it is small, and a state of each automaton. Of what can follow where one automaton is
// left nothing need be read: it accepts some text, and mostly refuses one. A search that grows long
// reads one letter of each class that no automaton tells apart (letter_classes.h) for the hundreds
// of ranges of a `\p{L}`. A predicate that lives may accept or refuse some text that follows: it is
// searched for in the automaton that accepts more, and what is found so is not known to be there.
//
// Example: with automaton ^a{3}$ and lengths {5}, search from the start visits the signatures (not
// accepted), (accepted) and, once the length matters no more, (not accepted, length reached).
//
// Invariants: search() visits every reachable signature, unless it says kOverBudget; with many
// listed strings below a node it may take unlisted ones to be possible that are not.
//
// Cost: one automaton step for each range of code points of each element, once for all lengths that
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
#include "grammar/codepoints/letter_classes.h"
#include "grammar/strings/string_machine.h"
#include "grammar/strings/string_ranges.h"
#include "grammar/tables/id_table.h"

namespace espalier {
namespace {

constexpr uint32_t kSmallTrie = 32;       // strings below a node up to which a search is exact
constexpr size_t kSearchBudget = 50'000;  // automaton steps of one search
constexpr size_t kRangeBudget = 2'000;    // of these for ranges, where classes of letters are known
constexpr size_t kMostClasses = 512;
constexpr size_t kMostPredicates = 4;
constexpr size_t kMostLayers = 64;  // among which one that comes back is looked for

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

// One search for signatures of strings that are not listed.
class StringMachine::UnlistedSearch {
 public:
  UnlistedSearch(const StringMachine& machine, const VisitSignature& visit)
      : machine_(machine), spec_(machine.spec_), visit_(visit), met_(1 + spec_.automata.size()) {}

  // While the length matters this walks the sequence S_0 = {state}, S_(m+1) = successors of S_m;
  // from then on the elements that can be reached are met once each.
  Search run(uint32_t id) {
    const Product& product = machine_.products_[id];
    length_ = product.length;
    std::vector<uint32_t> start(1, collapse(product.node));
    start.insert(start.end(), product.automata.begin(), product.automata.end());
    layer_ = {std::move(start)};
    listed_ = product.signature.string != StringSignature::kOther;
    const Search counted = walk_lengths();
    return counted == Search::kExhausted ? walk_rest() : counted;
  }

 private:
  using Element = std::span<const uint32_t>;  // the node, then a state of each automaton
  using Layer = std::set<std::vector<uint32_t>>;

  Search walk_lengths() {
    std::map<Layer, uint64_t> met_at;  // by layer, a length since the last bound
    while (length_ < machine_.length_cap_) {
      Layer next;
      for (const Element element : layer_) {
        if (!listed_ && found(element)) return Search::kFound;
        if (!expand(element, [&](Element e) { next.emplace(e.begin(), e.end()); }))
          return Search::kOverBudget;
      }
      listed_ = false;
      ++length_;
      layer_ = std::move(next);
      // Layers that come back do so with the same signatures until the next bound: go round as
      // often as fits below it.
      if (machine_.length_rank(length_) != machine_.length_rank(length_ - 1)) met_at.clear();
      if (const auto [it, first] = met_at.try_emplace(layer_, length_); !first) {
        const uint64_t period = length_ - it->second;
        const auto bound = std::upper_bound(spec_.lengths.begin(), spec_.lengths.end(), length_);
        const uint64_t end = bound == spec_.lengths.end() ? machine_.length_cap_ : *bound;
        if (end > length_) length_ += (end - length_) / period * period;
        met_at.clear();
      }
      if (met_at.size() >= kMostLayers) met_at.clear();
    }
    return Search::kExhausted;
  }

  Search walk_rest() {
    const auto meet = [&](Element element) { met_.insert(element); };
    for (const Element element : layer_) {
      if (!listed_) {
        meet(element);
      } else if (!expand(element, meet)) {
        return Search::kOverBudget;
      }
    }
    std::vector<uint32_t> element;
    for (size_t i = 0; i < met_.size(); ++i) {
      element.assign(met_[i].begin(), met_[i].end());
      if (found(element)) return Search::kFound;
      if (const auto automaton = torn(element)) {
        StringSignature signature;
        signature.length_rank = machine_.length_rank(length_);
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

  uint32_t collapse(uint32_t node) const {
    const auto& trie = machine_.trie_;
    return node == kOff || trie[node].last - trie[node].first > kSmallTrie ? kOff : node;
  }

  bool report(StringSignature signature) {
    return seen_.emplace(signature.length_rank, signature.accepted).second && visit_(signature);
  }

  bool found(Element element) {
    if (element[0] != kOff && machine_.is_listed(element[0])) return false;
    StringSignature signature;
    signature.length_rank = machine_.length_rank(length_);
    bool any = false;
    for (size_t i = 0; i < spec_.automata.size(); ++i) {
      const uint32_t state = element[i + 1];
      signature.accepted.push_back(state != 0 && spec_.automata[i]->accepting(state));
      any = any || signature.accepted.back();
    }
    if (!any && refused_at_ == signature.length_rank) return false;
    if (!any) refused_at_ = signature.length_rank;
    return report(std::move(signature));
  }

  // Takes the elements that one leads to, some of them twice; false beyond the budget.
  template <typename Take>
  bool expand(Element element, const Take& take) {
    last_.clear();
    other_.clear();
    const auto visit_range = [&](uint32_t, uint32_t, uint32_t node,
                                 std::span<const uint32_t> next) {
      work_ += 1 + next.size();
      taken_.assign(1, collapse(node));
      taken_.insert(taken_.end(), next.begin(), next.end());
      if (taken_ == last_ || taken_ == other_) return false;
      take(Element(taken_));
      other_.swap(last_);
      last_.swap(taken_);
      return false;
    };
    const Element automata = element.subspan(1);
    if (const std::vector<uint32_t>* letters = letters_at(element[0])) {
      next_.resize(automata.size());
      for (const uint32_t letter : *letters) {
        for (size_t i = 0; i < automata.size(); ++i)
          next_[i] = automata[i] == 0 ? 0 : spec_.automata[i]->step(automata[i], letter);
        visit_range(letter, letter, machine_.trie_child(element[0], letter), next_);
      }
    } else if (spec_.spelling == StringSpelling::kMinimal) {
      machine_.for_ranges(element[0], automata, 0, kFirstSurrogate - 1, visit_range);
      machine_.for_ranges(element[0], automata, kLastSurrogate + 1, kMaxCodepoint, visit_range);
    } else {
      machine_.for_ranges(element[0], automata, 0, kMaxCodepoint, visit_range);
    }
    return work_ <= kSearchBudget;
  }

  // One letter of each class, where the search has gone on for long enough to want them.
  const std::vector<uint32_t>* letters_at(uint32_t node) const {
    if (work_ <= kRangeBudget) return nullptr;
    const Letters& letters = machine_.letters();
    const std::vector<uint32_t>& all = node == kOff ? letters.off_trie : letters.on_trie;
    return all.empty() ? nullptr : &all;
  }

  // The one automaton that is left, if there is a text that it refuses (it accepts one, as it
  // lives).
  std::optional<size_t> torn(Element element) const {
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
  }

  const StringMachine& machine_;
  const StringSpec& spec_;
  const VisitSignature& visit_;
  uint64_t length_ = 0;
  Layer layer_;    // what strings of that length lead to
  bool listed_;    // may the string read so far be listed, even where its node is not told from
                   // others?
  TupleList met_;  // once the length matters no more
  std::set<std::pair<uint32_t, std::vector<bool>>> seen_;  // signatures
  std::optional<uint32_t> refused_at_;  // the last length rank at which none accepted
  size_t work_ = 0;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> taken_, last_, other_;  // ranges mostly take turns between two elements
};

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

StringMachine::Search StringMachine::search(uint32_t product, const VisitSignature& visit) const {
  const std::lock_guard lock(mutex_);
  const Search other = search_other(product, visit);
  if (other == Search::kFound || !search_listed(product, visit)) return other;
  return Search::kFound;
}

StringMachine::Search StringMachine::search_unlisted(uint32_t product,
                                                     const VisitSignature& visit) const {
  const std::lock_guard lock(mutex_);
  return search_other(product, visit);
}

bool StringMachine::search_listed(uint32_t product, const VisitSignature& visit) const {
  const uint32_t node = products_[product].node;
  return node != kOff && search_listed_below(node, visit);
}

bool StringMachine::search_listed_below(uint32_t node, const VisitSignature& visit) const {
  const std::lock_guard lock(mutex_);
  const uint32_t first = trie_[node].first, last = trie_[node].last;
  for (uint32_t i = first; i < last; ++i) {
    if (visit(string_signature(i))) return true;
  }
  return false;
}

// Without automata any code point may follow, so an unlisted string of every greater length exists.
StringMachine::Search StringMachine::search_lengths(uint32_t id,
                                                    const VisitSignature& visit) const {
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

const StringMachine::Letters& StringMachine::letters() const {
  if (letters_) return *letters_;
  letters_.emplace();
  LetterClasses classes;
  const auto representatives = [&] {
    std::vector<uint32_t> letters;
    if (classes.size() <= kMostClasses) letters = classes.representatives();
    if (spec_.spelling == StringSpelling::kMinimal) std::erase_if(letters, is_surrogate);
    return letters;
  };
  const auto refines = [&](const auto& automaton) { return automaton->refine(&classes); };
  if (!std::ranges::all_of(spec_.automata, refines)) return *letters_;
  letters_->off_trie = representatives();
  std::set<uint32_t> listed;
  for (const std::u32string_view text : spec_.strings) listed.insert(text.begin(), text.end());
  classes.refine_each({listed.begin(), listed.end()});
  letters_->on_trie = representatives();
  return *letters_;
}

StringMachine::Search StringMachine::search_other(uint32_t id, const VisitSignature& visit) const {
  if (spec_.automata.empty()) return search_lengths(id, visit);
  const auto predicate = [](const auto& automaton) { return automaton->relaxed() != nullptr; };
  return std::ranges::any_of(spec_.automata, predicate) ? search_relaxed(id, visit)
                                                        : UnlistedSearch(*this, visit).run(id);
}

// Visits what predicates may come to, whatever the others do.
StringMachine::Search StringMachine::search_relaxed(uint32_t id,
                                                    const VisitSignature& visit) const {
  std::vector<size_t> predicates;
  for (size_t i = 0; i < spec_.automata.size(); ++i) {
    if (spec_.automata[i]->relaxed() != nullptr) predicates.push_back(i);
  }
  if (predicates.size() > kMostPredicates) return Search::kOverBudget;
  if (relaxed_ == nullptr) {
    StringSpec spec = spec_;
    for (const size_t i : predicates) spec.automata[i] = spec_.automata[i]->relaxed();
    relaxed_ = std::make_unique<const StringMachine>(std::move(spec));
  }
  const VisitSignature visit_all = [&](StringSignature signature) {
    const std::vector<bool> most = signature.accepted;
    for (size_t bits = 0; bits < size_t{1} << predicates.size(); ++bits) {
      bool possible = true;
      for (size_t k = 0; k < predicates.size(); ++k) {
        const bool holds = (bits >> k & 1) != 0;
        possible &= !holds || most[predicates[k]];
        signature.accepted[predicates[k]] = holds;
      }
      if (possible && visit(signature)) return true;
    }
    return false;
  };
  const Search found =
      UnlistedSearch(*relaxed_, visit_all).run(relaxed_->relaxed_product(*this, id));
  return found == Search::kExhausted ? found : Search::kOverBudget;
}

}  // namespace espalier
