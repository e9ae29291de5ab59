// A matcher's history: a persistent list.
//
// Every accepted token is a node that points to the one before it and is never changed afterwards.
// A clone shares all nodes by sharing the last; rolling back n tokens is following n pointers; a
// draft tree of clones holds every common prefix once. Nodes are counted, since clones may live in
// different threads; a chain is released in a loop, so that a long text needs no call stack.
//
// Cost: 48 bytes a token.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

class History {
 public:
  struct Node {
    Node* parent = nullptr;
    std::unique_ptr<const std::string> raw;  ///< bytes accepted without a token
    State state;
    std::atomic<uint32_t> references{1};
    TokenId token = -1;  ///< -1: see raw
    uint32_t depth = 0;  ///< entries up to this one
    bool terminated = false;
  };
  static_assert(sizeof(Node) <= 64);

  History() = default;
  History(const History& other) : last_(other.last_) { retain(last_); }
  History(History&& other) noexcept : last_(std::exchange(other.last_, nullptr)) {}
  History& operator=(History other) noexcept {
    std::swap(last_, other.last_);
    return *this;
  }
  ~History() { release(last_); }

  const Node* last() const { return last_; }
  uint32_t depth() const { return last_ == nullptr ? 0 : last_->depth; }

  void push(State state, TokenId token, bool terminated) {
    Node* node = new Node;
    node->parent = last_;
    node->state = state;
    node->token = token;
    node->depth = depth() + 1;
    node->terminated = terminated;
    last_ = node;
  }
  void push_raw(State state, std::string bytes) {
    push(state, -1, false);
    last_->raw = std::make_unique<const std::string>(std::move(bytes));
  }

  /// Drops the last n entries; n <= depth().
  void pop(uint32_t n) {
    Node* target = last_;
    for (uint32_t i = 0; i < n; ++i) target = target->parent;
    retain(target);
    release(std::exchange(last_, target));
  }
  void clear() { release(std::exchange(last_, nullptr)); }

 private:
  static void retain(Node* node) {
    if (node != nullptr) node->references.fetch_add(1, std::memory_order_relaxed);
  }
  static void release(Node* node) {
    while (node != nullptr && node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Node* parent = node->parent;
      delete node;
      node = parent;
    }
  }

  Node* last_ = nullptr;
};

}  // namespace espalier
