// Looking ahead into names that are listed.
//
// The idea: where listed names alone may come, because the object takes no others or because none
// of those begins like this, what a token may spell next is in the trie of names. A state of the
// shape's machine for each place in it, with its table of steps, is made for the one token that is
// taken; for the thousands that are only looked at the node of the trie is the state. Escapes
// beyond one letter, characters of several bytes and names that are not known to be possible yet
// are left to the machine.
//
// Example: with the names "size" and "sort", `s` leads to a node with the letters i and o, and
// after `ort` the quote ends the name whose class the list tells.
//
// Invariant: a place lies on the way to a name that may come.
// Cost: a binary search among the letters that lead on, for each byte.
#include "grammar/codepoints/json_spelling.h"
#include "schema/machine/schema_machine.h"

namespace espalier {

// The state that stands for s, where listed names alone may come and a byte is only looked at; s
// where there is none.
State SchemaMachine::as_listed_name(State s) const {
  const StringMachine& machine = *key_machines_[frames_[s.frame].shape];
  if (!machine.between(s.state) || machine.spec().spelling != StringSpelling::kJson) return s;
  const uint32_t node = machine.trie_node(machine.product(s.state));
  return node != StringMachine::kOffTrie ? State{s.frame, kListedName, 2 * node, 0} : s;
}

bool SchemaMachine::advance_listed_unlocked(State* s, uint8_t byte) const {
  const StringMachine& machine = *key_machines_[frames_[s->frame].shape];
  const NameSet& names = *name_sets_.get(s->frame);
  const uint32_t node = s->state / 2;
  const bool escaped = s->state % 2 != 0;
  const auto go_to = [&](uint32_t state, std::pair<uint32_t, uint32_t> below) {
    const NameSet::Any any = names.any(below.first, below.second);
    if (any == NameSet::Any::kUnknown) return false;
    *s = any == NameSet::Any::kSome ? State{s->frame, kListedName, state, 0} : State{};
    return true;
  };
  if (!escaped && byte == '\\') {
    auto below = machine.listed_at(node);
    below.first += machine.is_listed(node) ? 1 : 0;
    return go_to(s->state + 1, below);
  }
  if (escaped ? byte == 'u' : byte == '"' || byte >= 0x80) return false;
  const uint32_t codepoint = escaped ? simple_escape(byte) : byte >= 0x20 ? byte : 0;
  const uint32_t next =
      codepoint != 0 ? machine.trie_next(node, codepoint) : StringMachine::kOffTrie;
  if (next != StringMachine::kOffTrie) return go_to(2 * next, machine.listed_at(next));
  *s = {};
  return true;
}

State SchemaMachine::advance_listed_name(State s, uint8_t byte) {
  KeyShape& shape = *shapes_[frames_[s.frame].shape];
  const StringMachine& machine = shape.machine();
  const uint32_t node = s.state / 2;
  const bool escaped = s.state % 2 != 0;
  if (!escaped && byte == '"') {
    if (!machine.is_listed(node)) return {};
    return end_name(s.frame, shape.listed_classes()[machine.listed_at(node).first],
                    TextStore::kUnseen);
  }
  if (State next = s; advance_listed_unlocked(&next, byte)) return next;
  const auto [first, last] = machine.listed_at(node);
  if (!listed_live(s.frame, names(s.frame), first, last)) return {};
  uint32_t state = machine.state_at(node);
  if (escaped) state = machine.step(state, '\\');
  return advance_key({s.frame, kKey, state, TextStore::kUnseen}, byte, Mode::kProbe);
}

}  // namespace espalier
