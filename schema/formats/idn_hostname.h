#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "grammar/tables/id_table.h"
#include "schema/formats/hostname.h"
#include "schema/formats/idna.h"

namespace espalier {

/// Reads internationalized host names, the format `idn-hostname`, as a machine of a
/// StructuredAutomaton; see idn_hostname.cpp. Not thread-safe.
class IdnHostnameMachine {
 public:
  struct State {
    uint32_t length = 0;  ///< of the finished labels as A-labels, their dots included
    bool some_right_to_left = false;
    bool some_breaks_rule = false;
    uint32_t label = 0;  ///< the text of the current label
    auto operator<=>(const State&) const = default;
    uint64_t hash() const {
      const uint64_t flags = (some_right_to_left ? 1u : 0u) | (some_breaks_rule ? 2u : 0u);
      return hash_append(hash_append(length, label), flags);
    }
  };

  IdnHostnameMachine() { intern(std::u32string()); }

  State start() const { return State(); }
  std::optional<State> step(const State& state, uint32_t c);
  bool accepting(const State& state);
  /// No code points keep every state alive in any number: names and labels are bounded.
  std::optional<State> settled(const State&) const { return std::nullopt; }
  uint32_t toward_end(const State& state);
  void cuts(const State& state, std::vector<uint32_t>* out) const;

 private:
  /// A label that may end: its length as an A-label, and what the Bidi rule has to know.
  struct Label {
    uint32_t length;
    LabelDirection direction;
  };

  uint32_t intern(const std::u32string& text);
  std::optional<Label> check(const std::u32string& label) const;
  bool may_end(const State& state, const std::u32string& label) const;
  std::optional<std::u32string> find_rest(const State& state);
  std::optional<std::u32string> a_label_rest(const std::u32string& label);

  std::map<std::u32string, uint32_t> text_ids_;
  std::vector<const std::u32string*> texts_;
  HostnameMachine hostname_;               // knows how A-labels go on
  std::map<State, std::u32string> rests_;  // of every state that was given
};

}  // namespace espalier
