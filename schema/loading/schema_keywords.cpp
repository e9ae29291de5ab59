// Which keyword means what in which dialect: one table.
//
// A name may have several rows with disjoint ranges (`items`, whose shape changed). A name without
// a row for a dialect is an unknown keyword there: it neither asserts nor holds identifiers,
// although a
// `$ref` may still point into it. Reference: the drafts and their meta-schemas.
#include "schema/loading/schema_keywords.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace espalier {
namespace {

using enum Dialect;
using enum SubschemaShape;

constexpr Dialect kFirst = kDraft4;
constexpr Dialect kLast = kV1;

// Rows of one name follow each other.
constexpr KeywordInfo kKeywords[] = {
    {"$schema", Keyword::kSchema, kNone, kFirst, kLast},
    {"id", Keyword::kId, kNone, kDraft4, kDraft4},
    {"$id", Keyword::kId, kNone, kDraft6, kLast},
    {"$ref", Keyword::kRef, kNone, kFirst, kLast},
    {"$anchor", Keyword::kAnchor, kNone, k2019_09, kLast},
    {"$dynamicRef", Keyword::kDynamicRef, kNone, k2020_12, kLast},
    {"$dynamicAnchor", Keyword::kDynamicAnchor, kNone, k2020_12, kLast},
    {"$recursiveRef", Keyword::kRecursiveRef, kNone, k2019_09, k2019_09},
    {"$recursiveAnchor", Keyword::kRecursiveAnchor, kNone, k2019_09, k2019_09},
    {"$vocabulary", Keyword::kVocabulary, kNone, k2019_09, kLast},
    {"$defs", Keyword::kDefinitions, kMap, k2019_09, kLast},
    {"definitions", Keyword::kDefinitions, kMap, kFirst, kLast},
    {"$comment", Keyword::kAnnotation, kNone, kDraft7, kLast},
    {"type", Keyword::kType, kNone, kFirst, kLast},
    {"enum", Keyword::kEnum, kNone, kFirst, kLast},
    {"const", Keyword::kConst, kNone, kDraft6, kLast},
    {"minimum", Keyword::kMinimum, kNone, kFirst, kLast},
    {"maximum", Keyword::kMaximum, kNone, kFirst, kLast},
    {"exclusiveMinimum", Keyword::kExclusiveMinimum, kNone, kFirst, kLast},
    {"exclusiveMaximum", Keyword::kExclusiveMaximum, kNone, kFirst, kLast},
    {"multipleOf", Keyword::kMultipleOf, kNone, kFirst, kLast},
    {"minLength", Keyword::kMinLength, kNone, kFirst, kLast},
    {"maxLength", Keyword::kMaxLength, kNone, kFirst, kLast},
    {"pattern", Keyword::kPattern, kNone, kFirst, kLast},
    {"format", Keyword::kFormat, kNone, kFirst, kLast},
    {"properties", Keyword::kProperties, kMap, kFirst, kLast},
    {"patternProperties", Keyword::kPatternProperties, kMap, kFirst, kLast},
    {"additionalProperties", Keyword::kAdditionalProperties, SubschemaShape::kSchema, kFirst,
     kLast},
    {"propertyNames", Keyword::kPropertyNames, SubschemaShape::kSchema, kDraft6, kLast},
    {"unevaluatedProperties", Keyword::kUnevaluatedProperties, SubschemaShape::kSchema, k2019_09,
     kLast},
    {"required", Keyword::kRequired, kNone, kFirst, kLast},
    {"minProperties", Keyword::kMinProperties, kNone, kFirst, kLast},
    {"maxProperties", Keyword::kMaxProperties, kNone, kFirst, kLast},
    {"dependentRequired", Keyword::kDependentRequired, kNone, k2019_09, kLast},
    {"dependentSchemas", Keyword::kDependentSchemas, kMap, k2019_09, kLast},
    {"dependencies", Keyword::kDependencies, kMapOrNames, kFirst, kLast},
    {"propertyDependencies", Keyword::kPropertyDependencies, kMapOfMaps, kV1, kLast},
    {"items", Keyword::kItems, kSchemaOrArray, kFirst, k2019_09},
    {"items", Keyword::kItems, SubschemaShape::kSchema, k2020_12, kLast},
    {"prefixItems", Keyword::kPrefixItems, kArray, k2020_12, kLast},
    {"additionalItems", Keyword::kAdditionalItems, SubschemaShape::kSchema, kFirst, k2019_09},
    {"unevaluatedItems", Keyword::kUnevaluatedItems, SubschemaShape::kSchema, k2019_09, kLast},
    {"minItems", Keyword::kMinItems, kNone, kFirst, kLast},
    {"maxItems", Keyword::kMaxItems, kNone, kFirst, kLast},
    {"contains", Keyword::kContains, SubschemaShape::kSchema, kDraft6, kLast},
    {"minContains", Keyword::kMinContains, kNone, k2019_09, kLast},
    {"maxContains", Keyword::kMaxContains, kNone, k2019_09, kLast},
    {"uniqueItems", Keyword::kUniqueItems, kNone, kFirst, kLast},
    {"allOf", Keyword::kAllOf, kArray, kFirst, kLast},
    {"anyOf", Keyword::kAnyOf, kArray, kFirst, kLast},
    {"oneOf", Keyword::kOneOf, kArray, kFirst, kLast},
    {"not", Keyword::kNot, SubschemaShape::kSchema, kFirst, kLast},
    {"if", Keyword::kIf, SubschemaShape::kSchema, kDraft7, kLast},
    {"then", Keyword::kThen, SubschemaShape::kSchema, kDraft7, kLast},
    {"else", Keyword::kElse, SubschemaShape::kSchema, kDraft7, kLast},
    {"contentSchema", Keyword::kAnnotation, SubschemaShape::kSchema, k2019_09, kLast},
    {"contentEncoding", Keyword::kContentEncoding, kNone, kDraft7, kLast},
    {"contentMediaType", Keyword::kContentMediaType, kNone, kDraft7, kLast},
    {"title", Keyword::kAnnotation, kNone, kFirst, kLast},
    {"description", Keyword::kAnnotation, kNone, kFirst, kLast},
    {"default", Keyword::kAnnotation, kNone, kFirst, kLast},
    {"examples", Keyword::kAnnotation, kNone, kDraft6, kLast},
    {"readOnly", Keyword::kAnnotation, kNone, kDraft7, kLast},
    {"writeOnly", Keyword::kAnnotation, kNone, kDraft7, kLast},
    {"deprecated", Keyword::kAnnotation, kNone, k2019_09, kLast},
};

// Names -> their first rows of kKeywords: an open hash table by length and two letters, as most
// look-ups are for a handful of names and some for none.
class KeywordIndex {
 public:
  KeywordIndex() {
    rows_.fill(kNone);
    for (uint8_t i = 0; i < std::size(kKeywords); ++i) {
      const std::string_view name = kKeywords[i].name;
      if (i > 0 && kKeywords[i - 1].name == name) continue;
      size_t at = start(name);
      while (rows_[at] != kNone) at = (at + 1) % kSize;
      rows_[at] = i;
    }
  }

  /// std::size(kKeywords) if there is none.
  size_t first_row(std::string_view name) const {
    if (name.size() < kShortest || name.size() > kLongest) return std::size(kKeywords);
    for (size_t at = start(name); rows_[at] != kNone; at = (at + 1) % kSize) {
      if (kKeywords[rows_[at]].name == name) return rows_[at];
    }
    return std::size(kKeywords);
  }

 private:
  static constexpr size_t kSize = 512;
  static constexpr uint8_t kNone = UINT8_MAX;
  static constexpr size_t kShortest = 2, kLongest = 32;
  static_assert(std::size(kKeywords) < kNone);
  static_assert(std::all_of(std::begin(kKeywords), std::end(kKeywords), [](const auto& row) {
    return row.name.size() >= kShortest && row.name.size() <= kLongest;
  }));

  static size_t start(std::string_view name) {
    const auto letter = [&](size_t i) { return size_t{static_cast<uint8_t>(name[i])}; };
    return (name.size() * 37 + letter(1) * 5 + letter(name.size() - 2) * 91) % kSize;
  }

  std::array<uint8_t, kSize> rows_;
};

}  // namespace

const KeywordInfo* find_keyword(std::string_view name, Dialect dialect) {
  static const KeywordIndex index;
  for (size_t i = index.first_row(name); i < std::size(kKeywords); ++i) {
    if (kKeywords[i].name != name) return nullptr;
    if (kKeywords[i].since <= dialect && dialect <= kKeywords[i].until) return &kKeywords[i];
  }
  return nullptr;
}

std::optional<Dialect> dialect_of_uri(std::string_view uri) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  if (uri.starts_with("http://")) {
    uri.remove_prefix(7);
  } else if (uri.starts_with("https://")) {
    uri.remove_prefix(8);
  } else {
    return {};
  }
  constexpr std::string_view kHost = "json-schema.org/";
  if (!uri.starts_with(kHost)) return {};
  uri.remove_prefix(kHost.size());
  if (uri == "v1") return kV1;
  for (const std::string_view document : {"/schema", "/hyper-schema"}) {
    if (!uri.ends_with(document)) continue;
    uri.remove_suffix(document.size());
    if (uri == "draft-04") return kDraft4;
    if (uri == "draft-06") return kDraft6;
    if (uri == "draft-07") return kDraft7;
    if (uri == "draft/2019-09") return k2019_09;
    if (uri == "draft/2020-12") return k2020_12;
    if (uri == "v1") return kV1;
    return {};
  }
  return {};
}

std::string_view dialect_name(Dialect dialect) {
  switch (dialect) {
    case kDraft4:
      return "draft-04";
    case kDraft6:
      return "draft-06";
    case kDraft7:
      return "draft-07";
    case k2019_09:
      return "2019-09";
    case k2020_12:
      return "2020-12";
    case kV1:
      return "v1";
  }
  return "unknown";
}

std::string_view id_keyword(Dialect dialect) { return dialect == kDraft4 ? "id" : "$id"; }

}  // namespace espalier
