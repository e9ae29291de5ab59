// Scalar leaves: a machine that observes (string_machine, number_machine) plus formulas that judge.
//
// The idea: the machine's states know nothing of what is asked; the leaf adds, per state, whether
// some continuation ends with an acceptable verdict, found once by the machine's search and kept in
// a flag. Machines and leaves are interned by content, so {"type": "string"} is one leaf in every
// schema of the process, and two schemas with the same pattern and different lengths share nothing
// but the automaton.
//
// Example: {"enum": ["red", "green"]} is the machine with strings {green, red} and the formula
// kOneOfStrings; after `"r` the search finds "red" below, after `"x` only the signature kOther,
// which the formula rejects: dead.
//
// Invariants: start() is 0 or live; step returns 0 or a live state; state ids are the machine's.
// Cost: a known step is two table look-ups.
#include "schema/scalar_leaf.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <set>

#include "grammar/string_loop.h"

namespace espalier {
namespace {

constexpr uint8_t kLive = 1, kDead = 2;
constexpr size_t kShortestBudget = 20'000;  // products one shortest_exit may visit
constexpr size_t kPredicateBudget = 1'000;  // the same where a predicate is asked
constexpr size_t kRests = 10'000;           // products whose shortest rest is remembered
constexpr size_t kLiveBudget = 4'000;       // products one liveness question may visit

// The verdict shared by both kinds of leaf: formulas over atoms renumbered to the machine's.
class Verdict {
 public:
  Verdict(const FormulaPool& pool, const std::vector<FormulaId>& formulas,
          const std::function<Atom(Atom)>& rename, const std::vector<Outcome>* allowed)
      : restricted_(allowed != nullptr && formulas.size() > 1) {
    for (const FormulaId f : formulas) formulas_.push_back(pool_.copy(pool, f, rename));
    if (restricted_) allowed_.insert(allowed->begin(), allowed->end());
  }
  template <typename Value>
  Outcome outcome(const Value& value) const {
    Outcome out;
    for (size_t i = 1; i < formulas_.size(); ++i)
      out.push_back(pool_.evaluate(formulas_[i], value));
    return out;
  }
  // Does the first formula hold (fail) whatever the unknown atoms turn out to be?
  FormulaPool::Ternary certain(
      const std::function<FormulaPool::Ternary(const Atom&)>& value) const {
    return pool_.evaluate_partly(formulas_[0], value);
  }
  template <typename Value>
  bool acceptable(const Value& value) const {
    return pool_.evaluate(formulas_[0], value) &&
           (!restricted_ || allowed_.contains(outcome(value)));
  }

 private:
  FormulaPool pool_;
  std::vector<FormulaId> formulas_;
  bool restricted_;
  std::set<Outcome> allowed_;
};

class StringLeaf final : public ScalarLeaf, public LoopingLeaf {
 public:
  /// `relaxed` and its machine: given where an automaton is a predicate's; see Leaf::relaxed.
  StringLeaf(std::shared_ptr<const StringMachine> machine, Verdict verdict,
             std::vector<std::vector<bool>> membership,
             std::shared_ptr<const StringLeaf> relaxed = nullptr)
      : machine_(std::move(machine)),
        verdict_(std::move(verdict)),
        membership_(std::move(membership)),
        relaxed_(std::move(relaxed)) {
    start_ = live(machine_->start()) ? machine_->start() : 0;
  }
  uint32_t start() const override { return start_; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint32_t next = machine_->step(state, byte);
    return next != 0 && live(next) ? next : 0;
  }
  bool can_exit(uint32_t state) const override { return machine_->ended(state); }
  bool is_final(uint32_t state) const override { return machine_->ended(state); }
  Outcome outcome(uint32_t state) const override {
    return verdict_.outcome(value(machine_->signature(machine_->product(state))));
  }
  std::optional<std::vector<Outcome>> outcomes() const override {
    std::set<Outcome> found;
    const auto all = machine_->search(machine_->product(machine_->start()),
                                      [&](const StringSignature& signature) {
                                        if (verdict_.acceptable(value(signature)))
                                          found.insert(verdict_.outcome(value(signature)));
                                        return false;
                                      });
    if (all == StringMachine::Search::kOverBudget) return std::nullopt;
    return std::vector<Outcome>(found.begin(), found.end());
  }
  Status status() const override { return machine_->status(); }
  const StringMachine* string_machine() const override { return machine_.get(); }
  size_t own_bytes() const override { return sizeof *this; }
  size_t memory_bytes() const override { return sizeof *this + machine_->memory_bytes(); }
  Relaxed relaxed(uint32_t state) const override {
    if (relaxed_ == nullptr) return {};
    const StringMachine& plain = *relaxed_->machine_;
    const bool observes = plain.spec().automata.size() == machine_->spec().automata.size();
    return {relaxed_.get(), observes ? plain.relaxed_state(*machine_, state)
                                     : plain.same_position(*machine_, state)};
  }

  bool loop(uint32_t state, LeafLoop* out) const override {
    return string_loop(
        *machine_, state, [this](uint32_t product) { return live_product(product); },
        [this](uint32_t product) {
          return certain(product, Lengths::kUnknown) == FormulaPool::Ternary::kFalse;
        },
        out);
  }

  std::string shortest_exit(uint32_t state) const override {
    std::string text;
    if (!machine_->between(state)) {
      state = finish_codepoint(state, &text);
      if (state == 0 || machine_->ended(state)) return text;
    }
    if (const auto rest = known_rest(machine_->product(state))) {
      for (const char32_t c : *rest) append_json_codepoint(&text, c);
      return text + "\"";
    }
    return text + shortest_from(machine_->product(state)) + "\"";
  }

 private:
  std::function<bool(const Atom&)> value(const StringSignature& signature) const {
    return [this, &signature](const Atom& atom) {
      switch (atom.kind) {
        case Atom::Kind::kPattern:
          return static_cast<bool>(signature.accepted[atom.index]);
        case Atom::Kind::kOneOfStrings:
          return signature.string != StringSignature::kOther &&
                 static_cast<bool>(membership_[atom.index][signature.string]);
        default: {
          const auto& lengths = machine_->spec().lengths;
          return signature.length_rank >
                 static_cast<size_t>(std::lower_bound(lengths.begin(), lengths.end(), atom.bound) -
                                     lengths.begin());
        }
      }
    };
  }
  // What is certain about every string that extends the product state (kUnknown: at any length).
  enum class Lengths : uint8_t { kKnown, kUnknown };
  FormulaPool::Ternary certain(uint32_t product, Lengths lengths = Lengths::kKnown) const {
    using Ternary = FormulaPool::Ternary;
    const StringSignature& signature = machine_->signature(product);
    const StringSpec& spec = machine_->spec();
    return verdict_.certain([&](const Atom& atom) {
      switch (atom.kind) {
        case Atom::Kind::kPattern: {
          const uint32_t state = machine_->automaton_state(product, atom.index);
          if (state == 0) return Ternary::kFalse;
          return spec.automata[atom.index]->universal(state) ? Ternary::kTrue : Ternary::kUnknown;
        }
        case Atom::Kind::kOneOfStrings:
          return machine_->off_trie(product) ? Ternary::kFalse : Ternary::kUnknown;
        default:
          return lengths == Lengths::kKnown && value(signature)(atom) ? Ternary::kTrue
                                                                      : Ternary::kUnknown;
      }
    });
  }

  // With nothing but one automaton to observe, is what it accepts acceptable? A live state of it
  // leads there.
  bool accepted_alone(uint32_t product) const {
    const StringSpec& spec = machine_->spec();
    if (spec.automata.size() != 1 || !spec.strings.empty() || !spec.lengths.empty()) return false;
    StringSignature signature = machine_->signature(product);
    signature.accepted[0] = true;
    return machine_->automaton_state(product, 0) != 0 && verdict_.acceptable(value(signature));
  }

  // A string that leads from the product to acceptance by one of its automata and is acceptable,
  // where an automaton knows one without a search.
  std::optional<std::u32string> known_rest(uint32_t product) const {
    const auto& automata = machine_->spec().automata;
    for (size_t i = 0; i < automata.size(); ++i) {
      const auto rest = automata[i]->completion(machine_->automaton_state(product, i));
      if (!rest) continue;
      uint32_t end = product;
      for (const char32_t c : *rest) end = machine_->step_codepoint(end, c);
      if (verdict_.acceptable(value(machine_->signature(end)))) return rest;
    }
    return std::nullopt;
  }

  // Can an acceptable string be reached? Without automata the machine's own search answers at once;
  // else breadth first over products: those on the way to an acceptable one are remembered as live,
  // and when nothing is found all that were seen as dead.
  bool live_product(uint32_t product) const {
    if (const uint8_t flag = product_flags_.get(product)) return flag == kLive;
    const auto acceptable = [&](const StringSignature& signature) {
      return verdict_.acceptable(value(signature));
    };
    if (relaxed_ != nullptr) {
      // A predicate cannot be searched: alive until it is certain that nothing will do.
      const bool possible = certain(product) != FormulaPool::Ternary::kFalse;
      product_flags_.set(product, possible ? kLive : kDead);
      return possible;
    }
    if (machine_->spec().automata.empty()) {
      const bool found = machine_->search(product, acceptable) != StringMachine::Search::kExhausted;
      product_flags_.set(product, found ? kLive : kDead);
      return found;
    }
    if (accepted_alone(product) || known_rest(product)) {
      product_flags_.set(product, kLive);
      return true;
    }
    std::vector<std::pair<uint32_t, size_t>> queue;  // (product, index it was reached from)
    std::set<uint32_t> seen;
    bool found = false;
    const auto enter = [&](uint32_t p, size_t from) {
      if (!seen.insert(p).second) return false;
      const uint8_t flag = product_flags_.get(p);
      if (flag == kDead) return false;
      if (flag != kLive && certain(p) == FormulaPool::Ternary::kFalse) {
        product_flags_.set(p, kDead);
        return false;
      }
      queue.emplace_back(p, from);
      return flag == kLive || acceptable(machine_->signature(p)) ||
             machine_->search_listed(p, acceptable);
    };
    found = enter(product, 0);
    for (size_t i = 0; i < queue.size() && !found && queue.size() < kLiveBudget; ++i) {
      for (const uint32_t next : successors(queue[i].first)) {
        if ((found = enter(next, i))) break;
      }
    }
    if (found) {
      for (size_t i = queue.size() - 1;; i = queue[i].second) {
        product_flags_.set(queue[i].first, kLive);
        if (i == 0) return true;
      }
    }
    // Over budget the answer is an optimistic yes, which may cost a dead end but never a wrong
    // string.
    const bool exhausted = queue.size() < kLiveBudget;
    for (const auto& [p, from] : queue) {
      if (exhausted) product_flags_.set(p, kDead);
    }
    product_flags_.set(product, exhausted ? kDead : kLive);
    return !exhausted;
  }

  std::vector<uint32_t> successors(uint32_t product) const {
    std::vector<uint32_t> codepoints, out;
    machine_->successors(product, [&](uint32_t lo, uint32_t hi) {
      codepoints.push_back(readable_codepoint(lo, hi));
    });
    for (const uint32_t c : codepoints) out.push_back(machine_->step_codepoint(product, c));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }
  bool live(uint32_t state) const {
    if (const uint8_t flag = flags_.get(state)) return flag == kLive;
    const std::lock_guard lock(mutex_);
    const bool found =
        machine_->ended(state)
            ? verdict_.acceptable(value(machine_->signature(machine_->product(state))))
            : machine_->live(state, [this](uint32_t product) { return live_product(product); });
    flags_.set(state, found ? kLive : kDead);
    return found;
  }

  // Breadth first over the bytes that complete a partly spelled code point (a lone surrogate may be
  // completed by the closing quote).
  uint32_t finish_codepoint(uint32_t from, std::string* text) const {
    std::deque<std::pair<uint32_t, std::string>> queue{{from, ""}};
    std::set<uint32_t> seen{from};
    while (!queue.empty() && seen.size() < 10'000) {
      auto [state, path] = std::move(queue.front());
      queue.pop_front();
      for (int b = 0; b < 256; ++b) {
        const uint32_t next = step(state, static_cast<uint8_t>(b));
        if (next == 0 || !seen.insert(next).second) continue;
        if (machine_->between(next) || machine_->ended(next)) {
          *text = path + static_cast<char>(b);
          return next;
        }
        queue.emplace_back(next, path + static_cast<char>(b));
      }
    }
    return 0;
  }

  // Breadth first over products, one readable code point for each distinct successor, up to an
  // acceptable product or one whose rest is known. The rest is remembered along the way.
  std::string shortest_from(uint32_t from) const {
    struct Step {
      uint32_t product;
      size_t parent;
      uint32_t codepoint;
    };
    const std::lock_guard lock(mutex_);
    std::vector<Step> steps{{from, 0, 0}};
    std::set<uint32_t> seen{from};
    const size_t budget = relaxed_ != nullptr ? kPredicateBudget : kShortestBudget;
    for (size_t i = 0; i < steps.size() && i < budget; ++i) {
      const uint32_t product = steps[i].product;
      const auto known = rests_.find(product);
      if (known != rests_.end() || verdict_.acceptable(value(machine_->signature(product)))) {
        std::string rest = known != rests_.end() ? known->second : "";
        if (rests_.size() > kRests) rests_.clear();
        for (size_t j = i;; j = steps[j].parent) {
          rests_[steps[j].product] = rest;
          if (j == 0) return rest;
          std::string longer;
          append_json_codepoint(&longer, steps[j].codepoint);
          rest = longer + rest;
        }
      }
      machine_->successors(product, [&](uint32_t lo, uint32_t hi) {
        uint32_t c = readable_codepoint(lo, hi);
        if (machine_->spec().spelling == StringSpelling::kMinimal && c >= 0xD800 && c <= 0xDFFF)
          return;
        const uint32_t next = machine_->step_codepoint(product, c);
        if (seen.insert(next).second && certain(next) != FormulaPool::Ternary::kFalse)
          steps.push_back({next, i, c});
      });
    }
    return {};
  }

  std::shared_ptr<const StringMachine> machine_;
  Verdict verdict_;
  std::vector<std::vector<bool>> membership_;  // [set][string]
  std::shared_ptr<const StringLeaf> relaxed_;
  uint32_t start_ = 0;
  mutable std::recursive_mutex mutex_;
  mutable FlagTable flags_, product_flags_;
  mutable std::unordered_map<uint32_t, std::string> rests_;  // product -> a short acceptable rest
};

class NumberLeaf final : public ScalarLeaf {
 public:
  NumberLeaf(std::shared_ptr<const NumberMachine> machine, Verdict verdict)
      : machine_(std::move(machine)), verdict_(std::move(verdict)) {
    start_ = live(machine_->start()) ? machine_->start() : 0;
  }
  uint32_t start() const override { return start_; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint32_t next = machine_->step(state, byte);
    return next != 0 && live(next) ? next : 0;
  }
  bool can_exit(uint32_t state) const override {
    return machine_->complete(state) && verdict_.acceptable(value(machine_->truth(state)));
  }
  bool is_final(uint32_t) const override { return false; }
  Outcome outcome(uint32_t state) const override {
    return verdict_.outcome(value(machine_->truth(state)));
  }
  std::optional<std::vector<Outcome>> outcomes() const override {
    std::set<Outcome> found;
    for (const NumberMachine::Truth truth : machine_->reachable(machine_->start())) {
      if (verdict_.acceptable(value(truth))) found.insert(verdict_.outcome(value(truth)));
    }
    return std::vector<Outcome>(found.begin(), found.end());
  }
  std::string shortest_exit(uint32_t state) const override {
    if (can_exit(state)) return {};
    const auto truths = machine_->reachable(state);
    const auto wanted = std::make_unique<bool[]>(truths.size());
    for (size_t i = 0; i < truths.size(); ++i) wanted[i] = verdict_.acceptable(value(truths[i]));
    return machine_->shortest(state, {wanted.get(), truths.size()});
  }
  Status status() const override { return {}; }
  size_t own_bytes() const override { return memory_bytes(); }
  size_t memory_bytes() const override { return sizeof *this + machine_->memory_bytes(); }

 private:
  static std::function<bool(const Atom&)> value(NumberMachine::Truth truth) {
    return [truth](const Atom& atom) { return (truth >> atom.index & 1) != 0; };
  }
  bool live(uint32_t state) const {
    if (const uint8_t flag = flags_.get(state)) return flag == kLive;
    const std::lock_guard lock(mutex_);
    const auto truths = machine_->reachable(state);
    const bool found = std::any_of(truths.begin(), truths.end(), [&](NumberMachine::Truth truth) {
      return verdict_.acceptable(value(truth));
    });
    flags_.set(state, found ? kLive : kDead);
    return found;
  }

  std::shared_ptr<const NumberMachine> machine_;
  Verdict verdict_;
  uint32_t start_ = 0;
  mutable std::mutex mutex_;
  mutable FlagTable flags_;
};

template <typename T>
void put(std::string* key, const T& value) {
  key->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The formula as a text in which `atom` writes what an atom means.
void serialize(const FormulaPool& pool, FormulaId f, const std::function<void(const Atom&)>& atom,
               std::string* key) {
  put(key, pool.op(f));
  if (pool.op(f) == FormulaPool::Op::kAtom) {
    put(key, pool.atom_of(f).kind);
    atom(pool.atom_of(f));
    return;
  }
  put(key, static_cast<uint32_t>(pool.parts(f).size()));
  for (const FormulaId part : pool.parts(f)) serialize(pool, part, atom, key);
}

std::atomic<size_t> leaf_budget{size_t{64} << 20};

// A process-wide table by content. An entry that has failed or outgrown its share of the budget is
// not handed out again: those who have it keep it, later ones start afresh.
template <typename T>
struct Interner {
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<const T>> table;

  std::shared_ptr<const T> find(const std::string& key) {
    const std::lock_guard lock(mutex);
    const auto it = table.find(key);
    if (it == table.end()) return nullptr;
    if (it->second->memory_bytes() <= leaf_budget.load(std::memory_order_relaxed) / 4 &&
        it->second->status().ok()) {
      return it->second;
    }
    table.erase(it);
    return nullptr;
  }
  std::shared_ptr<const T> insert(std::string key, std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex);
    return table.try_emplace(std::move(key), std::move(value)).first->second;
  }
  template <typename Measure>
  size_t sum(Measure&& measure) {
    const std::lock_guard lock(mutex);
    size_t bytes = 0;
    for (const auto& [key, entry] : table) bytes += key.size() + measure(*entry);
    return bytes;
  }
  // Drops what nobody else uses.
  void trim() {
    const std::lock_guard lock(mutex);
    std::erase_if(table, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
};
Interner<ScalarLeaf>& leaves() {
  static auto* interner = new Interner<ScalarLeaf>;
  return *interner;
}
Interner<StringMachine>& machines() {
  static auto* interner = new Interner<StringMachine>;
  return *interner;
}

// Leaves hold machines, so their unused ones go first.
void trim_if_over_budget() {
  if (leaf_memory_bytes() <= leaf_budget.load(std::memory_order_relaxed)) return;
  leaves().trim();
  machines().trim();
  forget_unused_patterns();
}

// Called before each insertion; looking through the tables takes a while.
void trim_in_turn() {
  constexpr size_t kEvery = 256, kSmall = size_t{1} << 20;
  static std::atomic<size_t> insertions{0};
  if (++insertions % kEvery == 0 || leaf_budget.load() < kSmall) trim_if_over_budget();
}

void serialize_allowed(const std::vector<Outcome>* allowed, std::string* key) {
  if (allowed == nullptr) return;
  key->push_back('=');  // an empty list is not the absence of one
  std::vector<Outcome> sorted = *allowed;
  std::sort(sorted.begin(), sorted.end());
  for (const Outcome& outcome : sorted) {
    key->push_back('|');
    for (const bool bit : outcome) key->push_back(bit ? '1' : '0');
  }
}

bool is_predicate(const ScalarAtoms& atoms, const Atom& atom) {
  return atom.kind == Atom::Kind::kPattern && atoms.automata[atom.index]->relaxed() != nullptr;
}

// Can f only become false, never true, when a predicate's atom does?
bool grows_with_predicates(const FormulaPool& pool, FormulaId f, const ScalarAtoms& atoms) {
  using Op = FormulaPool::Op;
  const auto has_predicate = [&](const auto& self, FormulaId part) -> bool {
    if (pool.op(part) == Op::kAtom) return is_predicate(atoms, pool.atom_of(part));
    return std::any_of(pool.parts(part).begin(), pool.parts(part).end(),
                       [&](FormulaId below) { return self(self, below); });
  };
  switch (pool.op(f)) {
    case Op::kAnd:
    case Op::kOr:
      return std::all_of(pool.parts(f).begin(), pool.parts(f).end(),
                         [&](FormulaId part) { return grows_with_predicates(pool, part, atoms); });
    case Op::kNot:
    case Op::kExactlyOne:
      return !has_predicate(has_predicate, f);
    default:
      return true;
  }
}

// The leaf that stands for one with predicates: with their relaxed automata, or, where acceptance
// may depend on a predicate's failure, any string.
std::shared_ptr<const StringLeaf> relaxed_leaf(const FormulaPool& pool,
                                               const std::vector<FormulaId>& formulas,
                                               const ScalarAtoms& atoms, StringSpelling spelling) {
  ScalarAtoms plain = atoms;
  for (auto& automaton : plain.automata) {
    if (auto relaxed = automaton->relaxed()) automaton = std::move(relaxed);
  }
  const bool grows = grows_with_predicates(pool, formulas[0], atoms);
  auto leaf = string_leaf(pool, grows ? formulas : std::vector<FormulaId>{FormulaPool::kTrue},
                          plain, spelling, nullptr);
  return std::static_pointer_cast<const StringLeaf>(std::move(leaf));
}

}  // namespace

std::shared_ptr<const StringMachine> string_machine(StringSpec spec) {
  std::string key;
  put(&key, spec.spelling);
  put(&key, spec.strings.size());
  for (const auto& s : spec.strings) {
    put(&key, s.size());
    key.append(reinterpret_cast<const char*>(s.data()), s.size() * sizeof(char32_t));
  }
  for (const auto& automaton : spec.automata) put(&key, automaton.get());
  key.push_back('#');
  for (const uint64_t length : spec.lengths) put(&key, length);
  if (auto known = machines().find(key)) return known;
  return machines().insert(std::move(key), std::make_shared<StringMachine>(std::move(spec)));
}

std::shared_ptr<const ScalarLeaf> string_leaf(const FormulaPool& pool,
                                              const std::vector<FormulaId>& formulas,
                                              const ScalarAtoms& atoms, StringSpelling spelling,
                                              const std::vector<Outcome>* allowed) {
  StringSpec spec;
  spec.spelling = spelling;
  std::vector<uint32_t> sets;
  std::unordered_map<uint32_t, uint32_t> automaton_index, set_index;
  std::string key("s");
  put(&key, spelling);
  const auto visit = [&](const Atom& atom) {
    switch (atom.kind) {
      case Atom::Kind::kPattern:
        if (automaton_index.try_emplace(atom.index, spec.automata.size()).second) {
          spec.automata.push_back(atoms.automata[atom.index]);
        }
        put(&key, atoms.automata[atom.index].get());
        break;
      case Atom::Kind::kOneOfStrings:
        if (set_index.try_emplace(atom.index, sets.size()).second) {
          const auto& strings = atoms.string_sets[atom.index];
          spec.strings.insert(spec.strings.end(), strings.begin(), strings.end());
          sets.push_back(atom.index);
        }
        for (const auto& s : atoms.string_sets[atom.index]) {
          put(&key, s.size());
          key.append(reinterpret_cast<const char*>(s.data()), s.size() * sizeof(char32_t));
        }
        break;
      default:
        spec.lengths.push_back(atom.bound);
        put(&key, atom.bound);
        break;
    }
  };
  for (const FormulaId f : formulas) {
    key.push_back(';');
    serialize(pool, f, visit, &key);
  }
  serialize_allowed(allowed, &key);
  if (auto known = leaves().find(key)) return known;
  trim_in_turn();
  std::sort(spec.strings.begin(), spec.strings.end());
  spec.strings.erase(std::unique(spec.strings.begin(), spec.strings.end()), spec.strings.end());
  std::sort(spec.lengths.begin(), spec.lengths.end());
  spec.lengths.erase(std::unique(spec.lengths.begin(), spec.lengths.end()), spec.lengths.end());
  std::vector<std::vector<bool>> membership;
  for (const uint32_t set : sets) {
    std::vector<bool> members(spec.strings.size());
    for (const auto& s : atoms.string_sets[set]) {
      members[std::lower_bound(spec.strings.begin(), spec.strings.end(), s) -
              spec.strings.begin()] = true;
    }
    membership.push_back(std::move(members));
  }
  const auto rename = [&](Atom atom) {
    if (atom.kind == Atom::Kind::kPattern) atom.index = automaton_index[atom.index];
    if (atom.kind == Atom::Kind::kOneOfStrings) atom.index = set_index[atom.index];
    return atom;
  };
  const bool predicate = std::any_of(spec.automata.begin(), spec.automata.end(),
                                     [](const auto& a) { return a->relaxed() != nullptr; });
  std::shared_ptr<const StringLeaf> relaxed;
  if (predicate) relaxed = relaxed_leaf(pool, formulas, atoms, spelling);
  auto leaf = std::make_shared<StringLeaf>(string_machine(std::move(spec)),
                                           Verdict(pool, formulas, rename, allowed),
                                           std::move(membership), std::move(relaxed));
  return leaves().insert(std::move(key), std::move(leaf));
}

Result<std::shared_ptr<const ScalarLeaf>> number_leaf(const FormulaPool& pool,
                                                      const std::vector<FormulaId>& formulas,
                                                      const ScalarAtoms& atoms,
                                                      NumberSpelling spelling,
                                                      const std::vector<Outcome>* allowed) {
  std::vector<NumberAtom> numbers;
  std::unordered_map<uint32_t, uint32_t> index;
  std::string key("n");
  put(&key, spelling);
  for (const FormulaId f : formulas) {
    key.push_back(';');
    serialize(
        pool, f,
        [&](const Atom& atom) {
          const NumberAtom& number = atoms.numbers[atom.index];
          if (index.try_emplace(atom.index, numbers.size()).second) numbers.push_back(number);
          put(&key, number.kind);
          key += number.operand.key() + ",";
          for (const Decimal& member : number.members) key += member.key() + "|";
        },
        &key);
  }
  serialize_allowed(allowed, &key);
  if (auto known = leaves().find(key)) return known;
  trim_in_turn();
  auto machine = NumberMachine::create(std::move(numbers), spelling);
  if (!machine.ok()) return machine.status();
  const auto rename = [&](Atom atom) {
    atom.index = index[atom.index];
    return atom;
  };
  auto leaf = std::make_shared<NumberLeaf>(*machine, Verdict(pool, formulas, rename, allowed));
  return leaves().insert(std::move(key), std::move(leaf));
}

void set_leaf_budget(size_t bytes) {
  leaf_budget.store(bytes);
  trim_if_over_budget();
}

size_t leaf_memory_bytes() {
  return leaves().sum([](const ScalarLeaf& leaf) { return leaf.own_bytes(); }) +
         machines().sum([](const StringMachine& machine) { return machine.memory_bytes(); }) +
         pattern_memory_bytes();
}

}  // namespace espalier
