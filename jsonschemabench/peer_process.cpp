// A line-by-line conversation with another program, under a deadline.
//
// The program may be in the middle of writing while we are still sending (a crash message, say), so
// both directions are driven by one poll() loop; neither side can block the other for good. A
// program that ends, closes its output or misses the deadline is reaped at once, and the caller may
// start another one. Example: ask("2+2\n") of `bc` answers "4"; of `false` it answers kEnded with
// "ended with exit code 1". Cost: two system calls a line, a few microseconds.

#include "jsonschemabench/peer_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void become(const std::vector<std::string>& command, int input, int output,
                         const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  rlimit memory{};
  ::getrlimit(RLIMIT_AS, &memory);
  memory.rlim_cur = memory.rlim_max;  // the caller's own limit is not the program's
  ::setrlimit(RLIMIT_AS, &memory);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  const int errors =
      ::open(log.empty() ? "/dev/null" : log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (errors >= 0) ::dup2(errors, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

std::string end_sentence(int status) {
  if (WIFSIGNALED(status)) {
    return fmt::format("killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  }
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace

bool PeerProcess::start(const std::vector<std::string>& command, const std::string& log) {
  stop();
  int input[2];
  int output[2];
  if (::pipe2(input, O_CLOEXEC) != 0) return false;
  if (::pipe2(output, O_CLOEXEC) != 0) {
    ::close(input[0]);
    ::close(input[1]);
    return false;
  }
  ::signal(SIGPIPE, SIG_IGN);
  pid_ = ::fork();
  if (pid_ == 0) become(command, input[0], output[1], log);
  ::close(input[0]);
  ::close(output[1]);
  to_ = input[1];
  from_ = output[0];
  received_.clear();
  if (pid_ > 0) {
    ::fcntl(to_, F_SETFL, O_NONBLOCK);
    return true;
  }
  stop();
  return false;
}

PeerProcess::Answer PeerProcess::ask(std::string_view line, std::chrono::milliseconds limit,
                                     std::string* answer) {
  const auto deadline = Clock::now() + limit;
  while (true) {
    if (const size_t at = received_.find('\n'); at != std::string::npos) {
      *answer = received_.substr(0, at);
      received_.erase(0, at + 1);
      return Answer::kLine;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count() + 1;
    if (left <= 0) return end(Answer::kTimedOut, answer);
    pollfd fds[2] = {{from_, POLLIN, 0}, {to_, POLLOUT, 0}};
    const nfds_t count = line.empty() ? 1 : 2;
    if (::poll(fds, count, static_cast<int>(std::min<int64_t>(left, 60'000))) < 0) {
      if (errno == EINTR) continue;
      return end(Answer::kEnded, answer);
    }
    if (count == 2 && fds[1].revents != 0) {
      const ssize_t n = ::write(to_, line.data(), line.size());
      if (n < 0 && errno != EINTR && errno != EAGAIN) return end(Answer::kEnded, answer);
      if (n > 0) line.remove_prefix(static_cast<size_t>(n));
    }
    if (fds[0].revents != 0) {
      char buffer[1 << 16];
      const ssize_t n = ::read(from_, buffer, sizeof buffer);
      if (n == 0 || (n < 0 && errno != EINTR)) return end(Answer::kEnded, answer);
      if (n > 0) received_.append(buffer, static_cast<size_t>(n));
    }
  }
}

PeerProcess::Answer PeerProcess::end(Answer kind, std::string* answer) {
  if (kind == Answer::kTimedOut && pid_ > 0) ::kill(pid_, SIGKILL);
  if (to_ >= 0) ::close(std::exchange(to_, -1));  // a program that only closed its output ends now
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  *answer = kind == Answer::kTimedOut ? "exceeded the time limit" : end_sentence(status);
  stop();
  return kind;
}

void PeerProcess::stop() {
  if (to_ >= 0) ::close(std::exchange(to_, -1));
  if (from_ >= 0) ::close(std::exchange(from_, -1));
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
  received_.clear();
}

}  // namespace espalier
