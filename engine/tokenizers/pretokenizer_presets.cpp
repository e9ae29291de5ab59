// The pre-tokenization patterns that models use, under espalier's names and GGUF's.
//
// A GGUF file names its pattern instead of carrying it (tokenizer.ggml.pre), a tiktoken file does
// not even do that. The patterns are those of the models' own tokenizer files.
#include <algorithm>

#include "engine/tokenizers/pretokenizer.h"

namespace espalier {
namespace {

constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kCl100k =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Preset {
  const char* names;  // separated by spaces; espalier's own name first
  const char* pattern;
  bool whole_pieces = false;
};

constexpr Preset kPresets[] = {
    {"llama3 llama-v3 llama-bpe", kLlama3, true},
    {"cl100k", kCl100k},
    {"gpt2 gpt-2", kGpt2},
    {"o200k gpt-4o", kO200k},
    {"qwen2", kQwen2},
};

struct Stem {
  std::string_view stem;
  std::string_view name;
};

constexpr Stem kStems[] = {
    {"cl100k_base", "cl100k"},  {"gpt2", "gpt2"},      {"o200k_base", "o200k"},
    {"o200k_harmony", "o200k"}, {"p50k_base", "gpt2"}, {"p50k_edit", "gpt2"},
    {"qwen", "qwen2"},          {"r50k_base", "gpt2"},
};

bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

}  // namespace

std::optional<PretokenizerPreset> pretokenizer_preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (!lists(preset.names, name)) continue;
    PretokenizerPreset result;
    result.whole_pieces = preset.whole_pieces;
    result.rules.push_back({preset.pattern});
    return result;
  }
  return std::nullopt;
}

std::string_view pretokenizer_of_stem(std::string_view stem) {
  for (const Stem& known : kStems) {
    if (known.stem == stem) return known.name;
  }
  return {};
}

}  // namespace espalier
