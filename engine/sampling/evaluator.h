#pragma once

#include <chrono>
#include <cstddef>

#include "espalier/potential.h"
#include "espalier/step_sampler.h"

namespace espalier {

/// Counts the constraint evaluations of one draw and keeps its budgets.
class Evaluator {
 public:
  enum class Answer : uint8_t { kNo, kYes, kStop };

  Evaluator(PotentialCursor* cursor, const StepOptions& options)
      : cursor_(cursor), max_evaluations_(options.max_evaluations), max_time_(options.max_time) {
    if (timed()) begin_ = Clock::now();
  }

  /// Asks about a token; kStop when a budget is exhausted or the constraint failed: see outcome().
  Answer test(TokenId token) {
    if (count_ >= max_evaluations_ || (timed() && Clock::now() - begin_ >= max_time_)) {
      outcome_ = StepOutcome::kBudget;
      return Answer::kStop;
    }
    ++count_;
    const Result<bool> answer = cursor_->test(token);
    if (answer.ok()) return *answer ? Answer::kYes : Answer::kNo;
    outcome_ = StepOutcome::kFailed;
    return Answer::kStop;
  }

  size_t count() const { return count_; }
  StepOutcome outcome() const { return outcome_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool timed() const { return max_time_ != std::chrono::nanoseconds::max(); }

  PotentialCursor* cursor_;
  size_t max_evaluations_;
  std::chrono::nanoseconds max_time_;
  Clock::time_point begin_;
  size_t count_ = 0;
  StepOutcome outcome_ = StepOutcome::kAccepted;
};

}  // namespace espalier
