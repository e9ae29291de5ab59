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
// found while an enclosing question was open is not remembered, since it may rest on that
// question's assumed "no".
//
// Cost: the number of cases per question is bounded (Cases); beyond it the answer is an optimistic
// "yes", which can only cause a dead end, never an invalid text.
#include "schema/satisfiability/satisfiability.h"

#include <algorithm>

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

Cost Satisfiability::value(const Goal& goal) {
  const auto it = values_.find(goal);
  if (it != values_.end()) {
    if (!it->second.done) tainted_ = true;
    return it->second.cost;
  }
  if (answer_ == Answer::kExistence && goal.fail.empty() && goal.must.size() == 1 &&
      plainly_possible(*expansion_, goal.must[0])) {
    values_[goal] = {1, true};
    return 1;
  }
  values_[goal] = {};
  const bool outer_taint = tainted_;
  tainted_ = false;
  ++open_questions_;
  Cost best = kNever;
  for (int c = 0; c < kValueClasses && best > 4 && !found(best); ++c) {
    const auto value_class = static_cast<ValueClass>(c);
    best = std::min(best, value_of_class(formula_of(goal, value_class), value_class));
  }
  --open_questions_;
  if (best == kNever && tainted_ && open_questions_ > 0) {
    values_.erase(goal);
  } else {
    values_[goal] = {best, true};
  }
  tainted_ = tainted_ || outer_taint;
  if (open_questions_ == 0) tainted_ = false;
  return best;
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
          classes_[key] = {1, true};
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
  classes_[key] = {cost, true};
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
  if (answer_ == Answer::kExistence && !objects_.contains(key)) {
    const auto allowed = [&](uint32_t text) { return may_follow(context, text); };
    const auto accept = [](const Example&) { return true; };
    if (examples().object(f, allowed, std::nullopt, accept)) objects_[key] = {1, true};
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
  const auto it = objects_.find(key);
  if (it != objects_.end()) {
    if (!it->second.done) tainted_ = true;
    return it->second.cost;
  }
  objects_[key] = {};
  const bool outer_taint = tainted_;
  tainted_ = false;
  Cases cases;
  ++open_questions_;
  const Cost cost = solve(
      f, [&](const Literals& literals) { return object_literals(literals, context); }, 0, &cases);
  --open_questions_;
  if (cost == kNever && tainted_ && open_questions_ > 0) {
    objects_.erase(key);
  } else {
    objects_[key] = {cost, true};
  }
  tainted_ = tainted_ || outer_taint;
  if (open_questions_ == 0) tainted_ = false;
  return cost;
}

Cost Satisfiability::array(FormulaId f, uint64_t index, uint32_t used) {
  if (answer_ == Answer::kExistence && pool_->evaluate(f, true_at_close)) return 1;
  const auto key = std::tuple(f, index, used);
  const auto it = arrays_.find(key);
  if (it != arrays_.end()) {
    if (!it->second.done) tainted_ = true;
    return it->second.cost;
  }
  if (answer_ == Answer::kExistence && examples().array(f, index)) {
    arrays_[key] = {1, true};
    return 1;
  }
  arrays_[key] = {};
  const bool outer_taint = tainted_;
  tainted_ = false;
  Cases cases;
  ++open_questions_;
  const Cost cost = solve(
      f, [&](const Literals& literals) { return array_literals(literals, index, used); }, 0,
      &cases);
  --open_questions_;
  if (cost == kNever && tainted_ && open_questions_ > 0) {
    arrays_.erase(key);
  } else {
    arrays_[key] = {cost, true};
  }
  tainted_ = tainted_ || outer_taint;
  if (open_questions_ == 0) tainted_ = false;
  return cost;
}

Cost Satisfiability::object_literals(const Literals& literals, const ObjectContext& context) {
  KeyShape& shape = *context.shape;
  std::vector<size_t> must, fail;  // indices into shape.nodes(), then into left_over
  std::vector<FormulaId> left_over;
  std::set<uint32_t> present, absent;
  uint64_t least = 0, most = UINT64_MAX;
  for (const FormulaId f : literals.positive) {
    const Atom& atom = pool_->atom_of(f);
    if (atom.kind == Atom::Kind::kProperties) must.push_back(shape.node_index(atom.index));
    if (atom.kind == Atom::Kind::kRequired) present.insert(atom.index);
    if (atom.kind == Atom::Kind::kUnevaluatedProperties) {
      must.push_back(shape.nodes().size() + left_over.size());
      left_over.push_back(f);
    }
    if (atom.kind == Atom::Kind::kMoreProperties) least = std::max(least, atom.bound);
  }
  for (const FormulaId f : literals.negative) {
    const Atom& atom = pool_->atom_of(f);
    if (atom.kind == Atom::Kind::kProperties) fail.push_back(shape.node_index(atom.index));
    if (atom.kind == Atom::Kind::kRequired) absent.insert(atom.index);
    if (atom.kind == Atom::Kind::kUnevaluatedProperties) {
      fail.push_back(shape.nodes().size() + left_over.size());
      left_over.push_back(f);
    }
    if (atom.kind == Atom::Kind::kMoreProperties) most = std::min(most, atom.bound - 1);
  }
  if (least > most) return kNever;
  // The cost of one more property of this class; takes out of `open` the nodes it also violates.
  const auto property = [&](uint32_t id, std::vector<size_t>* open) -> Cost {
    const KeyClass& key = shape.key_class(id);
    std::vector<KeyEffect> more;  // of left_over
    for (size_t i = 0; i < left_over.size(); ++i) {
      const bool demanded =
          std::find(must.begin(), must.end(), shape.nodes().size() + i) != must.end();
      more.push_back(unevaluated_effect(left_over[i], demanded, shape, key));
    }
    const auto effect = [&](size_t i) -> const KeyEffect& {
      return i < key.effects.size() ? key.effects[i] : more[i - key.effects.size()];
    };
    Goal goal;
    for (const size_t i : must) {
      if (effect(i).violates) return kNever;
      goal.must.insert(goal.must.end(), effect(i).children.begin(), effect(i).children.end());
    }
    std::sort(goal.must.begin(), goal.must.end());
    goal.must.erase(std::unique(goal.must.begin(), goal.must.end()), goal.must.end());
    Cost cost = value(goal);
    if (cost == kNever) return kNever;
    if (open != nullptr) {
      std::vector<size_t> left, possible;
      for (const size_t i : *open) {
        if (effect(i).violates) continue;
        (effect(i).children.empty() ? left : possible).push_back(i);
      }
      // As many as can be violated by one value, in order: all of a range at once where that is
      // possible, else those of its first half, then those of its second half.
      const auto violate = [&](const auto& self, size_t first, size_t last) -> void {
        if (first == last) return;
        Goal with = goal;
        for (size_t k = first; k < last; ++k) with.fail.push_back(effect(possible[k]).children);
        std::sort(with.fail.begin(), with.fail.end());
        with.fail.erase(std::unique(with.fail.begin(), with.fail.end()), with.fail.end());
        if (const Cost c = value(with); c != kNever) {
          goal = std::move(with);
          cost = c;
        } else if (last - first == 1) {
          left.push_back(possible[first]);
        } else {
          const size_t middle = first + (last - first) / 2;
          self(self, first, middle);
          self(self, middle, last);
        }
      };
      violate(violate, 0, possible.size());
      std::sort(left.begin(), left.end());
      *open = std::move(left);
    }
    const size_t spelled = key.string == StringSignature::kOther
                               ? 1
                               : shape.machine().spec().strings[key.string].size();
    return add(spelled + 4, cost);
  };
  const auto available = [&](uint32_t id) {
    const KeyClass& key = shape.key_class(id);
    if (key.string == StringSignature::kOther) return true;
    return key.order >= context.order && !seen_->contains(context.seen, key.text) &&
           !absent.contains(key.text);
  };
  const size_t violations = fail.size();
  Cost total = 1;
  uint64_t count = 0;
  std::map<uint32_t, uint64_t> used;  // names of each class
  const auto names_left = [&](uint32_t id, uint64_t wanted) -> uint64_t {
    const bool unlisted = shape.key_class(id).string == StringSignature::kOther;
    // A class has a name.
    const bool known = !unlisted || (context.seen == SetStore::kEmpty && used[id] + wanted <= 1);
    const uint64_t all = known ? 1 : shape.names_left(id, *seen_, context.seen);
    return std::min(wanted, all - std::min(all, used[id]));
  };
  for (const uint32_t text : present) {
    const auto id = shape.class_of_text(text);
    if (!id || !available(*id)) return kNever;
    total = add(total, property(*id, &fail));
    if (total == kNever) return kNever;
    ++used[*id];
    ++count;
  }
  if (count > most) return kNever;
  std::vector<uint32_t> others;  // classes that may be added, the unlisted ones first
  Cost without = kNever;         // where none of them will do
  if (least > count || !fail.empty()) {
    others = shape.other_classes();
    if (!shape.other_classes_known()) without = kUnknownCost;
    for (const uint32_t id : shape.listed_classes()) {
      if (available(id)) others.push_back(id);
    }
  }
  const auto may_violate = [&](uint32_t id, size_t i) {
    const KeyClass& key = shape.key_class(id);
    return i >= key.effects.size() || key.effects[i].violates || !key.effects[i].children.empty();
  };
  // Greedily the property that violates most of what is still to be violated.
  while (!fail.empty()) {
    Cost best = kNever;
    uint32_t chosen = 0;
    std::vector<size_t> best_left = fail;
    for (const uint32_t id : others) {
      if (names_left(id, 1) == 0) continue;
      if (std::none_of(fail.begin(), fail.end(), [&](size_t i) { return may_violate(id, i); }))
        continue;
      std::vector<size_t> left = fail;
      const Cost cost = property(id, &left);
      if (cost == kNever || left.size() == fail.size()) continue;
      if (left.size() < best_left.size() || (left.size() == best_left.size() && cost < best)) {
        best = cost, chosen = id, best_left = std::move(left);
      }
    }
    if (best == kNever || ++count > most) {
      // Another choice might do, unless one of them cannot be violated at all.
      const bool hopeless = std::any_of(fail.begin(), fail.end(), [&](size_t i) {
        return std::none_of(others.begin(), others.end(), [&](uint32_t id) {
          std::vector<size_t> alone{i};
          return may_violate(id, i) && property(id, &alone) != kNever && alone.empty();
        });
      });
      return hopeless || violations < 2 ? without : kUnknownCost;
    }
    fail = std::move(best_left);
    total = add(total, best);
    ++used[chosen];
  }
  if (least > count) {
    std::vector<Cost> costs;
    for (const uint32_t id : others) {
      const uint64_t more = names_left(id, least - count);
      const Cost cost = more != 0 ? property(id, nullptr) : kNever;
      if (cost == kNever) continue;
      if (more == least - count && shape.key_class(id).string == StringSignature::kOther)
        return add(total, cost * more);
      costs.insert(costs.end(), more, cost);
    }
    if (costs.size() < least - count) return without;
    std::sort(costs.begin(), costs.end());
    for (uint64_t i = 0; i < least - count; ++i) total = add(total, costs[i]);
  }
  return total;
}

NodeId Satisfiability::item_node(NodeId id, uint64_t index) const {
  const SchemaNode& node = expansion_->node(id);
  return index < node.prefix_items.size() ? node.prefix_items[index] : node.items;
}

Cost Satisfiability::array_literals(const Literals& literals, uint64_t index, uint32_t used) {
  std::vector<NodeId> must, fail;
  std::vector<FormulaId> left_over, some_left;  // kUnevaluatedItems that must hold, must fail
  std::vector<std::pair<NodeId, uint64_t>> wanted, limited;
  uint64_t least = 0, most = UINT64_MAX, prefix = 0;
  bool repeats = false, distinct = false;
  std::vector<uint32_t> taken;  // values given to items here
  const auto note_prefix = [&](NodeId id) {
    prefix = std::max<uint64_t>(prefix, expansion_->node(id).prefix_items.size());
  };
  for (const FormulaId f : literals.positive) {
    const Atom atom = pool_->atom_of(f);  // copied: the pool may grow
    if (atom.kind == Atom::Kind::kItems) must.push_back(atom.index), note_prefix(atom.index);
    if (atom.kind == Atom::Kind::kMoreItems) least = std::max(least, atom.bound);
    if (atom.kind == Atom::Kind::kContains) wanted.emplace_back(atom.index, atom.bound);
    distinct |= atom.kind == Atom::Kind::kUnique;
    if (atom.kind == Atom::Kind::kUnique && !distinct_possible(literals, index, used))
      return kNever;
    if (atom.kind != Atom::Kind::kUnevaluatedItems) continue;
    left_over.push_back(f);
    for (const NodeId id : expansion_->evaluators(atom)) note_prefix(id);
  }
  for (const FormulaId f : literals.negative) {
    const Atom atom = pool_->atom_of(f);
    if (atom.kind == Atom::Kind::kItems) fail.push_back(atom.index), note_prefix(atom.index);
    if (atom.kind == Atom::Kind::kMoreItems) most = std::min(most, atom.bound - 1);
    if (atom.kind == Atom::Kind::kContains) limited.emplace_back(atom.index, atom.bound - 1);
    if (atom.kind == Atom::Kind::kUnique) {
      if (!repetition_possible(literals, index, used)) return kNever;
      repeats = true;
    }
    if (atom.kind != Atom::Kind::kUnevaluatedItems) continue;
    some_left.push_back(f);
    for (const NodeId id : expansion_->evaluators(atom)) note_prefix(id);
  }
  // Two equal items are not counted on, but they take places of their own.
  if (repeats) least = std::max<uint64_t>(least, used != SetStore::kEmpty ? 1 : 2);
  if (least > most) return kNever;
  const std::optional<bool> possible = few_items_possible(literals, index, used);
  if (possible == false) return kNever;
  for (const auto& [node, bound] : wanted) {
    if (std::find_if(limited.begin(), limited.end(),
                     [&, node = node, bound = bound](const auto& l) {
                       return l.first == node && l.second < bound;
                     }) != limited.end()) {
      return kNever;
    }
  }
  Cost total = 1;
  uint64_t count = 0;
  bool chosen = false;  // an item had to choose between tasks: another choice might do
  const auto never = [&]() { return chosen || possible == true ? kUnknownCost : kNever; };
  while (true) {
    const bool needed =
        count < least || !fail.empty() || !some_left.empty() ||
        std::any_of(wanted.begin(), wanted.end(), [](const auto& w) { return w.second > 0; });
    if (!needed) return total;
    if (count >= most) return never();
    const uint64_t at = index + count;
    Goal goal;
    // What may be met no more is failed by every item, whatever else the items are to do.
    for (const auto& [node, bound] : limited) {
      if (bound == 0) goal.fail.push_back({node});
    }
    const auto require = [&](NodeId child) {
      if (child != kNoNode && !expansion_->trivially_true(child)) goal.must.push_back(child);
    };
    for (const NodeId id : must) require(item_node(id, at));
    for (const FormulaId f : left_over) require(unevaluated_item(f, at));
    const auto normalized = [](Goal g) {
      std::sort(g.must.begin(), g.must.end());
      g.must.erase(std::unique(g.must.begin(), g.must.end()), g.must.end());
      std::sort(g.fail.begin(), g.fail.end());
      g.fail.erase(std::unique(g.fail.begin(), g.fail.end()), g.fail.end());
      return g;
    };
    // Let this item do as much as it can: satisfy every open `contains`, violate every open node,
    // stay out of every limited count.
    Cost cost = kNever;
    Goal ambitious = goal;
    const auto also = [&](const std::function<void(Goal*)>& add_to) {
      Goal with = ambitious;
      add_to(&with);
      with = normalized(with);
      if (const Cost c = value(with); c != kNever) {
        ambitious = std::move(with), cost = c;
        return true;
      }
      Goal alone = goal;
      add_to(&alone);
      chosen |= value(normalized(alone)) != kNever;
      return false;
    };
    std::vector<size_t> met;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].second == 0) continue;
      if (also([&](Goal* g) { g->must.push_back(wanted[i].first); })) met.push_back(i);
    }
    const size_t open_before = fail.size() + some_left.size();
    std::erase_if(fail, [&](NodeId id) {
      const NodeId child = item_node(id, at);
      return child != kNoNode && !expansion_->trivially_true(child) &&
             also([&](Goal* g) { g->fail.push_back({child}); });
    });
    std::erase_if(some_left, [&](FormulaId f) {
      return !surely_evaluated(f, at) && also([&](Goal* g) {
        for (const NodeId id : item_judges(f)) g->fail.push_back({id});
      });
    });
    const bool violated = fail.size() + some_left.size() < open_before;
    std::vector<size_t> spent;
    for (size_t i = 0; i < limited.size(); ++i) {
      if (limited[i].second == 0) continue;
      const bool counted = std::any_of(
          met.begin(), met.end(), [&](size_t j) { return wanted[j].first == limited[i].first; });
      if (counted) {
        // Another item might have met what was wanted, and this one stayed out of the count.
        Goal alone = goal;
        alone.fail.push_back({limited[i].first});
        chosen = chosen || value(normalized(alone)) != kNever;
      }
      if (counted || !also([&](Goal* g) { g->fail.push_back({limited[i].first}); }))
        spent.push_back(i);
    }
    if (cost == kNever) cost = value(normalized(ambitious));
    if (cost == kNever) return never();
    if (distinct && answer_ == Answer::kCost)
      cost = cost_of_unused(normalized(ambitious), used, cost, &taken);
    for (const size_t i : spent) --limited[i].second;
    for (const size_t i : met) --wanted[i].second;
    total = add(total, cost + 1);
    ++count;
    const bool progress = !met.empty() || violated;
    if (at >= prefix && !progress) {
      // Every further item is like this one.
      if (!fail.empty() || !some_left.empty() ||
          std::any_of(wanted.begin(), wanted.end(), [](const auto& w) { return w.second > 0; })) {
        return never();
      }
      if (!spent.empty()) continue;
      if (count < least) total = add(total, (cost + 1) * (least - count)), count = least;
      return total;
    }
  }
}

}  // namespace espalier
