// The pre-tokenization patterns that models use, under espalier's names and GGUF's.
//
// A GGUF file names its pattern instead of carrying it (tokenizer.ggml.pre), a tiktoken file does
// not even do that. The patterns are those of the models' own tokenizer files.
#include <algorithm>

#include "engine/pretokenizer.h"

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
constexpr const char* kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr const char* kDeepseek3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kHanKana = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
constexpr const char* kBloom = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";
constexpr const char* kDefaultPunctuation = R"([\p{P}\$\+<=>\^~\|]+)";
constexpr const char* kFalconPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr const char* kDigit = R"(\p{N})";
constexpr const char* kDigits = R"(\p{N}+)";
constexpr const char* kThreeDigits = R"(\p{N}{1,3})";
constexpr const char* kAsciiTriple = "[0-9][0-9][0-9]";

constexpr size_t kMaxPatterns = 4;
struct Preset {
  const char* names;  // separated by spaces; espalier's own name first
  const char* patterns[kMaxPatterns];
  bool whole_pieces = false;
};

constexpr Preset kPresets[] = {
    {"llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2", {kLlama3}, true},
    {"dbrx smaug-bpe chatglm-bpe glm4", {kLlama3}},
    {"cl100k", {kCl100k}},
    {"gpt2 gpt-2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe "
     "gigachat a.x-4.0 mellum modern-bert mpt olmo jais trillion granite-docling exaone4",
     {kGpt2}},
    {"o200k gpt-4o llama4 kanana2", {kO200k}},
    {"qwen2 deepseek-r1-qwen stablelm2 megrez hunyuan solar-open grok-2", {kQwen2}},
    {"qwen35", {kQwen35}},
    {"tekken", {kTekken}, true},
    {"seed-coder", {kSeedCoder}},
    {"bailingmoe bailingmoe2 llada-moe", {kBailing}},
    {"deepseek-v3 hunyuan-dense joyai-llm", {kThreeDigits, kHanKana, kDeepseek3Words}},
    {"deepseek-coder",
     {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"}},
    {"falcon", {kFalconPunctuation, kGpt2, kAsciiTriple}},
    {"starcoder refact command-r smollm codeshell exaone minerva-7b", {kDigit, kGpt2}},
    {"bloom poro-chat gpt3-finnish", {kBloom}},
    {"viking", {kBloom, kDigit}},
    {"default", {kDefaultPunctuation, kGpt2, kDigits, kAsciiTriple}},
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
    for (const char* pattern : preset.patterns) {
      if (pattern != nullptr) result.rules.push_back({pattern});
    }
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
