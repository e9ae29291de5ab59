#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "espalier/grammar.h"

namespace espalier {

/// Where schema documents other than the root come from: the standard meta-schemas, which are built
/// in, and the files of options.schema_dir. Nothing is ever fetched. Single-threaded.
class SchemaStore {
 public:
  explicit SchemaStore(const SchemaOptions& options) : options_(options) {}

  /// The text of the document with this absolute URI (no fragment), or nullopt. A file is found by
  /// the URI's path below the folder, with or without the host before it, or by its own `$id`.
  std::optional<std::string> find(std::string_view uri);

 private:
  std::optional<std::string> read(const std::string& path) const;
  void scan();

  const SchemaOptions& options_;
  bool scanned_ = false;
  std::unordered_map<std::string, std::string> paths_;  // identifier -> path
};

}  // namespace espalier
