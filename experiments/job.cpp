#include "job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "arguments.h"
#include "tensor/error.h"

namespace basin::program {
namespace {

constexpr std::size_t kTail = 4096;  // bytes: more than a line

/// The child between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* words, int output, pid_t parent) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) execv("/proc/self/exe", words);
  _exit(kFailed);
}

}  // namespace

Job::Job(const std::vector<std::string>& words) {
  std::vector<std::string> all = {"basin"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : all) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  output_ = memfd_create("basin-job", MFD_CLOEXEC);
  const pid_t parent = getpid();
  if (output_ >= 0) process_ = fork();
  if (process_ == 0) become(pointers.data(), output_, parent);
  if (process_ < 0) {
    const int reason = errno;
    if (output_ >= 0) close(output_);
    throw Error(fmt::format("[sweep] cannot start a process: {}; lower --jobs", std::strerror(reason)));
  }
}

Job::~Job() {
  if (!ended_) {
    interrupt();
    while (waitpid(process_, &status_, 0) < 0 && errno == EINTR) continue;
  }
  close(output_);
}

bool Job::has_ended() {
  ended_ = ended_ || waitpid(process_, &status_, WNOHANG) == process_;
  return ended_;
}

void Job::interrupt() const {
  if (!ended_) kill(process_, SIGTERM);
}

std::string Job::last_line() const {
  struct stat now {};
  const off_t size = fstat(output_, &now) == 0 ? now.st_size : 0;
  const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(kTail));
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, size - begin)), '\0');
  const ssize_t got = pread(output_, text.data(), text.size(), begin);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::string Job::failure() const {
  if (WIFSIGNALED(status_)) {
    const int signal = WTERMSIG(status_);
    return fmt::format("killed by signal {} ({})", signal, strsignal(signal));
  }
  if (WEXITSTATUS(status_) == kDone || WEXITSTATUS(status_) == kMissed) return "";
  const std::string line = last_line();
  const std::string opening = "basin: ";
  return line.starts_with(opening) ? line.substr(opening.size())
                                   : fmt::format("exit code {}", WEXITSTATUS(status_));
}

bool Job::was_killed() const {
  return ended_ && (WIFSIGNALED(status_) || WEXITSTATUS(status_) == kInterrupted);
}

}  // namespace basin::program
