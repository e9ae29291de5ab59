#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "espalier/grammar.h"
#include "espalier/status.h"

namespace espalier {

/// Compiled grammars by content, for hosts that are sent the same schemas again and again. Schemas
/// that differ only in insignificant white space share a grammar (and with it all that the engine
/// has learnt about it); other options give another one. Several threads that ask for the same new
/// schema wait for one compilation. Beyond the byte budget the grammars asked for longest ago are
/// dropped; matchers keep theirs alive. Failures are not remembered. Files behind
/// SchemaOptions::schema_dir are taken as unchanging: clear() after a change. Thread-safe.
class GrammarCache {
 public:
  static constexpr size_t kDefaultBudget = size_t{256} << 20;

  /// `max_bytes`: texts and grammars with their stores, as Grammar::memory_bytes() counts them. The
  /// grammar last asked for stays even where it alone is larger.
  explicit GrammarCache(size_t max_bytes = kDefaultBudget);
  ~GrammarCache();
  GrammarCache(const GrammarCache&) = delete;
  GrammarCache& operator=(const GrammarCache&) = delete;

  /// As Grammar::from_json_schema.
  Result<std::shared_ptr<const Grammar>> json_schema(std::string_view schema_text,
                                                     const SchemaOptions& options = {});

  struct Stats {
    uint64_t hits = 0;      ///< answered without a compilation of their own
    uint64_t compiled = 0;  ///< compilations, failed ones included
    uint64_t evicted = 0;
    size_t grammars = 0;
    size_t bytes = 0;  ///< as last measured; grammars grow while they are used
  };
  Stats stats() const;
  /// Forgets everything; compilations under way are handed out but not kept.
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier
