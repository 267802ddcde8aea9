#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace basin::program {

/// A child process of this program: `basin words...`, in a process group of its own, so that a Ctrl-C reaches
/// it through interrupt() alone, and with a SIGTERM when this process dies, so that it ends with a checkpoint
/// whatever happens here. What it says is kept for last_line().
class Job {
 public:
  /// Throws Error where no process can be made. To be called from the main thread, which outlives it: the
  /// system takes the end of that thread for this process' death.
  explicit Job(const std::vector<std::string>& words);
  /// Interrupts it and waits for its end.
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Whether it has ended; does not wait.
  bool has_ended();
  /// Asks it to stop with a checkpoint.
  void interrupt() const;
  /// The newest line that it has said.
  std::string last_line() const;
  /// Of one that has ended: "" when all went well, else why it did not: its error, or what killed it.
  std::string failure() const;
  /// Whether a signal ended it, with or without a checkpoint.
  bool was_killed() const;

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace basin::program
