#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokenizers/added_tokens.h"
#include "engine/tokenizers/piece_encoder.h"
#include "engine/tokenizers/pretokenizer.h"
#include "engine/tokenizers/text_normalizer.h"
#include "engine/tokenizers/tokenizer.h"

namespace espalier {

/// The usual tokenizer, in four stages: added tokens are cut out; what is left is normalized, then
/// pre-tokenized; each piece is encoded.
class TextTokenizer final : public Tokenizer {
 public:
  struct Stages {
    AddedTokens added;
    std::vector<NormalizerStep> normalizer;
    Pretokenizer pretokenizer;
    std::unique_ptr<const PieceEncoder> encoder;
  };

  explicit TextTokenizer(Stages stages) : stages_(std::move(stages)) {}
  Status encode(std::string_view text, std::vector<TokenId>& ids) const override;
  size_t memory_bytes() const override;
  std::string_view pretokenization() const override { return stages_.pretokenizer.pattern(); }

 private:
  Status encode_stretch(std::string_view text, bool at_start, std::vector<TokenId>& ids) const;
  Stages stages_;
};

}  // namespace espalier
