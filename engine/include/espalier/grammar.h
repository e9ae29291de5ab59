#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

class GrammarStore;
class Recognizer;

/// Two profiles of one language; L(generation) is inside L(exact).
enum class Profile : uint8_t {
  kExact,       ///< every JSON text of every valid instance
  kGeneration,  ///< one good spelling: schema order, bounded whitespace, plain numbers, needed
                ///< escapes
};

enum class FormatPolicy : uint8_t { kAssert, kAnnotate };

/// contentEncoding and contentMediaType annotate, as the specification says, or are asserted where
/// they say base64 and application/json.
enum class ContentPolicy : uint8_t { kAnnotate, kAssert };

/// Budgets of compilation and matching; exceeding one is StatusCode::kBudgetExceeded.
struct Limits {
  size_t max_schema_bytes = 16u << 20;
  size_t max_schema_depth = 512;
  size_t max_nesting = 512;               ///< nesting of the instance
  size_t max_states = 4'000'000;          ///< interned structural states per grammar store
  size_t max_automaton_states = 100'000;  ///< states per pattern
  /// Bytes of a grammar's lazily filled store (states, steps, masks) beyond which it is retired:
  /// new matchers start a fresh one, those at work keep theirs. Not an error, and no answer
  /// changes.
  size_t max_store_bytes = kDefaultStoreBytes;
  static constexpr size_t kDefaultStoreBytes = size_t{64} << 20;
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// How values are spelled, where the profile's way is not wanted. `exact` takes any white space,
/// any order, every escape and every number form; `generation` at most one space after ',' and ':',
/// schema order (constants that tell alternatives apart first), the escapes JSON needs, and numbers
/// without exponents.
struct Spelling {
  enum class Whitespace : uint8_t { kProfile, kAny, kSpace, kNone };
  enum class PropertyOrder : uint8_t {
    kProfile,
    kAny,
    kSchema,  ///< as the schema lists them, unlisted names last
    kGiven,   ///< those of `property_names` first, in that order, the others as the schema lists
  };
  enum class Escapes : uint8_t { kProfile, kAny, kMinimal };
  enum class Numbers : uint8_t { kProfile, kAny, kPlain };

  Whitespace whitespace = Whitespace::kProfile;
  /// A comma (a colon) and the white space that must follow it, as in Python's json.dumps: there is
  /// no other white space then. "" for both leaves them to `whitespace`, "" for one is the bare
  /// mark.
  std::string item_separator, key_separator;
  PropertyOrder property_order = PropertyOrder::kProfile;
  std::vector<std::string> property_names;
  Escapes escapes = Escapes::kProfile;
  Numbers numbers = Numbers::kProfile;
  friend bool operator==(const Spelling&, const Spelling&) = default;
};

/// What becomes of properties that a subschema lists and no subschema that applies to the same
/// object and holds requires.
enum class OptionalProperties : uint8_t {
  kSchema,   ///< they may come or not
  kRequire,  ///< every object has them
  kOmit,     ///< no object has them
};

/// What becomes of names that a schema does not list.
enum class AdditionalProperties : uint8_t {
  kSchema,  ///< as additionalProperties and its like say, which allow what they do not speak of
  kForbid,  ///< objects whose schema lists properties and says nothing of others have no others
};

struct SchemaOptions {
  Profile profile = Profile::kGeneration;
  FormatPolicy formats = FormatPolicy::kAssert;
  ContentPolicy content = ContentPolicy::kAnnotate;
  Limits limits;
  /// Folder whose files serve remote references ("" = none): a URI is looked up by its `$id` or by
  /// its path below the folder.
  std::string schema_dir;
  /// These narrow the language, never widen it. In the generation profile the root's `x-espalier`
  /// member sets what is left as it is here; the README lists its members.
  Spelling spelling;
  OptionalProperties optional_properties = OptionalProperties::kSchema;
  AdditionalProperties additional_properties = AdditionalProperties::kSchema;

  /// Adds what OpenAI's `strict` says: all listed properties, no others.
  SchemaOptions strict() const {
    SchemaOptions options = *this;
    options.optional_properties = OptionalProperties::kRequire;
    options.additional_properties = AdditionalProperties::kForbid;
    return options;
  }
  friend bool operator==(const SchemaOptions&, const SchemaOptions&) = default;
};

/// What became of one keyword occurrence.
struct KeywordReport {
  std::string pointer;
  std::string keyword;
  enum class Status : uint8_t { kEnforced, kAnnotation, kRefused } status;
  std::string reason;
};

/// A compiled constraint: immutable, shared, thread-safe. Matchers hold it alive.
class Grammar {
 public:
  /// Compiles a JSON Schema text. Every keyword is enforced or refused by name (kUnsupported with
  /// the JSON pointer as place). An unsatisfiable schema compiles; unsatisfiable() then holds.
  static Result<std::shared_ptr<const Grammar>> from_json_schema(std::string_view schema_text,
                                                                 const SchemaOptions& options = {});
  /// The UTF-8 texts that an ECMA-262 regular expression (Unicode mode) matches as a whole. Errors
  /// name the offset in the pattern.
  static Result<std::shared_ptr<const Grammar>> from_regex(std::string_view pattern,
                                                           const Limits& limits = {});
  /// Exactly these texts (kInvalidArgument: none; kParseError: one is not UTF-8).
  static Result<std::shared_ptr<const Grammar>> from_choices(
      const std::vector<std::string>& choices, const Limits& limits = {});
  /// An OpenAI `response_format` object: `{"type": "json_object"}`, with llama-server's optional
  /// `schema`, or `{"type": "json_schema", "json_schema": {"schema": S, "strict": true}}`. Errors
  /// as from_json_schema, whose places are below the object's own.
  static Result<std::shared_ptr<const Grammar>> from_response_format(
      std::string_view text, const SchemaOptions& options = {});
  /// Wraps any recognizer (tests, host code).
  static std::shared_ptr<const Grammar> from_recognizer(
      std::shared_ptr<Recognizer> recognizer, size_t max_store_bytes = Limits::kDefaultStoreBytes);

  ~Grammar();
  /// True when no instance is valid.
  bool unsatisfiable() const { return unsatisfiable_; }
  /// The recognizer that the next matcher would use.
  std::shared_ptr<Recognizer> recognizer() const;
  /// Bytes held by the store that the next matcher would use: states, steps, masks and completions.
  /// What all grammars share is counted by process_memory() (memory.h).
  size_t memory_bytes() const;
  /// That store; for the engine.
  std::shared_ptr<GrammarStore> store() const;

 private:
  Grammar(std::shared_ptr<Recognizer> recognizer, size_t max_store_bytes);
  const size_t max_store_bytes_;
  const bool unsatisfiable_;
  static constexpr uint32_t kLeafChecks = 16;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<GrammarStore> store_;
  mutable uint32_t requests_ = 0;
};

}  // namespace espalier
