#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// What a Boolean constraint says about a whole row of tokens at once.
enum class Knowledge : uint8_t {
  kNone,     ///< nothing: each token must be tested, and the rows are not written
  kPartial,  ///< rows of allowed and of unknown tokens, disjoint; a token in neither is refused
  kFull,     ///< the same with no unknown token
};

/// Names the future of a place: places of one potential (and of clones) with equal keys, and equal
/// numbers of tokens left, allow the same continuations.
using StateKey = std::array<uint32_t, 4>;

/// A place in a token sequence, as a constraint sees it: what an implementation of Potential
/// provides. Only ordinary tokens and end-of-sequence ids of the vocabulary are asked; nothing is
/// asked after an end of sequence. Exceptions are caught by the PotentialCursor around it, and end
/// the sequence that met them. Single-threaded.
class PotentialState {
 public:
  virtual ~PotentialState() = default;
  virtual std::unique_ptr<PotentialState> clone() const = 0;

  /// One constraint evaluation: may `token` come next? For an end of sequence: may the text end
  /// here? For others: is the text with it still a prefix of an allowed one?
  virtual Result<bool> test(TokenId token) = 0;
  /// Advances by a token for which test holds; kRejected, and no change, for others.
  virtual Status accept(TokenId token) = 0;
  /// What is known of all tokens; rows as in Matcher::fill_mask, of row_words() words each. What
  /// it says agrees with test.
  virtual Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown);
  /// Can at most `tokens` tokens complete the text after `first` (an ordinary token that may come
  /// next; -1: none)? False only when that is known.
  virtual bool completes_within(TokenId first, size_t tokens);
  /// Clears from a row of ordinary tokens that may come next those for which
  /// completes_within(token, tokens) is false.
  virtual void keep_completable(std::span<int32_t> row, size_t tokens);
  /// Names the place; nullopt when the constraint cannot tell.
  virtual std::optional<StateKey> key() const;
  /// Tokens that may still come, the end of sequence not counted; SIZE_MAX: no limit.
  virtual size_t tokens_left() const;
};

/// A Boolean constraint over token sequences of one vocabulary: an automaton with full masks, a
/// three-valued mask, a predicate, or a conjunction of these. Immutable, shared, thread-safe.
class Potential {
 public:
  virtual ~Potential() = default;
  virtual const std::shared_ptr<const Vocabulary>& vocabulary() const = 0;
  /// The place before the first token.
  virtual std::unique_ptr<PotentialState> start() const = 0;
};

/// One sequence's place under a potential: a value that samplers, particles and trie nodes hold and
/// copy. Whatever an implementation throws becomes a Status (kInvalidArgument) here, and from then
/// on every question is answered with it. Single-threaded.
class PotentialCursor {
 public:
  explicit PotentialCursor(std::shared_ptr<const Potential> potential);
  PotentialCursor(const PotentialCursor& other);
  PotentialCursor(PotentialCursor&&) noexcept = default;
  PotentialCursor& operator=(PotentialCursor other) noexcept;
  ~PotentialCursor() = default;

  /// False for ids that are neither ordinary nor an end of sequence, and after an end of sequence.
  Result<bool> test(TokenId token);
  Status accept(TokenId token);
  /// Rows of at least row_words() words; words beyond are cleared. See PotentialState::fill.
  Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown);
  bool completes_within(TokenId first, size_t tokens);
  std::optional<StateKey> key() const;
  size_t tokens_left() const;

  bool is_terminated() const { return terminated_; }
  /// The failure that ended this sequence, or ok.
  const Status& status() const { return status_; }
  const Vocabulary& vocabulary() const { return *potential_->vocabulary(); }
  const std::shared_ptr<const Potential>& potential() const { return potential_; }

 private:
  template <typename Value, typename Call>
  Value guarded(Value otherwise, Call&& call) const;
  bool is_text(TokenId token) const;
  bool is_eos(TokenId token) const;

  std::shared_ptr<const Potential> potential_;
  std::unique_ptr<PotentialState> state_;
  mutable Status status_;
  bool terminated_ = false;
};

/// The language of a grammar, with full masks.
std::shared_ptr<const Potential> automaton_potential(std::shared_ptr<const Grammar> grammar,
                                                     std::shared_ptr<const Vocabulary> vocabulary,
                                                     const MatcherOptions& options = {});

/// A predicate over the bytes written so far. It may throw.
struct PrefixPredicate {
  /// May a text that begins with these bytes still become a valid one? Empty: always.
  std::function<bool(std::string_view prefix)> prefix;
  /// Is this text valid? Empty: always.
  std::function<bool(std::string_view text)> complete;
};
std::shared_ptr<const Potential> predicate_potential(PrefixPredicate predicate,
                                                     std::shared_ptr<const Vocabulary> vocabulary);

/// All of `parts` (at least one, over one vocabulary). What one part knows is used by all: a token
/// that one refuses is refused, and only what some part does not know is tested, in the order
/// given.
std::shared_ptr<const Potential> conjunction(std::vector<std::shared_ptr<const Potential>> parts);

/// The same language with its masks hidden: each token must be tested.
std::shared_ptr<const Potential> without_masks(std::shared_ptr<const Potential> potential);

/// The texts of at most `max_tokens` tokens (the end of sequence not counted): a token is allowed
/// only if what it leaves can be completed in the tokens that remain. At the bound only ends of
/// sequence are asked about. Where every allowed token would have to be looked at
/// (`max_enumerated` of them, or more), masks report them as unknown instead.
std::shared_ptr<const Potential> limit_tokens(std::shared_ptr<const Potential> potential,
                                              size_t max_tokens, size_t max_enumerated = 16'384);

}  // namespace espalier
