#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "grammar/strings/content_leaf.h"
#include "grammar/strings/string_machine.h"

namespace espalier {

/// A leaf whose states are those of a string machine as far as they are live(). `Base` is Leaf or a
/// kind of it.
template <typename Base>
class MachineLeaf : public Base {
 public:
  explicit MachineLeaf(std::shared_ptr<const StringMachine> machine)
      : machine_(std::move(machine)) {}

  uint32_t start() const override { return live(machine_->start()) ? machine_->start() : 0; }
  uint32_t step(uint32_t state, uint8_t byte) const override {
    const uint32_t next = machine_->step(state, byte);
    return next != 0 && live(next) ? next : 0;
  }
  bool can_exit(uint32_t state) const override { return machine_->ended(state); }
  bool is_final(uint32_t state) const override { return machine_->ended(state); }

 protected:
  /// Can an acceptable string be reached from a state of the machine?
  virtual bool live(uint32_t state) const = 0;

  const std::shared_ptr<const StringMachine> machine_;
};

/// The same, read by code points.
template <typename Base>
class MachineContentLeaf : public MachineLeaf<Base>, public ContentLeaf {
 public:
  using MachineLeaf<Base>::MachineLeaf;

  StringSpelling spelling() const override { return this->machine_->spec().spelling; }
  bool content(uint32_t state, uint32_t* product) const override {
    if (!this->machine_->between(state)) return false;
    *product = this->machine_->product(state);
    return true;
  }
  void ranges(uint32_t product, const VisitRange& visit) const override {
    this->machine_->successors(product, visit);
  }
  bool remembers() const override { return this->machine_->remembers(); }
  uint32_t step_content(uint32_t product, uint32_t codepoint) const override {
    const uint32_t next = this->machine_->step_codepoint(product, codepoint);
    return alive(next) ? next : kNoProduct;
  }
};

}  // namespace espalier
