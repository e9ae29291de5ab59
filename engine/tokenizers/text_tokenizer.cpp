#include "engine/tokenizers/text_tokenizer.h"

#include <string>

namespace espalier {

Status TextTokenizer::encode_stretch(std::string_view text, bool at_start,
                                     std::vector<TokenId>& ids) const {
  if (text.empty()) return Status();
  std::string normalized;
  if (!stages_.normalizer.empty()) {
    Result<std::string> result = normalize_text(text, at_start, stages_.normalizer);
    if (!result) return result.status();
    normalized = std::move(result).value();
    text = normalized;
  }
  std::vector<std::string_view> pieces;
  if (Status status = stages_.pretokenizer.split(text, pieces); !status.ok()) return status;
  for (const std::string_view piece : pieces) {
    if (Status status = stages_.encoder->encode(piece, ids); !status.ok()) return status;
  }
  return Status();
}

Status TextTokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const {
  size_t last = 0;
  for (const AddedTokens::Match& match : stages_.added.find(text)) {
    Status status = encode_stretch(text.substr(last, match.begin - last), last == 0, ids);
    if (!status.ok()) return status;
    ids.push_back(match.id);
    last = match.end;
  }
  return encode_stretch(text.substr(last), last == 0, ids);
}

size_t TextTokenizer::memory_bytes() const {
  return sizeof(*this) + stages_.added.memory_bytes() + stages_.pretokenizer.memory_bytes() +
         stages_.encoder->memory_bytes();
}

}  // namespace espalier
