// A short text that completes a state: SchemaMachine::shortest_completion.
//
// The idea: walk the machine itself. Inside a scalar take the leaf's shortest exit; in a container
// close as soon as it may close, else add the name or item after which the rest costs least, by the
// estimates of satisfiability.cpp; for a value take the cheapest class. Every byte goes through
// advance(), so the text is right even where an estimate is not.
//
// Cost: linear in the length of the text times the number of listed names. The text is a shortest
// one wherever the estimates are exact; it is always a completion.
#include <algorithm>
#include <set>

#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

constexpr size_t kMaxText = 1 << 20;
constexpr size_t kMaxSearch = 2'000;          // product states visited to find an unlisted name
constexpr Cost kDifference = 32;              // what differing from used containers may take
constexpr size_t kMaxFreeNames = 100;         // unlisted names one completion may write
constexpr size_t kMaxTrackedScalars = 2'000;  // the same for scalars whose outcome matters

constexpr uint64_t kMaxKnownValues = 16;  // an item is chosen among

void append_json_string(std::string_view wtf8, std::string* out) {
  *out += '"';
  for (const char32_t c : to_codepoints(wtf8)) append_json_codepoint(out, c);
  *out += '"';
}

void append_json(const JsonValue& value, std::string* out) {
  static constexpr const char* kLiterals[] = {"null", "false", "true"};
  switch (value.kind) {
    case JsonValue::Kind::kNumber:
      *out += value.number.to_string();
      break;
    case JsonValue::Kind::kString:
      append_json_string(value.string, out);
      break;
    case JsonValue::Kind::kArray:
      *out += '[';
      for (const JsonValue& item : value.items) {
        if (&item != value.items.data()) *out += ',';
        append_json(item, out);
      }
      *out += ']';
      break;
    case JsonValue::Kind::kObject:
      *out += '{';
      for (const auto& member : value.members) {
        if (&member != value.members.data()) *out += ',';
        append_json_string(member.first, out);
        *out += ':';
        append_json(member.second, out);
      }
      *out += '}';
      break;
    default:
      *out += kLiterals[static_cast<size_t>(value.kind)];
  }
}

/// A name that may come next: a listed one, or any of a class.
struct Candidate {
  FrameId slot;
  size_t length;
  std::optional<std::u32string_view> name;
  uint32_t unlisted;
};

/// Watches what the open containers cost to finish: an estimate that was wrong may want members for
/// ever.
class Progress {
 public:
  /// False when the innermost container, at this depth, has had many members that brought its end
  /// no nearer.
  bool comes_nearer(uint32_t depth, Cost cost) {
    open_.resize(depth + 1);
    Open& at = open_[depth];
    if (cost < at.least) {
      at = {cost, 0};
      return true;
    }
    return ++at.in_vain <= kMaxInVain;
  }

 private:
  static constexpr uint32_t kMaxInVain = 200;
  struct Open {
    Cost least = kNever;
    uint32_t in_vain = 0;
  };
  std::vector<Open> open_;
};

}  // namespace

bool SchemaMachine::accepting_locked(State s) const {
  if (s.dead()) return false;
  if (s.leaf == kDone) return true;
  return s.leaf >= kFirstLeaf && frames_[s.frame].parent == 0 &&
         leaves_[s.leaf - kFirstLeaf]->can_exit(s.state);
}

Result<std::string> SchemaMachine::shortest_completion(State s) {
  const std::lock_guard lock(mutex_);
  std::string out;
  Progress progress;
  free_names_ = tracked_scalars_ = 0;
  const Status none(
      StatusCode::kBudgetExceeded,
      "no completion of at most " + std::to_string(kMaxText) + " bytes was found from this state");
  if (s.dead()) return Status(StatusCode::kRejected, "the state is dead");
  while (!accepting_locked(s)) {
    if (out.size() > kMaxText) {
      return none;
    }
    bool ok = true;
    if (const std::string_view space = fixed_space(s); !space.empty()) {
      ok = append(space, &s, &out);
    } else if (s.leaf >= kFirstLeaf) {
      const Leaf* leaf = leaves_[s.leaf - kFirstLeaf].get();
      if (const auto* scalar = dynamic_cast<const ScalarLeaf*>(leaf)) {
        if (scalar->can_exit(s.state)) {
          s = end_leaf(s, s.state, Mode::kStep);
          ok = !s.dead();
        } else {
          const std::string exit = scalar->shortest_exit(s.state);
          ok = !exit.empty() &&
               (s.text != 0 && exit.back() == '"' ? append_other_string(exit, &s, &out)
                                                  : append(exit, &s, &out));
        }
      } else {
        ok = append(static_cast<const LiteralLeaf*>(leaf)->text().substr(s.state - 1), &s, &out);
      }
    } else {
      switch (s.leaf) {
        case kValue:
          ok = append_value(&s, &out);
          break;
        case kColon:
          ok = append(":", &s, &out);
          break;
        case kKeyQuote:
          ok = append_name(&s, &out);
          break;
        case kKey:
          ok = finish_name(&s, kAnyClass, &out);
          break;
        default: {
          const bool object = frames_[s.frame].kind == Frame::Kind::kObject;
          if (!progress.comes_nearer(frames_[s.frame].depth, total_cost(s.frame))) return none;
          if (better_closed(s.frame)) {
            ok = append(object ? "}" : "]", &s, &out);
          } else if (s.leaf == kAfterValue) {
            ok = append(",", &s, &out);
          } else if (object) {
            ok = append_name(&s, &out);
          } else {
            const FrameId slot = item_slot(s.frame);
            ok = slot != 0;
            s = {slot, kValue, 0, 0};
          }
          break;
        }
      }
    }
    if (!ok || s.dead()) {
      return none;
    }
  }
  return out;
}

// Changes nothing where the bytes are refused.
bool SchemaMachine::append(std::string_view bytes, State* s, std::string* out) {
  State after = *s;
  for (const char b : bytes) {
    after = advance(after, static_cast<uint8_t>(b), Mode::kStep);
    if (after.dead()) return false;
  }
  *s = after;
  *out += bytes;
  return true;
}

// The cost of finishing a container and, if its outcome matters to the one around it, that one.
Cost SchemaMachine::total_cost(FrameId container) {
  if (container == 0) return kNever;
  const Frame frame = frames_[container];
  if (frames_[frame.parent].bindings == 0) return frame_cost(container);
  const auto it = total_memo_.find(container);
  if (it != total_memo_.end()) return it->second;
  const std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  Cost best = kNever;
  visit_outcomes(formulas, [&](const Outcome& outcome) {
    if (!acceptable(frame.parent, outcome)) return false;
    const Cost rest = rest_cost(frame, joint(formulas, outcome), Answer::kCost);
    if (rest < best) best = std::min(best, add(rest, total_cost(apply(frame.parent, outcome))));
    return false;
  });
  return total_memo_[container] = best != kNever ? best : frame_cost(container);
}

// Is closing now a shortest way on? Where the outcome matters, another one may be worth its cost.
bool SchemaMachine::better_closed(FrameId container) {
  if (!closeable(container)) return false;
  const Frame frame = frames_[container];
  if (frames_[frame.parent].bindings == 0) return true;
  const FrameId after = apply(frame.parent, outcome_now(formula_lists_[frame.formulas]),
                              frames_[frame.parent].remember != 0 ? content_value(frame) : 0);
  return add(1, total_cost(after)) <= total_cost(container);
}

Cost SchemaMachine::class_cost(FrameId slot, ValueClass c) {
  if (!class_live(slot, c)) return kNever;
  const Frame at = frames_[slot];
  const bool is_container = c == ValueClass::kObject || c == ValueClass::kArray;
  if (at.bindings == 0) {
    // To differ from the containers that were used may take a longer one.
    const bool must_differ =
        is_container && forbidden_of_class(at.forbidden, c) != SetStore::kEmpty;
    return add(must_differ ? kDifference : 0, costs().value_of_class(typed(at.ask, c)[0], c));
  }
  if (is_container) return add(1, total_cost(container(slot, c)));
  if (c != ValueClass::kString && c != ValueClass::kNumber) return c == ValueClass::kFalse ? 5 : 4;
  const auto* leaf = static_cast<const ScalarLeaf*>(leaves_[leaf_of(slot, c)].get());
  return leaf->shortest_exit(leaf->start()).size() + 1;
}

Cost SchemaMachine::slot_cost(FrameId slot) {
  Cost best = kNever;
  for (int c = 0; c < kValueClasses; ++c)
    best = std::min(best, class_cost(slot, static_cast<ValueClass>(c)));
  return best;
}

// A scalar for a slot whose outcome matters to the container: of all acceptable outcomes the one
// after which the container is finished soonest, and the cost of both; kNever when no scalar will
// do.
Cost SchemaMachine::tracked_scalar(FrameId slot, std::string* text) {
  Cost best = kNever;
  std::string& chosen = *text;
  for (int i = 0; i < kValueClasses; ++i) {
    const auto c = static_cast<ValueClass>(i);
    if (c == ValueClass::kArray || c == ValueClass::kObject || !class_live(slot, c)) continue;
    const std::vector<FormulaId> formulas = formulas_avoiding(slot, c, Avoid::kAlways);
    if (c != ValueClass::kString && c != ValueClass::kNumber) {
      const Cost cost = add(4, total_cost(apply(slot, outcome_now(formulas))));
      static constexpr const char* kLiterals[] = {"null", "false", "true"};
      if (cost < best) best = cost, chosen = kLiterals[i];
      continue;
    }
    const auto* live = static_cast<const ScalarLeaf*>(leaves_[leaf_of(slot, c)].get());
    const auto outcomes = live->outcomes();
    if (!outcomes) continue;
    for (const Outcome& outcome : *outcomes) {
      const FrameId after = apply(slot, outcome);
      if (after == 0 || add(4, total_cost(after)) >= best) continue;
      const std::vector<Outcome> only{outcome};
      std::shared_ptr<const ScalarLeaf> leaf;
      if (c == ValueClass::kString) {
        leaf = string_leaf(pool_, formulas, expansion_.atoms(), strings_, &only);
      } else if (auto number = number_leaf(pool_, formulas, expansion_.atoms(), numbers_, &only);
                 number.ok()) {
        leaf = *number;
      }
      if (leaf == nullptr || leaf->start() == 0) continue;
      best = add(4, total_cost(after));
      chosen = (c == ValueClass::kString ? "\"" : "") + leaf->shortest_exit(leaf->start());
    }
  }
  return best;
}

bool SchemaMachine::append_tracked_scalar(State* s, std::string* out) {
  std::string chosen;
  if (++tracked_scalars_ > kMaxTrackedScalars) return false;
  const Cost best = tracked_scalar(s->frame, &chosen);
  Cost container_best = kNever;
  for (const ValueClass c : {ValueClass::kArray, ValueClass::kObject}) {
    container_best = std::min(container_best, class_cost(s->frame, c));
  }
  return best != kNever && best <= container_best && append(chosen, s, out);
}

// In an array that compares its items and asks more of them: of the values that may come, if they
// are few and known one by one, the one after which the rest costs least.
bool SchemaMachine::append_known_value(State* s, std::string* out) {
  const Frame at = frames_[s->frame];
  if (at.remember == 0 || at.parent == 0 || frames_[at.parent].kind != Frame::Kind::kArray ||
      (at.bindings == 0 && at.forbidden == SetStore::kEmpty)) {
    return false;
  }
  const auto few = existence_.few_values({asks_[at.ask][0], {}}, kMaxKnownValues);
  if (!few) return false;
  Cost best = kNever;
  std::string chosen;
  for (const uint32_t value : *few) {
    State after = *s;
    std::string spelled, written;
    append_json(values_.json(value), &spelled);
    if (!append(spelled, &after, &written)) continue;
    const State end = after.leaf >= kFirstLeaf ? end_leaf(after, after.state, Mode::kStep) : after;
    const Cost cost = end.dead() ? kNever : add(spelled.size(), total_cost(end.frame));
    if (cost < best) best = cost, chosen = std::move(spelled);
  }
  return best != kNever && append(chosen, s, out);
}

bool SchemaMachine::append_value(State* s, std::string* out) {
  if (append_known_value(s, out)) return true;
  if (frames_[s->frame].bindings != 0 && append_tracked_scalar(s, out)) return true;
  Cost best = kNever;
  auto chosen = ValueClass::kNull;
  for (int c = kValueClasses - 1; c >= 0; --c) {
    // Where no scalar did above, one is taken only if there is nothing else.
    const bool container = c >= static_cast<int>(ValueClass::kArray);
    if (!container && best != kNever && frames_[s->frame].bindings != 0) break;
    const Cost cost = class_cost(s->frame, static_cast<ValueClass>(c));
    if (cost < best || (cost == best && cost != kNever))
      best = cost, chosen = static_cast<ValueClass>(c);
  }
  if (best == kNever) return false;
  if (chosen == ValueClass::kNumber) {
    const auto* leaf = static_cast<const ScalarLeaf*>(leaves_[leaf_of(s->frame, chosen)].get());
    return append(leaf->shortest_exit(leaf->start()), s, out);
  }
  static constexpr const char* kFirst[] = {"n", "f", "t", "", "\"", "[", "{"};
  return append(kFirst[static_cast<int>(chosen)], s, out);
}

// A listed name that must come in any case and whose value matters to nothing else, the first in
// schema order: as good as any to go on with. None when there is none.
std::optional<std::u32string_view> SchemaMachine::required_name(FrameId object) {
  KeyShape& shape = *shapes_[frames_[object].shape];
  const FormulaId f = formula_lists_[frames_[object].formulas][0];
  const std::vector<FormulaId> parts =
      pool_.op(f) == FormulaPool::Op::kAnd ? pool_.parts(f) : std::vector{f};
  std::vector<std::pair<uint32_t, uint32_t>> classes;  // (order, class)
  for (const FormulaId part : parts) {
    if (pool_.op(part) != FormulaPool::Op::kAtom) continue;
    const Atom& atom = pool_.atom_of(part);
    if (atom.kind != Atom::Kind::kRequired) continue;
    if (const auto id = shape.class_of_text(atom.index))
      classes.emplace_back(shape.key_class(*id).order, *id);
  }
  std::sort(classes.begin(), classes.end());
  for (const auto& [order, id] : classes) {
    const FrameId slot = property_slot(object, id, TextStore::kUnseen);
    if (slot != 0 && frames_[slot].bindings == 0)
      return shape.machine().spec().strings[shape.key_class(id).string];
  }
  return std::nullopt;
}

// From a place where a name may start: the name after which the rest is cheapest. Where the
// estimate says that the cheapest brings the end no nearer, the value decides: names whose values
// are tracked are compared by the best value under them.
bool SchemaMachine::append_name(State* s, std::string* out) {
  const FrameId object = s->frame;
  if (const auto name = required_name(object)) return append_listed(*name, s, out);
  KeyShape& shape = *shapes_[frames_[object].shape];
  Cost best = kNever;
  FrameId best_slot = 0;
  std::optional<std::u32string_view> chosen;
  uint32_t unlisted = kAnyClass;
  std::vector<Candidate> tracked;
  const auto consider = [&](const Candidate& one) {
    const Cost rest = total_cost(frames_[one.slot].parent);
    const Cost cost = add(one.length + 3, add(slot_cost(one.slot), rest));
    if (frames_[one.slot].bindings != 0) tracked.push_back(one);
    if (cost >= best) return;
    best = cost;
    best_slot = one.slot;
    chosen = one.name;
    unlisted = one.unlisted;
  };
  const auto& names = shape.machine().spec().strings;
  const std::vector<uint32_t> classes = shape.listed_classes();
  for (uint32_t i = 0; i < names.size(); ++i) {
    const FrameId slot = property_slot(object, classes[i], TextStore::kUnseen);
    if (slot != 0) consider({slot, names[i].size(), names[i], kAnyClass});
  }
  for (const uint32_t other : std::vector<uint32_t>(shape.other_classes())) {
    const FrameId slot = property_slot(object, other, TextStore::kUnseen);
    if (slot != 0) consider({slot, 1, std::nullopt, other});
  }
  if (best_slot != 0 && total_cost(frames_[best_slot].parent) >= total_cost(object)) {
    Cost nearest = kNever;
    std::string value;
    for (const Candidate& one : tracked) {
      Cost best_value = tracked_scalar(one.slot, &value);
      for (const ValueClass c : {ValueClass::kArray, ValueClass::kObject})
        best_value = std::min(best_value, class_cost(one.slot, c));
      const Cost cost = add(one.length + 3, best_value);
      if (cost < nearest) nearest = cost, chosen = one.name, unlisted = one.unlisted;
    }
  }
  if (chosen) return append_listed(*chosen, s, out);
  // All names of the class may be used.
  return append("\"", s, out) && (finish_name(s, unlisted, out) || finish_name(s, kAnyClass, out));
}

bool SchemaMachine::append_listed(std::u32string_view name, State* s, std::string* out) {
  std::string escaped = "\"";
  for (const char32_t c : name) append_json_codepoint(&escaped, c);
  return append(escaped + "\"", s, out);
}

// From inside a name: the shortest rest of it that is allowed and, if one is given, of this class.
bool SchemaMachine::finish_name(State* s, uint32_t key_class, std::string* out) {
  KeyShape& shape = *shapes_[frames_[s->frame].shape];
  const StringMachine& machine = shape.machine();
  if (++free_names_ > kMaxFreeNames) return false;
  const auto go_on = [&](uint8_t byte) {
    const State next = advance(*s, byte, Mode::kProbe);
    return in_name(next) && append(std::string(1, static_cast<char>(byte)), s, out);
  };
  for (int guard = 0; !machine.between(s->state) && guard < 16; ++guard) {
    bool moved = false;
    for (int b = 0; b < 256 && !moved; ++b)
      moved = b != '"' && b != '\\' && go_on(static_cast<uint8_t>(b));
    if (!moved && !go_on('"') && !go_on('\\')) return false;
  }
  struct Step {
    uint32_t product, text;
    size_t parent;
    uint32_t codepoint;
  };
  const FrameId object = s->frame;
  std::vector<Step> steps{{machine.product(s->state), s->text, 0, 0}};
  std::set<std::pair<uint32_t, uint32_t>> seen{{steps[0].product, steps[0].text}};
  for (size_t i = 0; i < steps.size() && i < kMaxSearch; ++i) {
    const Step at = steps[i];
    const uint32_t id = shape.class_of(machine.signature(at.product));
    if ((key_class == kAnyClass || id == key_class) && property_slot(object, id, at.text) != 0) {
      std::vector<uint32_t> path;
      for (size_t j = i; j != 0; j = steps[j].parent) path.push_back(steps[j].codepoint);
      std::string escaped;
      for (auto it = path.rbegin(); it != path.rend(); ++it) append_json_codepoint(&escaped, *it);
      return append(escaped + "\"", s, out);
    }
    const auto take = [&](uint32_t c) {
      if (strings_ == StringSpelling::kMinimal && is_surrogate(c)) return;
      const uint32_t next = machine.step_codepoint(at.product, c);
      const uint32_t text = texts_.find(at.text, c);
      if (!product_live(object, next) || !seen.emplace(next, text).second) return;
      steps.push_back({next, text, i, c});
    };
    machine.successors(at.product, [&](uint32_t lo, uint32_t hi, uint32_t) {
      uint32_t c = readable_codepoint(lo, hi);
      take(c);
      // Where a used name may begin so, another one does not.
      if (at.text == TextStore::kUnseen) return;
      while (c < hi && texts_.find(at.text, c) != TextStore::kUnseen) ++c;
      take(c);
    });
  }
  return false;
}

}  // namespace espalier
