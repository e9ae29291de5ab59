// The number machine: number states interned and linked, lazily.
//
// A state id names the content of a number state (number_state.h): the same content reached by
// different digits is the same id, so masks and memos keyed by id are right under rollback and
// across threads. The first transition on a byte computes the next content, interns it by its
// canonical content and publishes the id in the node; afterwards a step is two loads.
//
// Example, atoms {value < 100}: "5" and "50" are different states (one more digit may follow before
// 100 is passed), "7" and "8" are one.
//
// Reachable truth vectors are computed once per state from a representative text, spelled by the
// chain of parents, which is right because equal contents have equal futures.
//
// Invariants: id 0 is dead; nodes live in chunks that never move; a node is complete before its id
// is published (release) and transitions are read with acquire. The slow path holds one mutex.
// Cost: step on a known transition: a few ns, no lock. New state: O(atoms) plus one hash. A number
// of n digits makes at most O(n) states; past kMaxStates no new state is made and the number ends
// there (dead).

#include "grammar/numbers/number_machine.h"

#include <array>
#include <atomic>
#include <bit>
#include <map>
#include <mutex>
#include <set>

#include "grammar/numbers/number_atoms.h"
#include "grammar/numbers/number_reach.h"
#include "grammar/numbers/number_state.h"
#include "grammar/tables/id_table.h"

namespace espalier {
namespace {

using number::Atoms;
using number::Content;
using Truth = NumberMachine::Truth;

constexpr uint32_t kDead = 0;
constexpr uint32_t kStart = 1;
constexpr uint32_t kUnknown = UINT32_MAX;
constexpr uint32_t kMaxStates = 1u << 24;
constexpr size_t kMaxExits = 256;  // shortest texts that are remembered
constexpr size_t kSlots = 14;
constexpr uint8_t kNoSlot = 0xff;
constexpr std::string_view kSlotBytes = "0123456789+-.e";

constexpr std::array<uint8_t, 256> make_slots() {
  std::array<uint8_t, 256> slots{};
  for (auto& slot : slots) slot = kNoSlot;
  for (size_t i = 0; i < kSlots; ++i)
    slots[static_cast<uint8_t>(kSlotBytes[i])] = static_cast<uint8_t>(i);
  slots['E'] = slots['e'];
  return slots;
}
constexpr std::array<uint8_t, 256> kSlotOf = make_slots();

using TruthSet = std::vector<Truth>;

struct Node {
  std::array<std::atomic<uint32_t>, kSlots> next;
  std::atomic<const TruthSet*> reachable{nullptr};
  Truth truth = 0;
  bool complete = false;
  char byte = 0;
  uint32_t parent = kDead;
  Content content;

  Node() {
    for (auto& n : next) n.store(kUnknown, std::memory_order_relaxed);
  }
};

// Append-only array of nodes in chunks of doubling size; addresses are stable.
class NodeStore {
 public:
  ~NodeStore() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }
  Node& operator[](uint32_t id) const {
    const uint32_t scaled = id / kFirst + 1;
    const auto chunk = static_cast<uint32_t>(std::bit_width(scaled)) - 1;
    return chunks_[chunk].load(std::memory_order_acquire)[id - kFirst * ((1u << chunk) - 1)];
  }
  // Room for one more; callers hold the machine's mutex.
  uint32_t append() {
    const uint32_t id = size_++;
    const uint32_t scaled = id / kFirst + 1;
    const auto chunk = static_cast<uint32_t>(std::bit_width(scaled)) - 1;
    if (chunks_[chunk].load(std::memory_order_relaxed) == nullptr) {
      chunks_[chunk].store(new Node[size_t{kFirst} << chunk], std::memory_order_release);
    }
    return id;
  }
  uint32_t size() const { return size_; }

 private:
  static constexpr uint32_t kFirst = 8;
  std::array<std::atomic<Node*>, 24> chunks_{};
  uint32_t size_ = 0;
};

class LazyNumberMachine final : public NumberMachine {
 public:
  explicit LazyNumberMachine(Atoms atoms) : atoms_(std::move(atoms)) {
    nodes_.append();
    for (auto& next : nodes_[kDead].next) next.store(kDead, std::memory_order_relaxed);
    intern(Content{}, kDead, 0);
  }

  uint32_t start() const override { return kStart; }

  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint8_t slot = kSlotOf[byte];
    if (slot == kNoSlot) return kDead;
    const uint32_t next = nodes_[state].next[slot].load(std::memory_order_acquire);
    return next != kUnknown ? next : compute(state, slot);
  }

  bool complete(uint32_t state) const override { return nodes_[state].complete; }
  Truth truth(uint32_t state) const override { return nodes_[state].truth; }

  std::span<const Truth> reachable(uint32_t state) const override {
    if (state == kDead) return {};
    Node& node = nodes_[state];
    const TruthSet* set = node.reachable.load(std::memory_order_acquire);
    if (set == nullptr) {
      TruthSet truths;
      for (const auto& [truth, found] :
           number::reach(atoms_, node.content, text(state), number::Witnesses::kNone)) {
        truths.push_back(truth);
      }
      const std::lock_guard lock(mutex_);
      set = &*sets_.insert(std::move(truths)).first;
      node.reachable.store(set, std::memory_order_release);
    }
    return *set;
  }

  bool reaches(uint32_t state, const std::function<bool(Truth)>& wanted) const override {
    if (state == kDead) return false;
    const Node& node = nodes_[state];
    if (node.complete && wanted(node.truth)) return true;
    if (const TruthSet* set = node.reachable.load(std::memory_order_acquire))
      return std::any_of(set->begin(), set->end(), wanted);
    return number::reaches(
        atoms_, node.content, [&] { return text(state); }, wanted);
  }

  std::string shortest(uint32_t state, std::span<const bool> wanted) const override {
    if (state == kDead) return {};
    const auto truths = reachable(state);
    TruthSet chosen;
    for (size_t i = 0; i < truths.size() && i < wanted.size(); ++i) {
      if (wanted[i]) chosen.push_back(truths[i]);
    }
    if (chosen.empty()) return {};
    {
      const std::lock_guard lock(mutex_);
      const auto known = exits_.find({state, chosen});
      if (known != exits_.end()) return known->second;
    }
    std::string exit =
        number::shortest_completion(atoms_, nodes_[state].content, text(state), chosen);
    const std::lock_guard lock(mutex_);
    if (exits_.size() >= kMaxExits) exits_.clear();
    exits_.emplace(std::pair(state, std::move(chosen)), exit);
    return exit;
  }

  size_t memory_bytes() const override {
    constexpr size_t kLists = 64;  // of a content
    constexpr size_t kExit = 160;
    const std::lock_guard lock(mutex_);
    return sizeof *this + nodes_.size() * (sizeof(Node) + kLists) + ids_.memory_bytes() +
           exits_.size() * kExit;
  }

 private:
  // The text by which the state was first reached.
  std::string text(uint32_t state) const {
    std::string reversed;
    for (; state != kStart; state = nodes_[state].parent) reversed += nodes_[state].byte;
    return {reversed.rbegin(), reversed.rend()};
  }

  uint32_t intern(Content content, uint32_t parent, char byte) const {
    const uint64_t hash = content.hash();
    const uint32_t known =
        ids_.find(hash, [&](uint32_t id) { return nodes_[id].content == content; });
    if (known != IdTable::kNone) return known;
    if (nodes_.size() >= kMaxStates) return kDead;
    const uint32_t id = nodes_.append();
    ids_.insert(hash, id);
    Node& node = nodes_[id];
    node.complete = is_complete(atoms_, content);
    node.truth = node.complete ? truth_of(atoms_, content) : 0;
    node.parent = parent;
    node.byte = byte;
    node.content = std::move(content);
    return id;
  }

  uint32_t compute(uint32_t state, uint8_t slot) const {
    const char byte = kSlotBytes[slot];
    Content content;
    const bool alive =
        number::advance(atoms_, nodes_[state].content, static_cast<uint8_t>(byte), content);
    const std::lock_guard lock(mutex_);
    const uint32_t next = alive ? intern(std::move(content), state, byte) : kDead;
    nodes_[state].next[slot].store(next, std::memory_order_release);
    return next;
  }

  const Atoms atoms_;
  mutable std::mutex mutex_;
  mutable NodeStore nodes_;
  mutable IdTable ids_;
  mutable std::set<TruthSet> sets_;
  mutable std::map<std::pair<uint32_t, TruthSet>, std::string>
      exits_;  // by state and what is wanted
};

}  // namespace

Result<std::shared_ptr<const NumberMachine>> NumberMachine::create(std::vector<NumberAtom> atoms,
                                                                   NumberSpelling spelling) {
  auto prepared = number::prepare_atoms(atoms, spelling);
  if (!prepared.ok()) return prepared.status();
  return std::shared_ptr<const NumberMachine>(
      std::make_shared<LazyNumberMachine>(std::move(prepared.value())));
}

}  // namespace espalier
