// tiktoken vocabularies: one line a token, "BASE64 RANK", rank = id.
//
// Example: "IQ== 0" is token 0, the byte '!'.
//
// Invariants: every line has both parts, every rank occurs once. The file names neither special
// tokens nor an end of sequence nor a pre-tokenization: the first two come by options, the third by
// an option or from the file's name (o200k_base.tiktoken -> o200k).
//
// Cost: linear in the file.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "engine/vocabulary/vocabulary_builder.h"

namespace espalier {
namespace {

// A larger hole between the file's last id and the first special one means that lines are missing.
constexpr TokenId kLargestHole = 1024;

std::array<int8_t, 256> make_base64_values() {
  std::array<int8_t, 256> values;
  values.fill(-1);
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<int8_t>(i);
  }
  return values;
}

// RFC 4648 section 4, padding required.
bool decode_base64(std::string_view text, std::string& bytes) {
  static const std::array<int8_t, 256> kValues = make_base64_values();
  bytes.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 0xFF);
    }
  }
  return (bits & ((1u << held) - 1)) == 0;
}

std::optional<TokenId> parse_rank(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  TokenId rank = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    rank = rank * 10 + (c - '0');
  }
  return rank;
}

Status read_lines(std::string_view bytes, VocabularyBuilder& builder) {
  const auto error = [&](size_t offset, std::string message) {
    return Status(StatusCode::kParseError, std::move(message),
                  builder.place(std::to_string(offset)));
  };
  std::string spelling;
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    std::string_view line = bytes.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) {
      const size_t space = line.find(' ');
      if (space == std::string_view::npos) {
        return error(begin, "The line has no rank after its token; the file may be truncated.");
      }
      if (!decode_base64(line.substr(0, space), spelling)) {
        return error(begin, "The token is not base64.");
      }
      const std::optional<TokenId> rank = parse_rank(line.substr(space + 1));
      if (!rank || static_cast<size_t>(*rank) >= kMaxTokens) {
        return error(begin + space + 1, "The rank is not a number of a possible token.");
      }
      if (!builder.add(*rank, spelling, false)) {
        return error(begin + space + 1,
                     "The id " + std::to_string(*rank) + " is given to a second token.");
      }
    }
    begin = end + 1;
  }
  return Status();
}

Status check_hole(const VocabularyBuilder& builder, const VocabularyOptions& options,
                  size_t file_size) {
  const TokenId size = static_cast<TokenId>(builder.size());
  TokenId first = size;
  const auto see = [&](TokenId id) {
    if (id >= size && (first == size || id < first)) first = id;
  };
  for (const TokenId id : options.eos_ids) see(id);
  for (const auto& [name, id] : options.special_tokens) see(id);
  if (first - size <= kLargestHole) return Status();
  return Status(StatusCode::kParseError,
                "The file ends at id " + std::to_string(size - 1) +
                    " although the first special id is " + std::to_string(first) +
                    "; it may be truncated.",
                builder.place(std::to_string(file_size)));
}

}  // namespace

LoadedVocabulary load_tiktoken(const std::string& path, std::string_view bytes,
                               const VocabularyOptions& options) {
  VocabularyBuilder builder(path);
  Status status = read_lines(bytes, builder);
  if (status.ok()) status = check_hole(builder, options, bytes.size());
  if (status.ok()) status = builder.apply(options, true);
  if (!status.ok()) return status;
  for (const auto& [name, id] : options.special_tokens) {
    if (options.eos_ids.empty() && is_known_eos_name(name)) builder.mark_eos(id);
  }
  if (status = builder.lay_out(options.padded_width); !status.ok()) return status;

  std::string pretokenizer = options.pretokenizer;
  if (pretokenizer.empty()) {
    pretokenizer = pretokenizer_of_stem(std::filesystem::path(path).stem().string());
  }
  if (pretokenizer.empty()) {
    return builder.finish(std::make_unique<UnavailableTokenizer>(Status(
        StatusCode::kUnsupported,
        "A tiktoken file does not say how text is pre-tokenized; name it by an option.", path)));
  }
  Result<std::unique_ptr<const Tokenizer>> tokenizer = make_ranked_tokenizer(builder, pretokenizer);
  if (!tokenizer) return tokenizer.status();
  return builder.finish(std::move(tokenizer).value());
}

}  // namespace espalier
