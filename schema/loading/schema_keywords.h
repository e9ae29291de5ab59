#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/schema_graph.h"

namespace espalier {

/// Every keyword that means something to some dialect; names are the keyword's own.
enum class Keyword : uint8_t {
  kSchema,
  kId,
  kRef,
  kAnchor,
  kDynamicRef,
  kDynamicAnchor,
  kRecursiveRef,
  kRecursiveAnchor,
  kVocabulary,
  kDefinitions,
  kType,
  kEnum,
  kConst,
  kMinimum,
  kMaximum,
  kExclusiveMinimum,
  kExclusiveMaximum,
  kMultipleOf,
  kMinLength,
  kMaxLength,
  kPattern,
  kFormat,
  kContentEncoding,
  kContentMediaType,
  kProperties,
  kPatternProperties,
  kAdditionalProperties,
  kPropertyNames,
  kUnevaluatedProperties,
  kRequired,
  kMinProperties,
  kMaxProperties,
  kDependentRequired,
  kDependentSchemas,
  kDependencies,
  kPropertyDependencies,
  kItems,
  kPrefixItems,
  kAdditionalItems,
  kUnevaluatedItems,
  kMinItems,
  kMaxItems,
  kContains,
  kMinContains,
  kMaxContains,
  kUniqueItems,
  kAllOf,
  kAnyOf,
  kOneOf,
  kNot,
  kIf,
  kThen,
  kElse,
  kAnnotation,  ///< any keyword that only annotates (title, contentSchema, ...)
};

/// Where the subschemas of a keyword's value are.
enum class SubschemaShape : uint8_t {
  kNone,
  kSchema,         ///< the value
  kArray,          ///< its elements
  kMap,            ///< its member values
  kSchemaOrArray,  ///< `items` up to 2019-09
  kMapOrNames,     ///< `dependencies`: member values that are not arrays
  kMapOfMaps,      ///< `propertyDependencies`: members of its member values
};

struct KeywordInfo {
  std::string_view name;
  Keyword keyword;
  SubschemaShape shape;
  Dialect since;
  Dialect until;
};

/// The keyword of that name in a dialect, or nullptr when the dialect does not know it.
const KeywordInfo* find_keyword(std::string_view name, Dialect dialect);

/// The dialect a `$schema` URI names (with or without "#", http or https, hyper-schema included).
std::optional<Dialect> dialect_of_uri(std::string_view uri);

std::string_view dialect_name(Dialect dialect);

/// "$id", or draft-04's "id".
std::string_view id_keyword(Dialect dialect);

/// Does `$ref` replace all its siblings (draft-07 and before)?
inline bool ref_hides_siblings(Dialect dialect) { return dialect <= Dialect::kDraft7; }

}  // namespace espalier
