#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// Text -> token ids. Immutable, thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Appends the ids of `text`; on failure `ids` holds what was encoded before the offending place.
  virtual Status encode(std::string_view text, std::vector<TokenId>& ids) const = 0;
  virtual size_t memory_bytes() const = 0;
  /// The one regular expression that cuts a text before its pieces are encoded; "" = another way.
  virtual std::string_view pretokenization() const { return {}; }
};

/// Stands in where a vocabulary can be read but its encoding rules are missing or not supported:
/// masks work, encode() says why it does not.
class UnavailableTokenizer final : public Tokenizer {
 public:
  explicit UnavailableTokenizer(Status reason) : reason_(std::move(reason)) {}
  Status encode(std::string_view, std::vector<TokenId>&) const override { return reason_; }
  size_t memory_bytes() const override { return sizeof(*this); }

 private:
  Status reason_;
};

/// Longest match over the vocabulary's trie, for vocabularies that come without merges. The
/// vocabulary owns the tokenizer, so the reference stays valid.
class GreedyTokenizer final : public Tokenizer {
 public:
  explicit GreedyTokenizer(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}
  Status encode(std::string_view text, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override { return sizeof(*this); }

 private:
  const Vocabulary& vocabulary_;
};

/// The error for a byte that no token covers; the place is its offset in the text.
Status uncovered_byte(std::string_view text, size_t offset);

}  // namespace espalier
