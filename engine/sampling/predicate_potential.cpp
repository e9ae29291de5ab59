// A user's predicate over the bytes written so far.
//
// The prefix is one buffer: a test appends the token's bytes, asks, and takes them off again, so it
// costs the predicate's own time and no copy of the text.

#include <string>
#include <utility>

#include "espalier/potential.h"

namespace espalier {
namespace {

using SharedPredicate = std::shared_ptr<const PrefixPredicate>;

class PredicateState : public PotentialState {
 public:
  PredicateState(SharedPredicate predicate, const Vocabulary* vocabulary)
      : predicate_(std::move(predicate)), vocabulary_(vocabulary) {}

  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<PredicateState>(*this);
  }

  Result<bool> test(TokenId token) override {
    if (vocabulary_->is_eos(token)) {
      return predicate_->complete == nullptr || predicate_->complete(text_);
    }
    if (predicate_->prefix == nullptr) return true;
    const size_t length = text_.size();
    text_ += vocabulary_->bytes(token);
    const Restore restore{&text_, length};
    return predicate_->prefix(text_);
  }

  Status accept(TokenId token) override {
    const Result<bool> allowed = test(token);
    if (!allowed.ok()) return allowed.status();
    if (!*allowed) {
      return Status(StatusCode::kRejected,
                    "The predicate refuses token " + std::to_string(token) + ".");
    }
    if (!vocabulary_->is_eos(token)) text_ += vocabulary_->bytes(token);
    return Status();
  }

 private:
  struct Restore {
    std::string* text;
    size_t length;
    ~Restore() { text->resize(length); }
  };

  SharedPredicate predicate_;
  const Vocabulary* vocabulary_;
  std::string text_;
};

class PredicatePotential : public Potential {
 public:
  PredicatePotential(PrefixPredicate predicate, std::shared_ptr<const Vocabulary> vocabulary)
      : predicate_(std::make_shared<const PrefixPredicate>(std::move(predicate))),
        vocabulary_(std::move(vocabulary)) {}

  const std::shared_ptr<const Vocabulary>& vocabulary() const override { return vocabulary_; }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<PredicateState>(predicate_, vocabulary_.get());
  }

 private:
  SharedPredicate predicate_;
  std::shared_ptr<const Vocabulary> vocabulary_;
};

}  // namespace

std::shared_ptr<const Potential> predicate_potential(PrefixPredicate predicate,
                                                     std::shared_ptr<const Vocabulary> vocabulary) {
  return std::make_shared<PredicatePotential>(std::move(predicate), std::move(vocabulary));
}

}  // namespace espalier
