#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

inline constexpr int kMaxNgramOrder = 16;

/// What a model file says about its vocabulary; makes a Vocabulary when asked.
struct NgramVocabulary {
  std::vector<std::string> tokens;
  std::vector<TokenId> eos_ids;
  std::vector<TokenId> special;
  std::string pretokenizer;  ///< of a byte-level BPE vocabulary; "": no merges, longest match
  size_t padded_width = 0;

  Result<std::shared_ptr<const Vocabulary>> make() const;
};

/// What is taken off a count of 1, 2, and 3 or more, in millionths.
using Discounts = std::array<uint32_t, 3>;
inline constexpr uint32_t kDiscountUnit = 1'000'000;

/// Discounted next-token counts over a trie of contexts. Node 0 is the empty context; a child puts
/// one *older* token in front of its parent's context. Nodes are in breadth-first order, so the
/// children of node i are the nodes first_child[i] .. first_child[i + 1] - 1, sorted by token;
/// entries likewise. A child's entries are among its parent's.
struct NgramTrie {
  int order = 0;                      ///< longest context + 1
  std::vector<Discounts> discounts;   ///< by length of context
  std::vector<TokenId> token;         ///< the oldest token of each node's context (node 0: -1)
  std::vector<uint32_t> first_child;  ///< size() + 1 of them
  std::vector<uint32_t> first_entry;  ///< size() + 1 of them
  std::vector<uint64_t> residual;     ///< counts of continuations that were pruned
  std::vector<TokenId> entry_token;
  std::vector<uint32_t> entry_count;  ///< at least 1

  size_t size() const { return token.size(); }
  std::span<const TokenId> entry_tokens(size_t node) const {
    return std::span(entry_token)
        .subspan(first_entry[node], first_entry[node + 1] - first_entry[node]);
  }
};

struct NgramFile {
  NgramVocabulary vocabulary;
  NgramTrie trie;
};

std::string encode_ngram_file(const NgramVocabulary& vocabulary, const NgramTrie& trie);

/// Does a file of this beginning claim to be an n-gram model?
bool is_ngram_file(std::string_view bytes);

/// Errors: kParseError (not such a file, truncated, damaged), kUnsupported (another version); the
/// place is "name:offset".
Result<NgramFile> decode_ngram_file(std::string_view bytes, const std::string& name);

/// The checksum that the header of a file with these bytes should hold.
uint64_t ngram_file_checksum(std::string_view bytes);

}  // namespace espalier
