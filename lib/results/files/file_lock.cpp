#include "results/files/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "tensor/error.h"

namespace basin {
namespace {

[[noreturn]] void fail(const std::string& path, int reason) {
  throw Error(fmt::format("[lock] cannot lock {}: {}", path, std::strerror(reason)));
}

/// What a full disk leaves out is missed in messages alone.
void say_holder(int file) {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) == 0) static_cast<void>(::write(file, text.data(), text.size()) > 0);
}

}  // namespace

std::shared_ptr<FileLock> FileLock::take(const std::string& path, const std::function<bool()>& wait) {
  while (true) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0) fail(path, errno);
    int got = ::flock(file, LOCK_EX | LOCK_NB);
    if (got != 0 && errno == EWOULDBLOCK) {
      if (!wait()) {
        ::close(file);
        return nullptr;
      }
      do {
        got = ::flock(file, LOCK_EX);
      } while (got != 0 && errno == EINTR);
    }
    const int reason = errno;
    if (got == 0 && is_name_of(path, file)) {
      say_holder(file);
      return std::shared_ptr<FileLock>(new FileLock(path, file));
    }
    ::close(file);
    // Locked, but removed by the process that had it: its name stands for nothing, or for another file.
    if (got != 0) fail(path, reason);
  }
}

std::int64_t FileLock::holder(const std::string& path) {
  std::int64_t process = 0;
  std::ifstream file(path);
  return file >> process && process > 0 ? process : 0;
}

FileLock::~FileLock() {
  ::unlink(name_.path().c_str());  // before others can have it: they notice and make another
  name_.finish();
  ::close(file_);
}

bool is_name_of(const std::string& path, int file) {
  struct stat opened {
  }, named{};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace basin
