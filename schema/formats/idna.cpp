// IDNA 2008 for single labels.
//
// ICU decodes and encodes Punycode and checks normalization, hyphens, initial marks, the contextual
// rules of RFC 5892, appendix A, and the Bidi rule within a label. Its table of code points is that
// of UTS #46, which allows symbols, so the derived property of RFC 5892, section 3, is computed
// here: a code point is valid if it is a letter, digit or mark that case folding and compatibility
// normalization leave as it is, apart from a short list of exceptions.
//
//     xn--ll-0ea   ->  l MIDDLE-DOT l      valid
//     xn--n3h      ->  SNOWMAN             a symbol: not valid
//     xn---9uc     ->  does not encode back to itself: not valid
#include "schema/formats/idna.h"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <iterator>

namespace espalier {
namespace {

const UIDNA* idna() {
  static const UIDNA* const instance = [] {
    UErrorCode error = U_ZERO_ERROR;
    return uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                               UIDNA_CHECK_CONTEXTO | UIDNA_NONTRANSITIONAL_TO_ASCII |
                               UIDNA_NONTRANSITIONAL_TO_UNICODE,
                           &error);
  }();
  return instance;
}

using Convert = int32_t (*)(const UIDNA*, const UChar*, int32_t, UChar*, int32_t, UIDNAInfo*,
                            UErrorCode*);

/// The converted label, and whether ICU found an error in it.
std::u16string convert(Convert function, std::u16string_view label, bool* valid) {
  char16_t buffer[256];
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode error = U_ZERO_ERROR;
  *valid = false;
  if (idna() == nullptr) return {};
  const int32_t size = function(idna(), label.data(), static_cast<int32_t>(label.size()), buffer,
                                static_cast<int32_t>(std::size(buffer)), &info, &error);
  if (U_FAILURE(error) || size > static_cast<int32_t>(std::size(buffer))) return {};
  *valid = info.errors == 0;
  return std::u16string(buffer, size);
}

/// RFC 5892, section 2.2: changed by NFKC(casefold(NFKC(c))).
bool is_unstable(UChar32 c) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfkc = unorm2_getNFKCInstance(&error);
  char16_t original[2];
  int32_t size = 0;
  U16_APPEND_UNSAFE(original, size, c);
  char16_t a[64];
  char16_t b[64];
  const int32_t capacity = static_cast<int32_t>(std::size(a));
  int32_t n = unorm2_normalize(nfkc, original, size, a, capacity, &error);
  n = u_strFoldCase(b, capacity, a, n, U_FOLD_CASE_DEFAULT, &error);
  n = unorm2_normalize(nfkc, b, n, a, capacity, &error);
  return U_FAILURE(error) || !std::equal(a, a + n, original, original + size);
}

/// PVALID, CONTEXTJ or CONTEXTO by RFC 5892, section 3.
bool is_allowed(UChar32 c) {
  constexpr UChar32 kValid[] = {0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007};
  constexpr UChar32 kContext[] = {0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB, 0x200C, 0x200D};
  constexpr UChar32 kDisallowed[] = {0x640,  0x7FA,  0x302E, 0x302F, 0x3031,
                                     0x3032, 0x3033, 0x3034, 0x3035, 0x303B};
  if (std::ranges::find(kValid, c) != std::end(kValid)) return true;
  if (std::ranges::find(kContext, c) != std::end(kContext)) return true;
  if (std::ranges::find(kDisallowed, c) != std::end(kDisallowed)) return false;
  if (c < 0x80) return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  constexpr uint32_t kLetterDigits = U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK | U_GC_ND_MASK |
                                     U_GC_LM_MASK | U_GC_MN_MASK | U_GC_MC_MASK;
  if ((U_GET_GC_MASK(c) & kLetterDigits) == 0) return false;
  if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return false;
  const bool ignorable_block = (c >= 0x20D0 && c <= 0x20FF) || (c >= 0x1D100 && c <= 0x1D24F);
  if (ignorable_block) return false;
  const int32_t syllable = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
  if (syllable == U_HST_LEADING_JAMO || syllable == U_HST_VOWEL_JAMO ||
      syllable == U_HST_TRAILING_JAMO) {
    return false;
  }
  return !is_unstable(c);
}

LabelDirection direction_of(std::u16string_view label) {
  LabelDirection result;
  bool first = true;
  bool ends_well = false;
  for (size_t i = 0; i < label.size();) {
    UChar32 c = 0;
    U16_NEXT(label.data(), i, label.size(), c);
    const UCharDirection direction = u_charDirection(c);
    const bool left = direction == U_LEFT_TO_RIGHT;
    const bool number = direction == U_EUROPEAN_NUMBER;
    const bool mark = direction == U_DIR_NON_SPACING_MARK;
    result.right_to_left |= direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC ||
                            direction == U_ARABIC_NUMBER;
    if (first && !left) result.breaks_rule = true;
    if (!mark) ends_well = left || number;
    first = false;
  }
  result.breaks_rule |= !ends_well;
  // ICU has checked the rule for a label that is right-to-left itself.
  if (result.right_to_left) result.breaks_rule = false;
  return result;
}

}  // namespace

bool is_allowed_in_u_label(uint32_t codepoint) {
  return is_allowed(static_cast<UChar32>(codepoint));
}

std::string to_a_label(std::u16string_view label) {
  bool valid = false;
  const std::u16string converted = convert(uidna_labelToASCII, label, &valid);
  return std::string(converted.begin(), converted.end());
}

std::optional<ULabel> check_u_label(std::u16string_view label) {
  for (size_t i = 0; i < label.size();) {
    UChar32 c = 0;
    U16_NEXT(label.data(), i, label.size(), c);
    if (!is_allowed(c)) return std::nullopt;
  }
  bool valid = false;
  const std::u16string encoded = convert(uidna_labelToASCII, label, &valid);
  if (!valid || !encoded.starts_with(u"xn--")) return std::nullopt;
  if (convert(uidna_labelToUnicode, encoded, &valid) != label || !valid) return std::nullopt;
  return ULabel{std::string(encoded.begin(), encoded.end()), direction_of(label)};
}

std::optional<LabelDirection> check_a_label(std::string_view label) {
  bool valid = false;
  const std::u16string wide(label.begin(), label.end());
  const std::u16string decoded = convert(uidna_labelToUnicode, wide, &valid);
  if (!valid) return std::nullopt;
  bool only_ascii = true;
  for (size_t i = 0; i < decoded.size();) {
    UChar32 c = 0;
    U16_NEXT(decoded.data(), i, decoded.size(), c);
    if (!is_allowed(c)) return std::nullopt;
    only_ascii &= c < 0x80;
  }
  if (only_ascii || to_a_label(decoded) != label) return std::nullopt;
  return direction_of(decoded);
}

}  // namespace espalier
