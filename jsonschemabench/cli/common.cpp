#include "jsonschemabench/cli/common.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

namespace espalier::cli {
namespace {

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

/// Length of the UTF-8 sequence at the front of `text`; 0 if it is malformed.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool too_large = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

}  // namespace

int fail(const Status& status) {
  note(status.to_string());
  return kExitError;
}

void note(std::string_view text) {
  const std::string line = "espalier: " + one_line(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Status located(const std::string& file, const Status& status) {
  if (status.ok()) return status;
  std::string place = file;
  if (const std::string& inner = status.place(); !inner.empty() && inner != file) {
    const bool contains_file = inner.compare(0, file.size(), file) == 0;
    if (contains_file) {
      place = inner;
    } else if (inner[0] == '/' || inner[0] == '#') {
      place += (inner[0] == '/' ? "#" : "") + inner;
    } else {
      place += ":" + inner;
    }
  }
  return Status(status.code(), status.message(), std::move(place));
}

Result<std::string> read_file(const std::string& path) {
  const auto unreadable = [&](const std::string& why) {
    return Status(StatusCode::kIoError, "The file cannot be read: " + why + ".", path);
  };
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return unreadable("it is a folder");
  if (!std::filesystem::exists(path, error)) return unreadable("there is no such file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable("it cannot be opened");
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return unreadable("reading fails");
  return content;
}

Status print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return Status();
  }
  return Status(StatusCode::kIoError, "The output cannot be written.", "stdout");
}

TextPosition position_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t last_break = before.rfind('\n');
  TextPosition position;
  position.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  position.column = before.size() - (last_break == std::string_view::npos ? 0 : last_break + 1) + 1;
  return position;
}

void write_string(JsonWriter& writer, std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = sequence_length(bytes);
    text.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(0, length));
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

std::string_view whole_characters(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const uint8_t byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

Progress::Progress(std::string label, size_t total)
    : label_(std::move(label)), total_(total), shown_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_ && done_ > 0) std::fputs("\r\033[K", stderr);
}

void Progress::advance() {
  ++done_;
  if (shown_) std::fprintf(stderr, "\r\033[K%s %zu/%zu", label_.c_str(), done_, total_);
}

std::string program_folder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || program.parent_path().filename() != "bin") return "";
  return program.parent_path().parent_path().string();
}

}  // namespace espalier::cli
