// Does a value exist? Least fixpoint over the schema graph, with lengths.
//
// The idea: a question (goal, class) becomes a formula over assertions (expansion.h). The formula
// is split into cases until only literals are left; a list of literals about an object says which
// names must be present or absent, how many there may be, which nodes must hold for all of them and
// which must be violated by one, and is checked directly, asking the same question of the values
// below. Recursion through the schema is a least fixpoint: a question that is asked again while it
// is open counts as "no", so a tree whose every node requires a child has no finite value. The
// answer is a length instead of yes or no, so that a shortest completion can be built by descent.
//
// Example: {"required": ["a"], "properties": {"a": {"enum": [1, 2]}}, "maxProperties": 1}: literals
// kRequired a, kProperties n, Not kMoreProperties 2; one name, 1 <= 1, its value exists:
// satisfiable.
//
// Invariants: an answer other than kNever has a witness, except where the search gave up (see Cost)
// and where covering several violated nodes or `contains` needs more than a greedy choice. A "no"
// that rests on an open question's assumed one is remembered while that may be right: it is sure
// once the outermost of these questions has turned out so, and forgotten when one is a "yes".
// So between two of these nothing is searched twice, and a schema graph of n questions takes n * n
// searches at most where all its paths would be without number.
//
// Cost: the number of cases per question is bounded (Cases); beyond it the answer is an optimistic
// "yes", which can only cause a dead end, never an invalid text.
#include "schema/satisfiability/satisfiability.h"

#include <algorithm>
#include <utility>

#include "schema/satisfiability/plain_values.h"

namespace espalier {

Satisfiability::Satisfiability(Answer answer, Expansion* expansion, FormulaPool* pool,
                               const SetStore* seen, ValueStore* ids, StringSpelling strings,
                               NumberSpelling numbers, std::function<KeyShape*(FormulaId)> shape_of)
    : answer_(answer),
      expansion_(expansion),
      pool_(pool),
      seen_(seen),
      ids_(ids),
      strings_(strings),
      numbers_(numbers),
      shape_of_(std::move(shape_of)) {}

// What is remembered of a question.
template <typename Memos>
std::optional<Cost> Satisfiability::known(const Memos& memos, const typename Memos::key_type& key) {
  const auto it = memos.find(key);
  if (it == memos.end() || it->second.state == Memo::State::kUnknown) return std::nullopt;
  if (it->second.state != Memo::State::kSure) rests_on_ = std::min(rests_on_, it->second.rests_on);
  return it->second.cost;
}

// The answer that `find` gives to a question, which is open meanwhile.
template <typename Memos, typename Find>
Cost Satisfiability::answered(Memos* memos, const typename Memos::key_type& key, const Find& find) {
  using State = Memo::State;
  Memo& memo = (*memos)[key];  // stays where it is
  const uint32_t place = open_questions_++;
  memo = {kNever, State::kOpen, place};
  const uint32_t outer = std::exchange(rests_on_, kNothing);
  const size_t before = assumed_.size();
  const Cost cost = find();
  const uint32_t inner = std::exchange(rests_on_, outer);
  --open_questions_;
  memo = Memo::sure(cost);
  if (cost == kNever && inner < place) {
    memo = {kNever, State::kAssumed, inner};
    rests_on_ = std::min(outer, inner);
    assumed_.push_back(&memo);
    return cost;
  }
  // What was assumed since proved right, or may have been wrong.
  for (size_t i = before; i < assumed_.size(); ++i)
    assumed_[i]->state = cost == kNever ? State::kSure : State::kUnknown;
  assumed_.resize(before);
  return cost;
}

Cost Satisfiability::value(const Goal& goal) {
  if (const auto cost = known(values_, goal)) return *cost;
  if (answer_ == Answer::kExistence && goal.fail.empty() && goal.must.size() == 1 &&
      plainly_possible(*expansion_, goal.must[0])) {
    values_[goal] = Memo::sure(1);
    return 1;
  }
  return answered(&values_, goal, [&] {
    Cost best = kNever;
    for (int c = 0; c < kValueClasses && best > 4 && !found(best); ++c) {
      const auto value_class = static_cast<ValueClass>(c);
      best = std::min(best, value_of_class(formula_of(goal, value_class), value_class));
    }
    return best;
  });
}

FormulaId Satisfiability::formula_of(const Goal& goal, ValueClass value_class) {
  std::vector<std::vector<NodeId>> lists{goal.must};
  lists.insert(lists.end(), goal.fail.begin(), goal.fail.end());
  std::vector<FormulaId> parts = expansion_->expand_lists(lists, value_class);
  for (size_t i = 1; i < parts.size(); ++i) parts[i] = pool_->negate(parts[i]);
  return pool_->conjunction(std::move(parts));
}

Cost Satisfiability::value_of_class(FormulaId f, ValueClass c) {
  if (f == FormulaPool::kFalse) return kNever;
  switch (c) {
    case ValueClass::kNull:
    case ValueClass::kTrue:
      return 4;
    case ValueClass::kFalse:
      return 5;
    case ValueClass::kNumber:
    case ValueClass::kString:
      return scalar(f, c);
    case ValueClass::kArray:
      return add(1, array(f, 0, SetStore::kEmpty));
    case ValueClass::kObject:
      if (answer_ == Answer::kExistence) {
        const uint64_t key = uint64_t{f} << 3 | static_cast<uint64_t>(c);
        if (const auto it = classes_.find(key); it != classes_.end()) return it->second.cost;
        const auto any_name = [](uint32_t) { return true; };
        const auto accept = [](const Example&) { return true; };
        if (examples().object(f, any_name, std::nullopt, accept)) {
          classes_[key] = Memo::sure(1);
          return 1;
        }
        return solve_object(f, {shape_of_(f), SetStore::kEmpty, 0});
      }
      return add(1, solve_object(f, {shape_of_(f), SetStore::kEmpty, 0}));
  }
  return kNever;
}

Examples& Satisfiability::examples() {
  if (examples_ == nullptr) {
    examples_ = std::make_unique<Examples>(
        expansion_, pool_, &expansion_->texts(), strings_,
        [this](FormulaId f, ValueClass c) { return scalar_exists(f, c); });
  }
  return *examples_;
}

std::shared_ptr<const ScalarLeaf> Satisfiability::scalar_leaf(FormulaId f, ValueClass c) {
  if (c == ValueClass::kString)
    return string_leaf(*pool_, {f}, expansion_->atoms(), strings_, nullptr);
  auto result = number_leaf(*pool_, {f}, expansion_->atoms(), numbers_, nullptr);
  return result.ok() ? *result : nullptr;
}

Cost Satisfiability::scalar(FormulaId f, ValueClass c) {
  f = pool_->propagate(f);
  if (f == FormulaPool::kFalse) return kNever;
  const uint64_t key = uint64_t{f} << 3 | static_cast<uint64_t>(c);
  if (const auto it = classes_.find(key); it != classes_.end()) return it->second.cost;
  Cost cost = kNever;
  if (answer_ == Answer::kExistence) {
    if (plain_scalar(f, c) || examples().scalar(f, c)) cost = 1;
  } else if (const auto leaf = scalar_leaf(f, c); leaf != nullptr && leaf->start() != 0) {
    cost = leaf->shortest_exit(leaf->start()).size() + (c == ValueClass::kString ? 1 : 0);
  }
  classes_[key] = Memo::sure(cost);
  return cost;
}

bool Satisfiability::scalar_exists(FormulaId f, ValueClass c) {
  f = pool_->propagate(f);
  if (f == FormulaPool::kFalse) return false;
  if (plain_scalar(f, c)) return true;
  const std::shared_ptr<const ScalarLeaf> leaf = scalar_leaf(f, c);
  return leaf != nullptr && leaf->start() != 0;
}

// A single assertion holds for some string or number; an automaton lives only if it accepts
// something, though in a profile without lone surrogates that may have no spelling.
bool Satisfiability::plain_scalar(FormulaId f, ValueClass c) const {
  if (f == FormulaPool::kTrue) return true;
  if (pool_->op(f) != FormulaPool::Op::kAtom) return false;
  const Atom& atom = pool_->atom_of(f);
  if (c == ValueClass::kNumber) {
    const NumberAtom::Kind kind = expansion_->atoms().numbers[atom.index].kind;
    return kind == NumberAtom::Kind::kInteger || kind == NumberAtom::Kind::kIntegerSpelling;
  }
  if (atom.kind == Atom::Kind::kLength) return true;
  return atom.kind == Atom::Kind::kPattern && strings_ == StringSpelling::kJson &&
         expansion_->atoms().automata[atom.index]->start() != 0;
}

Cost Satisfiability::object(FormulaId f, const ObjectContext& context) {
  if (answer_ == Answer::kExistence && pool_->evaluate(f, true_at_close)) return 1;
  const auto key =
      std::tuple(f, context.seen, context.order, static_cast<const KeyShape*>(context.shape));
  if (answer_ == Answer::kExistence && !known(objects_, key)) {
    const auto allowed = [&](uint32_t text) { return may_follow(context, text); };
    const auto accept = [](const Example&) { return true; };
    if (examples().object(f, allowed, std::nullopt, accept)) objects_[key] = Memo::sure(1);
  }
  return solve_object(f, context);
}

bool Satisfiability::may_follow(const ObjectContext& context, uint32_t text) const {
  if (seen_->contains(context.seen, text)) return false;
  if (context.order == 0) return true;
  const auto id = context.shape->class_of_text(text);
  return id && context.shape->key_class(*id).order >= context.order;
}

Cost Satisfiability::solve_object(FormulaId f, const ObjectContext& context) {
  if (answer_ == Answer::kExistence && pool_->evaluate(f, true_at_close)) return 1;
  const auto key =
      std::tuple(f, context.seen, context.order, static_cast<const KeyShape*>(context.shape));
  if (const auto cost = known(objects_, key)) return *cost;
  return answered(&objects_, key, [&] {
    Cases cases;
    return solve(
        f, [&](const Literals& literals) { return object_literals(literals, context); }, 0, &cases);
  });
}

Cost Satisfiability::array(FormulaId f, uint64_t index, uint32_t used) {
  if (answer_ == Answer::kExistence && pool_->evaluate(f, true_at_close)) return 1;
  const auto key = std::tuple(f, index, used);
  if (const auto cost = known(arrays_, key)) return *cost;
  if (answer_ == Answer::kExistence && examples().array(f, index)) {
    arrays_[key] = Memo::sure(1);
    return 1;
  }
  return answered(&arrays_, key, [&] {
    Cases cases;
    return solve(
        f, [&](const Literals& literals) { return array_literals(literals, index, used); }, 0,
        &cases);
  });
}

NodeId Satisfiability::item_node(NodeId id, uint64_t index) const {
  const SchemaNode& node = expansion_->node(id);
  return index < node.prefix_items.size() ? node.prefix_items[index] : node.items;
}

}  // namespace espalier
