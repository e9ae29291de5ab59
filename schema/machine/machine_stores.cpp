// What a machine holds, and when it is to be given up.
//
// The idea: a machine's own states are bounded by the grammar, which replaces it when they outgrow
// a budget. Automata are shared with other machines and may be full, or worn, whoever filled them.
// A machine that is begun anew then loads its schema again, and finds or builds others.
//
// Example: twenty grammars with {"format": "regex"} share one automaton, in which each text that
// was ever read has states. When it is worn, a grammar whose store is replaced goes on in another.
//
// Cost: status() compares two numbers unless some automaton of the process has run out since.
#include <algorithm>
#include <set>

#include "schema/machine/schema_machine.h"

namespace espalier {

Status SchemaMachine::status() const {
  const uint64_t exhausted = CodepointAutomaton::exhausted();
  if (!failed_.load(std::memory_order_acquire) &&
      exhausted == exhausted_seen_.load(std::memory_order_acquire)) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) return status_;
  for (const CodepointAutomaton* automaton : automata()) {
    if (Status status = automaton->status(); !status.ok()) return status;
  }
  exhausted_seen_.store(exhausted, std::memory_order_release);
  return {};
}

// The automata that are in use so far.
std::set<const CodepointAutomaton*> SchemaMachine::automata() const {
  std::set<const CodepointAutomaton*> result;
  for (const auto& automaton : expansion_.atoms().automata) result.insert(automaton.get());
  for (const auto& shape : shapes_) {
    for (const auto& automaton : shape->machine().spec().automata) result.insert(automaton.get());
  }
  return result;
}

// Automata that are worn, by whomever, are given up together with the states: loading the schema
// again finds or begins others.
std::shared_ptr<Recognizer> SchemaMachine::fresh() const {
  std::unique_lock lock(mutex_);
  const auto in_use = automata();
  lock.unlock();
  if (std::ranges::any_of(in_use, [](const auto* automaton) { return automaton->worn(); })) {
    const JsonDocument& schema = graph_->documents[0];
    if (auto graph = load_schema(schema.serialize(schema.root()), options_, KeywordReports::kNone);
        graph.ok()) {
      return std::make_shared<SchemaMachine>(*graph, options_);
    }
  }
  return std::make_shared<SchemaMachine>(graph_, options_);
}

size_t SchemaMachine::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  size_t bytes = sizeof *this + pool_.memory_bytes() + texts_.memory_bytes() +
                 sets_.memory_bytes() + frames_.memory_bytes() + steps_.memory_bytes() +
                 like_keys_.memory_bytes() + values_.memory_bytes();
  for (const auto& shape : shapes_) bytes += shape->memory_bytes();
  for (const auto& names : owned_name_sets_) bytes += names->memory_bytes() + sizeof(void*);
  bytes += owned_value_starts_.size() * (sizeof(ValueStarts) + 2 * sizeof(void*));
  bytes += typed_memo_.memory_bytes() + leaf_memo_.memory_bytes() + container_memo_.memory_bytes() +
           after_memo_.memory_bytes() + class_slots_.memory_bytes() + left_memo_.memory_bytes();
  for (const auto& [key, others] : other_names_) bytes += others.rooms.memory_bytes();
  const size_t memos = cost_memo_.size() + total_memo_.size() + plain_objects_.size() +
                       other_names_.size() + listed_strings_.size() + one_of_memo_.size() +
                       avoiding_memo_.size();
  return bytes + memos * 48 + named_slots_.size() * 72;
}

size_t SchemaMachine::leaf_memory_bytes() const {
  size_t bytes = 0;
  for (uint32_t i = 0; i < leaves_.size(); ++i) {
    if (const auto* leaf = dynamic_cast<const ScalarLeaf*>(leaves_[i].get()))
      bytes += leaf->memory_bytes();
  }
  const std::lock_guard lock(mutex_);
  for (const CodepointAutomaton* automaton : automata()) {
    if (automaton->remembers()) bytes += automaton->memory_bytes();
  }
  return bytes;
}

}  // namespace espalier
