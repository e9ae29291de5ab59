// A grammar as a potential: masks, tests and completions come from a Matcher.

#include <algorithm>
#include <utility>

#include "espalier/potential.h"

namespace espalier {
namespace {

class AutomatonState : public PotentialState {
 public:
  explicit AutomatonState(Matcher matcher) : matcher_(std::move(matcher)) {}

  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<AutomatonState>(matcher_.clone());
  }
  Result<bool> test(TokenId token) override {
    const bool allowed = matcher_.is_allowed(token);
    if (!allowed) {
      if (Status status = matcher_.status(); !status.ok()) return status;
    }
    return allowed;
  }
  Status accept(TokenId token) override { return matcher_.accept(token); }
  Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown) override {
    if (Status status = matcher_.fill_mask(allowed, unknown); !status.ok()) return status;
    const bool open = std::any_of(unknown.begin(), unknown.end(), [](int32_t w) { return w != 0; });
    return open ? Knowledge::kPartial : Knowledge::kFull;
  }
  bool completes_within(TokenId first, size_t tokens) override {
    return matcher_.completes_within(first, tokens);
  }
  void keep_completable(std::span<int32_t> row, size_t tokens) override {
    matcher_.keep_completable(row, tokens);
  }
  std::optional<StateKey> key() const override { return matcher_.state_key(); }

 private:
  Matcher matcher_;
};

class AutomatonPotential : public Potential {
 public:
  AutomatonPotential(std::shared_ptr<const Grammar> grammar,
                     std::shared_ptr<const Vocabulary> vocabulary, const MatcherOptions& options)
      : grammar_(std::move(grammar)), vocabulary_(std::move(vocabulary)), options_(options) {}

  const std::shared_ptr<const Vocabulary>& vocabulary() const override { return vocabulary_; }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<AutomatonState>(Matcher(grammar_, vocabulary_, options_));
  }

 private:
  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  MatcherOptions options_;
};

}  // namespace

std::shared_ptr<const Potential> automaton_potential(std::shared_ptr<const Grammar> grammar,
                                                     std::shared_ptr<const Vocabulary> vocabulary,
                                                     const MatcherOptions& options) {
  return std::make_shared<AutomatonPotential>(std::move(grammar), std::move(vocabulary), options);
}

}  // namespace espalier
