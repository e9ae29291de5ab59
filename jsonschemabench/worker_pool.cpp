// Crash-isolated jobs: a pool of forked processes fed one job at a time.
//
// Threads cannot contain a crash, and a time limit inside a process cannot stop a loop that never
// looks at the clock. So each worker is a process: the parent hands it an index over a socket, it
// answers with (length, payload), and the parent, which sleeps in poll(), kills it at its deadline.
// A worker that dies is reaped, its end is recorded for the index it was working on, and a fresh
// one takes its place; jobs that come later never notice. Example: jobs {0, 1, 2} where 1 aborts
// give Done, Crashed("killed by signal 6"), Done.
//
// Memory is limited by RLIMIT_AS, raised anew before every job to "what is mapped now + limit", so
// that what earlier jobs left in shared caches is not charged to this one. A failed allocation
// leaves through operator new's handler with an exit code of its own, which tells a memory limit
// from a crash. Sanitizers map terabytes of shadow; under them the limit is off.
//
// Invariants: every index is reported exactly once; a worker holds at most one index; no worker
// outlives the parent (PR_SET_PDEATHSIG). Cost: one round trip per job, some 20 us, outside
// anything the job times.

#include "jsonschemabench/worker_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ESPALIER_SHADOW_MEMORY 1
#else
#define ESPALIER_SHADOW_MEMORY 0
#endif

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kMemoryExitCode = 97;
constexpr int kExceptionExitCode = 98;

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  std::optional<size_t> index;
  Clock::time_point deadline;
  std::string received;
};

bool write_all(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::send(fd, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool read_all(int fd, void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::read(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

void limit_memory(size_t bytes) {
  if (bytes == 0 || ESPALIER_SHADOW_MEMORY) return;
  size_t pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  const rlim_t wanted = pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_AS, &limit);
}

[[noreturn]] void work(int fd, const WorkerPoolOptions& options, const Job& job) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::set_new_handler([] { ::_exit(kMemoryExitCode); });
  uint64_t index = 0;
  while (read_all(fd, &index, sizeof index)) {
    limit_memory(options.memory_limit_bytes);
    std::string payload;
    try {
      payload = job(index);
    } catch (const std::bad_alloc&) {
      ::_exit(kMemoryExitCode);
    } catch (...) {
      ::_exit(kExceptionExitCode);
    }
    const uint64_t length = payload.size();
    if (!write_all(fd, &length, sizeof length) || !write_all(fd, payload.data(), length)) break;
  }
  ::_exit(0);
}

class Pool {
 public:
  Pool(size_t count, const WorkerPoolOptions& options, const Job& job, const JobCallback& on_end)
      : count_(count), options_(options), job_(job), on_end_(on_end) {}

  ~Pool() {
    for (Worker& worker : workers_) discard(&worker, SIGKILL);
  }

  Status run() {
    workers_.resize(std::min(std::max<size_t>(options_.workers, 1), std::max<size_t>(count_, 1)));
    for (Worker& worker : workers_) {
      if (Status status = start(&worker); !status.ok()) return status;
    }
    while (ended_ < count_) {
      for (Worker& worker : workers_) {
        if (!worker.index && next_ < count_) {
          if (Status status = assign(&worker); !status.ok()) return status;
        }
      }
      if (Status status = wait(); !status.ok()) return status;
    }
    return {};
  }

 private:
  Status start(Worker* worker) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return Status(StatusCode::kIoError,
                    fmt::format("No socket for a worker: {}.", std::strerror(errno)));
    }
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
      ::close(pair[0]);
      ::close(pair[1]);
      return Status(StatusCode::kIoError,
                    fmt::format("No worker process: {}.", std::strerror(errno)));
    }
    if (pid == 0) {
      for (const Worker& other : workers_) {
        if (other.fd >= 0) ::close(other.fd);
      }
      ::close(pair[0]);
      if (::getppid() != parent) ::_exit(0);
      work(pair[1], options_, job_);
    }
    ::close(pair[1]);
    *worker = Worker{pid, pair[0], std::nullopt, {}, {}};
    return {};
  }

  Status assign(Worker* worker) {
    const uint64_t index = next_;
    if (!write_all(worker->fd, &index, sizeof index)) {
      discard(worker, SIGKILL);
      if (Status status = start(worker); !status.ok()) return status;
      if (!write_all(worker->fd, &index, sizeof index)) {
        return Status(StatusCode::kIoError, "A worker died before its first job.");
      }
    }
    ++next_;
    worker->index = index;
    worker->deadline = Clock::now() + limit_of(index);
    return {};
  }

  std::chrono::milliseconds limit_of(size_t index) const {
    return options_.time_limit_of ? options_.time_limit_of(index) : options_.time_limit;
  }

  Status wait() {
    std::vector<pollfd> fds;
    std::vector<Worker*> busy;
    auto deadline = Clock::time_point::max();
    for (Worker& worker : workers_) {
      if (!worker.index) continue;
      fds.push_back({worker.fd, POLLIN, 0});
      busy.push_back(&worker);
      deadline = std::min(deadline, worker.deadline);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count() + 1;
    const int timeout = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
    if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) {
      return Status(StatusCode::kIoError, fmt::format("poll failed: {}.", std::strerror(errno)));
    }
    const auto now = Clock::now();
    for (size_t i = 0; i < busy.size(); ++i) {
      Status status;
      if (fds[i].revents != 0) {
        status = receive(busy[i]);
      } else if (now >= busy[i]->deadline) {
        status = end_worker(busy[i], /*timed_out=*/true);
      }
      if (!status.ok()) return status;
    }
    return {};
  }

  Status receive(Worker* worker) {
    char buffer[1 << 16];
    const ssize_t n = ::read(worker->fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return {};
    if (n <= 0) return end_worker(worker, /*timed_out=*/false);
    worker->received.append(buffer, static_cast<size_t>(n));
    uint64_t length = 0;
    if (worker->received.size() < sizeof length) return {};
    std::memcpy(&length, worker->received.data(), sizeof length);
    if (worker->received.size() < sizeof length + length) return {};
    JobEnd end;
    end.payload = worker->received.substr(sizeof length, length);
    worker->received.clear();
    finish(worker, std::move(end));
    return {};
  }

  Status end_worker(Worker* worker, bool timed_out) {
    JobEnd end;
    end.kind = timed_out ? JobEnd::Kind::kTimedOut : JobEnd::Kind::kCrashed;
    const auto [status, peak] = discard(worker, timed_out ? SIGKILL : 0);
    end.peak_rss_bytes = peak;
    if (timed_out) {
      end.reason = fmt::format("exceeded the time limit of {} s",
                               static_cast<double>(limit_of(*worker->index).count()) / 1e3);
    } else if (WIFSIGNALED(status)) {
      end.reason =
          fmt::format("killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == kMemoryExitCode) {
      end.reason =
          fmt::format("exceeded the memory limit of {} MiB", options_.memory_limit_bytes >> 20);
    } else if (WEXITSTATUS(status) == kExceptionExitCode) {
      end.reason = "ended by an exception";
    } else {
      end.reason = fmt::format("ended with exit code {}", WEXITSTATUS(status));
    }
    finish(worker, std::move(end));
    return next_ < count_ ? start(worker) : Status();
  }

  void finish(Worker* worker, JobEnd end) {
    const size_t index = *worker->index;
    worker->index.reset();
    ++ended_;
    on_end_(index, std::move(end));
  }

  std::pair<int, uint64_t> discard(Worker* worker, int signal) {
    if (worker->fd >= 0) ::close(worker->fd);
    int status = 0;
    rusage usage{};
    if (worker->pid > 0) {
      if (signal != 0) ::kill(worker->pid, signal);
      while (::wait4(worker->pid, &status, 0, &usage) < 0 && errno == EINTR) {
      }
    }
    worker->fd = -1;
    worker->pid = -1;
    return {status, static_cast<uint64_t>(usage.ru_maxrss) << 10};
  }

  size_t count_;
  const WorkerPoolOptions& options_;
  const Job& job_;
  const JobCallback& on_end_;
  std::vector<Worker> workers_;
  size_t next_ = 0;
  size_t ended_ = 0;
};

}  // namespace

Status run_in_workers(size_t count, const WorkerPoolOptions& options, const Job& job,
                      const JobCallback& on_end) {
  return Pool(count, options, job, on_end).run();
}

}  // namespace espalier
