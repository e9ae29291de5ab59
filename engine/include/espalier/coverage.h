#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/status.h"

namespace espalier {

/// What is done with one occurrence of a keyword.
enum class KeywordStatus : uint8_t {
  kEnforced,    ///< by masks: no token leads to an instance that breaks it
  kPredicate,   ///< exactly, but masks leave tokens unknown until they are asked about
  kAnnotation,  ///< it asserts nothing here; the reason says why
  kRefused,     ///< it keeps the schema from compiling; the reason says why
};
std::string_view to_string(KeywordStatus status);

struct KeywordCoverage {
  std::string pointer;  ///< JSON pointer of the keyword; in other documents "URI#pointer"
  std::string keyword;
  KeywordStatus status = KeywordStatus::kEnforced;
  std::string reason;  ///< "" for kEnforced
};

struct CoverageReport {
  /// Every keyword of every schema that the root reaches, in the order in which they are read.
  std::vector<KeywordCoverage> keywords;
  /// Pointers of schemas other than `false` that no instance satisfies; "" is the root. Not all:
  /// one for which the search for an instance gave up counts as satisfiable, here and in masks.
  /// Empty when a keyword is refused.
  std::vector<std::string> unsatisfiable;

  size_t count(KeywordStatus status) const;
};

/// What would become of each keyword of a JSON Schema. Errors: those of Grammar::from_json_schema
/// but for refused keywords, which are in the report.
Result<CoverageReport> schema_coverage(std::string_view schema_text,
                                       const SchemaOptions& options = {});

}  // namespace espalier
