// A token budget as a potential, and a potential without its masks.
//
// With n tokens left after it, a token fits if what it leaves can be completed in n tokens; so the
// target is P(x | x valid, at most N tokens), and nothing has to be cut off at the end. At the
// bound the ends of sequence are the only tokens that are asked about, whatever the vocabulary's
// size.
//
// A full mask stays full when each of its tokens is looked at, and that is done while they are few.
// A mask of a hundred thousand tokens becomes one of unknown tokens: far from the bound nearly all
// fit, and a sampler that tests the two or three it draws learns the same.

#include <algorithm>
#include <string>
#include <utility>

#include "engine/mask_bits.h"
#include "espalier/potential.h"

namespace espalier {
namespace {

class LimitedState : public PotentialState {
 public:
  LimitedState(std::unique_ptr<PotentialState> inner, const Vocabulary* vocabulary, size_t left,
               size_t max_enumerated)
      : inner_(std::move(inner)),
        vocabulary_(vocabulary),
        left_(left),
        max_enumerated_(max_enumerated) {}

  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<LimitedState>(inner_->clone(), vocabulary_, left_, max_enumerated_);
  }

  Result<bool> test(TokenId token) override {
    if (vocabulary_->is_eos(token)) return inner_->test(token);
    if (left_ == 0) return false;
    const Result<bool> allowed = inner_->test(token);
    if (!allowed.ok() || !*allowed) return allowed;
    return inner_->completes_within(token, left_ - 1);
  }

  Status accept(TokenId token) override {
    const bool ends = vocabulary_->is_eos(token);
    if (!ends && (left_ == 0 || !inner_->completes_within(token, left_ - 1))) {
      return Status(StatusCode::kRejected,
                    "Token " + std::to_string(token) + " leaves nothing that fits the budget.");
    }
    Status status = inner_->accept(token);
    if (status.ok() && !ends) --left_;
    return status;
  }

  Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown) override {
    const std::span<MaskWord> yes = as_mask_words(allowed);
    const std::span<MaskWord> maybe = as_mask_words(unknown);
    const Result<Knowledge> knowledge = inner_->fill(allowed, unknown);
    if (!knowledge.ok()) return knowledge;
    if (left_ == 0) return keep_ends(*knowledge, yes, maybe);
    if (*knowledge == Knowledge::kNone) return knowledge;
    if (count_mask_bits(yes) >= max_enumerated_) {
      for (size_t i = 0; i < yes.size(); ++i) {
        maybe[i] |= yes[i];
        yes[i] = 0;
      }
      return Knowledge::kPartial;
    }
    std::vector<TokenId> ends;
    for (const TokenId eos : vocabulary_->eos_ids()) {
      if (mask_bit(yes, eos)) ends.push_back(eos);
      clear_mask_bit(yes, eos);
    }
    inner_->keep_completable(allowed, left_ - 1);
    for (const TokenId eos : ends) set_mask_bit(yes, eos);
    return knowledge;
  }

  /// At the bound: clears all but the ends of sequence.
  Knowledge keep_ends(Knowledge knowledge, std::span<MaskWord> yes, std::span<MaskWord> maybe) {
    if (knowledge == Knowledge::kNone) {
      std::fill(yes.begin(), yes.end(), 0);
      std::fill(maybe.begin(), maybe.end(), ~MaskWord{0});
    }
    std::vector<TokenId> allowed, unknown;
    for (const TokenId eos : vocabulary_->eos_ids()) {
      if (mask_bit(yes, eos)) allowed.push_back(eos);
      if (mask_bit(maybe, eos)) unknown.push_back(eos);
    }
    std::fill(yes.begin(), yes.end(), 0);
    std::fill(maybe.begin(), maybe.end(), 0);
    for (const TokenId eos : allowed) set_mask_bit(yes, eos);
    for (const TokenId eos : unknown) set_mask_bit(maybe, eos);
    return unknown.empty() ? Knowledge::kFull : Knowledge::kPartial;
  }

  bool completes_within(TokenId first, size_t tokens) override {
    if (first >= 0 && left_ == 0) return false;
    return inner_->completes_within(first, std::min(tokens, first >= 0 ? left_ - 1 : left_));
  }
  std::optional<StateKey> key() const override { return inner_->key(); }
  size_t tokens_left() const override { return std::min(left_, inner_->tokens_left()); }

 private:
  std::unique_ptr<PotentialState> inner_;
  const Vocabulary* vocabulary_;
  size_t left_;
  size_t max_enumerated_;
};

class LimitedPotential : public Potential {
 public:
  LimitedPotential(std::shared_ptr<const Potential> inner, size_t max_tokens, size_t max_enumerated)
      : inner_(std::move(inner)), max_tokens_(max_tokens), max_enumerated_(max_enumerated) {}

  const std::shared_ptr<const Vocabulary>& vocabulary() const override {
    return inner_->vocabulary();
  }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<LimitedState>(inner_->start(), vocabulary().get(), max_tokens_,
                                          max_enumerated_);
  }

 private:
  std::shared_ptr<const Potential> inner_;
  size_t max_tokens_;
  size_t max_enumerated_;
};

class MasklessState : public PotentialState {
 public:
  explicit MasklessState(std::unique_ptr<PotentialState> inner) : inner_(std::move(inner)) {}

  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<MasklessState>(inner_->clone());
  }
  Result<bool> test(TokenId token) override { return inner_->test(token); }
  Status accept(TokenId token) override { return inner_->accept(token); }
  bool completes_within(TokenId first, size_t tokens) override {
    return inner_->completes_within(first, tokens);
  }
  std::optional<StateKey> key() const override { return inner_->key(); }
  size_t tokens_left() const override { return inner_->tokens_left(); }

 private:
  std::unique_ptr<PotentialState> inner_;
};

class MasklessPotential : public Potential {
 public:
  explicit MasklessPotential(std::shared_ptr<const Potential> inner) : inner_(std::move(inner)) {}

  const std::shared_ptr<const Vocabulary>& vocabulary() const override {
    return inner_->vocabulary();
  }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<MasklessState>(inner_->start());
  }

 private:
  std::shared_ptr<const Potential> inner_;
};

}  // namespace

std::shared_ptr<const Potential> limit_tokens(std::shared_ptr<const Potential> potential,
                                              size_t max_tokens, size_t max_enumerated) {
  return std::make_shared<LimitedPotential>(std::move(potential), max_tokens, max_enumerated);
}

std::shared_ptr<const Potential> without_masks(std::shared_ptr<const Potential> potential) {
  return std::make_shared<MasklessPotential>(std::move(potential));
}

}  // namespace espalier
