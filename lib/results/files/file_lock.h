#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "results/files/unfinished.h"

namespace basin {

/// A lock that one process at a time holds, by flock(2) on a file of its own, which says the number of the
/// process, and goes with it. The system unlocks it when the process is killed; the file then stays, and
/// harms nobody.
class FileLock {
 public:
  /// Takes the lock at `path`. Where another process has it, asks `wait` once: true waits for it, false gives
  /// up with nullptr. Throws Error when the file cannot be made or its file system knows no locks.
  static std::shared_ptr<FileLock> take(const std::string& path, const std::function<bool()>& wait);

  /// The number of the process that has, or had, the lock at `path`; 0 where the file does not say.
  static std::int64_t holder(const std::string& path);

  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  FileLock(const std::string& path, int file) : name_(path), file_(file) {}

  Unfinished name_;
  int file_;
};

/// Whether a name stands for an open file, and not for another one or nothing.
bool is_name_of(const std::string& path, int file);

}  // namespace basin
