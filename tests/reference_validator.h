#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace espalier::reference {

struct ValidatorOptions {
  /// The dialect of schemas without `$schema`: "draft-04", "draft-06", "draft-07", "2019-09",
  /// "2020-12", "v1".
  std::string dialect = "2020-12";
  bool assert_formats = false;
  /// Assert contentEncoding base64 and contentMediaType application/json.
  bool assert_content = false;
  /// Folder that serves http://localhost:1234/ ("" = none).
  std::string remotes;
  /// Further documents by URI.
  std::map<std::string, std::string> documents;
};

/// A slow and obvious JSON Schema validator over a parsed document, with exact decimals: the judge
/// of the byte machine. Shares no code with it.
class ReferenceValidator {
 public:
  /// nullptr, with the reason in *error, when the text is not a schema or a reference is
  /// unresolved.
  static std::unique_ptr<ReferenceValidator> create(std::string schema_text,
                                                    const ValidatorOptions& options,
                                                    std::string* error);
  virtual ~ReferenceValidator() = default;
  /// False also for texts that are not JSON, and for duplicate member names. Throws
  /// std::runtime_error where the schema has no answer (a reference that leads to itself, a pattern
  /// that is none).
  virtual bool valid(std::string_view instance_json) const = 0;
};

/// Is the string, decoded as `encoding` says, a document of the media type? True for those that are
/// unknown, whatever the other says.
bool has_content(std::string_view encoding, std::string_view media_type, const std::string& text);

/// Does the string have the format, as a draft (by its year-like number, see reference_schemas.h)
/// has it? True for unknown formats.
bool has_format(std::string_view format, const std::string& text, int draft);

}  // namespace espalier::reference
