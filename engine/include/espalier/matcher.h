#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Why a token is refused.
struct Refusal {
  std::string instance_path;   ///< JSON pointer into the instance being written
  std::string schema_pointer;  ///< JSON pointer into the schema
  std::string keyword;
  std::string sentence;
  size_t byte_offset = 0;  ///< of the refused byte inside the token
};

struct MatcherOptions {
  /// When false, no mask, row or token edge is memoized: same answers, slower (promise 4).
  bool use_caches = true;
};

/// What Matcher::prefetch should make ahead of time.
struct PrefetchOptions {
  /// Tokens that may come next, the likeliest first (from a drafter, or the last logits); those
  /// that are refused are passed over. Empty: the forced tokens, one after the other, else those
  /// that end a string, a number or a name.
  std::span<const TokenId> likely;
  size_t max_masks = 8;  ///< masks to be made, that of the present state included
  std::stop_token stop;  ///< looked at before each mask
};

/// One sequence's cursor over a compiled grammar: cheap, copyable, single-threaded; several
/// matchers may run on one grammar in different threads. Mask rows are the servers' layout: int32
/// words, bit t % 32 of word t / 32 set when token t is allowed, tail bits clear.
class Matcher {
 public:
  Matcher(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const Vocabulary> vocabulary,
          const MatcherOptions& options = {});
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  /// A copy that goes its own way; O(1): history is shared.
  Matcher clone() const;

  /// Fills `row` (at least vocabulary->row_words() words; words beyond are cleared). Ordinary
  /// tokens are allowed iff accept would succeed; end-of-sequence ids iff is_accepting(). After
  /// termination the row is all zero.
  Status fill_mask(std::span<int32_t> row);
  /// The same where asking is left to the caller: `row` gets the tokens known to be allowed,
  /// `unknown` those that only is_allowed can tell (inside a pattern with back-references nearly
  /// all); a token in neither is refused. Without such a constraint `unknown` is all zero. An empty
  /// `unknown` asks for all of them at once, as the first form does.
  Status fill_mask(std::span<int32_t> row, std::span<int32_t> unknown);
  bool is_allowed(TokenId token);
  /// While the model computes, makes the mask of the present state and those of likely next states,
  /// so that fill_mask finds them. The matcher does not change, so that another thread may do this
  /// as long as nobody else uses it, or on a clone. Returns how many masks were not known yet.
  /// Without caches it does nothing.
  size_t prefetch(const PrefetchOptions& options = {}) const;
  /// Advances by one token (an end-of-sequence id terminates). kRejected leaves the state as it
  /// was.
  Status accept(TokenId token);
  /// Accepts tokens until one is refused; returns how many were accepted.
  size_t accept_n(std::span<const TokenId> tokens);
  /// How many of `tokens` would be accepted in turn; the state does not change.
  size_t validate(std::span<const TokenId> tokens);
  /// Advances by raw bytes, as one history entry.
  Status accept_bytes(std::string_view bytes);
  /// Undoes the last n accepted tokens, across termination. kInvalidArgument if n exceeds them.
  Status rollback(size_t n);
  /// Back to the start; a store that the grammar has retired meanwhile is let go.
  void reset();

  /// Tokens accepted so far (the end of sequence included).
  size_t num_accepted() const;
  /// May the sequence end here?
  bool is_accepting();
  /// Has an end-of-sequence token been accepted?
  bool is_terminated() const;
  /// No ordinary token and no end of sequence is allowed although not terminated. (Dead end.)
  bool is_stuck();

  /// The bytes every completion must start with, as long as they are certain.
  std::string forced_bytes();
  /// forced_bytes() as tokens: the longest prefix of its encoding that does not touch the last,
  /// still uncertain token boundary.
  std::vector<TokenId> forced_tokens();
  /// Bytes accepted so far.
  std::string text() const;
  /// Names the place: matchers of one family (clones of each other) with equal keys have equal
  /// futures.
  std::array<uint32_t, 4> state_key() const;
  /// Why is_allowed(token) is false; an empty sentence when it is allowed.
  Refusal explain(TokenId token);

  /// The fewest tokens that complete the text from here when `first` (-1: none) is accepted first
  /// (not counted), as far as a bounded search can tell; kBudgetExceeded / kRejected when none is
  /// known.
  Result<size_t> tokens_to_complete(TokenId first = -1);
  /// Can at most `tokens` tokens complete the text, after `first` (-1: none; not counted)? The same
  /// answer as tokens_to_complete(first) <= tokens, sooner.
  bool completes_within(TokenId first, size_t tokens);
  /// Clears the bits of ordinary tokens for which completes_within(token, tokens) is false; `row`
  /// is a mask of this place.
  void keep_completable(std::span<int32_t> row, size_t tokens);
  /// Does `text` complete the text after `first` (-1: none)?
  bool completes_with(TokenId first, std::string_view text);
  /// Tokens that complete the text, at most `max_tokens` of them; errors as above.
  Result<std::vector<TokenId>> completion(size_t max_tokens = SIZE_MAX);

  Status status() const;
  const Vocabulary& vocabulary() const;
  const Grammar& grammar() const;
  /// Bytes of this matcher and its history, entries shared with clones included; about 300, and 24
  /// to 50 a token. Grammar and vocabulary count for themselves.
  size_t memory_bytes() const;

 private:
  struct Impl;
  explicit Matcher(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier
