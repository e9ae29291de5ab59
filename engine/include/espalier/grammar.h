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

struct SchemaOptions {
  Profile profile = Profile::kGeneration;
  FormatPolicy formats = FormatPolicy::kAssert;
  ContentPolicy content = ContentPolicy::kAnnotate;
  Limits limits;
  /// Folder whose files serve remote references ("" = none): a URI is looked up by its `$id` or by
  /// its path below the folder.
  std::string schema_dir;
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
