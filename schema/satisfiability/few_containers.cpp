// The arrays and objects that a goal allows, where they are few.
//
// The idea. Items that must differ are counted on as long as nobody knows their values one by one.
// Those of a const or enum are listed there; but {"type": "array", "maxItems": 0} and {"type":
// "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": false} have few
// values as well. So they are made: arrays by length, from the few values of each item, until none
// can be longer; objects from the names that have few values, where no others may come. What is
// made is judged by the goal.
//
// Example: the second schema allows {}, {"a": false} and {"a": true}, so an array of four different
// ones has no instance.
//
// Invariant: all values are found, or it is said that they are not known. Within a question that
// rests on an open one nothing is remembered.
// Cost: kMostMade values are made and judged, of kMostLength items and kDeepest levels at most.
#include <algorithm>
#include <utility>

#include "grammar/tables/sort_unique.h"
#include "schema/satisfiability/satisfiability.h"

namespace espalier {
namespace {

constexpr size_t kMostMade = 128;
constexpr uint64_t kMostLength = 4;
constexpr int kDeepest = 3;

}  // namespace

std::optional<std::vector<uint32_t>> Satisfiability::few_containers(const Goal& goal,
                                                                    ValueClass value_class) {
  const auto key = std::pair(goal, value_class);
  const auto [it, inserted] = few_containers_.try_emplace(key);  // unknown within itself
  if (!inserted || containers_depth_ >= kDeepest) {
    if (inserted) few_containers_.erase(it);
    return inserted ? std::nullopt : it->second;
  }
  const uint32_t outer = std::exchange(rests_on_, kNothing);
  ++containers_depth_;
  std::vector<uint32_t> made;
  const FormulaId f = formula_of(goal, value_class);
  const bool all =
      value_class == ValueClass::kArray ? make_arrays(f, &made) : make_objects(f, &made);
  std::optional<std::vector<uint32_t>> found;
  if (all) {
    std::erase_if(made, [&](uint32_t v) { return !admits(goal, v); });
    sort_unique(&made);
    found = std::move(made);
  }
  --containers_depth_;
  const bool sure = rests_on_ == kNothing && containers_depth_ == 0;
  rests_on_ = std::min(rests_on_, outer);
  if (sure) {
    few_containers_[key] = found;
  } else {
    few_containers_.erase(key);
  }
  return found;
}

bool Satisfiability::make_arrays(FormulaId f, std::vector<uint32_t>* out) {
  Literals literals;
  std::vector<FormulaId> open;
  propagate(f, &literals, &open);
  std::vector<NodeId> must;
  for (const FormulaId atom : literals.positive) {
    if (pool_->atom_of(atom).kind == Atom::Kind::kItems) must.push_back(pool_->atom_of(atom).index);
  }
  std::vector<uint32_t> contents{ValueStore::kEmpty};
  for (uint64_t length = 0;; ++length) {
    for (const uint32_t content : contents) out->push_back(ids_->array(content));
    const FormulaId longer = pool_->atom({Atom::Kind::kMoreItems, 0, length + 1});
    if (array(pool_->conjunction({f, longer}), 0, SetStore::kEmpty) == kNever) return true;
    if (length == kMostLength) return false;
    const auto items = few_values(item_goal(must, length), kMostMade);
    if (!items || out->size() + contents.size() * items->size() > kMostMade) return false;
    std::vector<uint32_t> next;
    for (const uint32_t content : contents) {
      for (const uint32_t item : *items) next.push_back(ids_->append_item(content, item));
    }
    contents = std::move(next);
  }
}

bool Satisfiability::make_objects(FormulaId f, std::vector<uint32_t>* out) {
  const FormulaId larger = pool_->atom({Atom::Kind::kMoreProperties, 0, 1});
  const FormulaId some = pool_->conjunction({f, larger});
  std::vector<uint32_t> contents{ValueStore::kEmpty};
  if (value_of_class(some, ValueClass::kObject) != kNever) {
    Literals literals;
    std::vector<FormulaId> open;
    propagate(f, &literals, &open);
    KeyShape& shape = *shape_of_(f);
    const ObjectAsks asks = read_object(literals, shape);
    const auto values_of = [&](uint32_t id) -> std::optional<std::vector<uint32_t>> {
      const KeyClass& key = shape.key_class(id);
      const auto goal = property_goal(asks.must, key);
      if (!goal || value(*goal) == kNever) return std::vector<uint32_t>();
      return key.string == StringSignature::kOther ? std::nullopt : few_values(*goal, kMostMade);
    };
    const std::vector<uint32_t> others = shape.other_classes();
    if (!shape.other_classes_known()) return false;
    const auto possible = [&](uint32_t id) { return !values_of(id); };
    if (std::any_of(others.begin(), others.end(), possible)) return false;
    for (const uint32_t id : std::vector<uint32_t>(shape.listed_classes())) {
      const auto values = values_of(id);
      if (!values || contents.size() * (values->size() + 1) > kMostMade) return false;
      const uint32_t name = shape.key_class(id).text;
      const size_t before = contents.size();
      for (const uint32_t v : *values) {
        for (size_t i = 0; i < before; ++i)
          contents.push_back(ids_->add_member(contents[i], name, v));
      }
    }
  }
  for (const uint32_t content : contents) out->push_back(ids_->object(content));
  return true;
}

}  // namespace espalier
