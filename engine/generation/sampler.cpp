// Local constrained sampling with a token budget that closes the document.
//
// At each step a token is drawn from the model's distribution restricted to the mask. It is taken
// only if the text can still be completed within the tokens that are left after it; otherwise it is
// excluded and another one is drawn. This keeps the invariant
//
//   a completion of the current state is known that fits the remaining budget,
//
// which is checked once before the first token (`budget` when it fails) and preserved by every
// step: a drawn token brings its own completion, and when kMaxRedraws draws have been refused the
// first token of the known completion is taken, the rest of which is still a completion. So a
// document that can be closed is closed: with 12 tokens left and three brackets open, long strings
// are drawn as long as they like until only their closing fits.
//
// The check seldom asks for a shortest completion. The text that completed the state before the
// token often completes the state after it as well, as it is (more characters of a string) or
// without its first bytes (the token was a part of it, or stands in for one: another digit of a
// date); reading it is far cheaper than a search. Only if neither does, or it has become too long,
// a new one is sought, for a few tokens of each step.
//
// No model is asked where one token alone is allowed. What is sampled is the usual local
// distribution, prod_i p(x_i | x_<i, allowed); it is not the model's distribution given validity.

#include "espalier/sampler.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "engine/generation/token_choice.h"
#include "engine/mask_bits.h"
#include "engine/random.h"
#include "engine/tokens/segmentation.h"

namespace espalier {
namespace {

/// Draws refused by the budget before the known completion is followed.
constexpr int kMaxRedraws = 100;
/// Searches for a completion in one step, after which only the text that is known is tried.
constexpr int kMaxSearches = 10;

/// A model's sequence, opened at the first call and told of new tokens only when it is asked.
class ModelCursor {
 public:
  ModelCursor(LanguageModel* model, std::span<const TokenId> prompt)
      : model_(model), pending_(prompt.begin(), prompt.end()) {}
  ~ModelCursor() {
    if (open_) model_->release(sequence_);
  }
  ModelCursor(const ModelCursor&) = delete;
  ModelCursor& operator=(const ModelCursor&) = delete;

  void append(TokenId token) { pending_.push_back(token); }

  Status next(std::span<float> row) {
    if (!open_) {
      const Result<SequenceId> opened = model_->open(pending_);
      if (!opened.ok()) return opened.status();
      sequence_ = *opened;
      open_ = true;
    } else if (!pending_.empty()) {
      if (Status status = model_->extend(sequence_, pending_); !status.ok()) return status;
    }
    pending_.clear();
    return model_->next_log_probs(std::span(&sequence_, 1), row);
  }

 private:
  LanguageModel* model_;
  std::vector<TokenId> pending_;
  SequenceId sequence_ = 0;
  bool open_ = false;
};

/// Knows a completion of the matcher's state, and decides whether a token leaves one that fits.
class Completion {
 public:
  Completion(Matcher* matcher, const Vocabulary* vocabulary)
      : matcher_(matcher), vocabulary_(vocabulary) {}

  /// Tells that the next calls of `fits` are about another state.
  void start_step() { searches_ = 0; }

  /// Can the text be completed within `left` tokens after `token`, as far as the searches of a step
  /// tell?
  bool fits(TokenId token, size_t left) {
    if (vocabulary_->is_eos(token)) return true;
    // Over a vocabulary that lacks bytes, a text that completes need not be spelled by tokens.
    if (vocabulary_->has_all_bytes()) {
      if (!text_) static_cast<void>(seek());
      const size_t read = std::min(vocabulary_->bytes(token).size(), text_->size());
      if (adopt(token, read, left) || adopt(token, 0, left)) return true;
    }
    return ++searches_ <= kMaxSearches && matcher_->completes_within(token, left);
  }

  /// The matcher has accepted `token`, the last one that was found to fit or the only one there
  /// was.
  void took(TokenId token) {
    const std::string_view bytes = vocabulary_->bytes(token);
    if (!next_ && text_ && text_->compare(0, bytes.size(), bytes) == 0) {
      next_ = text_->substr(bytes.size());
    }
    text_ = std::exchange(next_, std::nullopt);
    counts_.clear();
  }

  /// The tokens of a completion; kRejected or kBudgetExceeded when none is known that takes at most
  /// `left`.
  Result<std::vector<TokenId>> tokens(size_t left) {
    if (text_) {
      auto spelled = shortest_segmentation(vocabulary_->trie(), *text_);
      if (spelled && spelled->size() <= left) return *std::move(spelled);
    }
    return seek(left);
  }

 private:
  Result<std::vector<TokenId>> seek(size_t max_tokens = SIZE_MAX) {
    Result<std::vector<TokenId>> tokens = matcher_->completion(max_tokens);
    text_ = tokens.ok() ? vocabulary_->decode(*tokens) : std::string();
    counts_.clear();
    return tokens;
  }

  /// Does what stands from here on in the text that is known fit, and complete what `token` leads
  /// to?
  bool adopt(TokenId token, size_t from, size_t left) {
    if (text_->size() - from > left) {
      if (counts_.empty()) counts_ = fewest_tokens(vocabulary_->trie(), *text_);
      if (counts_[from] > left) return false;
    }
    const std::string_view text = std::string_view(*text_).substr(from);
    if (!matcher_->completes_with(token, text)) return false;
    next_ = std::string(text);
    return true;
  }

  Matcher* matcher_;
  const Vocabulary* vocabulary_;
  std::optional<std::string> text_;  ///< completes the current state
  std::vector<size_t> counts_;       ///< the fewest tokens of its ends, where they were asked for
  int searches_ = 0;                 ///< of this step
  std::optional<std::string> next_;  ///< completes the state after the token that was found to fit
};

class Generator {
 public:
  Generator(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const Vocabulary> vocabulary,
            LanguageModel* model, const SamplingOptions& options, const StreamCallback& stream)
      : options_(options),
        stream_(stream),
        matcher_(std::move(grammar), vocabulary),
        vocabulary_(std::move(vocabulary)),
        model_(options.uniform ? nullptr : model),
        cursor_(model_, options.prompt),
        random_(options.seed),
        choice_(options),
        completion_(&matcher_, vocabulary_.get()),
        mask_(vocabulary_->row_words()),
        unknown_(vocabulary_->row_words()),
        log_probs_(model_ == nullptr ? 0 : vocabulary_->width()) {}

  Result<Generation> run() {
    if (matcher_.grammar().unsatisfiable()) return finish(FinishReason::kUnsatisfiable);
    if (!matcher_.completes_within(-1, options_.max_tokens)) {
      const auto needed = matcher_.tokens_to_complete();
      const bool never = needed.status().code() == StatusCode::kRejected;
      return finish(never ? FinishReason::kUnsatisfiable : FinishReason::kBudget);
    }
    for (;;) {
      const bool accepting = matcher_.is_accepting();
      const size_t left = options_.max_tokens - generation_.tokens.size();
      if (left == 0) return finish(accepting ? FinishReason::kComplete : FinishReason::kBudget);
      if (Status status = matcher_.fill_mask(mask_, unknown_); !status.ok()) return status;
      // Unknown tokens are drawn too: `fits` asks about what was drawn.
      some_unknown_ = false;
      for (size_t i = 0; i < mask_.size(); ++i) {
        mask_[i] |= unknown_[i];
        some_unknown_ |= unknown_[i] != 0;
      }
      const Result<std::optional<TokenId>> token = choose(left);
      if (!token.ok()) return token.status();
      if (!token->has_value()) {
        return finish(no_token_ ? (accepting ? FinishReason::kComplete : FinishReason::kDeadEnd)
                                : FinishReason::kBudget);
      }
      if (vocabulary_->is_eos(**token)) return finish(FinishReason::kComplete);
      if (Status status = take(**token); !status.ok()) return status;
      if (stream_ != nullptr && !stream_(vocabulary_->bytes(**token))) {
        return finish(FinishReason::kBudget);
      }
    }
  }

 private:
  Generation finish(FinishReason reason) {
    generation_.text = matcher_.text();
    generation_.finish_reason = reason;
    return std::move(generation_);
  }

  Status take(TokenId token) {
    if (Status status = matcher_.accept(token); !status.ok()) return status;
    generation_.tokens.push_back(token);
    completion_.took(token);
    cursor_.append(token);
    return Status();
  }

  /// The next token; nullopt when there is none.
  Result<std::optional<TokenId>> choose(size_t left) {
    const std::span<MaskWord> mask = as_mask_words(mask_);
    no_token_ = false;
    const std::optional<TokenId> only = only_choice(mask);
    if (only && !some_unknown_ && (vocabulary_->is_eos(*only) || !matcher_.is_accepting()))
      return only;
    if (model_ != nullptr && count_mask_bits(mask) != 0) {
      if (Status status = cursor_.next(log_probs_); !status.ok()) return status;
      ++generation_.model_calls;
    }
    choice_.start(mask, log_probs_);
    completion_.start_step();
    for (int draws = 0; draws < kMaxRedraws; ++draws) {
      const std::optional<TokenId> token = choice_.draw(&random_);
      if (!token) {
        no_token_ = draws == 0;
        break;
      }
      if (completion_.fits(*token, left - 1)) return token;
      choice_.exclude(*token);
    }
    if (no_token_) return std::optional<TokenId>();
    const Result<std::vector<TokenId>> completion = completion_.tokens(left);
    if (!completion.ok()) return std::optional<TokenId>();
    return completion->empty() ? end_of_sequence() : std::optional((*completion)[0]);
  }

  /// The allowed token if there is just one, or an end of sequence if nothing else is allowed.
  std::optional<TokenId> only_choice(std::span<const MaskWord> mask) const {
    std::optional<TokenId> first;
    bool several = false;
    for_each_mask_bit(mask, [&](TokenId token) {
      several = first.has_value() && !(vocabulary_->is_eos(*first) && vocabulary_->is_eos(token));
      if (!first) first = token;
      return !several;
    });
    return several ? std::nullopt : first;
  }

  /// Ends an accepting text in which nothing else fits.
  std::optional<TokenId> end_of_sequence() {
    no_token_ = true;
    const auto ids = vocabulary_->eos_ids();
    return ids.empty() ? std::nullopt : std::optional(ids[0]);
  }

  const SamplingOptions& options_;
  const StreamCallback& stream_;
  Matcher matcher_;
  const std::shared_ptr<const Vocabulary> vocabulary_;
  LanguageModel* const model_;
  ModelCursor cursor_;
  Random random_;
  TokenChoice choice_;
  Completion completion_;
  std::vector<int32_t> mask_, unknown_;
  bool some_unknown_ = false;
  std::vector<float> log_probs_;
  Generation generation_;
  bool no_token_ = false;
};

Status check(const SamplingOptions& options, const Vocabulary& vocabulary,
             const LanguageModel* model) {
  const auto invalid = [](const char* message, const char* place) {
    return Status(StatusCode::kInvalidArgument, message, place);
  };
  if (!(options.temperature >= 0) || std::isinf(options.temperature)) {
    return invalid("The temperature must be a number that is not negative.", "temperature");
  }
  if (options.top_k < 0) return invalid("top_k must not be negative.", "top_k");
  if (!(options.top_p > 0) || options.top_p > 1) {
    return invalid("top_p must be above 0 and at most 1.", "top_p");
  }
  if (options.uniform) return Status();
  if (model == nullptr) return invalid("Sampling needs a model or the uniform option.", "model");
  if (model->width() != vocabulary.width()) {
    return invalid("The model's rows and the vocabulary have different widths.", "vocabulary");
  }
  return Status();
}

}  // namespace

std::string_view to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kComplete:
      return "complete";
    case FinishReason::kBudget:
      return "budget";
    case FinishReason::kDeadEnd:
      return "dead_end";
    case FinishReason::kUnsatisfiable:
      return "unsatisfiable";
  }
  return "";
}

Result<Generation> generate(std::shared_ptr<const Grammar> grammar,
                            std::shared_ptr<const Vocabulary> vocabulary, LanguageModel* model,
                            const SamplingOptions& options, const StreamCallback& stream) {
  if (Status status = check(options, *vocabulary, model); !status.ok()) return status;
  return Generator(std::move(grammar), std::move(vocabulary), model, options, stream).run();
}

}  // namespace espalier
