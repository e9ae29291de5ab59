// The conjunction of potentials.
//
// Masks are combined in three values: refused by one part is refused, allowed by all is allowed,
// the rest is unknown. A test asks the parts in their order and stops at the first refusal, so the
// cheap ones come first. Advancing is all or nothing: every part is asked before one moves.

#include <algorithm>
#include <string>
#include <utility>

#include "espalier/potential.h"

namespace espalier {
namespace {

using States = std::vector<std::unique_ptr<PotentialState>>;

class ConjunctionState : public PotentialState {
 public:
  explicit ConjunctionState(States parts) : parts_(std::move(parts)) {}

  std::unique_ptr<PotentialState> clone() const override {
    States parts;
    for (const auto& part : parts_) parts.push_back(part->clone());
    return std::make_unique<ConjunctionState>(std::move(parts));
  }

  Result<bool> test(TokenId token) override {
    for (const auto& part : parts_) {
      const Result<bool> allowed = part->test(token);
      if (!allowed.ok() || !*allowed) return allowed;
    }
    return true;
  }

  Status accept(TokenId token) override {
    const Result<bool> allowed = test(token);
    if (!allowed.ok()) return allowed.status();
    if (!*allowed) {
      return Status(StatusCode::kRejected, "Token " + std::to_string(token) + " is not allowed.");
    }
    for (const auto& part : parts_) {
      if (Status status = part->accept(token); !status.ok()) return status;
    }
    return Status();
  }

  Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown) override {
    // `possible` = allowed or unknown, kept in the second row until the end.
    std::fill(allowed.begin(), allowed.end(), -1);
    std::fill(unknown.begin(), unknown.end(), -1);
    bool something = false;
    scratch_.resize(2 * allowed.size());
    const std::span<int32_t> yes = std::span(scratch_).first(allowed.size());
    const std::span<int32_t> maybe = std::span(scratch_).last(allowed.size());
    for (const auto& part : parts_) {
      const Result<Knowledge> knowledge = part->fill(yes, maybe);
      if (!knowledge.ok()) return knowledge;
      if (*knowledge == Knowledge::kNone) {
        std::fill(allowed.begin(), allowed.end(), 0);
        continue;
      }
      something = true;
      for (size_t i = 0; i < allowed.size(); ++i) {
        allowed[i] &= yes[i];
        unknown[i] &= yes[i] | maybe[i];
      }
    }
    if (!something) return Knowledge::kNone;
    int32_t open = 0;
    for (size_t i = 0; i < allowed.size(); ++i) open |= unknown[i] &= ~allowed[i];
    return open == 0 ? Knowledge::kFull : Knowledge::kPartial;
  }

  bool completes_within(TokenId first, size_t tokens) override {
    return std::all_of(parts_.begin(), parts_.end(),
                       [&](const auto& part) { return part->completes_within(first, tokens); });
  }

  void keep_completable(std::span<int32_t> row, size_t tokens) override {
    for (const auto& part : parts_) part->keep_completable(row, tokens);
  }

  size_t tokens_left() const override {
    size_t left = SIZE_MAX;
    for (const auto& part : parts_) left = std::min(left, part->tokens_left());
    return left;
  }

 private:
  States parts_;
  std::vector<int32_t> scratch_;
};

class Conjunction : public Potential {
 public:
  explicit Conjunction(std::vector<std::shared_ptr<const Potential>> parts)
      : parts_(std::move(parts)) {}

  const std::shared_ptr<const Vocabulary>& vocabulary() const override {
    return parts_.front()->vocabulary();
  }
  std::unique_ptr<PotentialState> start() const override {
    States states;
    for (const auto& part : parts_) states.push_back(part->start());
    return std::make_unique<ConjunctionState>(std::move(states));
  }

 private:
  std::vector<std::shared_ptr<const Potential>> parts_;
};

}  // namespace

std::shared_ptr<const Potential> conjunction(std::vector<std::shared_ptr<const Potential>> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_shared<Conjunction>(std::move(parts));
}

}  // namespace espalier
