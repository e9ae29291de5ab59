#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// What becomes of the matches of a splitting pattern (Hugging Face's names).
enum class SplitBehavior : uint8_t {
  kIsolated,            ///< matches and the text between them are pieces
  kRemoved,             ///< only the text between matches is kept
  kMergedWithPrevious,  ///< a match ends the piece before it
  kMergedWithNext,      ///< a match begins the piece after it
  kContiguous,          ///< as kIsolated, adjacent matches joined
};

struct SplitRule {
  std::string pattern;
  bool literal = false;  ///< `pattern` is plain text, not a regular expression
  bool invert = false;   ///< what lies between matches is what matches
  SplitBehavior behavior = SplitBehavior::kIsolated;
};

/// Cuts text into the pieces that are encoded one by one: a list of rules, each applied to the
/// pieces of the one before. Bytes that are not UTF-8 count as U+FFFD. Immutable, thread-safe.
class Pretokenizer {
 public:
  /// kParseError for an invalid pattern, kUnsupported for one that Boost.Regex would read
  /// differently from the tokenizers it comes from.
  static Result<Pretokenizer> create(std::vector<SplitRule> rules);

  Pretokenizer();
  Pretokenizer(Pretokenizer&&) noexcept;
  Pretokenizer& operator=(Pretokenizer&&) noexcept;
  ~Pretokenizer();

  /// Appends the pieces of `text`, in order. kBudgetExceeded if a pattern backtracks without end.
  Status split(std::string_view text, std::vector<std::string_view>& pieces) const;
  size_t memory_bytes() const;
  /// The regular expression, where splitting is one isolating expression; else "".
  std::string_view pattern() const;

 private:
  struct Rule;
  std::vector<std::unique_ptr<const Rule>> rules_;
};

/// A named pre-tokenization.
struct PretokenizerPreset {
  std::vector<SplitRule> rules;
  /// Pieces that are tokens are not merged ("ignore_merges").
  bool whole_pieces = false;
};

/// By espalier's name ("llama3", "cl100k", "gpt2", "o200k", "qwen2", ...), or GGUF's
/// (tokenizer.ggml.pre: "llama-bpe", "gpt-2", ...). nullopt for an unknown name.
std::optional<PretokenizerPreset> pretokenizer_preset(std::string_view name);

/// The name that goes with a tiktoken file's stem ("cl100k_base" -> "cl100k"), or "".
std::string_view pretokenizer_of_stem(std::string_view stem);

}  // namespace espalier
