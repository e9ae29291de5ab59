// Which objects look alike to masks before a name?
//
// The idea. After a comma a token can begin a name, but hardly any spells a whole one
// (NameHeads::whole). Where any name may come, the names that were used do not show, then; where
// names are listed, it shows which of them are left. So what a mask before a name depends on is
// written down as a list of numbers, and the first object with that list stands for all.
//
// Example: in {"properties": {"id": A}} the masks after `{"x": 1,` and after `{"id": 2,` are one,
// as no token spells `"id"`. It is that of any other object in which any name may come.
//
// Invariants: states with one list have the same continuations as far as one token reaches. Objects
// whose outcome matters to what holds them, or whose names must be remembered, are like themselves.
//
// Cost: once for each object, a look at each listed name.
#include <utility>
#include <vector>

#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

constexpr uint32_t kMaxListed = 64;  // names that are looked at one by one
constexpr uint32_t kMaxUsed = 32;

}  // namespace

// `s` stands before the quote of a name.
State SchemaMachine::like_before_name(State s, const NameHeads& heads) {
  if (heads.deep || heads.whole == nullptr) return s;
  State like = s;
  if (steps_.find(s, kLikeLabel, &like)) return heads_fit(heads) ? like : s;
  const std::lock_guard lock(mutex_);
  if (!take_heads(heads) || !status_.ok()) return s;
  std::vector<uint32_t> list;
  if (list_name_futures(s, heads, &list) && status_.ok()) {
    const uint32_t id = like_lists_.intern(list);
    if (id > like_names_.size()) like_names_.push_back(s);
    like = like_names_[id - 1];
  }
  steps_.insert(s, kLikeLabel, like);
  return like;
}

// All that the mask depends on; false where it is not known.
bool SchemaMachine::list_name_futures(State s, const NameHeads& heads, std::vector<uint32_t>* out) {
  const FrameId object = s.frame;
  const Frame frame = frames_[object];
  const Frame& slot = frames_[frame.parent];
  if ((frame.forbidden | slot.remember | slot.forbidden | slot.bindings) != 0) return false;
  KeyShape& shape = *shapes_[frame.shape];
  if (!shape.other_classes_known() || shape.machine().spec().strings.size() > kMaxListed)
    return false;
  const bool open = open_object(object);
  NameSet& set = names(object);
  const bool listed_only = !open && set.others() == nullptr;
  if (!listed_only && (!open || set.others() != nullptr)) return false;
  if (frame.open_names != 0 && open && uses_whole_name(frame, heads)) return false;
  const std::vector<uint32_t>& whole = whole_names(frame.shape, heads);
  // Where any name may come and none is spelled whole, the list is nothing to the mask.
  *out = {s.state, open && whole.empty() ? UINT32_MAX : frame.shape};
  if (listed_only) {
    uint32_t bits = 0;
    const auto last = static_cast<uint32_t>(shape.machine().spec().strings.size());
    for (uint32_t i = 0; i < last; ++i) {
      bits = bits << 1 | (listed_live(object, set, i, i + 1) ? 1 : 0);
      if (i % 32 == 31 || i + 1 == last) out->push_back(std::exchange(bits, 0));
    }
  }
  const auto add_future = [&](uint32_t key_class) {
    const FrameId after = property_slot(object, key_class, TextStore::kUnseen);
    out->push_back(after != 0 ? like_slot(after) : 0);
  };
  for (const uint32_t key_class : whole) add_future(key_class);
  if (open) add_future(shape.other_classes().front());
  return true;
}

// The classes of listed names that tokens spell whole: the same in all objects of a shape.
const std::vector<uint32_t>& SchemaMachine::whole_names(uint32_t shape_id, const NameHeads& heads) {
  const auto [it, inserted] = whole_names_.try_emplace(shape_id);
  if (!inserted) return it->second;
  KeyShape& shape = *shapes_[shape_id];
  const StringMachine& machine = shape.machine();
  for (const std::u32string_view name : machine.spec().strings) {
    if (!heads.whole(name)) continue;
    uint32_t product = machine.product(machine.start());
    for (const char32_t c : name) product = machine.step_codepoint(product, c);
    it->second.push_back(shape.class_of(machine.signature(product)));
  }
  return it->second;
}

// May a token spell a name that was used and is not listed?
bool SchemaMachine::uses_whole_name(const Frame& object, const NameHeads& heads) const {
  if (sets_.size(object.seen) > kMaxUsed) return true;
  bool any = false;
  sets_.for_each(object.seen, [&](uint32_t text) {
    any |= texts_.knows(text) && heads.whole(texts_.text(text));
  });
  return any;
}

}  // namespace espalier
