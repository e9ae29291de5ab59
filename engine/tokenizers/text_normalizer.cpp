#include "engine/tokenizers/text_normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include "engine/tokenizers/utf8.h"

namespace espalier {
namespace {

using Kind = NormalizerStep::Kind;

Status unicode_error(UErrorCode error) {
  return Status(StatusCode::kInternal,
                std::string("ICU cannot normalize the text: ") + u_errorName(error) + ".");
}

const icu::Normalizer2* normalizer_of(Kind kind, UErrorCode& error) {
  switch (kind) {
    case Kind::kNfc:
      return icu::Normalizer2::getNFCInstance(error);
    case Kind::kNfd:
      return icu::Normalizer2::getNFDInstance(error);
    case Kind::kNfkc:
      return icu::Normalizer2::getNFKCInstance(error);
    default:
      return icu::Normalizer2::getNFKDInstance(error);
  }
}

icu::StringPiece piece_of(const std::string& text) {
  return icu::StringPiece(text.data(), static_cast<int32_t>(text.size()));
}

Status unicode_step(Kind kind, std::string& text) {
  bool ascii = true;
  for (const char c : text) ascii = ascii && static_cast<uint8_t>(c) < 0x80;
  if ((ascii && kind != Kind::kLowercase) || !is_valid_utf8(text)) return Status();
  if (text.size() > INT32_MAX) {
    return Status(StatusCode::kBudgetExceeded, "The text is longer than 2 GiB.");
  }
  UErrorCode error = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  if (kind == Kind::kLowercase) {
    icu::CaseMap::utf8ToLower("", 0, piece_of(text), sink, nullptr, error);
  } else if (const icu::Normalizer2* normalizer = normalizer_of(kind, error)) {
    normalizer->normalizeUTF8(0, piece_of(text), sink, nullptr, error);
  }
  if (U_FAILURE(error)) return unicode_error(error);
  text.swap(out);
  return Status();
}

void strip_left(std::string& text) {
  size_t begin = 0;
  while (begin < text.size()) {
    const Utf8Char c = decode_utf8(text, begin);
    if (!u_isUWhiteSpace(static_cast<UChar32>(c.code))) break;
    begin += c.length;
  }
  text.erase(0, begin);
}

void strip_right(std::string& text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    i += c.length;
    if (!u_isUWhiteSpace(static_cast<UChar32>(c.code))) end = i;
  }
  text.erase(end);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty() || text.find(from) == std::string::npos) return;
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  size_t last = 0;
  for (size_t at; (at = text.find(from, last)) != std::string::npos; last = at + from.size()) {
    out.append(text, last, at - last).append(to);
  }
  out.append(text, last);
  text.swap(out);
}

}  // namespace

Result<std::string> normalize_text(std::string_view text, bool at_start,
                                   const std::vector<NormalizerStep>& steps) {
  std::string result(text);
  for (const NormalizerStep& step : steps) {
    switch (step.kind) {
      case Kind::kNfc:
      case Kind::kNfd:
      case Kind::kNfkc:
      case Kind::kNfkd:
      case Kind::kLowercase:
        if (Status status = unicode_step(step.kind, result); !status.ok()) return status;
        break;
      case Kind::kStripLeft:
        strip_left(result);
        break;
      case Kind::kStripRight:
        strip_right(result);
        break;
      case Kind::kReplace:
        replace_all(result, step.from, step.to);
        break;
      case Kind::kPrepend:
        if (!result.empty()) result.insert(0, step.to);
        break;
      case Kind::kPrependUnless:
      case Kind::kPrependFirstUnless: {
        const bool applies = step.kind == Kind::kPrependUnless || at_start;
        if (applies && !result.empty() && !result.starts_with(step.to)) result.insert(0, step.to);
        break;
      }
    }
  }
  return result;
}

}  // namespace espalier
