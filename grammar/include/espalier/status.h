#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace espalier {

/// What kind of failure a Status reports. kOk is success; everything else leaves the object it
/// came from unchanged.
enum class StatusCode : uint8_t {
  kOk,
  kInvalidArgument,  ///< A parameter is out of range or of the wrong kind.
  kParseError,       ///< A text (JSON, regular expression, vocabulary, model file) is malformed.
  kUnsupported,      ///< A well-formed constraint uses a feature that is refused by name.
  kUnresolved,       ///< A `$ref` or a named resource cannot be found.
  kUnsatisfiable,    ///< The constraint admits no instance.
  kBudgetExceeded,   ///< A budget (states, bytes, depth, time) was exhausted; the message says
                     ///< which.
  kIoError,          ///< A file cannot be read or written.
  kRejected,         ///< A token or byte is not allowed in the current state.
  kInternal,         ///< A broken invariant; always a bug in espalier.
};

/// The outcome of an operation: a code, a full sentence, and the place it is about (a JSON pointer,
/// "line:column", "file:offset", or an argument's name). The library never prints and never throws
/// across its public boundary; this is how it reports.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message, std::string place = {})
      : code_(code), message_(std::move(message)), place_(std::move(place)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& place() const { return place_; }

  /// "place: message", or the message alone when there is no place.
  std::string to_string() const { return place_.empty() ? message_ : place_ + ": " + message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string place_;
};

/// Either a value or the Status that explains why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(runtime/explicit)
  Result(Status status)
      : data_(std::in_place_index<1>, std::move(status)) {}  // NOLINT(runtime/explicit)

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; only when ok().
  T& value() & { return *std::get_if<0>(&data_); }
  const T& value() const& { return *std::get_if<0>(&data_); }
  T&& value() && { return std::move(*std::get_if<0>(&data_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// The failure, or an ok Status when there is a value.
  Status status() const { return ok() ? Status() : *std::get_if<1>(&data_); }

 private:
  std::variant<T, Status> data_;
};

}  // namespace espalier
