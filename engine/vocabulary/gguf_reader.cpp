// GGUF metadata, versions 2 and 3.
//
// Idea: the header is "GGUF", version, tensor count, then key-value pairs; one pass over the mapped
// file notes where each value lies and reads none of them. Arrays of fixed-size elements are
// stepped over in one addition, arrays of strings string by string. Values are decoded when asked
// for.
//
// Invariants: no offset leaves the file: a count is compared with the bytes that remain, divided by
// the least size of an element, before it is multiplied or allocated by. Tensor data is never
// touched.
//
// Cost: O(keys + strings in arrays).
//
// Reference: ggml, docs/gguf.md. Little-endian files only.
#include "engine/vocabulary/gguf_reader.h"

#include <cstring>

namespace espalier {
namespace {

constexpr int kMaxArrayDepth = 4;

size_t size_of(GgufReader::Type type) {
  using Type = GgufReader::Type;
  switch (type) {
    case Type::kUint8:
    case Type::kInt8:
    case Type::kBool:
      return 1;
    case Type::kUint16:
    case Type::kInt16:
      return 2;
    case Type::kUint32:
    case Type::kInt32:
    case Type::kFloat32:
      return 4;
    case Type::kUint64:
    case Type::kInt64:
    case Type::kFloat64:
      return 8;
    default:
      return 0;
  }
}

template <typename T>
T load(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace

Status GgufReader::truncated(size_t at, const char* what) const {
  return Status(StatusCode::kParseError,
                std::string("The file ends inside ") + what + "; it is truncated or corrupted.",
                place(at));
}

template <typename T>
Status GgufReader::read(size_t& at, T& value) const {
  if (bytes_.size() - at < sizeof(T)) return truncated(at, "a number");
  value = load<T>(bytes_, at);
  at += sizeof(T);
  return Status();
}

Status GgufReader::read_string(size_t& at, std::string_view& text) const {
  uint64_t length = 0;
  if (Status status = read(at, length); !status.ok()) return status;
  if (length > bytes_.size() - at) return truncated(at - sizeof(length), "a string");
  text = bytes_.substr(at, length);
  at += length;
  return Status();
}

Status GgufReader::read_value(size_t& at, Type type, Value& value, int depth) const {
  value.type = type;
  value.offset = at;
  if (type == Type::kString) {
    std::string_view text;
    return read_string(at, text);
  }
  if (type == Type::kArray) {
    if (depth >= kMaxArrayDepth) {
      return Status(StatusCode::kParseError, "Arrays are nested too deeply.", place(at));
    }
    uint32_t element = 0;
    uint64_t count = 0;
    if (Status status = read(at, element); !status.ok()) return status;
    const size_t count_at = at;
    if (Status status = read(at, count); !status.ok()) return status;
    value.element = static_cast<Type>(element);
    value.offset = at;
    const size_t fixed = size_of(value.element);
    constexpr size_t kLeastStringSize = 8;
    if (count > (bytes_.size() - at) / (fixed != 0 ? fixed : kLeastStringSize)) {
      return truncated(count_at, "an array");
    }
    value.count = count;
    if (fixed != 0) {
      at += fixed * count;
      return Status();
    }
    for (uint64_t i = 0; i < count; ++i) {
      Value ignored{};
      if (Status status = read_value(at, value.element, ignored, depth + 1); !status.ok()) {
        return status;
      }
    }
    return Status();
  }
  const size_t size = size_of(type);
  if (size == 0) {
    return Status(StatusCode::kParseError,
                  "The value type " + std::to_string(static_cast<uint32_t>(type)) + " is unknown.",
                  place(at));
  }
  if (bytes_.size() - at < size) return truncated(at, "a value");
  at += size;
  return Status();
}

Status GgufReader::scan() {
  size_t at = 4;
  uint32_t version = 0;
  uint64_t tensors = 0;
  uint64_t pairs = 0;
  if (Status status = read(at, version); !status.ok()) return status;
  if (version != 2 && version != 3) {
    return Status(StatusCode::kUnsupported,
                  "The GGUF version is " + std::to_string(version) + "; 2 and 3 are read.",
                  place(4));
  }
  if (Status status = read(at, tensors); !status.ok()) return status;
  if (Status status = read(at, pairs); !status.ok()) return status;
  for (uint64_t i = 0; i < pairs; ++i) {
    const size_t key_at = at;
    std::string_view key;
    uint32_t type = 0;
    if (Status status = read_string(at, key); !status.ok()) return status;
    if (Status status = read(at, type); !status.ok()) return status;
    Value value{};
    Status status = read_value(at, static_cast<Type>(type), value, 0);
    if (!status.ok()) return status;
    if (!values_.emplace(key, value).second) {
      return Status(StatusCode::kParseError, "The key " + std::string(key) + " occurs twice.",
                    place(key_at));
    }
  }
  return Status();
}

Result<GgufReader> GgufReader::open(std::string path, std::string_view bytes) {
  GgufReader reader(std::move(path), bytes);
  if (Status status = reader.scan(); !status.ok()) return status;
  return reader;
}

const GgufReader::Value* GgufReader::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found != values_.end() ? &found->second : nullptr;
}

Status GgufReader::error(std::string_view key, std::string message) const {
  const Value* value = find(key);
  return Status(StatusCode::kParseError, std::string(key) + ": " + std::move(message),
                place(value != nullptr ? value->offset : bytes_.size()));
}

int64_t GgufReader::integer_at(size_t offset, Type type) const {
  switch (type) {
    case Type::kUint8:
      return load<uint8_t>(bytes_, offset);
    case Type::kInt8:
      return load<int8_t>(bytes_, offset);
    case Type::kUint16:
      return load<uint16_t>(bytes_, offset);
    case Type::kInt16:
      return load<int16_t>(bytes_, offset);
    case Type::kUint32:
      return load<uint32_t>(bytes_, offset);
    case Type::kInt32:
      return load<int32_t>(bytes_, offset);
    default:
      return load<int64_t>(bytes_, offset);
  }
}

std::optional<std::string_view> GgufReader::string(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr || value->type != Type::kString) return std::nullopt;
  size_t at = value->offset;
  std::string_view text;
  if (!read_string(at, text).ok()) return std::nullopt;
  return text;
}

std::optional<int64_t> GgufReader::integer(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  switch (value->type) {
    case Type::kFloat32:
    case Type::kFloat64:
    case Type::kBool:
    case Type::kString:
    case Type::kArray:
      return std::nullopt;
    default:
      return integer_at(value->offset, value->type);
  }
}

std::optional<bool> GgufReader::boolean(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr || value->type != Type::kBool) return std::nullopt;
  return bytes_[value->offset] != 0;
}

Result<const GgufReader::Value*> GgufReader::array(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return error(key, "The key is missing.");
  if (value->type != Type::kArray) return error(key, "The value is not an array.");
  return value;
}

Result<std::vector<std::string_view>> GgufReader::strings(std::string_view key) const {
  const Result<const Value*> value = array(key);
  if (!value) return value.status();
  if ((*value)->element != Type::kString) return error(key, "The elements are not strings.");
  std::vector<std::string_view> texts((*value)->count);
  size_t at = (*value)->offset;
  for (std::string_view& text : texts) {
    if (Status status = read_string(at, text); !status.ok()) return status;
  }
  return texts;
}

Result<std::vector<int64_t>> GgufReader::integers(std::string_view key) const {
  const Result<const Value*> value = array(key);
  if (!value) return value.status();
  const Type type = (*value)->element;
  const size_t size = size_of(type);
  if (size == 0 || type == Type::kFloat32 || type == Type::kFloat64 || type == Type::kBool) {
    return error(key, "The elements are not integers.");
  }
  std::vector<int64_t> numbers((*value)->count);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = integer_at((*value)->offset + i * size, type);
  }
  return numbers;
}

Result<std::vector<float>> GgufReader::floats(std::string_view key) const {
  const Result<const Value*> value = array(key);
  if (!value) return value.status();
  if ((*value)->element != Type::kFloat32) return error(key, "The elements are not 32-bit floats.");
  std::vector<float> numbers((*value)->count);
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), bytes_.data() + (*value)->offset, numbers.size() * sizeof(float));
  }
  return numbers;
}

}  // namespace espalier
