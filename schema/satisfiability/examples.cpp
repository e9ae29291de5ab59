// Examples: a quick "yes" to the question whether a value, or the rest of an object, exists.
//
// The idea. Most schemas that are hard to solve are easy to satisfy: in a oneOf of 400 tools the
// required properties of the first, with a value each, are an object that the other 399 refuse. So
// before formulas are solved (satisfiability.cpp), a value is written down as one part of each
// disjunction suggests it, and then judged under the whole formula. What the judge leaves unknown
// is not an example.
//
// Example: And(kProperties A, kRequired "name", Not(kProperties B)) with A's name the constant "a"
// and B's the constant "b" suggests {"name": "a"}; it violates B, so the formula holds.
//
// Strings are those of an enumeration, or a shortest text of a pattern where a few states show one;
// else a string of which no more is known than the formula for which the scalar leaf found one.
//
// Invariant: what is found exists; nothing is concluded from finding nothing.
//
// Cost: a value for each list of nodes, once; an object takes one judgement, linear in the formula,
// for each way that is tried, kMaxTries at most.
#include "schema/satisfiability/examples.h"

#include <algorithm>
#include <set>

#include "grammar/tables/sort_unique.h"
#include "schema/json/unicode.h"

namespace espalier {
namespace {

constexpr int kMaxDepth = 12;
constexpr int kMaxTries = 24;            // objects judged for one question
constexpr int kMaxPlans = 2000;          // ways looked at for one question
constexpr size_t kMaxCandidates = 48;    // scalars judged for one question
constexpr size_t kMaxSampleStates = 64;  // states of a pattern that are searched for a text
constexpr uint64_t kMaxItems = 6;

}  // namespace

Examples::Examples(Expansion* expansion, FormulaPool* pool, TextStore* texts,
                   StringSpelling strings, ScalarExists scalar_exists)
    : expansion_(expansion),
      pool_(pool),
      texts_(texts),
      strings_(strings),
      scalar_exists_(std::move(scalar_exists)) {}

const Example* Examples::keep(Example example) {
  kept_.push_back(std::move(example));
  return &kept_.back();
}

std::optional<const Example*> Examples::value(const std::vector<NodeId>& nodes) {
  if (nodes.empty()) return nullptr;
  if (const auto it = values_.find(nodes); it != values_.end()) return it->second;
  values_[nodes] = std::nullopt;  // what contains itself is no example
  // What asks for most first: such a value tells one branch from another.
  constexpr ValueClass kOrder[] = {ValueClass::kString, ValueClass::kNumber, ValueClass::kTrue,
                                   ValueClass::kFalse,  ValueClass::kNull,   ValueClass::kArray,
                                   ValueClass::kObject};
  std::optional<const Example*> found;
  for (const bool asks : {true, false}) {
    for (const ValueClass c : kOrder) {
      if (found || (expansion_->expand_all(nodes, c) != FormulaPool::kTrue) != asks) continue;
      found = value_of_class(nodes, c);
    }
  }
  return values_[nodes] = found;
}

std::optional<const Example*> Examples::value_of_class(const std::vector<NodeId>& nodes,
                                                       ValueClass c) {
  const FormulaId f = expansion_->expand_all(nodes, c);
  if (f == FormulaPool::kFalse || depth_ > kMaxDepth) return std::nullopt;
  ++depth_;
  const std::optional<const Example*> found = make(f, c);
  --depth_;
  return found;
}

std::optional<const Example*> Examples::make(FormulaId f, ValueClass c) {
  Example example;
  example.value_class = c;
  switch (c) {
    case ValueClass::kNull:
      return f == FormulaPool::kTrue ? std::optional<const Example*>(nullptr) : std::nullopt;
    case ValueClass::kFalse:
    case ValueClass::kTrue:
      if (f != FormulaPool::kTrue) return std::nullopt;
      return keep(std::move(example));
    case ValueClass::kNumber:
    case ValueClass::kString:
      return scalar(f, c);
    case ValueClass::kArray:
      return array(f, 0);
    case ValueClass::kObject: {
      std::optional<const Example*> found;
      object(
          f, [](uint32_t) { return true; }, std::nullopt,
          [&](const Example& object) {
            found = keep(object);
            return true;
          });
      return found;
    }
  }
  return std::nullopt;
}

// ---- Scalars -----------------------------------------------------------------------------------

// Scalars that the atoms of a formula suggest.
void Examples::collect_scalars(FormulaId f, ValueClass c, bool positive,
                               std::vector<Example>* out) {
  using Op = FormulaPool::Op;
  if (out->size() >= kMaxCandidates) return;
  const Op op = pool_->op(f);
  if (op == Op::kNot) return collect_scalars(pool_->parts(f)[0], c, !positive, out);
  if (op != Op::kAtom) {
    for (const FormulaId part : std::vector<FormulaId>(pool_->parts(f)))
      collect_scalars(part, c, positive, out);
    return;
  }
  const Atom atom = pool_->atom_of(f);
  Example example;
  example.value_class = c;
  const auto add_string = [&](std::u32string text) {
    if (!spellable(text, strings_) || out->size() >= kMaxCandidates) return;
    example.string = std::move(text);
    out->push_back(example);
  };
  const auto add_number = [&](const Decimal& number) {
    if (number.digits.size() > 20 || std::abs(number.exponent) > 20) return;
    if (out->size() >= kMaxCandidates) return;
    example.number = number;
    out->push_back(example);
  };
  if (atom.kind == Atom::Kind::kOneOfStrings && positive) {
    for (const std::u32string& text : expansion_->atoms().string_sets[atom.index]) add_string(text);
  } else if (atom.kind == Atom::Kind::kPattern && positive) {
    if (auto text = sample(atom.index)) add_string(*std::move(text));
  } else if (atom.kind == Atom::Kind::kLength && atom.bound <= 64) {
    add_string(std::u32string(positive ? atom.bound : atom.bound - 1, U'a'));
  } else if (atom.kind == Atom::Kind::kNumber) {
    const NumberAtom& number = expansion_->atoms().numbers[atom.index];
    using Kind = NumberAtom::Kind;
    if (number.kind == Kind::kInteger || number.kind == Kind::kIntegerSpelling) return;
    if (number.kind != Kind::kOneOf) add_number(number.operand);
    for (const Decimal& member : number.members) add_number(member);
  }
}

// A shortest text that the automaton accepts, where few states need be looked at.
std::optional<std::u32string> Examples::sample(uint32_t index) {
  const auto [it, inserted] = samples_.try_emplace(index);
  if (!inserted) return it->second;
  const CodepointAutomaton& automaton = *expansion_->atoms().automata[index];
  if (automaton.relaxed() != nullptr || automaton.remembers() || automaton.start() == 0) return {};
  struct Step {
    uint32_t state;
    size_t from;
    uint32_t codepoint;
  };
  std::vector<Step> steps{{automaton.start(), 0, 0}};
  std::set<uint32_t> met{automaton.start()};
  for (size_t i = 0; i < steps.size() && i < kMaxSampleStates; ++i) {
    if (automaton.accepting(steps[i].state)) {
      std::u32string text;
      for (size_t at = i; at != 0; at = steps[at].from) text.push_back(steps[at].codepoint);
      std::reverse(text.begin(), text.end());
      return it->second = std::move(text);
    }
    for (const CodepointEdge& edge : automaton.edges(steps[i].state)) {
      if (edge.next == 0 || !met.insert(edge.next).second) continue;
      const uint32_t letter = edge.lo <= 'a' && 'a' <= edge.hi ? 'a' : edge.lo;
      steps.push_back({edge.next, i, letter});
    }
  }
  return std::nullopt;
}

std::optional<const Example*> Examples::scalar(FormulaId f, ValueClass c) {
  const uint64_t key = uint64_t{f} << 3 | static_cast<uint64_t>(c);
  if (const auto it = scalars_.find(key); it != scalars_.end()) return it->second;
  std::vector<Example> candidates;
  collect_scalars(f, c, true, &candidates);
  Example plain;
  plain.value_class = c;
  candidates.push_back(plain);
  std::optional<const Example*> found;
  for (Example& candidate : candidates) {
    if (truth(f, candidate) != Ternary::kTrue) continue;
    found = keep(std::move(candidate));
    break;
  }
  if (!found && scalar_exists_(f, c)) {
    plain.known = f;
    found = keep(std::move(plain));
  }
  return scalars_[key] = found;
}

// ---- Arrays ------------------------------------------------------------------------------------

// The shortest array with an item for each place that must be there.
std::optional<const Example*> Examples::array(FormulaId f, uint64_t index) {
  using Op = FormulaPool::Op;
  Example example;
  example.value_class = ValueClass::kArray;
  if (truth(f, example, index) == Ternary::kTrue) return keep(std::move(example));
  std::vector<FormulaId> parts{f};
  if (pool_->op(f) == Op::kAnd) parts = pool_->parts(f);
  uint64_t least = 0;
  std::vector<NodeId> nodes, wanted;
  for (const FormulaId part : parts) {
    if (pool_->op(part) != Op::kAtom) continue;
    const Atom& atom = pool_->atom_of(part);
    if (atom.kind == Atom::Kind::kItems) nodes.push_back(atom.index);
    if (atom.kind == Atom::Kind::kMoreItems) least = std::max(least, atom.bound);
    if (atom.kind == Atom::Kind::kContains) {
      least = std::max(least, atom.bound);
      wanted.push_back(atom.index);
    }
  }
  if (least == 0 || least > kMaxItems) return std::nullopt;
  for (uint64_t i = 0; i < least; ++i) {
    std::vector<NodeId> asked = wanted;
    for (const NodeId id : nodes) {
      const SchemaNode& node = expansion_->node(id);
      const uint64_t at = index + i;
      const NodeId child = at < node.prefix_items.size() ? node.prefix_items[at] : node.items;
      if (child != kNoNode && !expansion_->trivially_true(child)) asked.push_back(child);
    }
    sort_unique(&asked);
    const std::optional<const Example*> item = value(asked);
    if (!item) return std::nullopt;
    example.items.push_back(*item);
  }
  if (truth(f, example, index) != Ternary::kTrue) return std::nullopt;
  return keep(std::move(example));
}

// ---- Objects -----------------------------------------------------------------------------------

struct Examples::Search {
  FormulaId formula;
  const std::function<bool(uint32_t)>& allowed;
  std::optional<uint32_t> first;
  const std::function<bool(const Example&)>& accept;
  int tries = kMaxTries, plans = kMaxPlans;
};

// What the formula asks for beside its disjunctions. False: never true.
bool Examples::plan(FormulaId f, Plan* out) const {
  using Op = FormulaPool::Op;
  switch (pool_->op(f)) {
    case Op::kFalse:
      return false;
    case Op::kAnd:
      return std::all_of(pool_->parts(f).begin(), pool_->parts(f).end(),
                         [&](FormulaId part) { return plan(part, out); });
    case Op::kOr:
    case Op::kExactlyOne:
      out->open.push_back(f);
      return true;
    case Op::kAtom: {
      const Atom& atom = pool_->atom_of(f);
      if (atom.kind == Atom::Kind::kRequired) out->names.push_back(atom.index);
      if (atom.kind == Atom::Kind::kProperties) out->nodes.push_back(atom.index);
      if (atom.kind == Atom::Kind::kMoreProperties) out->least = std::max(out->least, atom.bound);
      return true;
    }
    default:
      return true;  // what must fail is left to the judgement
  }
}

bool Examples::object(FormulaId f, const std::function<bool(uint32_t)>& allowed,
                      std::optional<uint32_t> first,
                      const std::function<bool(const Example&)>& accept) {
  Search search{f, allowed, first, accept};
  Plan start;
  return plan(f, &start) && try_plans(start, &search);
}

bool Examples::try_plans(const Plan& at, Search* search) {
  if (search->tries <= 0 || --search->plans < 0) return false;
  if (at.open.empty()) return try_plan(at, search);
  const std::vector<FormulaId> parts = pool_->parts(at.open.back());
  for (const FormulaId part : parts) {
    Plan next = at;
    next.open.pop_back();
    if (plan(part, &next) && try_plans(next, search)) return true;
    if (search->tries <= 0 || search->plans < 0) return false;
  }
  return false;
}

bool Examples::try_plan(const Plan& plan, Search* search) {
  std::vector<uint32_t> texts = plan.names;
  if (search->first) texts.push_back(*search->first);
  sort_unique(&texts);
  if (texts.size() < plan.least ||
      !std::all_of(texts.begin(), texts.end(), std::cref(search->allowed))) {
    return false;
  }
  const auto asks = [&](uint32_t text, std::vector<NodeId>* asked) {
    return std::all_of(plan.nodes.begin(), plan.nodes.end(), [&](NodeId node) {
      Ternary may = Ternary::kTrue;
      return children(node, text, asked, &may) && may != Ternary::kFalse;
    });
  };
  std::vector<NodeId> asked;
  // Mostly it is the first name that does not fit, so that no value need be made.
  if (search->first && !asks(*search->first, &asked)) return false;
  Example example;
  example.value_class = ValueClass::kObject;
  for (const uint32_t text : texts) {
    asked.clear();
    if (!spellable(name(text), strings_) || !asks(text, &asked)) return false;
    sort_unique(&asked);
    const std::optional<const Example*> member = value(asked);
    if (!member) return false;
    example.members.push_back({text, *member});
  }
  --search->tries;
  return truth(search->formula, example) == Ternary::kTrue && search->accept(example);
}

}  // namespace espalier
