#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grammar/leaf.h"
#include "grammar/recognizer.h"

namespace espalier::testing {

/// A small language that uses every way in which a recognizer can answer the engine:
///
///   value  = number | string | list
///   number = "0" | ["-"] digit1-9 0*2digit          an exitable leaf, exits by suffix
///   string = DQUOTE *(letter | "," | "]") DQUOTE    a final leaf with two exit states: with an "x"
///                                                   or without; after a string with an "x" the
///                                                   list must end
///   list   = "[" [value *("," value)] "]"           nested at most max_depth deep
///   value may also be "@" name ";": a name of a-c that was not used before in its list. A leaf
///   whose exits are not decided by suffix, with verbatim text in the state.
///
/// Spaces (any number) may follow "[" and ",".
class ToyRecognizer : public Recognizer {
 public:
  explicit ToyRecognizer(uint32_t max_depth = 3) : max_depth_(max_depth) {
    frame_id(Frame{UINT32_MAX, 0, false, 0, {}});  // id 0 is dead
    texts_.push_back("");
    text_ids_[""] = 0;
  }

  State start() override {
    const std::lock_guard lock(mutex_);
    return {frame_id(Frame{0, kValue, false, 0, {}}), kStructure, 0, 0};
  }
  State step(State s, uint8_t byte) override {
    const std::lock_guard lock(mutex_);
    return advance(s, byte);
  }
  State probe(State s, uint8_t byte) override { return step(s, byte); }
  void next_bytes(State s, ByteSet* out) override {
    const std::lock_guard lock(mutex_);
    for (int byte = 0; byte < 256; ++byte) {
      if (!advance(s, static_cast<uint8_t>(byte)).dead()) out->insert(static_cast<uint8_t>(byte));
    }
  }
  bool accepting(State s) override {
    const std::lock_guard lock(mutex_);
    if (s.dead()) return false;
    const State closed = s.leaf == kNumber && number_.can_exit(s.state) ? end_value(s, false) : s;
    return closed.leaf == kStructure && frames_[closed.frame].parent == 0 &&
           frames_[closed.frame].position == kAfter;
  }
  Bulk bulk(State s) override {
    if (s.leaf == kNumber) return {&number_, s.state};
    if (s.leaf == kString) return {&string_, s.state};
    if (s.leaf == kName) return {&name_, s.state, Bulk::Exceptions::kAll};
    return {};
  }
  void exceptional_bytes(State s, ByteSet* out, ByteSet* characters) override {
    if (s.leaf != kName) return;
    out->fill();
    characters->fill();
  }
  State leave(State s, uint32_t exit_state) override {
    const std::lock_guard lock(mutex_);
    return end_value(s, s.leaf == kString && exit_state == StringLeaf::kClosedX);
  }
  Result<std::string> shortest_completion(State s) override {
    std::set<std::vector<uint32_t>> seen;
    std::deque<std::pair<State, std::string>> queue{{s, ""}};
    while (!queue.empty()) {
      auto [state, text] = queue.front();
      queue.pop_front();
      if (accepting(state)) return text;
      for (int byte = 0; byte < 128; ++byte) {
        const State next = step(state, static_cast<uint8_t>(byte));
        if (next.dead()) continue;
        if (!seen.insert({next.frame, next.leaf, next.state, next.text}).second) continue;
        queue.emplace_back(next, text + static_cast<char>(byte));
      }
    }
    return Status(StatusCode::kRejected, "dead");
  }
  Explanation explain(State, const std::string& text, uint8_t byte) override {
    return {"/" + std::to_string(text.size()), "", "syntax",
            "byte " + std::to_string(byte) + " is not allowed"};
  }
  Status status() const override { return Status(); }
  size_t memory_bytes() const override {
    const std::lock_guard lock(mutex_);
    return frames_.size() * sizeof(Frame);
  }

 private:
  enum LeafKind : uint32_t { kStructure = 0, kNumber, kString, kName };
  /// kValue: a value must follow; kFirst: a value or "]"; kAfter: a value has ended.
  enum Position : uint32_t { kValue = 0, kFirst, kAfter };

  struct Frame {
    uint32_t parent = 0;
    uint32_t position = 0;
    bool must_close = false;
    uint32_t depth = 0;
    std::set<std::string> used;
    friend auto operator<=>(const Frame&, const Frame&) = default;
  };

  class NumberLeaf : public Leaf {
   public:
    uint32_t start() const override { return 1; }
    uint32_t step(uint32_t state, uint8_t byte) const override {
      const bool digit = byte >= '0' && byte <= '9';
      switch (state) {
        case 1:
          if (byte == '-') return 2;
          if (byte == '0') return 3;
          return digit ? 4 : 0;
        case 2:
          return digit && byte != '0' ? 4 : 0;
        case 4:
        case 5:
          return digit ? state + 1 : 0;
        default:
          return 0;
      }
    }
    bool can_exit(uint32_t state) const override { return state >= 3; }
    bool is_final(uint32_t) const override { return false; }
  };

  class StringLeaf : public Leaf {
   public:
    static constexpr uint32_t kClosed = 4;
    static constexpr uint32_t kClosedX = 5;
    uint32_t start() const override { return 1; }
    uint32_t step(uint32_t state, uint8_t byte) const override {
      if (state == 1) return byte == '"' ? 2 : 0;
      if (state >= kClosed || state == 0) return 0;
      if (byte == '"') return state == 3 ? kClosedX : kClosed;
      if (byte == 'x') return 3;
      return (byte >= 'a' && byte <= 'z') || byte == ',' || byte == ']' ? state : 0;
    }
    bool can_exit(uint32_t state) const override { return state >= kClosed; }
    bool is_final(uint32_t state) const override { return state >= kClosed; }
  };

  class NameLeaf : public Leaf {
   public:
    static constexpr uint32_t kEnd = 3;
    uint32_t start() const override { return 1; }
    uint32_t step(uint32_t state, uint8_t byte) const override {
      if (state == 0 || state == kEnd) return 0;
      if (byte == ';') return state > 1 ? kEnd : 0;
      return byte >= 'a' && byte <= 'c' ? 2 : 0;
    }
    bool can_exit(uint32_t state) const override { return state == kEnd; }
    bool is_final(uint32_t state) const override { return state == kEnd; }
  };

  uint32_t frame_id(const Frame& frame) {
    const auto [it, inserted] =
        frame_ids_.try_emplace(frame, static_cast<uint32_t>(frames_.size()));
    if (inserted) frames_.push_back(frame);
    return it->second;
  }
  uint32_t text_id(const std::string& text) {
    const auto [it, inserted] = text_ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (inserted) texts_.push_back(text);
    return it->second;
  }

  State end_value(State s, bool must_close) {
    Frame frame = frames_[s.frame];
    frame.position = kAfter;
    frame.must_close = must_close;
    return {frame_id(frame), kStructure, 0, 0};
  }

  State advance(State s, uint8_t byte) {
    if (s.dead()) return {};
    if (s.leaf == kNumber) {
      const uint32_t next = number_.step(s.state, byte);
      if (next != 0) return {s.frame, kNumber, next, 0};
      return number_.can_exit(s.state) ? advance(end_value(s, false), byte) : State();
    }
    if (s.leaf == kString) {
      const uint32_t next = string_.step(s.state, byte);
      if (next == 0) return {};
      return string_.is_final(next) ? end_value(s, next == StringLeaf::kClosedX)
                                    : State{s.frame, kString, next, 0};
    }
    if (s.leaf == kName) {
      const uint32_t next = name_.step(s.state, byte);
      if (next == 0) return {};
      const std::string& text = texts_[s.text];
      if (name_.is_final(next)) {
        if (frames_[s.frame].used.count(text) != 0) return {};
        Frame frame = frames_[s.frame];
        frame.used.insert(text);
        frame.position = kAfter;
        return {frame_id(frame), kStructure, 0, 0};
      }
      return {s.frame, kName, next, text_id(text + static_cast<char>(byte))};
    }
    const Frame frame = frames_[s.frame];
    if (frame.position == kAfter) {
      if (frame.parent == 0) return {};
      if (byte == ']') {
        Frame parent = frames_[frame.parent];
        parent.position = kAfter;
        parent.must_close = false;
        return {frame_id(parent), kStructure, 0, 0};
      }
      if (byte != ',' || frame.must_close) return {};
      Frame next = frame;
      next.position = kValue;
      return {frame_id(next), kStructure, 0, 0};
    }
    if (byte == ' ' && frame.parent != 0) return s;
    if (byte == ']' && frame.position == kFirst) {
      Frame parent = frames_[frame.parent];
      parent.position = kAfter;
      return {frame_id(parent), kStructure, 0, 0};
    }
    if (byte == '[') {
      if (frame.depth >= max_depth_) return {};
      return {frame_id(Frame{s.frame, kFirst, false, frame.depth + 1, {}}), kStructure, 0, 0};
    }
    if (byte == '"') return {s.frame, kString, 2, 0};
    if (byte == '@') return {s.frame, kName, 1, 0};
    const uint32_t number = number_.step(number_.start(), byte);
    return number == 0 ? State() : State{s.frame, kNumber, number, 0};
  }

  const uint32_t max_depth_;
  mutable std::mutex mutex_;
  std::map<Frame, uint32_t> frame_ids_;
  std::deque<Frame> frames_;
  std::map<std::string, uint32_t> text_ids_;
  std::deque<std::string> texts_;
  NumberLeaf number_;
  StringLeaf string_;
  NameLeaf name_;
};

/// Letters that occur in the toy language, some that never do, and frequent sequences.
inline std::vector<std::string> toy_pieces() {
  return {"[", "]", ",", "\"", "a", "b",  "c",   "x",   "z",  "0",   "1",   "2",   "9",  "-",
          "@", ";", " ", "A",  "}", "],", "\",", "\"]", "[[", "@a;", ",\"", "x\"", "12", ", "};
}

}  // namespace espalier::testing
