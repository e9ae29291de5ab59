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
#include "schema/leaves/scalar_leaf.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <string_view>

#include "grammar/tables/sort_unique.h"
#include "schema/leaves/content_table.h"
#include "schema/leaves/string_leaf.h"

namespace espalier {
namespace {

constexpr uint8_t kLive = 1, kDead = 2, kExit = 4;

class NumberLeaf final : public ScalarLeaf {
 public:
  NumberLeaf(std::shared_ptr<const NumberMachine> machine, std::vector<NumberAtom> atoms,
             Verdict verdict)
      : machine_(std::move(machine)), atoms_(std::move(atoms)), verdict_(std::move(verdict)) {
    start_ = live(machine_->start()) ? machine_->start() : 0;
  }
  uint32_t start() const override { return start_; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint32_t next = machine_->step(state, byte);
    return next != 0 && live(next) ? next : 0;
  }
  bool can_exit(uint32_t state) const override { return (flags(state) & kExit) != 0; }
  bool is_final(uint32_t) const override { return false; }
  const ByteSet* alphabet() const override {
    static constexpr ByteSet kBytes = [] {
      ByteSet bytes;
      for (const char c : std::string_view("0123456789+-.eE"))
        bytes.insert(static_cast<uint8_t>(c));
      return bytes;
    }();
    return &kBytes;
  }
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
  size_t completed(uint32_t, uint8_t byte, uint32_t codepoints[2]) const override {
    codepoints[0] = byte;
    return 1;
  }
  bool endless() const override { return false; }
  ScalarDomain domain() const override {
    return number_domain(*machine_, atoms_, [this](NumberMachine::Truth truth) {
      return verdict_.acceptable(value(truth));
    });
  }
  Status status() const override { return {}; }
  size_t own_bytes() const override { return memory_bytes(); }
  size_t memory_bytes() const override { return sizeof *this + machine_->memory_bytes(); }

 private:
  static std::function<bool(const Atom&)> value(NumberMachine::Truth truth) {
    return [truth](const Atom& atom) { return (truth >> atom.index & 1) != 0; };
  }
  bool live(uint32_t state) const { return (flags(state) & kLive) != 0; }
  uint8_t flags(uint32_t state) const {
    if (const uint8_t flags = flags_.get(state)) return flags;
    const std::lock_guard lock(mutex_);
    const auto acceptable = [this](NumberMachine::Truth truth) {
      const auto [it, unknown] = acceptable_.try_emplace(truth, false);
      if (unknown) it->second = verdict_.acceptable(value(truth));
      return it->second;
    };
    uint8_t flags = 0;
    if (machine_->complete(state) && acceptable(machine_->truth(state))) {
      flags = kLive | kExit;
    } else {
      flags = machine_->reaches(state, acceptable) ? kLive : kDead;
    }
    flags_.set(state, flags);
    return flags;
  }

  std::shared_ptr<const NumberMachine> machine_;
  std::vector<NumberAtom> atoms_;
  Verdict verdict_;
  uint32_t start_ = 0;
  mutable std::mutex mutex_;
  mutable std::unordered_map<NumberMachine::Truth, bool> acceptable_;
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

constexpr size_t kLeafBudget = size_t{64} << 20;
constexpr size_t kPatternShare = 4;  // patterns have a budget of their own, a part of the leaves'
std::atomic<size_t> leaf_budget{kLeafBudget};
std::atomic<size_t> leaf_bytes_held{0};

// The process-wide tables by content.
ContentTable<ScalarLeaf>& leaves() {
  static auto* const table = new ContentTable<ScalarLeaf>(
      [](const std::string& key, const ScalarLeaf& leaf) { return key.size() + leaf.own_bytes(); },
      &leaf_budget, &leaf_bytes_held);
  return *table;
}
ContentTable<StringMachine>& machines() {
  static auto* const table = new ContentTable<StringMachine>(
      [](const std::string& key, const StringMachine& machine) {
        return key.size() + machine.memory_bytes();
      },
      &leaf_budget, &leaf_bytes_held);
  return *table;
}

// What has failed or outgrown its share of the budget is not handed out again.
template <typename T>
std::shared_ptr<const T> find_fit(ContentTable<T>& table, const std::string& key) {
  return table.find(key, [](const T& value) {
    return value.memory_bytes() <= leaf_budget.load(std::memory_order_relaxed) / 4 &&
           value.status().ok();
  });
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
  const auto append = [&](const auto& numbers) {
    key.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof numbers[0]);
  };
  append(spec.strings.ends());
  append(spec.strings.letters());
  for (const auto& automaton : spec.automata) put(&key, automaton.get());
  key.push_back('#');
  for (const uint64_t length : spec.lengths) put(&key, length);
  if (auto known = find_fit(machines(), key)) return known;
  return machines().insert(std::move(key), std::make_shared<StringMachine>(std::move(spec)));
}

std::shared_ptr<const ScalarLeaf> string_leaf(const FormulaPool& pool,
                                              const std::vector<FormulaId>& formulas,
                                              const ScalarAtoms& atoms, StringSpelling spelling,
                                              const std::vector<Outcome>* allowed) {
  StringSpec spec;
  spec.spelling = spelling;
  std::vector<uint32_t> sets;
  std::vector<std::u32string_view> listed;
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
          listed.insert(listed.end(), strings.begin(), strings.end());
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
  if (auto known = find_fit(leaves(), key)) return known;
  if (sets.size() > 1) {  // one is sorted
    sort_unique(&listed);
  }
  spec.strings.append(listed);
  sort_unique(&spec.lengths);
  std::vector<std::vector<bool>> membership;
  for (const uint32_t set : sets) {
    const bool all = sets.size() == 1;
    std::vector<bool> members(spec.strings.size(), all);
    for (size_t i = 0; !all && i < atoms.string_sets[set].size(); ++i)
      members[spec.strings.lower_bound(atoms.string_sets[set][i])] = true;
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
  if (auto known = find_fit(leaves(), key)) return known;
  auto machine = NumberMachine::create(numbers, spelling);
  if (!machine.ok()) return machine.status();
  const auto rename = [&](Atom atom) {
    atom.index = index[atom.index];
    return atom;
  };
  auto leaf = std::make_shared<NumberLeaf>(*machine, std::move(numbers),
                                           Verdict(pool, formulas, rename, allowed));
  return leaves().insert(std::move(key), std::move(leaf));
}

void set_leaf_budget(size_t bytes) {
  leaf_budget.store(bytes);
  set_pattern_budget(bytes / kPatternShare);
  leaves().trim();  // leaves hold machines, so they go first
  machines().trim();
}

size_t leaf_memory_bytes() {
  return leaves().memory_bytes() + machines().memory_bytes() + pattern_memory_bytes();
}

}  // namespace espalier
