#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// What became of one file; MaskBench's categories, crashes and time limits apart.
enum class Outcome : uint8_t {
  kPassing,            ///< compiled, and no test failed
  kCompileError,       ///< the schema was refused
  kValidationError,    ///< the last failing test should have been accepted, or an error occurred
  kInvalidationError,  ///< the last failing test should have been refused
  kCrash,              ///< the worker died (a signal, the memory limit)
  kTimeout,            ///< the worker exceeded the time limit
};
inline constexpr size_t kNumOutcomes = 6;

/// The name used in results: "passing", "compile_error", ...
std::string_view to_string(Outcome outcome);

/// The result of one MaskBench file. Durations are nanoseconds.
struct FileResult {
  std::string engine;  ///< empty: espalier; else a peer with its version
  std::string file;
  std::string split;
  Outcome outcome = Outcome::kPassing;
  std::string reason;   ///< a sentence; empty when passing
  std::string keyword;  ///< compile errors: the refused schema keyword, else the kind of error
  std::string pointer;  ///< compile errors: where in the schema
  int32_t failing_test = -1;
  uint32_t tests = 0;
  uint32_t valid_refused = 0;
  uint32_t invalid_accepted = 0;
  /// Of the valid instances refused: how many are accepted in another spelling of the same value,
  /// by what had to be spelled in another way ("property order + numbers").
  std::map<std::string, uint32_t> respelled;
  bool timed = false;  ///< the two durations below count; a timed-out file counts as its limit
  uint64_t compile_ns = 0;
  uint64_t first_mask_ns = 0;   ///< compile and first mask together (TTFM)
  uint64_t peak_rss_bytes = 0;  ///< of the worker so far
  uint64_t state_bytes = 0;  ///< most that the schema's states, masks and matcher held after a test
  uint64_t call_overhead_ns =
      0;  ///< peers: what a token's calls cost without work, in every sample
  std::vector<uint64_t> mask_ns;  ///< mask + accept, one per token (TBM)
};

/// One line of JSON without the line end. Durations are written as microseconds with three
/// decimals, so nothing is lost.
std::string to_json_line(const FileResult& result);

/// Reads a line of to_json_line back; the sum of all lines is enough to merge runs exactly.
Result<FileResult> parse_json_line(std::string_view line);

/// The MaskBench split of a file name: what precedes "---", or for `BFCL_*` and `JME_*` files what
/// precedes the first underscore.
std::string split_of(std::string_view file_name);

/// The schema keyword a compile error is about: the last segment of its JSON pointer that is a
/// keyword, else the first quoted word of the message that is one, else the status code's name.
std::string refused_keyword(const Status& status);

}  // namespace espalier
