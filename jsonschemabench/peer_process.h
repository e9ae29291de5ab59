#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

/// A program that answers each line on its standard input with a line on its standard output.
/// Not thread-safe; the program dies with the object, and with the process that started it.
class PeerProcess {
 public:
  enum class Answer : uint8_t {
    kLine,      ///< a line came
    kEnded,     ///< the program ended before it answered
    kTimedOut,  ///< the limit passed; the program was killed
  };

  PeerProcess() = default;
  ~PeerProcess() { stop(); }
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  /// Starts `command` (found along PATH). False when no process can be made. What the program
  /// writes to standard error is kept in `log` when that is not empty.
  bool start(const std::vector<std::string>& command, const std::string& log);
  bool running() const { return pid_ > 0; }
  /// Sends `line` and waits for the answer; after anything but kLine the program is gone and
  /// `answer` is a sentence about its end.
  Answer ask(std::string_view line, std::chrono::milliseconds limit, std::string* answer);
  void stop();

 private:
  Answer end(Answer kind, std::string* answer);

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string received_;
};

}  // namespace espalier
