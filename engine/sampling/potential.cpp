// Cursors over potentials: the guard between a constraint's own code and the samplers.
//
// A potential may be implemented by others, so its states may throw and may fail; its cursor turns
// both into a Status that stays. It also keeps the two rules that every potential shares: special
// ids are never allowed, and after an end of sequence nothing is.

#include "espalier/potential.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "engine/mask_bits.h"

namespace espalier {
namespace {

/// What the exception being handled says.
Status caught() {
  const char* const place = "constraint";
  try {
    throw;
  } catch (const std::exception& error) {
    return Status(StatusCode::kInvalidArgument,
                  std::string("The constraint threw: ") + error.what(), place);
  } catch (...) {
    return Status(StatusCode::kInvalidArgument, "The constraint threw.", place);
  }
}

Status ended() { return Status(StatusCode::kRejected, "The sequence has ended."); }

}  // namespace

Result<Knowledge> PotentialState::fill(std::span<int32_t> /*allowed*/,
                                       std::span<int32_t> /*unknown*/) {
  return Knowledge::kNone;
}
bool PotentialState::completes_within(TokenId /*first*/, size_t /*tokens*/) { return true; }
void PotentialState::keep_completable(std::span<int32_t> row, size_t tokens) {
  for_each_mask_bit(as_mask_words(row), [&](TokenId token) {
    if (!completes_within(token, tokens)) clear_mask_bit(as_mask_words(row), token);
    return true;
  });
}
std::optional<StateKey> PotentialState::key() const { return std::nullopt; }
size_t PotentialState::tokens_left() const { return SIZE_MAX; }

/// Runs `call`; a failure is remembered and `otherwise` returned.
template <typename Value, typename Call>
Value PotentialCursor::guarded(Value otherwise, Call&& call) const {
  if (!status_.ok()) return otherwise;
  try {
    return call();
  } catch (...) {
    status_ = caught();
  }
  return otherwise;
}

PotentialCursor::PotentialCursor(std::shared_ptr<const Potential> potential)
    : potential_(std::move(potential)) {
  state_ = guarded(std::unique_ptr<PotentialState>(), [&] { return potential_->start(); });
}

PotentialCursor::PotentialCursor(const PotentialCursor& other)
    : potential_(other.potential_), status_(other.status_), terminated_(other.terminated_) {
  state_ = guarded(std::unique_ptr<PotentialState>(), [&] { return other.state_->clone(); });
}

PotentialCursor& PotentialCursor::operator=(PotentialCursor other) noexcept {
  std::swap(potential_, other.potential_);
  std::swap(state_, other.state_);
  std::swap(status_, other.status_);
  std::swap(terminated_, other.terminated_);
  return *this;
}

bool PotentialCursor::is_text(TokenId token) const {
  const Vocabulary& tokens = vocabulary();
  return token >= 0 && static_cast<size_t>(token) < tokens.size() && !tokens.is_special(token) &&
         !tokens.bytes(token).empty();
}

bool PotentialCursor::is_eos(TokenId token) const {
  return token >= 0 && static_cast<size_t>(token) < vocabulary().size() &&
         vocabulary().is_eos(token);
}

Result<bool> PotentialCursor::test(TokenId token) {
  if (!status_.ok()) return status_;
  if (terminated_ || !(is_text(token) || is_eos(token))) return false;
  Result<bool> answer = guarded(Result<bool>(false), [&] { return state_->test(token); });
  if (!status_.ok()) return status_;
  if (!answer.ok()) status_ = answer.status();
  return answer;
}

Status PotentialCursor::accept(TokenId token) {
  if (!status_.ok()) return status_;
  if (terminated_) return ended();
  if (!is_text(token) && !is_eos(token)) {
    return Status(StatusCode::kRejected, "Token " + std::to_string(token) + " spells no text.");
  }
  const Status answer = guarded(Status(), [&] { return state_->accept(token); });
  if (!status_.ok()) return status_;
  if (answer.ok()) {
    terminated_ = is_eos(token);
  } else if (answer.code() != StatusCode::kRejected) {
    status_ = answer;
  }
  return answer;
}

Result<Knowledge> PotentialCursor::fill(std::span<int32_t> allowed, std::span<int32_t> unknown) {
  const size_t words = vocabulary().row_words();
  if (allowed.size() < words || unknown.size() < words) {
    return Status(
        StatusCode::kInvalidArgument,
        "A row is shorter than the " + std::to_string(words) + " words that the vocabulary needs.",
        "row");
  }
  if (!status_.ok()) return status_;
  if (terminated_) {
    std::fill(allowed.begin(), allowed.end(), 0);
    std::fill(unknown.begin(), unknown.end(), 0);
    return Knowledge::kFull;
  }
  std::fill(allowed.begin() + static_cast<ptrdiff_t>(words), allowed.end(), 0);
  std::fill(unknown.begin() + static_cast<ptrdiff_t>(words), unknown.end(), 0);
  Result<Knowledge> answer = guarded(Result<Knowledge>(Knowledge::kNone), [&] {
    return state_->fill(allowed.first(words), unknown.first(words));
  });
  if (!status_.ok()) return status_;
  if (!answer.ok()) status_ = answer.status();
  return answer;
}

bool PotentialCursor::completes_within(TokenId first, size_t tokens) {
  if (terminated_) return first < 0;
  if (first >= 0 && is_eos(first)) return true;
  return guarded(false, [&] { return state_->completes_within(first, tokens); });
}

std::optional<StateKey> PotentialCursor::key() const {
  if (terminated_) return std::nullopt;
  return guarded(std::optional<StateKey>(), [&] { return state_->key(); });
}

size_t PotentialCursor::tokens_left() const {
  return guarded(size_t{0}, [&] { return terminated_ ? 0 : state_->tokens_left(); });
}

}  // namespace espalier
