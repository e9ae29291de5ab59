// How many values there are, and whether enough different ones are left: the part of Satisfiability
// behind uniqueItems.
//
// The idea: an array whose items must differ can go on as long as each place still to be filled has
// more values than were used and will be used besides; counting a few thousand is enough, and most
// schemas have endlessly many. Only places with fewer values (enumerations, Booleans, small ranges)
// have them listed, and a matching of places to unused values decides.
//
// Example: {"items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": true} after [2: two places,
// values {1, 3} left, a matching exists; 2 is not among them, so it is refused.
//
// Invariants: ways() is a lower bound; an array is called impossible only if a matching over all
// values of the places in question fails.
//
// Cost: each count once per formula; a matching is cubic in the places that are tight.
// Reference: Hall, "On representatives of subsets" (1935), for when a matching exists.
#include <algorithm>
#include <functional>
#include <iterator>

#include "grammar/tables/sort_unique.h"
#include "schema/satisfiability/satisfiability.h"

namespace espalier {
namespace {

constexpr uint64_t kMany = ScalarDomain::kMany;
constexpr uint64_t kMaxPlaces = 4096;  // places of an array that are matched one by one
constexpr uint64_t kFewValues = 64;    // values of an item that are weighed one by one

uint64_t times(uint64_t a, uint64_t b) {
  return a >= kMany || b >= kMany ? kMany * (a && b) : std::min(a * b, kMany);
}
uint64_t plus(uint64_t a, uint64_t b) { return std::min(a + b, kMany); }

}  // namespace

uint64_t Satisfiability::ways(const Goal& goal) {
  if (value(goal) == kNever) return 0;
  const auto [it, inserted] = ways_.try_emplace(goal, 1);  // 1: while it is asked within itself
  if (!inserted) return it->second;
  uint64_t total = 0;
  for (int c = 0; c < kValueClasses && total < kMany; ++c) {
    const auto value_class = static_cast<ValueClass>(c);
    total = plus(total, ways_of_class(formula_of(goal, value_class), value_class));
  }
  return ways_[goal] = std::max<uint64_t>(total, 1);
}

uint64_t Satisfiability::ways_of_class(FormulaId f, ValueClass c) {
  if (f == FormulaPool::kFalse) return 0;
  switch (c) {
    case ValueClass::kNumber:
      return domain(f, c).at_least;
    case ValueClass::kString:
      if (const std::vector<std::u32string>* list = listed_strings(f)) {
        return list->size();
      }
      return domain(f, c).at_least;
    case ValueClass::kArray:
      return array_ways(f, 0, SetStore::kEmpty);
    case ValueClass::kObject:
      return object_ways(f, {shape_of_(f), SetStore::kEmpty, 0});
    default:
      return 1;
  }
}

// The strings of a formula that asks for one of a list and nothing else.
const std::vector<std::u32string>* Satisfiability::listed_strings(FormulaId f) const {
  if (pool_->op(f) != FormulaPool::Op::kAtom) return nullptr;
  const Atom& atom = pool_->atom_of(f);
  return atom.kind == Atom::Kind::kOneOfStrings ? &expansion_->atoms().string_sets[atom.index]
                                                : nullptr;
}

const ScalarDomain& Satisfiability::domain(FormulaId f, ValueClass c) {
  const auto [it, inserted] =
      domains_.try_emplace(uint64_t{f} << 3 | static_cast<uint64_t>(c), ScalarDomain());
  if (!inserted) return it->second;
  ScalarDomain found;
  found.complete = true;
  if (const std::vector<std::u32string>* list = listed_strings(f)) {
    found.strings = *list;
    found.at_least = found.strings.size();
    return it->second = std::move(found);
  }
  const std::shared_ptr<const ScalarLeaf> leaf = scalar_leaf(f, c);
  if (leaf != nullptr && leaf->start() != 0) found = leaf->domain();
  return it->second = std::move(found);
}

// solve() looks for the least cost; here that is what kMany exceeds the number of ways by.
uint64_t Satisfiability::most_ways(FormulaId f,
                                   const std::function<uint64_t(const Literals&)>& count) {
  Cases cases{kWaysCases, kWaysCases};  // whole cases are counted
  const Cost cost = solve(
      f,
      [&](const Literals& literals) {
        const uint64_t found = count(literals);
        return found == 0 ? kNever : kMany - std::min(found, kMany);
      },
      0, &cases);
  return cost == kNever ? 0 : kMany - std::min(cost, kMany);
}

uint64_t Satisfiability::object_ways(FormulaId f, const ObjectContext& context) {
  if (object(f, context) == kNever) return 0;
  const auto key =
      std::tuple(f, context.seen, context.order, static_cast<const KeyShape*>(context.shape));
  const auto [it, inserted] = object_ways_.try_emplace(key, 1);
  if (!inserted) return it->second;
  const uint64_t found = most_ways(f, [&](const Literals& literals) {
    return object_literals(literals, context) == kNever ? 0 : count_object(literals, context);
  });
  return object_ways_[key] = std::max<uint64_t>(found, 1);
}

// What the value of a property must satisfy; nullopt where the nodes forbid its name.
std::optional<Goal> Satisfiability::property_goal(const std::vector<size_t>& must,
                                                  const KeyClass& key) const {
  Goal goal;
  for (const size_t i : must) {
    if (i >= key.effects.size()) continue;  // of unevaluatedProperties
    const KeyEffect& effect = key.effects[i];
    if (effect.violates) return std::nullopt;
    goal.must.insert(goal.must.end(), effect.children.begin(), effect.children.end());
  }
  sort_unique(&goal.must);
  return goal;
}

uint64_t Satisfiability::count_object(const Literals& literals, const ObjectContext& context) {
  KeyShape& shape = *context.shape;
  const auto [must, fail, left_over, present, absent, least, most] = read_object(literals, shape);
  if (!fail.empty() || !left_over.empty()) return 1;
  const auto property = [&](uint32_t id) -> uint64_t {
    const auto goal = property_goal(must, shape.key_class(id));
    return goal ? ways(*goal) : 0;
  };
  uint64_t total = 1, room = most - std::min<uint64_t>(most, present.size());
  if (room != 0) {
    if (!shape.other_classes_known()) return kMany;
    // Endlessly many names; only what these ask of their values is looked at.
    const std::vector<uint32_t> others = shape.other_classes();
    if (shape.only_listed() &&
        std::any_of(others.begin(), others.end(), [&](uint32_t id) { return property(id) != 0; })) {
      return kMany;
    }
  }
  for (const uint32_t text : present) {
    if (const auto id = shape.class_of_text(text)) total = times(total, property(*id));
  }
  uint64_t needed = least - std::min<uint64_t>(least, present.size());
  const auto option = [&](uint64_t found) {
    if (room == 0 || found == 0) return;
    --room;
    total = times(total, needed > 0 ? found : plus(found, 1));
    if (needed > 0) --needed;
  };
  for (const uint32_t id : std::vector<uint32_t>(shape.other_classes())) option(property(id));
  for (const std::u32string_view name : shape.machine().spec().strings) {
    if (room == 0 || total >= kMany) break;
    uint32_t product = shape.machine().product(shape.machine().start());
    for (const char32_t c : name) product = shape.machine().step_codepoint(product, c);
    const uint32_t id = shape.class_of(shape.machine().signature(product));
    const KeyClass& key = shape.key_class(id);
    if (key.order < context.order || seen_->contains(context.seen, key.text) ||
        absent.contains(key.text) || present.contains(key.text)) {
      continue;
    }
    option(property(id));
  }
  return total;
}

uint64_t Satisfiability::array_ways(FormulaId f, uint64_t index, uint32_t used) {
  if (array(f, index, used) == kNever) return 0;
  const auto key = std::tuple(f, index, used);
  const auto [it, inserted] = array_ways_.try_emplace(key, 1);
  if (!inserted) return it->second;
  const uint64_t found = most_ways(f, [&](const Literals& literals) -> uint64_t {
    if (array_literals(literals, index, used) == kNever) return 0;
    Places places;
    if (!places_of(literals, index, &places)) return 1;
    const uint64_t taken = places.unique ? seen_->size(used) + places.count() : 0;
    uint64_t total = 1;
    for (const auto& [goal, times_needed] : places.needed) {
      const uint64_t each = ways(goal);
      if (each <= taken) return 1;
      const uint64_t left = each - taken;
      for (uint64_t i = 0; i < times_needed && left > 1 && total < kMany; ++i)
        total = times(total, left);
    }
    // With one more item, with two, and so on.
    uint64_t prefix = 0;
    for (const NodeId id : places.must)
      prefix = std::max<uint64_t>(prefix, expansion_->node(id).prefix_items.size());
    uint64_t longer = total, used_up = taken;
    for (uint64_t n = places.count(); n < places.most && total < kMany; ++n) {
      const uint64_t each = ways(item_goal(places.must, index + n));
      if (each <= used_up) break;
      if (each == 1 && index + n >= prefix && !places.unique)
        return plus(total, times(longer, std::min(places.most - n, kMany)));
      longer = times(longer, each - used_up);
      total = plus(total, longer);
      if (places.unique) ++used_up;
    }
    return total;
  });
  return array_ways_[key] = std::max<uint64_t>(found, 1);
}

Goal Satisfiability::item_goal(const std::vector<NodeId>& must, uint64_t at) const {
  Goal goal;
  for (const NodeId id : must) {
    const NodeId child = item_node(id, at);
    if (child != kNoNode && !expansion_->trivially_true(child)) goal.must.push_back(child);
  }
  sort_unique(&goal.must);
  return goal;
}

// The items that must still come, as far as their number and kItems say; false where other literals
// (contains, a node to be violated) have a say in what they are.
bool Satisfiability::places_of(const Literals& literals, uint64_t index, Places* out) {
  bool simple = true;
  uint64_t least = 0, prefix = 0;
  for (const FormulaId f : literals.positive) {
    const Atom& atom = pool_->atom_of(f);
    if (atom.kind == Atom::Kind::kItems) {
      out->must.push_back(atom.index);
      prefix = std::max<uint64_t>(prefix, expansion_->node(atom.index).prefix_items.size());
    }
    if (atom.kind == Atom::Kind::kMoreItems) least = std::max(least, atom.bound);
    if (atom.kind == Atom::Kind::kUnique) out->unique = true;
    simple =
        simple && atom.kind != Atom::Kind::kContains && atom.kind != Atom::Kind::kUnevaluatedItems;
  }
  for (const FormulaId f : literals.negative) {
    const Atom& atom = pool_->atom_of(f);
    if (atom.kind == Atom::Kind::kMoreItems) out->most = std::min(out->most, atom.bound - 1);
    simple = simple && atom.kind == Atom::Kind::kMoreItems;
  }
  for (uint64_t i = 0; i < least;) {
    const uint64_t times_needed = index + i >= prefix ? least - i : 1;
    out->needed.emplace_back(item_goal(out->must, index + i), times_needed);
    i += times_needed;
  }
  return simple;
}

// The values of a goal, as ids, when it has no more than `enough`; nullopt when it has more, or
// when they are not known one by one.
std::optional<std::vector<uint32_t>> Satisfiability::few_values(const Goal& goal, uint64_t enough) {
  if (ways(goal) > enough) return std::nullopt;
  std::vector<uint32_t> out;
  for (int c = 0; c < kValueClasses; ++c) {
    const auto value_class = static_cast<ValueClass>(c);
    const FormulaId f = formula_of(goal, value_class);
    if (value_of_class(f, value_class) == kNever) continue;
    if (value_class <= ValueClass::kTrue) {
      out.push_back(ids_->literal(value_class));
    } else if (value_class >= ValueClass::kArray) {
      if (listed_values(goal, value_class, &out)) continue;
      const auto made = few_containers(goal, value_class);
      if (!made) return std::nullopt;
      out.insert(out.end(), made->begin(), made->end());
    } else if (!domain(f, value_class).complete) {
      return std::nullopt;
    } else {
      for (const std::u32string& s : domain(f, value_class).strings) out.push_back(ids_->string(s));
      for (const Decimal& n : domain(f, value_class).numbers) out.push_back(ids_->number(n));
    }
  }
  return out;
}

// The arrays or objects of a goal that a const or enum lists; false where none does.
bool Satisfiability::listed_values(const Goal& goal, ValueClass value_class,
                                   std::vector<uint32_t>* out) {
  for (NodeId id : goal.must) {
    while (expansion_->node(id).ref != kNoNode && !expansion_->node(id).enum_values &&
           !expansion_->node(id).const_value) {
      id = expansion_->node(id).ref;
    }
    const SchemaNode& node = expansion_->node(id);
    if (!node.enum_values && !node.const_value) continue;
    std::set<uint32_t> found;
    const auto consider = [&](const JsonValue& value) {
      const uint32_t v = ids_->of(value);
      if (ids_->class_of(v) == value_class && admits(goal, v)) found.insert(v);
    };
    if (node.const_value) {
      consider(JsonValue(*node.const_value));
    } else {
      for (const JsonValue& value : std::vector<JsonValue>(*node.enum_values)) consider(value);
    }
    out->insert(out->end(), found.begin(), found.end());
    return true;
  }
  return false;
}

bool Satisfiability::always_extensible(FormulaId f, ValueClass value_class) {
  const auto [it, inserted] =
      extensible_.try_emplace(uint64_t{f} << 3 | static_cast<uint64_t>(value_class), false);
  if (!inserted) return it->second;
  Literals literals;
  std::vector<FormulaId> open;
  propagate(f, &literals, &open);
  if (!open.empty() || !literals.negative.empty()) return false;
  bool result = true;
  if (value_class == ValueClass::kObject) {
    for (const FormulaId atom : literals.positive)
      result = result && pool_->atom_of(atom).kind != Atom::Kind::kUnevaluatedProperties;
    KeyShape* shape = shape_of_(f);
    const std::vector<size_t> must = read_object(literals, *shape).must;
    const std::vector<uint32_t> others = shape->other_classes();
    result = result && shape->only_listed() && std::ranges::any_of(others, [&](uint32_t id) {
               const auto goal = property_goal(must, shape->key_class(id));
               return goal && ways(*goal) != 0;
             });
  } else {
    Places places;
    result = places_of(literals, 0, &places);
    uint64_t prefix = 0;
    for (const NodeId id : places.must)
      prefix = std::max<uint64_t>(prefix, expansion_->node(id).prefix_items.size());
    for (uint64_t at = 0; at <= prefix && result; ++at)
      result = ways(item_goal(places.must, at)) >= (places.unique ? kMany : 1);
  }
  return extensible_[uint64_t{f} << 3 | static_cast<uint64_t>(value_class)] = result;
}

// Places that have too few values for comfort, with those left; false when one has none.
bool Satisfiability::tight_places(const Places& places, uint32_t used,
                                  std::vector<std::vector<uint32_t>>* tight) {
  const uint64_t enough = seen_->size(used) + places.count();
  for (const auto& [goal, times_needed] : places.needed) {
    const auto values = few_values(goal, enough);
    if (!values) continue;
    std::vector<uint32_t> left;
    for (const uint32_t v : *values) {
      if (!seen_->contains(used, v)) left.push_back(v);
    }
    if (left.size() < times_needed) return false;
    for (uint64_t i = 0; i < times_needed && tight->size() < kMaxPlaces; ++i)
      tight->push_back(left);
  }
  return true;
}

// Are there as many unused values of which `contains` counts each, and which some place takes, as
// must still be counted?
bool Satisfiability::matches_left(const Literals& literals, uint64_t index, uint32_t used) {
  std::vector<NodeId> must;
  uint64_t last = index;
  for (const FormulaId f : literals.positive) {
    const Atom atom = pool_->atom_of(f);
    if (atom.kind != Atom::Kind::kItems) continue;
    must.push_back(atom.index);
    last = std::max<uint64_t>(last, expansion_->node(atom.index).prefix_items.size());
  }
  for (const FormulaId f : literals.positive) {
    const Atom atom = pool_->atom_of(f);  // copied: the pool may grow
    if (atom.kind != Atom::Kind::kContains) continue;
    const auto values = few_values({{atom.index}, {}}, atom.bound + seen_->size(used));
    if (!values) continue;
    const auto left = std::ranges::count_if(*values, [&](uint32_t v) {
      if (seen_->contains(used, v)) return false;
      for (uint64_t at = index; at <= last; ++at) {
        if (admits(item_goal(must, at), v)) return true;
      }
      return false;
    });
    if (static_cast<uint64_t>(left) < atom.bound) return false;
  }
  return true;
}

bool Satisfiability::distinct_possible(const Literals& literals, uint64_t index, uint32_t used) {
  Places places;
  places_of(literals, index, &places);
  std::vector<std::vector<uint32_t>> tight;
  if (!tight_places(places, used, &tight) || !matches_left(literals, index, used)) return false;
  // Kuhn's algorithm: a place takes a free value, or one whose place can take another.
  std::unordered_map<uint32_t, size_t> taken;
  std::set<uint32_t> tried;
  const std::function<bool(size_t)> place = [&](size_t i) {
    for (const uint32_t v : tight[i]) {
      if (!tried.insert(v).second) continue;
      const auto it = taken.find(v);
      if (it != taken.end() && !place(it->second)) continue;
      taken[v] = i;
      return true;
    }
    return false;
  };
  for (size_t i = 0; i < tight.size(); ++i) {
    tried.clear();
    if (!place(i)) return false;
  }
  return true;
}

std::vector<uint32_t> Satisfiability::tight_values(FormulaId f, uint64_t index, uint32_t used) {
  Literals literals;
  std::vector<FormulaId> open;
  Places places;
  propagate(f, &literals, &open);
  places_of(literals, index, &places);
  std::vector<std::vector<uint32_t>> tight;
  if (!places.unique) return {};
  tight_places(places, used, &tight);
  std::set<uint32_t> out;
  for (const auto& values : tight) out.insert(values.begin(), values.end());
  return {out.begin(), out.end()};
}

// An array that must hold two equal items: one of the next places repeats a used value, or two of
// them can be equal.
bool Satisfiability::repetition_possible(const Literals& literals, uint64_t index, uint32_t used) {
  Places places;
  places_of(literals, index, &places);
  uint64_t prefix = index;
  for (const NodeId id : places.must)
    prefix = std::max<uint64_t>(prefix, expansion_->node(id).prefix_items.size());
  std::vector<Goal> goals;
  for (uint64_t at = index; at <= prefix + 1 && at - index < places.most; ++at) {
    goals.push_back(item_goal(places.must, at));
    const Goal& goal = goals.back();
    if (value(goal) == kNever) return false;
    bool found = false;
    seen_->for_each(
        used, [&](uint32_t v) { found = found || v == ValueStore::kUnseen || admits(goal, v); });
    for (size_t i = 0; i + 1 < goals.size() && !found; ++i) {
      Goal both = goal;
      both.must.insert(both.must.end(), goals[i].must.begin(), goals[i].must.end());
      sort_unique(&both.must);
      found = value(both) != kNever;
    }
    if (found) return true;
  }
  return false;
}

NodeId Satisfiability::constant(uint32_t id) {
  const auto [it, inserted] = constants_.try_emplace(id, kNoNode);
  if (inserted) it->second = expansion_->enum_node({ids_->json(id)});
  return it->second;
}

Cost Satisfiability::cost_as(Goal goal, uint32_t id) {
  goal.must.push_back(constant(id));
  std::sort(goal.must.begin(), goal.must.end());
  return value(goal);
}

// The cost of an item that must differ from those used and taken, where its values are few.
Cost Satisfiability::cost_of_unused(const Goal& goal, uint32_t used, Cost otherwise,
                                    std::vector<uint32_t>* taken) {
  const auto few = few_values(goal, kFewValues);
  if (!few) return otherwise;
  Cost best = kNever;
  uint32_t chosen = 0;
  for (const uint32_t v : *few) {
    if (seen_->contains(used, v) || std::find(taken->begin(), taken->end(), v) != taken->end())
      continue;
    if (const Cost cost = cost_as(goal, v); cost < best) best = cost, chosen = v;
  }
  if (best == kNever) return otherwise;
  taken->push_back(chosen);
  return best;
}

}  // namespace espalier
