#pragma once

#include <string>
#include <vector>

#include "espalier/vocabulary.h"
#include "grammar/recognizer.h"

namespace espalier {

/// How far forced text is followed.
inline constexpr size_t kMaxForcedBytes = size_t{64} << 10;

/// The bytes that every completion of a state starts with, and the state after them.
struct ForcedText {
  std::string bytes;
  State end;
};

ForcedText find_forced_bytes(Recognizer& recognizer, State state);

/// The leading tokens of the text's encoding that no continuation can change.
std::vector<TokenId> certain_tokens(Recognizer& recognizer, const Vocabulary& vocabulary,
                                    const ForcedText& forced);

}  // namespace espalier
