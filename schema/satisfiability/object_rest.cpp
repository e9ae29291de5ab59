// The cheapest rest of an object, for one choice of what must hold and what must fail.
//
// The idea: required names come first, each with the cheapest value that all nodes allow. Nodes
// that must fail are then violated greedily, by the property that violates most of them; a value
// violates as many as it can. What is missing to the least number of properties is filled up with
// the cheapest.
//
// Example: {"required": ["a"], "minProperties": 2} costs "a" and one more name of any class.
//
// Invariants: kNever is said only where no rest exists; where another greedy choice might do, the
// cost is kUnknownCost.
// Cost: a question about a value for each class of names, and for each node that must fail.
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/satisfiability/satisfiability.h"

namespace espalier {

Satisfiability::ObjectAsks Satisfiability::read_object(const Literals& literals,
                                                       const KeyShape& shape) const {
  ObjectAsks asks;
  const auto node = [&](FormulaId f, const Atom& atom) {
    if (atom.kind == Atom::Kind::kProperties) return shape.node_index(atom.index);
    asks.left_over.push_back(f);
    return shape.nodes().size() + asks.left_over.size() - 1;
  };
  const auto judges_properties = [](const Atom& atom) {
    return atom.kind == Atom::Kind::kProperties || atom.kind == Atom::Kind::kUnevaluatedProperties;
  };
  for (const FormulaId f : literals.positive) {
    const Atom& atom = pool_->atom_of(f);
    if (judges_properties(atom)) asks.must.push_back(node(f, atom));
    if (atom.kind == Atom::Kind::kRequired) asks.present.insert(atom.index);
    if (atom.kind == Atom::Kind::kMoreProperties) asks.least = std::max(asks.least, atom.bound);
  }
  for (const FormulaId f : literals.negative) {
    const Atom& atom = pool_->atom_of(f);
    if (judges_properties(atom)) asks.fail.push_back(node(f, atom));
    if (atom.kind == Atom::Kind::kRequired) asks.absent.insert(atom.index);
    if (atom.kind == Atom::Kind::kMoreProperties) asks.most = std::min(asks.most, atom.bound - 1);
  }
  return asks;
}

class Satisfiability::ObjectRest {
 public:
  ObjectRest(Satisfiability* questions, ObjectAsks asks, const ObjectContext& context)
      : questions_(*questions),
        context_(context),
        shape_(*context.shape),
        asks_(std::move(asks)),
        fail_(asks_.fail) {}

  Cost cost() {
    if (asks_.least > asks_.most) return kNever;
    if (!add_required() || count_ > asks_.most) return kNever;
    if (asks_.least > count_ || !fail_.empty()) list_others();
    if (const auto given_up = violate_rest()) return *given_up;
    return fill_up();
  }

 private:
  bool add_required() {
    for (const uint32_t text : asks_.present) {
      const auto id = shape_.class_of_text(text);
      if (!id || !available(*id)) return false;
      total_ = add(total_, property(*id, &fail_));
      if (total_ == kNever) return false;
      ++used_[*id];
      ++count_;
    }
    return true;
  }

  void list_others() {
    others_ = shape_.other_classes();
    if (!shape_.other_classes_known()) without_ = kUnknownCost;
    for (const uint32_t id : shape_.listed_classes()) {
      if (available(id)) others_.push_back(id);
    }
  }

  // Greedily the property that violates most of what is still to be violated. Where that does not
  // do, the cost of the rest.
  std::optional<Cost> violate_rest() {
    while (!fail_.empty()) {
      Cost best = kNever;
      uint32_t chosen = 0;
      std::vector<size_t> best_left = fail_;
      for (const uint32_t id : others_) {
        if (names_left(id, 1) == 0) continue;
        if (std::none_of(fail_.begin(), fail_.end(), [&](size_t i) { return may_violate(id, i); }))
          continue;
        std::vector<size_t> left = fail_;
        const Cost cost = property(id, &left);
        if (cost == kNever || left.size() == fail_.size()) continue;
        if (left.size() < best_left.size() || (left.size() == best_left.size() && cost < best)) {
          best = cost, chosen = id, best_left = std::move(left);
        }
      }
      // Another choice might do, unless one property must violate all, or one of them cannot be
      // violated at all.
      if (best == kNever || ++count_ > asks_.most) {
        const bool no_choice =
            asks_.fail.size() < 2 || asks_.most < 2 || lone_property() || hopeless();
        return no_choice ? without_ : kUnknownCost;
      }
      fail_ = std::move(best_left);
      total_ = add(total_, best);
      ++used_[chosen];
    }
    return std::nullopt;
  }

  // Is there no more than one property that the object may have?
  bool lone_property() {
    uint64_t all = asks_.present.size();
    for (const uint32_t id : others_) {
      if (all > 1) break;
      if (asks_.present.contains(shape_.key_class(id).text)) continue;
      used_[id] = 0;
      if (property(id, nullptr) != kNever) all += names_left(id, 2);
    }
    return all < 2;
  }

  bool hopeless() {
    return std::any_of(fail_.begin(), fail_.end(), [&](size_t i) {
      return std::none_of(others_.begin(), others_.end(), [&](uint32_t id) {
        std::vector<size_t> alone{i};
        return may_violate(id, i) && property(id, &alone) != kNever && alone.empty();
      });
    });
  }

  Cost fill_up() {
    if (asks_.least <= count_) return total_;
    const uint64_t missing = asks_.least - count_;
    std::vector<Cost> costs;
    for (const uint32_t id : others_) {
      const uint64_t more = names_left(id, missing);
      const Cost cost = more != 0 ? property(id, nullptr) : kNever;
      if (cost == kNever) continue;
      if (more == missing && shape_.key_class(id).string == StringSignature::kOther)
        return add(total_, cost * more);
      costs.insert(costs.end(), more, cost);
    }
    if (costs.size() < missing) return without_;
    std::sort(costs.begin(), costs.end());
    for (uint64_t i = 0; i < missing; ++i) total_ = add(total_, costs[i]);
    return total_;
  }

  // The cost of one more property of this class; takes out of `open` the nodes it also violates.
  Cost property(uint32_t id, std::vector<size_t>* open) {
    const KeyClass& key = shape_.key_class(id);
    std::vector<KeyEffect> more;  // of asks_.left_over
    for (size_t i = 0; i < asks_.left_over.size(); ++i) {
      const bool demanded = std::find(asks_.must.begin(), asks_.must.end(),
                                      shape_.nodes().size() + i) != asks_.must.end();
      more.push_back(questions_.unevaluated_effect(asks_.left_over[i], demanded, shape_, key));
    }
    const auto effect = [&](size_t i) -> const KeyEffect& {
      return i < key.effects.size() ? key.effects[i] : more[i - key.effects.size()];
    };
    Goal goal;
    for (const size_t i : asks_.must) {
      if (effect(i).violates) return kNever;
      goal.must.insert(goal.must.end(), effect(i).children.begin(), effect(i).children.end());
    }
    sort_unique(&goal.must);
    Cost cost = questions_.value(goal);
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
        sort_unique(&with.fail);
        if (const Cost c = questions_.value(with); c != kNever) {
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
                               : shape_.machine().spec().strings[key.string].size();
    return add(spelled + 4, cost);
  }

  bool available(uint32_t id) const {
    const KeyClass& key = shape_.key_class(id);
    if (key.string == StringSignature::kOther) return true;
    return key.order >= context_.order && !questions_.seen_->contains(context_.seen, key.text) &&
           !asks_.absent.contains(key.text);
  }

  // How many names of the class are left, up to as many as are wanted.
  uint64_t names_left(uint32_t id, uint64_t wanted) {
    const bool unlisted = shape_.key_class(id).string == StringSignature::kOther;
    // A class has a name.
    const bool known = !unlisted || (context_.seen == SetStore::kEmpty && used_[id] + wanted <= 1);
    const uint64_t all = known ? 1 : shape_.names_left(id, *questions_.seen_, context_.seen);
    return std::min(wanted, all - std::min(all, used_[id]));
  }

  bool may_violate(uint32_t id, size_t i) const {
    const KeyClass& key = shape_.key_class(id);
    return i >= key.effects.size() || key.effects[i].violates || !key.effects[i].children.empty();
  }

  Satisfiability& questions_;
  const ObjectContext& context_;
  KeyShape& shape_;
  const ObjectAsks asks_;
  std::vector<size_t> fail_;  // those of asks_ that are not violated yet
  uint64_t count_ = 0;        // properties
  Cost total_ = 1;
  std::map<uint32_t, uint64_t> used_;  // names of each class
  std::vector<uint32_t> others_;       // classes that may be added, the unlisted ones first
  Cost without_ = kNever;              // where none of them will do
};

Cost Satisfiability::object_literals(const Literals& literals, const ObjectContext& context) {
  return ObjectRest(this, read_object(literals, *context.shape), context).cost();
}

}  // namespace espalier
