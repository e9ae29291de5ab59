#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "espalier/status.h"

namespace espalier {

/// The metadata of a GGUF file, read in place. Every length is checked against the file's size
/// before it is used. The bytes must outlive the reader.
class GgufReader {
 public:
  enum class Type : uint32_t {
    kUint8 = 0,
    kInt8 = 1,
    kUint16 = 2,
    kInt16 = 3,
    kUint32 = 4,
    kInt32 = 5,
    kFloat32 = 6,
    kBool = 7,
    kString = 8,
    kArray = 9,
    kUint64 = 10,
    kInt64 = 11,
    kFloat64 = 12,
  };
  /// Where a value is: its type, and for arrays the elements' type and number.
  struct Value {
    Type type;
    size_t offset;  ///< of the value's first byte; of an array's first element
    Type element = Type::kUint8;
    size_t count = 0;
  };

  /// Scans all metadata; `path` is named by errors.
  static Result<GgufReader> open(std::string path, std::string_view bytes);

  const Value* find(std::string_view key) const;
  /// nullopt where the key is absent or of another type.
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  /// The elements of an array of strings, integers or floats; the Status says what is wrong with
  /// it.
  Result<std::vector<std::string_view>> strings(std::string_view key) const;
  Result<std::vector<int64_t>> integers(std::string_view key) const;
  Result<std::vector<float>> floats(std::string_view key) const;

  Status error(std::string_view key, std::string message) const;
  std::string_view bytes() const { return bytes_; }
  std::string place(size_t offset) const { return path_ + ":" + std::to_string(offset); }

 private:
  GgufReader(std::string path, std::string_view bytes) : path_(std::move(path)), bytes_(bytes) {}
  Status scan();
  Status read_value(size_t& at, Type type, Value& value, int depth) const;
  Status read_string(size_t& at, std::string_view& text) const;
  template <typename T>
  Status read(size_t& at, T& value) const;
  Status truncated(size_t at, const char* what) const;
  int64_t integer_at(size_t offset, Type type) const;
  Result<const Value*> array(std::string_view key) const;

  std::string path_;
  std::string_view bytes_;
  std::unordered_map<std::string_view, Value> values_;
};

}  // namespace espalier
