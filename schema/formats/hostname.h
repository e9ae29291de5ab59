#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "grammar/tables/id_table.h"

namespace espalier {

class LetterClasses;

/// What matters of a host name that has been read so far; see hostname.cpp.
struct Hostname {
  int length = 0;
  bool some_right_to_left = false;
  bool some_breaks_rule = false;
  int label_length = 0;
  bool first_digit = false;
  bool last_hyphen = false;
  std::string label;  ///< lower case; only while it is a prefix of "xn--" or starts with it
  auto operator<=>(const Hostname&) const = default;
  uint64_t hash() const {
    const uint64_t flags = (some_right_to_left ? 1u : 0u) | (some_breaks_rule ? 2u : 0u) |
                           (first_digit ? 4u : 0u) | (last_hyphen ? 8u : 0u);
    const auto lengths = static_cast<uint64_t>(length) << 32 | static_cast<uint64_t>(label_length);
    return hash_append(hash_append(lengths, flags), std::hash<std::string>()(label));
  }
};

/// Reads host names, the format `hostname`, as a machine of a StructuredAutomaton. Not thread-safe.
class HostnameMachine {
 public:
  using State = Hostname;

  State start() const { return State(); }
  std::optional<State> step(const State& state, uint32_t c);
  bool accepting(const State& state) const;
  std::optional<State> distant(const State& state) const;
  State coarse(const State& state) const;
  void refine(LetterClasses* classes) const;
  /// No characters keep every state alive in any number: names and labels are bounded.
  std::optional<State> settled(const State&) const { return std::nullopt; }
  uint32_t toward_end(const State& state) const;
  void cuts(const State& state, std::vector<uint32_t>* out) const;

 private:
  bool is_live(const State& state, const std::string& completion);

  /// Of every A-label that was begun, so that some successor is live as long as it is.
  std::map<State, std::string> completions_;
};

}  // namespace espalier
