#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "espalier/status.h"

namespace espalier {

/// A file's bytes, read-only and mapped: opening a model of many gigabytes touches only the pages
/// that are read. Movable; the view lives as long as the object.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace espalier
