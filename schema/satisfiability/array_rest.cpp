// The cheapest rest of an array, for one choice of what must hold and what must fail.
//
// The idea: items are added one by one, each doing as much as it can: satisfy every open
// `contains`, violate every node that must fail, stay out of every limited count. Behind the last
// prefixItems an item that does nothing more stands for all that follow.
//
// Example: {"contains": A, "minItems": 3} costs an A and two items more.
//
// Invariants: kNever is said only where no rest exists; where an item had to choose between tasks,
// the cost is kUnknownCost.
// Cost: a question about a value for each task of each item up to the last that differs.
#include <algorithm>

#include "grammar/tables/sort_unique.h"
#include "schema/satisfiability/satisfiability.h"

namespace espalier {

class Satisfiability::ArrayRest {
 public:
  ArrayRest(Satisfiability* questions, uint64_t index, uint32_t used)
      : questions_(*questions), expansion_(*questions->expansion_), index_(index), used_(used) {}

  Cost cost(const Literals& literals) {
    if (!read(literals)) return kNever;
    possible_ = questions_.few_items_possible(literals, index_, used_);
    if (possible_ == false || contradicted()) return kNever;
    while (needed()) {
      if (count_ >= most_) return never();
      const uint64_t at = index_ + count_;
      Item item = best_item(at);
      if (item.cost == kNever) return never();
      for (const size_t i : item.spent) --limited_[i].second;
      for (const size_t i : item.met) --wanted_[i].second;
      total_ = add(total_, item.cost + 1);
      ++count_;
      if (at < prefix_ || item.progress) continue;
      // Every further item is like this one.
      if (open_tasks()) return never();
      if (!item.spent.empty()) continue;
      if (count_ < least_) total_ = add(total_, (item.cost + 1) * (least_ - count_));
      return total_;
    }
    return total_;
  }

 private:
  struct Item {
    Cost cost = kNever;
    std::vector<size_t> met, spent;  // of wanted_ and limited_
    bool progress = false;
  };

  bool read(const Literals& literals) {
    const FormulaPool& pool = *questions_.pool_;
    for (const FormulaId f : literals.positive) {
      const Atom atom = pool.atom_of(f);  // copied: the pool may grow
      if (atom.kind == Atom::Kind::kItems) must_.push_back(atom.index), note_prefix(atom.index);
      if (atom.kind == Atom::Kind::kMoreItems) least_ = std::max(least_, atom.bound);
      if (atom.kind == Atom::Kind::kContains) wanted_.emplace_back(atom.index, atom.bound);
      distinct_ |= atom.kind == Atom::Kind::kUnique;
      if (atom.kind == Atom::Kind::kUnique &&
          !questions_.distinct_possible(literals, index_, used_)) {
        return false;
      }
      if (atom.kind != Atom::Kind::kUnevaluatedItems) continue;
      left_over_.push_back(f);
      for (const NodeId id : expansion_.evaluators(atom)) note_prefix(id);
    }
    bool repeats = false;
    for (const FormulaId f : literals.negative) {
      const Atom atom = pool.atom_of(f);
      if (atom.kind == Atom::Kind::kItems) fail_.push_back(atom.index), note_prefix(atom.index);
      if (atom.kind == Atom::Kind::kMoreItems) most_ = std::min(most_, atom.bound - 1);
      if (atom.kind == Atom::Kind::kContains) limited_.emplace_back(atom.index, atom.bound - 1);
      if (atom.kind == Atom::Kind::kUnique) {
        if (!questions_.repetition_possible(literals, index_, used_)) return false;
        repeats = true;
      }
      if (atom.kind != Atom::Kind::kUnevaluatedItems) continue;
      some_left_.push_back(f);
      for (const NodeId id : expansion_.evaluators(atom)) note_prefix(id);
    }
    // Two equal items are not counted on, but they take places of their own.
    if (repeats) least_ = std::max<uint64_t>(least_, used_ != SetStore::kEmpty ? 1 : 2);
    return least_ <= most_;
  }

  void note_prefix(NodeId id) {
    prefix_ = std::max<uint64_t>(prefix_, expansion_.node(id).prefix_items.size());
  }

  // Is something wanted more often than it may be?
  bool contradicted() const {
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& w) {
      return std::any_of(limited_.begin(), limited_.end(),
                         [&](const auto& l) { return l.first == w.first && l.second < w.second; });
    });
  }

  bool open_tasks() const {
    return !fail_.empty() || !some_left_.empty() ||
           std::any_of(wanted_.begin(), wanted_.end(), [](const auto& w) { return w.second > 0; });
  }
  bool needed() const { return count_ < least_ || open_tasks(); }
  Cost never() const { return chosen_ || possible_ == true ? kUnknownCost : kNever; }

  static Goal normalized(Goal g) {
    sort_unique(&g.must);
    sort_unique(&g.fail);
    return g;
  }

  // What an item must do, whatever else it is to do.
  Goal duty(uint64_t at) {
    Goal goal;
    // What may be met no more is failed by every item.
    for (const auto& [node, bound] : limited_) {
      if (bound == 0) goal.fail.push_back({node});
    }
    const auto require = [&](NodeId child) {
      if (child != kNoNode && !expansion_.trivially_true(child)) goal.must.push_back(child);
    };
    for (const NodeId id : must_) require(questions_.item_node(id, at));
    for (const FormulaId f : left_over_) require(questions_.unevaluated_item(f, at));
    return goal;
  }

  // Lets an item do as much as it can.
  Item best_item(uint64_t at) {
    const Goal goal = duty(at);
    Item item;
    Goal ambitious = goal;
    const auto also = [&](const std::function<void(Goal*)>& add_to) {
      Goal with = ambitious;
      add_to(&with);
      with = normalized(with);
      if (const Cost c = questions_.value(with); c != kNever) {
        ambitious = std::move(with), item.cost = c;
        return true;
      }
      Goal alone = goal;
      add_to(&alone);
      chosen_ |= questions_.value(normalized(alone)) != kNever;
      return false;
    };
    for (size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].second == 0) continue;
      if (also([&](Goal* g) { g->must.push_back(wanted_[i].first); })) item.met.push_back(i);
    }
    const size_t open_before = fail_.size() + some_left_.size();
    std::erase_if(fail_, [&](NodeId id) {
      const NodeId child = questions_.item_node(id, at);
      return child != kNoNode && !expansion_.trivially_true(child) &&
             also([&](Goal* g) { g->fail.push_back({child}); });
    });
    std::erase_if(some_left_, [&](FormulaId f) {
      return !questions_.surely_evaluated(f, at) && also([&](Goal* g) {
        for (const NodeId id : questions_.item_judges(f)) g->fail.push_back({id});
      });
    });
    item.progress = !item.met.empty() || fail_.size() + some_left_.size() < open_before;
    for (size_t i = 0; i < limited_.size(); ++i) {
      if (limited_[i].second == 0) continue;
      const bool counted = std::any_of(item.met.begin(), item.met.end(), [&](size_t j) {
        return wanted_[j].first == limited_[i].first;
      });
      if (counted) {
        // Another item might have met what was wanted, and this one stayed out of the count.
        Goal alone = goal;
        alone.fail.push_back({limited_[i].first});
        chosen_ = chosen_ || questions_.value(normalized(alone)) != kNever;
      }
      if (counted || !also([&](Goal* g) { g->fail.push_back({limited_[i].first}); }))
        item.spent.push_back(i);
    }
    if (item.cost == kNever) item.cost = questions_.value(normalized(ambitious));
    if (item.cost != kNever && distinct_ && questions_.answer_ == Answer::kCost)
      item.cost = questions_.cost_of_unused(normalized(ambitious), used_, item.cost, &taken_);
    return item;
  }

  Satisfiability& questions_;
  Expansion& expansion_;
  const uint64_t index_;  // of the next item
  const uint32_t used_;   // values
  std::vector<NodeId> must_, fail_;
  std::vector<FormulaId> left_over_, some_left_;  // kUnevaluatedItems that must hold, must fail
  std::vector<std::pair<NodeId, uint64_t>> wanted_, limited_;
  uint64_t least_ = 0, most_ = UINT64_MAX, prefix_ = 0, count_ = 0;
  Cost total_ = 1;
  bool distinct_ = false;
  bool chosen_ = false;           // an item had to choose between tasks: another choice might do
  std::optional<bool> possible_;  // as far as few items decide it
  std::vector<uint32_t> taken_;   // values given to items here
};

Cost Satisfiability::array_literals(const Literals& literals, uint64_t index, uint32_t used) {
  return ArrayRest(this, index, used).cost(literals);
}

}  // namespace espalier
