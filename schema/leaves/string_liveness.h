#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grammar/strings/string_machine.h"
#include "grammar/tables/id_table.h"
#include "schema/leaves/verdict.h"

namespace espalier {

/// Can a string be continued until a verdict holds? See string_liveness.cpp. Not thread-safe.
class StringLiveness {
 public:
  enum class Answer : uint8_t { kDead, kLive, kOverBudget };
  /// Is the listed string with this index in the set that the atom speaks of?
  using Member = std::function<bool(const Atom& atom, uint32_t string)>;

  /// Neither is copied. `longest`: no longer string is acceptable.
  StringLiveness(const StringMachine& machine, const Verdict& verdict, Member member,
                 uint64_t longest);

  /// About a product state of the machine.
  Answer ask(uint32_t product);

  /// As of the last question. Thread-safe.
  size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kAny = UINT32_MAX;  // the state of an automaton that does not matter
  static constexpr uint32_t kExtra = 3;         // trie node, length (two words)
  enum class Life : uint8_t { kUnknown, kLive, kDead };
  // What is known of an automaton's state alone.
  enum class Status : uint8_t { kDead, kOpen, kAccepting, kUniversal };

  // An automaton's states as they are met, with a row of successors by letter.
  struct Side {
    const CodepointAutomaton* automaton;
    std::vector<uint32_t> index;  // by state, kNone until met
    std::vector<uint32_t> next;   // by index, rows; first kNone until they are known
    std::vector<uint64_t> live;   // by index, the letters of the row that are not fatal
    std::vector<Status> status;   // by index
    std::vector<uint32_t> least;
  };
  // What the statuses of all automata amount to, while the string is none that is listed.
  struct Judgement {
    bool acceptable = false;     // now
    bool sure = false;           // what the only automaton accepts is acceptable at any length
    bool possible = true;        // some continuation may be
    bool lengths = true;         // does the length still matter,
    bool strings = true;         // do the listed strings,
    std::vector<bool> automata;  // does each automaton?
    std::vector<bool> musts;     // is nothing possible once it is dead?
  };
  struct Node {
    Life life = Life::kUnknown;
    bool acceptable = false;
    uint32_t lack = 0;
    uint32_t first = kNone, last = 0;  // successors, once they are known
    uint32_t coarse = kNone;           // the node of coarse states, once it is known
  };

  uint32_t index_of(Side* side, uint32_t state);
  size_t row_of(Side* side, uint32_t state);
  const Judgement& judge(const uint32_t* content, uint64_t length);
  Judgement judged(const uint32_t* content, uint32_t rank) const;
  uint32_t enter(uint32_t* content);
  Node make_node(const uint32_t* content, uint64_t length, const Judgement& judgement);
  void expand(uint32_t node);
  std::vector<uint32_t> letters_at(const uint32_t* content) const;
  void drop_unspellable(std::vector<uint32_t>* letters) const;
  bool listed_below(uint32_t trie_node);
  bool truth(const Atom& atom, const std::vector<bool>& accepted, uint32_t rank,
             uint32_t string) const;
  bool acceptable(const std::vector<bool>& accepted, uint32_t rank, uint32_t string) const;
  bool reaches(const Atom& atom, uint32_t rank) const;
  uint32_t rank_of(uint64_t length) const;
  using Visited = std::vector<std::pair<uint32_t, size_t>>;  // nodes, each with its predecessor
  enum class States : uint8_t { kExact, kCoarse };
  bool search(uint32_t from, States states, size_t budget, Visited* visited);
  uint32_t coarse_of(uint32_t node);
  bool coarsely_dead(uint32_t from, size_t budget);
  Answer answer(uint32_t from);
  void forget();
  void measure();

  const StringMachine& machine_;
  const Verdict& verdict_;
  const Member member_;
  const uint64_t longest_;
  const size_t width_;  // words of a node's content
  bool begun_ = false, classes_known_ = false;
  bool remembers_ = false;  // does an automaton?
  std::vector<uint32_t> letters_;  // one of each class
  std::vector<uint32_t> order_;    // their indices in the order of code points
  std::vector<Side> sides_;
  std::vector<bool> coarsens_;  // may the states of an automaton be replaced by coarse ones?
  std::unordered_map<std::string, Judgement> judgements_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> contents_;  // width_ words for each node
  std::vector<uint32_t> successors_;
  IdTable ids_;
  std::unordered_map<uint32_t, bool> listed_below_;  // by trie node
  std::string key_;
  size_t lookups_ = 0;
  bool overrun_ = false;
  std::atomic<size_t> bytes_ = 0;
};

}  // namespace espalier
