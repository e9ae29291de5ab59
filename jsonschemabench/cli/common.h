#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "espalier/status.h"

namespace espalier::cli {

/// Exit codes of every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitNo = 1;     ///< the answer is no: invalid, a dead prefix, no document
inline constexpr int kExitError = 2;  ///< a file, a schema or an option is unusable

/// Prints `espalier: place: message` as one line on stderr and returns kExitError.
int fail(const Status& status);
/// One line on stderr, `espalier: text`.
void note(std::string_view text);
/// `status` with its place put inside a file: "FILE:line:column", "FILE#/json/pointer".
Status located(const std::string& file, const Status& status);

/// The whole file ("-" reads standard input); errors carry the path as place.
Result<std::string> read_file(const std::string& path);
/// Writes to stdout and flushes; an error when stdout cannot take it.
Status print(std::string_view text);

/// 1-based line and column (in bytes) of a byte offset.
struct TextPosition {
  size_t line = 1;
  size_t column = 1;
};
TextPosition position_of(std::string_view text, size_t offset);

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;
/// A JSON string of any bytes: what is not UTF-8 becomes U+FFFD.
void write_string(JsonWriter& writer, std::string_view bytes);
/// The longest prefix that does not end inside a UTF-8 sequence.
std::string_view whole_characters(std::string_view text);

/// A counter on stderr, drawn only when stderr is a terminal, erased at the end.
class Progress {
 public:
  Progress(std::string label, size_t total);
  ~Progress();
  void advance();

 private:
  std::string label_;
  size_t total_;
  size_t done_ = 0;
  bool shown_;
};

/// The folder that holds the running program's bin/: a build folder or an installed prefix; "" if
/// it cannot be told.
std::string program_folder();

}  // namespace espalier::cli
